"""What an operation's message named, terminal and institution, and whether a reversal of it may be out.

An operation that is there gets its merchant's terminal as it stands; its institution stays empty and is the file's. Of
one that is open or in doubt nobody knows whether a reversal was sent: as if not, which is what was believed of it.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_TABLE = "gateway_operations"
_TERMINALS = (
    "UPDATE gateway_operations SET terminal = coalesce((SELECT m.terminal FROM gateway_orders o "
    "JOIN gateway_merchants m ON m.id = o.merchant WHERE o.id = gateway_operations.\"order\"), '')"
)


def upgrade() -> None:
    """Add the columns."""
    for name in ("terminal", "institution"):
        op.add_column(_TABLE, sa.Column(name, sa.Text, nullable=False, server_default=""))
    op.add_column(_TABLE, sa.Column("reversing", sa.Boolean, nullable=False, server_default=sa.false()))
    op.execute(_TERMINALS)
