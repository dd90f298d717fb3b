"""ISO 20022: settlement orders to payment messages, and banks' answers back to them.

Written: pacs.009.001.09, pacs.008.001.10. No I/O and no clock: bytes and times are passed. Nothing of ISO 20022's
business application header, signatures or a network's own profile is here: an adapter to a network wraps these bytes.
"""

from jinka.settlement.iso20022.credit_transfer import (
    ORDERS_MAX,
    OrderMessage,
    Transfer,
    plan_messages,
    uetr,
    write_message,
)
from jinka.settlement.iso20022.parties import Agent, Charset, Method, Party, PaymentBook

__all__ = [
    "ORDERS_MAX",
    "Agent",
    "Charset",
    "Method",
    "OrderMessage",
    "Party",
    "PaymentBook",
    "Transfer",
    "plan_messages",
    "uetr",
    "write_message",
]
