"""Business days: weekends, public holidays, and the weekend days on which work is made up for them (调休).

A calendar knows the years that it was published for and refuses all others: a holiday that nobody has announced yet
cannot be guessed. `CHINA` is the State Council's yearly notice, on which banks and the payment systems of the central
bank work; an operator's own calendar comes from its file (`business_day_file`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from jinka.kit import Usage

SATURDAY, SUNDAY = 5, 6
_RUN_MAX = 60  # days in a row without business: more is a calendar that is wrong
_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """``off`` are weekdays without business, ``work`` days of the weekend with it, in the ``years`` that are known.

    ``years`` empty: all years. ``sources`` say where the days were published.
    """

    code: str
    years: frozenset[int] = frozenset()
    off: frozenset[dt.date] = frozenset()
    work: frozenset[dt.date] = frozenset()
    weekend: frozenset[int] = frozenset({SATURDAY, SUNDAY})
    sources: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, days, wanted in (("off", self.off, False), ("work", self.work, True)):
            for day in sorted(days):
                if self.years and day.year not in self.years:
                    raise Usage(f"{day} is in no year that it covers", where=f"calendar.{self.code}.{name}")
                if (day.weekday() in self.weekend) is not wanted:
                    kind = "is on the weekend anyway" if not wanted else "is no day of the weekend"
                    raise Usage(f"{day} {kind}", where=f"calendar.{self.code}.{name}", fix="leave it out")
        if not self.weekend <= frozenset(range(7)) or len(self.weekend) == 7:
            raise Usage("no day for business", where=f"calendar.{self.code}.weekend", fix="0 (Monday) to 6")

    def is_business_day(self, day: dt.date) -> bool:
        """Whether there is business on ``day``; raises `Usage` for a year that the calendar does not know."""
        if self.years and day.year not in self.years:
            raise Usage(
                f"does not know {day.year}",
                where=f"calendar.{self.code}",
                fix="add the days of that year once they are published; see docs/business-day.md",
            )
        return day in self.work or (day.weekday() not in self.weekend and day not in self.off)

    def roll(self, day: dt.date) -> dt.date:
        """The first business day on or after ``day``."""
        for _ in range(_RUN_MAX):
            if self.is_business_day(day):
                return day
            day += _DAY
        raise Usage(f"no business in {_RUN_MAX} days", where=f"calendar.{self.code}", fix="correct it")

    def roll_back(self, day: dt.date) -> dt.date:
        """The last business day on or before ``day``."""
        for _ in range(_RUN_MAX):
            if self.is_business_day(day):
                return day
            day -= _DAY
        raise Usage(f"no business in {_RUN_MAX} days", where=f"calendar.{self.code}", fix="correct it")

    def add(self, day: dt.date, count: int) -> dt.date:
        """T+N: the ``count``-th business day after ``day``; for 0 the day itself, or the next business day.

        What happens on a holiday counts as of the business day that follows.
        """
        if not 0 <= count <= 1_000:
            raise Usage(f"{count} business days", where=f"calendar.{self.code}", fix="0 to 1000")
        day = self.roll(day)
        for _ in range(count):
            day = self.roll(day + _DAY)
        return day

    def between(self, first: dt.date, last: dt.date) -> int:
        """How many business days lie after ``first`` up to and with ``last``; 0 when there are none."""
        days = (first + _DAY * n for n in range(1, (last - first).days + 1))
        return sum(1 for day in days if self.is_business_day(day))

    def with_days(
        self, *, years: Iterable[int], off: Iterable[dt.date], work: Iterable[dt.date], source: str
    ) -> Calendar:
        """The calendar with more years, or with an operator's own days in a year that is there."""
        return Calendar(
            code=self.code,
            years=self.years | frozenset(years),
            off=(self.off | frozenset(off)) - frozenset(work),
            work=(self.work | frozenset(work)) - frozenset(off),
            weekend=self.weekend,
            sources=(*self.sources, source),
        )


EVERY_DAY = Calendar(code="every-day", weekend=frozenset())


def _days(year: int, text: str) -> list[dt.date]:
    """``"01-01 02-15/02-21"``: days and stretches of a year."""
    days: list[dt.date] = []
    for part in text.split():
        first, _, last = part.partition("/")
        day = dt.date.fromisoformat(f"{year}-{first}")
        end = dt.date.fromisoformat(f"{year}-{last or first}")
        while day <= end:
            days.append(day)
            day += _DAY
    return days


def _china(notices: Mapping[int, tuple[str, str, str]]) -> Calendar:
    off: set[dt.date] = set()
    work: set[dt.date] = set()
    for year, (free, made_up, _) in notices.items():
        off |= {day for day in _days(year, free) if day.weekday() not in (SATURDAY, SUNDAY)}
        work |= set(_days(year, made_up))
    return Calendar(
        code="china",
        years=frozenset(notices),
        off=frozenset(off),
        work=frozenset(work),
        sources=tuple(source for _, _, source in notices.values()),
    )


# Year: what is free, as the notice words it (weekends included), the days on which work is made up, and the notice.
CHINA = _china(
    {
        2018: (
            "01-01 02-15/02-21 04-05/04-07 04-29/05-01 06-18 09-24 10-01/10-07 12-30/12-31",
            "02-11 02-24 04-08 04-28 09-29 09-30 12-29",
            "国办发明电〔2017〕12号; its last days: 国办发明电〔2018〕15号",
        ),
        2019: (
            "01-01 02-04/02-10 04-05 05-01/05-04 06-07 09-13 10-01/10-07",
            "02-02 02-03 04-28 05-05 09-29 10-12",
            "国办发明电〔2018〕15号; May: 国办发明电〔2019〕3号",
        ),
        2024: (
            "01-01 02-10/02-17 04-04/04-06 05-01/05-05 06-10 09-15/09-17 10-01/10-07",
            "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12",
            "国办发明电〔2023〕7号",
        ),
        2025: (
            "01-01 01-28/02-04 04-04/04-06 05-01/05-05 05-31/06-02 10-01/10-08",
            "01-26 02-08 04-27 09-28 10-11",
            "国办发明电〔2024〕12号",
        ),
        2026: (
            "01-01/01-03 02-15/02-23 04-04/04-06 05-01/05-05 06-19/06-21 09-25/09-27 10-01/10-07",
            "01-04 02-14 02-28 05-09 09-20 10-10",
            "国办发明电〔2025〕7号",
        ),
    }
)
