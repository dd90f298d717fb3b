"""Goal: the short road of the usual times says what the long one says, of good times and of bad ones.

Method: the calendar of the standard library, an independent oracle, reads the good ones; each road is asked for times
spoiled in a place or two, at the calendar's ends too.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta, timezone

import pytest

from jinka.codec.epcis import scalars
from jinka.codec.epcis.event_hash import _time
from jinka.kit import Refused

_GIVEN = (
    "2026-05-01T08:00:00.123+08:00", "0002-01-01T00:00:00Z", "9998-12-31T23:59:59-14:00", "2024-02-29T00:00:00Z",
    "2026-05-01T08:00:59Z", "2026-05-01T23:59:00.9-00:30", "0002-12-31T00:00:00.1+14:00",
    "9997-12-31T23:59:59.99-13:59", "0003-01-01T00:00:00+14:00", "2026-05-01T08:00:00.1\u0663Z",
)  # fmt: skip
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _said(text: str) -> int | str:
    try:
        return scalars.time_us(text)
    except Refused as fault:
        return str(fault)


def test_both_roads_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    chance, texts = random.Random(20), list(_GIVEN)
    for _ in range(4_000):
        spoiled = list(chance.choice(_GIVEN))
        for _ in range(chance.randrange(1, 4)):
            spoiled[chance.randrange(len(spoiled))] = chance.choice("0123456789+-Z.:T \n\u0663")
        texts.append("".join(spoiled)[: chance.choice((None, chance.randrange(30)))])
    short = [_said(text) for text in texts]
    monkeypatch.setattr(scalars, "_USUAL", -1)
    assert [_said(text) for text in texts] == short
    assert 200 < sum(isinstance(said, int) for said in short) < 3_600  # many of either


def test_a_usual_time_is_what_the_calendar_says() -> None:
    chance = random.Random(21)
    for _ in range(500):
        when = datetime(1999, 12, 31, tzinfo=UTC) + timedelta(milliseconds=chance.randrange(1 << 41))
        millis = (when - _EPOCH) // timedelta(milliseconds=1)
        shown = when.astimezone(timezone(timedelta(minutes=chance.randrange(-839, 840)))).isoformat(
            timespec="milliseconds"
        )
        assert scalars.time_us(shown) == millis * 1_000, shown
        utc = when.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        assert _time(millis * 1_000 - 500) == _time(millis * 1_000 + 499) == utc
        assert scalars.time_text(millis * 1_000) == utc
