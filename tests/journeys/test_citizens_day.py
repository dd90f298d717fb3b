"""A citizen's day on one card: everybody who did something is paid that night, and each authority sees its own part.

Goal: the composition holds as a whole, not only step by step. Method: the declared day is played on a virtual card by
APDU with clearing to the ledger; then single expectations are changed, and the day must not pass any more.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_run import Played, play
from jinka.app.sector_world import StepFailed, World
from jinka.declaration import (
    Admit,
    Clear,
    Counted,
    Device,
    DeviceKind,
    Journey,
    Reads,
    Sign,
    Step,
    Tap,
    Write,
)

CITIZEN = all_sectors()["citizen"]
DAY = CITIZEN.journey("day")
_SOCIAL, _HEALTH = "cn.social-security", "cn.health.card"


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
    [bill] = [step for step in DAY.steps if isinstance(step, Tap) and step.pays == "=from account"]
    assert bill.gross == bill.pays
    assert paid["medical.hospital"] == 30_000
    taps = sum(step.pays for step in DAY.steps if isinstance(step, Tap) and isinstance(step.pays, int))
    assert sum(paid.values()) >= taps + paid["medical.hospital"]
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
    """No desk gets at another authority's records, be it with the PIN; its own show without the PIN what is public
    alone; base records refuse and tell the holder.
    """
    refused = [one for one in day.happenings if one.counted is Counted.REFUSED]
    others = [
        (one.by["device"], one.by.get("application") or one.by["entitlement"])
        for one in refused
        if one.by.get("reason") == "NOT_ITS_OWN"
    ]
    assert others == [
        ("medical:registration", "cn.social-security"),
        ("social-security:desk", "cn.health.card"),
        ("canteen", "cn.health.card"),
        ("medical:account-desk", "cn.tour.ticket"),
        ("medical:account-desk", "see-doctor"),
    ]
    by_card = [one.by for one in refused if one.by.get("reason") == "6988"]
    assert [(by["device"], by["application"]) for by in by_card] == [
        ("tourism:palace-gate", "cn.health.card")
    ]
    assert {one.by["application"] for one in refused if one.by.get("reason") == "READ"} == {
        "cn.social-security",
        "cn.health.card",
    }
    looks = [one.by["department"] for one in refused if one.by.get("reason") == "NO_GROUND"]
    assert looks == ["housing-fund", "bank"]


@pytest.mark.parametrize(
    ("step", "what"),
    [
        (
            Reads("lin", "medical:registration", {"card number": "A00000815"}, application=_SOCIAL),
            "NOT_ITS_OWN",
        ),
        (
            Reads("lin", "canteen", application=_HEALTH, refused=("scheme",), pin="271828"),
            "wanted READ",
        ),
        (
            Reads("lin", "medical:registration", refused=("name",), reason="NOT_ITS_OWN"),
            "is its own",
        ),
        (Write("lin", "canteen", {"scheme": "rural"}, application=_HEALTH), "6988"),
        (Write("lin", "canteen", {"name": "X"}, application=_SOCIAL, pin="161803"), "69"),
        (Admit("lin", "medical:account-desk", "see-doctor", facts={"clinic": "cardiology"}), "NOT_ITS_OWN"),
    ],
)
def test_no_device_is_lent_the_key_of_another_authority(step: Step, what: str) -> None:
    with pytest.raises(StepFailed, match=what):
        _play(replace(DAY, steps=(step,)))


@pytest.mark.parametrize(
    ("step", "answer"),
    [
        (Write("lin", "tourism:palace-gate", {"scheme": "rural"}, application=_HEALTH), "6988"),
        (Admit("lin", "tourism:ward", "see-doctor"), "6982"),
    ],
)
def test_the_card_itself_refuses_the_key_of_another_authority(
    step: Step, answer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the rule of devices too: a desk of another sector that held the right of a health card's use."""
    foreign = Device("ward", "a desk", "窗口", DeviceKind.CHECK, application="cn.tour.ticket",
                     knows={"clinic": "cardiology"})  # fmt: skip
    tourism, medical = all_sectors()["tourism"], all_sectors()["medical"]
    desk = replace(tourism, devices=(*tourism.devices, foreign),
                   entitlements=(*tourism.entitlements, medical.entitlement("see-doctor")))  # fmt: skip
    sectors = (*(one for one in all_sectors().values() if one is not tourism), desk)
    monkeypatch.setattr(World, "require_own", lambda *_: None)
    registered = next(s for s in DAY.steps if isinstance(s, Write) and s.device == "medical:registration")
    journey = replace(DAY, steps=(registered, replace(step, refused=answer)))
    happened = play(CITIZEN, journey, sectors).happenings[-1]
    assert (happened.counted, happened.by["reason"]) == (Counted.REFUSED, answer)


@pytest.mark.parametrize("pin", ["", "271828"])
@pytest.mark.parametrize(
    "device", ["canteen", "social-security:desk", "tourism:palace-gate", "certificate-desk"]
)
def test_the_card_itself_refuses_to_be_read_by_others(
    device: str, pin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells of health opens to the health authority's key: no rule of devices is needed, and no PIN helps."""
    monkeypatch.setattr(World, "require_own", lambda *_: None)
    shut = ("scheme", "registered", "prescriptions", "outpatient used")
    look = Reads("lin", device, application=_HEALTH, refused=shut, pin=pin)
    told = [one.by for one in _play(replace(DAY, steps=(look,))).happenings]
    assert [by["reason"] for by in told] == ["READ"] * len(shut)
    with pytest.raises(StepFailed, match="6982"):
        _play(replace(DAY, steps=(replace(look, refused=(), values={"scheme": "employee"}),)))


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
