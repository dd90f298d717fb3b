"""Settlement: postings, positions, orders, and the proofs that nothing was lost. Posts only through `jinka.ledger`.

Windows, caps and ISO 20022 messages come later. No I/O: a ledger engine is given by the caller.
"""

from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.orders import SettlementOrder, post_settlement, settlement_orders
from jinka.settlement.posting import BusinessDay, Entry, lift_suspense, post, post_day, post_opening
from jinka.settlement.proof import (
    SettlementProof,
    TrialBalance,
    TrialRow,
    prove_settlement,
    purse_liability,
    trial_balance,
)

__all__ = [
    "AccountCode",
    "AccountName",
    "BusinessDay",
    "Entry",
    "SettlementOrder",
    "SettlementProof",
    "TransferCode",
    "TrialBalance",
    "TrialRow",
    "lift_suspense",
    "post",
    "post_day",
    "post_opening",
    "post_settlement",
    "prove_settlement",
    "purse_liability",
    "settlement_orders",
    "trial_balance",
]
