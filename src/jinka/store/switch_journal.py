"""The switch's journal: append-only, many messages in one transaction and one flush, account numbers sealed.

A group is what was written together. Its records lie in one sealed blob; the open columns beside it (masked card,
amount, state) are for reports. The unique pair of id and version is what several workers agree by: who writes a version
first has it, and the other learns what was written. Implements `Write`, `LookUp` and recovery of `jinka.switch`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy as sa

from jinka.kit import JinkaError
from jinka.kit.frozen import quick
from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.store.turns import Turn
from jinka.store.write_ahead import WriteAhead
from jinka.switch import Counted, Entity, Entry, Record, SafState, read_record, write_record
from jinka.switch.states import ENDS

_CHUNK = 500
_TRIES = 10
_PAGES_A_GROUP = 8  # of the log, besides one for each line: its place in the index of ids is anywhere
_CONTEXT = "jinka.switch/1"
# Nothing follows from them after a kill; those that still mean something are looked up.
_FACTS = frozenset(e.value for e in Entity) - {Entity.TRANSACTION.value, Entity.FORWARD.value}
_FINAL = frozenset(
    {
        *((Entity.TRANSACTION.value, s.value) for s in ENDS),
        *((Entity.FORWARD.value, s.value) for s in (SafState.DONE, SafState.REFUSED)),
    }
)

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
groups = sa.Table(
    "switch_groups",
    metadata,
    sa.Column("number", _number, primary_key=True),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)
journal = sa.Table(
    "switch_journal",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("number", sa.BigInteger, nullable=False),  # of the group
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("worker", sa.Text, nullable=False),
    sa.Column("entity", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("at_micros", sa.BigInteger, nullable=False),
    sa.Column("business_date", sa.Text, nullable=False),
    sa.Column("trace", sa.Text, nullable=False),
    sa.Column("terminal", sa.Text, nullable=False),
    sa.Column("amount_fen", sa.BigInteger, nullable=False),
    sa.Column("card", sa.Text, nullable=False),
    sa.Column("code", sa.Text, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Index("switch_journal_by_group", "number"),
)
checkpoints = sa.Table(
    "switch_checkpoints",
    metadata,
    sa.Column("worker", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
)


_NAMES = (
    "id", "version", "worker", "entity", "state", "kind", "source", "target", "at_micros", "business_date", "trace",
    "terminal", "amount_fen", "card", "code", "note", "number", "place",
)  # fmt: skip
_BLANK = (None,) * len(_NAMES)


def _inserts(mark: str, sizes: Sequence[int], *, filled_up: bool) -> dict[int, str]:
    """Statements for so many lines, or ``filled_up`` with blank ones: each statement waits for the interpreter once.

    ``filled_up`` is SQLite's: there a clash ends the transaction, so that it keeps no copy of every page beforehand
    (in a file of its own) to undo the one statement.
    """
    line = f"({', '.join([mark] * len(_NAMES))})"
    found = {}
    for rows in sizes:
        values = f"VALUES {', '.join([line] * rows)}"
        if filled_up:
            values = f"SELECT * FROM ({values}) WHERE column1 IS NOT NULL"  # noqa: S608
        verb = "INSERT OR ROLLBACK INTO" if filled_up else "INSERT INTO"
        found[rows] = f"{verb} switch_journal ({', '.join(_NAMES)}) {values}"
    return found


# Few different ones, so that each is prepared once.
_FILLED = _inserts("?", (*range(8, 64, 8), *range(64, 257, 32)), filled_up=True)
_EXACT = _inserts("%s", (64, 32, 16, 8, 4, 2, 1), filled_up=False)


class Sealer(Protocol):
    """The verbs of the key service that keep account numbers from whoever reads the disk."""

    def seal_image(self, plain: bytes, *, context: str) -> bytes: ...
    def open_image(self, blob: bytes, *, context: str) -> bytes: ...


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Entries as they will be written: made where there is time for it, and not while the disk waits."""

    entries: Sequence[Entry]
    lines: tuple[bytes, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One open line for people: no account number in full."""

    entity: str
    state: str
    kind: str
    source: str
    target: str
    at_micros: int
    business_date: str
    trace: str
    terminal: str
    amount_fen: int
    card: str
    code: str
    note: str


class SwitchJournal:
    """``worker`` is the process that writes, ``shared`` says that there are others. Used by one thread at a time."""

    def __init__(self, engine: sa.Engine, sealer: Sealer, *, worker: str = "0", shared: bool = False) -> None:
        self._engine, self._sealer, self._worker = engine, sealer, worker
        self._reader = reading(engine)
        self._plain = engine.dialect.name == "sqlite"  # whose driver leaves transactions to us
        self._taken: type[Exception] = engine.dialect.loaded_dbapi.IntegrityError
        self.log = WriteAhead(engine)
        self._turn = Turn(engine) if shared and self._plain else nullcontext()

    def prepare(self, entries: Sequence[Entry]) -> Prepared:
        """Entries for `write_prepared`; any thread may ask."""
        return Prepared(
            entries=entries,
            lines=tuple([write_record(entry.record) for entry in entries]),
            rows=tuple([self._row(entry) for entry in entries]),
        )

    def write(self, writes: Sequence[Sequence[Entry]]) -> list[dict[bytes, Record]]:
        """Make groups of entries durable in one transaction. Each is written whole, or its clashes are returned."""
        return self.write_prepared([self.prepare(entries) for entries in writes])

    def write_prepared(self, writes: Sequence[Prepared]) -> list[dict[bytes, Record]]:
        """`write` of what was prepared."""
        if self._written_at_once(writes):
            return [{} for _ in writes]
        for _ in range(_TRIES):
            try:
                return self._write(writes)
            except (sa.exc.IntegrityError, self._taken):
                continue  # another worker wrote between the question and the answer
        raise JinkaError("the journal does not come to rest", where="switch journal", fix="see the database")

    def _write(self, writes: Sequence[Prepared]) -> list[dict[bytes, Record]]:
        with self._engine.begin() as connection:
            latest = _latest(connection, {entry.record.id for write in writes for entry in write.entries})
            accepted: list[Prepared] = []
            answers: list[dict[bytes, Record]] = []
            for write in writes:
                stale = [e.record.id for e in write.entries if e.record.version <= latest.get(e.record.id, 0)]
                answers.append({id_: self._newest(connection, id_, accepted) for id_ in stale})
                if not stale:
                    accepted.append(write)
                    latest.update((e.record.id, e.record.version) for e in write.entries)
            if accepted:
                raw: Any = connection.connection.driver_connection
                self._append(raw.cursor(), accepted, self._sealed(accepted))
        return answers

    def _written_at_once(self, writes: Sequence[Prepared]) -> bool:
        """Write without asking first; False, and nothing written, where a version is there already."""
        blob = self._sealed(writes)
        pooled = self._engine.raw_connection()
        try:
            raw: Any = pooled.driver_connection
            self.log.begin(raw)
            cursor = raw.cursor()
            with self._turn:
                if self._plain:
                    cursor.execute("BEGIN IMMEDIATE")
                count = self._append(cursor, writes, blob)
                if self._plain:
                    cursor.execute("COMMIT")
                else:
                    raw.commit()
                self.log.grown(raw, _PAGES_A_GROUP + count)
        except self._taken:
            return False
        finally:
            pooled.close()  # what was not committed is rolled back
        return True

    def _sealed(self, writes: Sequence[Prepared]) -> bytes:
        records = b"\n".join([line for write in writes for line in write.lines])
        return self._sealer.seal_image(records, context=_CONTEXT)

    def _append(self, cursor: Any, writes: Sequence[Prepared], blob: bytes) -> int:
        """Add the group and its lines; how many lines."""
        if self._plain:
            cursor.execute("INSERT INTO switch_groups (sealed) VALUES (?)", (blob,))
            number = cursor.lastrowid
        else:
            cursor.execute("INSERT INTO switch_groups (sealed) VALUES (%s) RETURNING number", (blob,))
            [number] = cursor.fetchone()
        rows = [row for write in writes for row in write.rows]
        statements = _FILLED if self._plain else _EXACT
        at = 0
        while left := len(rows) - at:
            size = _fitting(left) if self._plain else next(size for size in _EXACT if size <= left)
            values: list[Any] = []
            for place, row in enumerate(rows[at : at + size], at):
                values += row
                values += (number, place)
            values += _BLANK * (size - left)
            cursor.execute(statements[size], values)
            at = min(at + size, len(rows))
        return len(rows)

    def _row(self, entry: Entry) -> tuple[Any, ...]:
        r = entry.record
        return (
            r.id, r.version, self._worker, r.entity.value, r.state, r.kind, r.source, r.target, r.at_micros,
            r.business_date, r.request.text(11), r.request.text(41), r.amount_fen, entry.card, r.code, r.note,
        )  # fmt: skip

    def find(self, id_: bytes) -> Record | None:
        """The newest record of a transaction, or None."""
        with self._reader.connect() as connection:
            return self._stored(connection, id_)

    def recover(self, mine: Callable[[str], bool], business_date: str) -> Iterator[Record]:
        """The newest record of each thing that belongs to the workers that are ``mine``, in the journal's order.

        Begins at the last checkpoint, and moves it: behind it nothing is open and nothing is of ``business_date``.
        A checkpoint speaks for its own worker alone, so who inherits from others begins at the earliest of theirs. Each
        has one before it writes anything, since this is what a worker does first.
        """
        newest: dict[bytes, Any] = {}
        columns = journal.c
        with self._reader.connect() as connection:
            begun = {row.worker: row.number for row in connection.execute(sa.select(checkpoints))}
            whose = {self._worker, *filter(mine, begun)}
            start = min(begun.get(name, 0) for name in whose)
            query = sa.select(
                columns.id, columns.version, columns.number, columns.place, columns.worker, columns.entity,
                columns.state, columns.business_date,
            ).where(columns.number >= start).order_by(columns.number, columns.place)  # fmt: skip
            for row in connection.execute(query):
                newest.pop(row.id, None)
                newest[row.id] = row
            rows = [row for row in newest.values() if mine(row.worker)]
            records = list(self._opened(connection, rows))
            end = connection.scalar(sa.select(sa.func.max(groups.c.number))) or 0
        keep = [r.number for r in rows if not _final(r) or r.business_date >= business_date]
        self._move_checkpoints(sorted(whose), min(keep, default=end + 1))
        yield from records

    def _move_checkpoints(self, workers: Sequence[str], number: int) -> None:
        with self._engine.begin() as connection:
            connection.execute(checkpoints.delete().where(checkpoints.c.worker.in_(workers)))
            rows = [{"worker": worker, "number": number} for worker in workers]
            connection.execute(checkpoints.insert(), rows)

    def lines(self, *, states: Sequence[str] = (), limit: int = 50) -> list[JournalLine]:
        """The newest lines, of some states or of all."""
        names = JournalLine.__slots__
        query = sa.select(*(journal.c[name] for name in names))
        query = query.order_by(journal.c.number.desc(), journal.c.place.desc()).limit(limit)
        if states:
            query = query.where(journal.c.state.in_(states))
        with self._reader.connect() as connection:
            return [JournalLine(**row._mapping) for row in connection.execute(query)]

    def counted(self, business_date: str) -> list[Counted]:
        """Approved transactions of a business date, on a line of its own: any thread may ask."""
        from jinka.store.switch_sums import counted

        with self._reader.connect() as connection:
            return counted(connection, business_date)

    def all_newest(self) -> Iterator[Record]:
        """The newest record of everything there is: for proofs and reports."""
        with self._reader.connect() as connection:
            newest: dict[bytes, Any] = {}
            query = sa.select(journal.c.id, journal.c.number, journal.c.place).order_by(
                journal.c.number, journal.c.place
            )
            for row in connection.execute(query):
                newest[row.id] = row
            yield from self._opened(connection, sorted(newest.values(), key=lambda r: (r.number, r.place)))

    def _opened(self, connection: sa.Connection, rows: Sequence[Any]) -> Iterator[Record]:
        opened, lines = -1, list[bytes]()
        for row in rows:
            if row.number != opened:
                opened, lines = row.number, self._lines(connection, row.number)
            yield _record(lines, row.place, row.id)

    def _lines(self, connection: sa.Connection, number: int) -> list[bytes]:
        blob = connection.scalar(sa.select(groups.c.sealed).where(groups.c.number == number))
        return self._sealer.open_image(bytes(blob or b""), context=_CONTEXT).split(b"\n")

    def _stored(self, connection: sa.Connection, id_: bytes) -> Record | None:
        query = (
            sa.select(journal.c.number, journal.c.place)
            .where(journal.c.id == id_)
            .order_by(journal.c.version.desc())
        )
        row = connection.execute(query.limit(1)).first()
        return None if row is None else _record(self._lines(connection, row.number), row.place, id_)

    def _newest(self, connection: sa.Connection, id_: bytes, accepted: Sequence[Prepared]) -> Record:
        for write in reversed(accepted):
            for entry in reversed(write.entries):
                if entry.record.id == id_:
                    return entry.record
        found = self._stored(connection, id_)
        if found is None:
            raise JinkaError("a version without its record", where="switch journal", fix="restore a backup")
        return found


def _fitting(rows: int) -> int:
    """The smallest statement that takes them, or the largest there is."""
    return next((size for size in _FILLED if size >= rows), max(_FILLED))


def _latest(connection: sa.Connection, ids: set[bytes]) -> dict[bytes, int]:
    found: dict[bytes, int] = {}
    ordered = sorted(ids)
    mark = "?" if connection.dialect.paramstyle == "qmark" else "%s"
    for start in range(0, len(ordered), _CHUNK):
        chunk = ordered[start : start + _CHUNK]
        query = (
            f"SELECT id, max(version) FROM switch_journal WHERE id IN ({', '.join([mark] * len(chunk))}) "  # noqa: S608
            "GROUP BY id"
        )
        rows = connection.exec_driver_sql(query, tuple(chunk))
        found.update((bytes(row[0]), row[1]) for row in rows)
    return found


def _record(lines: Sequence[bytes], place: int, id_: bytes) -> Record:
    record = read_record(lines[place]) if place < len(lines) else None
    if record is None or record.id != id_:
        raise JinkaError("a line and its record differ", where="switch journal", fix="restore a backup")
    return record


def _final(row: Any) -> bool:
    return row.entity in _FACTS or (row.entity, row.state) in _FINAL
