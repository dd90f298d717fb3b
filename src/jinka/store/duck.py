"""The embedded clearing engine: DuckDB through Ibis. The only importer of duckdb.

Reads Parquet, keeps intermediate tables in memory (spilling to a folder beyond the limit), streams Arrow batches
through functions in threads, and writes folders of sorted Parquet that are durable before they appear. Files carry no
wall-clock time; the same files give the same bytes, whatever the number of threads.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, TypeVar

import ibis
import ibis.expr.operations as ops
import pyarrow as pa

from jinka.clearing.port import Lookup
from jinka.store.arrow_shapes import retyped, shaped
from jinka.store.durable import publish_folder
from jinka.store.outcome_files import write_beside
from jinka.store.parquet_source import ParquetSource, parts, rising
from jinka.store.record_files import ROW_GROUP_ROWS

Table = Any
_T = TypeVar("_T")
_SQL_KEPT = 256  # expressions: some rounds of a centre
BATCH_ROWS = 2 * ROW_GROUP_ROWS  # what a function over batches gets: enough for the bulk kernels to be busy


class DuckEngine:
    """One DuckDB in memory. Not for use by several threads at once; it uses its own."""

    def __init__(self, *, memory_limit: str = "4GB", threads: int = 2, spill: Path | None = None) -> None:
        self._con = ibis.duckdb.connect()  # set up below: for Ibis all are one, see `_sql_of`
        self._run(f"SET memory_limit = {_quoted(memory_limit)}")
        self._run(f"SET threads = {threads}")
        if spill is not None:
            self._run(f"SET temp_directory = {_quoted(spill)}")
        self._run("SET enable_progress_bar = false")  # nothing but data on anybody's streams
        self._run("SET preserve_insertion_order = false")  # what needs an order asks for it
        self._threads = threads
        self._names = 0
        self._files: dict[str, ParquetSource] = {}
        self._spill = spill

    def close(self) -> None:
        self._con.disconnect()

    def __enter__(self) -> DuckEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parquet(self, paths: Sequence[Path]) -> Table:
        """One table over Parquet files of one schema; raises `NotFound` for a file that is not there."""
        source = ParquetSource(paths)
        made, files = self._name("files"), ", ".join(_quoted(path) for path in source.paths)
        self._run(f"CREATE VIEW {made} AS FROM read_parquet([{files}])")
        self._files[made] = source
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
        self._run(f"CREATE TABLE {made} AS {self._sql(expr)}")
        return self._con.table(made)

    def collect(self, expr: Table) -> pa.Table:
        return self._run(self._sql(expr)).to_arrow_table()

    def keep_numbered(self, name: str, expr: Table, *, number: str) -> Table:
        kept, made = self.keep(name, expr).get_name(), self._name(name)
        # The number that a row has in its table: to count rows takes one thread.
        self._run(f"CREATE VIEW {made} AS FROM {kept} SELECT *, rowid AS {number}")
        return self._con.table(made)

    def map_batches(
        self,
        name: str,
        expr: Table,
        function: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        like: pa.Schema,
        then: Callable[[Table], Table],
    ) -> Table:
        """As the port says. Nothing is stored between: DuckDB draws the batches as the threads make them."""
        plain, failed = self._plain(expr), list[BaseException]()
        given = self.collect(expr.limit(0)).schema if plain is None else plain[0].schema(plain[1])
        nothing = pa.record_batch([pa.array([], field.type) for field in given], schema=given)
        schema = function(shaped(nothing, like)).schema

        def answers(batches: Iterable[pa.RecordBatch]) -> list[pa.RecordBatch]:
            return [retyped(function(shaped(batch, like)), schema) for batch in batches]

        with ExitStack() as stack:
            if plain is None:
                rows = stack.enter_context(closing(self._rows(expr)))
                made = self._in_threads(stack, lambda batch: answers([batch]), rows)
            else:  # columns of files go around DuckDB
                source, columns = plain
                made = self._in_threads(
                    stack,
                    lambda part: answers(source.read(part, columns).combine_chunks().to_batches()),
                    parts(source.row_groups(), BATCH_ROWS),
                )
            batches = chain.from_iterable(made)
            view = self._name(name)
            self._con.con.register(view, pa.RecordBatchReader.from_batches(schema, _noted(batches, failed)))
            stack.callback(self._con.con.unregister, view)
            # DuckDB takes a stream for one row, and would build its hash tables of all records.
            self._run("SET disabled_optimizers = 'build_side_probe_side,join_order'")
            stack.callback(self._run, "RESET disabled_optimizers")
            try:
                return self.keep(name, then(self._con.table(view)))
            except Exception:
                if failed:
                    raise failed[0] from None
                raise

    def _rows(self, expr: Table) -> Generator[pa.RecordBatch, None, None]:
        sql = self._sql(expr)
        with self._con.con.cursor() as cursor, cursor.execute(sql).to_arrow_reader(BATCH_ROWS) as reader:
            yield from reader

    def _plain(self, expr: Table) -> tuple[ParquetSource, list[str]] | None:
        """Files and columns, if the expression is no more than columns of files."""
        op = expr.op()
        columns = list(op.schema.names)
        if isinstance(op, ops.Project):
            if any(not isinstance(v, ops.Field) or v.name != name for name, v in op.values.items()):
                return None
            op = op.parent
        if not isinstance(op, ops.DatabaseTable) or op.name not in self._files:
            return None
        return self._files[op.name], columns

    def _sql(self, expr: Table) -> str:
        return _sql_of(self._con, expr.op())

    def _run(self, sql: str) -> Any:
        return self._con.con.execute(sql)

    def _in_threads(self, stack: ExitStack, work: Callable[[Any], _T], given: Iterable[Any]) -> Iterator[_T]:
        """Answers in order, with at most twice as many pieces of work in flight as there are threads.

        The first are under way before anybody asks, while the query that will ask is put together.
        """
        source = iter(given)
        pool = ThreadPoolExecutor(self._threads)
        stack.callback(pool.shutdown, cancel_futures=True)
        waiting = [pool.submit(work, piece) for piece in islice(source, 2 * self._threads)]

        def answers() -> Iterator[_T]:
            while waiting:
                yield waiting.pop(0).result()
                waiting.extend(pool.submit(work, piece) for piece in islice(source, 1))

        return answers()

    def write(
        self, records: Table, verdicts: Table, lookups: Sequence[Lookup], path: str, *, key: str
    ) -> Table:
        """As the port says: files of about `PART_ROWS` rows each, one file by one thread."""
        target = Path(path)
        temporary = target.with_name(target.name + ".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        ordered = target.with_name(target.name + ".ordered.tmp")
        try:
            plain = self._plain(records)
            groups = rising(plain[0].row_groups(key)) if plain else None
            if plain is None or groups is None:
                plain = ParquetSource([self._in_order(records, ordered, key)]), list(records.columns)
                groups = plain[0].row_groups(key)
            with self._con.con.cursor() as cursor:
                sql = self._sql(verdicts.order_by(key))
                with cursor.execute(sql).to_arrow_reader(BATCH_ROWS) as reader:
                    made = write_beside(
                        plain[0], groups, plain[1], reader, lookups, temporary, key=key, threads=self._threads
                    )
        finally:
            ordered.unlink(missing_ok=True)
        publish_folder(temporary, target)
        return self.parquet([target / file.name for file in made])

    def _in_order(self, records: Table, path: Path, key: str) -> Path:
        """All rows in the order of the key, as one file for the time being."""
        self._run(
            f"COPY ({self._sql(records.order_by(key))}) TO {_quoted(path)} "
            f"(FORMAT parquet, PARQUET_VERSION V2, COMPRESSION lz4, ROW_GROUP_SIZE {ROW_GROUP_ROWS})"
        )
        return path

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"jinka_{stem}_{self._names}"


@lru_cache(maxsize=_SQL_KEPT)
def _sql_of(con: Any, op: ops.Node) -> str:
    """SQL follows from the expression alone, and to compile it costs half of a small clearing.

    Tables are numbered from one in each engine, so a centre's rounds of a day ask for the same expressions.
    """
    sql: str = con.compile(op.to_expr())
    return sql


def _quoted(path: Path | str) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _noted(batches: Iterable[pa.RecordBatch], failed: list[BaseException]) -> Iterator[pa.RecordBatch]:
    """The batches; an exception is put aside too, because DuckDB would pass on its words alone."""
    try:
        yield from batches
    except BaseException as problem:
        failed.append(problem)
        raise
