"""The clearing engine for several machines: Spark through Ibis, for the same expressions as `jinka.store.duck`.

The only importer of pyspark, which is an extra (`jinka[spark]`) and needs a Java of its own. All machines see the work
folder under the same path and have this environment's packages: functions run there in `sys.executable`. Every kept
table is a folder of Parquet, so that no task that is run again can give other rows or other numbers. What a function
over batches holds is pickled: a handle on the key service beside the executor, and never a key.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
from py4j.protocol import Py4JError
from pyspark import TaskContext
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as f
from pyspark.sql.pandas.types import from_arrow_schema

from jinka.clearing.port import Lookup
from jinka.codec import RECORD_SCHEMA
from jinka.kit import JinkaError, NotFound
from jinka.store.arrow_shapes import retyped, shaped
from jinka.store.durable import publish_folder
from jinka.store.outcome_files import PART_ROWS, unlike, write_part

Table = Any
_SAID_MAX = 300
_SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",  # nothing but data on anybody's streams
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "131072",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "8",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.caseSensitive": "true",
}


class SparkEngine:
    """One Spark session. ``master`` is ``spark://host:port`` or ``local[n]``; all machines see the folder ``work``.

    ``settings`` are Spark's own and go before these here. One session a process: Spark knows no more.
    """

    def __init__(self, *, master: str, work: Path, settings: Mapping[str, str] | None = None) -> None:
        os.environ["PYSPARK_PYTHON"] = sys.executable
        builder = SparkSession.builder.master(master).appName("jinka-clearing")
        for name, value in {**_SETTINGS, **(settings or {})}.items():
            builder = builder.config(name, value)
        self._work = work
        self._work.mkdir(parents=True, exist_ok=True)
        self._spark = builder.getOrCreate()
        self._con = ibis.pyspark.connect(self._spark)
        self._names = 0

    def close(self) -> None:
        self._spark.stop()
        shutil.rmtree(self._work, ignore_errors=True)

    def __enter__(self) -> SparkEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parquet(self, paths: Sequence[Path]) -> Table:
        """One table over Parquet files of one schema; raises `NotFound` for a file that is not there."""
        for path in paths:
            if not path.is_file():
                raise NotFound("no such Parquet file", where=str(path))
        return self._view("files", self._spark.read.parquet(*(_uri(path) for path in paths)))

    def arrow(self, name: str, table: pa.Table) -> Table:
        made = self._name(name)
        folder = self._work / made
        folder.mkdir()
        pq.write_table(_known(table), folder / "table.parquet")
        return self._read(made)

    def keep(self, name: str, expr: Table) -> Table:
        return self._kept(name, self._frame(expr))

    def keep_numbered(self, name: str, expr: Table, *, number: str) -> Table:
        return self._kept(name, self._frame(expr).withColumn(number, f.monotonically_increasing_id()))

    def map_batches(
        self,
        name: str,
        expr: Table,
        function: Callable[[pa.RecordBatch], pa.RecordBatch],
        *,
        like: pa.Schema,
        then: Callable[[Table], Table],
    ) -> Table:
        """As the port says. One task has all rows of a card, so one key service needs its key."""
        frame = self._frame(expr)
        given = self.collect(expr.limit(0)).schema
        nothing = pa.record_batch([pa.array([], field.type) for field in given], schema=given)
        schema = _known(function(shaped(nothing, like)).schema.empty_table()).schema

        def answers(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                yield retyped(function(shaped(batch, like)), schema)

        if "card_no" in frame.columns:
            frame = frame.repartition("card_no")
        mapped = frame.mapInArrow(answers, from_arrow_schema(schema))
        return self.keep(name, then(self._view(name, mapped)))

    def collect(self, expr: Table) -> pa.Table:
        return self._con.to_pyarrow(expr)

    def write(
        self, records: Table, verdicts: Table, lookups: Sequence[Lookup], path: str, *, key: str
    ) -> Table:
        """As the port says; one file for each task, made by the code that the embedded engine uses."""
        target = Path(path)
        temporary = target.with_name(target.name + ".tmp")
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        left, right = self._frame(records), self._frame(verdicts)
        beside = left.join(right.withColumnRenamed(key, "_key"), f.col(key) == f.col("_key")).drop("_key")
        counted = [frame.agg(f.count("*"), f.countDistinct(key)).collect()[0] for frame in (left, right)]
        rows: list[int] = [*counted[0], *counted[1]]
        if len(set(rows)) > 1:
            raise unlike()
        parts = max(1, -(-rows[0] // PART_ROWS))
        ordered = beside.repartitionByRange(parts, key).sortWithinPartitions(key)
        names = [name for name in verdicts.columns if name != key]
        work = _PartWriter(records.columns, names, list(lookups), temporary, key)
        ordered = ordered.select(key, *[n for n in records.columns if n != key], *names)
        done = ordered.mapInArrow(work, "name string, rows long").collect()
        if sum(row["rows"] for row in done) != rows[0]:
            raise unlike()
        made = sorted(row["name"] for row in done)
        wanted = {file.name for file in temporary.iterdir()}
        for stray in wanted - set(made):  # of a task that was run again
            (temporary / stray).unlink()
        publish_folder(temporary, target)
        return self.parquet([target / name for name in made])

    def _frame(self, expr: Table) -> DataFrame:
        return self._spark.sql(ibis.to_sql(expr, dialect="pyspark"))

    def _kept(self, name: str, frame: DataFrame) -> Table:
        made = self._name(name)
        frame.write.parquet(_uri(self._work / made))
        return self._read(made)

    def _read(self, made: str) -> Table:
        self._spark.read.parquet(_uri(self._work / made)).createOrReplaceTempView(made)
        return self._con.table(made)

    def _view(self, name: str, frame: DataFrame) -> Table:
        made = self._name(name)
        frame.createOrReplaceTempView(made)
        return self._con.table(made)

    def _name(self, stem: str) -> str:
        self._names += 1
        return f"jinka_{stem}_{self._names}"


class _PartWriter:
    """Writes the rows of one task as one file, on the machine where they are."""

    def __init__(
        self, records: Sequence[str], verdicts: Sequence[str], lookups: list[Lookup], folder: Path, key: str
    ) -> None:
        self._records, self._verdicts, self._lookups = list(records), [key, *verdicts], lookups
        self._folder, self._key = folder, key

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        made = [shaped(batch, RECORD_SCHEMA) for batch in batches]
        task = TaskContext.get()
        if not made or task is None:
            return
        table = pa.Table.from_batches(made)
        for place, field in enumerate(table.schema):
            column = table.column(place)
            if pa.types.is_string(field.type):
                column = column.dictionary_encode()
            if not column.null_count and (field.name == self._key or field.name in RECORD_SCHEMA.names):
                nullable = field.name != self._key and RECORD_SCHEMA.field(field.name).nullable
                table = table.set_column(place, pa.field(field.name, column.type, nullable), column)
            else:
                table = table.set_column(place, field.name, column)
        name = f"part-{task.partitionId():05}-{task.attemptNumber()}.parquet"
        verdicts = table.select(self._verdicts)
        write_part(table.select(self._records), verdicts, self._lookups, self._folder / name, self._key)
        yield pa.record_batch({"name": [name], "rows": pa.array([table.num_rows], pa.int64())})


@contextmanager
def spark_errors(master: str) -> Iterator[None]:
    """What Spark says of a failed job as one `JinkaError`: the cause without the traces of two machines' stacks."""
    try:
        yield
    except (PySparkException, Py4JError) as problem:
        lines = [line.strip() for line in str(problem).splitlines()]
        lines = [line for line in lines if line and not line.startswith(("at ", "..."))]
        said = [line for line in lines if line.startswith(("jinka.", "Caused by:"))] or lines
        raise JinkaError(
            (said[-1] if said else type(problem).__name__)[:_SAID_MAX],
            where=master,
            fix="see the logs of its driver and workers",
        ) from problem


def _uri(path: Path) -> str:
    return path.absolute().as_uri()


def _known(table: pa.Table) -> pa.Table:
    """The same rows in types that Spark has: no unsigned numbers, no fixed widths, no codes."""
    wider = {
        pa.uint8(): pa.int16(),
        pa.uint16(): pa.int32(),
        pa.uint32(): pa.int64(),
        pa.uint64(): pa.int64(),
    }
    fields = []
    for field in table.schema:
        kind = wider.get(field.type, field.type)
        if pa.types.is_fixed_size_binary(kind):
            kind = pa.binary()
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        fields.append(pa.field(field.name, kind, nullable=True))
    return table.cast(pa.schema(fields))
