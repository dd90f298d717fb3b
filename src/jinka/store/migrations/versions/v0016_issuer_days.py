"""The business date that an issuer's transaction counts to, and the comparisons of a date's totals."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _sums(whose: str) -> list[sa.Column[int]]:
    names = ("debit_fen", "debits", "credit_fen", "credits")
    return [sa.Column(f"{whose}_{name}", sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    """Add the column and its index, create the table."""
    op.add_column(
        "issuer_transactions", sa.Column("settled_date", sa.Text, nullable=False, server_default="")
    )
    op.create_index("issuer_transactions_by_settled_date", "issuer_transactions", ["settled_date"])
    op.create_table(
        "issuer_day_totals",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("at_micros", sa.BigInteger, nullable=False),
        *_texts("business_date", "asker", "acquirer"),
        *_sums("claimed"),
        *_sums("our"),
    )
    make_append_only("issuer_day_totals")
