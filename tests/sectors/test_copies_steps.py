"""Copies and credit. Goal: the steps of corrections and disputes demand what happened. Method: journeys that stand are
spoilt in one expectation each, and must then fail.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Behind, Correct, CreditReport, Dispute, Fetch, Sector, Step, TakeCopy, Viewed
from jinka.sectors.bank import SECTOR as BANK
from jinka.sectors.social_insurance import SECTOR as SOCIAL
from jinka.sectors.tourism import SECTOR as TOURISM


def _spoilt(sector: Sector, journey: str, kind: type[Step], nth: int, **changes: object) -> None:
    """Play a journey with one step said otherwise."""
    found = sector.journey(journey)
    place = [number for number, step in enumerate(found.steps) if isinstance(step, kind)][nth]
    steps = list(found.steps)
    steps[place] = replace(steps[place], **changes)  # type: ignore[arg-type]
    with pytest.raises(StepFailed, match=rf"step {place + 1} "):
        play(sector, replace(found, steps=tuple(steps)), [BANK, SOCIAL, TOURISM])


@pytest.mark.parametrize(
    ("kind", "nth", "changes"),
    [
        (TakeCopy, 2, {"refused": ""}),
        (TakeCopy, 0, {"refused": "NO_GROUND"}),
        (Correct, 0, {"refused": ""}),
        (Correct, 1, {"tells": ("social-insurance",)}),
        (Behind, 1, {"departments": ()}),
        (Behind, 2, {"departments": ()}),  # what was fetched and not acknowledged is behind
        (Fetch, 2, {"holds": {"identity_number": "440301196204153220", "name": "吴莉"}}),
    ],
)
def test_a_correction_is_told_to_whoever_holds_a_copy(
    kind: type[Step], nth: int, changes: dict[str, object]
) -> None:
    _spoilt(SOCIAL, "correction", kind, nth, **changes)


@pytest.mark.parametrize(
    ("kind", "nth", "changes"),
    [
        (CreditReport, 0, {"refused": ""}),
        (CreditReport, 3, {"shows": {"card": False, "loan": False}}),  # the mark stands while it is examined
        (CreditReport, 6, {"fee": False}),
        (CreditReport, 7, {"refused": ""}),
        (Dispute, 1, {"refused": ""}),
        (Dispute, 2, {"refused": ""}),  # the bank is not the bureau
        (Dispute, 3, {"refused": ""}),  # nothing was put right yet
        (Dispute, 4, {"refused": "REFUSED"}),
    ],
)
def test_a_dispute_marks_and_is_decided(kind: type[Step], nth: int, changes: dict[str, object]) -> None:
    _spoilt(BANK, "credit", kind, nth, **changes)


def test_the_holder_sees_each_look_at_a_booking() -> None:
    _spoilt(TOURISM, "booking", Viewed, 0, looks=(("scenic-area", "admission", False),))
