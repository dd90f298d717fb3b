"""The SQL tables of grants' terms, of what a register demands, and of what was issued on grants. All only grow."""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.schema import metadata

terms = sa.Table(
    "registration_terms",
    metadata,
    sa.Column("number", sa.BigInteger, sa.ForeignKey("registrations.number"), primary_key=True),
    sa.Column("body", sa.Text, nullable=False),  # canonical JSON
)

documents = sa.Table(
    "registration_documents",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("place", sa.BigInteger, primary_key=True),
    sa.Column("digest", sa.Text, nullable=False),  # SHA-256 in hex
    sa.ForeignKeyConstraint(["number", "seq"], ["registration_acts.number", "registration_acts.seq"]),
)

demands = sa.Table(
    "register_demands",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("at_micros", sa.BigInteger, nullable=False),
    sa.Column("rules", sa.Text, nullable=False),  # JSON
    sa.Column("register", sa.Text, nullable=False),  # the folder of another register; empty: this one
)

entries = sa.Table(
    "issue_entries",
    metadata,
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("order_id", sa.Text, nullable=False, unique=True),
    sa.Column("item", sa.Text, nullable=False),
    sa.Column("maker", sa.Text, nullable=False),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("facts", sa.Text, nullable=False),  # JSON
    sa.Column("first", sa.Text, nullable=False),
    sa.Column("last", sa.Text, nullable=False),
    sa.Column("low", sa.Text, nullable=False),  # the length before the numbers, so that texts compare
    sa.Column("high", sa.Text, nullable=False),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Column("fee_fen", sa.BigInteger, nullable=False),
    sa.Column("again", sa.BigInteger, nullable=False),
    sa.Column("issued_on", sa.Text, nullable=False),
    sa.Index("issue_entries_by_numbers", "item", "low", "high"),
)

uses = sa.Table(
    "issue_uses",
    metadata,
    sa.Column("entry", sa.BigInteger, sa.ForeignKey("issue_entries.number"), primary_key=True),
    sa.Column("grant", sa.BigInteger, sa.ForeignKey("registrations.number"), primary_key=True),
    sa.Column("count", sa.BigInteger, nullable=False),
    sa.Index("issue_uses_by_grant", "grant"),
)

acts = sa.Table(
    "issue_acts",
    metadata,
    sa.Column("entry", sa.BigInteger, sa.ForeignKey("issue_entries.number"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True),
    sa.Column("act", sa.Text, nullable=False),
    sa.Column("officer", sa.Text, nullable=False),
    sa.Column("at_micros", sa.BigInteger, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
)
