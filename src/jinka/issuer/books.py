"""The issuer's journal of transactions: one row for each, its life as a table, and the port to where rows are kept.

A row is received before anything is checked (`RECEIVED`), so that a wrong PIN counts even if the power goes; it is
written with its decision. What is between the two after a crash is settled from the ledger (`jinka.issuer.host`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple, Protocol

from jinka.issuer.accounts import HolderAccount, IssuedCard
from jinka.issuer.authorisation import Channel, Entry, Flow, Kind
from jinka.issuer.reasons import Reason
from jinka.kit import Refused, Usage


class State(Enum):
    """Where a transaction stands: (value, Chinese)."""

    RECEIVED = ("received", "已接收")
    APPROVED = ("approved", "已承兑")
    HELD = ("held", "已冻结资金")
    COMPLETED = ("completed", "预授权已完成")
    DECLINED = ("declined", "已拒绝")
    VOIDED = ("voided", "已撤销")
    REVERSED = ("reversed", "已冲正")
    LAPSED = ("lapsed", "预授权已过期")  # nobody completed it in time: the money is the holder's again
    UNSEEN = ("unseen", "未到先冲")  # taken back before it came
    USED = ("used", "证书已用")  # no transaction: the original is booked on this certificate of the chip

    __hash__ = object.__hash__  # of a member, which there is once


class Step(Enum):
    """What moves it."""

    APPROVE = "approve"
    HOLD = "hold"
    DECLINE = "decline"
    COMPLETE = "complete"
    REFUND = "refund"
    VOID = "void"
    REVERSE = "reverse"
    LAPSE = "lapse"
    REOPEN = "reopen"  # a completion was taken back: the hold stands again
    RESTORE = "restore"  # a void was taken back: the money moves again
    RESTORE_HOLD = "restore hold"

    __hash__ = object.__hash__


_S, _P = State, Step
STEPS: Mapping[tuple[State, Step], State] = MappingProxyType(
    {
        (_S.RECEIVED, _P.APPROVE): _S.APPROVED,
        (_S.RECEIVED, _P.HOLD): _S.HELD,
        (_S.RECEIVED, _P.DECLINE): _S.DECLINED,
        (_S.HELD, _P.COMPLETE): _S.COMPLETED,
        (_S.HELD, _P.VOID): _S.VOIDED,
        (_S.HELD, _P.REVERSE): _S.REVERSED,
        (_S.HELD, _P.LAPSE): _S.LAPSED,
        (_S.LAPSED, _P.COMPLETE): _S.COMPLETED,  # late, and as far as there is money
        (_S.LAPSED, _P.VOID): _S.VOIDED,
        (_S.LAPSED, _P.REVERSE): _S.REVERSED,
        (_S.COMPLETED, _P.REOPEN): _S.HELD,
        (_S.APPROVED, _P.REFUND): _S.APPROVED,
        (_S.APPROVED, _P.VOID): _S.VOIDED,
        (_S.APPROVED, _P.REVERSE): _S.REVERSED,
        (_S.VOIDED, _P.RESTORE): _S.APPROVED,
        (_S.VOIDED, _P.RESTORE_HOLD): _S.HELD,
        (_S.DECLINED, _P.REVERSE): _S.REVERSED,  # nothing moves, and no advice of it is believed afterwards
    }
)
# What no limit and no rule counts: nobody proved that the card was there.
NOT_THE_HOLDERS = frozenset({Reason.DISPUTED})
_NO_DEEDS = frozenset({State.RECEIVED, State.UNSEEN, State.USED})
_ZERO = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Booking:
    """One transaction. ``source`` is the account that bears it, ``hold`` the pending transfer that stands, or
    of a transfer between two accounts of this issuer the receiver's.

    ``taken_fen`` is what refunds and a partial reversal gave back, and of a hold what it lost when it was opened again.
    """

    id: bytes
    kind: Kind
    fingerprint: bytes
    card: bytes
    account: bytes
    acquirer: str
    merchant: str
    category: str
    channel: Channel
    entry: Entry
    amount_fen: int
    at_micros: int
    original: bytes = _ZERO
    forced: bool = False
    terminal_chip: bool = True
    card_chip: bool = True
    place_e6: tuple[int, int] | None = None
    state: State = State.RECEIVED
    reason: Reason = Reason.INTERRUPTED
    rule: str = ""
    authorisation: str = ""
    available_fen: int | None = None
    chip: bytes = field(default=b"", repr=False)
    source: bytes = _ZERO
    hold: bytes = _ZERO
    taken_fen: int = 0
    settled: str = ""  # the business date that it counts to, YYYY-MM-DD
    stan: str = ""  # this and the terminal are how the acquirer finds it again
    terminal: str = ""
    masked: str = ""  # the card's number, first six and last four digits (PCI DSS 4.0, 3.4)

    @property
    def approved(self) -> bool:
        """Whether it was approved at first, whatever became of it."""
        return _approved(self.reason, self.state)

    @property
    def held_fen(self) -> int:
        """Of a hold: what stands of it."""
        return self.amount_fen - self.taken_fen

    @property
    def entry_word(self) -> str:
        return self.entry.value

    @property
    def channel_word(self) -> str:
        return self.channel.value[0]

    @property
    def spends(self) -> bool:
        """Whether it counts towards limits: money that left, or is held, and came not back."""
        return _spends(self.kind, self.state, self.reason)

    def after(self, step: Step) -> State:
        """The state after a step; raises `Refused`."""
        state = STEPS.get((self.state, step))
        if state is None:
            raise Refused(f"{step.value} is not possible when {self.state.value[0]}", where="transaction")
        return state


def _approved(reason: Reason, state: State) -> bool:
    return reason.code == "00" and state not in _NO_DEEDS


def _spends(kind: Kind, state: State, reason: Reason) -> bool:
    flow = kind.flow in (Flow.DEBIT, Flow.HOLD) and kind is not Kind.COMPLETION
    return flow and state in (State.APPROVED, State.HELD, State.COMPLETED) and reason not in NOT_THE_HOLDERS


class Deed(NamedTuple):
    """What limits and rules see of a `Booking`. A plain tuple: hundreds are read for one request, and many are kept."""

    id: bytes
    kind: Kind
    channel: Channel
    entry_word: str
    channel_word: str
    acquirer: str
    merchant: str
    category: str
    amount_fen: int
    at_micros: int
    place_e6: tuple[int, int] | None
    approved: bool
    spends: bool
    stands: bool  # it was decided, came before what took it back, and is the holder's

    @classmethod
    def told(
        cls, id_: bytes, kind: Kind, channel: Channel, entry: Entry, state: State, reason: Reason, acquirer: str,
        merchant: str, category: str, amount_fen: int, at_micros: int, place_e6: tuple[int, int] | None,
    ) -> Deed:  # fmt: skip
        """From what a row says."""
        return cls(
            id_, kind, channel, entry.value, channel.value[0], acquirer, merchant, category, amount_fen, at_micros,
            place_e6, _approved(reason, state), _spends(kind, state, reason),
            state not in _NO_DEEDS and reason not in NOT_THE_HOLDERS,
        )  # fmt: skip

    @classmethod
    def of(cls, b: Booking) -> Deed:
        """From a booking."""
        return cls.told(
            b.id, b.kind, b.channel, b.entry, b.state, b.reason, b.acquirer, b.merchant, b.category, b.amount_fen,
            b.at_micros, b.place_e6,
        )  # fmt: skip


class Tries(NamedTuple):
    """A PIN is compared: the card's number, and the tries that are left if nothing more is heard of it."""

    pan: str
    left: int


