"""The SQL tables of base records. Created by the migrations; all but copies, outbox and the log's end only grow.

Values of fields, notes of cases and credit entries are sealed by a vault (`jinka.crypto.number_vault`); a keyed digest
finds a record by its number. What the log says names records and fields, and holds no value.
"""

from __future__ import annotations

import sqlalchemy as sa

from jinka.store.schema import metadata


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _key(name: str, target: str = "") -> sa.Column[int]:
    refers = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, sa.BigInteger, *refers, primary_key=True, autoincrement=False)


records = sa.Table("base_records", metadata, _key("number"), *_texts("kind"), *_ints("created_us"))

statements = sa.Table(
    "base_statements",
    metadata,
    _key("record", "base_records.number"),
    _key("seq"),
    *_texts("field"),
    *_bytes("sealed", "digest"),
    *_texts("valid_from", "valid_to"),  # ISO dates; empty: until further notice
    *_ints("at_us"),
    *_texts("source", "officer", "why"),
    *_ints("corrects"),  # the statement that this one replaces; 0: none
    sa.Index("base_statements_by_digest", "digest"),
)

log = sa.Table(
    "base_log",
    metadata,
    _key("seq"),
    *_bytes("line"),  # the chained entry (`jinka.keys.AuditEntry`); its detail is the hash of the body
    *_texts("body", "act", "department"),
    *_ints("holder", "record"),  # 0: none
    sa.Index("base_log_by_holder", "holder", "seq"),
    sa.Index("base_log_by_department", "department", "seq"),
)

log_end = sa.Table("base_log_end", metadata, _key("id"), *_ints("size", "at_us"), *_bytes("head", "edge"))

consents = sa.Table(
    "base_consents",
    metadata,
    _key("number"),
    *_ints("holder"),
    *_texts("department", "purpose", "kind", "fields"),
    sa.Column("separate", sa.Boolean, nullable=False),
    *_ints("guardian", "given_us", "until_us"),
    sa.Index("base_consents_by_holder", "holder"),
)

consent_ends = sa.Table(
    "base_consent_ends",
    metadata,
    _key("consent", "base_consents.number"),
    *_ints("at_us"),
    *_texts("officer"),
)

cases = sa.Table(
    "base_cases",
    metadata,
    _key("number"),
    *_texts("machine", "keeper"),
    *_ints("holder", "record", "about", "opened_us"),
    sa.Index("base_cases_by_about", "machine", "about"),
)

case_acts = sa.Table(
    "base_case_acts",
    metadata,
    _key("case", "base_cases.number"),
    _key("seq"),
    *_texts("act", "actor", "officer"),
    *_ints("at_us"),
    *_bytes("note"),
)

copies = sa.Table(
    "base_copies",
    metadata,
    _key("number"),
    *_texts("department", "purpose"),
    *_ints("record"),
    *_texts("fields"),
    *_ints("opened_us", "ended_us"),
    sa.Index("base_copies_by_record", "record"),
)

outbox = sa.Table(
    "base_outbox",
    metadata,
    _key("number"),
    sa.Column("copy", sa.BigInteger, sa.ForeignKey("base_copies.number"), nullable=False),
    *_texts("field"),
    *_ints("version", "at_us", "acked_us"),
    sa.UniqueConstraint("copy", "field", "version", name="base_outbox_once"),
)

credit = sa.Table(
    "base_credit",
    metadata,
    _key("number"),
    sa.Column("subject", sa.BigInteger, sa.ForeignKey("base_records.number"), nullable=False),
    *_texts("institution", "sign"),
    *_bytes("sealed"),
    *_texts("since", "ended"),  # ISO dates; empty: it goes on
    *_ints("at_us", "replaces"),
    sa.Index("base_credit_by_subject", "subject"),
)

credit_reports = sa.Table(
    "base_credit_reports",
    metadata,
    _key("number"),
    sa.Column("subject", sa.BigInteger, sa.ForeignKey("base_records.number"), nullable=False),
    *_ints("year", "at_us"),
    sa.Index("base_credit_reports_by_subject", "subject", "year"),
)
