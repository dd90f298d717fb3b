"""Goal: the part of `jinka bench trace` on documents has every figure, and stops when the two give other hashes.

Method: the shortest run; a peer that lies; no peer.
"""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from jinka.app import bench_trace_hash
from jinka.codec.epcis import EventType, read_json
from jinka.kit import JinkaError, NotFound


def test_the_figures_are_there_and_the_peer_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_trace_hash, "_TURN", 40)
    monkeypatch.setattr(bench_trace_hash, "_PEER_TURN", {1: 4, 40: 40})
    found = bench_trace_hash.bench_hash(0.0)
    for size in ("1 a document", "40 a document"):
        assert {"JSON to hash", "XML to hash", "peer, JSON to hash", "hash"} <= set(found[size]["per_second"])
        assert found[size]["ratio_to_peer"]["JSON"] > 0


def test_samples_are_of_all_kinds_and_none_comes_twice() -> None:
    events = read_json(bench_trace_hash.sample_document(40)).events
    assert {event.event_type for event in events} == set(EventType) - {
        EventType.TRANSACTION,
        EventType.ASSOCIATION,
    }
    more = read_json(bench_trace_hash.sample_document(40, start=40)).events
    assert not {one for event in events for one in event.all_epcs()} & {
        one for event in more for one in event.all_epcs()
    }


def test_a_peer_with_other_hashes_or_none_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_trace_hash, "_TURN", 4)
    monkeypatch.setattr(bench_trace_hash, "_PEER_TURN", {1: 1, 40: 40})
    lying: dict[str, Any] = {"JSON": lambda text: ["ni:///sha-256;00?ver=CBV2.0"], "XML": lambda text: []}
    with pytest.raises(JinkaError, match="other hashes"):
        bench_trace_hash._bench(1, lying, 0.0)

    def absent(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(importlib, "import_module", absent)
    with pytest.raises(NotFound, match="no peer"):
        bench_trace_hash.bench_hash(0.0)
