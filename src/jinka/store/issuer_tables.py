"""The SQL tables of an issuer's host: accounts, cards, transactions, and online loads of purses.

Rows change as their lives go on; what moved money is on the ledger, which is append-only. ``seq`` is the order in which
transactions came. No card number stands anywhere in clear: a card is found by the keyed hash of its number, which lies
sealed beside it; transactions know a card by its id, under the vault's cover (`jinka.crypto.number_vault`). What
was asked and is not decided lies sealed in ``issuer_intents`` (`jinka.store.issuer_intents`).
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.schema import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _blobs(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


accounts = sa.Table(
    "issuer_accounts",
    metadata,
    sa.Column("number", sa.Text, primary_key=True),
    *_texts("product", "state"),
)

cards = sa.Table(
    "issuer_cards",
    metadata,
    sa.Column("lookup", sa.LargeBinary, primary_key=True),
    *_blobs("sealed"),
    *_texts("account", "expiry4", "sequence", "pin_reference", "state"),
    *_ints("chip", "tries_left", "counter", "first_use_micros"),
)

transactions = sa.Table(
    "issuer_transactions",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("seq", sa.BigInteger, nullable=False, unique=True),
    *_blobs("fingerprint", "card", "account", "original", "chip", "source", "hold"),
    *_texts("kind", "acquirer", "merchant", "category", "channel", "entry", "state", "reason", "rule"),
    *_texts("authorisation"),
    *_ints("amount_fen", "at_micros", "forced", "terminal_chip", "card_chip", "taken_fen"),
    sa.Column("latitude_e6", sa.BigInteger),
    sa.Column("longitude_e6", sa.BigInteger),
    sa.Column("available_fen", sa.BigInteger),
    sa.Column(
        "settled_date", sa.Text, nullable=False, server_default=""
    ),  # YYYY-MM-DD; empty before it was kept
    *(
        sa.Column(name, sa.Text, nullable=False, server_default="")
        for name in ("stan", "terminal", "masked_card")
    ),
    sa.Index("issuer_transactions_by_settled_date", "settled_date"),
    sa.Index("issuer_transactions_by_card", "card", "at_micros"),
    sa.Index("issuer_transactions_by_state", "state"),
)

intents = sa.Table(
    "issuer_intents",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("sealed", sa.LargeBinary, nullable=False),
)

_SUMS = ("debit_fen", "debits", "credit_fen", "credits")
day_totals = sa.Table(
    "issuer_day_totals",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),
    *_ints("at_micros"),
    *_texts("business_date", "asker", "acquirer"),
    *_ints(*(f"claimed_{name}" for name in _SUMS), *(f"our_{name}" for name in _SUMS)),
)

loads = sa.Table(
    "issuer_loads",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    *_blobs(
        "lookup", "sealed", "terminal_id", "local_date", "local_time", "rand4", "mac2", "challenge", "tac"
    ),
    *_texts("state"),
    *_ints("txn_type", "counter", "amount_fen", "balance", "algorithm", "key_version", "at_micros"),
    sa.Index("issuer_loads_by_card", "lookup", "txn_type"),
    sa.Index("issuer_loads_by_state", "state"),
)
