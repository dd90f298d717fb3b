"""Cleared records as lines of the trade, and back: which column of one is which field of the other.

The city-union file has each field of the record, so what is read back is the record with its outcome. The
UnionPay-style file was made for bank cards: how a purse's purchase stands in it is Jinka's own choice, said field by
field in `com_rows`, and there is no way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec import RECORD_SCHEMA
from jinka.codec.record import DEBITS
from jinka.codec.trade_files import CITY_UNION, UNIONPAY_COM, Coding
from jinka.kit import Refused, Usage

# The record with what became of it, as it is read from a city-union file.
CLEARED = pa.schema(
    [*RECORD_SCHEMA, pa.field("outcome", pa.string(), False), pa.field("reason", pa.string(), False)],
    metadata=RECORD_SCHEMA.metadata,
)
_TRACES = 1_000_000
_INSTITUTION_MAX, _MERCHANT_MAX = 11, 15


def union_rows(outcomes: pa.RecordBatch) -> pa.RecordBatch:
    """Outcomes as the fields of `CITY_UNION`."""
    columns = []
    for field in CITY_UNION.fields:
        if field.constant:
            continue
        column = outcomes.column(field.name)
        if field.coding is Coding.DIGITS:
            column = pc.utf8_lpad(column.cast(pa.string()), field.width, "0")
        elif field.name == "txn_type":
            raw = pc.fill_null(column, 0).to_numpy(zero_copy_only=False).astype(np.uint8)
            column = pa.FixedSizeBinaryArray.from_buffers(pa.binary(1), len(raw), [None, pa.py_buffer(raw)])
        columns.append(column.cast(field.coding.arrow))
    return pa.RecordBatch.from_arrays(columns, schema=CITY_UNION.schema)


def records_of(lines: pa.RecordBatch, *, where: str) -> pa.RecordBatch:
    """The fields of `CITY_UNION` as `CLEARED`; raises `Refused` for what no record can hold."""
    columns = []
    for field in CLEARED:
        column = lines.column(field.name)
        if field.name == "txn_type":
            column = pa.array([word[0] for word in column.to_pylist()], pa.uint8())
        try:
            columns.append(column.cast(field.type))
        except pa.ArrowException:
            raise Refused(
                "holds a value that no record can have", where=f"{where}, {field.name}", fix=f"{field.type}"
            ) from None
    return pa.RecordBatch.from_arrays(columns, schema=CLEARED)


def com_rows(outcomes: pa.RecordBatch, institutions: Mapping[str, str]) -> pa.RecordBatch:
    """The paid purchases among outcomes as the fields of `UNIONPAY_COM`.

    Participants are named by ``institutions`` or by their own code, where it is short enough. The terminal's serial
    gives the trace, its identifier (all 12 digits) the reference and (the last 8) the terminal; the operator is the
    merchant. Whatever a purse's record does not know is left blank.
    """
    kinds = pa.array([int(kind) for kind in DEBITS], pa.uint8())
    paid = pc.and_(
        pc.equal(outcomes.column("outcome").cast(pa.string()), "PAID"),
        pc.is_in(outcomes.column("txn_type"), kinds),
    )
    rows = outcomes.filter(paid)
    count = rows.num_rows
    terminal = _hex(rows.column("terminal_id"))
    acquirer = _institutions(rows.column("acquirer"), institutions)
    issuer = _institutions(rows.column("issuer"), institutions)
    trace = np.asarray(rows.column("terminal_serial")) % _TRACES
    known: dict[str, Any] = {
        "acquirer": acquirer, "forwarder": acquirer, "receiver": issuer, "issuer": issuer,
        "trace": pc.utf8_lpad(pa.array(trace).cast(pa.string()), 6, "0"),
        "sent_at": pc.binary_join_element_wise(
            pc.utf8_slice_codeunits(_hex(rows.column("local_date")), 4), _hex(rows.column("local_time")), ""
        ),
        "pan": _card_numbers(rows), "amount": rows.column("amount"), "message_type": "0200",
        "processing_code": "000000", "condition": "00", "response": "00", "reference": terminal,
        "terminal": pc.utf8_slice_codeunits(terminal, 4), "merchant": _words(rows.column("operator"), _MERCHANT_MAX),
    }  # fmt: skip
    columns = []
    for field in UNIONPAY_COM.schema:
        value = known.get(field.name, None if field.nullable else "")
        if value is None or isinstance(value, str):
            value = pa.array([value] * count, field.type)
        columns.append(value.cast(field.type))
    return pa.RecordBatch.from_arrays(columns, schema=UNIONPAY_COM.schema)


def _card_numbers(rows: pa.RecordBatch) -> pa.Array:
    """The digits of each card's number, which are its last ``card_len``."""
    digits, lengths = _hex(rows.column("card_no")), rows.column("card_len")
    made = pa.nulls(rows.num_rows, pa.string())
    for length in pc.unique(lengths).to_pylist():
        made = pc.if_else(pc.equal(lengths, length), pc.utf8_slice_codeunits(digits, 20 - length), made)
    return made


def _hex(column: pa.Array) -> pa.Array:
    """Fixed binaries as hexadecimal digits."""
    width, count = column.type.byte_width, len(column)
    raw = np.frombuffer(column.buffers()[1], np.uint8)[
        column.offset * width : (column.offset + count) * width
    ]
    figures = np.frombuffer(b"0123456789ABCDEF", np.uint8)
    made = np.empty((count, 2 * width), np.uint8)
    made[:, ::2] = figures[raw.reshape(count, width) >> 4]
    made[:, 1::2] = figures[raw.reshape(count, width) & 15]
    fixed = pa.FixedSizeBinaryArray.from_buffers(pa.binary(2 * width), count, [None, pa.py_buffer(made)])
    return fixed.cast(pa.binary()).cast(pa.string())


def _institutions(codes: pa.Array, institutions: Mapping[str, str]) -> pa.Array:
    coded = codes.cast(pa.string()).dictionary_encode()
    named = [institutions.get(code, code) for code in coded.dictionary.to_pylist()]
    return _words(pa.array(named, pa.string()).take(coded.indices), _INSTITUTION_MAX)


def _words(column: pa.Array, width: int) -> pa.Array:
    column = column.cast(pa.string())
    for word in pc.unique(column).to_pylist():
        if len(word) > width:
            raise Usage(
                f"{word[:40]!r} is longer than {width} characters", where="institutions",
                fix="give the file's own code for it (--institutions)",
            )  # fmt: skip
    return column


__all__ = ["CLEARED", "com_rows", "records_of", "union_rows"]
