"""Rows of reports are words: every step, verdict and product that nobody declares has them in both languages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_check import check_sector
from jinka.app.sector_row_words import common_row
from jinka.app.sector_run import report_rows
from jinka.codec.epcis.vocabulary import BIZ_STEPS
from jinka.declaration import Counted, Report, Tap
from jinka.sectors import campus
from jinka.trace.check import Verdict


@pytest.mark.parametrize("key", sorted(BIZ_STEPS.words))
def test_each_business_step_has_words(key: str) -> None:
    words = common_row(key, "step")
    assert words is not None
    assert words[0].isascii()
    assert not words[1].isascii()


@pytest.mark.parametrize("verdict", Verdict)
def test_each_verdict_has_words(verdict: Verdict) -> None:
    assert common_row(verdict.value[0], "verdict") is not None


def test_a_row_without_words_is_found() -> None:
    """A right counted by a name that nothing declares."""
    sector = replace(
        campus.SECTOR,
        reports=(
            Report(name="odd", title_en="Odd", title_zh="怪", counts=Counted.ADMITTED, by="device"),
            *campus.SECTOR.reports,
        ),
    )
    assert not [f for f in check_sector(sector, [sector]).findings if f.where == "campus.odd"]
    bare = replace(sector, devices=tuple(replace(one, title_zh=one.name) for one in sector.devices))
    told = [f.what for f in check_sector(bare, [bare]).findings if f.where == "campus.odd"]
    assert any("has no words of Chinese" in what for what in told)


def test_who_comes_in_has_bought_nothing_yet() -> None:
    """Nine rides with a tap in and a tap out are nine purchases."""
    transit = all_sectors()["transit"]
    checked = check_sector(replace(transit, worked_cases=(), no_worked_case="-"), all_sectors().values())
    happenings = [one for done in checked.played for one in done.happenings]
    products = Report(name="p", title_en="P", title_zh="品", counts=Counted.PAID, by="product")
    assert "entry" not in {key for key, _, _ in report_rows(products, happenings)}
    bikes = Report(name="d", title_en="D", title_zh="机", counts=Counted.PAID, by="device")
    rides = [
        step
        for journey in transit.journeys
        for step in journey.steps
        if isinstance(step, Tap) and step.device == "bike" and not step.refused
    ]
    assert {key: count for key, count, _ in report_rows(bikes, happenings)}["bike"] == len(rides) // 2
