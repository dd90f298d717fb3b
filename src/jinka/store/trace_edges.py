"""The edges of trace on SQL: which thing went where, by both ends, and the numbers of the things.

A node is a number, given once, whose low bits say what it is (`jinka.trace.stays`); so a row of an edge is some forty
bytes, and what came together lies together. Both ends have an index that holds the whole row: a level of a walk is one
query that reads indexes alone. Edges are the events' and nothing else: those of an event that was voided are taken out
(`remove_edges`), and all of them can be made again from the events. `SqlLinks` implements `jinka.trace.Links`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.kit import NotFound
from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.store.trace_document import unpack
from jinka.store.trace_edges_state import begin_edges, check_edges
from jinka.store.trace_parties import parties_told
from jinka.trace.lineage import Edge, EdgeKind, NodeSort, edges_of, sort_of
from jinka.trace.stays import Rows, node_number

_CHUNK = 20_000  # nodes of one question
_NEXT = node_number(1, NodeSort.OTHER)  # from a number to the next one of its sort
_COLUMNS = ("source", "kind", "at_us", "target", "event", "step", "quantity", "uom")

nodes = sa.Table(
    "trace_nodes",
    metadata,
    sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Index("trace_nodes_by_name", "name", unique=True),
)

edges = sa.Table(
    "trace_edges",
    metadata,
    sa.Column("source", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("target", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("event", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("step", sa.SmallInteger, nullable=False),
    sa.Column("quantity", sa.Text),
    sa.Column("uom", sa.Text),
    sa.Index(
        "trace_edges_by_target", "target", "kind", "at_us", "source", "event", "step", "quantity", "uom"
    ),
    sqlite_with_rowid=False,
)

_DOCUMENTS = "SELECT d.seq, d.document FROM {} d ON d.seq = {}"
NumberedEvent = tuple[int, Event]


def write_edges(connection: sa.Connection, events: Iterable[NumberedEvent]) -> None:
    """Add the edges of events, each with its ``seq``, in the caller's transaction; an event once."""
    numbers, rows = _numbered(connection, events, make=True)
    if not rows:
        return
    begin_edges(connection)
    made = [(numbers[s], k, at, numbers[t], seq, step, q, u) for seq, (s, k, at, t, step, q, u) in rows]
    if connection.dialect.name == "sqlite":
        made.sort()
        marks = ", ".join("?" * len(_COLUMNS))
        _raw(connection).executemany(f"INSERT OR IGNORE INTO trace_edges VALUES ({marks})", made)  # noqa: S608
    else:
        casts = ("bigint", "smallint", "bigint", "bigint", "bigint", "smallint", "text", "text")
        arrays = ", ".join(f"%s::{cast}[]" for cast in casts)
        columns = [list(column) for column in zip(*made, strict=True)]
        query = f"INSERT INTO trace_edges SELECT * FROM unnest({arrays}) ON CONFLICT DO NOTHING"  # noqa: S608
        _raw(connection).execute(query, columns)


def remove_edges(connection: sa.Connection, events: Iterable[NumberedEvent]) -> None:
    """Take the edges of events out again, since they are declared to be errors."""
    numbers, rows = _numbered(connection, events, make=False)
    mark = "?" if connection.dialect.name == "sqlite" else "%s"
    where = " AND ".join(f"{column} = {mark}" for column in _COLUMNS[:5])
    keys = [
        (numbers[s], int(k), at, numbers[t], seq)
        for seq, (s, k, at, t, *_) in rows
        if s in numbers and t in numbers
    ]
    if keys:
        _raw(connection).executemany(f"DELETE FROM trace_edges WHERE {where}", keys)  # noqa: S608


def _numbered(
    connection: sa.Connection, events: Iterable[NumberedEvent], *, make: bool
) -> tuple[dict[str, int], list[tuple[int, Edge]]]:
    """The edges of the events, and the numbers of their nodes. What an event says twice is one row (OR IGNORE)."""
    rows = [(seq, edge) for seq, event in events for edge in edges_of(event, key=f"#{seq}")]
    names = {edge[0] for _, edge in rows}
    names.update([edge[3] for _, edge in rows])
    numbers = _find(connection, names)
    if make and (missing := [name for name in names if name not in numbers]):
        numbers |= _give(connection, missing)
    return numbers, rows


