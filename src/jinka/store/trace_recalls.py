"""Recalls on SQL: the acts of each, append-only, the things of its scope, and what is held back now.

A recall is read by folding its acts (`jinka.trace.recall`); an act is written with what follows from it in one
transaction, under the database's own lock. The gate (`quarantine_of`) is asked in the transaction of a capture, and
costs one small query where no recall holds anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.kit import NotFound, Refused
from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_edges_state import check_edges
from jinka.store.trace_recall_text import act_of, act_text, cause_of, cause_text
from jinka.store.trace_tables import terms
from jinka.store.trace_terms import Field
from jinka.trace.job_links import JobLinks
from jinka.trace.quarantine import Quarantine, held_windows
from jinka.trace.recall import Act, Grade, Recall, fold
from jinka.trace.recall_scope import Part, Thing

_ASKED = 500

recalls = sa.Table(
    "trace_recalls",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("grade", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False),  # JSON
    sa.Column("drill", sa.Boolean, nullable=False),
    sa.Column("held_since_us", sa.BigInteger, nullable=False),  # as its acts left it; 0: nothing is held back
)

acts = sa.Table(
    "trace_recall_acts",
    metadata,
    sa.Column("recall", sa.BigInteger, sa.ForeignKey("trace_recalls.number"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("body", sa.Text, nullable=False),  # JSON
)

# The scope as it is now; what it was at each act, the act's digest says.
things = sa.Table(
    "trace_recall_things",
    metadata,
    sa.Column("recall", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("node", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("part", sa.SmallInteger, nullable=False),
    sa.Column("via", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.SmallInteger, nullable=False),
    sa.Column("event", sa.BigInteger, nullable=False),
    sa.Column("standing", sa.Text, nullable=False),
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("holder", sa.BigInteger, nullable=False),
    sa.Index("trace_recall_things_by_node", "node", "recall"),
    sqlite_with_rowid=False,
)


class SqlRecalls:
    """The recalls of a database that was opened by `open_database`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._write, self._read = engine, reading(engine)

    def listed(self) -> list[Recall]:
        """Every recall, in the order in which they were drafted."""
        with self._read.connect() as connection:
            rows = connection.execute(sa.select(recalls).order_by(recalls.c.number)).all()
            return [_load(connection, row) for row in rows]

    def get(self, number: int) -> Recall:
        """One; `NotFound` if there is none of this number."""
        with self._read.connect() as connection:
            return _get(connection, number)

    def numbers(self, before: int, most: int) -> list[int]:
        """The newest numbers; with ``before`` those before it."""
        found = sa.select(recalls.c.number).order_by(recalls.c.number.desc()).limit(most)
        with self._read.connect() as connection:
            return list(connection.scalars(found.where(recalls.c.number < before) if before else found))

    def next_number(self) -> int:
        with self._read.connect() as connection:
            return int(connection.scalar(sa.select(sa.func.max(recalls.c.number))) or 0) + 1

    def begin(self, recall: Recall, found: Iterable[Thing]) -> None:
        """Keep a draft with its things."""
        with self._write.begin() as connection:
            row = {
                "number": recall.number, "title": recall.title, "grade": recall.grade.value[0],
                "cause": cause_text(recall.cause), "drill": recall.drill, "held_since_us": 0,
            }  # fmt: skip
            connection.execute(recalls.insert(), row)
            connection.execute(acts.insert(), _act_row(recall.number, 0, recall.acts[0]))
            _keep_things(connection, recall.number, found)

    def act(self, number: int, act: Act, found: Iterable[Thing] | None = None) -> Recall:
        """Write one more act down, with the things of a new scope; raises `Refused` where it is not allowed."""
        with self._write.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(
                    sa.select(recalls.c.number).where(recalls.c.number == number).with_for_update()
                )
            recall = _get(connection, number).after(act)
            connection.execute(acts.insert(), _act_row(number, len(recall.acts) - 1, act))
            connection.execute(
                recalls.update().where(recalls.c.number == number).values(held_since_us=_held_since(recall))
            )
            if found is not None:
                connection.execute(things.delete().where(things.c.recall == number))
                _keep_things(connection, number, found)
            return recall

    def things(
        self, number: int, *, holder: int | None = None, after: int = -1, most: int = 1_000
    ) -> list[Thing]:
        """A page of the things of a scope, by their numbers; with ``holder`` those that he is asked for."""
        columns = things.c
        query = sa.select(things).where(columns.recall == number, columns.node > after)
        if holder is not None:
            query = query.where(columns.holder == holder)
        with self._read.connect() as connection:
            rows = connection.execute(query.order_by(columns.node).limit(most)).all()
        return [Thing(row.node, Part(row.part), *row[3:]) for row in rows]

    def recalls_of(self, names: Iterable[str]) -> dict[str, list[int]]:
        """Which recalls hold things of these names back."""
        with self._read.connect() as connection:
            found = _held(connection, names) if _any_holds(connection) else {}
        return {name: sorted(since) for name, since in found.items()}


