"""How an acquirer finds an issuer's transaction again: trace number, terminal, and the card's number masked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what was booked before has none of it."""
    for name in ("stan", "terminal", "masked_card"):
        op.add_column("issuer_transactions", sa.Column(name, sa.Text, nullable=False, server_default=""))
