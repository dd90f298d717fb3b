"""By which rules edges were made: what was captured before this is of the first."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table, with a row where there are events."""
    op.create_table(
        "trace_edges_state",
        sa.Column("id", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("upto", sa.BigInteger, nullable=False),
    )
    op.execute("INSERT INTO trace_edges_state SELECT 1, 1, -1 WHERE EXISTS (SELECT 1 FROM trace_events)")
