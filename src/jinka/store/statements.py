"""Statements for one table that are put together once and go straight to the driver, many rows at a time.

SQLite takes rows by ``executemany`` and keys by a list of marks in few different lengths, so that each statement is
prepared once; psycopg takes whole columns as arrays. The caller's connection is in a transaction, or reads alone.
Types of columns are those of `jinka.store.schema`: bytes, text and whole numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

Row = tuple[Any, ...]

_CHUNK = 512  # keys in one statement
_ARRAYS: dict[type[Any], str] = {sa.LargeBinary: "bytea[]", sa.Text: "text[]", sa.BigInteger: "int8[]"}


class TableStatements:
    """Reads and writes of one table by its ``key`` column; rows are tuples in the order of ``columns``."""

    def __init__(self, engine: sa.Engine, table: sa.Table, key: str, *, keep: Sequence[str] = ()) -> None:
        self._sqlite = engine.dialect.name == "sqlite"
        self._table, self._key = table, key
        self.columns = tuple(column.name for column in table.columns)
        self._at = self.columns.index(key)
        put = ", ".join(f"{name} = excluded.{name}" for name in self.columns if name not in (key, *keep))
        self._put = f"INSERT INTO {table.name} ({', '.join(self.columns)}) {self._source(self.columns)} "
        self._put += f"ON CONFLICT ({key}) DO UPDATE SET {put}"
        mark = "?" if self._sqlite else "%s"
        self._delete = f"DELETE FROM {table.name} WHERE {key} = {mark}"  # noqa: S608
        self._updates: dict[tuple[str, ...], str] = {}
        self._reads: dict[str, str] = {}

    def put(self, raw: Any, rows: Sequence[Row]) -> None:
        """Insert; a row of the same key is replaced, but for the columns to keep. Of equal keys the last one stays."""
        self._write(raw, self._put, list({row[self._at]: row for row in rows}.values()))

    def update(self, raw: Any, names: tuple[str, ...], rows: Sequence[Row]) -> bool:
        """Set these columns; rows are their values and then the key. Whether all rows were there."""
        query = self._updates.get(names)
        if query is None:
            query = self._updates[names] = self._update(names)
        return self._write(raw, query, rows) == len(rows)

    def remove(self, raw: Any, keys: Sequence[Any]) -> None:
        """Delete the rows of these keys, a few."""
        for key in keys:
            raw.execute(self._delete, (key,))

    def read(self, raw: Any, keys: Sequence[Any], names: Sequence[str] = (), *, by: str = "") -> list[Row]:
        """All rows with one of these keys, in no order; all columns or some."""
        what = ", ".join(names or self.columns)
        return self.ask(raw, f"SELECT {what} FROM {self._table.name} WHERE", by or self._key, keys)  # noqa: S608

    def ask(self, raw: Any, query: str, column: str, keys: Sequence[Any], more: str = "") -> list[Row]:
        """Rows of a query whose column is one of the keys; ``more`` stands behind, without parameters."""
        rows: list[Row] = []
        for start in range(0, len(keys), _CHUNK):
            chunk = list(keys[start : start + _CHUNK])
            if self._sqlite:
                chunk += chunk[-1:] * (_room(len(chunk)) - len(chunk))
                marks = ",".join("?" * len(chunk))
                rows += raw.execute(f"{query} {column} IN ({marks}) {more}", chunk).fetchall()
            else:
                with raw.cursor(binary=True) as cursor:
                    cursor.execute(f"{query} {column} = ANY(%s::{self._array(column)}) {more}", (chunk,))
                    rows += cursor.fetchall()
        return rows

    def _write(self, raw: Any, query: str, rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        if self._sqlite:
            return int(raw.executemany(query, rows).rowcount)
        with raw.cursor() as cursor:
            cursor.execute(query, [list(column) for column in zip(*rows, strict=True)])
            return int(cursor.rowcount)

    def _source(self, names: Sequence[str]) -> str:
        if self._sqlite:
            return f"VALUES ({', '.join('?' * len(names))})"
        return f"SELECT * FROM unnest({', '.join(f'%s::{self._array(name)}' for name in names)})"  # noqa: S608

    def _update(self, names: tuple[str, ...]) -> str:
        head = f"UPDATE {self._table.name}"
        if self._sqlite:
            return f"{head} SET {', '.join(f'{name} = ?' for name in names)} WHERE {self._key} = ?"
        put, named = ", ".join(f"{name} = u.{name}" for name in names), (*names, self._key)
        arrays = ", ".join(f"%s::{self._array(name)}" for name in named)
        rows = f"unnest({arrays}) AS u({', '.join(named)})"
        return f"{head} AS t SET {put} FROM {rows} WHERE t.{self._key} = u.{self._key}"

    def _array(self, name: str) -> str:
        return next(text for kind, text in _ARRAYS.items() if isinstance(self._table.c[name].type, kind))


def _room(count: int) -> int:
    """The next of few lengths."""
    return 1 << (count - 1).bit_length() if count else 1
