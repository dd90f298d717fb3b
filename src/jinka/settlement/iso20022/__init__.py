"""ISO 20022: settlement orders to payment messages, and banks' answers back to them.

Written: pacs.009.001.09, pacs.008.001.10. Read: pacs.002, pacs.004, camt.053, camt.054. No I/O and no clock: bytes and
times are passed. Nothing of ISO 20022's business application header, signatures or a network's own profile is here: an
adapter to a network wraps these bytes.
"""

from jinka.settlement.iso20022.answers import Answer, read_answer
from jinka.settlement.iso20022.breaks import Break, BreakKind
from jinka.settlement.iso20022.credit_transfer import (
    ORDERS_MAX,
    OrderMessage,
    Transfer,
    plan_messages,
    uetr,
    write_message,
)
from jinka.settlement.iso20022.parties import Agent, Charset, Method, Party, PaymentBook
from jinka.settlement.iso20022.reconcile import Reconciliation, reconcile
from jinka.settlement.iso20022.replies import OrderStatus, PaymentReturn, ReturnLine, StatusReport, Verdict
from jinka.settlement.iso20022.statements import Statement, StatementKind, StatementLine

__all__ = [
    "ORDERS_MAX",
    "Agent",
    "Answer",
    "Break",
    "BreakKind",
    "Charset",
    "Method",
    "OrderMessage",
    "OrderStatus",
    "Party",
    "PaymentBook",
    "PaymentReturn",
    "Reconciliation",
    "ReturnLine",
    "Statement",
    "StatementKind",
    "StatementLine",
    "StatusReport",
    "Transfer",
    "Verdict",
    "plan_messages",
    "read_answer",
    "reconcile",
    "uetr",
    "write_message",
]
