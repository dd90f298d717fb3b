"""The TAC benchmark finds what it injects; no time is asserted."""

from __future__ import annotations

import json

import numpy as np
import pytest

from jinka.app import bench_tac as bench
from jinka.codec import Algorithm
from jinka.keys import SoftKeyService
from jinka.kit import JinkaError, Usage


def test_a_small_run_finds_every_wrong_tac() -> None:
    report = bench.bench_tac(3000)
    assert report == json.loads(json.dumps(report))
    assert report["distinct_cards"] == report["checks"] == 3000
    assert set(report["results"]) == {"TDES", "SM4"}
    for figures in report["results"].values():
        assert figures["wrong_injected"] == figures["wrong_found"] == 30
        assert figures["ratio"] == pytest.approx(figures["rate_per_s"] / figures["peer_rate_per_s"], abs=0.1)


def test_the_cards_are_distinct_and_three_versions_are_used() -> None:
    columns, wrong = bench._columns(bench._store(), Algorithm.TDES, 20_000)
    assert len({card.tobytes() for card in columns["cards"]}) == 20_000
    assert np.unique(columns["versions"]).tolist() == [1, 2, 3]
    assert len(np.unique(wrong)) == 200


def test_a_service_that_accepts_everything_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = SoftKeyService.verify_tacs

    def lenient(self: SoftKeyService, records: object) -> object:
        import pyarrow as pa

        return pa.array(np.zeros(len(honest(self, records)), dtype=np.uint8))

    monkeypatch.setattr(SoftKeyService, "verify_tacs", lenient)
    with pytest.raises(JinkaError, match="exactly the wrong TACs"):
        bench.bench_tac(1000)


@pytest.mark.parametrize("count", [-1, 0, 999, 10**9])
def test_senseless_counts_are_refused(count: int) -> None:
    with pytest.raises(Usage):
        bench.bench_tac(count)
