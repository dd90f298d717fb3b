"""Registrations, and the acts of officers on them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create both tables; acts are append-only, and a registration is what its acts made of it."""
    op.create_table(
        "registrations",
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        *(
            sa.Column(name, sa.Text, nullable=False)
            for name in ("kind", "value", "low", "high", "holder", "under", "valid_from", "valid_to")
        ),
    )
    op.create_index("registrations_by_reach", "registrations", ["kind", "low", "high"])
    op.create_table(
        "registration_acts",
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("officer", sa.Text, nullable=False),
        sa.Column("at_micros", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.ForeignKeyConstraint(["number"], ["registrations.number"]),
    )
    make_append_only("registrations", "registration_acts")