class IssuerBooks(Protocol):
    """Where cards, accounts and transactions are kept. `receive` and `write` are one durable transaction each."""

    def cards(self, pans: Iterable[str]) -> dict[str, IssuedCard]:
        """Cards, without the tries of PINs that are being compared."""
        ...

    def accounts(self, numbers: Iterable[str]) -> dict[str, HolderAccount]: ...
    def bookings(self, ids: Iterable[bytes]) -> dict[bytes, Booking]: ...

    def recent(self, cards: Iterable[bytes], since_micros: int, most: int) -> dict[bytes, list[Deed]]:
        """The newest ``most`` of each card since then, oldest first; neither reversals nor what is disputed."""
        ...

    def newest_micros(self) -> int:
        """When the last transactions that are kept came; 0 where there are none."""
        ...

    def receive(self, bookings: Sequence[Booking], tries: Mapping[bytes, Tries]) -> None:
        """Write down what is asked, `RECEIVED`, and by the ids of rows the tries of PINs that they cost.

        It stands until the row is written with its decision; then a card has the tries that are written of it.
        """
        ...

    def tried(self) -> list[IssuedCard]:
        """The cards whose PINs are being compared, the tries taken."""
        ...

    def unfinished(self) -> list[Booking]:
        """Those that are `RECEIVED`, in the order in which they came."""
        ...

    def held(self, before_micros: int) -> list[Booking]:
        """Holds that stand, of what came before then."""
        ...

    def all_bookings(self) -> Iterable[Booking]:
        """Every one that was decided, in the order in which it was."""
        ...

    def together(self) -> AbstractContextManager[object]:
        """All that is written in the block becomes durable at its end, or none of it.

        So do transfers of a ledger that lies in the same database; one that lies elsewhere stores them at once.
        """
        ...

    def write(
        self,
        bookings: Sequence[Booking] = (),
        cards: Sequence[IssuedCard] = (),
        accounts: Sequence[HolderAccount] = (),
    ) -> None:
        """Insert or replace, durably and all together; bookings are decided ones.

        One that was decided before differs in its outcome alone, unless it was received anew since.
        """
        ...


