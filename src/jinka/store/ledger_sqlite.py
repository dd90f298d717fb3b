"""The ledger's statements on SQLite: one writer, prepared statements, accounts by their numbers.

What cannot change (an account's number), or changes with a new transfer alone (an account's newest transfer), is
remembered as long as no other process has posted. Ids of transfers are in `jinka.store.ledger_ids`.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import repeat

import numpy as np

from jinka.kit import MAX_MINOR
from jinka.ledger import Account, TransferFlag
from jinka.ledger.swift import Amounts, Columns, Sums
from jinka.store.ledger_ids import TransferIds
from jinka.store.ledger_tables import (
    ACCOUNT_COLUMNS,
    PAST_COLUMNS,
    TRANSFER_COLUMNS,
    Place,
    PlainRefused,
    Row,
    account_row,
    chained,
)

_CHUNK = 1_000  # ids in one statement, which is prepared once
_KNOWN_MOST = 1_000_000  # accounts whose numbers are remembered
_ZERO, _NO_SUMS = bytes(16), (0, 0, 0, 0)


def _insert(table: str, columns: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608


_ACCOUNTS = f"SELECT {', '.join(ACCOUNT_COLUMNS)}, number FROM ledger_accounts WHERE id IN"  # noqa: S608
_TRANSFERS = f"SELECT {', '.join(TRANSFER_COLUMNS)} FROM ledger_transfers WHERE seq IN"  # noqa: S608
_ADD_ACCOUNTS = _insert("ledger_accounts", ACCOUNT_COLUMNS)
_ADD_MOVES = _insert(
    "ledger_moves",
    ("seq", "id", "debit", "credit", "amount", "code", "flags", "pending_id", "user_data", "timestamp", "timeout_s",
     "debit_prev", "credit_prev"),
)  # fmt: skip
_ADD_PENDINGS = _insert("ledger_pendings", ("id", "expires_at", "state"))
_ADD_PAST = _insert("ledger_past_balances", PAST_COLUMNS)
# SQLite turns an integer that overflows into a float; the condition is what keeps sums whole.
_ADD_SUMS = (
    "UPDATE ledger_accounts SET debits_pending = debits_pending + ?, debits_posted = debits_posted + ?, "
    "credits_pending = credits_pending + ?, credits_posted = credits_posted + ?, "
    "last_seq = coalesce(?, last_seq) WHERE number = ? "
    "AND debits_pending + debits_posted <= ? AND credits_pending + credits_posted <= ?"
)
_ADD_POSTED = (
    "UPDATE ledger_accounts SET debits_posted = debits_posted + ?1, credits_posted = credits_posted + ?2, "  # noqa: S608
    f"last_seq = ?3 WHERE number = ?4 AND debits_pending + debits_posted <= {MAX_MINOR} - ?1 "
    f"AND credits_pending + credits_posted <= {MAX_MINOR} - ?2"
)
_LASTS = "SELECT number, id, last_seq FROM ledger_accounts WHERE id IN"


class SqliteTables:
    """Implements `jinka.store.ledger_tables.LedgerTables`; the caller has begun an immediate transaction."""

    conflicts: tuple[type[Exception], ...] = (sqlite3.IntegrityError,)

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ids = TransferIds()
        self._numbers: dict[bytes, int] = {}
        self._lasts: dict[bytes, int] = {}

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """What is remembered follows what is stored: one call at a time, and nothing is kept of one that fails."""
        with self._lock:
            if len(self._numbers) > _KNOWN_MOST:
                self._numbers, self._lasts = {}, {}
            try:
                yield
            except BaseException:
                self._ids.forget()
                self._numbers, self._lasts = {}, {}
                raise

    def accounts(
        self,
        raw: sqlite3.Connection,
        ids: Sequence[bytes],
        *,
        lock: bool,  # noqa: ARG002 one writer
    ) -> list[Row]:
        rows = _where_in(raw, _ACCOUNTS, ids)
        self._numbers.update([(row[0], row[-1]) for row in rows])
        return rows

    def add_accounts(self, raw: sqlite3.Connection, accounts: Sequence[Account]) -> None:
        raw.executemany(_ADD_ACCOUNTS, [account_row(account) for account in accounts])

    def has_any(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> bool:
        self._follow(raw)
        return len(set(ids)) < len(ids) or bool(self._ids.find(raw, ids))

    def transfers(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> list[Row]:
        self._follow(raw)
        return _where_in(raw, _TRANSFERS, sorted(self._ids.find(raw, ids).values()))

    def _follow(self, raw: sqlite3.Connection) -> None:
        if self._ids.follow(raw):
            self._lasts = {}  # another process has posted

    def lasts(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> list[int]:
        self._follow(raw)
        known = self._lasts
        try:
            return list(map(known.__getitem__, ids))
        except KeyError:
            missing = [id_ for id_ in ids if id_ not in known]
        for number, id_, last in _where_in(raw, _LASTS, missing):
            self._numbers[id_] = number
            known[id_] = last
        return [known[id_] for id_ in ids]

    def add_transfers(self, raw: sqlite3.Connection, columns: Columns, place: Place) -> None:
        self._follow(raw)
        seqs = range(self._ids.newest + 1, self._ids.newest + 1 + len(columns["id"]))
        prev = chained(place, np.array(seqs))
        numbers = np.array(list(map(self._numbers.__getitem__, place.accounts)), dtype=np.int64)
        rows = zip(
            seqs, columns["id"], numbers[place.debit].tolist(), numbers[place.credit].tolist(), columns["amount"],
            columns["code"], _flags(columns["flags"]), _or_null(columns["pending_id"]),
            _or_null(columns["user_data"]), columns["timestamp"], columns["timeout_s"], prev[0].tolist(),
            prev[1].tolist(), strict=False,
        )  # fmt: skip
        raw.executemany(_ADD_MOVES, rows)
        self._ids.add(columns["id"], seqs)
        self._ids.close_run(raw)

    def add_posted(self, raw: sqlite3.Connection, place: Place, debits: Amounts, credits_: Amounts) -> None:
        last = place.last.tolist()
        numbers = list(map(self._numbers.__getitem__, place.accounts))
        rows = zip(debits.tolist(), credits_.tolist(), last, numbers, strict=True)
        if raw.executemany(_ADD_POSTED, rows).rowcount != len(numbers):
            raise PlainRefused
        self._lasts.update(zip(place.accounts, last, strict=True))

    def add_sums(
        self, raw: sqlite3.Connection, sums: Mapping[bytes, Sums], last: Mapping[bytes, int]
    ) -> None:
        ids = sums if last.keys() <= sums.keys() else sums.keys() | last.keys()
        get, get_last, numbers, most = sums.get, last.get, self._numbers, MAX_MINOR
        rows = []
        for id_ in ids:
            a, b, c, d = get(id_, _NO_SUMS)
            debits, credits_ = a + b, c + d  # what falls needs no bound
            rows.append(
                (a, b, c, d, get_last(id_), numbers[id_], most - debits if debits > 0 else most,
                 most - credits_ if credits_ > 0 else most)
            )  # fmt: skip
        if raw.executemany(_ADD_SUMS, rows).rowcount != len(rows):
            raise PlainRefused
        self._lasts.update(last)

    def pendings(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> list[Row]:
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


def _flags(flags: Sequence[TransferFlag]) -> Iterable[int]:
    return repeat(0) if flags.count(TransferFlag.NONE) == len(flags) else map(int, flags)


def _or_null(ids: Sequence[bytes]) -> Iterable[bytes | None]:
    """Sixteen zero bytes are stored as nothing."""
    if ids.count(_ZERO) == len(ids):
        return repeat(None)
    return [None if id_ == _ZERO else id_ for id_ in ids]


def _where_in(raw: sqlite3.Connection, query: str, ids: Sequence[object]) -> list[Row]:
    rows: list[Row] = []
    for start in range(0, len(ids), _CHUNK):
        chunk = ids[start : start + _CHUNK]
        rows += raw.execute(f"{query} ({','.join('?' * len(chunk))})", chunk)
    return rows
