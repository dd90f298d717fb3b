"""Of each claim to a thing, everybody who says it: one who falls does not take the others' word along."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_COLUMNS = "item, seq, participant, said_by, at_us, grounds, state"


def upgrade() -> None:
    """Make who says it part of the key; the claims that there are stay, with the one speaker that was kept of each."""
    fallen = sa.text("state = 1")
    op.drop_index("trace_claims_fallen", "trace_claims")
    op.rename_table("trace_claims", "trace_claims_before")
    op.create_table(
        "trace_claims",
        sa.Column("item", _WORD, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("participant", sa.Text, nullable=False),
        sa.Column("said_by", sa.Text, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("grounds", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.SmallInteger, nullable=False),
        sa.PrimaryKeyConstraint("item", "seq", "participant", "said_by", name="trace_claims_by_speaker"),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO trace_claims SELECT {_COLUMNS} FROM trace_claims_before")  # noqa: S608
    op.drop_table("trace_claims_before")
    op.create_index(
        "trace_claims_fallen", "trace_claims", ["item"], sqlite_where=fallen, postgresql_where=fallen
    )
