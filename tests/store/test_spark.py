"""The same day cleared by DuckDB and by a standalone Spark cluster of one master and two workers, record by record.

The day has what stages may disagree on: duplicates and altered ones, torn taps, wrong TACs, a listed card, a gap, a
load at a card with the highest counters. Outcomes, sums, positions and lists must be equal, not alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.clearing import ClearingTables, DayResult, clear_day
from jinka.clearing.port import Lookup
from jinka.kit import JinkaError, NotFound
from jinka.registry import Registry
from jinka.store import DuckEngine
from tests.clearing.soft_tacs import OpenKeys
from tests.clearing.world import FEES, PARAMS, SCHEMA, World, explain
from tests.store.spark_cluster import ROOT, absent, cluster

pytestmark = pytest.mark.skipif(absent() is not None, reason=f"{absent()} is absent")
SETTINGS = {
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": "2",
    "spark.executorEnv.PYTHONPATH": str(ROOT),
    # Little work in many pieces: compiling costs more than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from jinka.store.spark import SparkEngine

    folder = tmp_path_factory.mktemp("spark")
    with (
        cluster(folder) as master,
        SparkEngine(master=master, work=folder / "work", settings=SETTINGS) as spark,
    ):
        yield spark


def crooked_world() -> World:
    world = World.in_order(records=600, cards=90)
    rows = world.rows
    world.add(rows[5])
    world.add(rows[7], counter=rows[7]["counter"] + 1)
    rows[11]["tac"] = b"abcd"
    rows[12]["tac"] = b"ab"
    torn = world.of_card(3)
    torn[0]["tac"], torn[0]["state"] = None, 1
    torn[-1]["tac"], torn[-1]["state"] = None, 1
    rows.remove(world.of_card(5)[2])
    rows[20]["operator"] = "op.nobody"
    rows[21]["gross_fare"] += 100
    world.listings.append(
        {"list_version": 1, "card_no": rows[40]["card_no"], "effective_from": "20180901000000"}
    )
    world.acknowledgements.append(
        {"terminal_id": rows[40]["terminal_id"], "list_version": 1, "acknowledged_at": "20180901000000"}
    )
    return world


def clear(engine: Any, world: World, folder: Path, out: str) -> DayResult:
    pq.write_table(pa.Table.from_pylist(world.rows, schema=SCHEMA), folder / "records.parquet")
    registry = {name: getattr(world.registry, name) for name in Registry.SCHEMAS}
    for name in ("listings", "acknowledgements"):
        registry[name] = pa.Table.from_pylist(getattr(world, name), schema=Registry.SCHEMAS[name])
    tables = ClearingTables(
        records=engine.parquet([folder / "records.parquet"]),
        **{name: engine.arrow(name, table) for name, table in registry.items()},
    )
    return clear_day(
        engine, tables, PARAMS, keys=OpenKeys(), explain=explain, fees=FEES, out=str(folder / out)
    )


def test_a_day_is_cleared_the_same_by_both_engines(engine: Any, tmp_path: Path) -> None:
    world = crooked_world()
    with DuckEngine(threads=1, memory_limit="512MB") as duck:
        here = clear(duck, world, tmp_path, "duck")
    there = clear(engine, world, tmp_path, "spark")
    ours, theirs = (pq.read_table(tmp_path / name) for name in ("duck", "spark"))
    assert ours.schema.equals(theirs.schema)
    assert ours.to_pylist() == theirs.to_pylist()
    assert len({row["reason"] for row in ours.to_pylist()}) > 6
    for name in ("by_reason", "remarks", "net", "new_listings", "judged_cards", "suspense", "missing_minor"):
        assert getattr(here, name) == getattr(there, name)


def test_a_row_without_its_verdict_writes_nothing(engine: Any, tmp_path: Path) -> None:
    words = Lookup(column="code", words=pa.table({"word": ["none", "one"]}))
    rows = engine.arrow("rows", pa.table({"k": [3, 1, 2], "v": ["c", "a", "b"]}))
    right = engine.arrow("right", pa.table({"k": [2, 1, 3], "code": pa.array([1, 0, 1], pa.uint8())}))
    engine.write(rows, right, [words], str(tmp_path / "out"), key="k")
    found = pq.read_table(tmp_path / "out")
    assert found.to_pydict() == {"k": [1, 2, 3], "v": ["a", "b", "c"], "word": ["none", "one", "one"]}
    for ids in ([1, 2], [1, 2, 3, 4], [1, 2, 4], [1, 2, 2]):
        wrong = engine.arrow("wrong", pa.table({"k": ids, "code": [0] * len(ids)}))
        with pytest.raises(JinkaError, match="not the same rows"):
            engine.write(rows, wrong, [words], str(tmp_path / "out"), key="k")
    assert pq.read_table(tmp_path / "out").equals(found)


def test_a_missing_file_is_named(engine: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="gone"):
        engine.parquet([tmp_path / "gone.parquet"])
