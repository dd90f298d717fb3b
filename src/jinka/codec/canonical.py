"""The canonical byte form of a batch of clearing records, and its SHA-256: what a terminal seals.

Jinka's own form, version ``JKB1``, columnar so that it is cheap for small and large batches alike::

    "JKB1" | record count (4, big endian)
    for each record in `batch_seq` order: the fixed fields in schema order (integers big endian, dates as days since
        1970-01-01, fixed binaries as they are), and for each variable field its length + 1 (4), or 0 for null
    for each variable field in schema order: the values of all records, joined

Lengths and null marks come before the values, so two different batches never give the same bytes. The clearing
side (`jinka.clearing`) and the terminal side call the same function. Seals are made and checked in `jinka.keys`.
"""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec.record import RECORD_SCHEMA

_MAGIC = b"JKB1"
EMPTY_DIGEST = hashlib.sha256(_MAGIC + bytes(4)).digest()  # of a batch without records
Bytes = npt.NDArray[np.uint8]


def batch_header(*, terminal_id: bytes, batch_no: int, record_count: int, total: int, batch: bytes) -> bytes:
    """The 38 bytes that a seal covers beside the digest: terminal, number, count, total (signed), batch id."""
    return (
        terminal_id
        + batch_no.to_bytes(4, "big")
        + record_count.to_bytes(4, "big")
        + total.to_bytes(8, "big", signed=True)
        + batch
    )


def fixed_bytes(column: pa.Array) -> Bytes:
    """A view of a null-free ``binary(w)`` array as an ``(N, w)`` matrix, without a copy."""
    width, count = column.type.byte_width, len(column)
    if not count:
        return np.zeros((0, width), np.uint8)
    flat = np.frombuffer(column.buffers()[1], np.uint8, count * width, column.offset * width)
    return flat.reshape(count, width)


def batch_digests(records: pa.Table) -> list[tuple[bytes, bytes]]:
    """Return (batch, SHA-256 of its canonical form) for each batch in a table with `RECORD_SCHEMA`.

    Rows may come in any order; the result is in ascending order of the batch ids.
    """
    if not records.num_rows:
        return []
    table = in_batch_order(records)
    starts = batch_starts(table)
    bounds = np.append(starts, table.num_rows)
    fixed, values = _encode(table)
    batches = fixed_bytes(table.column("batch").chunk(0))[starts]
    width = fixed.itemsize
    row = memoryview(fixed.tobytes())
    pieces = [(offsets[bounds].tolist(), data) for offsets, data in values]
    edges = bounds.tolist()
    digests: list[tuple[bytes, bytes]] = []
    for i, batch in enumerate(batches):
        first, last = edges[i], edges[i + 1]
        digest = hashlib.sha256(_MAGIC + (last - first).to_bytes(4, "big"))
        digest.update(row[first * width : last * width])
        for at, data in pieces:
            digest.update(data[at[i] : at[i + 1]])
        digests.append((batch.tobytes(), digest.digest()))
    return sorted(digests)


def in_batch_order(records: pa.Table) -> pa.Table:
    """The same rows with each batch in one run by `batch_seq`, each column in one chunk.

    Rows that lie so already are not copied; others are sorted by (batch, batch_seq).
    """
    table = records.combine_chunks()
    if not table.num_rows:
        return table
    high, low = _batch_words(table)
    seq = table.column("batch_seq").chunk(0).to_numpy()
    starts = batch_starts(table)
    rises = seq[1:] >= seq[:-1]
    rises[starts[1:] - 1] = True
    runs = np.stack([high[starts], low[starts]], axis=1)
    if bool(rises.all()) and len(np.unique(runs, axis=0)) == len(runs):
        return table
    return table.take(pa.array(np.lexsort((seq, low, high)))).combine_chunks()


def batch_starts(ordered: pa.Table) -> npt.NDArray[np.int64]:
    """The row at which each batch of an ordered table begins."""
    high, low = _batch_words(ordered)
    change = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    return np.concatenate([[0], np.flatnonzero(change) + 1]).astype(np.int64)


def _batch_words(table: pa.Table) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
    words = np.ascontiguousarray(fixed_bytes(table.column("batch").chunk(0))).view(">u8").astype(np.uint64)
    return words[:, 0], words[:, 1]


def _encode(table: pa.Table) -> tuple[npt.NDArray[np.void], list[tuple[npt.NDArray[np.int32], memoryview]]]:
    """The fixed fields and lengths as packed rows, and for each variable field its offsets and joined values."""
    formats: list[tuple[str, str]] = []
    parts: list[npt.NDArray[Any]] = []
    values: list[tuple[npt.NDArray[np.int32], memoryview]] = []
    for field in RECORD_SCHEMA:
        column = table.column(field.name).chunk(0)
        if pa.types.is_fixed_size_binary(field.type):
            width = field.type.byte_width
            formats.append((field.name, f"V{width}"))
            parts.append(fixed_bytes(column).view(f"V{width}").reshape(-1))
        elif pa.types.is_binary(field.type) or pa.types.is_string(field.type):
            lengths, offsets, data = _variable(column)
            formats.append((field.name, ">u4"))
            parts.append(lengths)
            values.append((offsets, data))
        else:
            numbers = (column.cast(pa.int32()) if pa.types.is_date32(field.type) else column).to_numpy()
            formats.append((field.name, numbers.dtype.newbyteorder(">").str))
            parts.append(numbers)
    rows = np.empty(table.num_rows, np.dtype(formats))
    for (name, _), part in zip(formats, parts, strict=True):
        rows[name] = part
    return rows, values


def _variable(column: pa.Array) -> tuple[npt.NDArray[np.uint32], npt.NDArray[np.int32], memoryview]:
    if column.null_count:  # bytes under a null are not part of the value: write them out of the array
        marks = pc.is_valid(column).to_numpy(zero_copy_only=False)
        column = pc.fill_null(column, b"" if pa.types.is_binary(column.type) else "")
    else:
        marks = np.ones(len(column), np.bool_)
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32, len(column) + 1, column.offset * 4)
    lengths = np.where(marks, np.diff(offsets) + 1, 0).astype(np.uint32)
    data = memoryview(data_buffer) if data_buffer is not None else memoryview(b"")
    return lengths, offsets, data
