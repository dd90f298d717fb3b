"""The ledger on SQL: loads what a request touches, runs the rules of `jinka.ledger`, stores what changed.

One transaction for each call, durable when it returns. Balances live beside their accounts; transfers are append-only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from jinka.ledger import (
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    Transfer,
    TransferFlag,
    TransferResult,
)
from jinka.ledger.memory import LedgerState
from jinka.store.schema import accounts as account_table
from jinka.store.schema import transfers as transfer_table

_CHUNK = 10_000
_SUMS = ("debits_pending", "debits_posted", "credits_pending", "credits_posted")
_ACCOUNT = ("id", "ledger", "code", "flags", "user_data")
_TRANSFER = (
    "id", "debit_account", "credit_account", "amount", "ledger", "code", "flags", "pending_id", "user_data",
    "timestamp",
)  # fmt: skip
_RESOLVE = TransferFlag.POST_PENDING | TransferFlag.VOID_PENDING


class SqlLedger:
    """Implements `jinka.ledger.LedgerEngine` on a database opened by `open_database`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        state = LedgerState()
        with self._engine.begin() as connection:
            _load_accounts(connection, state, {account.id for account in accounts})
            known = set(state.accounts)
            results = [state.create_account(account) for account in accounts]
            fresh = [
                {name: getattr(account, name) for name in _ACCOUNT}
                | dict.fromkeys(_SUMS, 0)
                | {"flags": int(account.flags)}
                for id_, account in state.accounts.items()
                if id_ not in known
            ]
            if fresh:
                connection.execute(account_table.insert(), fresh)
        return results

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        state = LedgerState()
        with self._engine.begin() as connection:
            _load_accounts(
                connection, state, {i for t in transfers for i in (t.debit_account, t.credit_account)}
            )
            _load_transfers(connection, state, {i for t in transfers for i in (t.id, t.pending_id)})
            before, known = dict(state.balances), set(state.transfers)
            results = state.create_transfers(transfers)
            self._store(connection, state, before, known)
        return results

    def _store(
        self, connection: sa.Connection, state: LedgerState, before: dict[bytes, Balance], known: set[bytes]
    ) -> None:
        seq = (connection.scalar(sa.select(sa.func.max(transfer_table.c.seq))) or 0) + 1
        fresh = [t for t in state.transfers.values() if t.id not in known]
        rows = [
            {name: getattr(t, name) for name in _TRANSFER} | {"flags": int(t.flags), "seq": seq + n}
            for n, t in enumerate(fresh)
        ]
        if rows:
            connection.execute(transfer_table.insert(), rows)
        changed = [
            {"changed_id": id_} | {name: getattr(balance, name) for name in _SUMS}
            for id_, balance in state.balances.items()
            if balance != before[id_]
        ]
        if changed:
            query = account_table.update().where(account_table.c.id == sa.bindparam("changed_id"))
            connection.execute(query.values({name: sa.bindparam(name) for name in _SUMS}), changed)

    def accounts(self) -> list[Account]:
        with self._engine.connect() as connection:
            return [
                _account(row)
                for row in connection.execute(sa.select(account_table).order_by(account_table.c.id))
            ]

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        state = LedgerState()
        with self._engine.connect() as connection:
            _load_accounts(connection, state, set(ids))
        return {id_: state.balances[id_] for id_ in ids if id_ in state.balances}

    def lookup(self, ids: Sequence[bytes]) -> dict[bytes, Transfer]:
        state = LedgerState()
        with self._engine.connect() as connection:
            _load_transfers(connection, state, set(ids))
        return {id_: state.transfers[id_] for id_ in ids if id_ in state.transfers}

    def history(self, account: bytes) -> list[Transfer]:
        columns = transfer_table.c
        mine = (columns.debit_account == account) | (columns.credit_account == account)
        with self._engine.connect() as connection:
            rows = connection.execute(sa.select(transfer_table).where(mine).order_by(columns.seq))
            return [_transfer(row) for row in rows]


def _chunks(ids: Iterable[bytes]) -> Iterable[list[bytes]]:
    ordered = sorted(ids)
    for start in range(0, len(ordered), _CHUNK):
        yield ordered[start : start + _CHUNK]


def _load_accounts(connection: sa.Connection, state: LedgerState, ids: set[bytes]) -> None:
    for chunk in _chunks(ids):
        for row in connection.execute(sa.select(account_table).where(account_table.c.id.in_(chunk))):
            state.accounts[row.id] = _account(row)
            state.balances[row.id] = Balance(**{name: getattr(row, name) for name in _SUMS})


def _load_transfers(connection: sa.Connection, state: LedgerState, ids: set[bytes]) -> None:
    columns = transfer_table.c
    for chunk in _chunks(ids):
        for row in connection.execute(sa.select(transfer_table).where(columns.id.in_(chunk))):
            state.transfers[row.id] = _transfer(row)
    for chunk in _chunks(ids - {bytes(16)}):
        resolving = sa.select(columns.pending_id, columns.flags).where(columns.pending_id.in_(chunk))
        for row in connection.execute(resolving):
            state.resolved[row.pending_id] = TransferFlag(row.flags) & _RESOLVE


def _account(row: Any) -> Account:
    return Account(
        id=row.id, ledger=row.ledger, code=row.code, flags=AccountFlag(row.flags), user_data=row.user_data
    )


def _transfer(row: Any) -> Transfer:
    return Transfer(
        **{name: getattr(row, name) for name in _TRANSFER if name != "flags"}, flags=TransferFlag(row.flags)
    )
