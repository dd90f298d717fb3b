"""What is under way to a subscription's receiver, byte for byte."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Keep it beside the subscription."""
    op.add_column(
        "trace_subscriptions",
        sa.Column("message", sa.LargeBinary, nullable=False, server_default=sa.text("''")),
    )
