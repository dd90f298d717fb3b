"""`jinka bench trace` runs and holds its traces to the truth. No timing is asserted."""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.app import bench_trace
from jinka.kit import JinkaError, Usage
from jinka.sim.trace_chain import Chain


def test_it_captures_traces_and_recalls(tmp_path: Path) -> None:
    found = bench_trace.bench_trace(1_000, 1_200, tmp_path, hash_seconds=0)
    assert found["capture"]["items"] == 1_000
    assert found["capture"]["events_per_s"] > 0
    assert found["exact"]["items_back"] >= 1_000
    assert found["exact"]["recalls"] >= 9
    assert found["exact"]["holders"] > found["exact"]["recalls"]
    recall = found["recall"]
    assert recall["events"] >= 1_200
    assert recall["hundreds"]["things"] == 201
    assert recall["hundred_thousand"]["things"] == 201 * recall["hundred_thousand"]["lots"]
    assert list(tmp_path.iterdir()) == []


def test_a_trace_that_is_not_exact_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bench_trace._check

    def check(database: object, chain: Chain) -> object:
        chain.truth.wheat_of_flour[0] = [10**6]
        return whole(database, chain)  # type: ignore[arg-type]

    monkeypatch.setattr(bench_trace, "_check", check)
    with pytest.raises(JinkaError, match="missing"):
        bench_trace.bench_trace(1_000, 0, tmp_path, hash_seconds=0)


def test_a_holder_that_is_not_exact_ends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = bench_trace._check

    def check(database: object, chain: Chain) -> object:
        chain.truth.place_of_item[:] = [chain.party(5, 499) for _ in chain.truth.place_of_item]
        return whole(database, chain)  # type: ignore[arg-type]

    monkeypatch.setattr(bench_trace, "_check", check)
    with pytest.raises(JinkaError, match="holders wrongly"):
        bench_trace.bench_trace(1_000, 0, tmp_path, hash_seconds=0)


def test_sizes_that_are_none(tmp_path: Path) -> None:
    for items, events in ((10, 0), (1_000, -1)):
        with pytest.raises(Usage):
            bench_trace.bench_trace(items, events, tmp_path)
