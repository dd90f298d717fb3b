"""Steps of folders, reviews and replaced cards fail where the card, the register or the books say otherwise.

Goal: a journey that claims what did not happen is found. Method: declared journeys with one step changed, played up to
that step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Assess, OpenFolder, Replace, Review, Step

CASES: tuple[tuple[str, str, type[Step], int, dict[str, Any], str], ...] = (
    ("social-security", "enrolment", OpenFolder, 0, {"refused": ""}, "refused as 6982"),
    ("social-security", "enrolment", OpenFolder, 2, {"reads": {"employment": "retired"}}, "is 'employed'"),
    ("social-security", "enrolment", OpenFolder, 2, {"refused": "6982"}, "should have been refused"),
    ("social-security", "enrolment", OpenFolder, 3, {"reading": False}, "should have been refused"),
    (
        "medical",
        "shared-records",
        Review,
        0,
        {"by": "supervision", "reason": "seen"},
        "should have been refused",
    ),
    ("medical", "shared-records", Review, 1, {"act": "blame"}, "refused as REFUSED"),
    ("medical", "shared-records", Review, 3, {"refused": ""}, "refused as REFUSED"),
    ("citizen", "bank-part", Replace, 0, {"refused": "NOT_LISTED"}, "should have been refused"),
    ("citizen", "bank-part", Replace, 0, {"applications": ("cn.fuel",)}, "has no cn.fuel"),
    ("medical", "elsewhere", Assess, 0, {"sheet": "nobody:x"}, "no sector 'nobody'"),
)


@pytest.mark.parametrize(("sector", "journey", "kind", "number", "change", "word"), CASES)
def test_a_step_that_went_otherwise_is_found(
    sector: str, journey: str, kind: type[Step], number: int, change: dict[str, Any], word: str
) -> None:
    found = all_sectors()[sector]
    story = found.journey(journey)
    place = [at for at, step in enumerate(story.steps) if isinstance(step, kind)][number]
    changed = replace(story, steps=(*story.steps[:place], replace(story.steps[place], **change)))
    with pytest.raises(StepFailed, match=word):
        play(found, changed, all_sectors().values())
