"""TACs of a whole Arrow batch: rows are grouped by algorithm, key version and kind, and checked by bulk kernels.

What a TAC binds is in `jinka.crypto.bulk` (JR/T 0025.1). One row gets one `TacStatus`, the first that applies of:
no TAC, a TAC of another length than 4, no key, wrong. An amount that 4 bytes do not hold cannot have been bound by
any TAC: wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec import RECORD_SCHEMA, Algorithm, TransactionType
from jinka.codec.canonical import fixed_bytes
from jinka.crypto.block import pad80
from jinka.crypto.bulk import MAX_BOUND, load_messages, purchase_messages
from jinka.keys.port import TacStatus
from jinka.keys.provider import Key
from jinka.kit import Usage

Numbers = npt.NDArray[Any]

_LOADS = (TransactionType.ED_LOAD, TransactionType.EP_LOAD)
_NUMBERS = ("txn_type", "amount", "balance", "counter", "terminal_serial", "key_version", "algorithm")
_BYTES = ("card_no", "terminal_id", "local_date", "local_time")
TAC_COLUMNS = (*_NUMBERS, *_BYTES, "issuer", "tac")  # of `RECORD_SCHEMA`: what a check needs
_MOMENT = ("txn_type", "terminal_id", "date", "time")
_PURCHASE = ("amount", "terminal_serial", *_MOMENT)
_LOAD = ("balance", "counter", "amount", *_MOMENT)
_BLOCK = {Algorithm.TDES: 8, Algorithm.SM4: 16}


@dataclass(frozen=True, slots=True, kw_only=True)
class TacKeys:
    """An issuer's TAC roots by algorithm and key version."""

    issuer: str
    roots: dict[tuple[Algorithm, int], Key] = field(repr=False)


def make_tac(root: Key, factor8: bytes, data: bytes) -> bytes:
    """The TAC of one card over ``data``, 4 bytes."""
    if len(factor8) != 8:
        raise Usage(f"{len(factor8)} bytes", where="factor8", fix="the last 16 digits of the card number")
    factors = np.frombuffer(factor8, np.uint8).reshape(1, 8)
    padded = np.frombuffer(pad80(data, root.kind.block), np.uint8)[None]
    return root.tacs(factors, padded, threads=1).tobytes()


def check_tacs(records: pa.RecordBatch, keys: TacKeys, *, threads: int) -> npt.NDArray[np.uint8]:
    """Return a `TacStatus` for each row; columns beyond those that a TAC needs are ignored.

    Raises `Usage` when a column is missing, has another type than in `RECORD_SCHEMA`, or has nulls (``tac`` may).
    """
    columns = {name: _column(records, name) for name in TAC_COLUMNS}
    numbers = {name: columns[name].to_numpy() for name in _NUMBERS}
    raw = {name: fixed_bytes(columns[name]) for name in _BYTES}
    status, given = _read_tacs(columns["tac"])
    foreign = pc.not_equal(columns["issuer"], keys.issuer).to_numpy(zero_copy_only=False)
    pending = status == TacStatus.OK
    status[pending] = TacStatus.NO_KEY  # until a key is found
    pending &= ~foreign
    is_load = np.isin(numbers["txn_type"], _LOADS)
    bound = _fits(numbers["amount"]) & (_fits(numbers["balance"]) | ~is_load)
    group = (
        numbers["algorithm"].astype(np.int32) << 9 | numbers["key_version"].astype(np.int32) << 1 | is_load
    )
    batch = _Batch(numbers, raw, bound)
    for code in np.flatnonzero(np.bincount(group[pending])):
        algorithm, version = _algorithm(int(code) >> 9), int(code) >> 1 & 0xFF
        root = keys.roots.get((algorithm, version)) if algorithm is not None else None
        if algorithm is None or root is None:
            continue
        rows = np.flatnonzero(pending & (group == code))
        status[rows] = TacStatus.WRONG  # until a match is found
        rows = rows[bound[rows]]
        messages = batch.loads(algorithm, rows) if code & 1 else batch.purchases(algorithm, rows)
        made = root.tacs(_of_rows(batch.factors, rows), messages, threads=threads)
        status[rows[made == given[rows]]] = TacStatus.OK
    return status


