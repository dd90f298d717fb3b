"""Capture: events become rows, all of a job in one transaction, and an answer for each.

EPCIS 2.0, 8.2.2 and 12.6 (rollback and proceed); CBV 2.0, 8.9. An event is known by its id; without one, by the hash of
its content, which becomes its id. The same event again is a duplicate and changes nothing; another content under an id
that is taken is refused. What declares an event to be an error bears the event's id and repeats its content, and stands
or falls with its corrective events in the same job. Preparing (hash, terms, text) needs no database and is the work;
what runs inside the transaction is short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.kit import Finding, JinkaError, Severity
from jinka.kit.frozen import quick
from jinka.store import trace_tables as table
from jinka.store.trace_document import id_of_content, pack
from jinka.store.trace_hands import declares
from jinka.store.trace_rows import insert_rows
from jinka.store.trace_sql import event_key
from jinka.store.trace_terms import Number, Term, numbers_of, terms_of

_ASKED = 500  # ids in one question
_KNOWN_ID = "the same event is known already"
_KNOWN_CONTENT = "an event of this content is known already; in its hash times count to the millisecond"


class Outcome(Enum):
    """What became of one event."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    REFUSED = "refused"


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """To one event of a job; ``where`` is a JSON pointer into the document or the event, ``seq`` its record time."""

    outcome: Outcome
    event_id: str = ""
    seq: int = 0
    what: str = ""
    where: str = ""
    fix: str = ""
    findings: tuple[Finding, ...] = ()


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An event as the rows that it will be, but for its record time."""

    event: Event
    event_id: str
    key: bytes
    content: bytes
    declared: bytes
    document: bytes
    terms: frozenset[Term] | set[Term]
    numbers: set[Number]
    where: str = ""


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An event of a document that is none."""

    error: JinkaError
    where: str = ""


def prepare(event: Event, where: str = "") -> Prepared:
    """All that can be done of a capture without the database; raises `Refused`."""
    hash_id = id_of_content(event)
    event_id = event.event_id or hash_id
    declared = b"" if event.error is None else hashlib.sha256(repr(event.error).encode()).digest()[:16]
    return Prepared(
        event=event,
        event_id=event_id,
        key=event_key(event_id),
        content=event_key(hash_id),
        declared=declared,
        document=pack(event, event_id),
        terms=terms_of(event),
        numbers=numbers_of(event),
        where=where,
    )


class Judging:
    """What judges the events of a job inside its transaction; the default finds nothing wrong."""

    def findings(self, event: Event) -> list[Finding]:  # noqa: ARG002 for those that look
        """What is wrong with an event; an ERROR keeps it out."""
        return []

    def accept(self, event: Event) -> None:
        """It is kept."""


Transaction = sa.Connection  # what rooms above hand around without knowing the library
Judges = Callable[[Transaction, Sequence[Event]], Judging]


def decide(
    connection: sa.Connection,
    batch: Sequence[Prepared | Unreadable],
    judging: Judging,
    *,
    declares_own_of: str = "",
) -> tuple[list[Answer], list[Prepared]]:
    """An answer to each, and what is to be inserted; reads the database and writes nothing.

    An accepted answer has no record time yet. ``declares_own_of``: a participant who may declare an error only what it
    captured itself, before or earlier in the job. An id that only others' events have is not taken for it: that they
    have it is not told, and nobody can keep others from theirs by being the first to use it.
    """
    taken = _taken(connection, {one.key for one in batch if isinstance(one, Prepared)})
    own: _Own | None = None
    if declares_own_of:
        own = _own(
            connection,
            declares_own_of,
            {one.key for one in batch if isinstance(one, Prepared)},
        )
    answers = [_answer(one, taken, judging, own) for one in batch]
    _bind_corrections(batch, answers, _missing(connection, batch))
    fresh = [
        one
        for one, answer in zip(batch, answers, strict=True)
        if isinstance(one, Prepared) and answer.outcome is Outcome.ACCEPTED
    ]
    return answers, fresh


# Event: declaration (empty: the event itself) and content: the record time, 0 within the job.
_Taken = dict[bytes, dict[tuple[bytes, bytes], int]]
_Own = dict[bytes, set[bytes]]  # event: contents that the caller captured and may declare errors


