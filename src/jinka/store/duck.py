"""The embedded clearing engine: DuckDB through Ibis. The only importer of duckdb.

Reads Parquet, keeps intermediate tables in memory (spilling to a folder beyond the limit), streams Arrow batches
through functions in threads, and writes folders of sorted Parquet that are durable before they appear. Files carry no
wall-clock time; the same rows give the same bytes with the same DuckDB, whatever the number of threads.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.kit import NotFound

Table = Any
BATCH_ROWS = 131_072
ROW_GROUP_ROWS = 122_880  # DuckDB's own; fixed so that a later default cannot change the bytes
PART_ROWS = 2 * ROW_GROUP_ROWS  # of a written folder's files; small enough to keep several threads busy
# Beyond so many different values a column is no dictionary; the default tries every one of 24,576 first.
_DICTIONARY_MAX = 2048


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
        made, files = self._name("files"), ", ".join(_quoted(path) for path in paths)
        self._run(f"CREATE VIEW {made} AS FROM read_parquet([{files}])")
        return self._con.table(made)

    def arrow(self, name: str, table: pa.Table) -> Table:
        made, view = self._name(name), self._name("arrow")
        self._con.con.register(view, table)
        try:
            self._run(f"CREATE TABLE {made} AS FROM {view}")
        finally:
            self._con.con.unregister(view)
        return self._con.table(made)

    def keep(self, name: str, expr: Table) -> Table:
        made = self._name(name)
        self._run(f"CREATE TABLE {made} AS {ibis.to_sql(expr, dialect='duckdb')}")
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

    def write(self, expr: Table, path: str, *, key: str, keys: Table) -> Table:
        """As the port says: files of `PART_ROWS` rows each, made by several threads, one file by one thread.

        Rows pass through joins in the order of the scan then, which is mostly the order that is asked for and cheaper
        than sorting wide rows. DuckDB does not promise it, so it is checked in each file, and the rows of a file are
        sorted when it does not hold.
        """
        target = Path(path)
        temporary = target.with_name(target.name + ".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        parts = [
            (part, temporary / f"part-{number:05}.parquet")
            for number, part in enumerate(self._parts(expr, key, keys))
        ]
        self._run("SET threads = 1")  # each caller runs its own query alone
        try:
            with ThreadPoolExecutor(self._threads) as pool:
                for done in [pool.submit(self._write_part, part, file, key) for part, file in parts]:
                    done.result()
        finally:
            self._run(f"SET threads = {self._threads}")
        publish_folder(temporary, target)
        return self.parquet([target / file.name for _, file in parts])

    def _parts(self, expr: Table, key: str, keys: Table) -> list[Table]:
        """The rows between every so many keys; all rows, whether ``keys`` has their keys or not."""
        ordered = ibis.to_sql(keys.select(key).order_by(key), dialect="duckdb")
        cuts: list[Any] = []
        rest = PART_ROWS  # rows to skip: the first part begins before all keys
        with self._run(ordered).to_arrow_reader(BATCH_ROWS) as reader:
            for batch in reader:
                cuts += batch.column(0)[rest::PART_ROWS].to_pylist()
                rest = (rest - len(batch)) % PART_ROWS if rest < len(batch) else rest - len(batch)
        column = expr[key]
        if not cuts:
            return [expr]
        return [
            expr.filter((column < cuts[0]) | column.isnull()),
            *(expr.filter(column >= low, column < high) for low, high in pairwise(cuts)),
            expr.filter(column >= cuts[-1]),
        ]

    def _write_part(self, expr: Table, path: Path, key: str) -> None:
        with self._con.con.cursor() as cursor:
            _copy(cursor, expr, path)
            if not _in_order(path, key):
                _copy(cursor, expr.order_by(key), path)

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"jinka_{stem}_{self._names}"


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _copy(connection: Any, expr: Table, path: Path) -> None:
    connection.execute(
        f"COPY ({ibis.to_sql(expr, dialect='duckdb')}) TO {_quoted(path)} "
        f"(FORMAT parquet, PARQUET_VERSION V2, COMPRESSION zstd, COMPRESSION_LEVEL 1, "
        f"ROW_GROUP_SIZE {ROW_GROUP_ROWS}, DICTIONARY_SIZE_LIMIT {_DICTIONARY_MAX})"
    )


def _in_order(path: Path, key: str) -> bool:
    """Whether the rows of a file rise strictly by its integer key; other keys are not looked at."""
    file = pq.ParquetFile(path)
    if not pa.types.is_integer(file.schema_arrow.field(key).type):
        return False
    last: int | None = None
    for batch in file.iter_batches(ROW_GROUP_ROWS, columns=[key]):
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
    _sync(temporary)
    temporary.replace(target)
    _sync(target.parent)


def publish_folder(temporary: Path, target: Path) -> None:
    """The same for a folder of files. The one it replaces goes first, so there is the old one, none or the new one."""
    for file in temporary.iterdir():
        _sync(file)
    _sync(temporary)
    shutil.rmtree(target, ignore_errors=True)
    temporary.replace(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


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
