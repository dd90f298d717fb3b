"""Subscriptions and remote readings. Goal: no service without payment, no payment beyond a limit, no false reading.

Method: days in their order against the transition table; reports that were changed, repeated, turned back.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.issuer.remote_reading import ReadingBook, ReadingRefused, sign_reading
from jinka.issuer.subscriptions import (
    TRANSITIONS,
    Subscription,
    SubscriptionEvent,
    SubscriptionRefused,
    SubscriptionState,
    Terms,
)
from jinka.kit import NotFound, Usage

FIRST = dt.date(2026, 1, 31)
TERMS = Terms(
    price_fen=1_000,
    services=("tv",),
    months=1,
    due_days=10,
    grace_days=5,
    each_fen=300,
    day_fen=500,
    month_fen=600,
)


def day(number: int) -> dt.date:
    return FIRST + dt.timedelta(days=number)


def fresh() -> Subscription:
    return Subscription(name="li", terms=TERMS, begin=FIRST)


@pytest.mark.parametrize(
    ("begin", "after"),
    [("2026-01-31", "2026-02-28"), ("2028-01-30", "2028-02-29"),
     ("2026-12-15", "2027-01-15"), ("2026-11-30", "2026-12-30")],
)  # fmt: skip
def test_a_period_of_a_month_ends_in_the_next_month(begin: str, after: str) -> None:
    assert TERMS.after(dt.date.fromisoformat(begin)) == dt.date.fromisoformat(after)


def test_twelve_months_are_a_year_and_days_are_days() -> None:
    assert replace(TERMS, months=12).after(FIRST) == dt.date(2027, 1, 31)
    assert replace(TERMS, months=0, days=30).after(FIRST) == dt.date(2026, 3, 2)
    with pytest.raises(Usage):
        replace(TERMS, days=1)


def test_due_day_and_grace_are_open_and_the_day_after_is_not() -> None:
    one = fresh()
    one.bill(day(0))
    for number, state in ((10, "ACTIVE"), (11, "ARREARS"), (15, "ARREARS"), (16, "SUSPENDED")):
        assert one.at(day(number)).name == state
    with pytest.raises(SubscriptionRefused, match="NOT_OPEN"):
        one.serve(day(16), "tv")
    one.pay(day(16))
    one.serve(day(16), "tv")
    one.end(day(16))
    with pytest.raises(SubscriptionRefused, match="ENDED"):  # and not for arrears
        one.serve(day(16), "tv")


def test_the_next_period_is_billed_once_and_small_payments_once() -> None:
    one = fresh()
    assert one.bill(day(0)).amount_fen == 1_000
    one.charge(day(1), 300)
    one.charge(day(1), 200)
    one.pay(day(2))
    with pytest.raises(SubscriptionRefused, match="NOT_YET"):
        one.bill(day(27))
    assert [one.bill(day(28)).amount_fen, one.bill(day(59)).amount_fen] == [1_500, 1_000]
    assert [bill.until.isoformat() for bill in one.bills] == ["2026-02-28", "2026-03-31", "2026-04-30"]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400)), max_size=30))
def test_small_payments_never_pass_a_limit(asked: list[tuple[int, int]]) -> None:
    one, start = fresh(), dt.date(2026, 2, 1)
    for later, amount in sorted(asked):
        try:
            one.charge(start + dt.timedelta(days=later), amount)
        except SubscriptionRefused:
            continue
    assert all(amount <= 300 for _, amount in one.charges)
    assert sum(amount for _, amount in one.charges) <= 600
    for later in range(4):
        assert sum(amount for d, amount in one.charges if d == start + dt.timedelta(days=later)) <= 500


def test_what_has_ended_stays_ended() -> None:
    one = fresh()
    one.bill(day(0))
    one.end(day(1))
    one.pay(day(20))
    assert one.at(day(20)) is SubscriptionState.ENDED
    with pytest.raises(SubscriptionRefused, match="ENDED"):
        one.bill(day(40))
    assert not [event for event in SubscriptionEvent if (SubscriptionState.ENDED, event) in TRANSITIONS]


NOON = dt.datetime(2026, 3, 1, 12)
KEY = bytes(range(16))


def book() -> ReadingBook:
    made = ReadingBook()
    made.enrol(7, KEY, most_a_day=1_440, at=NOON, reading=100)
    return made


def test_a_changed_report_is_forged_and_a_refused_one_changes_nothing() -> None:
    books, later = book(), NOON + dt.timedelta(hours=1)
    good = sign_reading(KEY, 7, later, 150)
    spoilt = [replace(good, reading=151), replace(good, minute=good.minute + 1), replace(good, mac=bytes(8))]
    for report in spoilt:
        with pytest.raises(ReadingRefused, match="FORGED"):
            books.take(report)
    for at, reading, reason in ((NOON, 150, "REPEATED"), (later, 99, "BACKWARDS"), (later, 161, "TOO_MUCH")):
        with pytest.raises(ReadingRefused, match=reason):
            books.take(sign_reading(KEY, 7, at, reading))
    with pytest.raises(NotFound):
        books.take(sign_reading(KEY, 8, later, 150))
    assert books.take(good) == 50
    with pytest.raises(ReadingRefused, match="REPEATED"):
        books.take(good)
