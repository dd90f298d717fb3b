"""The SQL tables of EPCIS events: the events, what they can be found by, capture jobs, named queries, master data.

Made by the migration of trace alone. `seq` is an event's record time in microseconds, made unique: it grows from
capture to capture, so it is key, order and partition at once (PostgreSQL: a partition a month, made when it is needed).
Whatever a query may ask for equality is a row of `trace_terms`, whatever it may compare a row of `trace_numbers`; both
lie in the order of their key alone (SQLite: WITHOUT ROWID), so each costs one insertion. Events are append-only.
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.schema import metadata

# Looked through in ranges, so in the order of its bytes whatever the database's language.
_WORD = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
# In SQLite the number of the row itself, so that the key is no index beside the table.
_ROW = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _table(name: str, *columns: sa.Column[object] | sa.Index) -> sa.Table:
    return sa.Table(name, metadata, *columns, sqlite_with_rowid=False)


events = sa.Table(
    "trace_events",
    metadata,
    sa.Column("seq", _ROW, primary_key=True, autoincrement=False),
    sa.Column("event_micros", sa.BigInteger, nullable=False),
    sa.Column("id_key", sa.LargeBinary, nullable=False),
    sa.Column("job", sa.Text, nullable=False),  # empty for what was not captured through a job
    sa.Column("document", sa.LargeBinary, nullable=False),
    sa.Index("trace_events_by_event_micros", "event_micros"),
)

# An event id (its hash) may stand for several rows: the event, and each different declaration that it was an error.
ids = _table(
    "trace_ids",
    sa.Column("key", sa.LargeBinary, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
    sa.Column("declared", sa.LargeBinary, nullable=False),  # empty for the event itself
)

terms = _table(
    "trace_terms",
    sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("value", _WORD, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
)

numbers = _table(
    "trace_numbers",
    sa.Column("kind", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("name", _WORD, primary_key=True),
    sa.Column("value", sa.Double, primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
)

jobs = sa.Table(
    "trace_jobs",
    metadata,
    sa.Column("number", _ROW, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("created_micros", sa.BigInteger, nullable=False),
    sa.Column("finished_micros", sa.BigInteger, nullable=False),
    sa.Column("success", sa.Boolean, nullable=False),
    sa.Column("behaviour", sa.Text, nullable=False),
    sa.Column("captured_by", sa.Text, nullable=False),
    sa.Column("accepted", sa.BigInteger, nullable=False),
    sa.Column("duplicates", sa.BigInteger, nullable=False),
    sa.Column("refused", sa.BigInteger, nullable=False),
    sa.Column("answers", sa.Text, nullable=False),  # JSON: one for each event
    sa.Index("trace_jobs_by_id", "id", unique=True),
)

signers = sa.Table(
    "trace_signers",
    metadata,
    sa.Column("job", sa.Text, primary_key=True),
    sa.Column("certificates", sa.LargeBinary, nullable=False),  # base64, one a line, the signer's own first
)

queries = sa.Table(
    "trace_queries",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("created_micros", sa.BigInteger, nullable=False),
    sa.Column("query", sa.Text, nullable=False),  # JSON as it came
    sa.Column("prefixes", sa.Text, nullable=False),  # JSON: namespaces of GS1-Extensions
    sa.Column("owner", sa.Text, nullable=False, server_default=""),
)

# Tokens of pages that were given back before their time; rows go when the token would have expired anyway.
dropped_tokens = _table(
    "trace_dropped_tokens",
    sa.Column("token", sa.LargeBinary, primary_key=True),
    sa.Column("expires_micros", sa.BigInteger, nullable=False),
)

attributes = _table(
    "trace_attributes",
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("attribute", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
)

children = _table(
    "trace_children",
    sa.Column("parent", sa.Text, primary_key=True),
    sa.Column("child", sa.Text, primary_key=True),
)

vocabulary = sa.Table(
    "trace_vocabulary",
    metadata,
    sa.Column("type", sa.Text, primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("element", sa.Text, nullable=False),  # JSON as it was captured last
)

PARTITIONED = ("trace_events", "trace_terms", "trace_numbers")
