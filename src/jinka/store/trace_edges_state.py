"""By which rules the edges of a database were made (`jinka.trace.lineage.EDGES_VERSION`), and whether all are there.

What the rules say of an event may be mended; edges that were captured before are then those of the old rules until
`jinka.store.trace_rebuild` has made them again. A walk over the one or over half of the other would be wrong without a
sign, so `check_edges` refuses it.
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.kit import Refused
from jinka.store.schema import metadata
from jinka.trace.lineage import EDGES_VERSION

_FIX = "jinka trace rebuild --at PLACE"

# One row; none in a database that nothing was captured into. ``upto``: of a rebuild under way, the last event; else -1.
state = sa.Table(
    "trace_edges_state",
    metadata,
    sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("upto", sa.BigInteger, nullable=False),
)


def edges_state(connection: sa.Connection) -> tuple[int, int]:
    """The version of the edges, and how far a rebuild of them is (-1: none is under way)."""
    row = connection.execute(sa.select(state.c.version, state.c.upto)).one_or_none()
    return (EDGES_VERSION, -1) if row is None else (int(row.version), int(row.upto))


def put_edges_state(connection: sa.Connection, version: int, upto: int) -> None:
    """Write down how far it is."""
    values = {"version": version, "upto": upto}
    if not connection.execute(state.update().values(values)).rowcount:
        connection.execute(state.insert(), values | {"id": 1})


def begin_edges(connection: sa.Connection) -> None:
    """Say by which rules the first edges of a database are made."""
    if connection.exec_driver_sql("SELECT 1 FROM trace_edges_state").first() is None:
        put_edges_state(connection, EDGES_VERSION, -1)


def check_edges(connection: sa.Connection) -> None:
    """Raise `Refused` unless every edge is there and made by the rules of now."""
    version, upto = edges_state(connection)
    if upto >= 0:
        raise Refused("the edges are being made again", where="trace", fix=f"wait for it, or go on: {_FIX}")
    if version != EDGES_VERSION:
        raise Refused(f"the edges are of version {version} and not {EDGES_VERSION}", where="trace", fix=_FIX)
