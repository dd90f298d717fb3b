"""The float: days that were taken into the shadows, and deeds upon cards; rows are added, never changed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "float_days",
        sa.Column("business_date", sa.Text, primary_key=True),
        sa.Column("edition", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("outcomes", "flows"),
    )
    op.create_table(
        "float_deeds",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False, unique=True),
        sa.Column("card_no", sa.LargeBinary, nullable=False),
        *_texts("kind", "subject", "on_date", "debit_owner", "credit_owner", "reason", "actor", "detail"),
        *_ints("amount", "debit_code", "credit_code", "worth", "gaps", "deposit"),
    )
    make_append_only("float_days", "float_deeds")
