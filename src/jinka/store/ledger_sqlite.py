"""The ledger's statements on SQLite: one writer, prepared statements, whole chunks of ids in one question."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from jinka.kit import MAX_MINOR
from jinka.ledger import Account, Transfer
from jinka.ledger.swift import Sums
from jinka.store.ledger_tables import (
    ACCOUNT_COLUMNS,
    PAST_COLUMNS,
    TRANSFER_COLUMNS,
    PlainRefused,
    Row,
    account_row,
    chained,
)

_CHUNK = 1_000  # ids in one statement, which is prepared once


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


_ACCOUNTS = f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM ledger_accounts WHERE id IN"  # noqa: S608
_TRANSFERS = f"SELECT {', '.join(TRANSFER_COLUMNS)} FROM ledger_transfers WHERE id IN"  # noqa: S608
_ADD_ACCOUNTS = _insert("ledger_accounts", ACCOUNT_COLUMNS)
_ADD_TRANSFERS = _insert("ledger_transfers", ("seq", *TRANSFER_COLUMNS, "debit_prev", "credit_prev"))
_ADD_PENDINGS = _insert("ledger_pendings", ("id", "expires_at", "state"))
_ADD_PAST = _insert("ledger_past_balances", PAST_COLUMNS)
# SQLite turns an integer that overflows into a float; the condition is what keeps sums whole.
_ADD_SUMS = (
    "UPDATE ledger_accounts SET debits_pending = debits_pending + ?, debits_posted = debits_posted + ?, "
    "credits_pending = credits_pending + ?, credits_posted = credits_posted + ?, "
    "last_seq = coalesce(?, last_seq) WHERE id = ? "
    "AND debits_pending + debits_posted <= ? AND credits_pending + credits_posted <= ?"
)


class SqliteTables:
    """Implements `jinka.store.ledger_tables.LedgerTables`; the caller has begun an immediate transaction."""

    conflicts: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)

    def accounts(
        self,
        raw: sqlite3.Connection,
        ids: Sequence[bytes],
        *,
        lock: bool,  # noqa: ARG002 one writer
    ) -> Iterator[Row]:
        return _where_in(raw, _ACCOUNTS, ids)

    def add_accounts(self, raw: sqlite3.Connection, accounts: Sequence[Account]) -> None:
        raw.executemany(_ADD_ACCOUNTS, [account_row(account) for account in accounts])

    def transfers(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> Iterator[Row]:
        return _where_in(raw, _TRANSFERS, ids)

    def lasts(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> Iterator[Row]:
        return _where_in(raw, "SELECT id, last_seq FROM ledger_accounts WHERE id IN", ids)

    def add_transfers(
        self, raw: sqlite3.Connection, transfers: Sequence[Transfer], last: dict[bytes, int]
    ) -> None:
        [newest] = raw.execute("SELECT coalesce(max(seq), 0) FROM ledger_transfers").fetchone()
        raw.executemany(_ADD_TRANSFERS, chained(transfers, itertools.count(newest + 1), last))

    def add_sums(
        self, raw: sqlite3.Connection, sums: Mapping[bytes, Sums], last: Mapping[bytes, int]
    ) -> None:
        ids = sums if last.keys() <= sums.keys() else sorted(sums.keys() | last.keys())
        get, get_last, most = sums.get, last.get, MAX_MINOR
        rows = []
        for id_ in ids:
            a, b, c, d = get(id_, (0, 0, 0, 0))
            debits, credits_ = a + b, c + d  # what falls needs no bound
            rows.append(
                (a, b, c, d, get_last(id_), id_, most - debits if debits > 0 else most,
                 most - credits_ if credits_ > 0 else most)
            )  # fmt: skip
        if raw.executemany(_ADD_SUMS, rows).rowcount != len(rows):
            raise PlainRefused

    def pendings(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> Iterator[Row]:
        return _where_in(raw, "SELECT id, state FROM ledger_pendings WHERE id IN", ids)

    def add_pendings(self, raw: sqlite3.Connection, rows: Sequence[Row]) -> None:
        raw.executemany(_ADD_PENDINGS, rows)

    def set_pendings(self, raw: sqlite3.Connection, rows: Sequence[Row]) -> None:
        raw.executemany("UPDATE ledger_pendings SET state = ? WHERE id = ?", rows)

    def due(self, raw: sqlite3.Connection, now_micros: int, most: int) -> list[bytes]:
        query = (
            "SELECT id FROM ledger_pendings WHERE state = 0 AND expires_at > 0 AND expires_at <= ? "
            "ORDER BY expires_at, id LIMIT ?"
        )
        return [id_ for (id_,) in raw.execute(query, (now_micros, most))]

    def past_numbers(self, raw: sqlite3.Connection, accounts: Sequence[bytes]) -> Iterable[Row]:
        query = "SELECT max(number) FROM ledger_past_balances WHERE account = ?"
        return [(id_, raw.execute(query, (id_,)).fetchone()[0] or 0) for id_ in accounts]

    def add_past(self, raw: sqlite3.Connection, rows: Sequence[Row]) -> None:
        raw.executemany(_ADD_PAST, rows)


def _where_in(raw: sqlite3.Connection, query: str, ids: Sequence[bytes]) -> Iterator[Row]:
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        yield from raw.execute(f"{query} ({','.join('?' * len(chunk))})", chunk)
