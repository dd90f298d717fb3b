"""Social insurance. Goal: what is paid in or paid out follows from what the register, the card and a right have said.

Method: declared journeys with one step left out or changed, and the money that then must not move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import Played, play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Ask, Assess, Journey, Keep, Reads, Step, Write
from jinka.sectors.social_insurance import SECTOR


def played(journey: Journey, *steps: Step) -> Played:
    return play(SECTOR, replace(journey, steps=steps), all_sectors().values())


def without(journey: Journey, left_out: Callable[[Step], bool]) -> list[Step]:
    """The steps of a journey without some of them, which begins when it began."""
    steps = list(journey.steps)
    kept = [step for step in steps if not left_out(step)]
    assert len(kept) < len(steps)
    return [replace(kept[0], at=kept[0].at or steps[0].at), *kept[1:]]


ENROLMENT = SECTOR.journey("enrolment")


@pytest.mark.parametrize(
    ("left_out", "word"),
    [
        (lambda step: isinstance(step, Ask) and step.record == "job", "remembered as 'wage'"),
        (lambda step: isinstance(step, Write) and "insured at" in step.values, "months is"),
        (lambda step: isinstance(step, Reads) and "months" in step.values, "remembered as 'before'"),
    ],
)
def test_nothing_is_paid_in_for_whom_the_agency_has_not_enrolled(
    left_out: Callable[[Step], bool], word: str
) -> None:
    with pytest.raises(StepFailed, match=word):
        played(ENROLMENT, *without(ENROLMENT, left_out))


def test_the_spell_that_is_kept_has_the_months_that_were_paid_in() -> None:
    paid = [step for step in ENROLMENT.steps if isinstance(step, Assess)]
    spell = [step for step in ENROLMENT.steps if isinstance(step, Keep) and step.record == "spell"]
    assert [step.gives["months"] for step in paid] == [1, 2]
    assert [step.values["months"] for step in spell] == ["0", "=months", "=months"]
    assert paid[0].facts["wage"] == "=wage"
    told = play(SECTOR, ENROLMENT, all_sectors().values()).told
    assert sum("2,722.40" in one.said.en for one in told) == 2
