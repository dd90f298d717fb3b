"""The journal of the switch: sealed groups, a line for each record, and where recovery begins."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_number = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Create the tables; groups and lines are append-only."""
    op.create_table(
        "switch_groups",
        sa.Column("number", _number, primary_key=True),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
    )
    texts = ("worker", "entity", "state", "kind", "source", "target")
    op.create_table(
        "switch_journal",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("at_micros", sa.BigInteger, nullable=False),
        sa.Column("business_date", sa.Text, nullable=False),
        sa.Column("trace", sa.Text, nullable=False),
        sa.Column("terminal", sa.Text, nullable=False),
        sa.Column("amount_fen", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("card", "code", "note")),
    )
    op.create_index("switch_journal_by_group", "switch_journal", ["number"])
    op.create_table(
        "switch_checkpoints",
        sa.Column("worker", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
    )
    make_append_only("switch_groups", "switch_journal")
