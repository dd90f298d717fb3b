"""The same day cleared by DuckDB and by a standalone Spark cluster of one master and two workers, record by record.

The day has what stages may disagree on: duplicates and altered ones, torn taps, wrong TACs, a listed card, a gap. Its
outcomes, sums, positions and lists must be equal, not alike. DuckDB asks the issuer's key service; beside each worker
is a process that is enrolled for the job and has the TAC keys of its cards alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.app.day import run_day
from jinka.app.engine import FILE, read_engine
from jinka.app.keyring import open_keys
from jinka.app.make_records import RecordFolder, make_record_files
from jinka.app.options import DayOptions
from jinka.app.workspace import Workspace
from jinka.clearing import ClearingTables, DayResult, clear_day
from jinka.clearing.port import Lookup
from jinka.codec import Algorithm
from jinka.keys import Purpose
from jinka.kit import JinkaError, NotFound, Usage
from jinka.node.keys_beside import VARIABLE, KeysBeside
from jinka.registry import Registry
from jinka.sim.parties import ISSUER
from jinka.sim.records import make_records
from jinka.store import DuckEngine
from tests.clearing.world import DATE, FEES, PARAMS, SCHEMA, World, explain
from tests.keys.serving import key_folder, served
from tests.store.spark_cluster import ROOT, WORKERS, absent, cluster

pytestmark = pytest.mark.skipif(absent() is not None, reason=f"{absent()} is absent")
CALLERS = """
[callers.day]
uid = 0
verbs = ["*"]
keys = ["*"]

[callers.executor]
uid = 0
verbs = ["job_terms", "order_job_keys"]
keys = ["tac/*"]

[callers.clearing]
uid = 0
verbs = ["enrol_job", "end_job"]
keys = []
"""
JOB = "2018-09-01"
# JINKA_SPARK_RECORDS=10000000 clears so many on both engines as well: an hour or so on two cores, and 20 GB of disk.
MANY = int(os.environ.get("JINKA_SPARK_RECORDS", "0"))
MEMORY = "512m" if MANY < 1_000_000 else "2g"
SETTINGS = {
    "spark.executor.memory": MEMORY,
    "spark.driver.memory": MEMORY,
    "spark.driver.host": "127.0.0.1",
    "spark.sql.shuffle.partitions": str(2 + MANY // 250_000),
    "spark.executorEnv.PYTHONPATH": str(ROOT),
    # Little work in many pieces: compiling costs more than it saves.
    "spark.sql.codegen.wholeStage": "false",
    "spark.driver.extraJavaOptions": "-XX:TieredStopAtLevel=1",
    "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1",
}


@contextmanager
def command(*arguments: object) -> Iterator[dict[str, Any]]:
    """A `jinka` process that serves; gives the JSON that it begins with."""
    code = "from jinka.cli import main; main()"
    given = [sys.executable, "-c", code, *map(str, arguments)]
    with subprocess.Popen(given, stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = ""
            for line in process.stdout:
                lines += line
                if line.startswith("}"):
                    break
            yield json.loads(lines)
        finally:
            process.terminate()
            process.wait(60)


@pytest.fixture(scope="module")
def keys_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = key_folder(tmp_path_factory.mktemp("keys"))
    uid = folder.stat().st_uid
    (folder / "keys.toml").write_text(CALLERS.replace("uid = 0", f"uid = {uid}"))
    return folder


@pytest.fixture(scope="module")
def served_keys(keys_at: Path) -> Iterator[Path]:
    """The socket of the issuer's key service."""
    with served(keys_at) as (facts, _):
        yield Path(facts["socket"])


