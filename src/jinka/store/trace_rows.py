"""Inserting many rows at once, straight through the driver: SQLite's ``executemany``, PostgreSQL's COPY; partitions.

SQLAlchemy costs more a row than the engine does.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def insert_rows(connection: sa.Connection, table: sa.Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows whose values stand in the order of the table's columns."""
    if not rows:
        return
    names = ", ".join(column.name for column in table.columns)
    raw: Any = connection.connection.driver_connection
    if connection.dialect.name == "postgresql":
        with raw.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        return
    marks = ", ".join("?" * len(table.columns))
    raw.executemany(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", rows)  # noqa: S608


def make_partitions(connection: sa.Connection, tables: Sequence[str], micros: int) -> tuple[int, int]:
    """PostgreSQL: see to the partitions of the month of a record time; its first microsecond, and the next one's."""
    when = _EPOCH + timedelta(microseconds=micros)
    start = when.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    end = (start + timedelta(days=32)).replace(day=1)
    first, last = (start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND
    for table in tables:
        connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS {table}_{start:%Y_%m} PARTITION OF {table} "
            f"FOR VALUES FROM ({first}) TO ({last})"
        )
    return first, last
