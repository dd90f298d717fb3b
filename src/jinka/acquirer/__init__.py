"""The acquirer's side: merchants' orders, payment codes, tokens of cards, callbacks and bills, as a gateway needs them.

Pure: books, network, clock and chance are passed in; `jinka.store` keeps, `jinka.api` serves, `jinka.node` sends. Not
here: paying merchants out. EMV QRCPS 1.1, ISO 4217, PCI DSS 4.0 (3.3 to 3.5), Standard Webhooks 1.0.0.
"""

from jinka.acquirer.callbacks import order_view
from jinka.acquirer.codes import card_of_code, order_code, scanned_order
from jinka.acquirer.gateway import Draft, Gateway, Keyed
from jinka.acquirer.network import SwitchPayments, Wire
from jinka.acquirer.orders import STEPS, Kind, Operation, OperationState, Order, OrderState, Step
from jinka.acquirer.ports import (
    Answer,
    Ask,
    Bill,
    Books,
    Busy,
    Callback,
    CardFacts,
    Conflict,
    Desk,
    Entry,
    KeyedAnswer,
    Merchant,
    NoAnswer,
    NotSent,
    Payments,
    Result,
    Unheard,
    require_order,
)
from jinka.acquirer.purse_loads import PurseLoads, Way
from jinka.acquirer.vault import TokenRecord, Vault

__all__ = [
    "STEPS",
    "Answer",
    "Ask",
    "Bill",
    "Books",
    "Busy",
    "Callback",
    "CardFacts",
    "Conflict",
    "Desk",
    "Draft",
    "Entry",
    "Gateway",
    "Keyed",
    "KeyedAnswer",
    "Kind",
    "Merchant",
    "NoAnswer",
    "NotSent",
    "Operation",
    "OperationState",
    "Order",
    "OrderState",
    "Payments",
    "PurseLoads",
    "Result",
    "Step",
    "SwitchPayments",
    "TokenRecord",
    "Unheard",
    "Vault",
    "Way",
    "Wire",
    "card_of_code",
    "order_code",
    "order_view",
    "require_order",
    "scanned_order",
]
