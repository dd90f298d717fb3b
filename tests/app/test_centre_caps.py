"""Caps that a parent tells its child. Goal: the child sees limit and use of its last round, and only its parent's word.

Method: a round's summary as a window leaves it, over two desks; then words of others, lies and an older day.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from jinka.app.centre_caps import CAPS, CapsAbove, cap_above, caps_told
from jinka.app.centre_config import read_config
from jinka.app.centre_line import LineRoad
from jinka.app.centre_rules import CentreRules
from jinka.app.centre_serving import streams_beside
from jinka.codec.parcel import Kind
from jinka.node.parcel_desk import ParcelDesk
from jinka.settlement import read_business_day
from tests.app.line_rig import line, papers
from tests.app.test_centre_rules import CAPPED
from tests.journeys.city import jinka_here
from tests.parcels import CITY, DAY, PARENT, post

__all__ = ["line", "papers"]  # fixtures
NEXT = DAY + dt.timedelta(days=1)


def _told(folder: Path, owed: int, waits: int) -> list[tuple[str, pa.Table]]:
    """What the parent says after a round in which its child owes so much, and so much waits."""
    text = CAPPED.replace(CAPPED.split('participant = "')[1].split('"')[0], f"centre.{CITY}")
    config = read_config(folder / PARENT)
    config = dataclasses.replace(config, rules=CentreRules(day=read_business_day(text)))
    child, other = f"centre.{CITY}", "centre.x"
    window = {
        "positions": {child: -owed, other: owed},
        "waiting": [[child, other, waits, "cap"], [other, child, 7, "cap"]] if waits else [],
    }
    assert list(caps_told(config, {})) == [], "without windows nobody is capped"
    return list(caps_told(config, {"window": window}))


def _send(line: dict[str, ParcelDesk], folder: Path, date: dt.date, table: pa.Table) -> None:
    LineRoad(line[PARENT]).send(CITY, Kind.LISTS, date, {"caps": table})
    post(line[PARENT], line[CITY])
    LineRoad(line[CITY], streams_beside(folder / CITY, PARENT)).ready()


def test_a_child_sees_its_cap_and_how_much_of_it_the_last_round_took(
    tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    for date, owed, waits in ((DAY, 10, 0), (NEXT, 1_200, 345)):
        [(child, table)] = _told(tmp_path, owed, waits)
        assert child == CITY
        _send(line, tmp_path, date, table)
    held = cap_above(tmp_path / CITY)
    assert held is not None
    assert (held["date"], held["owed"], held["waiting"]) == (str(NEXT), 1_200, 345)
    assert held["limit"] > 0
    for lang, word in (("en", "owed 12.00 of"), ("zh", "已用 12.00")):
        said = jinka_here("centre", "status", tmp_path / CITY, "--lang", lang).stdout
        assert word in said
        assert "3.45" in said


@pytest.mark.parametrize("change", [{"limit": -1}, {"owed": -1}, {"waiting": -5}])
def test_a_cap_that_is_none_is_parked_and_changes_nothing(
    change: dict[str, Any], tmp_path: Path, line: dict[str, ParcelDesk]
) -> None:
    row = {"limit": 5, "owed": 1, "waiting": 0, "by_officer": False}
    _send(line, tmp_path, DAY, pa.Table.from_pylist([row | change], schema=CAPS))
    assert cap_above(tmp_path / CITY) is None
    _send(line, tmp_path, NEXT, pa.Table.from_pylist([row, row], schema=CAPS))
    assert cap_above(tmp_path / CITY) is None


def test_an_older_day_and_another_sender_do_not_count(tmp_path: Path, line: dict[str, ParcelDesk]) -> None:
    row = {"limit": 5, "owed": 1, "waiting": 0, "by_officer": False}
    _send(line, tmp_path, NEXT, pa.Table.from_pylist([row], schema=CAPS))
    _send(line, tmp_path, DAY, pa.Table.from_pylist([row | {"limit": 9}], schema=CAPS))
    held = cap_above(tmp_path / CITY)
    assert held is not None
    assert (held["date"], held["limit"]) == (str(NEXT), 5)
    LineRoad(line[CITY]).send(PARENT, Kind.LISTS, DAY, {"caps": pa.Table.from_pylist([row], schema=CAPS)})
    post(line[CITY], line[PARENT])
    LineRoad(line[PARENT], {Kind.LISTS: CapsAbove(folder=tmp_path / PARENT, parent="").heed}).ready()
    assert cap_above(tmp_path / PARENT) is None
