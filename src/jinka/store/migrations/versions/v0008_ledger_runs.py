"""SQLite's ledger: transfers name their accounts by number, and their ids are indexed in runs.

An index over random ids touches a page of its own for nearly every new transfer, the more so the larger it is; a run is
written once, in the order of its ids. PostgreSQL has several writers and keeps its unique index.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from jinka.store.migrations.append_only import make_append_only

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SUMS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_ACCOUNT = f"id, ledger, code, flags, user_data, {', '.join(_SUMS)}, last_seq"
_ZERO = "zeroblob(16)"
_VIEW = (
    "CREATE VIEW ledger_transfers AS SELECT m.seq, m.id, d.id AS debit_account, c.id AS credit_account, m.amount, "
    "d.ledger, m.code, m.flags, coalesce(m.pending_id, zeroblob(16)) AS pending_id, "
    "coalesce(m.user_data, zeroblob(16)) AS user_data, m.timestamp, m.timeout_s, m.debit_prev, m.credit_prev "
    "FROM ledger_moves m JOIN ledger_accounts d ON d.number = m.debit JOIN ledger_accounts c ON c.number = m.credit"
)


def _ints(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in names]


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer, primary_key=True, autoincrement=False)


def _blob(name: str, *, nullable: bool = False, unique: bool | None = None) -> sa.Column[bytes]:
    return sa.Column(name, sa.LargeBinary, nullable=nullable, unique=unique)


def upgrade() -> None:
    """Make the tables anew from those that are there; ids are put into runs by the first call that needs them."""
    if op.get_bind().dialect.name != "sqlite":
        return
    op.create_table(
        "new_accounts", _number("number"), _blob("id", unique=True), *_ints("ledger", "code", "flags"),
        _blob("user_data"), *_ints(*_SUMS),
        sa.Column("last_seq", sa.BigInteger, nullable=False, server_default="0"),
    )  # fmt: skip
    op.execute(f"INSERT INTO new_accounts ({_ACCOUNT}) SELECT {_ACCOUNT} FROM ledger_accounts ORDER BY rowid")  # noqa: S608
    op.create_table(
        "ledger_moves", _number("seq"), _blob("id"), *_ints("debit", "credit", "amount", "code", "flags"),
        _blob("pending_id", nullable=True), _blob("user_data", nullable=True),
        *_ints("timestamp", "timeout_s", "debit_prev", "credit_prev"),
    )  # fmt: skip
    op.execute(
        "INSERT INTO ledger_moves SELECT t.seq, t.id, d.number, c.number, t.amount, t.code, t.flags, "  # noqa: S608
        f"nullif(t.pending_id, {_ZERO}), nullif(t.user_data, {_ZERO}), t.timestamp, t.timeout_s, t.debit_prev, "
        "t.credit_prev FROM ledger_transfers t JOIN new_accounts d ON d.id = t.debit_account "
        "JOIN new_accounts c ON c.id = t.credit_account ORDER BY t.seq"
    )
    op.drop_table("ledger_transfers")
    op.drop_table("ledger_accounts")
    op.rename_table("new_accounts", "ledger_accounts")
    op.execute(_VIEW)
    op.create_table("ledger_runs", _number("number"), *_ints("upto_seq"), _blob("filter"))
    op.create_table(
        "ledger_run_ids", sa.Column("run", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("id", sa.LargeBinary, primary_key=True, nullable=False), *_ints("seq"), sqlite_with_rowid=False,
    )  # fmt: skip
    make_append_only("ledger_moves", "ledger_runs", "ledger_run_ids")
    make_append_only("ledger_accounts", verbs=("DELETE",))
