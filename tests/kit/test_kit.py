"""Money, ids, dates and errors: hand-worked cases and properties."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import (
    MAX_MINOR,
    JinkaError,
    Unit,
    Usage,
    apportion,
    bcd_date,
    bcd_time,
    check_minor,
    format_minor,
    local_datetime,
    make_id,
    parse_date,
    utc_micros,
)


@given(
    total=st.integers(-(10**12), 10**12),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=8).filter(any),
)
def test_apportioning_loses_nothing_and_ignores_the_order(total, weights):
    ids = [f"p{i}" for i in range(len(weights))]
    parts = apportion(total, weights, ids)
    assert sum(parts) == total
    turned = apportion(total, weights[::-1], ids[::-1])
    assert turned[::-1] == parts
    exact = [total * weight / sum(weights) for weight in weights]
    assert all(abs(part - share) < 1.001 for part, share in zip(parts, exact, strict=True))


def test_ties_go_to_the_smaller_id():
    assert apportion(1, [1, 1], ["b", "a"]) == [0, 1]
    assert apportion(-1, [1, 1], ["b", "a"]) == [0, -1]


@pytest.mark.parametrize(
    ("weights", "ids"), [([], []), ([0], ["a"]), ([1, -1], ["a", "b"]), ([1], ["a", "b"])]
)
def test_weights_that_make_no_sense_are_refused(weights, ids):
    with pytest.raises(Usage):
        apportion(5, weights, ids)


@pytest.mark.parametrize("value", [-1, MAX_MINOR + 1, 1.0, True, "5"])
def test_amounts_are_whole_and_bounded(value):
    with pytest.raises(Usage, match="x: not an amount"):
        check_minor(value, where="x")
    assert check_minor(MAX_MINOR, where="x") == MAX_MINOR


def test_format_minor():
    assert format_minor(123456) == "1,234.56"
    assert format_minor(-5) == "-0.05"
    assert format_minor(1500, Unit.WATT_HOUR) == "1.500"
    assert format_minor(90, Unit.MINUTE) == "90"


def test_ids_depend_on_types_and_boundaries():
    ids = {
        make_id("n", "ab", "c"),
        make_id("n", "a", "bc"),
        make_id("n", b"ab", "c"),
        make_id("m", "ab", "c"),
    }
    assert len(ids) == 4
    assert len(make_id("n", 1)) == 16
    assert make_id("n", 1) != make_id("n", "1")


def test_dates():
    moment = dt.datetime(2018, 9, 1, 11, 17, 55)
    assert (bcd_date(moment), bcd_time(moment)) == (b"\x20\x18\x09\x01", b"\x11\x17\x55")
    assert local_datetime(bcd_date(moment), bcd_time(moment)) == moment
    assert utc_micros(moment, "Asia/Shanghai") == 1_535_771_875_000_000  # 03:17:55 UTC
    for bad in (b"\x20\x18\x13\x01", b"\xff\xff\xff\xff"):
        with pytest.raises(Usage):
            local_datetime(bad, b"\x00\x00\x00")
    with pytest.raises(Usage, match="--date"):
        parse_date("2018-9-31", where="--date")


def test_errors_say_where_and_what_to_do():
    assert str(JinkaError("is bad", where="f.csv:3", fix="mend it")) == "f.csv:3: is bad (mend it)"
