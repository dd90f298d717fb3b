"""The issuer's cards, accounts and transactions, and the loads of purses that went online."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _blobs(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "issuer_accounts", sa.Column("number", sa.Text, primary_key=True), *_texts("product", "state")
    )
    op.create_table(
        "issuer_cards", sa.Column("pan", sa.Text, primary_key=True),
        *_texts("account", "expiry4", "sequence", "pin_reference", "state"),
        *_ints("chip", "tries_left", "counter", "first_use_micros"),
    )  # fmt: skip
    op.create_table(
        "issuer_transactions", sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
        *_blobs("fingerprint", "card", "account", "original", "chip", "source", "hold"),
        *_texts("kind", "acquirer", "merchant", "category", "channel", "entry", "state", "reason", "rule"),
        *_texts("authorisation"),
        *_ints("amount_fen", "at_micros", "forced", "terminal_chip", "card_chip", "taken_fen"),
        *(sa.Column(name, sa.BigInteger) for name in ("latitude_e6", "longitude_e6", "available_fen")),
    )  # fmt: skip
    op.create_index("issuer_transactions_by_card", "issuer_transactions", ["card", "at_micros"])
    op.create_index("issuer_transactions_by_state", "issuer_transactions", ["state"])
    op.create_table(
        "issuer_loads", sa.Column("id", sa.LargeBinary, primary_key=True),
        *_blobs("card_no", "terminal_id", "local_date", "local_time", "rand4", "mac2", "challenge", "tac"),
        *_texts("fund", "state"),
        *_ints("txn_type", "counter", "amount_fen", "balance", "algorithm", "key_version", "at_micros"),
    )  # fmt: skip
    op.create_index("issuer_loads_by_card", "issuer_loads", ["card_no", "txn_type"])
    op.create_index("issuer_loads_by_state", "issuer_loads", ["state"])
