"""Steps of bank accounts: opened, paid from through the switch, taken back; and purchases with a bank card's chip.

Merchants are accounts of the sector: what an issuer approves, the acquirer pays into them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Number, Step


@dataclass(frozen=True, slots=True)
class OpenAccount(Step):
    """A bank opens an account with ``amount`` on it (for credit: its line) and gives it a card number and a PIN.

    ``card`` names a card of the journey with a bank application: then the account is that card's.
    """

    account: str
    amount: int
    _: KW_ONLY
    pin: str
    card: str = ""
    application: str = ""


@dataclass(frozen=True, slots=True)
class PayOnline(Step):
    """An account pays a merchant over the switch: a request with its MAC and PIN, decided by the issuer's host, booked.

    ``refused`` is the answer's code (51 no money, 55 wrong PIN, 41 lost: ISO 8583, field 39). ``lost``: the answer is
    lost on its way to the till, which reverses. ``as_`` keeps the payment under a name. ``remembers``: the words amount
    and category (of the merchant, as the request says it); together they are one payment, which is claimed once.
    """

    account: str
    merchant: str
    amount: Number
    _: KW_ONLY
    pin: str = ""
    as_: str = ""
    lost: bool = False
    refused: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TakeBack(Step):
    """A payment is reversed, and the merchant gives the money back; ``refused`` is the answer's code."""

    payment: str
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class AccountHolds(Step):
    """What an account at the bank has left."""

    account: str
    amount: int


@dataclass(frozen=True, slots=True)
class ReportLost(Step):
    """The holder reports the account's card as lost."""

    account: str


@dataclass(frozen=True, slots=True)
class PayInto(Step):
    """An account of the sector (a treasury, an employer) pays into an account at the bank; it cannot be overdrawn."""

    payer: str
    account: str
    amount: Number
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class PayByChip(Step):
    """A bank card is held to a reader (qPBOC): paid ``offline`` from its electronic cash, or ``online`` (``gives``).

    The device's operator is the account that is paid, ``pool`` the account behind all electronic cash. Above ``floor``
    the reader goes online, if it can. ``refused`` is DECLINED_OFFLINE, DECLINED_ONLINE or REFUSED.
    """

    card: str
    device: str
    amount: int
    gives: str = ""
    _: KW_ONLY
    pool: str = "electronic-cash"
    application: str = ""
    online: bool = True
    floor: int = 30_000
    pin: str = ""
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CashHolds(Step):
    """How much electronic cash the card itself says that it holds (GET DATA, 9F79)."""

    card: str
    amount: int
    _: KW_ONLY
    application: str = ""
