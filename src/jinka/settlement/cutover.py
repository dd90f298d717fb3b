"""Cut-over: to which business date and cycle a moment belongs, and into which window a late record falls.

Cycles cut time without gap or overlap, so a moment is in one cycle. A record that comes in before its own cycle is
closed (its end, and the grace for late files) belongs there; one that comes later belongs to the cycle of its arrival
and is late; one that is older than the window of acceptance is put before an officer and is in no cycle. All of it
follows from two moments alone, and is decided once, at intake.

A cut-over is a wall clock's time counted from the midnight with which the business date begins: "24:00" is the next
midnight, "26:00" two in the morning, where the night buses still belong to yesterday. Reads no clock.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

from jinka.kit import Finding, Severity, Usage, utc_micros
from jinka.settlement.calendar import EVERY_DAY, Calendar
from jinka.settlement.posting import BusinessDay

_DAY_MINUTES = 24 * 60
_LATEST = 30 * 60  # six in the morning of the next day
_APART = 60  # so that no change to or from summer time turns two cut-overs around
_MINUTE = 60_000_000
_CLOCK = re.compile(r"([0-9]{1,2}):([0-5][0-9])")
_DAY = dt.timedelta(days=1)


def minutes_of(text: str, *, where: str) -> int:
    """``26:30`` as minutes from midnight; raises `Usage`."""
    found = _CLOCK.fullmatch(text)
    minutes = int(found[1]) * 60 + int(found[2]) if found else 0
    if not 0 < minutes <= _LATEST:
        raise Usage(f"no time of day: {text!r}", where=where, fix="00:01 to 30:00")
    return minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A cycle of a business date: from inclusive, to exclusive, microseconds UTC; ``closes`` after the grace."""

    day: BusinessDay
    begins: int
    ends: int
    closes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where a record goes: a cycle, or none (``slot`` is None: an officer decides), and what there is to say."""

    slot: Slot | None
    late: bool
    finding: Finding | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """The cycles of a chain of windows.

    ``cut_overs`` are minutes from midnight, rising. ``settle_days`` is N of T+N, in business days of ``calendar``.
    ``grace_minutes`` is how long after its end a cycle waits for late files, ``late_days`` how old a late record may
    be. With ``business_days_only`` a holiday's records belong to the first cycle of the next business day. Cycles are
    numbered from ``first_cycle``: two chains of a centre number apart.
    """

    code: str
    zone: str
    cut_overs: tuple[int, ...] = (_DAY_MINUTES,)
    calendar: Calendar = EVERY_DAY
    settle_days: int = 1
    grace_minutes: int = 0
    late_days: int = 30
    business_days_only: bool = False
    first_cycle: int = 1
    title_en: str = ""
    title_zh: str = ""

    def __post_init__(self) -> None:
        where = f"schedule.{self.code}"
        cuts = self.cut_overs
        if not cuts or not all(0 < cut <= _LATEST for cut in cuts):
            raise Usage("cut-overs are 00:01 to 30:00", where=f"{where}.cut_over")
        if any(b - a < _APART for a, b in itertools.pairwise(cuts)):
            raise Usage("cut-overs do not rise by an hour at least", where=f"{where}.cut_over")
        if cuts[-1] - cuts[0] > _DAY_MINUTES - _APART:
            raise Usage("cut-overs span more than a day less an hour", where=f"{where}.cut_over")
        if not 0 <= self.grace_minutes < 7 * _DAY_MINUTES or not 0 <= self.late_days <= 400:
            raise Usage("grace of a week at most, lateness of 400 days at most", where=where)
        if not 0 <= self.settle_days <= 30 or not 1 <= self.first_cycle <= 9_000:
            raise Usage("T+0 to T+30, cycles from 1 to 9000", where=where)
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError):
            raise Usage(f"no time zone {self.zone!r}", where=f"{where}.zone", fix="Asia/Shanghai") from None

    def at(self, moment: int) -> Slot:
        """The cycle that a moment (microseconds UTC) belongs to."""
        local = dt.datetime.fromtimestamp(moment // 1_000_000, ZoneInfo(self.zone)).date()
        cycles = list(self._natural(local - 3 * _DAY, local + 2 * _DAY))
        ends = [end for _, _, end in cycles]
        date, cycle, _ = cycles[bisect_right(ends, moment)]
        if self.business_days_only and not self.calendar.is_business_day(date):
            date, cycle = self.calendar.roll(date), 0
        return self.slot(date, cycle)

    def slot(self, date: dt.date, cycle: int = 0) -> Slot:
        """The cycle ``cycle`` (from 0) of a business date; raises `Usage` when it has none."""
        where = f"schedule.{self.code}"
        if not 0 <= cycle < len(self.cut_overs):
            raise Usage(f"no cycle {cycle}", where=where, fix=f"0 to {len(self.cut_overs) - 1}")
        if self.business_days_only and not self.calendar.is_business_day(date):
            raise Usage(f"{date} is no business day", where=where, fix="ask for the next one")
        ends = self._cut(date, self.cut_overs[cycle])
        if cycle:
            begins = self._cut(date, self.cut_overs[cycle - 1])
        else:
            before = date - _DAY
            before = self.calendar.roll_back(before) if self.business_days_only else before
            begins = self._cut(before, self.cut_overs[-1])
        return Slot(
            day=BusinessDay(date=date, zone=self.zone, cycle=self.first_cycle + cycle),
            begins=begins,
            ends=ends,
            closes=ends + self.grace_minutes * _MINUTE,
        )

    def after(self, slot: Slot) -> Slot:
        """The cycle that begins where ``slot`` ends."""
        return self.at(slot.ends)

    def settles_on(self, slot: Slot) -> dt.date:
        """T+N: the business day on which money moves."""
        return self.calendar.add(slot.day.date, self.settle_days)

    def accepts(self, slot: Slot) -> tuple[dt.datetime, dt.datetime]:
        """Local times of taps that a cycle takes, from inclusive, to exclusive: what `ClearingParams` asks for."""
        zone = ZoneInfo(self.zone)
        begins, ends = (
            dt.datetime.fromtimestamp(micros // 1_000_000, zone).replace(tzinfo=None)
            for micros in (slot.begins, slot.ends)
        )
        return begins - self.late_days * _DAY, ends

    def place(self, tapped: dt.datetime, arrived: int, *, where: str = "record") -> Placed:
        """Where a tap of a local time goes that comes in at ``arrived`` (microseconds UTC)."""
        tap = utc_micros(tapped, self.zone)
        now = self.at(arrived)
        if tap >= now.ends:
            return Placed(slot=now, late=False, finding=_remark("TAP_IN_THE_FUTURE", where, f"{tapped}"))
        own = self.at(tap)
        if arrived < own.closes:
            return Placed(slot=own, late=False)
        age = (now.day.date - own.day.date).days
        if age > self.late_days:
            found = _remark("TAP_TOO_OLD", where, f"{tapped}: {age} days, {self.late_days} are accepted")
            return Placed(slot=None, late=True, finding=replace(found, severity=Severity.ERROR))
        return Placed(slot=now, late=True, finding=_remark("TAP_LATE", where, f"{tapped}: {age} days"))

    def _cut(self, date: dt.date, minutes: int) -> int:
        midnight = dt.datetime.combine(date, dt.time())
        return utc_micros(midnight + dt.timedelta(minutes=minutes), self.zone)

    def _natural(self, first: dt.date, last: dt.date) -> Iterator[tuple[dt.date, int, int]]:
        """The cycles of all calendar days, in order: date, number from 0, end."""
        date = first
        while date <= last:
            for cycle, minutes in enumerate(self.cut_overs):
                yield date, cycle, self._cut(date, minutes)
            date += _DAY


_FIXES = {
    "TAP_IN_THE_FUTURE": "set the terminal's clock; the tap counts as of its arrival",
    "TAP_TOO_OLD": "an officer decides: the window of acceptance is over",
    "TAP_LATE": "nothing: it is settled with the cycle of its arrival",
}


def _remark(code: str, where: str, what: str) -> Finding:
    severity = Severity.INFO if code == "TAP_LATE" else Severity.WARNING
    return Finding(code=code, severity=severity, where=where, what=what, fix=_FIXES[code])
