"""`jinka bench trace`: capture, event hash and recall on one core, and whether every trace of a known chain is exact.

A chain is generated (`jinka.sim.trace_chain`), written as EPCIS 2.0 documents of 500 events, and captured from those
bytes by the real store with its rules: read, hash, rows, edges, one durable transaction a document. Then traces and
recalls are held to the truth of the generator, thing by thing and holder by holder (`jinka.app.bench_trace_truth`); a
single wrong one ends the benchmark. For the recall the index of edges is made as
large as was asked for with copies of the chain (`jinka.store.trace_growth`). Times are of the processor, the best of
several turns; the wall's stand beside them.
"""

from __future__ import annotations

import random
import resource
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinka.app.bench_trace_hash import bench_hash
from jinka.app.bench_trace_truth import check_back, check_recalls
from jinka.app.trace_rules import judges_of
from jinka.codec.epcis import Document, Event, read_json, write_json
from jinka.kit import JinkaError, NotFound, Usage
from jinka.kit.collection import no_collection
from jinka.node.system import SystemClock
from jinka.sim.trace_chain import Chain, ChainSize
from jinka.store import database_at
from jinka.store.database import Database
from jinka.store.trace_capture import prepare
from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_growth import index_size, multiply_edges
from jinka.store.trace_store import TraceStore
from jinka.trace.lineage import NodeSort
from jinka.trace.recall_scope import scope_of
from jinka.trace.spread import Seed, spread_back, spread_forward

_DOCUMENT = 500  # events
_TURNS = 3
_FEW, _MANY = 200, 100_000  # items
_SEED = "bench trace"


