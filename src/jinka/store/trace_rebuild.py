"""Make all edges again from the events, by the rules of now and the code of a capture.

A piece of the events at a time, each a transaction that says how far it is, so memory is bounded and whoever is killed
goes on from there. Meanwhile captures add the edges of their own events; walks are refused, and so are captures that a
recall would have to judge (`trace_edges_state`). Numbers of nodes stay, for scopes of recalls name them.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from jinka.store import trace_tables as table
from jinka.store.trace_document import unpack
from jinka.store.trace_edges import edges, write_edges
from jinka.store.trace_edges_state import edges_state, put_edges_state
from jinka.trace.lineage import EDGES_VERSION

_PIECE = 500  # events


def rebuild_edges(engine: sa.Engine, told: Callable[[int], None] = lambda _: None) -> int:
    """Make them; how many events were read, of which ``told`` hears on the way."""
    with engine.begin() as connection:
        _alone(connection)
        _, upto = edges_state(connection)
        if upto < 0:
            upto = 0
            connection.execute(edges.delete())
            put_edges_state(connection, 0, upto)
    count = 0
    while (piece := _piece(engine, upto)) is not None:
        upto, more = piece
        count += more
        told(count)
    return count


def _piece(engine: sa.Engine, upto: int) -> tuple[int, int] | None:
    """One more piece behind ``upto``: the last event of it and how many they are; None where all is done."""
    events, ids, other = table.events.c, table.ids.c, table.ids.alias()
    void = sa.exists().where(
        other.c.key == ids.key, other.c.content == ids.content, other.c.declared != b""
    )  # what declares it, and itself
    wanted = (
        sa.select(events.seq, events.document, void.label("void"))
        .where(events.seq > upto, ids.key == events.id_key, ids.seq == events.seq)
        .order_by(events.seq)
        .limit(_PIECE)
    )
    with engine.begin() as connection:
        _alone(connection)
        rows = connection.execute(wanted).all()
        if not rows:
            put_edges_state(connection, EDGES_VERSION, -1)
            return None
        write_edges(connection, [(row.seq, unpack(row.document, row.seq)) for row in rows if not row.void])
        last = int(rows[-1].seq)
        put_edges_state(connection, 0, last)
        return last, len(rows)


def _alone(connection: sa.Connection) -> None:
    """Let no capture in between what is read and what is written; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("LOCK TABLE trace_edges IN SHARE ROW EXCLUSIVE MODE")
