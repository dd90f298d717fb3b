"""Disputes, their deeds, and the hashes of their evidence; rows are added, never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "disputes",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("original", sa.LargeBinary, nullable=False),
        *_texts(
            "machine", "sort", "title", "original_date", "claimant", "respondent", "scheme", "government"
        ),
        *_texts("reason", "reference"),
        *_ints("original_amount", "claimed", "subsidy"),
    )
    op.create_index("disputes_by_original", "disputes", ["original"])
    op.create_table(
        "dispute_deeds",
        sa.Column("dispute", sa.LargeBinary, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("event", "actor", "on_date", "due", "note"),
        *_ints("amount", "fee"),
        sa.ForeignKeyConstraint(["dispute"], ["disputes.id"]),
    )
    op.create_table(
        "dispute_evidence",
        sa.Column("dispute", sa.LargeBinary, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("kind", "name"),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        *_ints("size"),
        sa.ForeignKeyConstraint(["dispute", "seq"], ["dispute_deeds.dispute", "dispute_deeds.seq"]),
    )
    make_append_only("disputes", "dispute_deeds", "dispute_evidence")
