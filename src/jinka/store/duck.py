"""The embedded clearing engine: DuckDB through Ibis. The only importer of duckdb.

Reads Parquet, keeps intermediate tables in memory (spilling to a folder beyond the limit), streams Arrow batches
through functions in threads, and writes sorted Parquet that is durable before it appears. Files carry no wall-clock
time; the same rows give the same bytes with the same DuckDB.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.kit import NotFound

Table = Any
BATCH_ROWS = 131_072
ROW_GROUP_ROWS = 122_880  # DuckDB's own; fixed so that a later default cannot change the bytes


class DuckEngine:
    """One DuckDB in memory. Not for use by several threads at once; it uses its own."""

    def __init__(self, *, memory_limit: str = "4GB", threads: int = 2, spill: Path | None = None) -> None:
        settings: dict[str, Any] = {
            "memory_limit": memory_limit,
            "threads": threads,
        }
        if spill is not None:
            settings["temp_directory"] = str(spill)
        self._con = ibis.duckdb.connect(**settings)
        self._run("SET enable_progress_bar = false")  # nothing but data on anybody's streams
        self._threads = threads
        self._names = 0

    def close(self) -> None:
        self._con.disconnect()

    def __enter__(self) -> DuckEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parquet(self, paths: Sequence[Path]) -> Table:
        """One table over Parquet files of one schema; raises `NotFound` for a file that is not there."""
        for path in paths:
            if not path.is_file():
                raise NotFound("no such Parquet file", where=str(path))
        return self._con.read_parquet([str(path) for path in paths], table_name=self._name("files"))

    def arrow(self, name: str, table: pa.Table) -> Table:
        made, view = self._name(name), self._name("arrow")
        self._con.con.register(view, table)
        try:
            self._run(f"CREATE TEMP TABLE {made} AS FROM {view}")
        finally:
            self._con.con.unregister(view)
        return self._con.table(made)

    def keep(self, name: str, expr: Table) -> Table:
        made = self._name(name)
        self._run(f"CREATE TEMP TABLE {made} AS {ibis.to_sql(expr, dialect='duckdb')}")
        return self._con.table(made)

    def collect(self, expr: Table) -> pa.Table:
        return self._run(ibis.to_sql(expr, dialect="duckdb")).to_arrow_table()

    def map_batches(
        self, expr: Table, function: Callable[[pa.RecordBatch], pa.RecordBatch], *, like: pa.Schema
    ) -> Table:
        reader = self._run(ibis.to_sql(expr, dialect="duckdb")).to_arrow_reader(BATCH_ROWS)
        with reader:
            made = list(self._mapped(reader, lambda batch: function(shaped(batch, like))))
        if not made:
            nothing = pa.record_batch([pa.array([], f.type) for f in reader.schema], schema=reader.schema)
            made = [function(shaped(nothing, like))]
        return self.arrow("mapped", pa.Table.from_batches(made))

    def _run(self, sql: str) -> Any:
        return self._con.con.execute(sql)

    def _mapped(
        self, batches: Iterable[pa.RecordBatch], function: Callable[[pa.RecordBatch], pa.RecordBatch]
    ) -> Iterator[pa.RecordBatch]:
        """Results in order, with at most twice as many batches in flight as there are threads."""
        source = iter(batches)
        with ThreadPoolExecutor(self._threads) as pool:
            waiting = [pool.submit(function, batch) for batch in islice(source, 2 * self._threads)]
            while waiting:
                yield waiting.pop(0).result()
                waiting.extend(pool.submit(function, batch) for batch in islice(source, 1))

    def write(self, expr: Table, path: str, *, order_by: Sequence[str]) -> Table:
        """As the port says.

        One thread streams rows through joins in the order of the scan, which is mostly the order that is asked for and
        cheaper than a sort of wide rows by all threads. DuckDB does not promise it, so it is checked in the file, and
        the rows are sorted when it does not hold.
        """
        target = Path(path)
        temporary = target.with_name(target.name + ".tmp")
        self._run("SET threads = 1")
        try:
            self._copy(expr, temporary)
        finally:
            self._run(f"SET threads = {self._threads}")
        if not _in_order(temporary, order_by):
            self._copy(expr.order_by(list(order_by)), temporary)
        publish(temporary, target)
        return self.parquet([target])

    def _copy(self, expr: Table, path: Path) -> None:
        quoted = str(path).replace("'", "''")
        self._run(
            f"COPY ({ibis.to_sql(expr, dialect='duckdb')}) TO '{quoted}' "
            f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
        )

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"jinka_{stem}_{self._names}"


def _in_order(path: Path, order_by: Sequence[str]) -> bool:
    """Whether the rows of a file rise strictly by its one integer key; other keys are not looked at."""
    file = pq.ParquetFile(path)
    if len(order_by) != 1 or not pa.types.is_integer(file.schema_arrow.field(order_by[0]).type):
        return False
    last: int | None = None
    for batch in file.iter_batches(ROW_GROUP_ROWS, columns=list(order_by)):
        keys = batch.column(0)
        if not len(keys):
            continue
        if keys.null_count or (last is not None and keys[0].as_py() <= last):
            return False
        values = keys.to_numpy()
        if not bool((values[1:] > values[:-1]).all()):
            return False
        last = int(values[-1])
    return True


def publish(temporary: Path, target: Path) -> None:
    """Make a finished file durable, give it its name, and make the name durable."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def shaped(batch: pa.RecordBatch, like: pa.Schema) -> pa.RecordBatch:
    """The same columns with the types of ``like``: DuckDB forgets the width of fixed binaries."""
    columns, fields = [], []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        wanted = like.field(field.name).type if field.name in like.names else field.type
        if column.type != wanted:
            column = _fixed(column, wanted) if pa.types.is_fixed_size_binary(wanted) else column.cast(wanted)
        columns.append(column)
        fields.append(pa.field(field.name, wanted))
    return pa.record_batch(columns, schema=pa.schema(fields))


def _fixed(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """A variable binary array of equal widths as a fixed one; the values are not copied where none is null."""
    if column.null_count:
        return column.cast(wanted)
    first, last = column.buffers()[1], len(column)
    offsets = memoryview(first).cast("i")[column.offset : column.offset + last + 1]
    width = wanted.byte_width
    if offsets[last] - offsets[0] != width * last:
        raise ValueError(f"a value is not {width} bytes long")
    data = column.buffers()[2] or pa.py_buffer(b"")
    values = data.slice(offsets[0], width * last)
    return pa.FixedSizeBinaryArray.from_buffers(wanted, last, [None, values])
