"""Reports: rows in, text and bytes out (terminal table, HTML, CSV, JSON), in Chinese and English.

Nothing here reads a file, writes one or asks for the time: `app` gathers the rows and puts the results where
they belong. A report holds totals and the names of participants; no card number is in it.
"""

from jinka.reports.day import (
    DayReport,
    EngineRow,
    FindingRow,
    FloatProof,
    HourRow,
    InferredRow,
    OperatorRow,
    OrderRow,
    Outcome,
    OutcomeRow,
    PositionRow,
    ProductRow,
    SettlementProof,
    Source,
    SourceKind,
    SpoilRow,
    Text,
    Timing,
    TrialBalance,
)
from jinka.reports.files import day_files
from jinka.reports.page import render_page
from jinka.reports.terminal import day_tables
from jinka.reports.words import Language

__all__ = [
    "DayReport",
    "EngineRow",
    "FindingRow",
    "FloatProof",
    "HourRow",
    "InferredRow",
    "Language",
    "OperatorRow",
    "OrderRow",
    "Outcome",
    "OutcomeRow",
    "PositionRow",
    "ProductRow",
    "SettlementProof",
    "Source",
    "SourceKind",
    "SpoilRow",
    "Text",
    "Timing",
    "TrialBalance",
    "day_files",
    "day_tables",
    "render_page",
]
