"""Rights that write, on a real card that is pulled away at every command, before and after it has carried it out.

Goal: nobody is admitted before all is written, no use is charged twice at the terminal that tore it, and nothing is
got by pulling. Method: each place in turn; the walker's own trial against rights that are spoilt.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_check import check_sector
from jinka.app.sector_check_rights import check_torn_uses
from jinka.app.sector_uses import UPDATE_RECORD, Pulled, Use
from jinka.card import Card, Personal, personalised
from jinka.card.records import record_contents
from jinka.codec import Algorithm
from jinka.codec.fields import Coding
from jinka.crypto.block import message_mac4
from jinka.kit import Usage
from jinka.profile.applications import record, record_application
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact
from jinka.profile.entitlement import Test as Asked
from jinka.sectors import parking
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.entitlement import AGAIN, NO_LIST, NotEntitled, TornUse, UseTorn, admit
from jinka.terminal.link import CardRemoved
from jinka.terminal.records import holder_values, read_records

KEY, AT = b"maintenance key.", dt.datetime(2026, 4, 1, 12, 0)
RECORDS = (
    record(1, "left", Coding.NUMBER, 2, "5", "Left", "剩余次数"),
    record(2, "last", Coding.TEXT, 12, "-", "Last", "上次时间"),
    record(3, "place", Coding.TEXT, 8, "-", "Place", "地点"),
)
PROFILE = record_application(
    name="test.rides", aid=b"JINKA.TORN.TEST", fid=0x3F71, title_en="Rides", title_zh="乘次", authority="Test",
    standards=("JR/T 0025.1",), records=RECORDS,
)  # fmt: skip
LEFT = Condition("left", Asked.AT_LEAST, 1, "NONE_LEFT")
RIDE = Entitlement(
    name="ride", title_en="A ride", title_zh="乘坐", application=PROFILE.name, conditions=(LEFT,),
    changes=(Change("last", put=Fact("moment")), Change("place", put=Fact("gate")), Change("left", take=1)),
)  # fmt: skip
BEFORE = {"left": "5", "last": "-", "place": "-"}
AFTER = {"left": "4", "last": "202604011200", "place": "east"}
GATE = {"gate": "east"}


class Macs:
    """Whoever has the maintenance key."""

    def message_mac(self, card_no: bytes, rand4: bytes, message: bytes) -> bytes:
        return message_mac4(Algorithm.TDES, KEY, rand4, message)


def card() -> Card:
    personal = Personal(card_no=bytes(9) + b"\x01", keys=(KEY,), contents=record_contents(RECORDS, BEFORE))
    return personalised(PROFILE, personal, SeededRandomness("torn"))


def use(link, right=RIDE, at=AT, facts=GATE, torn=None):  # type: ignore[no-untyped-def]
    return admit(link, right, aid=PROFILE.aid, records=RECORDS, at=at, facts=facts, macs=Macs(), torn=torn)


def held(chip: Card) -> dict[str, str]:
    return holder_values(read_records(chip, PROFILE.aid, RECORDS))


def pulled(chip: Card, place: int, *, seen: bool, only: int | None = None) -> TornUse | None:
    """Pull the card; what the terminal knows of it."""
    link = Pulled(chip, place, seen=seen, only=only)
    try:
        use(link)
    except UseTorn as error:
        return error.use
    except CardRemoved:
        return None
    pytest.fail("it was admitted, and the card was pulled away")


COMMANDS = (
    13  # select, then a selection and 3 readings, the card's number; select, and two commands for each record
)


def count_of_commands() -> int:
    for place in range(50):
        link = Pulled(card(), place, seen=False)
        try:
            use(link)
        except CardRemoved:
            continue
        return place
    raise AssertionError("it never ends")


def test_the_places_are_all_there_are() -> None:
    assert count_of_commands() == COMMANDS


@pytest.mark.parametrize("seen", [False, True])
@pytest.mark.parametrize("place", range(COMMANDS))
def test_a_use_that_was_torn_is_finished_where_it_was_torn_and_charged_once(place: int, seen: bool) -> None:
    chip = card()
    torn = pulled(chip, place, seen=seen)
    found = use(chip, torn=torn)
    assert held(chip) == AFTER
    assert found.written == AFTER
    assert held(chip)["left"] == "4", "one ride, whatever happened"


@pytest.mark.parametrize("written", [0, 1, 2, 3])
def test_elsewhere_the_card_is_judged_by_what_it_holds(written: int) -> None:
    """The number that is left is written last: a card that was pulled before it has paid nothing yet."""
    chip = card()
    torn = pulled(chip, written, seen=False, only=UPDATE_RECORD) if written < 3 else pulled_late(chip)
    assert torn is not None
    assert held(chip)["left"] == ("4" if written == 3 else "5")
    use(chip, facts={"gate": "west"})
    assert held(chip)["left"] == ("3" if written == 3 else "4")


def pulled_late(chip: Card) -> TornUse | None:
    """All is written, and the last answer is lost."""
    return pulled(chip, 2, seen=True, only=UPDATE_RECORD)


@pytest.mark.parametrize(
    "change",
    [
        {"at": AT + AGAIN + dt.timedelta(seconds=1)},
        {"at": AT - dt.timedelta(seconds=1)},
        {"facts": {"gate": "west"}},
        {"right": replace(RIDE, name="another")},
    ],
    ids=["late", "early", "another fact", "another right"],
)
def test_only_the_same_use_within_a_minute_is_finished(change: dict[str, object]) -> None:
    chip = card()
    torn = pulled_late(chip)
    use(chip, torn=torn, **change)
    assert held(chip)["left"] == "3", "a use of its own"


def test_another_card_and_a_card_that_was_used_elsewhere_since_are_judged_anew() -> None:
    chip, other = card(), card()
    torn = pulled_late(chip)
    assert torn is not None
    use(other, torn=replace(torn, card_no=bytes(10)))
    assert held(other)["left"] == "4", "it pays for itself"
    use(chip, facts={"gate": "west"})
    use(chip, torn=torn)
    assert held(chip)["left"] == "2", "the value of another use stands there"


def test_a_minute_later_is_still_the_same_and_tells_no_number() -> None:
    chip = card()
    torn = pulled_late(chip)
    assert use(chip, at=AT + AGAIN, torn=torn).written == AFTER
    assert held(chip) == AFTER
    assert repr(torn) == "TornUse(ride, card=******0001)"


def test_the_last_ride_is_had_although_none_is_left_now() -> None:
    chip, last = card(), replace(RIDE, changes=(Change("left", take=5),))
    with pytest.raises(UseTorn) as found:
        use(Pulled(chip, 0, seen=True, only=UPDATE_RECORD), last)
    with pytest.raises(NotEntitled, match="NONE_LEFT"):
        use(chip, last)
    assert use(chip, last, torn=found.value.use).written == {"left": "0"}


def test_a_record_is_changed_once() -> None:
    with pytest.raises(Usage, match="twice"):
        replace(RIDE, changes=(Change("left", take=1), Change("left", put="0")))


# The walker's trial


def findings(right: Entitlement, *others: Entitlement, facts: dict[str, str] = GATE) -> list[str]:
    found: list[str] = []
    made = Use(
        right=right, memory=bytes(card().nvm.memory), aid=PROFILE.aid, records=RECORDS, at=AT, facts=facts, macs=Macs(),
        pin=b"", block_list=NO_LIST,
    )  # fmt: skip
    assert check_torn_uses((right, *others), [made, made], lambda *said: found.append(" ".join(said))) == 1
    return found


def test_sound_rights_pass_the_trial() -> None:
    assert findings(RIDE) == []
    assert (
        findings(RIDE, replace(RIDE, name="other", conditions=(Condition("last", Asked.EQUALS, "-", "X"),)))
        == []
    )


def test_a_half_written_use_that_opens_another_door_is_found() -> None:
    """Both records are written at once in the author's mind; on a card the first stands alone for a moment."""
    door = Entitlement(
        name="door", title_en="The door", title_zh="门", application=PROFILE.name,
        conditions=(Condition("last", Asked.EQUALS, "in", "OUT"), Condition("place", Asked.EQUALS, "-", "TAKEN")),
    )  # fmt: skip
    enters = replace(RIDE, changes=(Change("last", put="in"), Change("place", put="room")))
    assert any("half-written use gives the right to door" in one for one in findings(enters, door))
    assert findings(replace(enters, changes=tuple(reversed(enters.changes))), door) == []


def test_a_terminal_that_forgets_what_was_torn_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TornUse, "is_begun", lambda *_: False)
    assert any("another result" in one for one in findings(RIDE))


def test_the_walker_makes_the_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    sectors = all_sectors()
    motorway = replace(sectors["parking"], journeys=(parking.MOTORWAY,))
    monkeypatch.setattr(TornUse, "is_begun", lambda *_: False)
    found = check_sector(motorway, sectors.values())
    assert found.tried["torn uses"] == 1
    assert any(one.code == "RIGHTS" and "leave torn" in one.where for one in found.findings)
