"""Refunds of lost, dead and returned cards: which step may follow which, what it needs, and what it posts.

A refund pays what the chain proves the card to hold, never what is missing of it: that is chased and written off by
itself. A lost card needs a holder who is known and a list that is in force everywhere; a dead card is handed in; a
returned one is read, and its own word must fit its shadow. Kinds, days and deposits are data (`float_rules`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from jinka.kit import Refused, make_id
from jinka.settlement.chart import AccountCode
from jinka.settlement.float_acts import Deed, DeedKind, named
from jinka.settlement.float_rules import DepositFate, RefundKind, RefundRule, masked


class RefundState(Enum):
    """Where a refund stands: (word, Chinese)."""

    START = ("start", "未申请")
    WAITING = ("waiting", "等待期")
    DETERMINED = ("determined", "已核定")
    PAID = ("paid", "已支付")
    REJECTED = ("rejected", "已驳回")
    WITHDRAWN = ("withdrawn", "已撤回")


_S, _D = RefundState, DeedKind
REFUND_STEPS: Mapping[tuple[RefundState, DeedKind], RefundState] = MappingProxyType(
    {
        (_S.START, _D.ASKED): _S.WAITING,
        (_S.WAITING, _D.DETERMINED): _S.DETERMINED,
        (_S.WAITING, _D.REJECTED): _S.REJECTED,
        (_S.WAITING, _D.WITHDRAWN): _S.WITHDRAWN,
        (_S.DETERMINED, _D.PAID): _S.PAID,
    }
)
OPEN = (RefundState.WAITING, RefundState.DETERMINED)
_STEPS = frozenset(kind for _, kind in REFUND_STEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a returned chip says of itself: balance, and both counters, those of the next transaction."""

    balance_fen: int
    offline: int
    online: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardWorth:
    """What the shadow says of a card: ``shown`` by its chain, ``paid`` on the ledger, the counters it was seen at."""

    card: bytes
    issuer: str
    holder: int
    shown: int
    paid: int
    offline: int
    online: int
    deposit: int = 0
    disputed: int = 0  # returned, or about to be, by disputes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund, rebuilt from its deeds."""

    id: str
    kind: RefundKind
    card: bytes
    asked_on: dt.date
    due: dt.date  # not determined before
    state: RefundState
    amount: int = 0
    deposit: int = 0

    def as_dict(self) -> dict[str, str | int]:
        """Plain data."""
        return {
            "refund": self.id, "kind": self.kind.value[0], "card": masked(self.card),
            "state": self.state.value[0], "asked_on": self.asked_on.isoformat(), "due": self.due.isoformat(),
            "amount_fen": self.amount, "deposit_fen": self.deposit,
        }  # fmt: skip


def refund_id(card: bytes, kind: RefundKind, on: dt.date) -> str:
    """One refund a card, kind and day."""
    return make_id("jinka.float.refund", card, kind.value[0], on.isoformat()).hex()


def refunds_of(deeds: Iterable[Deed], rules: Mapping[RefundKind, RefundRule]) -> list[Refund]:
    """All refunds, in the order in which they were asked for."""
    found: dict[str, Refund] = {}
    for deed in deeds:
        name = deed.subject.split(" ")[0]
        if deed.kind is DeedKind.ASKED:
            kind = next(each for each in RefundKind if each.value[0] == deed.subject.split(" ")[1])
            due = max(deed.on, dt.date.fromisoformat(deed.detail or deed.on.isoformat()))
            found[name] = Refund(
                id=name, kind=kind, card=deed.card, asked_on=deed.on,
                due=due + dt.timedelta(days=rules[kind].days), state=RefundState.WAITING,
            )  # fmt: skip
        elif deed.kind in _STEPS and name in found:
            before = found[name]
            found[name] = _stepped(before, deed)
    return list(found.values())


def _stepped(before: Refund, deed: Deed) -> Refund:
    state = REFUND_STEPS[before.state, deed.kind]
    amount = deed.amount if deed.kind is DeedKind.DETERMINED else before.amount
    deposit = int(deed.detail or 0) if deed.kind is DeedKind.DETERMINED else before.deposit
    return Refund(
        id=before.id, kind=before.kind, card=before.card, asked_on=before.asked_on, due=before.due,
        state=state, amount=amount, deposit=deposit,
    )  # fmt: skip


def require_step(refund: Refund, kind: DeedKind) -> None:
    """Raises `Refused` when the table has no such step."""
    if (refund.state, kind) not in REFUND_STEPS:
        raise Refused(
            f"it is {refund.state.value[0]}", where=f"refund {refund.id[:8]}", fix="see jinka float show"
        )


