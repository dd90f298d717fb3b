"""The ledger's statements on PostgreSQL through psycopg 3: arrays in, COPY in binary, rows locked in the order of ids.

READ COMMITTED is enough: whatever a call decides upon belongs to accounts that it has locked, and the unique index on
transfer ids is the judge between two calls that share an id and no account.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from weakref import WeakSet

import numpy as np
import numpy.typing as npt
import psycopg
from psycopg import errors
from psycopg.adapt import Dumper

from jinka.ledger import Account
from jinka.ledger.swift import Amounts, Columns, Sums
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

_ACCOUNTS = f"SELECT {', '.join(ACCOUNT_COLUMNS)} FROM ledger_accounts WHERE id = ANY(%b) ORDER BY id"  # noqa: S608
_TRANSFERS = f"SELECT {', '.join(TRANSFER_COLUMNS)} FROM ledger_transfers WHERE id = ANY(%b)"  # noqa: S608
_LASTS = "SELECT id, last_seq FROM ledger_accounts WHERE id = ANY(%b) ORDER BY id FOR NO KEY UPDATE"
# The rows are locked already. The condition makes a sum that overflows an error of the engine's.
_ADD_SUMS = (
    "UPDATE ledger_accounts t SET debits_pending = t.debits_pending + u.a, debits_posted = t.debits_posted + u.b, "
    "credits_pending = t.credits_pending + u.c, credits_posted = t.credits_posted + u.d, "
    "last_seq = CASE WHEN u.last = 0 THEN t.last_seq ELSE u.last END "
    "FROM unnest(%b::bytea[], %b::int8[], %b::int8[], %b::int8[], %b::int8[], %b::int8[]) AS u(id, a, b, c, d, last) "
    "WHERE t.id = u.id AND t.debits_pending + t.debits_posted + u.a + u.b >= 0 "
    "AND t.credits_pending + t.credits_posted + u.c + u.d >= 0"
)
_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
_told: WeakSet[psycopg.Connection[Any]] = WeakSet()


class PostgresTables:
    """Implements `jinka.store.ledger_tables.LedgerTables` on a connection of psycopg."""

    conflicts: tuple[type[Exception], ...] = (
        errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure,
    )  # fmt: skip

    def transaction(self) -> AbstractContextManager[None]:
        return nullcontext()

    def has_any(self, raw: psycopg.Connection[Any], ids: Sequence[bytes]) -> bool:  # noqa: ARG002
        return False  # the unique index refuses it

    def accounts(self, raw: psycopg.Connection[Any], ids: Sequence[bytes], *, lock: bool) -> Iterable[Row]:
        if not ids:
            return []
        query = _ACCOUNTS + (" FOR NO KEY UPDATE" if lock else "")
        return _ask(raw, query, (_Ids(ids),))

    def add_accounts(self, raw: psycopg.Connection[Any], accounts: Sequence[Account]) -> None:
        rows = [account_row(account) for account in accounts]
        _copy(raw, "ledger_accounts", ACCOUNT_COLUMNS, list(zip(*rows, strict=True)))

    def transfers(self, raw: psycopg.Connection[Any], ids: Sequence[bytes]) -> Iterable[Row]:
        return _ask(raw, _TRANSFERS, (_Ids(ids),)) if ids else []

    def lasts(self, raw: psycopg.Connection[Any], ids: Sequence[bytes]) -> list[int]:
        last = dict(_ask(raw, _LASTS, (_Ids(ids),)))
        return [last[id_] for id_ in ids]

    def add_transfers(self, raw: psycopg.Connection[Any], columns: Columns, place: Place) -> None:
        seqs = _draw_numbers(raw, len(columns["id"]))
        names = ("seq", *TRANSFER_COLUMNS, "debit_prev", "credit_prev")
        _copy(raw, "ledger_transfers", names, [seqs, *columns.values(), *chained(place, seqs)])

    def add_posted(
        self, raw: psycopg.Connection[Any], place: Place, debits: Amounts, credits_: Amounts
    ) -> None:
        none = np.zeros(len(place.accounts), dtype=np.int64)
        self._add(raw, place.accounts, none, debits, none, credits_, place.last)

    def add_sums(
        self, raw: psycopg.Connection[Any], sums: Mapping[bytes, Sums], last: Mapping[bytes, int]
    ) -> None:
        ids = sorted(sums.keys() | last.keys())
        columns = [list(column) for column in zip(*(sums.get(i, (0, 0, 0, 0)) for i in ids), strict=True)]
        self._add(raw, ids, *columns, [last.get(id_, 0) for id_ in ids])

    def _add(
        self, raw: psycopg.Connection[Any], ids: Sequence[bytes], *columns: Sequence[int] | Amounts
    ) -> None:
        try:
            with _cursor(raw) as cursor:
                cursor.execute(_ADD_SUMS, (_Ids(ids), *map(_Ints, columns)))
        except errors.NumericValueOutOfRange as error:
            raise PlainRefused from error

    def pendings(self, raw: psycopg.Connection[Any], ids: Sequence[bytes]) -> Iterable[Row]:
        return _ask(raw, "SELECT id, state FROM ledger_pendings WHERE id = ANY(%b)", (_Ids(ids),))

    def add_pendings(self, raw: psycopg.Connection[Any], rows: Sequence[Row]) -> None:
        _copy(raw, "ledger_pendings", ("id", "expires_at", "state"), list(zip(*rows, strict=True)))

    def set_pendings(self, raw: psycopg.Connection[Any], rows: Sequence[Row]) -> None:
        states, ids = (list(column) for column in zip(*rows, strict=True))
        query = (
            "UPDATE ledger_pendings p SET state = u.state FROM unnest(%b::int8[], %b::bytea[]) AS u(state, id) "
            "WHERE p.id = u.id"
        )
        with _cursor(raw) as cursor:
            cursor.execute(query, (_Ints(states), _Ids(ids)))

    def due(self, raw: psycopg.Connection[Any], now_micros: int, most: int) -> list[bytes]:
        query = (
            "SELECT id FROM ledger_pendings WHERE state = 0 AND expires_at > 0 AND expires_at <= %b::int8 "
            "ORDER BY expires_at, id LIMIT %b::int8"
        )
        return [id_ for (id_,) in _ask(raw, query, (now_micros, most))]

    def past_numbers(self, raw: psycopg.Connection[Any], accounts: Sequence[bytes]) -> Iterable[Row]:
        query = (
            "SELECT account, max(number) FROM ledger_past_balances WHERE account = ANY(%b) GROUP BY account"
        )
        return _ask(raw, query, (_Ids(accounts),)) if accounts else []

    def add_past(self, raw: psycopg.Connection[Any], rows: Sequence[Row]) -> None:
        _copy(raw, "ledger_past_balances", PAST_COLUMNS, list(zip(*rows, strict=True)))


class _Ids:
    """An array of ids in the server's binary form; psycopg would pack each element by itself."""

    oid = psycopg.adapters.types["bytea"].array_oid
    _ELEMENT = (psycopg.adapters.types["bytea"].oid, np.dtype([("size", ">i4"), ("value", "V16")]))

    def __init__(self, values: Sequence[bytes]) -> None:
        self._values = np.frombuffer(b"".join(values), dtype="V16")

    def __bytes__(self) -> bytes:
        element, layout = self._ELEMENT
        rows = np.empty(len(self._values), dtype=layout)
        rows["size"], rows["value"] = layout["value"].itemsize, self._values
        return (
            struct.pack(">iiIii", 1, 0, element, len(rows), 1) + rows.tobytes()
        )  # one dimension, from 1, no NULL