class MemoryBooks:
    """The reference: everything in dictionaries, nothing durable."""

    def __init__(self) -> None:
        self._cards: dict[str, IssuedCard] = {}
        self._accounts: dict[str, HolderAccount] = {}
        self._bookings: dict[bytes, Booking] = {}
        self._open: dict[bytes, Booking] = {}
        self._tries: dict[bytes, Tries] = {}

    def cards(self, pans: Iterable[str]) -> dict[str, IssuedCard]:
        found = {pan: self._cards[pan] for pan in pans if pan in self._cards}
        for pan, left in self._tries.values():
            if pan in found and found[pan].tries_left > left:
                found[pan] = replace(found[pan], tries_left=left)
        return found

    def accounts(self, numbers: Iterable[str]) -> dict[str, HolderAccount]:
        return {number: self._accounts[number] for number in numbers if number in self._accounts}

    def bookings(self, ids: Iterable[bytes]) -> dict[bytes, Booking]:
        both = self._bookings | self._open
        return {id_: both[id_] for id_ in ids if id_ in both}

    def recent(self, cards: Iterable[bytes], since_micros: int, most: int) -> dict[bytes, list[Deed]]:
        wanted: dict[bytes, list[Deed]] = {card: [] for card in cards}
        for booking in self._bookings.values():
            if (
                booking.card in wanted
                and booking.at_micros >= since_micros
                and booking.kind is not Kind.REVERSAL
                and booking.reason not in NOT_THE_HOLDERS
            ):
                wanted[booking.card].append(Deed.of(booking))
        return {card: sorted(found, key=lambda b: b.at_micros)[-most:] for card, found in wanted.items()}

    def newest_micros(self) -> int:
        return max([b.at_micros for b in self._bookings.values()], default=0)

    def together(self) -> AbstractContextManager[object]:
        return nullcontext()

    def unfinished(self) -> list[Booking]:
        return list(self._open.values())

    def receive(self, bookings: Sequence[Booking], tries: Mapping[bytes, Tries]) -> None:
        self._open.update({booking.id: booking for booking in bookings})
        self._tries.update(tries)

    def tried(self) -> list[IssuedCard]:
        return list(self.cards({pan for pan, _ in self._tries.values()}).values())

    def held(self, before_micros: int) -> list[Booking]:
        return [b for b in self._bookings.values() if b.state is State.HELD and b.at_micros < before_micros]

    def all_bookings(self) -> Iterable[Booking]:
        return list(self._bookings.values())

    def write(
        self,
        bookings: Sequence[Booking] = (),
        cards: Sequence[IssuedCard] = (),
        accounts: Sequence[HolderAccount] = (),
    ) -> None:
        for booking in bookings:
            self._bookings[booking.id] = booking
            self._open.pop(booking.id, None)
            self._tries.pop(booking.id, None)
        written = {card.pan: card for card in cards}
        self._cards.update(written)
        self._tries = {id_: tries for id_, tries in self._tries.items() if tries.pan not in written}
        for account in accounts:
            self._accounts[account.number] = account


def require_account(books: IssuerBooks, number: str) -> HolderAccount:
    """The account of that number; `Usage` when there is none."""
    found = books.accounts([number]).get(number)
    if found is None:
        raise Usage("no such account", where="account", fix="open it first")
    return found
