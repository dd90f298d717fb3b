"""Participants, hands and looks on SQLite and PostgreSQL. Goal: both engines keep and find the same.

Method: events through the store's capture; what is held asked directly; looks that cannot be rewritten.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.codec.epcis import Action, ErrorDeclaration, Event, EventType
from jinka.codec.epcis.model import Place
from jinka.codec.tags import canonical_id
from jinka.store import database_at
from jinka.store.trace_access import AccessBooks, Sight, token_hash
from jinka.store.trace_capture import prepare
from jinka.store.trace_hands import held
from jinka.store.trace_store import TraceStore
from jinka.trace.access import HIDDEN, Stay
from tests.epcis_rig import Clock
from tests.trace.test_access import (
    DOOR,
    FARM,
    FIELD,
    FOREIGN,
    HALL,
    MILL,
    MINE,
    OTHER,
    SECRET,
    SHOP,
    SPY,
    seen,
)

CASE = "urn:epc:id:sscc:4012345.0000000001"
BRAND = replace(
    FARM, id="brand", owns=frozenset({"4012345"}), token_hash=token_hash("t"), certificate="brand.example"
)


def test_participants_are_found_by_what_they_show(where: Path | str) -> None:
    with database_at(where) as database:
        books = AccessBooks(database)
        for one in (BRAND, MILL):
            books.put(one)
        assert books.participants() == [BRAND, MILL]
        assert books.by_token("t") == books.by_certificate("brand.example") == books.by_id("brand") == BRAND
        assert [books.by_token(""), books.by_token("x"), books.by_certificate(""), books.by_id("x")] == [
            None
        ] * 4
        books.put(replace(BRAND, active=False, name="gone"))
        assert books.by_token("t") is None
        assert [one.name for one in books.participants()] == ["gone", ""]


def test_hands_are_believed_and_times_grow_both_ways(where: Path | str) -> None:
    pack = Event(
        event_type=EventType.AGGREGATION, event_time_us=5_000, zone_offset="+08:00", action=Action.ADD, parent_id=CASE,
        child_epcs=(OTHER,), read_point=Place(id=FIELD),
    )  # fmt: skip
    with database_at(where) as database:
        books, store = AccessBooks(database), TraceStore(database, Clock())
        for one in (BRAND, MILL, SHOP, SPY):
            books.put(one)

        def capture(by: str, *events: Event) -> None:
            store.capture([prepare(event) for event in events], captured_by=by)

        capture("brand", seen(10_000, FIELD, to=HALL), pack, seen(8_000, FIELD, CASE, to=HALL))
        capture("mill", seen(20_000, HALL), seen(5_000, HALL), seen(30_000, HALL, FOREIGN))
        capture(
            "spy",
            seen(40_000, DOOR),
            seen(41_000, DOOR, FOREIGN),
            replace(pack, parent_id=FOREIGN, event_time_us=6_000),
        )
        void = replace(seen(99_000, HALL), error=ErrorDeclaration(declaration_time_us=1))
        capture("mill", void)
        things = [canonical_id(each) for each in (MINE, OTHER, FOREIGN)]
        with database.begin() as connection:
            mill = held(connection, "mill", things)
            assert (mill[things[0]], mill[things[2]]) == (Stay(5_000, 20_000), Stay(30_000, 30_000))
            assert mill[things[1]] == Stay(8_000, 8_000)  # in the case, while the mill had it
            assert held(connection, "spy", things) == {}
            assert set(held(connection, "brand", things)) == {things[0], things[1]}
        shown = Sight(database, SECRET).show(MILL, [(0, seen(10_000, FIELD)), (0, seen(11_000, DOOR, DOOR))])
        assert shown[0] is not None
        assert shown[0].read_point is not None
        assert shown[0].read_point.id.startswith(HIDDEN)
        assert shown[1] is None


def test_a_look_is_not_rewritten(where: Path | str) -> None:
    with database_at(where) as database:
        books = AccessBooks(database)
        for number in (1, 2, 3):
            books.note(number, "mill" if number > 1 else "shop", "q", number, 0)
        assert [look["number"] for look in books.looks("")] == [3, 2, 1]
        assert [look["shown"] for look in books.looks("mill", 1)] == [3]
        with pytest.raises(sa.exc.DatabaseError, match="append-only"), database.begin() as connection:
            connection.exec_driver_sql("UPDATE trace_looks SET shown = 0")
