"""The purchase bench runs, finds what it claims to measure, and gives JSON. No timing is asserted."""

from __future__ import annotations

import json

from jinka.app.bench_purchase import bench_purchase


def test_the_bench_gives_json_for_both_algorithms() -> None:
    found = json.loads(json.dumps(bench_purchase(0.1)))
    assert set(found["by_algorithm"]) == {"tdes", "sm4"}
    assert found["rate_per_second"] > 0
    assert found["ratio"] > 0
