"""When standing queries run. Goal: exactly the times that match.

Method: an oracle that tries every second, and bad words.
"""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.trace.schedule import FIELDS, read_schedule


def micros(text: str) -> int:
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * 1_000_000


@pytest.mark.parametrize(
    ("fields", "now", "then"),
    [
        ({"hour": "1", "minute": "5"}, "2026-03-01T01:05:00", "2026-03-02T01:05:00"),
        ({"hour": "1", "minute": "5"}, "2026-03-01T01:04:59", "2026-03-01T01:05:00"),
        ({"second": "0/30"}, "2026-03-01T01:04:31", "2026-03-01T01:05:00"),
        ({"second": "1,[5-7]"}, "2026-03-01T01:04:05", "2026-03-01T01:04:06"),
        ({"minute": "0"}, "2026-12-31T23:00:00", "2027-01-01T00:00:00"),
        ({"dayOfMonth": "29", "month": "2"}, "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ({"dayOfWeek": "7"}, "2026-11-22T00:00:00", "2026-11-29T00:00:00"),
        ({"dayOfWeek": "1", "hour": "8"}, "2026-11-22T00:00:00", "2026-11-23T08:00:00"),
        ({"hour": "23", "second": "59"}, "2026-11-22T23:58:59", "2026-11-22T23:59:59"),
    ],
)
def test_the_next_time_that_matches(fields: dict[str, str], now: str, then: str) -> None:
    assert read_schedule(fields).after(micros(now)) == micros(then)


@given(
    st.dictionaries(st.sampled_from(["second", "minute", "hour"]), st.integers(0, 23).map(str), min_size=1),
    st.integers(0, 86_399),
)
@settings(max_examples=12, deadline=None)
def test_an_oracle_that_tries_every_second_agrees(fields: dict[str, str], second: int) -> None:
    base = dt.datetime(2026, 5, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=second)
    names = [name for name, _, _ in FIELDS][:3]
    finest = min(names.index(name) for name in fields)
    for ahead in range(1, 2 * 86_400):
        moment = base + dt.timedelta(seconds=ahead)
        parts = (moment.second, moment.minute, moment.hour)
        if all(
            parts[at] == int(fields[name]) if name in fields else at > finest or parts[at] == 0
            for at, name in enumerate(names)
        ):
            break
    assert (
        read_schedule(fields).after(int(base.timestamp()) * 1_000_000) == int(moment.timestamp()) * 1_000_000
    )


@pytest.mark.parametrize(
    "fields",
    [
        {}, {"year": "2026"}, {"hour": "24"}, {"hour": ""}, {"hour": "-1"}, {"hour": "[5-1]"}, {"hour": "1/0"},
        {"dayOfMonth": "0"}, {"dayOfWeek": "8"}, {"dayOfMonth": "31", "month": "2"}, {"second": "1," * 200},
        {"minute": "*"}, {"minute": "１"}, {"minute": "1;2"},
    ],
)  # fmt: skip
def test_what_is_no_schedule(fields: dict[str, str]) -> None:
    with pytest.raises(Usage):
        read_schedule(fields)
