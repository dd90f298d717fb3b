"""The ledger's timeouts, the states of pending transfers beside the transfers, and balances that are kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PENDING, _POST, _RESOLVE = 2, 4, 12  # flags of a transfer
_OPEN, _POSTED, _VOIDED = 0, 1, 2


def upgrade() -> None:
    """Fill the states from the transfers that are there."""
    op.add_column(
        "ledger_transfers", sa.Column("timeout_s", sa.BigInteger, nullable=False, server_default="0")
    )
    op.create_table(
        "ledger_pendings",
        sa.Column("id", sa.LargeBinary, primary_key=True),
        sa.Column("expires_at", sa.BigInteger, nullable=False),
        sa.Column("state", sa.BigInteger, nullable=False),
    )
    due = sa.text("state = 0 AND expires_at > 0")
    op.create_index(
        "ledger_pendings_due", "ledger_pendings", ["expires_at"], sqlite_where=due, postgresql_where=due
    )
    op.create_table(
        "ledger_past_balances",
        sa.Column("account", sa.LargeBinary, primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        *(
            sa.Column(name, sa.BigInteger, nullable=False)
            for name in ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
        ),
    )
    op.execute(
        "INSERT INTO ledger_pendings (id, expires_at, state) "  # noqa: S608
        f"SELECT p.id, 0, CASE WHEN r.id IS NULL THEN {_OPEN} "
        f"WHEN (r.flags & {_POST}) <> 0 THEN {_POSTED} ELSE {_VOIDED} END "
        "FROM ledger_transfers p LEFT JOIN ledger_transfers r "
        f"ON r.pending_id = p.id AND (r.flags & {_RESOLVE}) <> 0 WHERE (p.flags & {_PENDING}) <> 0"
    )
    op.drop_index("ledger_transfers_by_pending", "ledger_transfers")
    make_append_only("ledger_past_balances")
    if op.get_bind().dialect.name == "postgresql":
        _for_postgres()


def _for_postgres() -> None:
    """Numbers from a sequence, since several processes write; room on the pages of balances for their next versions.

    The foreign keys go: each costs a query for every row, and the ledger has read the accounts before it writes.
    """
    op.execute("CREATE SEQUENCE ledger_numbers AS bigint CACHE 1")
    op.execute(
        "SELECT setval('ledger_numbers', (SELECT coalesce(max(seq), 0) + 1 FROM ledger_transfers), false)"
    )
    op.execute("ALTER TABLE ledger_accounts SET (fillfactor = 50)")
    op.execute("ALTER TABLE ledger_pendings SET (fillfactor = 70)")
    for column in ("debit_account", "credit_account"):
        op.drop_constraint(f"ledger_transfers_{column}_fkey", "ledger_transfers", type_="foreignkey")
