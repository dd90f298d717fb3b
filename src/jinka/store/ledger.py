"""The ledger on SQL: one transaction for each call, durable when it returns, on SQLite or PostgreSQL.

A call of transfers without any condition, between accounts without limits, is added up and stored at once. For all
others what the call touches is loaded, the rules of `jinka.ledger.swift` run, and what changed is stored. Balances live
beside their accounts; transfers are append-only. Several processes may write to one PostgreSQL: whoever touches an
account waits for its lock, taken in the order of ids.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import sqlalchemy as sa

from jinka.kit import JinkaError, Usage
from jinka.ledger import (
    MAX_BATCH,
    Account,
    AccountFlag,
    AccountResult,
    Balance,
    LedgerEngine,
    PastBalance,
    PendingState,
    Transfer,
    TransferFlag,
    TransferResult,
    check_batch,
)
from jinka.ledger.memory import LedgerState
from jinka.ledger.swift import SwiftState, columns_of, is_plain, keeps_history, places, plain_call
from jinka.store.database import database_at
from jinka.store.ledger_sqlite import SqliteTables
from jinka.store.ledger_tables import (
    ACCOUNT_COLUMNS,
    PAST_COLUMNS,
    TRANSFER_COLUMNS,
    LedgerTables,
    Place,
    PlainRefused,
    Row,
    transfer_of,
)

_TRIES = 20  # of one call, when other writers come between
_PLAIN_MOST = 1_000_000  # accounts whose ledger is remembered
_TIGERBEETLE = "tigerbeetle://"
_NOT_PLAIN = 0  # no ledger has this number
_Answer = TypeVar("_Answer")
_ALL_ACCOUNTS = sa.text(f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM ledger_accounts ORDER BY id")  # noqa: S608
_PAST = sa.text(
    f"SELECT {', '.join(PAST_COLUMNS)} FROM ledger_past_balances WHERE account = :account ORDER BY number"  # noqa: S608
)
# From an account's last transfer back along the chain.
_HISTORY = sa.text(
    "WITH RECURSIVE chain(seq, depth) AS (SELECT last_seq, 0 FROM ledger_accounts WHERE id = :account "  # noqa: S608
    "UNION ALL SELECT CASE WHEN t.debit_account = :account THEN t.debit_prev ELSE t.credit_prev END, c.depth + 1 "
    "FROM chain c JOIN ledger_transfers t ON t.seq = c.seq) "
    f"SELECT {', '.join('t.' + name for name in TRANSFER_COLUMNS)} "
    "FROM chain c JOIN ledger_transfers t ON t.seq = c.seq ORDER BY c.depth DESC"
)


class SqlLedger:
    """Implements `jinka.ledger.LedgerEngine` on a database opened by `open_database`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._tables = _tables(engine)
        self._plain: dict[bytes, int] = {}  # ledgers; an account never changes its own, nor its flags
        self._block = threading.local()

    @contextmanager
    def together(self) -> Iterator[sa.Connection]:
        """Make one transaction of all calls in the block, of this thread, and of what is written on the connection.

        What a call answers in the block is true once the block has ended. A block in a block is a part of it.
        """
        if (outer := self._open_block()) is not None:
            yield outer
            return
        try:
            with self._tables.transaction(), self._engine.begin() as connection:
                self._block.connection = connection
                try:
                    yield connection
                finally:
                    self._block.connection = None
        except BaseException:
            self._plain.clear()  # an account of the block may not be there
            raise

    def _open_block(self) -> sa.Connection | None:
        found: sa.Connection | None = getattr(self._block, "connection", None)
        return found

    @contextmanager
    def _begin(self) -> Iterator[Any]:
        """The driver's own connection, in a transaction, or in a part of the block's that can be undone alone."""
        outer = self._open_block()
        if outer is None:
            with self._tables.transaction(), self._engine.begin() as connection:
                yield connection.connection.driver_connection
            return
        raw: Any = outer.connection.driver_connection
        with self._tables.transaction():
            raw.execute("SAVEPOINT ledger_call")
            try:
                yield raw
            except BaseException:
                raw.execute("ROLLBACK TO SAVEPOINT ledger_call")
                raise
            raw.execute("RELEASE SAVEPOINT ledger_call")

    def _tried(self, work: Callable[[Any, int], _Answer]) -> _Answer:
        """Run a transaction, again if another writer came between; ``work`` is told how often it was tried."""
        again: tuple[type[Exception], ...] = (PlainRefused, *self._tables.conflicts)
        for tries in range(_TRIES):
            try:
                with self._begin() as raw:
                    return work(raw, tries)
            except again as error:
                met: Exception = error
        raise JinkaError(
            f"{_TRIES} tries met another writer ({type(met).__name__})", where="ledger", fix="send it again"
        ) from met

    def create_accounts(self, accounts: Sequence[Account]) -> list[AccountResult]:
        check_batch(accounts)

        def work(raw: Any, _: int) -> list[AccountResult]:
            state = LedgerState()
            for row in self._tables.accounts(raw, sorted({a.id for a in accounts}), lock=False):
                account = _account(row)
                state.accounts[account.id] = account
            known = set(state.accounts)
            results = state.create_accounts(accounts)
            fresh = [account for id_, account in sorted(state.accounts.items()) if id_ not in known]
            if fresh:
                self._tables.add_accounts(raw, fresh)
            return results

        return self._tried(work)

    def create_transfers(self, transfers: Sequence[Transfer]) -> list[TransferResult]:
        check_batch(transfers)

        def work(raw: Any, tries: int) -> list[TransferResult]:
            if not transfers:
                return []
            columns = columns_of(transfers)
            call = None if tries else plain_call(columns, partial(self._ledgers, raw))
            if call is None or self._tables.has_any(raw, columns["id"]):
                return self._rule(raw, transfers)
            place = Place(
                accounts=call.accounts, debit=call.debit, credit=call.credit,
                last=np.array(self._tables.lasts(raw, call.accounts)),
            )  # fmt: skip
            self._tables.add_transfers(raw, columns, place)
            self._tables.add_posted(raw, place, call.debits, call.credits)
            return [TransferResult.CREATED] * len(transfers)

        return self._tried(work)

    def _ledgers(self, raw: Any, accounts: Sequence[bytes]) -> list[int]:
        """The ledger of each account that is plain, 0 of others and of those that are not there."""
        try:
            return list(map(self._plain.__getitem__, accounts))
        except KeyError:
            missing = sorted(set(accounts) - self._plain.keys())
        if len(self._plain) > _PLAIN_MOST:
            self._plain.clear()
            missing = sorted(accounts)
        for id_, ledger, _, flags, *_ in self._tables.accounts(raw, missing, lock=False):
            self._plain[bytes(id_)] = ledger if is_plain(flags) else _NOT_PLAIN
        return [self._plain.get(id_, _NOT_PLAIN) for id_ in accounts]

    def _rule(self, raw: Any, transfers: Sequence[Transfer]) -> list[TransferResult]:
        named = {t.debit_account for t in transfers}
        named.update([t.credit_account for t in transfers])
        pending_ids = {t.pending_id for t in transfers} - {bytes(16)}
        state, kept, last = self._load(raw, sorted(named))
        for row in self._tables.transfers(raw, list({t.id for t in transfers} | pending_ids)):
            state.know_transfer(transfer_of(row))
        for id_, what in self._tables.pendings(raw, sorted(pending_ids)):
            state.know_pending(bytes(id_), PendingState(what))
        before = dict(state.pendings)
        results = state.create_transfers(transfers)
        if state.fresh:
            columns = columns_of(state.fresh)
            accounts, debit, credit = places(columns)
            newest = np.array([last[id_] for id_ in accounts])
            place = Place(accounts=accounts, debit=debit, credit=credit, last=newest)
            self._tables.add_transfers(raw, columns, place)
            last = dict(zip(accounts, newest.tolist(), strict=True))
            opened = [t for t in state.fresh if int(t.flags) & int(TransferFlag.PENDING)]
            if opened:
                rows = [(t.id, t.expires_at, int(state.pendings[t.id])) for t in opened]
                self._tables.add_pendings(raw, sorted(rows))
            self._store(raw, state, before, kept, last)
        return results

    def _load(self, raw: Any, ids: Sequence[bytes]) -> tuple[SwiftState, list[bytes], dict[bytes, int]]:
        """The accounts, locked; which of them keep a history; and the last transfer of each."""
        state, kept = SwiftState(), []
        last: dict[bytes, int] = {}
        for row in self._tables.accounts(raw, ids, lock=True):
            id_, flags = bytes(row[0]), row[3]
            state.know_account(id_, row[1], flags, row[5:9])
            last[id_] = row[9]
            if keeps_history(flags):
                kept.append(id_)
        return state, kept, last

    def _store(
        self,
        raw: Any,
        state: SwiftState,
        before: Mapping[bytes, PendingState],
        kept: Sequence[bytes],
        last: Mapping[bytes, int],
    ) -> None:
        """What `SwiftState` changed, beside new transfers."""
        sums = state.added()
        if sums or last:
            self._tables.add_sums(raw, sums, last)
        settled = [
            (int(what), id_)
            for id_, what in sorted(state.pendings.items())
            if id_ in before and what is not before[id_]
        ]
        if settled:
            self._tables.set_pendings(raw, settled)
        if state.past:
            numbers = {bytes(id_): count for id_, count in self._tables.past_numbers(raw, kept)}
            rows = []
            for account, event, balance in state.past:
                numbers[account] = number = numbers.get(account, 0) + 1
                rows.append((account, number, event, *balance))
            self._tables.add_past(raw, rows)

    def expire(self, now_micros: int) -> list[bytes]:
        def work(raw: Any, _: int) -> list[bytes]:
            due = self._tables.due(raw, now_micros, MAX_BATCH)
            if not due:
                return []
            held = [transfer_of(row) for row in self._tables.transfers(raw, sorted(due))]
            ids = {i for t in held for i in (t.debit_account, t.credit_account)}
            state, kept = self._load(raw, sorted(ids))[:2]
            for transfer in held:
                state.know_transfer(transfer)
            # Asked again now that the accounts are locked: another writer may have settled some.
            for id_, what in self._tables.pendings(raw, sorted(due)):
                state.know_pending(bytes(id_), PendingState(what))
            before = dict(state.pendings)
            released = [id_ for id_ in due if before[id_] is PendingState.OPEN]
            state.expire(released)
            if released:
                self._store(raw, state, before, kept, {})
            return released

        return self._tried(work)

    def accounts(self) -> list[Account]:
        with self._engine.connect() as connection:
            return [_account(tuple(row)) for row in connection.execute(_ALL_ACCOUNTS)]

    def lookup_accounts(self, ids: Sequence[bytes]) -> dict[bytes, Account]:
        found = {bytes(row[0]): _account(row) for row in self._account_rows(ids)}
        return {id_: found[id_] for id_ in ids if id_ in found}

    def balances(self, ids: Sequence[bytes]) -> dict[bytes, Balance]:
        found = {bytes(row[0]): _balance(row[5:9]) for row in self._account_rows(ids)}
        return {id_: found[id_] for id_ in ids if id_ in found}

    def _account_rows(self, ids: Sequence[bytes]) -> list[Row]:
        with self._begin() as raw:
            return list(self._tables.accounts(raw, sorted(set(ids)), lock=False))

    def lookup(self, ids: Sequence[bytes]) -> dict[bytes, Transfer]:
        with self._begin() as raw:
            rows = self._tables.transfers(raw, sorted(set(ids)))
            found = {transfer.id: transfer for transfer in map(transfer_of, rows)}
        return {id_: found[id_] for id_ in ids if id_ in found}

    def history(self, account: bytes) -> list[Transfer]:
        with self._engine.connect() as connection:
            return [transfer_of(tuple(row)) for row in connection.execute(_HISTORY, {"account": account})]

    def past_balances(self, account: bytes) -> list[PastBalance]:
        with self._engine.connect() as connection:
            return [
                PastBalance(event=bytes(event), balance=_balance(sums))
                for _, _, event, *sums in connection.execute(_PAST, {"account": account})
            ]