@pytest.fixture(scope="module")
def master(served_keys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A cluster whose workers have a key service each, enrolled for the job."""
    folder = tmp_path_factory.mktemp("spark")
    with ExitStack() as stack:
        sockets = [folder / f"job-{number}.sock" for number in range(WORKERS)]
        beside = [
            stack.enter_context(command("keys", "serve-job", served_keys, "--job", JOB, "--socket", socket))
            for socket in sockets
        ]
        publics = [word for made in beside for word in ("--public", made["public"])]
        cards = str(300 + 2 * MANY)  # a task that is run elsewhere orders its keys there
        enrol = ["keys", "enrol-job", str(served_keys), "--job", JOB, "--cards", cards, *publics]
        code = "from jinka.cli import main; main()"
        subprocess.run([sys.executable, "-c", code, *enrol], check=True, stdout=subprocess.DEVNULL)
        environments = [{VARIABLE: str(socket)} for socket in sockets]
        yield stack.enter_context(cluster(folder, environments))


@pytest.fixture(scope="module")
def engine(master: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from jinka.store.spark import SparkEngine

    work = tmp_path_factory.mktemp("spark") / "work"
    with SparkEngine(master=master, work=work, settings=SETTINGS) as engine:
        yield engine


def test_a_day_is_cleared_where_its_file_says(master: str, served_keys: Path, tmp_path: Path) -> None:
    """`jinka day` without the file, `jinka clear` with it: the same rows, and nothing is paid twice.

    Before the session of the other tests begins: a session holds all cores of the cluster.
    """
    options = DayOptions(riders=20, seed=3, directory=tmp_path / "day", keys=served_keys)
    assert run_day(options).books_balance
    there = options.folder / "centre/outcomes"
    before = pq.read_table(there).to_pylist()
    there.rename(tmp_path / "by-duckdb")
    settings = "".join(f'"{name}" = "{value}"\n' for name, value in SETTINGS.items())
    (options.folder / FILE).write_text(
        f'master = "{master}"\nwork = "{tmp_path / "work"}"\n[settings]\n{settings}'
    )
    code = "from jinka.cli import main; main()"
    command = [sys.executable, "-c", code, "clear", str(options.folder), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["books_balance"]
    notes = [json.loads(line) for line in (options.folder / "day.log.jsonl").read_text().splitlines()]
    assert [note["engine"] for note in notes if note["event"] == "cleared"] == ["duckdb", "pyspark"]
    assert pq.read_table(there).to_pylist() == before
    assert not list((tmp_path / "work").iterdir())


def test_an_engine_file_that_says_nonsense_is_refused(tmp_path: Path) -> None:
    for text, place in (
        ("master = 1", "master"),
        ('master = "local[1]"', "work"),
        ('master = "local[1]"\nwork = "here"', "work"),
        ('master = "local[1]"\nwork = "/w"\nslaves = 2', "slaves"),
        ('master = "local[1]"\nwork = "/w"\n[settings]\nx = 1', "settings"),
        ("master =", "no TOML"),
    ):
        (tmp_path / FILE).write_text(text)
        with pytest.raises(Usage, match=place):
            read_engine(tmp_path)


def crooked_world(keys: Any) -> World:
    roots = {
        (Algorithm[name.algorithm], name.version): keys.holding.find(name)[1].reveal()
        for name in keys.holding.records
        if name.purpose is Purpose.TAC
    }
    made = make_records(600, cards=90, seed=5, roots=roots, date=DATE, wrong_share=0.01)
    world = World(rows=made.records.to_pylist(), registry=made.registry)
    rows = world.rows
    world.add(rows[5])
    world.add(rows[7], counter=rows[7]["counter"] + 1)
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


def clear(engine: Any, keys: Any, world: World, folder: Path, out: str) -> DayResult:
    pq.write_table(pa.Table.from_pylist(world.rows, schema=SCHEMA), folder / "records.parquet")
    registry = {name: getattr(world.registry, name) for name in Registry.SCHEMAS}
    for name in ("listings", "acknowledgements"):
        registry[name] = pa.Table.from_pylist(getattr(world, name), schema=Registry.SCHEMAS[name])
    tables = ClearingTables(
        records=engine.parquet([folder / "records.parquet"]),
        **{name: engine.arrow(name, table) for name, table in registry.items()},
    )
    return clear_day(engine, tables, PARAMS, keys=keys, explain=explain, fees=FEES, out=str(folder / out))


def test_a_day_is_cleared_the_same_by_both_engines(engine: Any, keys_at: Path, tmp_path: Path) -> None:
    keys = open_keys(Workspace(keys_at), "440300")
    assert keys.issuer == ISSUER
    world = crooked_world(keys)
    with DuckEngine(threads=1, memory_limit="512MB") as duck:
        here = clear(duck, keys, world, tmp_path, "duck")
    there = clear(engine, KeysBeside(), world, tmp_path, "spark")
    ours, theirs = (pq.read_table(tmp_path / name) for name in ("duck", "spark"))
    assert ours.schema.equals(theirs.schema)
    assert ours.to_pylist() == theirs.to_pylist()
    assert len({row["reason"] for row in ours.to_pylist()}) > 6
    for name in ("by_reason", "remarks", "net", "new_listings", "judged_cards", "suspense", "missing_minor"):
        assert getattr(here, name) == getattr(there, name)


if MANY:

    def test_many_records_are_cleared_the_same_by_both_engines(
        engine: Any, keys_at: Path, tmp_path: Path
    ) -> None:
        made = RecordFolder(path=keys_at)  # under the keys that are there
        make_record_files(keys_at, records=MANY, cards=max(1, MANY // 2), bad=0.01)

        def clear_made(on: Any, keys: Any, out: str) -> DayResult:
            tables = ClearingTables(
                records=on.parquet(made.records),
                **{name: on.parquet([made.registry(name)]) for name in Registry.SCHEMAS},
            )
            path = str(tmp_path / out)
            return clear_day(on, tables, PARAMS, keys=keys, explain=explain, fees=FEES, out=path)

        with DuckEngine(threads=2, memory_limit="2GB", spill=tmp_path / "spill") as duck:
            here = clear_made(duck, open_keys(Workspace(keys_at), "440300"), "duck")
        there = clear_made(engine, KeysBeside(), "spark")
        assert here.by_reason == there.by_reason
        assert here.net == there.net
        ours, theirs = (rows_of(tmp_path / name) for name in ("duck", "spark"))
        assert all(one == other for one, other in zip_longest(ours, theirs))


def rows_of(folder: Path) -> Iterator[Any]:
    """The outcomes in order, hashed a thousand at a time however the files are cut."""
    rows: list[Any] = []
    for path in sorted(folder.iterdir()):
        for batch in pq.ParquetFile(path).iter_batches(65_536):
            rows += batch.to_pylist()
            while len(rows) >= 1_000:
                yield hashlib.sha256(repr(rows[:1_000]).encode()).digest()
                del rows[:1_000]
    yield hashlib.sha256(repr(rows).encode()).digest()


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
