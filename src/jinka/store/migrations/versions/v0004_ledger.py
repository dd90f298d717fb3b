"""The ledger's timeouts, states of pending transfers, kept balances, and an account's transfers as a chain.

A transfer names the one before it of both its accounts, and an account its last: that replaces two indexes and two
foreign keys, which cost more than the row itself. Accounts cannot be removed instead.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PENDING, _POST, _RESOLVE = 2, 4, 12  # flags of a transfer
_OPEN, _POSTED, _VOIDED = 0, 1, 2


_IDS = ("debit_account", "credit_account")
_TRANSFER = (
    "seq", "id", "debit_account", "credit_account", "amount", "ledger", "code", "flags", "pending_id", "user_data",
    "timestamp",
)  # fmt: skip
_SUMS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")


def upgrade() -> None:
    """Make the transfers anew, and fill what is new from the transfers that are there."""
    for table in ("ledger_pendings", "ledger_past_balances"):
        _create(table)
    op.add_column("ledger_accounts", _int("last_seq", server_default="0"))
    op.execute(f"CREATE TEMPORARY TABLE old_transfers AS SELECT {', '.join(_TRANSFER)} FROM ledger_transfers")  # noqa: S608
    op.drop_table("ledger_transfers")
    _create("ledger_transfers")
    _fill()
    op.execute("DROP TABLE old_transfers")
    make_append_only("ledger_transfers", "ledger_past_balances")
    make_append_only("ledger_accounts", verbs=("DELETE",))
    if op.get_bind().dialect.name == "postgresql":  # several processes write: numbers come from a sequence
        op.execute("CREATE SEQUENCE ledger_numbers AS bigint")
        op.execute(
            "ALTER TABLE ledger_accounts SET (fillfactor = 50)"
        )  # room for the next versions of a balance
        op.execute("ALTER TABLE ledger_pendings SET (fillfactor = 70)")


def _int(name: str, **options: Any) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, **options)


def _blob(name: str, **options: Any) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=False, **options)


def _create(table: str) -> None:
    if table == "ledger_pendings":
        op.create_table(table, _blob("id", primary_key=True), _int("expires_at"), _int("state"))
        due = sa.text("state = 0 AND expires_at > 0")
        op.create_index("ledger_pendings_due", table, ["expires_at"], sqlite_where=due, postgresql_where=due)
    elif table == "ledger_past_balances":
        op.create_table(
            table, _blob("account", primary_key=True), _int("number", primary_key=True, autoincrement=False),
            _blob("event"), *map(_int, _SUMS),
        )  # fmt: skip
    else:
        seq = sa.BigInteger().with_variant(sa.Integer, "sqlite")  # there it is the row's own number
        op.create_table(
            table, sa.Column("seq", seq, primary_key=True, autoincrement=False), _blob("id", unique=True),
            *map(_blob, _IDS), *map(_int, ("amount", "ledger", "code", "flags")), _blob("pending_id"),
            _blob("user_data"), *map(_int, ("timestamp", "timeout_s", "debit_prev", "credit_prev")),
        )  # fmt: skip


def _fill() -> None:
    op.execute(
        "INSERT INTO ledger_pendings (id, expires_at, state) "  # noqa: S608
        f"SELECT p.id, 0, CASE WHEN r.id IS NULL THEN {_OPEN} "
        f"WHEN (r.flags & {_POST}) <> 0 THEN {_POSTED} ELSE {_VOIDED} END "
        "FROM old_transfers p LEFT JOIN old_transfers r "
        f"ON r.pending_id = p.id AND (r.flags & {_RESOLVE}) <> 0 WHERE (p.flags & {_PENDING}) <> 0"
    )
    op.execute(
        "WITH entries AS (SELECT debit_account AS account, seq FROM old_transfers "  # noqa: S608
        "UNION ALL SELECT credit_account, seq FROM old_transfers), "
        "chained AS (SELECT account, seq, lag(seq, 1, 0) OVER (PARTITION BY account ORDER BY seq) AS prev "
        f"FROM entries) INSERT INTO ledger_transfers ({', '.join(_TRANSFER)}, timeout_s, debit_prev, credit_prev) "
        f"SELECT {', '.join('t.' + name for name in _TRANSFER)}, 0, d.prev, c.prev FROM old_transfers t "
        "JOIN chained d ON d.account = t.debit_account AND d.seq = t.seq "
        "JOIN chained c ON c.account = t.credit_account AND c.seq = t.seq"
    )
    op.execute(
        "UPDATE ledger_accounts SET last_seq = coalesce((SELECT max(seq) FROM old_transfers t "
        "WHERE ledger_accounts.id IN (t.debit_account, t.credit_account)), 0)"
    )
