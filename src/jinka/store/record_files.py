"""How clearing records lie in Parquet: written at intake, read by the clearing, carried into the outcomes as they are.

Apache Parquet 2.x, "Encodings". Values that hardly repeat stay out of dictionaries, which grow to their limit and are
left behind then; numbers in the order of intake are differences. The same rows give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

ROW_GROUP_ROWS = 122_880  # DuckDB's own; fixed so that a later default cannot change the bytes
_DISTINCT = frozenset({"record_id", "card_no", "local_time", "tac"})
_RISING = frozenset({"record_id"})


def record_writer(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """For tables of this schema; `write_records` says in which row groups."""
    return pq.ParquetWriter(
        path,
        schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=[name for name in schema.names if name not in _DISTINCT],
        column_encoding={name: "DELTA_BINARY_PACKED" for name in schema.names if name in _RISING} or None,
    )


def write_records(writer: pq.ParquetWriter, table: pa.Table) -> None:
    """Add rows, in row groups of `ROW_GROUP_ROWS`."""
    writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