def _taken(connection: sa.Connection, keys: set[bytes]) -> _Taken:
    found: _Taken = {}
    for key, declared, content, seq in known_ids(connection, keys):
        found.setdefault(key, {})[declared, content] = seq
    return found


def known_ids(connection: sa.Connection, keys: Iterable[bytes]) -> Iterator[tuple[bytes, bytes, bytes, int]]:
    """Rows of `trace_ids`: key, declared, content, record time. Straight from the driver: each capture asks twice."""
    wanted, sqlite = sorted(set(keys)), connection.dialect.name == "sqlite"
    driver: Any = connection.connection.driver_connection
    for at in range(0, len(wanted), _ASKED):
        some = wanted[at : at + _ASKED]
        which, asked = (f"IN ({', '.join('?' * len(some))})", some) if sqlite else ("= ANY(%s)", [some])
        query = f"SELECT key, declared, content, seq FROM trace_ids WHERE key {which}"  # noqa: S608
        yield from driver.cursor().execute(query, asked).fetchall()


def _own(connection: sa.Connection, participant: str, keys: set[bytes]) -> _Own:
    """Those of some events."""
    found: _Own = {}
    columns, wanted = table.ids.c, sorted(keys)
    for at in range(0, len(wanted), _ASKED):
        asked = sa.select(columns.key, columns.content).where(
            columns.key.in_(wanted[at : at + _ASKED]), columns.declared == b"",
            declares(participant)(columns.seq),
        )  # fmt: skip
        for key, content in connection.execute(asked):
            found.setdefault(key, set()).add(content)
    return found


def _answer(one: Prepared | Unreadable, taken: _Taken, judging: Judging, own: _Own | None) -> Answer:
    if isinstance(one, Unreadable):
        fault = one.error
        return Answer(
            outcome=Outcome.REFUSED, what=fault.what, where=one.where + fault.where, fix=fault.fix
        )  # fmt: skip
    held = taken.get(one.key, {})
    seq = held.get((one.declared, one.content))
    if seq is not None:
        what = _KNOWN_ID if one.event.event_id is not None else _KNOWN_CONTENT
        return Answer(outcome=Outcome.DUPLICATE, event_id=one.event_id, seq=seq, what=what)
    if one.declared and own is not None and one.content not in own.get(one.key, ()):
        return Answer(
            outcome=Outcome.REFUSED, event_id=one.event_id, what="you captured no such event",
            where=f"{one.where}/errorDeclaration", fix="who captured an event declares it an error",
        )  # fmt: skip
    others = own is not None and one.key not in own  # an id that only others' events have
    if held and not others and all(one.content != content for _, content in held):
        what = (
            "another event has this id"
            if not one.declared
            else "it does not repeat the event that it declares an error"
        )
        return Answer(
            outcome=Outcome.REFUSED, event_id=one.event_id, what=what, where=f"{one.where}/eventID",
            fix="a fresh id, or none: then its hash becomes its id",
        )  # fmt: skip
    findings = tuple(judging.findings(one.event))
    worst = next((found for found in findings if found.severity is Severity.ERROR), None)
    if worst is not None:
        return Answer(
            outcome=Outcome.REFUSED, event_id=one.event_id, what=worst.what, where=one.where + worst.where,
            fix=worst.code, findings=findings,
        )  # fmt: skip
    judging.accept(one.event)
    taken.setdefault(one.key, {})[one.declared, one.content] = 0
    if own is not None and not one.declared:
        own.setdefault(one.key, set()).add(one.content)
    return Answer(outcome=Outcome.ACCEPTED, event_id=one.event_id, findings=findings)


def _missing(connection: sa.Connection, batch: Sequence[Prepared | Unreadable]) -> dict[str, int]:
    """Corrective events that are neither kept nor in the job, where the job has one that could not be read.

    Its id could not be read either, so it may be any of them; each with the place of the first such event.
    """
    unread = next((at for at, one in enumerate(batch) if isinstance(one, Unreadable)), None)
    if unread is None:
        return {}
    known, named = set[str](), set[str]()
    for one in batch:
        if isinstance(one, Prepared):
            known.update(() if one.declared else (one.event_id,))
            named.update(() if one.event.error is None else one.event.error.corrective_event_ids)
    keys = {event_key(id_): id_ for id_ in named - known}
    kept = _taken(connection, set(keys))
    return {id_: unread for key, id_ in keys.items() if all(declared for declared, _ in kept.get(key, ()))}


