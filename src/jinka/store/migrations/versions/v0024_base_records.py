"""Base records: statements, the log of looks, consents, cases, copies, credit."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _bytes(*names: str) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary, nullable=False) for name in names]


def _key(name: str, target: str = "") -> sa.Column[int]:
    refers = [sa.ForeignKey(target)] if target else []
    return sa.Column(name, sa.BigInteger, *refers, primary_key=True, autoincrement=False)


def upgrade() -> None:
    """Create them."""
    op.create_table("base_records", _key("number"), *_texts("kind"), *_ints("created_us"))
    op.create_table(
        "base_statements",
        _key("record", "base_records.number"),
        _key("seq"),
        *_texts("field"),
        *_bytes("sealed", "digest"),
        *_texts("valid_from", "valid_to"),
        *_ints("at_us"),
        *_texts("source", "officer", "why"),
        *_ints("corrects"),
    )
    op.create_index("base_statements_by_digest", "base_statements", ["digest"])
    op.create_table(
        "base_log",
        _key("seq"),
        *_bytes("line"),
        *_texts("body", "act", "department"),
        *_ints("holder", "record"),
    )
    op.create_index("base_log_by_holder", "base_log", ["holder", "seq"])
    op.create_index("base_log_by_department", "base_log", ["department", "seq"])
    op.create_table("base_log_end", _key("id"), *_ints("size", "at_us"), *_bytes("head", "edge"))
    _holders()
    _copies_and_credit()
    make_append_only(
        "base_records", "base_statements", "base_log", "base_consents", "base_consent_ends", "base_cases",
        "base_case_acts", "base_credit_reports",
    )  # fmt: skip


def _holders() -> None:
    op.create_table(
        "base_consents",
        _key("number"),
        *_ints("holder"),
        *_texts("department", "purpose", "kind", "fields"),
        sa.Column("separate", sa.Boolean, nullable=False),
        *_ints("guardian", "given_us", "until_us"),
    )
    op.create_index("base_consents_by_holder", "base_consents", ["holder"])
    op.create_table(
        "base_consent_ends", _key("consent", "base_consents.number"), *_ints("at_us"), *_texts("officer")
    )
    op.create_table(
        "base_cases",
        _key("number"),
        *_texts("machine", "keeper"),
        *_ints("holder", "record", "about", "opened_us"),
    )
    op.create_index("base_cases_by_about", "base_cases", ["machine", "about"])
    op.create_table(
        "base_case_acts",
        _key("case", "base_cases.number"),
        _key("seq"),
        *_texts("act", "actor", "officer"),
        *_ints("at_us"),
        *_bytes("note"),
    )


def _copies_and_credit() -> None:
    op.create_table(
        "base_copies",
        _key("number"),
        *_texts("department", "purpose"),
        *_ints("record"),
        *_texts("fields"),
        *_ints("opened_us", "ended_us"),
    )
    op.create_index("base_copies_by_record", "base_copies", ["record"])
    op.create_table(
        "base_outbox",
        _key("number"),
        sa.Column("copy", sa.BigInteger, sa.ForeignKey("base_copies.number"), nullable=False),
        *_texts("field"),
        *_ints("version", "at_us", "acked_us"),
        sa.UniqueConstraint("copy", "field", "version", name="base_outbox_once"),
    )
    op.create_table(
        "base_credit",
        _key("number"),
        sa.Column("subject", sa.BigInteger, sa.ForeignKey("base_records.number"), nullable=False),
        *_texts("institution", "sign"),
        *_bytes("sealed"),
        *_texts("since", "ended"),
        *_ints("at_us", "replaces"),
    )
    op.create_index("base_credit_by_subject", "base_credit", ["subject"])
    op.create_table(
        "base_credit_reports",
        _key("number"),
        sa.Column("subject", sa.BigInteger, sa.ForeignKey("base_records.number"), nullable=False),
        *_ints("year", "at_us"),
    )
    op.create_index("base_credit_reports_by_subject", "base_credit_reports", ["subject", "year"])
