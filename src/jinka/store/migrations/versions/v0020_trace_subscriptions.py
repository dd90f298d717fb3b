"""Subscriptions, the turning points of things, who takes part in a chain, and who looked at what."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_KINDS: dict[str, Any] = {
    "text": sa.Text, "int": sa.BigInteger, "small": sa.SmallInteger, "bytes": sa.LargeBinary, "bool": sa.Boolean,
    "word": sa.Text().with_variant(sa.Text(collation="C"), "postgresql"),
}  # fmt: skip
# name: (columns of the key, columns, whether the rows lie in the order of the key alone)
_TABLES = {
    "trace_turns": (4, "item:word at_us:int seq:int deed:small other:text", True),
    "trace_subscriptions": (
        1,
        "id:text query:text owner:text dest:text sealed_token:bytes schedule:text report_if_empty:bool epc_format:text "
        "created_micros:int initial_micros:int acknowledged:int offered:int batch:int next_micros:int attempts:int "
        "notified_micros:int outcome:text state:text",
        False,
    ),
    "trace_participants": (
        1,
        "id:text name:text token_hash:bytes certificate:text owns:text shares:text sees_all:bool signs:bool "
        "active:bool",
        False,
    ),
    "trace_owned": (1, "seq:int participant:text", True),
    "trace_hands": (2, "participant:text item:word first_us:int last_us:int", True),
    "trace_looks": (1, "number:int at_micros:int participant:text what:text shown:int hidden:int", False),
}
_INDEXES = (
    ("trace_subscriptions", ("state", "next_micros"), "trace_subscriptions_by_next_micros"),
    ("trace_subscriptions", ("query", "id"), "trace_subscriptions_by_query"),
    ("trace_participants", ("token_hash",), "trace_participants_by_token_hash"),
    ("trace_participants", ("certificate",), "trace_participants_by_certificate"),
    ("trace_looks", ("participant", "at_micros"), "trace_looks_by_participant"),
)


def upgrade() -> None:
    """Create them; looks are append-only."""
    for name, (keys, text, by_key) in _TABLES.items():
        columns: list[sa.Column[Any]] = []
        for at, column in enumerate(text.split()):
            title, _, kind = column.partition(":")
            columns.append(
                sa.Column(title, _KINDS[kind], primary_key=at < keys, nullable=False, autoincrement=False)
            )
        op.create_table(name, *columns, sqlite_with_rowid=not by_key)
    for table, names, title in _INDEXES:
        op.create_index(title, table, list(names))
    make_append_only("trace_looks")
