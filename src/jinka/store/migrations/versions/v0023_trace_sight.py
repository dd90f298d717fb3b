"""What sight rests on, event by event; who said an event as well; for whom a participant captures; whose a query is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEPT = 1  # grounds of what was believed before: their own right


def upgrade() -> None:
    """Keep what there is: stays become claims that no declaration takes back."""
    op.create_table(
        "trace_claims",
        sa.Column("item", _WORD, primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("participant", sa.Text, primary_key=True),
        sa.Column("said_by", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("grounds", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    for seq, column in ((0, "first_us"), (-1, "last_us")):
        op.execute(
            f"INSERT INTO trace_claims SELECT item, {seq}, participant, participant, {column}, {_KEPT}, 0 "  # noqa: S608
            "FROM trace_hands"
        )
    fallen = sa.text("state = 1")
    op.create_index(
        "trace_claims_fallen", "trace_claims", ["item"], sqlite_where=fallen, postgresql_where=fallen
    )
    op.create_index("trace_hands_by_item", "trace_hands", ["item", "participant"])
    op.rename_table("trace_owned", "trace_owned_before")
    op.create_table(
        "trace_owned",
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("believed", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("seq", "participant", name="trace_owned_by_seq"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO trace_owned SELECT seq, participant, true FROM trace_owned_before")
    op.drop_table("trace_owned_before")
    op.add_column("trace_participants", sa.Column("captures", sa.Text, nullable=False, server_default="[]"))
    op.add_column("trace_queries", sa.Column("owner", sa.Text, nullable=False, server_default=""))
