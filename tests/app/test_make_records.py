"""`jinka make-records` and `jinka bench clear`. Goal: the same seed gives the same bytes however the parts are cut, the
records clear to the wrong TACs that were made and no others, and what cannot be done is refused before work begins.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from jinka.app import bench_clear as bench
from jinka.app import make_records as made
from jinka.app.keyring import open_keys
from jinka.app.workspace import Workspace
from jinka.clearing import Reason
from jinka.codec import Algorithm
from jinka.kit import Refused, Usage
from jinka.registry import Registry
from jinka.sim.records import RecordMaker
from tests.clearing.soft_tacs import ROOTS

RECORDS, CARDS = 3_000, 700


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("made") / "records"
    figures = made.make_record_files(path, records=RECORDS, cards=CARDS, seed=7)
    assert (figures["records"], figures["cards"], figures["wrong_tacs"]) == (RECORDS, CARDS, 30)
    return path


def digests(folder: Path) -> dict[str, str]:
    files = sorted(folder.rglob("*.parquet"))
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(folder: Path, tmp_path: Path) -> None:
    made.make_record_files(tmp_path / "again", records=RECORDS, cards=CARDS, seed=7)
    made.make_record_files(tmp_path / "other", records=RECORDS, cards=CARDS, seed=8)
    assert digests(tmp_path / "again") == digests(folder)
    assert digests(tmp_path / "other")["records/part-00000.parquet"] not in digests(folder).values()


def test_parts_are_the_whole_however_they_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, Any] = {"cards": 90, "seed": 5, "roots": ROOTS, "date": made.DATE}
    whole = RecordMaker(601, **asked)
    cut = [whole.records(0, 100), whole.records(100, 600), whole.records(600, 601)]
    assert [row for part in cut for row in part.to_pylist()] == whole.records(0, 601).to_pylist()
    assert [t.num_rows for t in whole.cards_in_parts(40)] == [40, 40, 10]
    monkeypatch.setattr("jinka.sim.records._BLOCK_CARDS", 7)
    rows = RecordMaker(601, **asked).records(0, 601).to_pylist()
    balances: dict[bytes, int] = {}
    for row in sorted(rows, key=lambda row: row["local_time"]):  # blocks of cards keep their chains
        moved = row["amount"] if row["counter_kind"] else -row["amount"]
        assert row["balance"] == balances.get(row["card_no"], 100_000) + moved
        balances[row["card_no"]] = row["balance"]
    assert len(balances) == 90


def test_the_records_clear_to_the_wrong_tacs_that_were_made_and_no_others(folder: Path) -> None:
    keys = open_keys(Workspace(folder), "440300")
    result = bench._clear(folder, keys, 1, 512, 0)
    found = {row.reason: row.count for row in result.by_reason}
    assert found == {Reason.ACCEPTED: RECORDS - 30, Reason.WRONG_TAC: 30}
    records = pq.read_table(made.RecordFolder(path=folder).records)
    assert set(records["algorithm"].to_pylist()) == {int(kind) for kind in Algorithm}
    assert len(set(records["card_no"].to_pylist())) == CARDS
    for name, schema in Registry.SCHEMAS.items():
        assert pq.read_schema(made.RecordFolder(path=folder).registry(name)).equals(schema)


@pytest.mark.parametrize(
    "wrong",
    [
        {"records": 0},
        {"records": 300_000_000},
        {"cards": 0},
        {"cards": RECORDS + 1},
        {"bad": -0.1},
        {"bad": 1.5},
    ],
)
def test_what_nobody_means_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(Usage):
        made.make_record_files(tmp_path / "x", **{"records": RECORDS, "cards": CARDS} | wrong)
    assert not (tmp_path / "x").exists()


def test_a_folder_with_records_and_a_full_disk_are_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Refused, match="holds records"):
        made.make_record_files(folder, records=RECORDS, cards=CARDS)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Disk", (), {"free": 1_000})())
    with pytest.raises(Refused, match="are free"):
        made.make_record_files(tmp_path / "x", records=RECORDS, cards=CARDS)
    with pytest.raises(Refused, match="are free"):
        bench.bench_clear([1_000])
    with pytest.raises(Usage):
        bench.bench_clear([1_000_000, 10])


def test_the_table_has_a_row_for_each_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process: that each size has one of its own is seen by running the command."""
    monkeypatch.setattr(bench, "_alone", lambda work, *given: work(*given))
    monkeypatch.setattr(bench, "_PEER_RECORDS", 10)
    figures = bench.bench_clear([1_000, 2_000], runs=1, memory_mib=512)
    assert [row["records"] for row in figures["sizes"]] == [1_000, 2_000]
    assert [row["wrong_found"] for row in figures["sizes"]] == [10, 20]
    assert {row["position_sum"] for row in figures["sizes"]} == {0}
    json.dumps(figures)
