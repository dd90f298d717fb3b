"""The turning points of things, kept beside their events: what the rules of choreography look back at.

A row for each thing whose life an event turns (`jinka.trace.choreography.Deed`), in the order of its name, so that what
was captured together lies together. They follow from the events and from nothing else; those of an event that was
declared an error are taken out. `write_turns` is called in the transaction of the capture.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from jinka.codec.epcis import Event
from jinka.codec.tags import canonical_id
from jinka.store.schema import metadata
from jinka.store.trace_rows import insert_rows
from jinka.trace.choreography import Deed, Turn, turns_of

TURNS_MAX = 500  # of one thing that are looked at: the latest; a pallet that goes round for years has more

turns = sa.Table(
    "trace_turns",
    metadata,
    sa.Column("item", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), primary_key=True),
    sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("deed", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("other", sa.Text, nullable=False),
    sqlite_with_rowid=False,
)


def write_turns(connection: sa.Connection, events: Iterable[tuple[int, bytes, bytes, Event]]) -> None:
    """Of events just inserted, each with its ``seq``, its key and its content in `trace_ids`.

    A declared error takes turns out.
    """
    rows: list[tuple[Any, ...]] = []
    gone: list[tuple[Any, ...]] = []
    for seq, key, content, event in events:
        if event.error is None:
            # a thing that an event names twice turns once
            rows += {
                (item, t.at_us, seq, int(t.deed), t.other) for item, t in turns_of(event, canonical_id, seq)
            }
        else:
            gone += [(item, t.at_us, key, content) for item, t in turns_of(event, canonical_id)]
    insert_rows(connection, turns, sorted(rows))
    if gone:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        _raw(connection).executemany(
            f"DELETE FROM trace_turns WHERE item = {mark} AND at_us = {mark} "  # noqa: S608
            f"AND seq IN (SELECT seq FROM trace_ids WHERE key = {mark} AND content = {mark})",
            gone,
        )


class SqlTurns:
    """Implements `jinka.trace.choreography.ItemStates` inside one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def turns(self, items: Collection[str]) -> Mapping[str, list[Turn]]:
        """The latest `TURNS_MAX` of each thing, in the order of time and then of capture."""
        wanted = sorted(items)
        sqlite = self._connection.dialect.name == "sqlite"
        query, asked = (_SQLITE, json.dumps(wanted)) if sqlite else (_POSTGRES, wanted)
        found: dict[str, list[Turn]] = {}
        for item, at_us, deed, other, seq in _raw(self._connection).execute(query, (asked,)).fetchall():
            found.setdefault(item, []).append(Turn(at_us, Deed(deed), other, seq))
        for item, known in found.items():
            if len(known) > TURNS_MAX:
                found[item] = known[-TURNS_MAX:]
        return found


_COLUMNS = "t.item, t.at_us, t.deed, t.other, t.seq"
# CROSS JOIN: thing by thing, each by the key
_SQLITE = (
    f"SELECT {_COLUMNS} FROM json_each(?) j CROSS JOIN trace_turns t ON t.item = j.value "  # noqa: S608
    "ORDER BY j.key, t.at_us, t.seq"
)
_POSTGRES = f"SELECT {_COLUMNS} FROM trace_turns t WHERE t.item = ANY(%s) ORDER BY t.item, t.at_us, t.seq"  # noqa: S608


def _raw(connection: sa.Connection) -> Any:
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver.cursor()
