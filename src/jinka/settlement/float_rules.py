"""The rules of the float, as data: when a missing counter is asked for, when and to whose account it is written off,
who may have money back and after how long, how much a card may hold, and when it sleeps.

China's rules for multi-purpose prepaid cards are the defaults (支付机构预付卡业务管理办法, People's Bank of China,
announcement 12 of 2012): article 7, a named card holds at most 5,000 yuan and an anonymous one at most 1,000; article
8, a named card can be reported lost and redeemed, an anonymous one cannot be reported lost. Decides about values it is
given; reads and posts nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from jinka.kit import Finding, Severity, Usage
from jinka.settlement.chart import AccountCode
from jinka.settlement.float_acts import Deed, DeedKind, named
from jinka.settlement.float_custody import CustodyRules

NAMED_FEN, ANONYMOUS_FEN = 500_000, 100_000


class Missing(Enum):
    """What a gap hides: purchases that nobody claimed, or loads that nobody paid for."""

    DEBIT = "debit"
    LOAD = "load"


class WayOut(Enum):
    """Whose account a written-off amount goes to, or comes from."""

    UNCLAIMED = ("unclaimed", AccountCode.UNCLAIMED)
    RISK = ("risk", AccountCode.RISK)
    OPERATOR = ("operator", AccountCode.OPERATOR_PAYABLE)
    AGENT = ("agent", AccountCode.LOAD_RECEIVABLE)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOffRule:
    """``days`` after the gap showed, gaps of at most ``up_to_fen`` go ``way``; ``owner`` empty is who is natural."""

    missing: Missing
    days: int
    up_to_fen: int
    way: WayOut
    reason: str
    owner: str = ""

    def __post_init__(self) -> None:
        if self.days < 0 or self.up_to_fen < 0:
            raise Usage("days and amounts are not negative", where="write_off", fix="0 or more")
        if not self.reason:
            raise Usage("no reason", where="write_off", fix="say why it goes there")
        if self.way in (WayOut.OPERATOR, WayOut.AGENT) and not self.owner:
            raise Usage(f"nobody is named for {self.way.value[0]}", where="write_off.owner", fix="its code")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Missing counters of one card: ``off`` and ``on`` as (first, how many); ``drop`` fen left the balance unseen."""

    card: bytes
    issuer: str
    off: tuple[int, int]
    on: tuple[int, int]
    drop: int
    after: str  # the last record before it, local time; empty when that is the opening
    shown_on: dt.date
    shown_at: str
    held: int = 0  # records of it that the centre has and nobody was paid for
    suspended: bool = False  # and they explain it
    filled: bool = False  # a record that was paid under another counter explains it

    @property
    def subject(self) -> str:
        """With the card, what makes it this gap."""
        parts = (("off", self.off), ("on", self.on))
        return " ".join(f"{kind}{first}+{count}" for kind, (first, count) in parts if count) or "last load"

    @property
    def missing(self) -> Missing:
        return Missing.DEBIT if self.drop >= 0 else Missing.LOAD

    def as_dict(self) -> dict[str, str | int | bool]:
        """Plain data; the card's number is hidden but for its end."""
        return {
            "card": masked(self.card), "offline_from": self.off[0], "offline_missing": self.off[1],
            "online_from": self.on[0], "online_missing": self.on[1], "amount_fen": self.drop,
            "after": self.after, "before": self.shown_at, "since": self.shown_on.isoformat(),
            "held_records": self.held, "in_suspense": self.suspended, "filled": self.filled,
        }  # fmt: skip


class RefundKind(Enum):
    """Why money goes back: (word, Chinese)."""

    LOST = ("lost", "挂失")
    DEAD = ("dead", "坏卡")
    RETURNED = ("returned", "退卡")


class DepositFate(Enum):
    """What becomes of the card's deposit."""

    BACK = "back"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundRule:
    """``days`` to wait for late records; ``named_only``: an anonymous card has no holder who could ask."""

    days: int
    named_only: bool
    deposit: DepositFate


