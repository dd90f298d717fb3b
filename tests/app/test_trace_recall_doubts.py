"""Who has something by a recall, when others lie. Goal: a stranger's word, or one of tomorrow, takes no holder out.

Method: a farm, a mill, a shop and a spy capture over the interface; the scope before and after what the spy says.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from jinka.app.trace_recall import Plan, RecallDesk, _cause, recall_desk
from jinka.codec.epcis import Action, Event, EventType, Quantity
from jinka.codec.tags import canonical_id
from jinka.kit import Usage
from jinka.node.system import SystemClock
from jinka.store import database_at
from jinka.store.trace_capture import prepare
from jinka.store.trace_store import TraceStore
from jinka.trace.recall import ITEMS, SAID_ITEMS, SOLD_ITEMS
from tests.app.access_rig import HOUR, Clock, Rig, rig_at, seen
from tests.trace import chains
from tests.trace.test_access import DOOR, FIELD, HALL, MINE, STORE

CASE, LOT = "urn:epc:id:sscc:4012345.0000000001", "urn:epc:class:lgtin:4012345.012345.A"
SPYS = "urn:epc:id:sscc:7777777.0000000001"
FARM_AT, SPY_AT = canonical_id(FIELD), canonical_id(DOOR)
Holders = dict[str, dict[str, str]]


def _group(hour: int, parent: str, where: str, action: Action = Action.ADD) -> Event:
    event = seen(hour, "packing" if action is Action.ADD else "unpacking", where)
    return replace(
        event, event_type=EventType.AGGREGATION, action=action, epcs=(), parent_id=parent, child_epcs=(MINE,)
    )


def _some(event: Event, amount: int, action: Action = Action.OBSERVE) -> Event:
    parts = (Quantity(epc_class=LOT, quantity=Decimal(amount), uom="KGM"),)
    return replace(event, epcs=(), quantities=parts, action=action)


def _holders(rig: Rig, name: str = MINE, kind: str = "item", **times: int) -> Holders:
    with recall_desk(str(rig.file), Clock()) as desk:
        found = desk.scope(_cause(Plan(title="glass", grade="1", kind=kind, names=(name,), **times)))
    return {
        each.holder: {line.subject: str(line.amount) for line in each.lines} for each in found.scope.holders
    }


def _told(rig: Rig, *said: tuple[str, Event]) -> None:
    for who, event in said:
        assert rig.capture(who, event) == 201


TO_THE_MILL = [
    ("farm", seen(1, "commissioning", FIELD)),
    ("farm", seen(2, "shipping", FIELD, to=HALL)),
    ("mill", seen(3, "receiving", HALL)),
]
AT_MILL = {HALL: {ITEMS: "1"}}


ASKED = {SPY_AT: {SAID_ITEMS: "0"}}
SAYS: list[tuple[list[Event], Holders]] = [
    ([seen(5, "destroying", DOOR)], {}),
    ([seen(5, "receiving", DOOR)], ASKED),
    ([seen(5, "retail_selling", DOOR)], ASKED),
    ([seen(5, "receiving", DOOR), seen(6, "destroying", DOOR)], {}),
    ([seen(5, "shipping", DOOR, to=STORE)], {STORE: {SAID_ITEMS: "0"}}),
    ([_group(5, SPYS, DOOR), seen(6, "receiving", DOOR, SPYS)], ASKED),
    ([seen(5, "decommissioning", DOOR), seen(6, "commissioning", DOOR)], ASKED),
    ([seen(2, "receiving", DOOR)], {}),  # whoever is believed saw it later elsewhere
]


def test_a_stranger_takes_no_holder_out(tmp_path: Path) -> None:
    with rig_at(tmp_path / "t.db", tmp_path) as rig:
        rig.people()
        for number, (says, more) in enumerate(SAYS, 100):
            thing = f"{MINE}{number}"

            def of(event: Event, thing: str = thing) -> Event:
                children = (thing,) if event.child_epcs else ()
                return replace(
                    event, epcs=(thing,) if event.epcs == (MINE,) else event.epcs, child_epcs=children
                )

            _told(rig, *((who, of(event)) for who, event in TO_THE_MILL))
            assert _holders(rig, thing) == AT_MILL
            _told(rig, *(("spy", of(event)) for event in says))
            assert _holders(rig, thing) == AT_MILL | more, says


def test_who_got_it_in_a_case_is_believed_and_so_is_whom_he_names(where: Path | str, tmp_path: Path) -> None:
    with rig_at(where, tmp_path) as rig:
        rig.people()
        _told(
            rig,
            ("farm", seen(1, "commissioning", FIELD)),
            ("farm", _group(2, CASE, FIELD)),
            ("farm", seen(3, "shipping", FIELD, CASE, to=HALL)),
            ("mill", seen(4, "receiving", HALL, CASE)),
        )
        _told(rig, ("spy", _group(5, CASE, DOOR, Action.DELETE)))
        assert _holders(rig) == AT_MILL | ASKED
        _told(
            rig,
            ("mill", _group(6, CASE, HALL, Action.DELETE)),
            ("mill", seen(7, "shipping", HALL, to=STORE)),
            ("shop", seen(8, "receiving", STORE)),
        )
        assert _holders(rig) == {STORE: {ITEMS: "1"}}
        _told(rig, ("shop", seen(9, "retail_selling", STORE)))
        assert _holders(rig) == {STORE: {SOLD_ITEMS: "1"}}
        times = {"since_us": 5 * HOUR, "until_us": 6 * HOUR}
        assert _holders(rig, HALL, "place", **times) == {STORE: {SOLD_ITEMS: "1"}}


def test_who_receives_what_nobody_named_him_for_is_asked_beside_the_sender(tmp_path: Path) -> None:
    with rig_at(tmp_path / "t.db", tmp_path) as rig:
        rig.people()
        _told(rig, TO_THE_MILL[0], ("farm", seen(2, "shipping", FIELD)), TO_THE_MILL[2])
        said = {FARM_AT: {ITEMS: "1"}, HALL: {SAID_ITEMS: "0"}}
        assert _holders(rig) == said
        _told(rig, ("spy", seen(5, "destroying", DOOR)))
        assert _holders(rig) == said


def test_a_stranger_moves_nothing_of_a_lot_and_takes_nothing_from_a_place(tmp_path: Path) -> None:
    lot = canonical_id(LOT)
    with rig_at(tmp_path / "t.db", tmp_path) as rig:
        rig.people()
        _told(
            rig,
            ("farm", _some(seen(1, "commissioning", FIELD), 100, Action.ADD)),
            ("farm", _some(seen(2, "shipping", FIELD, to=HALL), 40)),
            ("mill", _some(seen(3, "receiving", HALL), 40)),
            *TO_THE_MILL,
            ("spy", _some(seen(5, "receiving", DOOR), 70)),
            ("spy", _some(seen(6, "destroying", DOOR), 60)),
            ("spy", seen(4, "receiving", DOOR)),
        )
        assert _holders(rig, LOT, "lot") == {FARM_AT: {lot: "60"}, HALL: {lot: "40"}, SPY_AT: {lot: "0"}}
        there = _holders(rig, HALL, "place", since_us=5 * HOUR, until_us=6 * HOUR)
        assert there[HALL] == {ITEMS: "1", lot: "40"}
        with pytest.raises(Usage, match="nothing was there"):
            _holders(rig, HALL, "place", since_us=0, until_us=HOUR)


def test_where_nobody_is_told_apart_everybody_is_believed(tmp_path: Path) -> None:
    with rig_at(tmp_path / "t.db", tmp_path, access="required = false") as rig:
        _told(rig, *(("", event) for _, event in TO_THE_MILL), ("", seen(5, "receiving", DOOR)))
        assert _holders(rig) == {SPY_AT: {ITEMS: "1"}}


def test_how_much_clocks_may_be_ahead_is_the_files_to_say(tmp_path: Path) -> None:
    with rig_at(tmp_path / "t.db", tmp_path) as rig:
        rig.people()
        ahead = Clock().now_micros() + 900_000_000
        _told(rig, *TO_THE_MILL, ("mill", replace(seen(4, "retail_selling", HALL), event_time_us=ahead)))
        assert _holders(rig) == AT_MILL
        rig.file.write_text(rig.file.read_text() + "[rules]\nahead_s = 1000\n")
        assert _holders(rig) == {HALL: {SOLD_ITEMS: "1"}}


def test_what_is_to_happen_later_moves_nothing_and_is_said(where: Path | str) -> None:
    later, things = 24 * 365 * 129, [chains.item(n) for n in range(4)]
    told = [
        chains.seen(1, "commissioning", 9, *things[:3], add=True, lot="A"),
        chains.seen(2, "receiving", 2, *things[:3]),
        chains.seen(later, "storing", 5, things[0]),
        chains.seen(3, "receiving", 3, things[0]),
        chains.seen(later, "destroying", 6, things[1]),
        chains.seen(later, "commissioning", 7, things[3], add=True, lot="A"),  # of this nothing else is known
    ]
    with database_at(where) as database:
        TraceStore(database, SystemClock()).capture([prepare(event) for event in told])
        plan = Plan(title="glass", grade="1", kind="lot", names=(chains.lot("A"),))
        scope = RecallDesk(database, SystemClock()).scope(_cause(plan)).scope
        assert {each.holder: [(n.subject, int(n.amount)) for n in each.lines] for each in scope.holders} == {
            chains.place(2): [(ITEMS, 2)], chains.place(3): [(ITEMS, 1)], chains.place(7): [(ITEMS, 1)],
        }  # fmt: skip
        assert set(scope.limits) >= {things[0], things[1], things[3]}
        assert things[2] not in scope.limits
