"""Settlement windows: what each began with, and its acts; rows are added, never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def _place() -> list[sa.Column[str] | sa.Column[int]]:
    return [
        sa.Column("centre", sa.Text, primary_key=True),
        sa.Column("chain", sa.Text, primary_key=True),
        sa.Column("ordinal", sa.BigInteger, primary_key=True, autoincrement=False),
    ]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "window_openings",
        *_place(),
        sa.Column("business_date", sa.Text, nullable=False),
        sa.Column("cycle", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.UniqueConstraint("centre", "business_date", "cycle"),
    )
    op.create_table(
        "window_acts",
        *_place(),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(
            ["centre", "chain", "ordinal"],
            ["window_openings.centre", "window_openings.chain", "window_openings.ordinal"],
        ),
    )
    make_append_only("window_openings", "window_acts")
