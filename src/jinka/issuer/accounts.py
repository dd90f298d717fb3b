"""Cards and the accounts behind them: what an issuer knows of each, and their lives as transition tables.

An account's money is on the ledger, not here. A card's PIN is here as what the key service's verbs compare with (an
offset of IBM 3624, or key index and PVV), never as a PIN. The count of wrong PINs is written before
the PIN is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType

from jinka.issuer.authorisation import card_id
from jinka.issuer.reasons import Reason
from jinka.kit import Refused, Usage, make_id

PIN_TRIES = 3


class CardState(Enum):
    """Where a card stands: (value, Chinese, why it is refused; None where it may pay)."""

    MADE = ("made", "已制卡", Reason.INACTIVE)
    ACTIVE = ("active", "正常", None)
    SUSPENDED = ("suspended", "已冻结", Reason.SUSPENDED)
    LOST = ("lost", "已挂失", Reason.LOST)
    STOLEN = ("stolen", "被盗", Reason.STOLEN)
    REPLACED = ("replaced", "已换卡", Reason.INACTIVE)
    CANCELLED = ("cancelled", "已注销", Reason.INACTIVE)

    @property
    def refusal(self) -> Reason | None:
        refusal: Reason | None = self.value[2]
        return refusal


class CardAct(Enum):
    """What moves a card."""

    ACTIVATE = "activate"
    SUSPEND = "suspend"
    RESUME = "resume"
    REPORT_LOST = "report lost"
    REPORT_STOLEN = "report stolen"
    FIND = "find"
    REPLACE = "replace"
    CANCEL = "cancel"


class AccountState(Enum):
    """Where an account stands: (value, Chinese, why a debit is refused)."""

    OPEN = ("open", "正常", None)
    SUSPENDED = ("suspended", "已冻结", Reason.SUSPENDED)
    CLOSED = ("closed", "已销户", Reason.CLOSED)

    @property
    def refusal(self) -> Reason | None:
        refusal: Reason | None = self.value[2]
        return refusal


class AccountAct(Enum):
    """What moves an account."""

    SUSPEND = "suspend"
    RESUME = "resume"
    CLOSE = "close"


_C, _D = CardState, CardAct
CARD_STEPS: Mapping[tuple[CardState, CardAct], CardState] = MappingProxyType(
    {
        (_C.MADE, _D.ACTIVATE): _C.ACTIVE,
        (_C.MADE, _D.CANCEL): _C.CANCELLED,
        (_C.ACTIVE, _D.SUSPEND): _C.SUSPENDED,
        (_C.SUSPENDED, _D.RESUME): _C.ACTIVE,
        (_C.ACTIVE, _D.REPORT_LOST): _C.LOST,
        (_C.SUSPENDED, _D.REPORT_LOST): _C.LOST,
        (_C.LOST, _D.FIND): _C.ACTIVE,
        (_C.ACTIVE, _D.REPORT_STOLEN): _C.STOLEN,
        (_C.SUSPENDED, _D.REPORT_STOLEN): _C.STOLEN,
        (_C.LOST, _D.REPORT_STOLEN): _C.STOLEN,
        (_C.LOST, _D.REPLACE): _C.REPLACED,
        (_C.STOLEN, _D.REPLACE): _C.REPLACED,
        (_C.ACTIVE, _D.REPLACE): _C.REPLACED,
        (_C.ACTIVE, _D.CANCEL): _C.CANCELLED,
        (_C.SUSPENDED, _D.CANCEL): _C.CANCELLED,
        (_C.LOST, _D.CANCEL): _C.CANCELLED,
        (_C.STOLEN, _D.CANCEL): _C.CANCELLED,
    }
)
_A, _B = AccountState, AccountAct
ACCOUNT_STEPS: Mapping[tuple[AccountState, AccountAct], AccountState] = MappingProxyType(
    {
        (_A.OPEN, _B.SUSPEND): _A.SUSPENDED,
        (_A.SUSPENDED, _B.RESUME): _A.OPEN,
        (_A.OPEN, _B.CLOSE): _A.CLOSED,
        (_A.SUSPENDED, _B.CLOSE): _A.CLOSED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HolderAccount:
    """An account of a holder. ``product`` names the limits and rules that hold for it."""

    number: str = field(repr=False)
    product: str = "debit"
    state: AccountState = AccountState.OPEN

    @property
    def id(self) -> bytes:
        """Its account on the ledger."""
        return make_id("jinka.issuer.account", self.number)

    def act(self, act: AccountAct) -> HolderAccount:
        """After an act; raises `Refused`. That nothing is left on it before it is closed is the caller's check."""
        after = ACCOUNT_STEPS.get((self.state, act))
        if after is None:
            raise Refused(f"{act.value} is not possible when {self.state.value[0]}", where="account")
        return replace(self, state=after)


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCard:
    """A card as the issuer's host sees it.

    ``tries_left`` and ``counter`` (the chip's last counter that was seen) change with transactions; ``used_chip`` and
    ``used_at_micros`` tell of its first use.
    """

    pan: str = field(repr=False)
    account: str = field(repr=False)
    expiry4: str  # YYMM
    chip: bool = True
    sequence: str = "00"
    pin_reference: str = field(default="", repr=False)
    state: CardState = CardState.MADE
    tries_left: int = PIN_TRIES
    counter: int = -1
    first_use_micros: int = 0

    def __post_init__(self) -> None:
        if not (self.pan.isascii() and self.pan.isdigit() and 12 <= len(self.pan) <= 19):
            raise Usage("not a card number", where="card.pan", fix="12 to 19 digits")
        month = self.expiry4[2:]
        if len(self.expiry4) != 4 or not self.expiry4.isdigit() or not "01" <= month <= "12":
            raise Usage("not a year and month", where="card.expiry4", fix="YYMM")

    def __repr__(self) -> str:
        return f"IssuedCard(******{self.pan[-4:]}, {self.state.value[0]})"

    @property
    def id(self) -> bytes:
        """The card in journals."""
        return card_id(self.pan)

    def act(self, act: CardAct) -> IssuedCard:
        """After an act; raises `Refused`. Activating and finding give the PIN's tries back."""
        after = CARD_STEPS.get((self.state, act))
        if after is None:
            raise Refused(f"{act.value} is not possible when {self.state.value[0]}", where="card")
        fresh = act in (CardAct.ACTIVATE, CardAct.FIND)
        return replace(self, state=after, tries_left=PIN_TRIES if fresh else self.tries_left)

    def unblocked(self) -> IssuedCard:
        """With all tries of the PIN again, after the holder was identified."""
        return replace(self, tries_left=PIN_TRIES)
