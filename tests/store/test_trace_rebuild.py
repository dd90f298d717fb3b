"""Edges made again from the events. Goal: the same as captures make, whatever ends it; half of them answer nothing.

Method: a generated chain with errors is captured on each engine; its edges are compared row by row after a rebuild.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.cli.main import app
from jinka.kit import Refused
from jinka.node.system import SystemClock
from jinka.sim.trace_chain import Chain, ChainSize
from jinka.store import database_at, trace_rebuild
from jinka.store.database import Database
from jinka.store.trace_capture import Judging, prepare
from jinka.store.trace_edges import SqlLinks, edges
from jinka.store.trace_edges_state import edges_state, put_edges_state
from jinka.store.trace_rebuild import rebuild_edges
from jinka.store.trace_recalls import SqlRecalls, quarantine_of
from jinka.store.trace_store import TraceStore
from jinka.trace.lineage import EDGES_VERSION
from jinka.trace.recall import Act, Cause, CauseKind, Grade, RecallEvent, Scope, draft

CHAIN = Chain(ChainSize(items=200, items_per_lot=50, slip_rate=0.2))
EVENTS = [prepare(event) for event in CHAIN.events()]


def _capture(database: Database, *, pieces: int = 3) -> None:
    store = TraceStore(database, SystemClock(), judges=lambda *_: Judging())
    size = len(EVENTS) // pieces + 1
    for start in range(0, len(EVENTS), size):
        store.capture(EVENTS[start : start + size], proceed=True)


def _rows(database: Database) -> set[tuple[object, ...]]:
    with database.connect() as connection:
        return {tuple(row) for row in connection.execute(edges.select())}


def test_the_edges_are_those_of_the_captures(where: Path | str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_rebuild, "_PIECE", 7)
    with database_at(where) as database:
        _capture(database)
        before = _rows(database)
        assert len(before) > 500
        with database.begin() as connection:
            assert edges_state(connection) == (EDGES_VERSION, -1)
            put_edges_state(connection, EDGES_VERSION - 1, -1)
            connection.execute(edges.delete().where(edges.c.kind == 12))
        with pytest.raises(Refused, match="of version"), SqlLinks(database):
            pass
        told: list[int] = []
        assert rebuild_edges(database, told.append) == told[-1] > 7
        assert _rows(database) == before
        with SqlLinks(database) as links:
            assert links.number(CHAIN.item(0))


def test_it_goes_on_where_it_was_killed(fresh_sqlite: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_rebuild, "_PIECE", 7)
    with database_at(fresh_sqlite()) as database:  # type: ignore[operator]
        _capture(database, pieces=1)
        before, whole = _rows(database), rebuild_edges(database)

        def killed(count: int) -> None:
            if count > 20:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            rebuild_edges(database, killed)
        with pytest.raises(Refused, match="being made again"), SqlLinks(database):
            pass
        with database.begin() as connection:
            assert quarantine_of(connection, []) is None
        _hold(SqlRecalls(database))
        with database.begin() as connection, pytest.raises(Refused, match="cannot be told"):
            quarantine_of(connection, [])
        assert rebuild_edges(database) == whole - 21
        assert _rows(database) == before
        with database.begin() as connection:
            assert quarantine_of(connection, []) is not None
            put_edges_state(connection, EDGES_VERSION - 1, -1)
            with pytest.raises(Refused, match=r"cannot be told.*version"):
                quarantine_of(connection, [])


def _hold(books: SqlRecalls) -> None:
    scope = Scope(as_of_us=1, digest="", things=0, holders=())
    cause = Cause(kind=CauseKind.LOT, names=(CHAIN.lot(0),))
    books.begin(draft(number=1, title="x", grade=Grade.FIRST, cause=cause, scope=scope, at_us=1, by="li"), [])
    books.act(1, Act(event=RecallEvent.APPROVE, at_us=2, by="wang"))


def test_the_command_says_how_many(fresh_sqlite: object) -> None:
    where = fresh_sqlite()  # type: ignore[operator]
    with database_at(where) as database:
        _capture(database)
    result = CliRunner().invoke(app, ["trace", "rebuild", "--at", str(where), "--lang", "zh"])
    assert result.exit_code == 0, result.output
    assert "个事件重建了追溯索引" in result.stdout
