"""The migration from stripe to chip: how cards were read, who bears a forged stripe, and which terminals fall back.

Liability goes to who lacks the chip (the shift of EMVCo's members, and of UnionPay's rules): a chip card's stripe at a
terminal without a chip reader is the acquirer's risk, a card without a chip the issuer's. A fallback, where both have
the chip, is borne by a party that the scheme names; here it is a setting. Cards that are not present are no part of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from types import MappingProxyType

from jinka.issuer.authorisation import CHIP_ENTRIES, STRIPE_ENTRIES, Entry, Flow, local_day
from jinka.issuer.books import Booking, State

_WATCHED_MAX = 100


class Bearer(Enum):
    """Who bears a counterfeit: (word, English, Chinese)."""

    ISSUER = ("issuer", "issuer", "发卡方")
    ACQUIRER = ("acquirer", "acquirer", "收单方")
    NOBODY = ("nobody", "not concerned", "不适用")


class Reading(Enum):
    """How card and terminal met: (word, English, Chinese)."""

    CHIP = ("chip", "chip read", "芯片读取")
    FALLBACK = ("fallback", "fallback: both have the chip, the stripe was read", "降级：双方均有芯片而读磁条")
    OLD_TERMINAL = ("old terminal", "chip card, terminal without a chip reader", "芯片卡，终端无芯片读卡器")
    OLD_CARD = ("old card", "card without a chip", "无芯片卡")
    REMOTE = ("remote", "card not read", "未读卡")


LIABILITY: Mapping[Reading, Bearer] = MappingProxyType(
    {
        Reading.CHIP: Bearer.ISSUER,
        Reading.OLD_TERMINAL: Bearer.ACQUIRER,
        Reading.OLD_CARD: Bearer.ISSUER,
        Reading.REMOTE: Bearer.NOBODY,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationLine:
    """Transactions of one reading: how many were asked, how many approved, for how much, and whose risk they are."""

    reading: Reading
    bearer: Bearer
    asked: int
    approved: int
    approved_fen: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackLine:
    """A merchant's fallbacks: of ``read`` cards with a chip at readers with one, so many by the stripe."""

    acquirer: str
    merchant: str
    read: int
    fallbacks: int

    @property
    def permille(self) -> int:
        return 1000 * self.fallbacks // self.read


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationReport:
    """``months``: share of chip readings in thousandths of all cards read, by month YYYYMM."""

    lines: tuple[MigrationLine, ...]
    watched: tuple[FallbackLine, ...]
    months: Mapping[int, int]
    cards: int
    chip_cards: int

    def table(self, language: str) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
        """Head and rows of the main table, in ``en`` or ``zh``."""
        at = 2 if language == "zh" else 1
        english = ("how the card was read", "liability", "asked", "approved", "fen approved")
        chinese = ("读卡方式", "伪卡责任", "请求笔数", "承兑笔数", "承兑金额（分）")
        rows: list[tuple[str, ...]] = [
            (
                line.reading.value[at],
                line.bearer.value[at],
                str(line.asked),
                str(line.approved),
                str(line.approved_fen),
            )
            for line in self.lines
        ]
        head: tuple[str, ...] = chinese if at == 2 else english
        return head, rows


@dataclass(slots=True)
class _Tally:
    asked: Counter[Reading] = field(default_factory=Counter)
    approved: Counter[Reading] = field(default_factory=Counter)
    fen: Counter[Reading] = field(default_factory=Counter)
    places: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    months: Counter[tuple[int, bool]] = field(default_factory=Counter)
    cards: dict[bytes, bool] = field(default_factory=dict)


def reading_of(booking: Booking) -> Reading:
    """How card and terminal met."""
    if booking.entry in CHIP_ENTRIES:
        return Reading.CHIP
    if booking.entry not in STRIPE_ENTRIES:
        return Reading.REMOTE
    if not booking.card_chip:
        return Reading.OLD_CARD
    both = booking.terminal_chip or booking.entry is Entry.FALLBACK
    return Reading.FALLBACK if both else Reading.OLD_TERMINAL


def who_bears(booking: Booking, *, fallback: Bearer = Bearer.ISSUER) -> Bearer:
    """Who bears the loss if this card was a counterfeit."""
    return LIABILITY.get(reading_of(booking), fallback)


def migration_report(bookings: Iterable[Booking], *, fallback: Bearer = Bearer.ISSUER) -> MigrationReport:
    """The report over what was asked; reversals, voids and completions are no readings."""
    tally = _Tally()
    for booking in bookings:
        if booking.kind.flow is Flow.NONE or booking.kind.needs_original or booking.state is State.USED:
            continue
        _count(tally, booking)
    lines = tuple(
        MigrationLine(
            reading=reading,
            bearer=LIABILITY.get(reading, fallback),
            asked=tally.asked[reading],
            approved=tally.approved[reading],
            approved_fen=tally.fen[reading],
        )
        for reading in Reading
    )
    return MigrationReport(
        lines=lines,
        watched=_watched(tally),
        months={
            month: 1000
            * tally.months[month, True]
            // (tally.months[month, True] + tally.months[month, False])
            for month in sorted({month for month, _ in tally.months})
        },
        cards=len(tally.cards),
        chip_cards=sum(tally.cards.values()),
    )


def _count(tally: _Tally, booking: Booking) -> None:
    reading = reading_of(booking)
    tally.asked[reading] += 1
    if booking.approved:
        tally.approved[reading] += 1
        tally.fen[reading] += booking.amount_fen
    if reading is Reading.REMOTE:
        return
    tally.cards[booking.card] = booking.card_chip
    tally.months[local_day(booking.at_micros) // 100, reading is Reading.CHIP] += 1
    if reading in (Reading.CHIP, Reading.FALLBACK):
        tally.places[booking.acquirer, booking.merchant, reading is Reading.FALLBACK] += 1


def _watched(tally: _Tally) -> tuple[FallbackLine, ...]:
    """The merchants with the greatest shares of fallbacks."""
    lines = [
        FallbackLine(
            acquirer=acquirer,
            merchant=merchant,
            read=tally.places[acquirer, merchant, True] + tally.places[acquirer, merchant, False],
            fallbacks=tally.places[acquirer, merchant, True],
        )
        for acquirer, merchant in sorted({place[:2] for place in tally.places if place[2]})
    ]
    return tuple(sorted(lines, key=lambda line: (-line.permille, -line.fallbacks))[:_WATCHED_MAX])
