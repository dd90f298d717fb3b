"""The SQL tables of the exchange between centres. Times are microseconds since the epoch, UTC; 0 is not yet.

Envelopes and receipts lie here as they travelled, so that what a centre signed can be shown to others. A parcel's row
is never deleted; its state moves on. Conflicts, findings and suspensions are append-only.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from jinka.kit import JinkaError
from jinka.store.database import reading
from jinka.store.schema import metadata


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


sent = sa.Table(
    "parcels_sent",
    metadata,
    *_key("receiver"),
    *_texts("reference"),  # what it is about, in the sender's words: one parcel for each
    *_blobs(
        "digest", "content", "envelope", "receipt"
    ),  # content: hash of all but number and time; receipt: or empty
    *_ints("made_micros", "receipted_micros"),
    sa.UniqueConstraint("receiver", "kind", "reference", name="parcels_sent_by_reference"),
    sa.Index("parcels_sent_by_receipt", "receiver", "receipted_micros"),
)

taken = sa.Table(
    "parcels_taken",
    metadata,
    *_key("sender"),
    *_blobs("digest", "previous", "envelope", "receipt"),
    *_texts("state"),
    *_ints("made_micros", "taken_micros", "settled_micros"),
    sa.Index("parcels_taken_by_state", "state"),
)

conflicts = sa.Table(
    "parcel_conflicts",
    metadata,
    *_key("sender"),
    sa.Column("digest", sa.LargeBinary, primary_key=True),
    *_blobs("envelope"),
    *_ints("seen_micros"),
)

findings = sa.Table(
    "parcel_findings",
    metadata,
    sa.Column("id", sa.LargeBinary, primary_key=True),
    *_texts("sender", "kind", "code", "severity", "where", "what", "fix"),
    *_ints("number", "seen_micros"),
)

suspensions = sa.Table(
    "parcel_suspensions",
    metadata,
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    *_texts("centre", "officer", "reason"),
    *_ints("suspended", "at_micros"),
)


@contextmanager
def act(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction that writes."""
    with _known_errors(), engine.begin() as connection:
        yield connection


@contextmanager
def look(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One that only reads, beside whoever writes."""
    with _known_errors(), reading(engine).connect() as connection:
        yield connection


@contextmanager
def _known_errors() -> Iterator[None]:
    """A database that is busy for long, or away, is no reason to end the exchange: it is tried again later."""
    try:
        yield
    except (sa.exc.OperationalError, sqlite3.OperationalError):  # the driver's own, from `_begin`
        raise JinkaError("the database is busy or away", where="parcels", fix="it is tried again") from None


PARCEL_TABLES = (sent, taken, conflicts, findings, suspensions)