DEFAULT_REFUNDS: Mapping[RefundKind, RefundRule] = MappingProxyType(
    {
        RefundKind.LOST: RefundRule(days=7, named_only=True, deposit=DepositFate.KEPT),
        RefundKind.DEAD: RefundRule(days=7, named_only=False, deposit=DepositFate.BACK),
        RefundKind.RETURNED: RefundRule(days=0, named_only=False, deposit=DepositFate.BACK),
    }
)
_WRITE_OFFS = (
    WriteOffRule(missing=Missing.DEBIT, days=90, up_to_fen=10_000, way=WayOut.UNCLAIMED,
                 reason="no terminal sent it, and it may be claimed still"),
    WriteOffRule(missing=Missing.LOAD, days=90, up_to_fen=10_000, way=WayOut.RISK,
                 reason="the card was credited and nobody paid for it"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class FloatRules:
    """All of them. ``named_classes`` are holder classes that are given to persons known by name."""

    ask_after_days: int = 1
    write_off: tuple[WriteOffRule, ...] = _WRITE_OFFS
    refunds: Mapping[RefundKind, RefundRule] = field(default_factory=lambda: DEFAULT_REFUNDS)
    deposit_fen: int = 0
    named_classes: tuple[int, ...] = (2, 3)
    named_limit_fen: int = NAMED_FEN
    anonymous_limit_fen: int = ANONYMOUS_FEN
    dormant_months: int = 36
    scheme: str = ""
    custody: CustodyRules = field(default_factory=CustodyRules)

    def __post_init__(self) -> None:
        if min(self.ask_after_days, self.deposit_fen, self.dormant_months) < 0:
            raise Usage("days, months and deposits are not negative", where="float", fix="0 or more")

    def limit_fen(self, holder: int) -> int:
        """How much a card of that class may hold."""
        return self.named_limit_fen if holder in self.named_classes else self.anonymous_limit_fen

    def for_gap(self, gap: Gap, on: dt.date) -> WriteOffRule | None:
        """The first rule that writes the gap off by that day; None when none does, or it is in suspense."""
        if gap.suspended or gap.filled:
            return None
        age = (on - gap.shown_on).days
        return next(
            (
                rule
                for rule in self.write_off
                if rule.missing is gap.missing and age >= rule.days and abs(gap.drop) <= rule.up_to_fen
            ),
            None,
        )


def write_off(gap: Gap, rule: WriteOffRule, rules: FloatRules, *, on: dt.date, actor: str) -> Deed:
    """The deed that writes a gap off by a rule."""
    owner = rule.owner or (rules.scheme if rule.way is WayOut.RISK else gap.issuer)
    other, purse = named(rule.way.value[1], owner), named(AccountCode.PURSE_LIABILITY, gap.issuer)
    debits = gap.missing is Missing.DEBIT
    return Deed(
        kind=DeedKind.WRITE_OFF, subject=gap.subject, card=gap.card, on=on, amount=abs(gap.drop),
        debit=purse if debits else other, credit=other if debits else purse, gaps=-gap.drop,
        reason=rule.reason, actor=actor,
    )  # fmt: skip


def write_backs(deeds: Sequence[Deed], open_gaps: Sequence[Gap], *, on: dt.date) -> list[Deed]:
    """Deeds that undo write-offs whose gap is not what it was: a record of it came after all."""
    still = {(gap.card, gap.subject) for gap in open_gaps}
    undone = {(deed.card, deed.subject) for deed in deeds if deed.kind is DeedKind.WRITE_BACK}
    return [
        Deed(
            kind=DeedKind.WRITE_BACK, subject=deed.subject, card=deed.card, on=on, amount=deed.amount,
            debit=deed.credit, credit=deed.debit, gaps=-deed.gaps, reason="a record of it came", actor="rule",
        )
        for deed in deeds
        if deed.kind is DeedKind.WRITE_OFF
        and (deed.card, deed.subject) not in still
        and (deed.card, deed.subject) not in undone
    ]  # fmt: skip


def over_limit(card: bytes, holder: int, balance: int, rules: FloatRules) -> Finding | None:
    """What the clearing finds of a card that holds more than it may; None when it does not."""
    limit = rules.limit_fen(holder)
    if balance <= limit:
        return None
    kind = "named" if holder in rules.named_classes else "anonymous"
    return Finding(
        code="OVER_LIMIT", severity=Severity.WARNING, where=f"card {masked(card)}",
        what=f"{balance} fen on an {kind} card, {limit} at most" if kind == "anonymous"
        else f"{balance} fen on a named card, {limit} at most",
        fix="load no more onto it, and ask who loaded it",
    )  # fmt: skip


def masked(card: bytes) -> str:
    """A card's number as people may see it."""
    return f"******{card.hex()[-4:]}"


def sleeps_since(last_used: dt.date, months: int) -> dt.date:
    """The first day on which a card that was last used then sleeps."""
    month = last_used.month - 1 + months
    year, month = last_used.year + month // 12, month % 12 + 1
    for day in range(last_used.day, 27, -1):
        try:
            return dt.date(year, month, day)
        except ValueError:
            continue
    return dt.date(year, month, min(last_used.day, 28))
