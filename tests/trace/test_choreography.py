"""What may happen to a thing after what. Goal: each contradiction is found from either side of time, and
no honest chain is blamed.

Method: short lives written as events, captured in order and out of order; a memory that stands for the store and counts
how often it is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pytest

from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType
from jinka.codec.tags import canonical_id
from jinka.trace.choreography import Choreography, Turn, turns_of

STEP = "https://ref.gs1.org/cbv/BizStep-"
ITEM, OTHER, CASE, BOX = (f"urn:epc:id:sgtin:0614141.107346.{at}" for at in (1, 2, 3, 4))
ADD, SEE, DELETE = Action.ADD, Action.OBSERVE, Action.DELETE


class Memory:
    """What a store knows; implements `ItemStates`."""

    def __init__(self, events: Sequence[Event] = ()) -> None:
        self.known: dict[str, list[Turn]] = {}
        self.asked: list[set[str]] = []
        for event in events:
            for item, turn in turns_of(event, canonical_id, 7):
                self.known.setdefault(item, []).append(turn)
        for turns in self.known.values():
            turns.sort()

    def turns(self, items: Collection[str]) -> Mapping[str, list[Turn]]:
        self.asked.append(set(items))
        return {item: self.known[item] for item in items if item in self.known}


def thing(at: int, action: Action, step: str, *epcs: str) -> Event:
    return Event(
        event_type=EventType.OBJECT, event_time_us=at, zone_offset="+08:00", action=action,
        biz_step=STEP + step, epcs=epcs or (ITEM,),
    )  # fmt: skip


def pack(
    at: int, action: Action, parent: str, *children: str, kind: EventType = EventType.AGGREGATION
) -> Event:
    step = STEP + ("packing" if action is ADD else "unpacking")
    return Event(
        event_type=kind, event_time_us=at, zone_offset="+08:00", action=action, parent_id=parent,
        child_epcs=children, biz_step=step,
    )  # fmt: skip


def make(at: int, used: str, made: str, id_: str | None = None) -> Event:
    return Event(
        event_type=EventType.TRANSFORMATION, event_time_us=at, zone_offset="+08:00", input_epcs=(used,),
        output_epcs=(made,), transformation_id=id_, biz_step=STEP + "assembling",
    )  # fmt: skip


def codes(events: Sequence[Event], known: Sequence[Event] = ()) -> list[str]:
    """What is found in events that come one after another on top of what is known."""
    play = Choreography(Memory(known), events, canonical_id)
    found: list[str] = []
    for event in events:
        found += [f"{code} {where}" for code, where, _ in play.judge(event)]
        play.accept(event)
    return found


BORN, SEEN = thing(10, ADD, "commissioning"), thing(20, SEE, "inspecting")
SHIPPED, RECEIVED = thing(30, SEE, "shipping"), thing(40, SEE, "receiving")
ENDED = thing(50, DELETE, "destroying")
SOLD = thing(60, SEE, "retail_selling")
CLEAR, BACK, PARTLY = ("https://ref.gs1.org/cbv/Disp-" + word for word in (
    "conformant", "returned", "partially_dispensed"))  # fmt: skip


@pytest.mark.parametrize("split", range(8))
def test_an_honest_life_is_told_in_parts_and_contradicts_nothing(split: int) -> None:
    life = [
        BORN, SEEN, pack(25, ADD, CASE, ITEM), thing(30, SEE, "shipping", CASE), thing(40, SEE, "receiving", CASE),
        pack(45, DELETE, CASE), thing(46, SEE, "shipping"), ENDED,
    ]  # fmt: skip
    assert codes(life[split:], life[:split]) == []


@pytest.mark.parametrize(
    ("events", "wrong"),
    [
        ([BORN, ENDED, thing(60, SEE, "inspecting")], ["AFTER_END /epcList/0"]),
        ([BORN, thing(50, SEE, "decommissioning"), thing(60, SEE, "shipping")], ["AFTER_END /epcList/0"]),
        ([BORN, thing(11, ADD, "commissioning")], ["BORN_TWICE /epcList/0"]),
        ([SHIPPED, thing(35, SEE, "shipping")], ["SHIPPED_TWICE /epcList/0"]),
        ([pack(5, DELETE, CASE, ITEM)], ["UNPACKED_NOT_PACKED /childEPCs/0"]),
        ([pack(5, ADD, CASE, ITEM), pack(6, DELETE, CASE, OTHER)], ["UNPACKED_NOT_PACKED /childEPCs/0"]),
        ([pack(5, ADD, CASE, ITEM), pack(6, DELETE, BOX, ITEM)], ["UNPACKED_NOT_PACKED /childEPCs/0"]),
        ([pack(5, DELETE, CASE)], ["UNPACKED_NOT_PACKED /parentID"]),
        (
            [pack(5, ADD, CASE, ITEM), pack(6, DELETE, CASE), pack(7, DELETE, CASE, ITEM)],
            ["UNPACKED_NOT_PACKED /childEPCs/0"],
        ),
        ([pack(5, ADD, CASE, ITEM), pack(6, ADD, BOX, ITEM)], ["PACKED_ELSEWHERE /childEPCs/0"]),
        (
            [pack(5, DELETE, CASE, ITEM, kind=EventType.ASSOCIATION)],
            ["UNPACKED_NOT_PACKED /childEPCs/0"],
        ),
        ([make(5, ITEM, OTHER), thing(6, SEE, "inspecting")], ["AFTER_USE /epcList/0"]),
        ([make(5, ITEM, OTHER), make(6, ITEM, CASE)], ["AFTER_USE /inputEPCList/0"]),
        ([make(5, ITEM, OTHER), make(6, CASE, OTHER)], ["BORN_TWICE /outputEPCList/0"]),
        ([SOLD, thing(70, SEE, "dispensing")], ["SOLD_TWICE /epcList/0"]),
        ([thing(55, SEE, "holding"), SOLD], ["HELD /epcList/0"]),
        ([thing(55, SEE, "holding"), thing(56, SEE, "inspecting"), SOLD], ["HELD /epcList/0"]),
        ([thing(55, SEE, "holding"), thing(56, SEE, "shipping")], ["HELD /epcList/0"]),
        ([thing(4, SEE, "holding"), make(5, ITEM, OTHER)], ["HELD /inputEPCList/0"]),
    ],
)  # fmt: skip
def test_what_cannot_be_is_found_in_one_document_and_against_what_is_known(
    events: list[Event], wrong: list[str]
) -> None:
    assert codes(events) == wrong
    assert codes(events[-1:], events[:-1]) == wrong


@pytest.mark.parametrize("events", [
    [SOLD, thing(65, SEE, "receiving"), thing(70, SEE, "retail_selling")],
    [thing(55, SEE, "holding"), replace(thing(56, SEE, "inspecting"), disposition=CLEAR), SOLD],
    [thing(55, SEE, "holding"), replace(thing(56, SEE, "shipping"), disposition=BACK)],
    [thing(55, SEE, "holding"), thing(56, DELETE, "destroying")],
    [replace(thing(at, SEE, "dispensing"), disposition=PARTLY) for at in (70, 71)],
])  # fmt: skip
def test_what_came_back_was_cleared_or_goes_away_is_no_fault(events: list[Event]) -> None:
    assert codes(events) == []
    assert codes(events[-1:], events[:-1]) == []


def test_what_comes_late_is_held_against_its_time() -> None:
    assert codes([SEEN, SHIPPED], [BORN, ENDED]) == []
    assert codes([ENDED], [thing(60, SEE, "shipping")]) == ["AFTER_END /epcList/0"]
    assert codes([BORN], [pack(5, ADD, CASE, ITEM)]) == ["BEFORE_BIRTH /epcList/0"]
    assert codes([thing(5, SEE, "inspecting")], [BORN]) == ["BEFORE_BIRTH /epcList/0"]
    assert codes([SHIPPED], [thing(35, SEE, "shipping")]) == ["SHIPPED_TWICE /epcList/0"]
    assert codes([thing(32, SEE, "shipping")], [SHIPPED, RECEIVED]) == ["SHIPPED_TWICE /epcList/0"]
    assert codes([SOLD], [thing(70, SEE, "retail_selling")]) == ["SOLD_TWICE /epcList/0"]
    assert codes([thing(55, SEE, "holding")], [SOLD]) == ["HELD /epcList/0"]
    assert codes([thing(55, SEE, "holding")], [SHIPPED, RECEIVED]) == []


def test_a_thing_in_a_container_is_received_with_it() -> None:
    way = [SHIPPED, pack(31, ADD, CASE, ITEM), thing(35, SEE, "receiving", CASE), thing(36, SEE, "shipping")]
    assert codes(way) == []
    assert codes([way[-1]], way[:-1]) == []  # the container's past is asked for in a second round
    assert codes([way[-1]], [SHIPPED, pack(31, ADD, CASE, ITEM)]) == ["SHIPPED_TWICE /epcList/0"]


def test_several_events_of_one_transformation_use_and_make_once() -> None:
    parts = [make(5, ITEM, OTHER, "urn:uuid:1"), make(6, ITEM, OTHER, "urn:uuid:1")]
    assert codes(parts) == []
    assert codes([parts[1]], [parts[0]]) == []
    assert codes([make(7, ITEM, OTHER, "urn:uuid:2")], parts[:1]) != []


def test_one_thing_under_two_names_is_one() -> None:
    link = "https://id.gs1.org/01/10614141073464/21/1"
    assert codes([BORN, thing(11, ADD, "commissioning", link)]) == ["BORN_TWICE /epcList/0"]


def test_what_was_declared_an_error_did_not_happen() -> None:
    wrong = thing(15, DELETE, "destroying")
    void = replace(wrong, error=ErrorDeclaration(declaration_time_us=90))
    assert codes([BORN, wrong, void, SEEN]) == []
    assert codes([void, SEEN], [BORN, wrong]) == []
    assert codes([BORN, wrong, SEEN]) == ["AFTER_END /epcList/0"]


def test_the_store_is_asked_once_for_a_document() -> None:
    memory = Memory([BORN])
    Choreography(memory, [thing(at, SEE, "inspecting") for at in range(99)], canonical_id)
    assert memory.asked == [{canonical_id(ITEM)}]


def test_transactions_and_classes_turn_nothing() -> None:
    about = replace(SHIPPED, event_type=EventType.TRANSACTION)
    assert codes([SHIPPED, about]) == []
    assert list(turns_of(about, canonical_id)) == []
