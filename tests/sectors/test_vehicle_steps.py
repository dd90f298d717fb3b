"""Points and the inspection's mark stand by rights alone: spoilt steps of the vehicles' journeys must fail.

Goal: nobody types a date of inspection or points that are left, and each result serves once. Method: the declared
journeys with one step changed, left out or told twice.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Assess, Journey, Reads, Step, Write
from jinka.sectors import SECTORS, vehicles

POINTS, ROAD = (vehicles.SECTOR.journey(name) for name in ("points", "roadworthy"))


def _play(journey: Journey, *steps: Step) -> None:
    play(vehicles.SECTOR, replace(journey, steps=steps or journey.steps), SECTORS)


def _places(journey: Journey, right: str) -> list[int]:
    return [
        place
        for place, step in enumerate(journey.steps)
        if isinstance(step, Admit) and step.entitlement == right and not step.refused
    ]


def test_no_desk_writes_points_or_the_mark_by_hand() -> None:
    written = {
        name
        for journey in vehicles.SECTOR.journeys
        for step in journey.steps
        if isinstance(step, Write)
        for name in step.values
    }
    assert written.isdisjoint({"points left", "cycle until", "inspected until"})


def test_a_twelve_point_offence_takes_what_is_left_and_blocks_driving_until_study_and_tests() -> None:
    drive = Admit("li", "patrol", "drive", facts={"class": "C1"})
    penalise = Admit("li", "desk", "penalise", facts={"points": "6", "unpaid": "6"}, at="09:00")
    heavy = replace(penalise, facts={"points": "12", "unpaid": "18"}, at="")
    empty = Reads("li", "desk", {"points left": "0"})
    _play(POINTS, penalise, drive, heavy, empty, replace(drive, refused="TWELVE_POINTS"))
    study = Assess("study", {"points": 13, "large": 0}, {}, remembers={"days": "days", "tests": "tests"})
    back = Admit("li", "desk", "studied", facts={"days": "=days", "tests": "=tests"})
    learnt = Write("li", "desk", {"study days": "7", "tests passed": "1"})
    _play(POINTS, penalise, heavy, study, learnt, back, drive, replace(back, refused="POINTS_LEFT"), heavy,
          replace(back, refused="NOT_STUDIED"))  # fmt: skip
    _play(POINTS, penalise, heavy, learnt, replace(back, refused="NOT_STUDIED"))  # no sheet says how long
    six = replace(learnt, values={"study days": "6", "tests passed": "1"})
    _play(POINTS, penalise, heavy, study, six, replace(back, refused="NOT_STUDIED"))


@pytest.mark.parametrize(
    "facts",
    [{"plate": "粤B12345", "months": "24"}, {"plate": "粤B12345", "months": "240"}, {"plate": "粤B12345"}],
)
def test_months_of_the_mark_are_not_typed(facts: dict[str, str]) -> None:
    [place] = _places(ROAD, "mark")
    steps = list(ROAD.steps)
    steps[place] = replace(steps[place], facts=facts)
    with pytest.raises(StepFailed, match="months"):
        _play(ROAD, *steps)


def test_without_the_inspection_there_is_no_mark_and_one_inspection_gives_one() -> None:
    [place] = _places(ROAD, "mark")
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        _play(ROAD, *ROAD.steps[: place - 1], *ROAD.steps[place:])
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        _play(ROAD, *ROAD.steps[: place + 1], ROAD.steps[place])


@pytest.mark.parametrize("right", ["credit", "new-cycle"])
@pytest.mark.parametrize("facts", [{"from": "=left", "now": "12"}, {"from": "3", "now": "=now"}])
def test_points_that_come_back_are_not_typed(right: str, facts: dict[str, str]) -> None:
    place = _places(POINTS, right)[0]
    with pytest.raises(StepFailed, match="typed"):
        _play(POINTS, *POINTS.steps[:place], replace(POINTS.steps[place], facts=facts))


def test_one_reduction_is_credited_once() -> None:
    place = _places(POINTS, "credit")[0]
    with pytest.raises(StepFailed, match="NOT_SHOWN"):
        _play(POINTS, *POINTS.steps[: place + 1], POINTS.steps[place])
