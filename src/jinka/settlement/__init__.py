"""Settlement: postings, positions, orders, and the proofs that nothing was lost. Posts only through `jinka.ledger`.

Windows and caps come later. No I/O: a ledger engine is given by the caller.
"""

from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.netting import CentrePosition, Tiers, net_centre, net_flows, net_tree
from jinka.settlement.order_life import (
    ORDER_STEPS,
    OrderEvent,
    OrderResult,
    OrderState,
    finish_orders,
    hold_orders,
)
from jinka.settlement.orders import (
    SettlementOrder,
    float_name,
    order_of,
    post_settlement,
    settlement_entry,
    settlement_orders,
)
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
    "ORDER_STEPS",
    "AccountCode",
    "AccountName",
    "BusinessDay",
    "CentrePosition",
    "Entry",
    "OrderEvent",
    "OrderResult",
    "OrderState",
    "SettlementOrder",
    "SettlementProof",
    "Tiers",
    "TransferCode",
    "TrialBalance",
    "TrialRow",
    "finish_orders",
    "float_name",
    "hold_orders",
    "lift_suspense",
    "net_centre",
    "net_flows",
    "net_tree",
    "order_of",
    "post",
    "post_day",
    "post_opening",
    "post_settlement",
    "prove_settlement",
    "purse_liability",
    "settlement_entry",
    "settlement_orders",
    "trial_balance",
]
