"""A table as Parquet in memory, for files that are written durably elsewhere. The same rows give the same bytes."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_bytes(table: pa.Table) -> bytes:
    """The file's bytes; no wall-clock time is among them."""
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    raw: bytes = sink.getvalue().to_pybytes()
    return raw