class _Ints(_Ids):
    """An array of integers of 8 bytes."""

    oid = psycopg.adapters.types["int8"].array_oid
    _ELEMENT = (psycopg.adapters.types["int8"].oid, np.dtype([("size", ">i4"), ("value", ">i8")]))

    def __init__(self, values: Sequence[int] | Amounts) -> None:
        self._values = np.asarray(values, dtype=np.int64)


class _IdsDumper(Dumper):
    format = psycopg.pq.Format.BINARY
    oid = _Ids.oid

    def dump(self, obj: _Ids) -> bytes:
        return bytes(obj)


class _IntsDumper(_IdsDumper):
    oid = _Ints.oid


def _cursor(raw: psycopg.Connection[Any]) -> psycopg.Cursor[Any]:
    """A cursor that speaks binary and knows the arrays above."""
    if raw not in _told:
        raw.adapters.register_dumper(_Ids, _IdsDumper)
        raw.adapters.register_dumper(_Ints, _IntsDumper)
        _told.add(raw)
    return raw.cursor(binary=True)


def _draw_numbers(raw: psycopg.Connection[Any], count: int) -> Amounts:
    """Numbers that no other writer has: mostly a row of them, and one by one where another drew between."""
    drawn = "SELECT nextval('ledger_numbers') AS number FROM generate_series(1, %b::int8)"
    [(first, last)] = _ask(raw, f"SELECT min(number), max(number) FROM ({drawn}) AS drawn", (count,))  # noqa: S608
    if last - first + 1 == count:
        return np.arange(first, last + 1)
    return np.array([number for (number,) in _ask(raw, drawn, (count,))])


def _ask(raw: psycopg.Connection[Any], query: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    with _cursor(raw) as cursor:
        return cursor.execute(query, params).fetchall()


def _copy(
    raw: psycopg.Connection[Any], table: str, names: Sequence[str], columns: Sequence[Sequence[Any] | Amounts]
) -> None:
    """Store rows, given as columns, by COPY: every field has a fixed width, so the whole is one array."""
    rows = np.zeros(len(columns[0]), dtype=_row_type(tuple(isinstance(c[0], bytes) for c in columns)))
    rows["fields"] = len(columns)
    for n, column in enumerate(columns):
        if isinstance(column[0], bytes):
            rows[f"size{n}"] = 16
            rows[f"value{n}"] = np.frombuffer(b"".join(column), dtype="V16")
        else:
            rows[f"size{n}"] = 8
            rows[f"value{n}"] = np.array(column, dtype=np.int64)
    with (
        raw.cursor() as cursor,
        cursor.copy(f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT binary)") as copy,
    ):
        copy.write(_SIGNATURE + rows.tobytes() + _TRAILER)


def _row_type(ids: tuple[bool, ...]) -> npt.DTypeLike:
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for n, is_id in enumerate(ids):
        fields += [(f"size{n}", ">i4"), (f"value{n}", "V16" if is_id else ">i8")]
    return np.dtype(fields)