class _Batch:
    """What the TACs of a batch bind. Most are purchases: they are packed once for all groups that pick from them."""

    def __init__(
        self, numbers: dict[str, Numbers], raw: dict[str, npt.NDArray[np.uint8]], bound: npt.NDArray[np.bool_]
    ) -> None:
        self._columns = numbers | {"terminal_id": raw["terminal_id"]}
        self._columns |= {"date": raw["local_date"], "time": raw["local_time"]}
        self._bound = bound
        self._packed: dict[Algorithm, npt.NDArray[np.uint8]] = {}
        self.factors = np.ascontiguousarray(raw["card_no"][:, 2:])

    def purchases(self, algorithm: Algorithm, rows: Numbers) -> npt.NDArray[np.uint8]:
        """The padded messages of some rows, purchases all of them."""
        if algorithm not in self._packed:
            columns = {name: self._columns[name] for name in _PURCHASE}
            columns["amount"] = np.where(self._bound, columns["amount"], 0)  # of rows that nobody picks
            self._packed[algorithm] = purchase_messages(**columns, block=_BLOCK[algorithm])
        return _of_rows(self._packed[algorithm], rows)

    def loads(self, algorithm: Algorithm, rows: Numbers) -> npt.NDArray[np.uint8]:
        """The same of loads."""
        columns = {name: self._columns[name][rows] for name in _LOAD}
        return load_messages(**columns, block=_BLOCK[algorithm])


def _of_rows(matrix: npt.NDArray[np.uint8], rows: Numbers) -> npt.NDArray[np.uint8]:
    """Some rows of a contiguous matrix whose width is a number of words."""
    if len(rows) == len(matrix):
        return matrix
    return np.take(matrix.view(np.uint64), rows, axis=0).view(np.uint8)


def _column(records: pa.RecordBatch, name: str) -> pa.Array:
    where = f"verify_tacs.{name}"
    if name not in records.schema.names:
        raise Usage("the column is missing", where=where, fix="pass the columns of RECORD_SCHEMA")
    column, wanted = records.column(name), RECORD_SCHEMA.field(name).type
    if column.type != wanted:
        raise Usage(f"is {column.type}, not {wanted}", where=where, fix="cast it to RECORD_SCHEMA")
    if column.null_count and name != "tac":
        raise Usage(f"{column.null_count} nulls", where=where, fix="set such rows aside first")
    return column


def _read_tacs(column: pa.BinaryArray) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
    """A status for each row (OK: 4 bytes are there) and those 4 bytes as a number, 0 where there are none."""
    count = len(column)
    given = np.zeros(count, dtype=np.uint32)
    if not count:
        return np.zeros(0, dtype=np.uint8), given
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32, count + 1, column.offset * 4)
    usable = np.diff(offsets) == 4
    status = np.where(usable, np.uint8(TacStatus.OK), np.uint8(TacStatus.MALFORMED))
    if column.null_count:
        absent = pc.is_null(column).to_numpy(zero_copy_only=False)
        status[absent] = TacStatus.ABSENT
        usable &= ~absent
    if usable.any():
        data = np.frombuffer(data_buffer, np.uint8)
        starts = offsets[:-1][usable]
        if starts.min() < 0 or starts.max() > len(data) - 4:
            raise Usage("offsets beyond the data", where="verify_tacs.tac", fix="validate the batch in full")
        if usable.all():
            given[:] = np.frombuffer(data_buffer, np.uint8, 4 * count, int(offsets[0])).view(np.uint32)
        else:
            places = starts[:, None] + np.arange(4, dtype=np.int32)
            given[usable] = data[places].view(np.uint32).ravel()
    return status, given


def _fits(values: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    return (values >= 0) & (values <= MAX_BOUND)


def _algorithm(value: int) -> Algorithm | None:
    return Algorithm(value) if value in Algorithm._value2member_map_ else None
