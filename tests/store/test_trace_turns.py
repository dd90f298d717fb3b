"""The turning points of things on SQLite and PostgreSQL. Goal: rules look back at what was captured, at nothing void.

Method: events through the store's own capture, judged inside its transaction, then one is declared an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import sqlalchemy as sa

from jinka.codec.epcis import Action, ErrorDeclaration, Event
from jinka.codec.tags import canonical_id
from jinka.store import database_at
from jinka.store.trace_capture import Answer, Judging, Outcome, prepare
from jinka.store.trace_store import TraceStore
from jinka.store.trace_turns import TURNS_MAX, SqlTurns, write_turns
from jinka.trace.choreography import Deed, Turn
from jinka.trace.rules import Judge, RuleBook
from tests.trace.test_choreography import CASE, ITEM, pack, thing

NOW = 1_800_000_000_000_000


class _Clock:
    def now_micros(self) -> int:
        return NOW


class _Rules(Judging):
    def __init__(self, judge: Judge) -> None:
        self.findings, self.accept = judge.findings, judge.accept  # type: ignore[method-assign]


def _judges(connection: sa.Connection, events: Sequence[Event]) -> Judging:
    book = RuleBook.read({"AFTER_END": "refuse"})
    return _Rules(Judge(book, events, key=canonical_id, now_micros=NOW, states=SqlTurns(connection)))


def _capture(store: TraceStore, *events: Event) -> list[Answer]:
    return store.capture([prepare(event) for event in events], proceed=True)


def test_what_was_captured_is_held_against_what_comes(where: Path | str) -> None:
    ended = thing(50, Action.DELETE, "destroying")
    seen = thing(60, Action.OBSERVE, "inspecting")
    with database_at(where) as database:
        store = TraceStore(database, _Clock(), judges=_judges)
        assert [a.outcome for a in _capture(store, thing(10, Action.ADD, "commissioning"), ended)] == [
            Outcome.ACCEPTED
        ] * 2
        (answer,) = _capture(store, seen)
        assert (answer.outcome, answer.fix, answer.where) == (Outcome.REFUSED, "AFTER_END", "/epcList/0")
        void = replace(ended, error=ErrorDeclaration(declaration_time_us=70))
        assert _capture(store, void)[0].outcome is Outcome.ACCEPTED
        with database.begin() as connection:
            item = canonical_id(ITEM)
            assert [t.deed for t in SqlTurns(connection).turns([item])[item]] == [Deed.BORN]
        assert _capture(store, seen)[0].outcome is Outcome.ACCEPTED


def test_a_thing_s_latest_turns_are_looked_at_in_their_order(where: Path | str) -> None:
    case = canonical_id(CASE)
    with database_at(where) as database, database.begin() as connection:
        events = [pack(at, Action.ADD, CASE, ITEM) for at in range(TURNS_MAX + 7, 0, -1)]
        write_turns(connection, [(seq, b"", b"", event) for seq, event in enumerate(events, 1)])
        found = SqlTurns(connection).turns([case, canonical_id(ITEM), "urn:nothing"])
        assert set(found) == {case, canonical_id(ITEM)}
        assert len(found[case]) == TURNS_MAX
        assert found[case][0] == Turn(8, Deed.FILLED, "", TURNS_MAX)
        assert found[canonical_id(ITEM)][-1] == Turn(TURNS_MAX + 7, Deed.PACKED, case, 1)
