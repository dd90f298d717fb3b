"""The SQL tables of disputes: what was opened, each deed, and the hashes of its evidence. All three are append-only."""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.schema import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


disputes = sa.Table(
    "disputes",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False, unique=True),  # the order in which they were opened
    sa.Column("original", sa.LargeBinary, nullable=False),
    *_texts("machine", "sort", "title", "original_date", "claimant", "respondent", "scheme", "government"),
    *_texts("reason", "reference"),
    *_ints("original_amount", "claimed", "subsidy"),
    sa.Index("disputes_by_original", "original"),
)

deeds = sa.Table(
    "dispute_deeds",
    metadata,
    sa.Column("dispute", sa.LargeBinary, sa.ForeignKey("disputes.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    *_texts("event", "actor", "on_date", "due", "note"),  # due: empty where nothing is
    *_ints("amount", "fee"),
)

evidence = sa.Table(
    "dispute_evidence",
    metadata,
    sa.Column("dispute", sa.LargeBinary, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("line", sa.BigInteger, primary_key=True, autoincrement=False),
    *_texts("kind", "name"),
    sa.Column("sha256", sa.LargeBinary, nullable=False),
    *_ints("size"),
    sa.ForeignKeyConstraint(["dispute", "seq"], ["dispute_deeds.dispute", "dispute_deeds.seq"]),
)
