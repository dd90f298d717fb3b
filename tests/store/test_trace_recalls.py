"""Recalls on SQLite and PostgreSQL. Goal: what was written is what is read, and what is held back stays where it is.

Method: one chain, captured; a recall through its acts, read again each time; the gate before, while and after.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.kit import NotFound, Refused
from jinka.store import database_at
from jinka.store.trace_edges import SqlLinks, write_edges
from jinka.store.trace_recalls import SqlRecalls, quarantine_of
from jinka.trace.recall import ITEMS, Act, Cause, CauseKind, Fate, Grade, Outcome, Recall, RecallEvent, draft
from jinka.trace.recall_scope import FoundScope, Part, scope_of
from jinka.trace.spread import Seed, spread_forward
from tests.trace.chains import CBV, case, item, lot, made, packed, parts, place, seen, unpacked

HOT, COLD = [item(1), item(2)], item(9)
CHAIN = [
    made(1, [], HOT, lot="A", where=1),
    made(1, [], [COLD], lot="B", where=1),
    packed(2, case(1), HOT[0], where=1),
    packed(2, case(2), COLD, where=1),
    packed(3, case(9), case(1), case(2), where=1),
]


def _scope(database: sa.Engine) -> FoundScope:
    with SqlLinks(database) as links:
        return scope_of(links, spread_forward(links, [Seed(links.number(lot("A")))]), as_of_us=1)


def _begin(database: sa.Engine, *, drill: bool = False) -> Recall:
    with database.begin() as connection:
        write_edges(connection, list(enumerate(CHAIN, 1)))
    found = _scope(database)
    cause = Cause(kind=CauseKind.INPUT, names=(lot("A"),), since_us=5, hazard="玻璃碎片")
    recall = draft(
        number=1,
        title="玻璃",
        grade=Grade.SECOND,
        cause=cause,
        scope=found.scope,
        at_us=1,
        by="li",
        drill=drill,
    )
    SqlRecalls(database).begin(recall, found.things)
    return recall


def _held(database: sa.Engine, *events: Event) -> list[str]:
    with database.connect() as connection:
        gate = quarantine_of(connection, events)
        return (
            [] if gate is None else [f"{where} {what}" for event in events for _, where, what in gate(event)]
        )


def test_a_recall_is_read_as_it_was_written(where: Path | str) -> None:
    with database_at(where) as database:
        recall = _begin(database)
        books = SqlRecalls(database)
        assert books.get(1) == recall
        wanted = [
            Act(event=RecallEvent.APPROVE, at_us=2, by="wang"),
            Act(event=RecallEvent.ACKNOWLEDGE, at_us=3, by="shop", holder=place(1)),
            Act(
                event=RecallEvent.REPORT, at_us=4, by="shop", holder=place(1),
                outcomes=(Outcome(subject=ITEMS, fate=Fate.RETURNED, amount=Decimal(1)),),
            ),
            Act(event=RecallEvent.WIDEN, at_us=5, by="li", scope=_scope(database).scope),
            Act(event=RecallEvent.CANCEL, at_us=6, by="li", reason="no glass"),
        ]  # fmt: skip
        for act in wanted:
            recall = recall.after(act)
            assert books.act(1, act, _scope(database).things if act.scope else None) == recall
            assert books.listed() == [recall]
        assert books.next_number() == 2
        with pytest.raises(Refused, match="cancelled cannot be approved"):
            books.act(1, replace(wanted[0], at_us=7))
        with pytest.raises(NotFound, match="no such recall"):
            books.get(2)
        with pytest.raises(sa.exc.DatabaseError), database.begin() as connection:
            connection.exec_driver_sql("DELETE FROM trace_recall_acts")


def test_the_things_of_a_scope_by_page_and_holder(where: Path | str) -> None:
    with database_at(where) as database:
        _begin(database)
        books = SqlRecalls(database)
        all_ = books.things(1)
        names = SqlLinks(database).names(thing.node for thing in all_)
        assert {names[t.node]: t.part for t in all_} == {
            lot("A"): Part.AFFECTED, item(1): Part.AFFECTED, item(2): Part.AFFECTED,
            case(1): Part.CARRIER, case(9): Part.CARRIER,
        }  # fmt: skip
        assert books.things(1, most=2) + books.things(1, after=all_[1].node) == all_
        plant = SqlLinks(database).number(place(1))
        assert {names[t.node] for t in books.things(1, holder=plant)} == {item(1), item(2), case(1), case(9)}


def test_sales_and_shipments_of_it_are_held_back_while_the_recall_runs(where: Path | str) -> None:
    with database_at(where) as database:
        _begin(database)
        sale = seen(9, "retail_selling", 2, item(9), item(2))
        assert _held(database, sale) == []
        books = SqlRecalls(database)
        books.act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))
        assert books.recalls_of([item(1), COLD]) == {item(1): [1]}
        assert _held(database, sale) == [f"/epcList/1 {item(2)}"]
        assert _held(database, seen(9, "shipping", 1, case(9), case(2))) == [f"/epcList/0 {case(9)}"]
        assert _held(database, seen(9, "shipping", 1, "urn:epc:id:sgtin:0401234.001122.9")) == []
        assert _held(database, seen(9, "receiving", 1, case(9))) == []
        assert _held(database, seen(9, "shipping", 1, quantities=parts((lot("A"), 1)))) == [
            f"/quantityList/0/epcClass {lot('A')}"
        ]
        away = replace(seen(9, "shipping", 1, case(9)), disposition=f"{CBV}Disp-recalled")
        assert _held(database, away) == []
        assert _held(database, made(9, [item(1)], [item(7, "022222")])) == [f"/inputEPCList/0 {item(1)}"]
        packs = [packed(9, case(5), item(2)), seen(10, "shipping", 1, case(5)), unpacked(11, case(5)),
                 seen(12, "shipping", 1, case(5))]  # fmt: skip
        assert _held(database, *packs) == [f"/epcList/0 {case(5)}"]
        assert _held(database, seen(1.5, "shipping", 1, case(9))) == []  # nothing lay in it then
        books.act(1, Act(event=RecallEvent.CLOSE, at_us=3, by="wang", reason="open: done"))
        assert _held(database, sale) == []


def test_what_is_inside_counts_at_the_time_of_each_event(where: Path | str) -> None:
    with database_at(where) as database:
        _begin(database)
        SqlRecalls(database).act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))
        ship = seen(10, "shipping", 1, case(9))
        held = [f"/epcList/0 {case(9)}"]
        late = [unpacked(11, case(1)), seen(20, "inspecting", 1, item(77))]
        assert _held(database, *late, ship) == held  # it is emptied after it was shipped
        assert _held(database, unpacked(9, case(1)), ship) == []
        assert _held(database, unpacked(9, case(1), item(8)), ship) == held  # another one was taken out
        late = [seen(10, "shipping", 1, case(5)), packed(9, case(5), item(2))]
        assert _held(database, *late) == [f"/epcList/0 {case(5)}"]  # a document may tell it backwards
        nested = [packed(8, case(2), item(2)), unpacked(9, case(9), case(1)), ship]
        assert _held(database, *nested) == held
        assert _held(database, *nested[1:]) == []


def test_a_disposition_without_a_step_is_held_back_too(where: Path | str) -> None:
    def told(step: str, disposition: str) -> list[str]:
        event = replace(seen(9, step, 1, item(1)), disposition=f"{CBV}Disp-{disposition}")
        return _held(database, event if step else replace(event, biz_step=None))

    with database_at(where) as database:
        _begin(database)
        SqlRecalls(database).act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))
        held = [f"/epcList/0 {item(1)}"]
        for step, disposition in ("", "in_transit"), ("", "retail_sold"), ("stocking", "retail_sold"):
            assert told(step, disposition) == held
        for step, disposition in ("", "recalled"), ("arriving", "in_transit"), ("stocking", "in_progress"):
            assert told(step, disposition) == []


def test_an_item_of_a_lot_that_is_held_back_is_held_back_whenever_it_is_made_known(where: Path | str) -> None:
    with database_at(where) as database:
        _begin(database)
        SqlRecalls(database).act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))
        ship = seen(10, "shipping", 1, item(50))
        assert _held(database, ship) == []
        assert _held(database, seen(10, "shipping", 1, f"{lot('A')}/21/50")) == [f"/epcList/0 {item(50)}"]
        assert _held(database, seen(10, "shipping", 1, f"{lot('B')}/21/50")) == []
        assert _held(database, seen(9, "commissioning", 1, item(50), lot="A"), ship) == [
            f"/epcList/0 {item(50)}"
        ]


def test_a_drill_holds_nothing_back(where: Path | str) -> None:
    with database_at(where) as database:
        _begin(database, drill=True)
        SqlRecalls(database).act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))
        assert _held(database, seen(9, "retail_selling", 2, item(2))) == []
