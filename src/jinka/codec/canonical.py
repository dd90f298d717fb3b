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

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec.record import RECORD_SCHEMA

_MAGIC = b"JKB1"
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
    bounds = [*starts.tolist(), table.num_rows]
    fixed, values = _encode(table)
    batches = fixed_bytes(table.column("batch").chunk(0))[starts]
    digests: list[tuple[bytes, bytes]] = []
    row = memoryview(fixed.tobytes())
    width = fixed.shape[1]
    for i, batch in enumerate(batches):
        first, last = bounds[i], bounds[i + 1]
        digest = hashlib.sha256(_MAGIC + (last - first).to_bytes(4, "big"))
        digest.update(row[first * width : last * width])
        for offsets, data in values:
            digest.update(data[offsets[first] : offsets[last]])
        digests.append((batch.tobytes(), digest.digest()))
    return digests


def in_batch_order(records: pa.Table) -> pa.Table:
    """The same rows by (batch, batch_seq), each column in one chunk; no copy of rows that are in order already."""
    table = records.combine_chunks()
    if not table.num_rows:
        return table
    high, low = _batch_words(table)
    seq = table.column("batch_seq").chunk(0).to_numpy()
    same = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    rises = (
        (high[1:] > high[:-1])
        | ((high[1:] == high[:-1]) & (low[1:] > low[:-1]))
        | (same & (seq[1:] >= seq[:-1]))
    )
    if bool(rises.all()):
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


def _encode(table: pa.Table) -> tuple[Bytes, list[tuple[list[int], memoryview]]]:
    """The matrix of fixed fields and lengths, and for each variable field its offsets and joined values."""
    parts: list[Bytes] = []
    values: list[tuple[list[int], memoryview]] = []
    for field in RECORD_SCHEMA:
        column = table.column(field.name).chunk(0)
        if pa.types.is_fixed_size_binary(field.type):
            parts.append(fixed_bytes(column))
        elif pa.types.is_binary(field.type) or pa.types.is_string(field.type):
            lengths, offsets, data = _variable(column)
            parts.append(lengths)
            values.append((offsets.tolist(), data))
        else:
            parts.append(_integers(column))
    return np.concatenate(parts, axis=1), values


def _integers(column: pa.Array) -> Bytes:
    if pa.types.is_date32(column.type):
        column = column.cast(pa.int32())
    numbers = column.to_numpy()
    swapped = numbers.astype(numbers.dtype.newbyteorder(">"))
    matrix: Bytes = swapped.view(np.uint8).reshape(len(numbers), numbers.dtype.itemsize)
    return matrix


def _variable(column: pa.Array) -> tuple[Bytes, npt.NDArray[np.int32], memoryview]:
    if column.null_count:  # bytes under a null are not part of the value: write them out of the array
        marks = pc.is_valid(column).to_numpy(zero_copy_only=False)
        column = pc.fill_null(column, b"" if pa.types.is_binary(column.type) else "")
    else:
        marks = np.ones(len(column), np.bool_)
    _, offset_buffer, data_buffer = column.buffers()
    offsets = np.frombuffer(offset_buffer, np.int32, len(column) + 1, column.offset * 4)
    lengths = np.where(marks, np.diff(offsets) + 1, 0).astype(">u4")
    data = memoryview(data_buffer) if data_buffer is not None else memoryview(b"")
    return lengths.view(np.uint8).reshape(len(column), 4), offsets, data
