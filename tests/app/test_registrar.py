"""The register of a simulated day. Goal: no card of a day bears a number that was not granted, and the same day gives
the same log. Method: numbers at both ends of the range and behind them.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from jinka.app.registrar import AUDIT, DAY_RANGE, Registrar, admit_day, read_register
from jinka.codec import digits_to_bcd
from jinka.keys import check_log
from jinka.kit import Refused
from jinka.node import read_audit_lines
from jinka.registry import Act, State
from jinka.sim.plan import card_number

DATE = dt.date(2018, 9, 1)


def test_the_numbers_of_a_city_are_granted_once(tmp_path: Path) -> None:
    cards = [card_number("1"), card_number("9" * 12), card_number("5")]
    admit_day(tmp_path / "a", DATE, cards)
    admit_day(tmp_path / "a", DATE, cards)
    admit_day(tmp_path / "b", DATE, [])
    assert (tmp_path / "a" / AUDIT).read_bytes() == (tmp_path / "b" / AUDIT).read_bytes()
    report = check_log(read_audit_lines(tmp_path / "a" / AUDIT))
    assert (report.sound, report.entries) == (True, 7)
    assert [found.state for found in read_register(tmp_path / "a")] == [State.GRANTED] * 2
    assert DAY_RANGE == ("3105840000000000000", "3105840999999999999")
    assert DAY_RANGE[0] not in (tmp_path / "a" / AUDIT).read_text()


@pytest.mark.parametrize("stray", ["3105841000000000000", "3105830999999999999", "6214620000000000000"])
def test_a_card_outside_the_range_stops_the_day(tmp_path: Path, stray: str) -> None:
    with pytest.raises(Refused, match="granted and in force"):
        admit_day(tmp_path, DATE, [card_number("1"), digits_to_bcd(stray, 10)])


def test_a_suspended_range_stops_the_day(tmp_path: Path) -> None:
    admit_day(tmp_path, DATE, [card_number("1")])
    with Registrar(tmp_path) as registrar:  # it finds the centre's store
        registrar.act(2, Act.SUSPEND, officer="wang-wu", reason="leaked")
    with pytest.raises(Refused, match="granted and in force"):
        admit_day(tmp_path, DATE, [card_number("1")])
