"""Parcels between centres: what is sent, what was taken in, who answered twice, what was found, who is suspended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _blobs(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _key(centre: str) -> tuple[sa.Column[str], sa.Column[str], sa.Column[int]]:
    return (
        sa.Column(centre, sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    )


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "parcels_sent", *_key("receiver"), *_texts("reference"), *_blobs("digest", "content", "envelope"),
        *_blobs("receipt"), *_ints("made_micros", "receipted_micros"),
        sa.UniqueConstraint("receiver", "kind", "reference", name="parcels_sent_by_reference"),
    )  # fmt: skip
    op.create_index("parcels_sent_by_receipt", "parcels_sent", ["receiver", "receipted_micros"])
    op.create_table(
        "parcels_taken", *_key("sender"), *_blobs("digest", "previous", "envelope", "receipt"),
        *_texts("state"), *_ints("made_micros", "taken_micros", "settled_micros"),
    )  # fmt: skip
    op.create_index("parcels_taken_by_state", "parcels_taken", ["state"])
    op.create_table(
        "parcel_conflicts", *_key("sender"), sa.Column("digest", sa.LargeBinary, primary_key=True),
        *_blobs("envelope"), *_ints("seen_micros"),
    )  # fmt: skip
    op.create_table(
        "parcel_findings", sa.Column("id", sa.LargeBinary, primary_key=True),
        *_texts("sender", "kind", "code", "severity", "where", "what", "fix"), *_ints("number", "seen_micros"),
    )  # fmt: skip
    op.create_table(
        "parcel_suspensions", sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("centre", "officer", "reason"), *_ints("suspended", "at_micros"),
    )  # fmt: skip
