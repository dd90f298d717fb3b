"""Signs of copies. Goal: an honest life has none, and each trick has its own. Method: lives by hand."""

from __future__ import annotations

import pytest

from jinka.trace.counterfeit import Bounds, Sign, suspicions_of, way_km
from jinka.trace.lineage import Step
from jinka.trace.provenance import Sight
from jinka.trace.tag_chips import ChipMismatch, ChipSign
from tests.trace.chains import HOUR_US

BEIJING, SHANGHAI, SUBURB = 1, 2, 3
PLACES = {BEIJING: (39.9042, 116.4074), SHANGHAI: (31.2304, 121.4737), SUBURB: (39.95, 116.5)}


def _life(*sights: tuple[float, int, Step]) -> list[Sight]:
    return [Sight(int(hour * HOUR_US), n, place, step, 0) for n, (hour, place, step) in enumerate(sights, 1)]


HONEST = _life(
    (0, BEIJING, Step.COMMISSIONING), (1, BEIJING, Step.SHIPPING), (20, SHANGHAI, Step.RECEIVING),
    (30, SHANGHAI, Step.RETAIL_SELLING), (40, SHANGHAI, Step.INSPECTING),
)  # fmt: skip


def _signs(sights: list[Sight], **more: object) -> list[Sign]:
    given: dict[str, object] = {"born": True, "kind_is_recorded": True, "places": PLACES} | more
    return [each.sign for each in suspicions_of(sights, **given)]  # type: ignore[arg-type]


def test_an_honest_life_has_none() -> None:
    assert _signs(HONEST) == []
    assert _signs(HONEST, checks_us=range(20)) == []


@pytest.mark.parametrize(
    ("sights", "sign"),
    [
        (_life((0, BEIJING, Step.STORING), (0.01, SHANGHAI, Step.STORING)), Sign.TWO_PLACES),
        (_life((0, BEIJING, Step.SHIPPING), (0.5, SHANGHAI, Step.RECEIVING)), Sign.TRAVEL),
        (_life((0, BEIJING, Step.RETAIL_SELLING), (90, SHANGHAI, Step.RETAIL_SELLING)), Sign.AFTER_END),
        (_life((0, BEIJING, Step.DESTROYING), (90, BEIJING, Step.SHIPPING)), Sign.AFTER_END),
    ],
)
def test_what_cannot_be(sights: list[Sight], sign: Sign) -> None:
    (found,) = suspicions_of(sights, born=True, kind_is_recorded=True, places=PLACES)
    assert found.sign is sign
    assert found.sign.contradiction
    assert found.events == (1, 2)


def test_near_places_and_unknown_ones_are_no_impossible_travel() -> None:
    assert _signs(_life((0, BEIJING, Step.SHIPPING), (0.02, SUBURB, Step.RECEIVING))) == []
    assert _signs(_life((0, BEIJING, Step.SHIPPING), (0.5, 99, Step.RECEIVING))) == []


def test_a_serial_that_nobody_made_is_a_guess_where_others_are_known() -> None:
    assert _signs([], born=False) == [Sign.UNKNOWN_SERIAL]
    assert not Sign.UNKNOWN_SERIAL.contradiction
    assert _signs([], born=False, kind_is_recorded=False) == []


def test_chips_and_checks() -> None:
    chip = ChipMismatch(
        sign=ChipSign.EPC_ON_ANOTHER_CHIP,
        epc="e",
        tid=b"1",
        bound_epc="e",
        bound_tid=b"2",
        at_micros=5,
        place="p",
    )
    often = [HOUR_US * n for n in range(21)]
    assert _signs(HONEST, chips=[chip], checks_us=often) == [Sign.CHIP, Sign.CHECKED_OFTEN]
    assert _signs(HONEST, checks_us=[HOUR_US * 2 * n for n in range(40)]) == []
    assert _signs(HONEST, checks_us=[0, 1], **{"bounds": Bounds(checks=1)}) == [Sign.CHECKED_OFTEN]


def test_the_way_between_beijing_and_shanghai() -> None:
    assert 1060 < way_km(PLACES[BEIJING], PLACES[SHANGHAI]) < 1075
