"""Who sees what of a chain. Goal: nothing that is hidden can be read, tried out, or got by a claim; paths still join.

Method: events with every field, redacted and searched for what they had; claims by strangers, alone and together.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType, Quantity, Typed
from jinka.codec.epcis.json_reader import read_event
from jinka.codec.epcis.json_text import load_json
from jinka.codec.epcis.json_writer import write_event
from jinka.codec.epcis.model import Extension, Place, SensorElement, SensorMetadata, SensorReport
from jinka.codec.tags import canonical_id
from jinka.kit import Usage
from jinka.trace.access import (
    HIDDEN,
    Along,
    Level,
    Owners,
    Participant,
    Stay,
    Veil,
    containers,
    involved,
    level_of,
    read_owns,
    redact,
)
from jinka.trace.choreography import Deed, Turn
from jinka.trace.claims import Claims

FARM = Participant(
    id="farm", owns=read_owns(["urn:epc:id:sgln:4012345.00001.0", "urn:epc:id:pgln:4012345.00000"])
)
MILL = Participant(id="mill", owns=read_owns(["6901234"]), up=Level.WHOLE, down=Level.NOTHING)
SHOP = Participant(id="shop", owns=read_owns(["https://id.gs1.org/414/9521321000010"]))
SPY, ALLY = (
    Participant(id=name, owns=read_owns([own])) for name, own in (("spy", "7777777"), ("ally", "8888888"))
)
ALL = (FARM, MILL, SHOP, SPY, ALLY)
OWNERS = Owners(ALL)
FIELD, HALL = "urn:epc:id:sgln:4012345.00001.0", "https://id.gs1.org/414/6901234000009"
DOOR, STORE = "urn:epc:id:sgln:7777777.00001.0", "https://id.gs1.org/414/9521321000010"
MINE, OTHER = "urn:epc:id:sgtin:4012345.012345.1", "urn:epc:id:sgtin:4012345.012345.2"
LOT, FOREIGN = "urn:epc:class:lgtin:4012345.012345.A1", "urn:epc:id:sgtin:0614141.107346.9"
SECRET = bytes(range(32))


def seen(at: int, place: str, *epcs: str, to: str = "") -> Event:
    sent = (Typed(id=to, type="https://ref.gs1.org/cbv/SDT-location"),) if to else ()
    return Event(
        event_type=EventType.OBJECT, event_time_us=at, zone_offset="+08:00", action=Action.OBSERVE,
        epcs=epcs or (MINE,), read_point=Place(id=place), destinations=sent,
    )  # fmt: skip


def _word(name: str) -> Extension:
    return Extension(namespace="https://secret.example/", name=name, text="secret text")


FULL = Event(
    event_type=EventType.OBJECT, event_time_us=5_000_000, zone_offset="+08:00", action=Action.OBSERVE,
    event_id="urn:uuid:secret-event", certification=("https://secret.example/certificate",),
    error=ErrorDeclaration(
        declaration_time_us=9, reason="https://ref.gs1.org/cbv/ER-incorrect_data",
        corrective_event_ids=("urn:uuid:secret-correction",), extensions=(_word("why"),),
    ),
    epcs=(MINE, OTHER), quantities=(Quantity(epc_class=LOT, quantity=Decimal(4711), uom="KGM"),),
    read_point=Place(id="urn:epc:id:sgln:4012345.secret.0", extensions=(_word("gate"),)),
    biz_location=Place(id=HALL), biz_step="https://ref.gs1.org/cbv/BizStep-shipping",
    transactions=(Typed(id="urn:secret:order:7", type="https://ref.gs1.org/cbv/BTT-po"),),
    sources=(Typed(id="urn:secret:seller", type="https://ref.gs1.org/cbv/SDT-owning_party"),),
    destinations=(Typed(id=HALL, type="https://ref.gs1.org/cbv/SDT-location"),),
    sensors=(
        SensorElement(
            metadata=SensorMetadata(time_us=1, device_id="urn:secret:device", raw_data="https://secret.example/raw"),
            reports=(
                SensorReport(
                    type="https://gs1.org/voc/Temperature", value=Decimal("2.5"), uom="CEL",
                    device_id="urn:secret:device", string_value="secret text", uri_value="https://secret.example/",
                ),
            ),
            extensions=(_word("probe"),),
        ),
    ),
    ilmd=(_word("farmer"),), extensions=(_word("driver"),), prefixes=(("s", "https://secret.example/"),),
)  # fmt: skip
MAKE = replace(
    FULL, event_type=EventType.TRANSFORMATION, action=None, epcs=(), quantities=(), input_epcs=(MINE,),
    input_quantities=FULL.quantities, output_epcs=(OTHER,), transformation_id="urn:secret:batch:7",
)  # fmt: skip
JOIN = replace(
    FULL, event_type=EventType.AGGREGATION, epcs=(), quantities=(), parent_id=OTHER, child_epcs=(MINE, FOREIGN),
    child_quantities=FULL.quantities,
)  # fmt: skip


def hidden(event: Event, viewer: Participant = MILL) -> Event:
    veil = Veil(SECRET, viewer.id)
    return redact(event, veil, {canonical_id(MINE)}, lambda id_: OWNERS.owner(id_) == viewer.id)


OWN_WORDS = replace(
    FULL, biz_step="https://secret.example/step", disposition="https://secret.example/state",
    dispositions_set=("https://secret.example/set",), dispositions_unset=("https://secret.example/unset",),
    transactions=(Typed(id="urn:x:y", type="https://secret.example/type"),),
    sources=(Typed(id=HALL, type="https://secret.example/type"),),
    error=ErrorDeclaration(declaration_time_us=9, reason="https://secret.example/why"),
    sensors=(SensorElement(reports=(SensorReport(type="https://secret.example/t", value=Decimal("2.5")),)),),
)  # fmt: skip


@pytest.mark.parametrize("event", [FULL, MAKE, JOIN, OWN_WORDS])
def test_nothing_of_what_is_hidden_can_be_read(event: Event) -> None:
    text = write_event(hidden(event)).decode()
    for secret in ("secret", "4711", OTHER, canonical_id(OTHER), LOT, FOREIGN, "012345.2"):
        assert secret not in text, secret
    assert MINE in text
    assert HALL in text  # its own place
    back = read_event(load_json(text.encode()))
    assert (back.event_time_us, back.event_type) == (5_000_000, event.event_type)
    assert back.biz_step == event.biz_step or event is OWN_WORDS
    assert back.sensors[0].reports[0].value == Decimal("2.5")


def test_hidden_names_join_for_one_viewer_and_not_between_two() -> None:
    mine, other = Veil(SECRET, "mill"), Veil(SECRET, "shop")
    link = canonical_id(OTHER)
    assert mine.hide(OTHER) == mine.hide(link)
    assert mine.hide(mine.hide(OTHER)) == mine.hide(OTHER)
    assert mine.hide(OTHER) != other.hide(OTHER) != Veil(bytes(32), "shop").hide(OTHER)
    assert mine.hide(OTHER).startswith(HIDDEN)
    packed, made = hidden(JOIN), hidden(MAKE)
    assert packed.parent_id == made.output_epcs[0] == mine.hide(OTHER)
    with pytest.raises(Usage):
        Veil(b"short", "mill")


def test_the_policy_tells_before_from_behind() -> None:
    event, held = seen(10, DOOR), {canonical_id(MINE): Stay(5, 20)}
    assert level_of(event, SPY, MILL, False, {}) is Level.NOTHING
    assert level_of(event, SPY, MILL, True, {}) is Level.WHOLE
    assert level_of(event, replace(SPY, sees_all=True), MILL, False, {}) is Level.WHOLE
    assert level_of(event, FARM, MILL, False, held) is Level.WHOLE  # it had it before: up
    assert level_of(event, SHOP, MILL, False, {"x": Stay(15, 20)}) is Level.NOTHING  # behind: down
    assert level_of(event, SHOP, None, False, held) is Level.REDACTED
    assert level_of(event, SHOP, MILL, False, {}, Along.BACK) is Level.NOTHING
    assert level_of(event, SHOP, MILL, False, {}, Along.FORWARD) is Level.WHOLE


def test_places_have_owners_by_name_before_prefix() -> None:
    assert OWNERS.owner(FIELD) == "farm"
    assert OWNERS.owner("https://example.com/414/4012345000016") == "farm"
    assert OWNERS.owner(HALL) == "mill"
    assert OWNERS.owner("urn:epc:id:sgln:6901234.00002.77") == "mill"
    assert OWNERS.owner("urn:epc:id:sgln:5555555.00002.77") == ""
    assert involved(seen(1, HALL, to=STORE), "farm", OWNERS) == {
        "farm",
        "mill",
        "shop",
    }
    for own in ("123", "12345678901234", "no identifier", "٤٠١٢"):
        with pytest.raises(Usage):
            read_owns([own])


def test_who_had_a_thing_hands_it_on_and_a_claim_gives_nothing() -> None:
    key = canonical_id(MINE)
    owners = Owners([*ALL, replace(FARM, id="brand", owns=read_owns(["4012345"]))])
    claims = Claims(owners, {})
    assert claims.of(seen(1, DOOR), "spy") == {}  # the key is the brand's
    assert claims.of(seen(1, FIELD, to=DOOR), "ally") == {}  # two together get no further
    assert claims.of(seen(2, FIELD, to=HALL), "brand") == {key: {"brand", "farm", "mill"}}
    assert claims.of(seen(3, HALL, to=STORE), "mill") == {key: {"mill", "shop"}}
    assert claims.of(seen(4, DOOR), "spy") == {}
    void = replace(seen(5, HALL, to=DOOR), error=ErrorDeclaration(declaration_time_us=6))
    assert claims.of(void, "mill") == {}
    assert claims.of(seen(6, DOOR), "inspector", trusted=True) == {key: {"inspector", "spy"}}


def test_who_speaks_first_of_a_stranger_s_thing_is_believed_and_nobody_after() -> None:
    foreign = canonical_id(FOREIGN)
    claims = Claims(OWNERS, {})
    assert claims.of(seen(1, HALL, FOREIGN), "mill") == {foreign: {"mill"}}
    assert claims.of(seen(2, DOOR, FOREIGN), "spy") == {}
    assert Claims(OWNERS, {foreign: {"mill"}}).of(seen(2, DOOR, FOREIGN), "spy") == {}
    assert Claims(OWNERS, {foreign: {"spy"}}).of(seen(2, DOOR, FOREIGN), "spy") == {foreign: {"spy"}}


def test_what_a_thing_lay_in_and_when() -> None:
    turns = [
        Turn(1, Deed.PACKED, "a"),
        Turn(5, Deed.UNPACKED, "a"),
        Turn(7, Deed.PACKED, "b"),
        Turn(8, Deed.SHIPPED),
    ]
    assert [(holder, stay.first_us) for holder, stay in containers(turns)] == [("a", 1), ("b", 7)]
    assert next(containers(turns))[1] == Stay(1, 5)