def _find(connection: sa.Connection, names: Iterable[str]) -> dict[str, int]:
    wanted = sorted(names)
    if connection.dialect.name == "sqlite":
        query = "SELECT n.name, n.id FROM json_each(?) j CROSS JOIN trace_nodes n ON n.name = j.value"
        return dict(_raw(connection).execute(query, (json.dumps(wanted),)).fetchall())
    query = "SELECT name, id FROM trace_nodes WHERE name = ANY(%s)"
    return dict(_raw(connection).execute(query, (wanted,)).fetchall())


def _give(connection: sa.Connection, names: Sequence[str]) -> dict[str, int]:
    """Numbers for new names. On PostgreSQL writers wait for one another here, until the first has committed."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE trace_nodes IN SHARE ROW EXCLUSIVE MODE")
        found = _find(connection, names)  # what another one gave meanwhile
        names = [name for name in names if name not in found]
    else:
        found = {}
    last = connection.exec_driver_sql("SELECT max(id) FROM trace_nodes").scalar() or 0
    first = (int(last) >> 3) + 1
    made = {name: node_number(n, sort_of(name)) for n, name in enumerate(sorted(names), first)}
    pairs = [(number, name) for name, number in made.items()]
    if connection.dialect.name == "sqlite":
        _raw(connection).executemany("INSERT INTO trace_nodes VALUES (?, ?)", pairs)
    else:
        query = "INSERT INTO trace_nodes SELECT * FROM unnest(%s::bigint[], %s::text[])"
        _raw(connection).execute(query, [[n for n, _ in pairs], [name for _, name in pairs]])
    return found | made


def _raw(connection: sa.Connection) -> Any:
    """A cursor of the driver: rows are tuples, and by the ten thousand."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()


