"""Recalls, their acts, and the things of their scopes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _key(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Create them."""
    op.create_table(
        "trace_recalls",
        _key("number"),
        *_texts("title", "grade", "cause"),
        sa.Column("drill", sa.Boolean, nullable=False),
        *_ints("held_since_us"),
    )
    op.create_table(
        "trace_recall_acts",
        sa.Column("recall", sa.BigInteger, sa.ForeignKey("trace_recalls.number"), primary_key=True),
        _key("seq"),
        *_texts("event"),
        *_ints("at_us"),
        *_texts("by", "body"),
    )
    op.create_table(
        "trace_recall_things",
        _key("recall"),
        _key("node"),
        sa.Column("part", sa.SmallInteger, nullable=False),
        *_ints("via"),
        sa.Column("kind", sa.SmallInteger, nullable=False),
        *_ints("event"),
        *_texts("standing"),
        *_ints("place", "holder"),
        sqlite_with_rowid=False,
    )
    op.create_index("trace_recall_things_by_node", "trace_recall_things", ["node", "recall"])
    make_append_only("trace_recall_acts")
