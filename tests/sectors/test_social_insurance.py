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
from jinka.declaration import Admit, Ask, Assess, Journey, Keep, Reads, Step, Write
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


@pytest.mark.parametrize(
    ("journey", "right", "sheet"),
    [
        ("benefits", "injury-benefit", "work-injury"),
        ("unemployment", "benefit-month", "unemployment-benefit"),
        ("moving", "draw-pension", "pension"),
        ("assistance", "aid-month", "subsistence"),
        ("assistance", "assisted", "medical-aid"),
    ],
)
def test_no_fund_pays_whom_no_right_was_granted(journey: str, right: str, sheet: str) -> None:
    whole = SECTOR.journey(journey)
    granted = [step for step in whole.steps if isinstance(step, Admit) and step.entitlement == right]
    granted = [step for step in granted if not step.refused]
    paid = next(
        step for step in whole.steps if isinstance(step, Assess) and step.sheet == sheet and step.spends
    )
    assert paid.refused in ("", "NOT_SHOWN")
    kept = without(whole, lambda step: step is granted[0])
    with pytest.raises(StepFailed, match=r"\(Assess\): .*NOT_SHOWN|\(Assess\): .*nothing is remembered"):
        played(whole, *kept)


def test_the_allowance_is_reckoned_by_the_income_that_the_register_showed() -> None:
    whole = SECTOR.journey("assistance")
    asked = [step for step in whole.steps if isinstance(step, Ask) and step.remembers]
    with pytest.raises(StepFailed, match=r"NOT_SHOWN|nothing is remembered"):
        played(whole, *without(whole, lambda step: step in asked))
    richer = [
        replace(step, values={**step.values, "base_fen": "200000"})
        if isinstance(step, Keep) and "base_fen" in step.values
        else replace(step, shows={**step.shows, "base_fen": "200000"})
        if step in asked and isinstance(step, Ask)
        else step
        for step in whole.steps
    ]
    with pytest.raises(StepFailed, match="short comes to 218500, not 238500"):
        played(whole, *richer)


def test_the_term_of_the_benefit_follows_from_the_months_on_the_card() -> None:
    whole = SECTOR.journey("unemployment")
    starts = tuple(
        replace(start, records={**start.records, "months": "70"}) for start in whole.cards[0].starts
    )
    card = replace(whole.cards[0], starts=starts)
    steps = [
        replace(step, values={**step.values, "months": "70"})
        if isinstance(step, Reads) and "months" in step.values
        else step
        for step in whole.steps
    ]
    with pytest.raises(StepFailed, match="years comes to 5, not 3"):
        played(replace(whole, cards=(card,)), *steps)