def quarantine_of(connection: sa.Connection, events: Sequence[Event]) -> Quarantine | None:
    """The gate for the events of one job; None where no recall holds anything back."""
    if not _any_holds(connection):
        return None
    try:
        check_edges(connection)
    except Refused as stale:
        raise Refused(
            f"what recalls hold back cannot be told: {stale.what}", where="trace", fix=stale.fix
        ) from None
    times = [event.event_time_us for event in events] or [0]
    links = JobLinks(SqlLinks.over(connection), events)

    def held_since(names: Collection[str]) -> dict[str, int]:
        return {name: min(by_recall.values()) for name, by_recall in _held(connection, names).items()}

    return Quarantine(held_windows(links, min(times), max(times), held_since))


def _held_since(recall: Recall) -> int:
    return (recall.begun_us or 0) if recall.holds_back else 0


def events_of_device(connection: sa.Connection, device: str) -> list[int]:
    """The numbers of the events that a sensor device reported."""
    columns = terms.c
    query = sa.select(columns.seq).where(columns.kind == Field.DEVICE, columns.value == device)
    return list(connection.scalars(query))


def _any_holds(connection: sa.Connection) -> bool:
    return (
        connection.scalar(sa.select(recalls.c.number).where(recalls.c.held_since_us > 0).limit(1)) is not None
    )


def _held(connection: sa.Connection, names: Iterable[str]) -> dict[str, dict[int, int]]:
    """The names that are held back: by which recalls, and since when."""
    numbers = SqlLinks.over(connection).numbers(names)
    named = {number: name for name, number in numbers.items()}
    wanted, found = sorted(named), dict[str, dict[int, int]]()
    for at in range(0, len(wanted), _ASKED):
        query = sa.select(things.c.node, things.c.recall, recalls.c.held_since_us).where(
            things.c.node.in_(wanted[at : at + _ASKED]), things.c.part == Part.AFFECTED,
            things.c.recall == recalls.c.number, recalls.c.held_since_us > 0,
        )  # fmt: skip
        for node, recall, since in connection.execute(query):
            found.setdefault(named[node], {})[recall] = since
    return found


def _get(connection: sa.Connection, number: int) -> Recall:
    row = connection.execute(sa.select(recalls).where(recalls.c.number == number)).one_or_none()
    if row is None:
        raise NotFound("no such recall", where=f"recall {number}", fix="jinka trace recall list")
    return _load(connection, row)


def _load(connection: sa.Connection, row: Any) -> Recall:
    query = sa.select(acts).where(acts.c.recall == row.number).order_by(acts.c.seq)
    said = [act_of(each.event, each.at_us, each.by, each.body) for each in connection.execute(query)]
    grade = next(each for each in Grade if each.value[0] == row.grade)
    fresh = Recall(
        number=row.number, title=row.title, grade=grade, cause=cause_of(row.cause), drill=row.drill,
        scope=said[0].scope, acts=(said[0],),
    )  # fmt: skip
    return fold(fresh, said[1:])


def _act_row(number: int, seq: int, act: Act) -> dict[str, object]:
    return {
        "recall": number, "seq": seq, "event": act.event.name, "at_us": act.at_us, "by": act.by, "body": act_text(act),
    }  # fmt: skip


def _keep_things(connection: sa.Connection, number: int, found: Iterable[Thing]) -> None:
    rows = [
        {"recall": number, "node": t.node, "part": int(t.part), "via": t.via, "kind": t.kind, "event": t.event,
         "standing": t.standing, "place": t.place, "holder": t.holder}
        for t in found
    ]  # fmt: skip
    if len({row["node"] for row in rows}) != len(rows):
        raise Refused("a thing stands twice in a scope", where=f"recall {number}")
    if rows:
        connection.execute(things.insert(), rows)
