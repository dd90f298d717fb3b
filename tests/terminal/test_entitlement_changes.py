"""What a use writes back: what is left and no more, days counted in months, and nothing that was not established.

Goal: no fact that an earlier step did not establish gets onto a card. Method: `judge` on values as cards hold them,
with results reckoned by hand from the calendar.
"""

from __future__ import annotations

import pytest

from jinka.kit import Usage
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact
from jinka.profile.entitlement import Test as Asked
from jinka.terminal.entitlement import NotEntitled, judge


def _right(*changes: Change, conditions: tuple[Condition, ...] = ()) -> Entitlement:
    return Entitlement(
        name="x", title_en="x", title_zh="例", application="x", conditions=conditions, changes=changes
    )


@pytest.mark.parametrize(("left", "points", "then"), [("12", "6", "6"), ("1", "12", "0"), ("0", "3", "0")])
def test_the_rest_is_taken_down_to_zero(left: str, points: str, then: str) -> None:
    rest = _right(Change("left", take=Fact("points"), rest=True))
    assert judge(rest, {"left": left}, {"points": points}) == {"left": then}


def test_without_rest_more_than_is_left_is_refused() -> None:
    with pytest.raises(NotEntitled, match="NOT_ENOUGH"):
        judge(_right(Change("left", take=2)), {"left": "1"}, {})


@pytest.mark.parametrize(
    ("day", "months", "then"),
    [
        ("20260430", 24, "20280430"),
        ("20260131", 1, "20260228"),
        ("20280131", 1, "20280229"),
        ("20261231", 12, "20271231"),
        ("20261130", 1, "20261230"),
        ("20280229", 12, "20290228"),
    ],
)
def test_months_are_counted_from_the_record_s_own_day(day: str, months: int, then: str) -> None:
    assert judge(_right(Change("until", months=months)), {"until": day}, {}) == {"until": then}


def test_no_day_has_no_months_after_it() -> None:
    with pytest.raises(NotEntitled, match="NOT_WRITTEN"):
        judge(_right(Change("until", months=12)), {}, {})


@pytest.mark.parametrize("word", ["take", "put", "months"])
def test_what_was_not_established_is_not_written(word: str) -> None:
    change = Change("left", **{word: Fact("n", shown=True)})  # type: ignore[arg-type]
    with pytest.raises(NotEntitled, match="NOT_SHOWN"):
        judge(_right(change), {"left": "20260101"}, {"n": ""})
    assert judge(_right(change), {"left": "20260101"}, {"n": "0"})


@pytest.mark.parametrize(
    "test", [Asked.AT_LEAST, Asked.AT_MOST, Asked.BEFORE, Asked.NOT_AFTER, Asked.NOT_BEFORE]
)
def test_a_condition_on_what_was_not_established_does_not_hold(test: Asked) -> None:
    right = _right(conditions=(Condition("left", test, Fact("n", shown=True), "WHY"),))
    with pytest.raises(NotEntitled, match="WHY"):
        judge(right, {"left": "5"}, {"n": ""})


def test_a_day_is_not_before_itself() -> None:
    right = _right(conditions=(Condition("until", Asked.BEFORE, Fact("date"), "RUNS"),))
    assert judge(right, {"until": "20260414"}, {"date": "20260415"}) == {}
    with pytest.raises(NotEntitled, match="RUNS"):
        judge(right, {"until": "20260414"}, {"date": "20260414"})


def test_a_change_is_one_thing() -> None:
    for wrong in ({}, {"take": 1, "put": "1"}, {"put": "1", "months": 1}, {"put": "1", "rest": True}):
        with pytest.raises(Usage):
            Change("left", **wrong)  # type: ignore[arg-type]
