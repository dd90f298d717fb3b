"""The Parquet files in parcels: written in one way, and compared with what their manifest says.

Whoever takes files from others has them looked through in another process (`jinka.node.parcel_examiner`); what is found
there is compared here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.codec.parcel import Manifest
from jinka.codec.parcel_contents import Contents, FileSchema, ParquetLimits, examine, require_columns
from jinka.kit import Refused

_ROW_GROUP_ROWS = 65_536


class Look(Protocol):
    """How a file is looked through; raises `Refused`."""

    def __call__(
        self, path: Path, schema: FileSchema, limits: ParquetLimits, *, where: str, claimed: int
    ) -> Contents: ...


def look_here(
    path: Path, schema: FileSchema, limits: ParquetLimits, *, where: str, claimed: int | None = None
) -> Contents:
    """In this process: for files of one's own, and for tests."""
    with path.open("rb") as file:
        return examine(file, schema, limits, where=where, claimed=claimed)


def write_parcel_file(path: Path, table: pa.Table, schema: FileSchema) -> None:
    """Write a table with exactly the schema's columns; the same rows give the same bytes."""
    require_columns(table.schema, schema, where=path.name)
    with pq.ParquetWriter(
        path, schema.columns, compression="zstd", data_page_size=1 << 20, write_page_checksum=True
    ) as out:
        if table.num_rows:  # a row group without rows is nothing that a reader should have to judge
            out.write_table(table.cast(schema.columns), row_group_size=_ROW_GROUP_ROWS)


def read_parcel_file(path: Path, schema: FileSchema) -> pa.Table:
    """The rows of a file that was examined."""
    return pq.read_table(path, schema=schema.columns, partitioning=None)


def check_contents(
    manifest: Manifest,
    files: Mapping[str, Path],
    schemas: Mapping[str, FileSchema],
    limits: ParquetLimits,
    look: Look = look_here,
) -> None:
    """Raise `Refused` that names the place unless the files are what the manifest says."""
    total = 0
    for at, entry in enumerate(manifest.files):
        where = f"{manifest.label}.files[{at}]"
        schema = schemas.get(entry.schema)
        if schema is None or manifest.kind not in schema.kinds:
            raise Refused(f"{entry.schema} is not taken in this stream", where=f"{where}.schema")
        found = look(files[entry.name], schema, limits, where=where, claimed=entry.rows)
        total += found.amount_fen
    if total != manifest.amount_fen:
        raise Refused(
            f"the amounts add up to {total}, not {manifest.amount_fen}", where=f"{manifest.label}.amount_fen"
        )
