"""Records beside their verdicts as a folder of Parquet: each file is made by one thread from whole row groups.

Words that repeat go from the records' files to the outcomes' files as codes, and a verdict's words are codes from the
beginning, so nothing is hashed row by row. A row without its verdict, or a verdict without its row, is an error and
writes nothing. Files carry no wall-clock time; the same files of records give the same bytes for any number of threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.clearing.port import Lookup
from jinka.kit import JinkaError
from jinka.store.parquet_source import ParquetSource, RowGroup, parts

ROW_GROUP_ROWS = 122_880  # DuckDB's own; fixed so that a later default cannot change the bytes
PART_ROWS = 2 * ROW_GROUP_ROWS  # of a file; small enough to keep several threads busy


def write_beside(
    source: ParquetSource,
    groups: Sequence[RowGroup],
    columns: Sequence[str],
    verdicts: pa.RecordBatchReader,
    lookups: Sequence[Lookup],
    folder: Path,
    *,
    key: str,
    threads: int,
) -> list[Path]:
    """Write ``columns`` of the row groups, each row with its verdict, into an empty folder; return the files.

    The spans of ``groups`` and the keys of ``verdicts`` rise. Raises `JinkaError` if the keys are not the same.
    """
    queue = _Queue(verdicts)
    made: list[Path] = []
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(threads) as pool:
        for number, part in enumerate(parts(groups, PART_ROWS)):
            path = folder / f"part-{number:05}.parquet"
            mine = queue.take(sum(group.rows for group in part))
            waiting.append(pool.submit(_write, source, part, columns, mine, lookups, path, key))
            made.append(path)
            if len(waiting) > 2 * threads:
                waiting.pop(0).result()
        for done in waiting:
            done.result()
    if queue.take(1) is not None:
        raise unlike()
    if not made:  # a folder of nothing can be read too
        made = [folder / "part-00000.parquet"]
        write_part(source.schema(columns).empty_table(), verdicts.schema.empty_table(), lookups, made[0], key)
    return made


def unlike() -> JinkaError:
    """What is raised when records and verdicts are not the same rows."""
    return JinkaError(
        "records and verdicts are not the same rows",
        where="outcomes",
        fix="look for a record id that came twice",
    )


class _Queue:
    """Batches of any size in, tables of the size that is asked for out."""

    def __init__(self, batches: Iterable[pa.RecordBatch]) -> None:
        self._batches = iter(batches)
        self._rest: list[pa.RecordBatch] = []
        self._rows = 0

    def take(self, rows: int) -> pa.Table | None:
        """The next ``rows`` rows, fewer at the end, or None."""
        while self._rows < rows and (batch := next(self._batches, None)) is not None:
            self._rest.append(batch)
            self._rows += batch.num_rows
        if not self._rows:
            return None
        table = pa.Table.from_batches(self._rest)
        self._rest = [batch for batch in table.slice(rows).to_batches() if batch.num_rows]
        self._rows = max(0, self._rows - rows)
        return table.slice(0, rows)


def _write(
    source: ParquetSource, part: Sequence[RowGroup], columns: Sequence[str], verdicts: pa.Table | None,
    lookups: Sequence[Lookup], path: Path, key: str,
) -> None:  # fmt: skip
    records = source.read(part, columns)
    keys = records[key].combine_chunks() if records.num_rows else pa.array([], records.schema.field(key).type)
    if len(keys) > 1 and not pc.all(pc.less(keys[:-1], keys[1:])).as_py():
        order = pc.sort_indices(keys)
        records, keys = records.take(order), keys.take(order)
    if verdicts is None or not keys.equals(verdicts[key].combine_chunks().cast(keys.type)):
        raise unlike()
    write_part(records, verdicts, lookups, path, key)


def write_part(
    records: pa.Table, verdicts: pa.Table, lookups: Sequence[Lookup], path: Path, key: str
) -> None:
    """One file from rows and verdicts that stand side by side already."""
    words = {lookup.column: lookup.words for lookup in lookups}
    table = records
    for name in verdicts.schema.names:
        if name == key:
            continue
        column = verdicts[name].combine_chunks()
        if name not in words:
            table = table.append_column(name, column)
            continue
        codes = column.to_numpy(zero_copy_only=False)
        for word in words[name].schema.names:
            table = table.append_column(word, _looked_up(codes, words[name][word].combine_chunks()))
    codes_of = [f.name for f in table.schema if pa.types.is_dictionary(f.type)]
    # Who looks for a record has its number: spans of other columns would be computed for nobody.
    with pq.ParquetWriter(
        path,
        table.schema,
        compression="zstd",
        compression_level=1,
        use_dictionary=codes_of,
        column_encoding={key: "DELTA_BINARY_PACKED"}
        if pa.types.is_integer(table.schema.field(key).type)
        else None,
        write_statistics=[key],
        store_schema=False,
    ) as writer:
        writer.write_table(table, row_group_size=ROW_GROUP_ROWS)


def _looked_up(codes: Any, values: pa.Array) -> pa.Array:
    """The value of each code: words as a dictionary in which each stands once, numbers as they are."""
    if not pa.types.is_string(values.type):
        return pa.array(values.to_numpy(zero_copy_only=False)[codes], values.type)
    distinct = values.dictionary_encode()
    narrow = distinct.indices.to_numpy(zero_copy_only=False)[codes]
    return pa.DictionaryArray.from_arrays(pa.array(narrow.astype(np.int32)), distinct.dictionary)
