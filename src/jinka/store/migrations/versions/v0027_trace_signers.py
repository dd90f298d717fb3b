"""What captures were signed with, so that a signer's later revocation is seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "trace_signers",
        sa.Column("job", sa.Text, primary_key=True),
        sa.Column("certificates", sa.LargeBinary, nullable=False),
    )
    make_append_only("trace_signers")