def ask(
    kind: RefundKind,
    worth: CardWorth,
    rule: RefundRule,
    *,
    on: dt.date,
    actor: str,
    is_named: bool,
    listed_on: dt.date | None,
    reading: Reading | None,
    earlier: Sequence[Refund],
) -> list[Deed]:
    """Begin a refund. ``listed_on``: since when every terminal has the list that names the card. Raises `Refused`."""
    where = f"card {masked(worth.card)}"
    if any(refund.card == worth.card and refund.state in (*OPEN, RefundState.PAID) for refund in earlier):
        raise Refused("it has a refund already", where=where, fix="see jinka float show")
    if rule.named_only and not is_named:
        raise Refused(
            "an anonymous card cannot be reported lost", where=where, fix="article 8: named cards only"
        )
    if kind is RefundKind.LOST and listed_on is None:
        raise Refused("no list that names it is in force at every terminal", where=where, fix="list it first")
    name = refund_id(worth.card, kind, on)
    begin = max(on, listed_on) if listed_on else on
    asked = Deed(
        kind=DeedKind.ASKED, subject=f"{name} {kind.value[0]}", card=worth.card, on=on, actor=actor,
        detail=begin.isoformat(),
    )  # fmt: skip
    if kind is not RefundKind.RETURNED:
        return [asked]
    if reading is None:
        raise Refused("a returned card is read first", where=where, fix="give its balance and counters")
    _check_reading(reading, worth, where)
    return [reading_deed(worth.card, name, reading, on=on, actor=actor), asked]


def _check_reading(reading: Reading, worth: CardWorth, where: str) -> None:
    off, on = reading.offline - worth.offline, reading.online - worth.online
    if off < 0 or on < 0:
        raise Refused(
            "its counters are behind its shadow", where=where, fix="it may be a copy: keep the card"
        )
    if not off and not on and reading.balance_fen != worth.shown:
        raise Refused(
            f"it says {reading.balance_fen} and its shadow {worth.shown}, at the same counters",
            where=where,
            fix="it may be altered: keep the card, and have an officer look",
        )
    if off and not on and reading.balance_fen > worth.shown:
        raise Refused("purchases do not raise a balance", where=where, fix="it may be altered: keep the card")


def reading_deed(card: bytes, subject: str, reading: Reading, *, on: dt.date, actor: str) -> Deed:
    """A chip's word about itself, which is a run of nothing at the end of its chain."""
    said = f"{reading.balance_fen} {reading.offline} {reading.online}"
    return Deed(kind=DeedKind.READING, subject=subject, card=card, on=on, actor=actor, detail=said)


def determine(refund: Refund, worth: CardWorth, rule: RefundRule, *, on: dt.date, actor: str) -> list[Deed]:
    """What is owed, posted as a debt to the holder. Raises `Refused` before its time, or when nothing is left."""
    require_step(refund, DeedKind.DETERMINED)
    where = f"refund {refund.id[:8]}"
    if on < refund.due:
        raise Refused(f"not before {refund.due}", where=where, fix="late records may come until then")
    amount = min(worth.shown, worth.paid) - worth.disputed
    if amount < 0:
        raise Refused("its shadow account is overdrawn", where=where, fix="have an officer look")
    back = worth.deposit if rule.deposit is DepositFate.BACK else 0
    purse, owed = (
        named(code, worth.issuer) for code in (AccountCode.PURSE_LIABILITY, AccountCode.HOLDER_PAYABLE)
    )
    deeds = [
        Deed(
            kind=DeedKind.DETERMINED, subject=refund.id, card=refund.card, on=on, amount=amount, debit=purse,
            credit=owed, worth=-amount, actor=actor, detail=str(back),
        )
    ]  # fmt: skip
    if worth.deposit:
        kept = rule.deposit is DepositFate.KEPT
        deeds.append(
            Deed(
                kind=DeedKind.DEPOSIT_KEPT if kept else DeedKind.DEPOSIT_BACK, subject=refund.id,
                card=refund.card, on=on, amount=worth.deposit,
                debit=named(AccountCode.CARD_DEPOSIT, worth.issuer),
                credit=named(AccountCode.FEE_PAYABLE, worth.issuer) if kept else owed, deposit=-worth.deposit,
                actor=actor, reason="the card is not given back" if kept else "",
            )
        )  # fmt: skip
    return deeds


def pay(refund: Refund, issuer: str, *, on: dt.date, actor: str) -> Deed:
    """The money goes to the holder. Raises `Refused`."""
    require_step(refund, DeedKind.PAID)
    return Deed(
        kind=DeedKind.PAID, subject=refund.id, card=refund.card, on=on, amount=refund.amount + refund.deposit,
        debit=named(AccountCode.HOLDER_PAYABLE, issuer), credit=named(AccountCode.CUSTOMER_FUNDS, issuer),
        actor=actor,
    )  # fmt: skip


def end(refund: Refund, kind: DeedKind, *, on: dt.date, actor: str, reason: str) -> Deed:
    """Rejected, or withdrawn because the card was found. Raises `Refused`."""
    require_step(refund, kind)
    return Deed(kind=kind, subject=refund.id, card=refund.card, on=on, actor=actor, reason=reason)
