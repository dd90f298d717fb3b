"""Parquet files of one table, read by row groups: repeated words stay codes, fixed binaries keep their width.

DuckDB reads wide rows well when it computes with them. Where all columns are only carried along, or go to a function
over Arrow, pyarrow hands them over with less work: a word that repeats is never unpacked. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.kit import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class RowGroup:
    """One row group of one file, with the span of the key where the file tells it."""

    path: Path
    number: int
    rows: int
    first: int | None
    last: int | None


class ParquetSource:
    """Files of one schema. ``key`` is an integer column whose spans are told with the row groups."""

    def __init__(self, paths: Sequence[Path]) -> None:
        for path in paths:
            if not path.is_file():
                raise NotFound("no such Parquet file", where=str(path))
        self.paths = tuple(paths)

    def row_groups(self, key: str | None = None) -> list[RowGroup]:
        """In the order of the files."""
        return [group for path in self.paths for group in _groups(path, key)]

    def read(self, groups: Sequence[RowGroup], columns: Sequence[str]) -> pa.Table:
        """These columns of some row groups, in this order; strings are dictionaries. One thread."""
        wanted, tables = self.schema(columns), []
        for group in groups:
            with pq.ParquetFile(group.path) as plain:
                words = _coded(plain, group.number)
            with pq.ParquetFile(group.path, read_dictionary=words, pre_buffer=False) as file:
                table = file.read_row_group(group.number, columns=list(columns), use_threads=False)
            tables.append(_as_codes(table.select(list(columns)), wanted))
        return pa.concat_tables(tables).unify_dictionaries()

    def schema(self, columns: Sequence[str]) -> pa.Schema:
        """Of what `read` returns."""
        found = [pq.read_schema(self.paths[0]).field(name) for name in columns]
        codes = pa.dictionary(pa.int32(), pa.string())
        return pa.schema([f.with_type(codes) if pa.types.is_string(f.type) else f for f in found])


def parts(groups: Sequence[RowGroup], rows: int) -> Iterator[list[RowGroup]]:
    """Whole row groups in lists of at most ``rows`` rows, or of one row group that has more."""
    part: list[RowGroup] = []
    count = 0
    for group in groups:
        if part and count + group.rows > rows:
            yield part
            part, count = [], 0
        part.append(group)
        count += group.rows
    if part:
        yield part


def rising(groups: Sequence[RowGroup]) -> list[RowGroup] | None:
    """The row groups that have rows in the order of the key, or None where spans are unknown or overlap."""
    filled = [group for group in groups if group.rows]
    if any(group.first is None or group.last is None for group in filled):
        return None
    ordered = sorted(filled, key=lambda group: (group.first, group.last))
    for before, after in pairwise(ordered):
        if before.last >= after.first:  # type: ignore[operator]
            return None
    return ordered


def _coded(file: pq.ParquetFile, group: int) -> list[str]:
    """The strings of a row group that pyarrow can read as codes."""
    meta, schema = file.metadata.row_group(group), file.schema_arrow
    if len(schema) != meta.num_columns:  # nested: no column of ours
        return []
    return [
        field.name
        for place, field in enumerate(schema)
        if pa.types.is_string(field.type) and not any("DELTA" in e for e in meta.column(place).encodings)
    ]


def _as_codes(table: pa.Table, wanted: pa.Schema) -> pa.Table:
    for place, field in enumerate(wanted):
        if pa.types.is_dictionary(field.type) and not pa.types.is_dictionary(table.schema.field(place).type):
            table = table.set_column(place, field, table.column(place).dictionary_encode())
    return table


def _groups(path: Path, key: str | None) -> Iterator[RowGroup]:
    with pq.ParquetFile(path) as file:
        meta, place = file.metadata, file.schema_arrow.get_field_index(key) if key else -1
        for number in range(meta.num_row_groups):
            group = meta.row_group(number)
            first = last = None
            if place >= 0:
                said = group.column(place).statistics
                if said is not None and said.has_min_max and not said.null_count:
                    first, last = said.min, said.max
            yield RowGroup(path=path, number=number, rows=group.num_rows, first=first, last=last)
