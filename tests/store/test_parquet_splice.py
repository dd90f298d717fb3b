"""Files put together from chunks of others: pyarrow and DuckDB read what the chunks hold; a damaged footer is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.kit import JinkaError
from jinka.store.parquet_splice import Carried, Footer, write_spliced

ROWS = 3_000


def records() -> pa.Table:
    numbers = range(ROWS)
    return pa.table(
        {
            "id": pa.array(numbers, pa.int64()),
            "card": pa.array([n.to_bytes(10, "big") for n in numbers], pa.binary(10)),
            "small": pa.array([n % 7 for n in numbers], pa.uint8()),
            "word": pa.array([None if n % 5 == 0 else f"词 {n % 11}" for n in numbers]),
            "tac": pa.array([None if n % 3 == 0 else bytes(4) for n in numbers], pa.binary()),
        },
        schema=pa.schema(
            [
                pa.field("id", pa.int64(), nullable=False),
                pa.field("card", pa.binary(10), nullable=False),
                pa.field("small", pa.uint8(), nullable=False),
                pa.field("word", pa.string()),
                pa.field("tac", pa.binary()),
            ]
        ),
    )


def written(path: Path, table: pa.Table, rows: int, **options: Any) -> Path:
    pq.write_table(table, path, row_group_size=rows, **options)
    return path


def bytes_of(table: pa.Table, rows: int) -> memoryview:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=rows)
    return memoryview(sink.getvalue())


def test_two_readers_see_the_columns_of_both_files(tmp_path: Path) -> None:
    table = records()
    # One file with chunks of two pages and a dictionary, one with none; row groups from both, and not the first ones.
    first = written(
        tmp_path / "a.parquet", table.slice(0, 2_000), 1_000, data_page_size=500, compression="zstd"
    )
    last = written(tmp_path / "b.parquet", table.slice(2_000), 500, use_dictionary=False)
    own = pa.table({"id": table["id"].slice(1_000), "said": [f"said {n % 3}" for n in range(2_000)]})
    sizes = [1_000, 500, 500]
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, own.schema) as writer:
        for at, rows in zip((0, 1_000, 1_500), sizes, strict=True):
            writer.write_table(own.slice(at, rows), row_group_size=rows)
    a, b = Footer.read(first), Footer.read(last)
    carried = [Carried(first, a, 1), Carried(last, b, 0), Carried(last, b, 1)]
    columns = ["word", "id", "card", "tac", "small", "said"]
    made = tmp_path / "made.parquet"
    write_spliced(made, memoryview(sink.getvalue()), columns, carried)

    wanted = table.slice(1_000).append_column("said", own["said"]).select(columns)
    found = pq.read_table(made)
    assert found.drop_columns("id").cast(wanted.drop_columns("id").schema).equals(wanted.drop_columns("id"))
    assert found["id"].equals(wanted["id"])
    assert [pq.ParquetFile(made).metadata.row_group(n).num_rows for n in range(3)] == sizes
    with duckdb.connect() as connection:
        read = connection.execute("FROM read_parquet(?) ORDER BY id", [str(made)]).to_arrow_table()
    assert read.cast(found.schema).equals(found)
    # The one column that both had is the own file's, whose span is told; the carried one's bytes are the old ones.
    told = pq.ParquetFile(made).metadata.row_group(0)
    assert (told.column(1).statistics.min, told.column(1).statistics.max) == (1_000, 1_999)
    before = pq.ParquetFile(first).metadata.row_group(1)
    assert told.column(2).total_compressed_size == before.column(1).total_compressed_size
    assert not told.column(2).is_stats_set


def test_row_groups_of_other_lengths_or_kinds_are_refused(tmp_path: Path) -> None:
    table = records()
    path = written(tmp_path / "a.parquet", table, 1_000)
    other = written(
        tmp_path / "b.parquet", table.set_column(2, "small", table["small"].cast(pa.int64())), 1_000
    )
    a, b = Footer.read(path), Footer.read(other)
    own = table.select(["id"])
    with pytest.raises(JinkaError, match="different lengths or kinds"):
        write_spliced(
            tmp_path / "c", bytes_of(own.slice(0, 999), 999), table.column_names, [Carried(path, a, 0)]
        )
    with pytest.raises(JinkaError, match="different lengths or kinds"):
        pair = [Carried(path, a, 0), Carried(other, b, 1)]
        write_spliced(tmp_path / "c", bytes_of(own.slice(0, 2_000), 1_000), table.column_names, pair)
    with pytest.raises(JinkaError, match="3 row groups, not 1"):
        write_spliced(tmp_path / "c", bytes_of(own, 1_000), table.column_names, [Carried(path, a, 0)])


def test_a_chunk_that_is_cut_off_is_told(tmp_path: Path) -> None:
    table = records()
    path = written(tmp_path / "a.parquet", table, ROWS)
    footer = Footer.read(path)
    path.write_bytes(path.read_bytes()[:2_000])
    with pytest.raises(JinkaError, match="cut off"):
        own = bytes_of(table.select(["id"]), ROWS)
        write_spliced(tmp_path / "c", own, table.column_names, [Carried(path, footer, 0)])


def test_a_damaged_footer_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    raw = written(tmp_path / "a.parquet", records().slice(0, 10), 10).read_bytes()
    size = int.from_bytes(raw[-8:-4], "little")
    told = 0
    for at in range(len(raw) - 8 - size, len(raw)):
        for bit in (0x01, 0x10, 0x80):
            damaged = bytearray(raw)
            damaged[at] ^= bit
            try:
                Footer.of(bytes(damaged), "damaged")
            except JinkaError:
                told += 1
    assert told > size // 4
    for end in range(len(raw)):
        with pytest.raises(JinkaError):
            Footer.of(raw[:end], "cut")


def test_nested_columns_are_refused(tmp_path: Path) -> None:
    nested = written(tmp_path / "a.parquet", pa.table({"list": [[1], [2, 3]]}), 2)
    with pytest.raises(JinkaError, match="flat"):
        Footer.read(nested)
