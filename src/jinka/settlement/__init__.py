"""Settlement: business days, windows, positions, postings, orders, proofs. Posts only through `jinka.ledger`.

No I/O: a ledger engine is given by the caller.
"""

from jinka.settlement.business_day_file import BusinessDayFile, read_business_day
from jinka.settlement.calendar import CHINA, EVERY_DAY, Calendar
from jinka.settlement.caps import (
    Admission,
    Breach,
    NetDebitCap,
    OnBreach,
    Waiting,
    WaitReason,
    admit,
    cap_table,
)
from jinka.settlement.chart import AccountCode, AccountName, TransferCode
from jinka.settlement.claims import Claim, claims_of
from jinka.settlement.cutover import Placed, Schedule, Slot
from jinka.settlement.deadlines import (
    ListRule,
    SilenceRule,
    Unanswered,
    deem_acknowledged,
    judge_silence,
    list_losses,
)
from jinka.settlement.dispute_books import BooksWithoutDisputes, DisputeOrder, settle_disputes
from jinka.settlement.dispute_desk import DisputeBooks, DisputeDesk, DisputeMove, MemoryDisputes, NewDispute
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
    orders_of,
    post_settlement,
    require_booked,
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
from jinka.settlement.window import WINDOW_STEPS, Act, Window, WindowEvent, WindowKey, WindowState
from jinka.settlement.window_desk import Opening, WindowDesk, WindowJournal, window_orders

__all__ = [
    "CHINA",
    "EVERY_DAY",
    "ORDER_STEPS",
    "WINDOW_STEPS",
    "AccountCode",
    "AccountName",
    "Act",
    "Admission",
    "BooksWithoutDisputes",
    "Breach",
    "BusinessDay",
    "BusinessDayFile",
    "Calendar",
    "CentrePosition",
    "Claim",
    "DisputeBooks",
    "DisputeDesk",
    "DisputeMove",
    "DisputeOrder",
    "Entry",
    "ListRule",
    "MemoryDisputes",
    "NetDebitCap",
    "NewDispute",
    "OnBreach",
    "Opening",
    "OrderEvent",
    "OrderResult",
    "OrderState",
    "Placed",
    "Schedule",
    "SettlementOrder",
    "SettlementProof",
    "SilenceRule",
    "Slot",
    "Tiers",
    "TransferCode",
    "TrialBalance",
    "TrialRow",
    "Unanswered",
    "WaitReason",
    "Waiting",
    "Window",
    "WindowDesk",
    "WindowEvent",
    "WindowJournal",
    "WindowKey",
    "WindowState",
    "admit",
    "cap_table",
    "claims_of",
    "deem_acknowledged",
    "finish_orders",
    "float_name",
    "hold_orders",
    "judge_silence",
    "lift_suspense",
    "list_losses",
    "net_centre",
    "net_flows",
    "net_tree",
    "order_of",
    "orders_of",
    "post",
    "post_day",
    "post_opening",
    "post_settlement",
    "prove_settlement",
    "purse_liability",
    "read_business_day",
    "require_booked",
    "settle_disputes",
    "settlement_entry",
    "settlement_orders",
    "trial_balance",
    "window_orders",
]
