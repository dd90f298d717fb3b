"""Clearing: intake, verify, price, classify, chain, net. An honest operator is paid, and paid once.

Builds Ibis expressions on tables that it is given; no I/O, no engine, no keys. Stages return (output, findings). The
rules are "The clearing record" of ARCHITECTURE.md; the fields come from JR/T 0025 and JT/T 978.4. What
travels between centres is `tiers`, `routing` and `verdicts`. Refunds are not here yet.
"""

from jinka.clearing.apportion import PathTable, Share, TripGroup, apportion_trips, metro_trips, share_flows
from jinka.clearing.day import DayResult, ReasonTotal, clear_day
from jinka.clearing.fees import FeeLine, FeeMatch, FeeParty, FeeSchedule, FeeShare, Merchant, Per
from jinka.clearing.fees_china import CHINA_2016
from jinka.clearing.fees_file import rate_text, read_fees
from jinka.clearing.intake import (
    PARKING,
    BatchAck,
    BatchReason,
    BatchStatus,
    IntakeEntry,
    IntakeJournal,
    IntakeResult,
    take_in,
)
from jinka.clearing.net import Flow, LineKind, NetResult, OperatorTotal, ProductTotal
from jinka.clearing.port import (
    ATTESTED,
    ClearingEngine,
    ClearingParams,
    ClearingTables,
    Explain,
    FeeTable,
    Price,
    attested_table,
)
from jinka.clearing.price import tariff_prices
from jinka.clearing.reasons import OUTCOME_OF, REASONS, REMARKS, Outcome, Reason, Remark

__all__ = [
    "ATTESTED",
    "CHINA_2016",
    "OUTCOME_OF",
    "PARKING",
    "REASONS",
    "REMARKS",
    "BatchAck",
    "BatchReason",
    "BatchStatus",
    "ClearingEngine",
    "ClearingParams",
    "ClearingTables",
    "DayResult",
    "Explain",
    "FeeLine",
    "FeeMatch",
    "FeeParty",
    "FeeSchedule",
    "FeeShare",
    "FeeTable",
    "Flow",
    "IntakeEntry",
    "IntakeJournal",
    "IntakeResult",
    "LineKind",
    "Merchant",
    "NetResult",
    "OperatorTotal",
    "Outcome",
    "PathTable",
    "Per",
    "Price",
    "ProductTotal",
    "Reason",
    "ReasonTotal",
    "Remark",
    "Share",
    "TripGroup",
    "apportion_trips",
    "attested_table",
    "clear_day",
    "metro_trips",
    "rate_text",
    "read_fees",
    "share_flows",
    "take_in",
    "tariff_prices",
]
