"""The issuer's card numbers are sealed and found by a keyed hash; so are the cards and payers of online loads.

What stands in clear cannot be sealed here, where no key is: a database with cards in it is refused.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.kit import Refused

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _blobs(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def upgrade() -> None:
    """Make the tables anew; they must be empty."""
    for name in ("issuer_cards", "issuer_loads", "issuer_transactions"):
        if op.get_bind().execute(sa.text(f"SELECT count(*) FROM {name}")).scalar():  # noqa: S608 a constant
            raise Refused(
                f"{name} has card numbers in clear, or ids made of them", where="migration 0009",
                fix="take the cards into a new database with jinka issuer cards, and remove this one",
            )  # fmt: skip
    op.drop_table("issuer_cards")
    op.drop_table("issuer_loads")
    op.create_table(
        "issuer_cards", sa.Column("lookup", sa.LargeBinary, primary_key=True), *_blobs("sealed"),
        *_texts("account", "expiry4", "sequence", "pin_reference", "state"),
        *_ints("chip", "tries_left", "counter", "first_use_micros"),
    )  # fmt: skip
    op.create_table(
        "issuer_loads", sa.Column("id", sa.LargeBinary, primary_key=True),
        *_blobs("lookup", "sealed", "terminal_id", "local_date", "local_time", "rand4", "mac2", "challenge", "tac"),
        *_texts("state"),
        *_ints("txn_type", "counter", "amount_fen", "balance", "algorithm", "key_version", "at_micros"),
    )  # fmt: skip
    op.create_index("issuer_loads_by_card", "issuer_loads", ["lookup", "txn_type"])
    op.create_index("issuer_loads_by_state", "issuer_loads", ["state"])
