"""What stands at a place knows which place it is, and cannot be told another; all of it obeys the list of cards.

Goal: a right that hangs on a room, a house, a gate or a zone is judged by the device alone; a card that is on the list
has no right, is not written and not loaded.
Method: single steps of declared journeys are played at other doors, told of other places, and with listed cards.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, List, Load, Sector, Step, Write

SECTORS = all_sectors()
TOURISM, CAMPUS = SECTORS["tourism"], SECTORS["campus"]


def _says(sector: Sector, journey: str, *steps: Step) -> str:
    played = play(sector, replace(sector.journey(journey), steps=steps), SECTORS.values())
    return played.told[-1].said.en


def _checked_in() -> Write:
    steps = TOURISM.journey("holiday").steps
    return next(step for step in steps if isinstance(step, Write) and step.device == "reception")


def test_a_door_opens_for_its_own_room() -> None:
    assert "1208" in _says(
        TOURISM, "holiday", _checked_in(), Admit("visitor", "door-1208", "door", at="14:00")
    )
    with pytest.raises(StepFailed, match="OTHER_ROOM"):
        _says(TOURISM, "holiday", _checked_in(), Admit("visitor", "door-1209", "door", at="14:00"))


@pytest.mark.parametrize("room", ["1208", "1209"])
def test_a_lock_is_not_told_its_room(room: str) -> None:
    with pytest.raises(StepFailed, match="room is typed"):
        _says(TOURISM, "holiday", _checked_in(), Admit("visitor", "door-1209", "door", facts={"room": room}))


def test_a_dormitory_is_not_told_its_name() -> None:
    with pytest.raises(StepFailed, match="house is typed"):
        _says(CAMPUS, "day", Admit("li", "house-e4", "door", facts={"house": "E3"}))


def test_the_palace_does_not_play_the_museum() -> None:
    ticket = {"sight": "museum", "visit day": "20260501", "entries left": "1", "identity tail": "2719"}
    bought = Write("visitor", "ticket-desk", ticket, at="09:00")
    tail = {"identity tail": "2719"}
    _says(TOURISM, "holiday", bought, Admit("visitor", "museum-gate", "enter", facts=tail))
    with pytest.raises(StepFailed, match="OTHER_SIGHT"):
        _says(TOURISM, "holiday", bought, Admit("visitor", "palace-gate", "enter", facts=tail))


@pytest.mark.parametrize(
    "step",
    [
        Load("visitor", "reception-till", 5_000, at="11:30"),
        Write("visitor", "reception", {"rooms": "pool"}, at="11:30"),
        Admit("visitor", "door-1208", "door", at="14:00"),
    ],
)
def test_a_listed_card_is_not_loaded_not_written_and_has_no_right(step: Load | Write | Admit) -> None:
    _says(TOURISM, "holiday", _checked_in(), step)
    _says(TOURISM, "holiday", _checked_in(), List("visitor"), replace(step, refused="BLOCKED"))
    with pytest.raises(StepFailed, match="wanted that it be done"):
        _says(TOURISM, "holiday", _checked_in(), List("visitor"), step)
