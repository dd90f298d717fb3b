"""Records beside their verdicts as a folder of Parquet: each file is made by one thread from whole row groups.

What Jinka wrote goes from the records' files to the outcomes' as it is, compressed (`jinka.store.parquet_splice`).
Of files that others wrote, or whose rows lie in another order, words that repeat go along as codes. A verdict's words
are codes from the beginning. A row without its verdict, or a verdict without its row, is an error and writes nothing.
Files carry no wall-clock time; the same files of records give the same bytes for any number of threads.
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
from jinka.store.parquet_splice import Carried, Footer, write_spliced
from jinka.store.record_files import ROW_GROUP_ROWS

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
    queue, footers = _Queue(verdicts), _Footers()
    made: list[Path] = []
    waiting: list[Future[None]] = []
    with ThreadPoolExecutor(threads) as pool:
        for number, part in enumerate(parts(groups, PART_ROWS)):
            path = folder / f"part-{number:05}.parquet"
            mine = queue.take(sum(group.rows for group in part))
            carried = footers.carried(part)
            waiting.append(pool.submit(_write, source, part, columns, mine, lookups, path, key, carried))
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


class _Footers:
    """The footers of the files under way: parts follow one another in a file, so the last few are enough."""

    def __init__(self) -> None:
        sample = pa.BufferOutputStream()
        pq.write_table(pa.table({"n": pa.array([], pa.int8())}), sample)
        self._writer = Footer.of(memoryview(sample.getvalue()), "sample").writer
        self._read: dict[Path, Footer] = {}

    def carried(self, part: Sequence[RowGroup]) -> list[Carried] | None:
        """The row groups of a part, if they may go along as they are: large enough, and of the same writer."""
        if len(part) > -(-sum(group.rows for group in part) // ROW_GROUP_ROWS):
            return None
        found = []
        for group in part:
            if group.path not in self._read:
                self._read = {**dict(list(self._read.items())[-1:]), group.path: Footer.read(group.path)}
            found.append(Carried(group.path, self._read[group.path], group.number))
        return found if all(one.footer.writer == self._writer for one in found) else None


def _write(
    source: ParquetSource, part: Sequence[RowGroup], columns: Sequence[str], verdicts: pa.Table | None,
    lookups: Sequence[Lookup], path: Path, key: str, carried: Sequence[Carried] | None,
) -> None:  # fmt: skip
    keys = source.read(part, [key])[key].combine_chunks()
    in_order = len(keys) < 2 or pc.all(pc.less(keys[:-1], keys[1:])).as_py()
    if carried is not None and in_order:
        _require_keys(keys, verdicts, key)
        own = _with_words(pa.table({key: keys}, source.schema([key])), verdicts, lookups, key)
        sink = pa.BufferOutputStream()
        _put(own, sink, lookups, key, [group.rows for group in part])
        names = [*columns, *(name for name in own.schema.names if name != key)]
        write_spliced(path, memoryview(sink.getvalue()), names, carried)
        return
    records = source.read(part, columns)
    if not in_order:
        records = records.take(pc.sort_indices(keys))
    _require_keys(records[key].combine_chunks(), verdicts, key)
    write_part(records, verdicts, lookups, path, key)


def _require_keys(keys: pa.Array, verdicts: pa.Table | None, key: str) -> None:
    if verdicts is None or not keys.equals(verdicts[key].combine_chunks().cast(keys.type)):
        raise unlike()


def write_part(
    records: pa.Table, verdicts: pa.Table, lookups: Sequence[Lookup], path: Path, key: str
) -> None:
    """One file from rows and verdicts that stand side by side already."""
    _put(_with_words(records, verdicts, lookups, key), path, lookups, key, [])


def _with_words(
    records: pa.Table, verdicts: pa.Table | None, lookups: Sequence[Lookup], key: str
) -> pa.Table:
    """The records with what the codes of their verdicts stand for."""
    assert verdicts is not None
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
    return table


def _put(table: pa.Table, sink: Any, lookups: Sequence[Lookup], key: str, groups: Sequence[int]) -> None:
    """Write a table in row groups of these sizes, or of the usual one."""
    few = {name for lookup in lookups for name in lookup.words.schema.names}
    codes_of = [f.name for f in table.schema if pa.types.is_dictionary(f.type) or f.name in few]
    # Who looks for a record has its number: spans of other columns would be computed for nobody.
    with pq.ParquetWriter(
        sink,
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
        if not groups:
            writer.write_table(table, row_group_size=ROW_GROUP_ROWS)
        start = 0
        for rows in groups:
            writer.write_table(table.slice(start, rows), row_group_size=rows)
            start += rows


def _looked_up(codes: Any, values: pa.Array) -> pa.Array:
    """The value of each code: words as a dictionary in which each stands once, numbers as they are."""
    if not pa.types.is_string(values.type):
        return pa.array(values.to_numpy(zero_copy_only=False)[codes], values.type)
    distinct = values.dictionary_encode()
    narrow = distinct.indices.to_numpy(zero_copy_only=False)[codes]
    return pa.DictionaryArray.from_arrays(pa.array(narrow.astype(np.int32)), distinct.dictionary)
