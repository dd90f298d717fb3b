"""EPCIS events on SQLite or PostgreSQL: capture jobs, events, named queries, master data.

One writer at a time puts a job down: its events with all that they are found by, their edges, its master data and its
answers are one transaction, durable when `capture` returns, so whoever was told of a job finds its events. Record times
grow from commit to commit (PostgreSQL: under a lock), so who has seen one has seen all before it.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event, Vocabulary
from jinka.kit import Clock
from jinka.store import trace_tables as table
from jinka.store.trace_access import follow_hands, say_again
from jinka.store.trace_capture import (
    Answer,
    Judges,
    Judging,
    Outcome,
    Prepared,
    Unreadable,
    answer_facts,
    counts,
    decide,
    first_free,
    insert,
    known_ids,
)
from jinka.store.trace_document import unpack
from jinka.store.trace_edges import remove_edges, write_edges
from jinka.store.trace_find import Page, Position, Row, TraceReader
from jinka.store.trace_master import save_vocabularies
from jinka.store.trace_query import EventQuery
from jinka.store.trace_rows import make_partitions
from jinka.store.trace_turns import write_turns

_WRITER = 0x7472616365  # "trace"; PostgreSQL's advisory lock


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A capture job that has ended. ``number`` orders jobs."""

    number: int
    id: str
    created_micros: int
    finished_micros: int
    success: bool
    behaviour: str
    captured_by: str
    accepted: int
    duplicates: int
    refused: int
    answers: tuple[Mapping[str, Any], ...]


class TraceStore(TraceReader):
    """Writes and reads. ``judges`` makes the judge of each job's events, asked inside its transaction."""

    def __init__(
        self, engine: sa.Engine, clock: Clock, *, judges: Judges | None = None, query_s: float = 30
    ) -> None:
        super().__init__(engine, query_s=query_s)
        self._write, self._clock, self._judges = engine, clock, judges
        self._turn = threading.Lock()
        self._partitions = (0, 0)  # record times that have their partition
        self._made = (0, 0)  # and those that will have, if the transaction ends well

    def capture(
        self,
        batch: Sequence[Prepared | Unreadable],
        *,
        job: str = "",
        proceed: bool = False,
        captured_by: str = "",
        declares_own: bool = False,
        vocabularies: Sequence[Vocabulary] = (),
        signed: bytes = b"",
    ) -> list[Answer]:
        """Put down what is good; without ``proceed`` all or nothing. With an id the job is kept with its answers.

        ``declares_own``: who captures may declare errors only of what it captured itself.
        ``signed``: what its signature leaves, kept with the job.
        """
        begun = self._clock.now_micros()
        with self._turn:
            with self._write.begin() as connection:
                if connection.dialect.name == "postgresql":
                    connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_WRITER)))
                self._made = self._partitions
                events = [one.event for one in batch if isinstance(one, Prepared)]
                judging = self._judges(connection, events) if self._judges is not None else Judging()
                answers, fresh = decide(
                    connection, batch, judging, declares_own_of=captured_by if declares_own else ""
                )
                success = all(answer.outcome is not Outcome.REFUSED for answer in answers)
                if success or proceed:
                    if fresh:
                        answers = self._insert(connection, fresh, answers, job, captured_by)
                    say_again(connection, _known(batch, answers), captured_by)
                    save_vocabularies(connection, vocabularies)
                else:
                    answers = [_rolled_back(answer) for answer in answers]
                if job:
                    self._keep(connection, job, begun, success, proceed, captured_by, answers)
                if job and signed:
                    connection.execute(table.signers.insert(), {"job": job, "certificates": signed})
            self._partitions = self._made
        return answers

    def _insert(
        self, connection: sa.Connection, fresh: list[Prepared], answers: list[Answer], job: str, by: str
    ) -> list[Answer]:
        seq = first_free(connection, self._clock.now_micros())
        if connection.dialect.name == "postgresql":
            self._make_partitions(connection, seq, seq + len(fresh))
        insert(connection, fresh, job, seq)
        numbered = list(enumerate(fresh, seq))
        _edges(connection, numbered)
        follow_hands(connection, [(seq, one.event) for seq, one in numbered], by)
        recorded = iter(range(seq, seq + len(fresh)))
        return [
            Answer(
                outcome=answer.outcome, event_id=answer.event_id, seq=next(recorded), findings=answer.findings
            )
            if answer.outcome is Outcome.ACCEPTED
            else answer
            for answer in answers
        ]

    def _make_partitions(self, connection: sa.Connection, first: int, end: int) -> None:
        for micros in (first, end):
            if not self._made[0] <= micros < self._made[1]:
                self._made = make_partitions(connection, table.PARTITIONED, micros)

    def _keep(
        self, connection: sa.Connection, job: str, begun: int, success: bool, proceed: bool, captured_by: str,
        answers: list[Answer],
    ) -> None:  # fmt: skip
        number = int(connection.scalar(sa.select(sa.func.max(table.jobs.c.number))) or 0) + 1
        count = counts(answers)
        connection.execute(
            table.jobs.insert(),
            {
                "number": number, "id": job, "created_micros": begun,
                "finished_micros": max(self._clock.now_micros(), begun), "success": success,
                "behaviour": "proceed" if proceed else "rollback", "captured_by": captured_by,
                "accepted": count[Outcome.ACCEPTED], "duplicates": count[Outcome.DUPLICATE],
                "refused": count[Outcome.REFUSED], "answers": json.dumps([answer_facts(one) for one in answers]),
            },
        )  # fmt: skip

    def signed(self, job: str) -> bytes:
        """What the signature of a job left; empty without one."""
        kept = sa.select(table.signers.c.certificates).where(table.signers.c.job == job)
        with self._patiently() as connection:
            return bytes(connection.scalar(kept) or b"")

    def job(self, id_: str) -> Job | None:
        """A job by its id."""
        found = self._jobs(sa.select(table.jobs).where(table.jobs.c.id == id_))
        return found[0] if found else None

    def jobs(self, before: int, most: int, by: str = "") -> list[Job]:
        """The newest jobs; with ``before``, those before that number, and with ``by`` those of one participant."""
        columns = table.jobs.c
        found = sa.select(table.jobs).order_by(columns.number.desc()).limit(most)
        if by:
            found = found.where(columns.captured_by == by)
        return self._jobs(found.where(columns.number < before) if before else found)

    def _jobs(self, found: sa.Select[Any]) -> list[Job]:
        with self._patiently() as connection:
            return [
                Job(**{**row, "answers": tuple(json.loads(row["answers"]))})
                for row in connection.execute(found).mappings()
            ]

    def events(self, query: EventQuery, most: int, after: Position | None = None) -> tuple[list[Event], Page]:
        """A page of a query as events with their record times."""
        page = self.page(query, most, after)
        return [event_of(row) for row in page.rows], page


