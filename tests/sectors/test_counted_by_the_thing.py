"""What a card, a meter or a payment says itself is what counts: a journey cannot type it, nor use it twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Assess, Lock, Move, Step, Tap, Write
from jinka.sectors import SECTORS

BY_NAME = {sector.name: sector for sector in SECTORS}


def told(sector: str, journey: str, steps: Sequence[Step]) -> list[str]:
    whole = BY_NAME[sector].journey(journey)
    played = play(BY_NAME[sector], replace(whole, steps=tuple(steps)), SECTORS)
    return [each.said.en for each in played.told]


def steps_of(sector: str, journey: str) -> tuple[Step, ...]:
    return BY_NAME[sector].journey(journey).steps


@pytest.mark.parametrize(
    ("sector", "journey", "first", "sheet"),
    [("fuel", "station", Lock, "pump-sale"), ("transit-beijing", "day", Tap, "taxi")],
)
def test_a_pump_and_a_taxi_take_what_their_table_comes_to(
    sector: str, journey: str, first: type[Step], sheet: str
) -> None:
    whole = steps_of(sector, journey)
    at = next(n for n, step in enumerate(whole) if isinstance(step, Assess) and step.sheet == sheet)
    before = [step for step in whole[:at] if isinstance(step, first)][:1]
    with pytest.raises(StepFailed, match="nothing is remembered"):
        told(sector, journey, [*before, *whole[at + 1 : at + 3]])


def test_the_card_counts_its_loans_and_the_fund_pays_what_was_granted() -> None:
    whole = steps_of("housing-fund", "loan")
    grants = [step for step in whole if isinstance(step, Admit) and step.remembers]
    assess, ready = whole[0], Write("chen", "centre", {"months": "6", "loan left": "0"})
    repaid = replace(ready, values={"loan left": "0"})
    second = replace(grants[1], facts=grants[0].facts)
    third = replace(second, refused="THIRD_LOAN")
    paid = next(step for step in whole if isinstance(step, Move))
    assert told("housing-fund", "loan", [assess, ready, grants[0], paid, repaid, second, repaid, third])
    with pytest.raises(StepFailed, match="nothing is remembered as 'first loan'"):
        told("housing-fund", "loan", [assess, ready, paid])
