"""EPCIS events with what they are found by, capture jobs, named queries and master data."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KINDS: dict[str, Any] = {
    "text": sa.Text, "int": sa.BigInteger, "small": sa.SmallInteger, "bytes": sa.LargeBinary, "bool": sa.Boolean,
    "double": sa.Double,
    "row": sa.BigInteger().with_variant(sa.Integer, "sqlite"),  # the number of the row itself
    # looked through in ranges: in the order of their bytes whatever the database's language
    "word": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
}  # fmt: skip
# name: (columns of the key, columns, whether the rows lie in the order of the key alone)
_TABLES = {
    "trace_events": (1, "seq:row event_micros:int id_key:bytes job:text document:bytes", False),
    "trace_ids": (2, "key:bytes seq:int content:bytes declared:bytes", True),
    "trace_terms": (3, "kind:small value:word seq:int", True),
    "trace_numbers": (4, "kind:small name:word value:double seq:int", True),
    "trace_jobs": (
        1,
        "number:row id:text created_micros:int finished_micros:int success:bool behaviour:text captured_by:text "
        "accepted:int duplicates:int refused:int answers:text",
        False,
    ),
    "trace_queries": (1, "name:text created_micros:int query:text prefixes:text", False),
    "trace_dropped_tokens": (1, "token:bytes expires_micros:int", True),
    "trace_attributes": (3, "id:text attribute:text value:text", True),
    "trace_children": (2, "parent:text child:text", True),
    "trace_vocabulary": (2, "type:text id:text element:text", False),
}
_PARTITIONED = frozenset({"trace_events", "trace_terms", "trace_numbers"})
_APPEND_ONLY = ("trace_events", "trace_ids", "trace_jobs")


def upgrade() -> None:
    """Create them; PostgreSQL's partitions are made by the store, month by month."""
    for name, (keys, text, by_key) in _TABLES.items():
        columns: list[sa.Column[Any]] = []
        for at, column in enumerate(text.split()):
            title, _, kind = column.partition(":")
            columns.append(
                sa.Column(title, _KINDS[kind], primary_key=at < keys, nullable=False, autoincrement=False)
            )
        options: dict[str, Any] = {"sqlite_with_rowid": not by_key}
        if name in _PARTITIONED:
            options["postgresql_partition_by"] = "RANGE (seq)"
        op.create_table(name, *columns, **options)
    op.create_index("trace_events_by_event_micros", "trace_events", ["event_micros"])
    op.create_index("trace_jobs_by_id", "trace_jobs", ["id"], unique=True)
    make_append_only(*_APPEND_ONLY)
