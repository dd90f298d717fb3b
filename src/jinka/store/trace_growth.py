"""What `jinka bench trace` measures in: an index of edges that is as large as years of captures.

The chain that was captured is written again and again under other numbers, later and later, at the same places: rows
of the index as captures would have made them, without their events' documents. Nothing else uses it.
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.trace_edges import edges
from jinka.trace.lineage import NodeSort


def multiply_edges(engine: sa.Engine, times: int) -> int:
    """Add ``times`` copies of all edges, each in a transaction; by how much the numbers of the nodes of each grow."""
    with engine.connect() as connection:
        ask = connection.exec_driver_sql
        last = int(ask("SELECT max(id) FROM trace_nodes").scalar() or 0)
        first_us, last_us, last_event = ask(
            "SELECT min(at_us), max(at_us), max(event) FROM trace_edges"
        ).one()
    shift = (last >> 3) + 1 << 3
    span = int(last_us) - int(first_us) + 1
    by_target = next(iter(edges.indexes))
    with engine.begin() as connection:  # made anew behind the rows: sorted once instead of a place for each
        by_target.drop(connection)
    for n in range(1, times + 1):
        with engine.begin() as connection:
            _add_copy(connection, last, int(last_event), shift * n, span * n)
    with engine.begin() as connection:
        by_target.create(connection)
    return shift


def _add_copy(connection: sa.Connection, last: int, last_event: int, more: int, later: int) -> None:
    connection.exec_driver_sql(
        f"INSERT INTO trace_nodes SELECT id + {more}, name || '~{more}' FROM trace_nodes "  # noqa: S608 numbers
        f"WHERE id <= {last} AND (id & 7) <> {int(NodeSort.PLACE)}"
    )
    connection.exec_driver_sql(
        f"INSERT INTO trace_edges SELECT source + {more}, kind, at_us + {later}, "  # noqa: S608 numbers
        f"CASE WHEN (target & 7) = {int(NodeSort.PLACE)} THEN target ELSE target + {more} END, "
        f"event + {later}, step, quantity, uom FROM trace_edges WHERE source <= {last} AND event <= {last_event}"
    )


def index_size(connection: sa.Connection) -> tuple[int, int]:
    """Edges, and bytes of the database."""
    count = int(connection.exec_driver_sql("SELECT count(*) FROM trace_edges").scalar() or 0)
    if connection.dialect.name == "sqlite":
        query = "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
    else:
        query = "SELECT pg_database_size(current_database())"
    return count, int(connection.exec_driver_sql(query).scalar() or 0)
