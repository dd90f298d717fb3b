"""A citizen's day on one card: everybody who did something is paid that night, and each authority sees its own part.

Goal: the composition holds as a whole, not only step by step. Method: the declared day is played on a virtual card by
APDU with clearing to the ledger; then single expectations are changed, and the day must not pass any more.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import Played, play
from jinka.app.sector_world import StepFailed
from jinka.declaration import Admit, Clear, Counted, Journey, Reads, Sign, Step, Tap

CITIZEN = all_sectors()["citizen"]
DAY = CITIZEN.journey("day")


def _play(journey: Journey) -> Played:
    return play(CITIZEN, journey, all_sectors().values())


@pytest.fixture(scope="module")
def day() -> Played:
    return _play(DAY)


def test_everybody_of_the_day_is_paid_once(day: Played) -> None:
    paid: dict[str, int] = {}
    for one in day.happenings:
        if one.counted is Counted.PAID:
            paid[one.by["operator"]] = paid.get(one.by["operator"], 0) + one.amount
    [clear] = [step for step in DAY.steps if isinstance(step, Clear)]
    assert paid == dict(clear.earns)
    taps = sum(step.pays or 0 for step in DAY.steps if isinstance(step, Tap))
    assert sum(paid.values()) >= taps
    assert day.uncleared == 0


def test_the_day_has_all_its_authorities(day: Played) -> None:
    owners = {
        sector.name
        for sector in all_sectors().values()
        for p in sector.profiles
        if p.name in CITIZEN.composes
    }
    assert {
        "transit-beijing",
        "medical",
        "social-security",
        "tourism",
        "identity",
        "utilities",
        "fuel",
    } <= owners
    kinds = {told.kind for told in day.told}
    assert {"Tap", "Admit", "InsertCard", "Unlock", "Sign", "Verify", "Clear", "Ask", "Viewed"} <= kinds


def test_nobody_reads_what_belongs_to_another(day: Played) -> None:
    """Two authorities' records refuse each other's look without the PIN; base records refuse and tell the holder."""
    refused = [one for one in day.happenings if one.counted is Counted.REFUSED]
    assert {one.by["application"] for one in refused if one.by.get("reason") == "READ"} == {
        "cn.social-security",
        "cn.health.card",
    }
    looks = [one.by["department"] for one in refused if one.by.get("reason") == "NO_GROUND"]
    assert looks == ["housing-fund", "bank"]


def _with(wanted: type[Step], change: dict[str, object]) -> Journey:
    place = next(at for at, step in enumerate(DAY.steps) if isinstance(step, wanted))
    return replace(DAY, steps=(*DAY.steps[:place], replace(DAY.steps[place], **change)))


@pytest.mark.parametrize(
    ("wanted", "change"),
    [
        (Admit, {"refused": "NOT_REGISTERED"}),
        (Reads, {"refused": (), "values": {"name": "林月"}}),
        (Sign, {"pin": "000000"}),
    ],
)
def test_a_day_that_went_otherwise_does_not_pass(wanted: type[Step], change: dict[str, object]) -> None:
    with pytest.raises(StepFailed):
        _play(_with(wanted, change))
