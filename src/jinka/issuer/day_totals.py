"""A business date's totals compared: what an acquirer or a switch claims in 0500 against the host's own books.

ISO 8583:1987, 4.1 (0500, 0510) and fields 15 (settlement date), 66 (settlement code: 1 in balance, 2 out of balance),
74, 76, 86 and 88. Debits are the cardholders'. A reversed transaction counts nowhere, a voided one beside its void, and
of a partial reversal what stays. Where field 32 names an acquirer of the host its sums are compared, else those of all,
as a switch adds them up. The comparison is in the books before it is answered; money does not move by it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

from jinka.codec.iso8583 import Message, Value
from jinka.issuer.authorisation import Flow, Kind, day_number
from jinka.issuer.books import Booking, State
from jinka.kit import Usage, make_id

COUNTED = frozenset({State.APPROVED, State.VOIDED})
_EPOCH = dt.date(1970, 1, 1)
_EQUAL, _DIFFER = "1", "2"
_APPROVED, _TOTALS_DIFFER, _BAD_FORMAT = "00", "95", "30"
# Fields of counts and amounts, with their sizes.
_FIELDS = ((74, 10, "credits"), (76, 10, "debits"), (86, 16, "credit_fen"), (88, 16, "debit_fen"))


@dataclass(frozen=True, slots=True, kw_only=True)
class DaySums:
    """Of a business date, amounts in minor units."""

    debit_fen: int = 0
    debits: int = 0
    credit_fen: int = 0
    credits: int = 0

    def plus(self, flow: Flow, count: int, amount_fen: int) -> DaySums:
        """With so many more; what is neither debit nor credit counts nowhere."""
        if flow is Flow.DEBIT:
            return replace(self, debits=self.debits + count, debit_fen=self.debit_fen + amount_fen)
        if flow is Flow.CREDIT:
            return replace(self, credits=self.credits + count, credit_fen=self.credit_fen + amount_fen)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """``acquirer`` is empty where all were added up, ``asker`` field 32 of who asked."""

    id: bytes
    at_micros: int
    business_date: str  # YYYY-MM-DD
    asker: str
    acquirer: str
    claimed: DaySums
    ours: DaySums

    @property
    def state(self) -> str:
        """``equal`` or ``differ``."""
        return "equal" if self.claimed == self.ours else "differ"


class DayBooks(Protocol):
    """Where the sums come from, and where comparisons are kept."""

    def sums(self, business_date: str, acquirer: str) -> DaySums:
        """Of one acquirer, or of all where none is named."""
        ...

    def keep(self, comparison: Comparison) -> None:
        """Durable when it returns; the same once more is kept once."""
        ...

    def comparisons(self) -> Sequence[Comparison]:
        """In the order in which they were made."""
        ...


class MemoryDays:
    """The reference: over all bookings."""

    def __init__(self, bookings: Iterable[Booking]) -> None:
        self._bookings = bookings
        self._kept: dict[bytes, Comparison] = {}

    def sums(self, business_date: str, acquirer: str) -> DaySums:
        rows = {row.id: row for row in self._bookings}
        found = DaySums()
        for row in rows.values():
            good = row.state in COUNTED and row.reason.code == "00" and acquirer in ("", row.acquirer)
            original = rows.get(row.original)
            if good and row.kind is Kind.PARTIAL and original is not None:
                if original.settled == business_date:
                    found = found.plus(original.kind.flow, 0, row.amount_fen - original.amount_fen)
            elif good and row.settled == business_date:
                flow = side_of(row.kind, original.kind if original is not None else None)
                found = found.plus(flow, 1, row.amount_fen)
        return found

    def keep(self, comparison: Comparison) -> None:
        self._kept.setdefault(comparison.id, comparison)

    def comparisons(self) -> Sequence[Comparison]:
        return list(self._kept.values())


class DayTotals:
    """Answers 0500. ``acquirers`` are those that the host settles with."""

    def __init__(self, books: DayBooks, acquirers: Iterable[str]) -> None:
        self._books, self._acquirers = books, frozenset(acquirers)

    def answer(self, message: Message, at_micros: int) -> dict[int, Value]:
        """What the 0510 says: whether the sums agree, and ours."""
        claimed = _claimed(message)
        date = settlement_date(message.text(15), at_micros)
        if claimed is None or not date:
            return {39: _BAD_FORMAT}
        asker = message.text(32)
        acquirer = asker if asker in self._acquirers else ""
        ours = self._books.sums(date, acquirer)
        facts = (asker, message.text(33), message.text(7), message.text(11), date, repr(claimed), repr(ours))
        made = Comparison(
            id=make_id("jinka.issuer.day", *facts), at_micros=at_micros, business_date=date, asker=asker,
            acquirer=acquirer, claimed=claimed, ours=ours,
        )  # fmt: skip
        self._books.keep(made)
        equal = made.state == "equal"
        return {
            39: _APPROVED if equal else _TOTALS_DIFFER, 66: _EQUAL if equal else _DIFFER,
            **{number: f"{getattr(ours, name):0{size}d}" for number, size, name in _FIELDS},
        }  # fmt: skip


def side_of(kind: Kind, original: Kind | None) -> Flow:
    """Debit, credit or neither; a void gives back what its original took."""
    if kind is Kind.VOID:
        return Flow.CREDIT if original is not None and original.flow is Flow.DEBIT else Flow.NONE
    return kind.flow


def settled_on(message: Message, at_micros: int) -> str:
    """The business date that a message counts to; `Usage` where field 15 is no date."""
    date = settlement_date(message.text(15), at_micros)
    if not date:
        raise Usage("not a date", where="field 15", fix="MMDD")
    return date


def settlement_date(mmdd: str, at_micros: int) -> str:
    """Field 15 as YYYY-MM-DD in the year that brings it nearest; the day in China where it is absent.

    Empty for what is no date.
    """
    return _nearest(mmdd, day_number(at_micros))


@lru_cache(maxsize=64)
def _nearest(mmdd: str, today: int) -> str:
    now = _EPOCH + dt.timedelta(days=today)
    if not mmdd:
        return now.isoformat()
    dates = []
    for year in (now.year - 1, now.year, now.year + 1):
        with suppress(ValueError):
            if len(mmdd) == 4 and mmdd.isascii() and mmdd.isdigit():
                dates.append(dt.date(year, int(mmdd[:2]), int(mmdd[2:])))
    return min(dates, key=lambda date: abs(date - now)).isoformat() if dates else ""


def _claimed(message: Message) -> DaySums | None:
    texts: Mapping[str, str] = {name: message.text(number) for number, _, name in _FIELDS}
    if not all(text.isascii() and text.isdigit() for text in texts.values()):
        return None
    return DaySums(**{name: int(text) for name, text in texts.items()})