class SqlLinks:
    """Implements `jinka.trace.Links`; a ``with`` block reads one state of the database, with all its edges."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = reading(engine)
        self._connection: sa.Connection | None = None

    @classmethod
    def over(cls, connection: sa.Connection) -> SqlLinks:
        """Links that read inside a transaction of the caller's."""
        made = cls(connection.engine)
        made._connection = connection
        return made

    def __enter__(self) -> SqlLinks:
        self._connection = self._engine.connect()
        if self._connection.dialect.name == "postgresql":
            self._connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            check_edges(self._connection)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def numbers(self, names: Iterable[str]) -> dict[str, int]:
        """The numbers of the nodes with these names (canonical ids), as far as there are any."""
        with self._open() as connection:
            return _find(connection, set(names))

    def number(self, name: str) -> int:
        """The number of one; `NotFound` if nothing was ever said of it."""
        found = self.numbers([name]).get(name)
        if found is None:
            raise NotFound(
                "no event names it", where=name, fix="look at how it is written, and at what was captured"
            )
        return found

    def names(self, wanted: Iterable[int]) -> dict[int, str]:
        """The names of nodes."""
        ids = sorted(set(wanted))
        with self._open() as connection:
            return dict(
                self._chunks(connection, "SELECT n.id, n.name FROM {} n ON n.id = {}", "trace_nodes", ids)
            )

    def parties(self, places: Iterable[int]) -> dict[int, set[int]]:
        """To which parties places belong, by events that name both, or by master data."""
        ids, found = sorted(set(places)), dict[int, set[int]]()
        told = f"SELECT DISTINCT e.source, e.target FROM {{}} e ON e.source = {{}} AND e.kind = {int(EdgeKind.BELONGS)}"  # noqa: S608 a number
        with self._open() as connection:
            for place, party in self._chunks(connection, told, "trace_edges", ids):
                found.setdefault(place, set()).add(party)
            by_name = {name: node for node, name in self.names(ids).items()}
            listed = list(parties_told(connection, sorted(by_name)))
        numbers = self.numbers({party for _, party in listed}) if listed else {}
        for place_name, party_name in listed:
            if party_name in numbers:
                found.setdefault(by_name[place_name], set()).add(numbers[party_name])
        return found

    def any_begins(self, prefix: str) -> bool:
        """Whether the name of any node begins so."""
        mark = "?" if self._engine.dialect.name == "sqlite" else "%s"
        query = f"SELECT 1 FROM trace_nodes WHERE name >= {mark} AND name < {mark} LIMIT 1"  # noqa: S608
        with self._open() as connection:
            return _raw(connection).execute(query, (prefix, prefix + "\U0010ffff")).fetchone() is not None

    def event_ids(self, events: Iterable[int]) -> dict[int, str]:
        """The ids of events by their numbers."""
        return {seq: str(facts["eventID"]) for seq, facts in self._documents(events)}

    def events(self, numbers: Iterable[int]) -> dict[int, Event]:
        """Events by their numbers."""
        with self._open() as connection:
            return {
                seq: unpack(raw, seq)
                for seq, raw in self._chunks(connection, _DOCUMENTS, "trace_events", sorted(set(numbers)))
            }

    def _documents(self, numbers: Iterable[int]) -> Iterator[tuple[int, dict[str, Any]]]:
        with self._open() as connection:
            for seq, raw in self._chunks(connection, _DOCUMENTS, "trace_events", sorted(set(numbers))):
                yield seq, json.loads(raw)

    def leaving(self, nodes: Sequence[int]) -> Rows:
        with self._open() as connection:
            if connection.dialect.name == "sqlite" and len(runs := _runs(nodes)) * 4 <= len(nodes):
                return self._in_runs(connection, runs)
            query = f"SELECT {_of_edges()} FROM {{}} e ON e.source = {{}}"  # noqa: S608
            return self._chunks(connection, query, "trace_edges", nodes)

    def arriving(self, nodes: Sequence[int], kinds: Sequence[int], since_us: int | None = None,
                 until_us: int | None = None) -> Rows:  # fmt: skip
        """Every edge of these kinds that ends at one of ``nodes``, if need be between two moments."""
        listed = ", ".join(str(int(kind)) for kind in kinds)
        between = ""
        if since_us is not None or until_us is not None:
            low, high = (
                since_us if since_us is not None else -(2**62),
                until_us if until_us is not None else 2**62,
            )
            between = f" AND e.at_us BETWEEN {int(low)} AND {int(high)}"
        # one stretch of the index for each node, not one for each kind: most have nothing there
        kinds_text = f"e.kind BETWEEN {min(kinds)} AND {max(kinds)} AND +e.kind IN ({listed})"
        query = f"SELECT {_of_edges()} FROM {{}} e ON e.target = {{}} AND {kinds_text}{between}"  # noqa: S608
        with self._open() as connection:
            return self._chunks(connection, query, "trace_edges", nodes)

    def at_place(self, place: str, since_us: int, until_us: int) -> Rows:
        """What was seen at a place between two moments."""
        return self.arriving([self.number(place)], [EdgeKind.AT], since_us, until_us)

    @contextmanager
    def _open(self) -> Iterator[sa.Connection]:
        if self._connection is not None:
            yield self._connection
            return
        with self._engine.connect() as connection:
            yield connection

    def _in_runs(self, connection: sa.Connection, runs: Sequence[tuple[int, int]]) -> list[Any]:
        """As `leaving`, for nodes that were numbered one after another: the items of a lot lie together."""
        ends = "e.source BETWEEN json_extract(j.value, '$[0]') AND json_extract(j.value, '$[1]')"
        query = f"SELECT {_of_edges()} FROM json_each(?) j CROSS JOIN trace_edges e ON {ends}"  # noqa: S608
        return self._rows(connection, query, json.dumps(runs))

    def _chunks(self, connection: sa.Connection, query: str, table: str, ids: Sequence[int]) -> list[Any]:
        rows: list[Any] = []
        sqlite = connection.dialect.name == "sqlite"
        if sqlite:  # CROSS JOIN: in the order of the numbers that are asked for, each by the index
            text = query.format(f"json_each(?) j CROSS JOIN {table}", "j.value")
        else:
            text = query.format(f"unnest(%s::bigint[]) j(value) JOIN {table}", "j.value") + " ORDER BY 1, 2"
        for start in range(0, len(ids), _CHUNK):
            some = list(ids[start : start + _CHUNK])
            rows += self._rows(connection, text, json.dumps(some) if sqlite else some)
        return rows

    def _rows(self, connection: sa.Connection, query: str, asked: Any) -> list[Any]:
        return list(_raw(connection).execute(query, (asked,)).fetchall())


def _runs(nodes: Sequence[int]) -> list[tuple[int, int]]:
    """First and last of the nodes of one sort with consecutive numbers, in their order."""
    runs: list[tuple[int, int]] = []
    first = last = -1
    for node in nodes:
        if node != last + _NEXT:
            if last >= 0:
                runs.append((first, last))
            first = node
        last = node
    if last >= 0:
        runs.append((first, last))
    return runs


def _of_edges() -> str:
    return ", ".join(f"e.{column}" for column in _COLUMNS)
