"""The edges of trace on SQLite and PostgreSQL. Goal: a walk finds there what it finds in memory.

Method: one chain with every kind of edge, captured in batches, against links in memory; then a voided event.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from jinka.codec.epcis import Event
from jinka.kit import NotFound
from jinka.store import database_at
from jinka.store.trace_edges import SqlLinks, remove_edges, write_edges
from jinka.trace.spread import Seed, spread_back, spread_forward
from tests.trace.chains import (
    HOUR_US,
    MemoryLinks,
    case,
    item,
    kind,
    lot,
    made,
    packed,
    parts,
    place,
    seen,
    unpacked,
)

CHAIN = [
    seen(1, "commissioning", 1, lot="W", quantities=parts((kind(), 100))),
    seen(2, "shipping", 1, quantities=parts((lot("W"), 60)), to=2),
    made(3, [], [item(n, "022222") for n in range(6)], lot="F", used=parts((lot("W"), 60)), where=2),
    packed(4, case(1), item(0, "022222"), item(1, "022222"), item(1, "022222"), where=2),
    packed(4, case(2), item(2, "022222"), where=2),
    packed(5, case(9), case(1), case(2), where=2),
    packed(5, "urn:epc:id:grai:4012345.55555.987", case(9), attached=True),
    seen(6, "shipping", 2, case(9), to=3),
    unpacked(7, case(9), where=3),
    made(8, [item(0, "022222")], [item(7, "033333")], where=3),
]


def _write(where: Path | str, events: Sequence[Event], *, size: int = 4) -> None:
    with database_at(where) as database:
        numbered = list(enumerate(events, 1))
        for start in range(0, len(numbered), size):
            with database.begin() as connection:
                write_edges(connection, numbered[start : start + size])


def test_a_walk_over_sql_is_the_walk_in_memory(where: Path | str) -> None:
    _write(where, CHAIN)
    memory = MemoryLinks(CHAIN)
    with database_at(where) as database, SqlLinks(database) as links:
        names = links.numbers([*memory.shown.values(), "https://id.gs1.org/01/nothing"])
        shown = links.names(names.values())
        assert {shown[n] for n in names.values()} == set(names)
        things = {name for name in memory.shown.values() if not name.startswith("transformation:")}
        assert set(names) >= things
        for name in sorted(things):
            for walk in (spread_forward, spread_back):
                mine = walk(memory, [Seed(memory.number(name))])
                other = walk(links, [Seed(names[name])])
                found = links.names([*other.things(), *other.carriers])
                assert {found[n] for n in other.things()} == memory.named(mine.things()), name
                assert {found[n] for n in other.carriers} == memory.named(mine.carriers), name


def test_rows_are_the_same_from_either_end(where: Path | str) -> None:
    _write(where, CHAIN)
    with database_at(where) as database:
        links = SqlLinks(database)
        known = sorted(links.numbers(MemoryLinks(CHAIN).shown.values()).values())
        beside = {
            row[0] for row in links.arriving(known, range(1, 14))
        }  # transformations have names of their own
        nodes = sorted({*known, *beside})
        out = links.leaving(nodes)
        assert set(out) == set(links.arriving(nodes, range(1, 14)))
        assert [row[0] for row in out] == sorted(row[0] for row in out)
        at = links.at_place(place(2), 4 * HOUR_US, 5 * HOUR_US)
        assert len({row[0] for row in at}) == 3
        with pytest.raises(NotFound, match="no event names it"):
            links.number(item(999))


def test_a_voided_event_has_no_edges_any_more(where: Path | str) -> None:
    _write(where, CHAIN)
    with database_at(where) as database:
        with database.begin() as connection:
            remove_edges(connection, [(3, CHAIN[2])])
        links = SqlLinks(database)
        found = spread_forward(links, [Seed(links.number(lot("W")))])
        assert set(links.names(found.things()).values()) == {lot("W")}


def test_more_nodes_than_one_question_holds(fresh_sqlite: object, monkeypatch: pytest.MonkeyPatch) -> None:
    where = fresh_sqlite()  # type: ignore[operator]
    _write(where, CHAIN)
    with database_at(where) as database:
        links = SqlLinks(database)
        nodes = sorted(links.numbers(MemoryLinks(CHAIN).shown.values()).values())
        whole = links.leaving(nodes)
        monkeypatch.setattr("jinka.store.trace_edges._CHUNK", 2)
        assert links.leaving(nodes) == whole
