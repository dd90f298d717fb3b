"""Goods past their date. Goal: what is sold or used after its date is found, by the date of the place; nothing else is.

Method: the gate alone with dates of its own, then a repository on SQLite in which dates stand in other events: of the
thing, of its lot, of what it was made with, and of the same job.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.app.trace_rules import judges_of
from jinka.codec.epcis import Action, Event, EventType, Extension, Place, Quantity
from jinka.codec.tags import canonical_id
from jinka.store import database_at
from jinka.store.trace_capture import Outcome, prepare
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_expiry import expiry_dates
from jinka.store.trace_store import TraceStore
from jinka.trace.expiry import Expiry, date_told
from tests.trace.test_choreography import STEP, thing

ITEM, OTHER = (f"urn:epc:id:sgtin:0614141.107346.{at}" for at in (1, 2))
LOT, MADE = "urn:epc:class:lgtin:0614141.107346.L1", "urn:epc:id:sgtin:0614141.107347.9"
MORNING = 1_767_196_800_000_000  # 2026-01-01 00:00 at +08:00


def told(date: str, lot: str = "") -> tuple[Extension, ...]:
    rows = {"itemExpirationDate": date, **({"lotNumber": lot} if lot else {})}
    return tuple(
        Extension(namespace="urn:epcglobal:cbv:mda", name=name, text=text) for name, text in rows.items()
    )


def sale(at: int, *epcs: str, step: str = "retail_selling") -> Event:
    return replace(thing(at, Action.OBSERVE, step, *epcs), zone_offset="+08:00")


@pytest.mark.parametrize(("until", "event", "found"), [
    ("2025-12-31", sale(MORNING, ITEM), ["/epcList/0"]),
    ("2026-01-01", sale(MORNING, ITEM), []),
    ("2025-12-31", sale(MORNING - 1_000_000, ITEM), []),  # the last second of the day, by the wall of the shop
    ("2025-12-31", replace(sale(MORNING, ITEM), zone_offset="+00:00"), []),
    ("2025-12-31", sale(MORNING, OTHER, ITEM, step="dispensing"), ["/epcList/1"]),
    ("2025-12-31", sale(MORNING, ITEM, step="destroying"), []),
    ("2025-12-31", replace(sale(MORNING, OTHER), quantities=(Quantity(epc_class=LOT),)), ["/quantityList/0/epcClass"]),
    ("2025-12-31", Event(event_type=EventType.TRANSFORMATION, event_time_us=MORNING, zone_offset="+08:00",
                         input_epcs=(ITEM,), output_epcs=(MADE,)), ["/inputEPCList/0"]),
])  # fmt: skip
def test_a_day_too_late_is_found_and_the_last_day_is_not(until: str, event: Event, found: list[str]) -> None:
    gate = Expiry({canonical_id(one): dt.date.fromisoformat(until) for one in (ITEM, LOT)})
    assert [(code, where) for code, where, _ in gate(event)] == [("EXPIRED", where) for where in found]


def test_what_is_no_date_tells_none() -> None:
    event = thing(5, Action.ADD, "commissioning")
    assert date_told(replace(event, ilmd=told("soon"))) is None
    assert date_told(replace(event, ilmd=told("2026-06-21T00:00:00Z"))) == dt.date(2026, 6, 21)


class _Clock:
    def now_micros(self) -> int:
        return MORNING


def _begun(item: str, lot: str, made: str) -> list[tuple[list[Event], str, bool]]:
    """What tells of a thing's beginning, which thing is sold then, and whether it is too late."""
    born = replace(
        thing(5, Action.ADD, "commissioning", item), ilmd=told("2025-12-31"), biz_location=Place(id="urn:a:b")
    )
    of_lot = replace(born, ilmd=told("2027-01-01", lot.rpartition(".")[2]))
    lot_born = Event(
        event_type=EventType.OBJECT, event_time_us=4, zone_offset="+08:00", action=Action.ADD,
        ilmd=told("2025-12-31"), biz_step=STEP + "creating_class_instance", quantities=(Quantity(epc_class=lot),),
        biz_location=Place(id="urn:a:b"),
    )  # fmt: skip
    cooked = Event(
        event_type=EventType.TRANSFORMATION, event_time_us=6, zone_offset="+08:00", input_epcs=(item,),
        output_epcs=(made,), ilmd=told("2025-12-30"),
    )  # fmt: skip
    return [
        ([born], item, True),
        ([born, thing(7, Action.OBSERVE, "receiving", item)], made, False),
        ([lot_born, of_lot], item, True),  # the lot's date is the earlier one
        ([of_lot], item, False),
        ([cooked], made, True),
        ([cooked], item, False),  # what came out of the pot has a date, what went in has none
    ]


@pytest.mark.parametrize("together", [False, True])
def test_a_repository_refuses_by_dates_of_other_events(tmp_path: Path, together: bool) -> None:
    with database_at(tmp_path / "trace.db") as database:
        judges = judges_of({"EXPIRED": "refuse", "AFTER_USE": "off"}, _Clock())
        store = TraceStore(database, _Clock(), judges=judges)
        for case in range(6):
            item, made = (f"urn:epc:id:sgtin:0614141.10734{kind}.{case}" for kind in (6, 7))
            events, asked, refused = _begun(item, f"urn:epc:class:lgtin:0614141.107346.L{case}", made)[case]
            wanted = [*events, sale(MORNING, asked)]
            if not together:
                store.capture([prepare(event) for event in events])
            answers = store.capture(
                [prepare(event) for event in (wanted if together else wanted[-1:])], proceed=True
            )
            assert [finding.code for finding in answers[-1].findings] == ["EXPIRED"] * refused, case
            assert (answers[-1].outcome is Outcome.ACCEPTED) is not refused
    with database_at(tmp_path / "trace.db") as database, SqlLinks(database) as links:
        first = canonical_id("urn:epc:id:sgtin:0614141.107346.0")
        assert expiry_dates(links, [first, "nothing"]) == {first: dt.date(2025, 12, 31)}


def test_a_repository_that_does_not_want_the_rule_reads_no_dates(tmp_path: Path) -> None:
    with database_at(tmp_path / "trace.db") as database:
        store = TraceStore(database, _Clock(), judges=judges_of({}, _Clock()))
        (events, asked, _), *_ = _begun(ITEM, LOT, MADE)
        store.capture([prepare(event) for event in events])
        (answer,) = store.capture([prepare(sale(MORNING, asked))])
        assert not answer.findings