def _bind_corrections(
    batch: Sequence[Prepared | Unreadable], answers: list[Answer], missing: Mapping[str, int]
) -> None:
    """Let a declaration and its corrective events of the same job be refused together, in place.

    And with an event what declares it an error behind it in the job: there is nothing left that it would speak of.
    """
    at_id = dict(missing)
    for at, (one, answer) in enumerate(zip(batch, answers, strict=True)):
        if answer.event_id and not (isinstance(one, Prepared) and one.declared):
            at_id.setdefault(answer.event_id, at)  # the event itself, and not what declares it an error
    groups: list[set[int]] = []
    for at, one in enumerate(batch):
        if isinstance(one, Prepared) and one.event.error is not None:
            corrections = {at_id[id_] for id_ in one.event.error.corrective_event_ids if id_ in at_id}
            if corrections:
                groups.append({at} | corrections)
    follows = _declarations_behind(batch, answers)
    refused = True
    while refused:  # a refusal may reach further groups
        refused = False
        for group, only in [*((group, group) for group in groups), *follows]:
            bad = [at for at in only if answers[at].outcome is Outcome.REFUSED]
            if not bad:
                continue
            for at in group:
                if answers[at].outcome is Outcome.ACCEPTED:
                    answers[at] = Answer(
                        outcome=Outcome.REFUSED, event_id=answers[at].event_id,
                        what="belongs with an event that was refused", where=answers[min(bad)].where,
                        fix="an error declaration and its corrective events are captured together",
                    )  # fmt: skip
                    refused = True


def _declarations_behind(
    batch: Sequence[Prepared | Unreadable], answers: Sequence[Answer]
) -> list[tuple[set[int], set[int]]]:
    """Declarations that rest on an event before them in the job: (declarations, the event)."""
    plain: dict[bytes, tuple[int, set[int]]] = {}
    for at, one in enumerate(batch):
        if isinstance(one, Prepared) and answers[at].outcome is Outcome.ACCEPTED:
            if not one.declared:
                plain[one.key] = (at, set())
            elif one.key in plain:
                plain[one.key][1].add(at)
    return [(declared, {at}) for at, declared in plain.values() if declared]


def first_free(connection: sa.Connection, now_micros: int) -> int:
    """The first record time from now on that no event has."""
    newest = int(connection.scalar(sa.select(sa.func.max(table.events.c.seq))) or 0)
    return max(now_micros, newest + 1)


def insert(connection: sa.Connection, fresh: Sequence[Prepared], job: str, first: int) -> None:
    """Insert them under record times from ``first`` on."""
    numbered = list(enumerate(fresh, first))
    insert_rows(
        connection, table.events,
        [(seq, one.event.event_time_us, one.key, job, one.document) for seq, one in numbered],
    )  # fmt: skip
    insert_rows(connection, table.ids, [(one.key, seq, one.content, one.declared) for seq, one in numbered])
    insert_rows(
        connection, table.terms, sorted((int(kind), value, seq) for seq, one in numbered for kind, value in one.terms)
    )  # fmt: skip
    insert_rows(
        connection, table.numbers,
        sorted((int(kind), name, value, seq) for seq, one in numbered for kind, name, value in one.numbers),
    )  # fmt: skip


def counts(answers: Iterable[Answer]) -> Mapping[Outcome, int]:
    """How many of each outcome."""
    found = dict.fromkeys(Outcome, 0)
    for answer in answers:
        found[answer.outcome] += 1
    return found


def answer_facts(answer: Answer) -> dict[str, Any]:
    """An answer as JSON has it; what is empty is left out."""
    facts: dict[str, Any] = {"outcome": answer.outcome.value, "eventID": answer.event_id, "what": answer.what,
                             "where": answer.where, "fix": answer.fix}  # fmt: skip
    facts["findings"] = [
        {"code": one.code, "severity": one.severity.value, "where": one.where, "what": one.what}
        for one in answer.findings
    ]
    return {name: value for name, value in facts.items() if value}
