"""Closing a terminal's batches: counts, totals and the seal that the clearing centre checks.

The seal is HMAC-SHA256 under the terminal's own key over the header and the digest of the records
(`jinka.codec.canonical`); the key service makes it, this module never sees the key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec import BATCH_SCHEMA
from jinka.codec.canonical import batch_digests, batch_header
from jinka.codec.clearing import ClearingRecord, record_table
from jinka.kit import make_id


class BatchSealer(Protocol):
    """What closing a batch asks of the key service (`jinka.keys.KeyService.seal_batch`)."""

    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        """Return the 32-byte seal."""
        ...


def batch_id(terminal_id: bytes, batch_no: int) -> bytes:
    """The 16-byte id of a terminal's n-th batch."""
    return make_id("batch", terminal_id, batch_no)


def batch_up(
    records: Sequence[ClearingRecord], batch_no: int, sealer: BatchSealer
) -> tuple[pa.Table, pa.Table]:
    """The records as the batch of that number of each terminal, and the headers: `RECORD_SCHEMA`, `BATCH_SCHEMA`."""
    numbers: dict[bytes, tuple[bytes, int]] = {}
    ids: list[bytes] = []
    places: list[int] = []
    counts: defaultdict[bytes, int] = defaultdict(int)
    for record in records:
        batch = batch_id(record.terminal_id, batch_no)
        numbers[batch] = (record.terminal_id, batch_no)
        ids.append(batch)
        places.append(counts[batch])
        counts[batch] += 1
    table = record_table(records, ids, places).sort_by([("batch", "ascending"), ("batch_seq", "ascending")])
    return table, close_batches(table, numbers, sealer)


def close_batches(
    records: pa.Table, numbers: dict[bytes, tuple[bytes, int]], sealer: BatchSealer
) -> pa.Table:
    """Return the batch headers (`BATCH_SCHEMA`) of all batches in ``records`` (`RECORD_SCHEMA`).

    ``numbers`` maps each batch id to (terminal number, batch number).
    """
    sums = records.group_by("batch").aggregate([("amount", "sum"), ("batch", "count")])
    totals = {
        batch: (count, total)
        for batch, total, count in zip(
            sums["batch"].to_pylist(),
            sums["amount_sum"].to_pylist(),
            sums["batch_count"].to_pylist(),
            strict=True,
        )
    }
    rows = []
    for batch, digest in batch_digests(records):
        terminal, batch_no = numbers[batch]
        count, total = totals[batch]
        header = batch_header(
            terminal_id=terminal, batch_no=batch_no, record_count=count, total=total, batch=batch
        )
        seal = sealer.seal_batch(terminal_id=terminal, header=header, digest32=digest)
        rows.append((batch, terminal, batch_no, count, total, seal))
    columns = zip(*rows, strict=True) if rows else [()] * len(BATCH_SCHEMA)
    arrays = [pa.array(list(column), field.type) for column, field in zip(columns, BATCH_SCHEMA, strict=True)]
    table = pa.table(arrays, schema=BATCH_SCHEMA)
    return table.take(
        pc.sort_indices(table, sort_keys=[("terminal_id", "ascending"), ("batch_no", "ascending")])
    )
