"""The nodes and edges of trace, with an index from each end."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create them; what was captured before has no edges until it is captured or indexed again."""
    op.create_table(
        "trace_nodes",
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        # looked through in ranges: in the order of its bytes whatever the database's language
        sa.Column("name", sa.Text().with_variant(sa.Text(collation="C"), "postgresql"), nullable=False),
    )
    op.create_index("trace_nodes_by_name", "trace_nodes", ["name"], unique=True)
    op.create_table(
        "trace_edges",
        sa.Column("source", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("at_us", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("target", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("step", sa.SmallInteger, nullable=False),
        sa.Column("quantity", sa.Text),
        sa.Column("uom", sa.Text),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "trace_edges_by_target",
        "trace_edges",
        ["target", "kind", "at_us", "source", "event", "step", "quantity", "uom"],
    )
