"""Recall notices on their way to receivers of holders."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "trace_receivers",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("dest", sa.Text, nullable=False),
        sa.Column("sealed_token", sa.LargeBinary, nullable=False),
        sa.Column("created_micros", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "trace_notices",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("recall", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("message", sa.LargeBinary, nullable=False),
        sa.Column("created_micros", sa.BigInteger, nullable=False),
        sa.Column("next_micros", sa.BigInteger, nullable=False),
        sa.Column("attempts", sa.BigInteger, nullable=False),
        sa.Column("taken_micros", sa.BigInteger, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
    )
    op.create_index("trace_notices_by_holder", "trace_notices", ["owner", "recall", "holder", "number"])
    op.create_index("trace_notices_waiting", "trace_notices", ["taken_micros", "owner", "number"])
    op.create_table(
        "trace_notice_marks",
        sa.Column("owner", sa.Text, primary_key=True),
        sa.Column("recall", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("acts", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