def event_of(row: Row) -> Event:
    """A row as an event with its id and its record time."""
    return unpack(row.document, row.seq)


def _known(batch: Sequence[Prepared | Unreadable], answers: Sequence[Answer]) -> list[tuple[int, Event]]:
    """What was captured before this job, by whomever."""
    return [
        (answer.seq, one.event)
        for one, answer in zip(batch, answers, strict=True)
        if isinstance(one, Prepared) and answer.outcome is Outcome.DUPLICATE and answer.seq
    ]


def _rolled_back(answer: Answer) -> Answer:
    """What would have been accepted was not."""
    if answer.outcome is not Outcome.ACCEPTED:
        return answer
    return Answer(
        outcome=Outcome.REFUSED, event_id=answer.event_id, what="another event of the job was refused",
        fix="mend the other event, or ask for proceed", findings=answer.findings,
    )  # fmt: skip


def _edges(connection: sa.Connection, numbered: Sequence[tuple[int, Prepared]]) -> None:
    """The edges of events that nobody declared to be errors; those of events that somebody now does are taken out."""
    declared = [(one.key, one.content) for _, one in numbered if one.declared]
    plain = [(seq, one) for seq, one in numbered if not one.declared]
    void = set(declared) | _declared_before(connection, [one.key for _, one in plain])
    standing = [(seq, one) for seq, one in plain if (one.key, one.content) not in void]
    write_edges(connection, [(seq, one.event) for seq, one in standing])
    stays = {seq for seq, _ in standing}
    lasting = [
        (seq, one.key, one.content, one.event) for seq, one in numbered if one.declared or seq in stays
    ]
    write_turns(connection, lasting)
    if declared:
        columns, ids = table.events.c, table.ids.c
        fresh, keys = {seq for seq, _ in numbered}, [key for key, _ in declared]
        old = sa.select(columns.seq, columns.document, ids.key, ids.content).where(
            columns.seq == ids.seq, ids.key.in_(keys), ids.declared == b""
        )
        gone = [
            (seq, unpack(raw, seq))
            for seq, raw, key, content in connection.execute(old).all()
            if seq not in fresh and (key, content) in void
        ]
        remove_edges(connection, gone)


def _declared_before(connection: sa.Connection, keys: Sequence[bytes]) -> set[tuple[bytes, bytes]]:
    """Keys and contents of those of some events that were declared to be errors before they came."""
    return {(key, content) for key, declared, content, _ in known_ids(connection, keys) if declared}
