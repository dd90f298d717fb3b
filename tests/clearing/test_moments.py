"""BCD dates and times as numbers: equal to what `datetime` makes of them, over all bytes that a terminal may write."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from jinka.clearing.verify import local_numbers


def by_datetime(raw: bytes) -> int:
    text = raw.hex()
    try:
        moment = dt.datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return 0
    return int(text) if moment.second < 60 else 0


def numbers(raws: list[bytes]) -> list[int]:
    table = np.frombuffer(b"".join(raws), np.uint8).reshape(-1, 7)
    return local_numbers(table[:, :4], table[:, 4:]).tolist()


def test_each_byte_of_each_place_is_read_as_the_calendar_has_it() -> None:
    right = bytes.fromhex("20240229123456")
    raws = [right[:at] + bytes([value]) + right[at + 1 :] for at in range(7) for value in range(256)]
    assert numbers(raws) == [by_datetime(raw) for raw in raws]


@pytest.mark.parametrize(
    "date", ["20240229", "20230229", "19000229", "20000229", "00000101", "20241301", "2024A101"]
)
def test_a_batch_of_one_day_is_read_as_each_of_its_records(date: str) -> None:
    raws = [
        bytes.fromhex(date + time)
        for time in ("000000", "235959", "240000", "126000", "123460", "0A0000", "FFFFFF")
    ]
    assert numbers(raws) == [by_datetime(raw) for raw in raws]


def test_no_records_have_no_moments() -> None:
    assert numbers([]) == []
