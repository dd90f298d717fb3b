"""The database: migrations equal the declared tables, settings are strict, and registries come back as they went in."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from jinka.clearing.port import Lookup
from jinka.kit import JinkaError, NotFound
from jinka.registry import Registry
from jinka.sim.records import make_records
from jinka.store import DuckEngine, load_registry, open_database, save_registry
from jinka.store.ledger_schema import LEDGER_METADATA
from jinka.store.outcome_files import PART_ROWS
from jinka.store.record_files import ROW_GROUP_ROWS
from jinka.store.schema import metadata
from tests.clearing.soft_tacs import ROOTS
from tests.databases import declare_tables


def test_the_migrations_make_exactly_the_declared_tables(tmp_path: Path) -> None:
    declare_tables()
    database = open_database(tmp_path / "c.db")
    with database.connect() as connection:
        found = compare_metadata(
            MigrationContext.configure(connection), [metadata, LEDGER_METADATA["sqlite"]]
        )
    database.dispose()
    assert found == []


def test_the_database_is_strict_about_durability_and_foreign_keys(tmp_path: Path) -> None:
    database = open_database(tmp_path / "c.db")
    with database.connect() as connection:
        asked = {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in
                 ("journal_mode", "synchronous", "foreign_keys")}  # fmt: skip
    database.dispose()
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_transfers_cannot_be_changed_or_removed_behind_the_ledger(tmp_path: Path) -> None:
    open_database(tmp_path / "c.db").dispose()
    raw = sqlite3.connect(tmp_path / "c.db")
    raw.execute("INSERT INTO ledger_moves VALUES (1, x'01', 2, 3, 5, 1, 0, NULL, NULL, 0, 0, 0, 0)")
    raw.execute("INSERT INTO ledger_runs VALUES (1, 1, x'00')")
    raw.execute("INSERT INTO ledger_run_ids VALUES (1, x'01', 1)")
    tables = {"ledger_moves": "amount", "ledger_runs": "upto_seq", "ledger_run_ids": "seq"}
    for verb in (v for t, c in tables.items() for v in (f"DELETE FROM {t}", f"UPDATE {t} SET {c} = 6")):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            raw.execute(verb)
    raw.close()


def test_a_registry_comes_back_as_it_went_in_and_may_be_replaced(tmp_path: Path) -> None:
    registry = make_records(500, cards=100, seed=1, roots=ROOTS, date=dt.date(2018, 9, 1)).registry
    database = open_database(tmp_path / "c.db")
    for _ in range(2):
        save_registry(database, registry)
        back = load_registry(database)
        for name, schema in Registry.SCHEMAS.items():
            want = getattr(registry, name)
            got = getattr(back, name)
            assert got.schema == schema
            key = schema.names[0]
            assert got.sort_by(key).equals(want.cast(schema).sort_by(key)), name
    database.dispose()


def test_a_city_of_cards_is_loaded_in_seconds(tmp_path: Path) -> None:
    registry = make_records(36_000, cards=36_000, seed=1, roots=ROOTS, date=dt.date(2018, 9, 1)).registry
    database = open_database(tmp_path / "c.db")
    save_registry(database, registry)
    assert load_registry(database).cards.num_rows == 36_000
    database.dispose()


def test_fixed_binaries_reach_the_function_with_their_widths_even_when_there_are_no_rows(
    tmp_path: Path,
) -> None:
    like = pa.schema([("id", pa.binary(6)), ("n", pa.int64()), ("tac", pa.binary())])
    seen: list[pa.Schema] = []

    def note(batch: pa.RecordBatch) -> pa.RecordBatch:
        seen.append(batch.schema)
        return batch.select(["n"])

    with DuckEngine(threads=2, memory_limit="256MB") as engine:
        for count in (0, 3, 300_000):
            rows = pa.table(
                [pa.array([b"abcdef"] * count, pa.binary(6)), pa.array(range(count), pa.int64()),
                 pa.array([None, b"x"] * (count // 2) + [b""] * (count % 2), pa.binary())],
                schema=like,
            )  # fmt: skip
            pq.write_table(rows, tmp_path / "t.parquet")
            table = engine.parquet([tmp_path / "t.parquet"])
            for rows in (table, table.mutate(m=table.n + 1)):  # read around DuckDB, and computed by it
                made = engine.map_batches(
                    "made", rows, note, like=like, then=lambda rows: rows.filter(rows.n != 7)
                )
                found = engine.collect(made)["n"].to_pylist()
                assert sorted(found) == [n for n in range(count) if n != 7]
    assert {schema.field("id").type for schema in seen} == {pa.binary(6)}


def test_an_error_in_the_function_comes_out(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "t.parquet")

    def fail(batch: pa.RecordBatch) -> pa.RecordBatch:
        if batch.num_rows:
            raise KeyError("no such key")
        return batch

    with DuckEngine(memory_limit="256MB") as engine, pytest.raises(KeyError, match="no such key"):
        table = engine.parquet([tmp_path / "t.parquet"])
        engine.map_batches("made", table, fail, like=pa.schema([]), then=lambda rows: rows)


WORDS = Lookup(column="code", words=pa.table({"word": ["none", "one", "one"], "sum": [0, 7, 9]}))


@pytest.mark.parametrize("step", [1, 7919], ids=["in order", "in disorder"])
def test_written_folders_are_sorted_the_same_for_any_threads_and_replace_the_old_ones(
    tmp_path: Path, step: int
) -> None:
    count = 2 * PART_ROWS + 9
    numbers = [n * step % 600_011 * 2**32 for n in range(count)]
    rows = pa.table({"k": numbers, "v": ["x" * (n % 9) for n in range(count)]})
    pq.write_table(rows, tmp_path / "in.parquet", row_group_size=ROW_GROUP_ROWS)
    target, written = tmp_path / "it's", []
    target.mkdir()
    (target / "part-00009.parquet").write_bytes(b"of another day")
    for threads in (2, 1, 3):
        with DuckEngine(threads=threads, memory_limit="512MB") as engine:
            table = engine.parquet([tmp_path / "in.parquet"])
            codes = table.select("k", code=table.v.length().cast("int64") % 3)
            made = engine.write(table, codes, [WORDS], str(target), key="k")
            assert engine.collect(made.count().as_table())[0][0].as_py() == count
        written.append({file.name: file.read_bytes() for file in target.iterdir()})
        time.sleep(0.01)
    assert written[0] == written[1] == written[2]
    files = [pq.read_metadata(target / name).num_rows for name in sorted(written[0])]
    assert files == [PART_ROWS, PART_ROWS, 9]
    found = pq.read_table(target)
    assert found.select(["k", "v"]).to_pydict() == rows.sort_by("k").to_pydict()
    lengths = [len(v) % 3 for v in found["v"].to_pylist()]
    assert found["word"].to_pylist() == [("none", "one", "one")[n] for n in lengths]
    assert found["sum"].to_pylist() == [(0, 7, 9)[n] for n in lengths]
    assert not list(tmp_path.glob("*.tmp"))


@pytest.mark.parametrize("ids", [[1, 2], [1, 2, 3, 4], [1, 2, 4], [1, 2, 2, 3]])
def test_a_row_without_its_verdict_or_one_too_many_writes_nothing_and_leaves_the_old_folder(
    tmp_path: Path, ids: list[int]
) -> None:
    with DuckEngine(threads=2, memory_limit="256MB") as engine:
        rows = engine.arrow("rows", pa.table({"k": [3, 1, 2]}))
        right = engine.arrow("right", pa.table({"k": [2, 1, 3], "code": [0, 1, 2]}))
        engine.write(rows, right, [WORDS], str(tmp_path / "out"), key="k")
        before = {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()}
        assert pq.read_table(tmp_path / "out").to_pydict() == {
            "k": [1, 2, 3], "word": ["one", "none", "one"], "sum": [7, 0, 9],
        }  # fmt: skip
        wrong = engine.arrow("wrong", pa.table({"k": ids, "code": [0] * len(ids)}))
        with pytest.raises(JinkaError, match="not the same rows"):
            engine.write(rows, wrong, [WORDS], str(tmp_path / "out"), key="k")
        assert {file.name: file.read_bytes() for file in (tmp_path / "out").iterdir()} == before
        assert engine.collect(rows).num_rows == 3


def test_a_record_id_that_came_twice_is_an_error(tmp_path: Path) -> None:
    with DuckEngine(threads=2, memory_limit="256MB") as engine:
        rows = engine.arrow("rows", pa.table({"k": [1, 2, 2]}))
        codes = engine.arrow("codes", pa.table({"k": [1, 2], "code": [0, 0]}))
        with pytest.raises(JinkaError, match="not the same rows"):
            engine.write(rows, codes, [WORDS], str(tmp_path / "out"), key="k")
    assert not (tmp_path / "out").exists()


def test_a_folder_of_nothing_can_be_read(tmp_path: Path) -> None:
    with DuckEngine(threads=2, memory_limit="256MB") as engine:
        rows = engine.arrow("rows", pa.table({"k": pa.array([], pa.int64())}))
        codes = engine.arrow(
            "codes", pa.table({"k": pa.array([], pa.int64()), "code": pa.array([], pa.uint8())})
        )
        made = engine.write(rows, codes, [WORDS], str(tmp_path / "none"), key="k")
        assert engine.collect(made).num_rows == 0
    assert pq.read_table(tmp_path / "none").schema.names == ["k", "word", "sum"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with DuckEngine(memory_limit="256MB") as engine, pytest.raises(NotFound, match="gone"):
        engine.parquet([tmp_path / "gone.parquet"])


def test_engines_that_are_asked_the_same_answer_of_their_own_tables() -> None:
    """SQL is kept by its expression: another constant, type, kind of table or table is another expression."""
    answers = []
    for values, limit in (([1, 2, 3], "256MB"), ([2, 3, 4], "300MB"), (["2", "3", "10"], "256MB")):
        with DuckEngine(threads=1, memory_limit=limit) as engine:
            first = engine.arrow("rows", pa.table({"k": values}))
            second = engine.arrow("rows", pa.table({"k": values[:1]}))
            least, most = (type(values[0])(word) for word in "23")
            asked = (first.filter(first.k >= least), first.filter(first.k >= most), second)
            answers.append([sorted(engine.collect(each)["k"].to_pylist()) for each in asked])
    assert answers == [[[2, 3], [3], [1]], [[2, 3, 4], [3, 4], [2]], [["2", "3"], ["3"], ["2"]]]
