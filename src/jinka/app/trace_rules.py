"""The rules that a repository judges captures by: its operator's choices, what is known of things, and open recalls.

``[rules]`` of its file: a rule's code with ``refuse``, ``finding`` or ``off``; ``ahead_s``, by how much a client's
clock may be ahead; ``choreography``, whether the past of things is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinka.codec.epcis import Event
from jinka.codec.tags import canonical_id
from jinka.kit import Clock, Usage
from jinka.store.trace_capture import Judges, Judging, Transaction
from jinka.store.trace_expiry import expiry_of
from jinka.store.trace_recalls import quarantine_of
from jinka.store.trace_turns import SqlTurns
from jinka.trace.rules import Gate, Judge, RuleBook


class _JobJudge(Judge, Judging):
    """One for each job."""


def judges_of(table: Mapping[str, Any], clock: Clock, *, terse: bool = False) -> Judges:
    """What a store asks for each job; raises `Usage` for a table that says something else. ``terse``: as `RuleBook`."""
    given = dict(table)
    ahead_s, looks_back = given.pop("ahead_s", RuleBook().ahead_s), given.pop("choreography", True)
    if type(ahead_s) is not int or ahead_s < 0:
        raise Usage("no whole number", where="rules.ahead_s", fix="ahead_s = 300")
    if type(looks_back) is not bool:
        raise Usage("neither true nor false", where="rules.choreography", fix="choreography = true")
    chosen = RuleBook.read({name: str(value) for name, value in given.items()})
    book = RuleBook(choices=chosen.choices, ahead_s=ahead_s, terse=terse)

    def judges(connection: Transaction, events: Sequence[Event]) -> Judging:
        return _JobJudge(
            book,
            events,
            key=canonical_id,
            now_micros=clock.now_micros(),
            states=SqlTurns(connection) if looks_back else None,
            gates=[gate for gate in _gates(book, connection, events) if gate is not None],
        )

    return judges


def _gates(book: RuleBook, connection: Transaction, events: Sequence[Event]) -> Iterator[Gate | None]:
    yield quarantine_of(connection, events)
    if book.severity("EXPIRED") is not None:
        yield expiry_of(connection, events)
