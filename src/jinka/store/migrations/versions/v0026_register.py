"""Grants' terms and documents, what a register demands, and what was issued on grants."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables; all are append-only."""
    op.create_table(
        "registration_terms",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("body"),
        sa.ForeignKeyConstraint(["number"], ["registrations.number"]),
    )
    op.create_table(
        "registration_documents",
        *(sa.Column(name, sa.BigInteger, primary_key=True) for name in ("number", "seq", "place")),
        *_texts("digest"),
        sa.ForeignKeyConstraint(["number", "seq"], ["registration_acts.number", "registration_acts.seq"]),
    )
    op.create_table(
        "register_demands",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("officer"),
        *_numbers("at_micros"),
        *_texts("rules", "register"),
    )
    op.create_table(
        "issue_entries",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("order_id", sa.Text, nullable=False, unique=True),
        *_texts("item", "maker", "issuer", "facts", "first", "last", "low", "high"),
        *_numbers("count", "fee_fen", "again"),
        *_texts("issued_on"),
    )
    op.create_index("issue_entries_by_numbers", "issue_entries", ["item", "low", "high"])
    op.create_table(
        "issue_uses",
        *(sa.Column(name, sa.BigInteger, primary_key=True) for name in ("entry", "grant")),
        *_numbers("count"),
        sa.ForeignKeyConstraint(["entry"], ["issue_entries.number"]),
        sa.ForeignKeyConstraint(["grant"], ["registrations.number"]),
    )
    op.create_index("issue_uses_by_grant", "issue_uses", ["grant"])
    op.create_table(
        "issue_acts",
        *(sa.Column(name, sa.BigInteger, primary_key=True) for name in ("entry", "seq")),
        *_texts("act", "officer"),
        *_numbers("at_micros"),
        *_texts("reason"),
        sa.ForeignKeyConstraint(["entry"], ["issue_entries.number"]),
    )
    make_append_only(
        "registration_terms", "registration_documents", "register_demands", "issue_entries", "issue_uses",
        "issue_acts",
    )  # fmt: skip


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]
