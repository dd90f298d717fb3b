"""The edges of trace on SQLite and PostgreSQL. Goal: a walk finds there what it finds in memory.

Method: one chain with every kind of edge, captured in batches, against links in memory; then a voided event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from jinka.codec.epcis import Event, Extension, Typed, Vocabulary, VocabularyElement
from jinka.kit import NotFound
from jinka.store import database_at
from jinka.store.trace_edges import SqlLinks, edges, remove_edges, write_edges
from jinka.store.trace_master import save_vocabularies
from jinka.trace.recall_scope import scope_of
from jinka.trace.spread import Seed, spread_back, spread_forward
from tests.trace.chains import (
    CBV,
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


def test_whose_a_place_is_by_events_and_by_master_data(where: Path | str) -> None:
    firms = [f"https://id.gs1.org/417/{number:013d}" for number in range(1, 5)]
    both = (
        Typed(id=place(2), type=f"{CBV}SDT-location"),
        Typed(id=firms[0], type=f"{CBV}SDT-possessing_party"),
    )
    others = [
        replace(
            seen(2, "shipping", 1, case(n)), destinations=(Typed(id=firm, type=f"{CBV}SDT-owning_party"),)
        )
        for n, firm in enumerate(firms)
    ]
    _write(
        where,
        [
            replace(seen(1, "shipping", 1, case(1)), destinations=both),
            *others,
            seen(3, "receiving", 3, case(2)),
        ],
    )
    told = Extension(namespace="", name="", text="urn:epc:id:pgln:0000000.00000")
    elements = (
        VocabularyElement(
            id=place(3), attributes=(("urn:x:firm", replace(told, text=firms[1])), ("urn:x:n", told))
        ),
        VocabularyElement(id=firms[2], children=(place(2),)),
    )
    with database_at(where) as database:
        with database.begin() as connection:
            save_vocabularies(
                connection, [Vocabulary(type="urn:epcglobal:epcis:vtype:BusinessLocation", elements=elements)]
            )
        with SqlLinks(database) as links:
            numbers = links.numbers([place(1), place(2), place(3), *firms])
            found = links.parties([numbers[place(n)] for n in (1, 2, 3)])
            assert found == {
                numbers[place(2)]: {numbers[firms[0]], numbers[firms[2]]}, numbers[place(3)]: {numbers[firms[1]]}
            }  # fmt: skip


def test_what_is_sent_to_a_firm_is_held_where_it_came_and_nowhere_else(where: Path | str) -> None:
    """The firm has the place's own number in one case; in the other, master data tell."""
    some = parts((lot("A"), 60))
    for firm, told in (
        (place(2).replace("/414/", "/417/"), False),
        ("https://id.gs1.org/417/6901234000023", True),
    ):
        to = (Typed(id=firm, type=f"{CBV}SDT-possessing_party"),)
        events = [
            seen(0, "commissioning", 1, quantities=parts((lot("A"), 100)), add=True),
            replace(seen(1, "shipping", 1, quantities=some), destinations=to),
            seen(2, "receiving", 2, quantities=some),
        ]
        with database_at(where) as database:
            with database.begin() as connection:
                connection.execute(edges.delete())
            _write(where, events)
            if told:
                with database.begin() as connection:
                    element = VocabularyElement(id=firm, children=(place(2),))
                    save_vocabularies(connection, [Vocabulary(type="urn:x:party", elements=(element,))])
            with SqlLinks(database) as links:
                found = spread_forward(links, [Seed(links.number(lot("A")))])
                holders = scope_of(links, found, as_of_us=1).scope.holders
                assert {each.holder: int(each.lines[0].amount) for each in holders} == {
                    place(1): 40,
                    place(2): 60,
                }
