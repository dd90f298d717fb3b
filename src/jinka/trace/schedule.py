"""When a standing query runs: times that match a schedule, and the words in which a client gives one.

GS1 EPCIS 2.0, 8.2.5.3 (QuerySchedule) and the REST binding (GS1-Query-Second to GS1-Query-DayOfWeek). A field is a
list of numbers and ranges (``1,5,[10-12]``), or a start with a step (``0/30``), which GS1's own examples use. A time
matches when every field does. A field that is not given matches everything, except that below the finest field given
the first value is meant: an hour and a minute alone mean second 0, once. Times are UTC.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jinka.kit import Usage

TEXT_MAX = 200
_MICROS = 1_000_000
_ELEMENT = re.compile(r"(?:(\d{1,2})(?:/(\d{1,2}))?|\[(\d{1,2})-(\d{1,2})\])", re.ASCII)
# The finest first: (word, least, most)
FIELDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("dayOfMonth", 1, 31),
    ("month", 1, 12),
    ("dayOfWeek", 1, 7),
)
_DAYS_MAX = 366 * 41  # a 29 February on each day of the week comes within that (leap years skip a century's)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """``given`` is what the client said; the sets are what matches."""

    given: Mapping[str, str]
    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, micros: int) -> int:
        """The first time that matches and is later, in microseconds since 1970."""
        start = dt.datetime.fromtimestamp(micros // _MICROS + 1, dt.UTC)
        day, time = start.date(), start.time()
        for _ in range(_DAYS_MAX):
            if day.month in self.months and day.day in self.days and day.isoweekday() in self.weekdays:
                found = next(self._times(time), None)
                if found is not None:
                    moment = dt.datetime.combine(day, found, dt.UTC)
                    return int(moment.timestamp()) * _MICROS
            day, time = day + dt.timedelta(days=1), dt.time.min
        raise Usage("no time matches", where="schedule", fix="a day that there is")

    def _times(self, least: dt.time) -> Iterator[dt.time]:
        for hour in self.hours:
            if hour < least.hour:
                continue
            for minute in self.minutes:
                if (hour, minute) < (least.hour, least.minute):
                    continue
                for second in self.seconds:
                    if (found := dt.time(hour, minute, second)) >= least:
                        yield found


def read_schedule(given: Mapping[str, str]) -> Schedule:
    """Read the fields that a client gave; raises `Usage` for what is no schedule, or is one of no time."""
    names = [name for name, _, _ in FIELDS]
    for name in given:
        if name not in names:
            raise Usage(f"{name[:40]!r} is no field", where="schedule", fix=f"one of {', '.join(names)}")
    if not given:
        raise Usage("no field", where="schedule", fix='{"hour": "1", "minute": "5"}')
    values: dict[str, tuple[int, ...]] = {}
    finest = min(names.index(name) for name in given)
    if finest == names.index("dayOfWeek"):
        finest = names.index("dayOfMonth")  # a weekday is a day
    for at, (name, least, most) in enumerate(FIELDS):
        if name in given:
            values[name] = _values(given[name], least, most, f"schedule.{name}")
        else:
            values[name] = (least,) if at < finest else tuple(range(least, most + 1))
    made = Schedule(
        given=dict(given),
        seconds=values["second"],
        minutes=values["minute"],
        hours=values["hour"],
        days=frozenset(values["dayOfMonth"]),
        months=frozenset(values["month"]),
        weekdays=frozenset(values["dayOfWeek"]),
    )
    made.after(0)  # that there is one at all
    return made


def _values(text: str, least: int, most: int, where: str) -> tuple[int, ...]:
    found: set[int] = set()
    if len(text) > TEXT_MAX:
        raise Usage("too long", where=where, fix=f"at most {TEXT_MAX} characters")
    for part in text.split(","):
        match = _ELEMENT.fullmatch(part.strip())
        if match is None:
            raise Usage(f"{part[:20]!r}", where=where, fix="numbers, ranges [1-5], or a step 0/30")
        first, step, low, high = (None if group is None else int(group) for group in match.groups())
        if low is not None and high is not None:
            chosen = range(low, high + 1)
        elif step is not None and first is not None:
            chosen = range(first, most + 1, step) if step else range(0)
        else:
            chosen = range(first or 0, (first or 0) + 1)
        if not chosen or chosen[0] < least or chosen[-1] > most:
            raise Usage(f"{part[:20]!r}", where=where, fix=f"from {least} to {most}")
        found.update(chosen)
    return tuple(sorted(found))
