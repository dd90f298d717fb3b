"""Business days. Goal: China's calendars are those of the notices, and nothing is guessed beyond them.

Vectors: the clauses of the State Council's notices, and the law's count of holidays (全国年节及纪念日放假办法: 11 days
up to 2024, 13 from 2025), to which made-up days change nothing. Compared once, day by day, with chinesecalendar 1.11.0.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.settlement import CHINA, EVERY_DAY, Calendar

D = dt.date
days = st.dates(D(2024, 1, 1), D(2026, 12, 20))


@pytest.mark.parametrize(("year", "holidays"), [(2018, 11), (2019, 11), (2024, 11), (2025, 13), (2026, 13)])
def test_a_year_loses_as_many_working_days_as_the_law_has_holidays(year: int, holidays: int) -> None:
    count = (D(year + 1, 1, 1) - D(year, 1, 1)).days
    all_days = [D(year, 1, 1) + dt.timedelta(days=n) for n in range(count)]
    weekdays = sum(1 for day in all_days if day.weekday() < 5)
    assert sum(1 for day in all_days if CHINA.is_business_day(day)) == weekdays - holidays


@pytest.mark.parametrize(
    ("first", "last"),
    [
        (D(2018, 2, 15), D(2018, 2, 21)), (D(2018, 10, 1), D(2018, 10, 7)), (D(2018, 12, 30), D(2018, 12, 31)),
        (D(2024, 2, 10), D(2024, 2, 17)), (D(2025, 1, 28), D(2025, 2, 4)), (D(2025, 10, 1), D(2025, 10, 8)),
        (D(2026, 2, 15), D(2026, 2, 23)), (D(2026, 9, 25), D(2026, 9, 27)),
    ],
)  # fmt: skip
def test_a_holiday_of_the_notice_is_free_from_its_first_day_to_its_last(first: D, last: D) -> None:
    for n in range((last - first).days + 1):
        assert not CHINA.is_business_day(first + dt.timedelta(days=n))
    assert CHINA.is_business_day(CHINA.roll(last))
    assert CHINA.roll(first) > last


def test_work_is_made_up_on_weekends() -> None:
    for day in (
        D(2018, 9, 29),
        D(2018, 9, 30),
        D(2018, 12, 29),
        D(2025, 1, 26),
        D(2026, 1, 4),
        D(2026, 10, 10),
    ):
        assert day.weekday() >= 5
        assert CHINA.is_business_day(day)


def test_t_plus_n_crosses_the_golden_week() -> None:
    assert CHINA.add(D(2026, 9, 30), 1) == D(2026, 10, 8)
    assert CHINA.add(D(2026, 10, 8), 2) == D(2026, 10, 10), "a Saturday on which work is made up"
    assert CHINA.add(D(2026, 10, 1), 0) == D(2026, 10, 8)
    assert CHINA.add(D(2026, 10, 1), 1) == D(2026, 10, 9), (
        "what happens on a holiday counts as of the next day"
    )
    assert EVERY_DAY.add(D(2026, 10, 1), 1) == D(2026, 10, 2)


def test_a_year_that_is_not_published_is_not_guessed() -> None:
    with pytest.raises(Usage, match="does not know 2027"):
        CHINA.is_business_day(D(2027, 1, 1))
    with pytest.raises(Usage, match="does not know 2027"):
        CHINA.add(D(2026, 12, 31), 1)
    own = CHINA.with_days(years=[2027], off=[D(2027, 1, 1)], work=[], source="own")
    assert own.add(D(2026, 12, 31), 1) == D(2027, 1, 4)
    closed = CHINA.with_days(years=[], off=[D(2026, 5, 6)], work=[], source="the bank's own holiday")
    assert closed.add(D(2026, 4, 30), 1) == D(2026, 5, 7)
    assert CHINA.add(D(2026, 4, 30), 1) == D(2026, 5, 6)


@given(days, st.integers(0, 8))
def test_counting_on_and_counting_back_agree(day: D, count: int) -> None:
    there = CHINA.add(day, count)
    assert CHINA.is_business_day(there)
    assert CHINA.between(CHINA.roll(day), there) == count
    assert CHINA.roll_back(there) == there
    if count:
        assert CHINA.add(CHINA.add(day, count - 1), 1) == there


@pytest.mark.parametrize(
    "wrong",
    [
        {"years": frozenset({2026}), "off": frozenset({D(2026, 10, 3)})},  # a Saturday
        {"years": frozenset({2026}), "work": frozenset({D(2026, 10, 8)})},  # a Thursday
        {"years": frozenset({2026}), "off": frozenset({D(2025, 10, 1)})},
        {"weekend": frozenset(range(7))},
        {"weekend": frozenset({7})},
    ],
)
def test_a_calendar_that_contradicts_itself_is_refused(wrong: dict[str, frozenset[object]]) -> None:
    with pytest.raises(Usage):
        Calendar(code="x", **wrong)  # type: ignore[arg-type]


def test_a_calendar_without_business_comes_to_an_end() -> None:
    off = frozenset(D(2026, 1, 1) + dt.timedelta(days=n) for n in range(365))
    never = Calendar(code="x", years=frozenset({2026}), off=frozenset(d for d in off if d.weekday() < 5))
    for walk in (never.roll, never.roll_back):
        with pytest.raises(Usage, match="no business in"):
            walk(D(2026, 6, 1))
    with pytest.raises(Usage, match="business days"):
        CHINA.add(D(2026, 1, 1), -1)