def bench_trace(
    items: int = 20_000,
    events: int = 100_000,
    folder: Path | None = None,
    *,
    lot: int = 200,
    hash_seconds: float = 6.0,
) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` where a trace is not exact."""
    if not 1_000 <= items <= 10_000_000:
        raise Usage(f"{items} items", where="bench trace", fix="1,000 to 10,000,000")
    if not 0 <= events <= 100_000_000:
        raise Usage(f"{events} events", where="bench trace", fix="up to 100,000,000")
    if not 10 <= lot <= 10_000:
        raise Usage(f"lots of {lot}", where="bench trace", fix="10 to 10,000 items")
    chain = Chain(_size(items, lot), _SEED)
    with (
        tempfile.TemporaryDirectory(prefix="jinka-bench-", dir=folder) as made,
        database_at(Path(made) / "epcis.db") as database,
    ):
        captured = _capture(database, chain)
        exact = _check(database, chain)
        recall = _recall(database, chain, captured["events"], events)
    return {
        "bench": "trace",
        "clock": "processor time of one core",
        "aims": {"capture_events_per_s": 3_000, "recall_hundreds_ms": 100, "recall_100k_s": 2},
        "capture": captured,
        "exact": exact,
        "recall": recall,
        "documents": _documents_beside_peer(hash_seconds),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _documents_beside_peer(seconds: float) -> dict[str, Any]:
    """Read, hashed and written beside the reference package, where it is installed."""
    if not seconds:
        return {}
    try:
        return bench_hash(seconds)
    except NotFound as error:
        return {"absent": str(error)}


def _size(items: int, lot: int) -> ChainSize:
    return ChainSize(
        items=items, items_per_lot=lot, items_per_case=max(2, lot // 20), cases_per_pallet=5, farms=40, mills=10,
        plants=8, wholesalers=30, shops=500, slip_rate=0.02,
    )  # fmt: skip


def _capture(database: Database, chain: Chain) -> dict[str, Any]:
    store = TraceStore(database, SystemClock(), judges=judges_of({}, SystemClock()))
    spent = defaultdict[str, float](float)
    count = named = size = 0
    wall = 0.0
    for events in _documents(chain.events()):
        body = write_json(Document(events=tuple(events), creation_time_us=events[0].event_time_us))
        begun = time.perf_counter()
        with no_collection():  # as the server's own captures
            with _timed(spent, "read"):
                document = read_json(body)
            with _timed(spent, "hash and terms"):
                batch = [prepare(event) for event in document.events]
            with _timed(spent, "store"):
                answers = store.capture(batch, proceed=True)
        wall += time.perf_counter() - begun
        refused = [each for each in answers if each.outcome.value == "refused"]
        if refused:
            raise JinkaError(f"{len(refused)} events refused: {refused[0].what}", where="bench trace")
        count += len(events)
        size += len(body)
        named += sum(1 for event in events for _ in event.all_epcs())
    total = sum(spent.values())
    return {
        "events": count,
        "items": chain.size.items,
        "epcs_per_event": round(named / count, 1),
        "bytes_per_event": size // count,
        "slips": {slip.name.lower(): number for slip, number in chain.truth.slips.items()},
        "events_per_s": int(count / total),
        "epcs_per_s": int(named / total),
        "wall_events_per_s": int(count / wall),
        "us_per_event": {name: round(1e6 * seconds / count, 1) for name, seconds in spent.items()},
    }


def _documents(events: Iterable[Event]) -> Iterable[list[Event]]:
    some: list[Event] = []
    for event in events:
        some.append(event)
        if len(some) == _DOCUMENT:
            yield some
            some = []
    if some:
        yield some


@contextmanager
def _timed(spent: dict[str, float], name: str) -> Iterator[None]:
    begun = time.process_time()
    yield
    spent[name] += time.process_time() - begun


def _check(database: Database, chain: Chain) -> dict[str, int]:
    """Hold traces and recalls to the truth: items back, and each thing and each holder of recalls of every kind."""
    draw = random.Random(_SEED)  # noqa: S311 a benchmark
    items = draw.sample(range(chain.size.items), min(1_000, chain.size.items))
    with SqlLinks(database) as links, no_collection():
        items_back = check_back(links, chain, [*items, *list(chain.truth.anew)[:10]])
        return {"items_back": items_back, **check_recalls(links, chain, _SEED, lots=8, places=8)}


def _recall(database: Database, chain: Chain, captured: int, events: int) -> dict[str, Any]:
    copies = max(0, -(-events // captured) - 1)
    begun = time.perf_counter()
    shift = multiply_edges(database, copies)
    grown_s = time.perf_counter() - begun
    with database.connect() as connection:
        edges, size = index_size(connection)
    lots = -(-chain.size.items // chain.size.items_per_lot)
    with SqlLinks(database) as links:
        first = [links.number(chain.lot(lot)) for lot in range(lots)]
    draw = random.Random(_SEED)  # noqa: S311 a benchmark
    everywhere = [node + shift * copy for copy in range(copies + 1) for node in first]
    per_lot = chain.size.items_per_lot
    few, many = (draw.sample(everywhere, min(len(everywhere), -(-n // per_lot))) for n in (_FEW, _MANY))
    return {
        "events": captured * (copies + 1),
        "edges": edges,
        "database_mib": size >> 20,
        "grown_in_s": round(grown_s, 1),
        "cache_mib": 128,
        "hundreds": _timed_recall(database, few),
        "hundred_thousand": _timed_recall(database, many),
        "back_one_item": _timed_back(database, chain),
    }


def _timed_recall(database: Database, seeds: Sequence[int]) -> dict[str, Any]:
    """From the seeds to the scope with its holders: the best turn, and the first, with cold pages."""
    turns = []
    for _ in range(_TURNS):
        with SqlLinks(database) as links, no_collection():
            wall, cpu = time.perf_counter(), time.process_time()
            found = spread_forward(links, [Seed(node) for node in seeds])
            walked = time.process_time() - cpu
            scope = scope_of(links, found, as_of_us=1).scope
            turns.append((time.process_time() - cpu, walked, time.perf_counter() - wall))
            del found
    best = min(turns)
    return {
        "lots": len(seeds),
        "things": scope.things,
        "holders": len(scope.holders),
        "ms": round(best[0] * 1e3, 1),
        "of_it_walk_ms": round(best[1] * 1e3, 1),
        "wall_ms": round(min(turn[2] for turn in turns) * 1e3, 1),
        "first_wall_ms": round(turns[0][2] * 1e3, 1),
    }


def _timed_back(database: Database, chain: Chain) -> dict[str, Any]:
    draw = random.Random(_SEED)  # noqa: S311 a benchmark
    spent = []
    with SqlLinks(database) as links:
        nodes = [links.number(chain.item(draw.randrange(chain.size.items))) for _ in range(200)]
        for node in nodes:
            begun = time.process_time()
            found = spread_back(links, [Seed(node)])
            spent.append(time.process_time() - begun)
            if not any(each & 7 == NodeSort.LOT for each in found.reached):
                raise JinkaError("an item comes from nowhere", where="bench trace")
    spent.sort()
    return {"p50_ms": round(spent[len(spent) // 2] * 1e3, 2), "p99_ms": round(spent[-2] * 1e3, 2)}