def open_ledger(where: Path | str) -> AbstractContextManager[LedgerEngine]:
    """The ledger at a path (SQLite), a ``postgresql://`` URL, or ``tigerbeetle://host:port,...``; closed at its end."""
    if isinstance(where, str) and where.startswith(_TIGERBEETLE):
        try:
            from jinka.store.tigerbeetle_ledger import TigerBeetleLedger  # its client is an extra
        except ModuleNotFoundError as error:
            fix = 'pip install "jinka[tigerbeetle]"'
            raise Usage("TigerBeetle needs its client", where="ledger", fix=fix) from error
        return closing(TigerBeetleLedger(where.removeprefix(_TIGERBEETLE)))
    return _sql_ledger(where)


@contextmanager
def _sql_ledger(where: Path | str) -> Iterator[LedgerEngine]:
    with database_at(where) as database:
        yield SqlLedger(database)


def _tables(engine: sa.Engine) -> LedgerTables:
    if engine.dialect.name == "postgresql":
        from jinka.store.postgres_ledger import PostgresTables  # psycopg is an extra

        return PostgresTables()
    return SqliteTables()


def _account(row: Row) -> Account:
    return Account(
        id=bytes(row[0]), ledger=row[1], code=row[2], flags=AccountFlag(row[3]), user_data=bytes(row[4])
    )


def _balance(sums: Sequence[int]) -> Balance:
    debits_pending, debits_posted, credits_pending, credits_posted = sums
    return Balance(
        debits_pending=debits_pending, debits_posted=debits_posted, credits_pending=credits_pending,
        credits_posted=credits_posted,
    )  # fmt: skip
