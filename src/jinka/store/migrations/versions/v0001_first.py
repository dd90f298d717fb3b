"""The first tables: registry, intake journal, ledger."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_APPEND_ONLY = ("deliveries", "batches", "ledger_transfers")


def _blob(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False, **options)


def _text(name: str, *, nullable: bool = False, **options: Any) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, **options)


def _int(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, **options)


def upgrade() -> None:
    """Create everything."""
    _registry()
    _journal()
    _ledger()
    make_append_only(*_APPEND_ONLY)


def _registry() -> None:
    op.create_table(
        "participants",
        _text("code", primary_key=True),
        _text("role"),
        _text("region"),
        _text("name_en"),
        _text("name_zh"),
    )
    op.create_table(
        "terminals",
        _blob("terminal_id", primary_key=True),
        _text("device"),
        _text("operator"),
        _text("acquirer"),
        _text("line", nullable=True),
        _text("stop", nullable=True),
        _int("status"),
    )
    op.create_table("psams", _blob("psam_id", primary_key=True), _blob("terminal_id"), _int("status"))
    op.create_table(
        "cards",
        _blob("card_no", primary_key=True),
        _text("issuer"),
        _text("profile"),
        _int("profile_version"),
        _int("holder"),
        _int("algorithm"),
        _int("key_version"),
        _int("opening_counter"),
        _int("opening_online"),
        _int("opening_balance"),
        _int("status"),
    )
    op.create_table(
        "listings",
        _int("list_version", primary_key=True),
        _blob("card_no", primary_key=True),
        _text("effective_from"),
    )
    op.create_table(
        "acknowledgements", _blob("terminal_id", primary_key=True), _int("list_version", primary_key=True),
        _text("acknowledged_at"),
    )  # fmt: skip


def _journal() -> None:
    op.create_table(
        "deliveries",
        _blob("delivery", primary_key=True),
        _text("name"),
        _text("accepted_file"),
        _text("parked_file"),
        _int("accepted_records"),
        _int("parked_records"),
    )
    op.create_table(
        "batches", _int("number", primary_key=True, autoincrement=False), _blob("delivery"), _blob("batch"),
        _text("status"), _text("reason"), _int("records"), _blob("content"),
        sa.ForeignKeyConstraint(["delivery"], ["deliveries.delivery"]),
    )  # fmt: skip
    op.create_index("batches_by_batch", "batches", ["batch", "status"])
    op.create_index("batches_by_delivery", "batches", ["delivery"])


def _ledger() -> None:
    op.create_table(
        "ledger_accounts",
        _blob("id", primary_key=True),
        _int("ledger"),
        _int("code"),
        _int("flags"),
        _blob("user_data"),
        _int("debits_pending"),
        _int("debits_posted"),
        _int("credits_pending"),
        _int("credits_posted"),
    )
    op.create_table(
        "ledger_transfers", _int("seq", primary_key=True, autoincrement=False), _blob("id", unique=True),
        _blob("debit_account"), _blob("credit_account"), _int("amount"), _int("ledger"), _int("code"), _int("flags"),
        _blob("pending_id"), _blob("user_data"), _int("timestamp"),
        sa.ForeignKeyConstraint(["debit_account"], ["ledger_accounts.id"]),
        sa.ForeignKeyConstraint(["credit_account"], ["ledger_accounts.id"]),
    )  # fmt: skip
    op.create_index("ledger_transfers_by_pending", "ledger_transfers", ["pending_id"])
    op.create_index("ledger_transfers_by_debit", "ledger_transfers", ["debit_account"])
    op.create_index("ledger_transfers_by_credit", "ledger_transfers", ["credit_account"])
