"""`jinka bench tac`: TAC checks a second on one core, beside a loop over `cryptography` in the same run.

A check is the whole of it: derive the card's TAC key from the issuer's root, MAC three blocks (3DES) or two (SM4), and
compare. Each row is a card of its own; three key versions; 1 % of the TACs are wrong. Rates are medians of three
runs; the peer checks a sample, and both have to name the same rows.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jinka.codec import RECORD_SCHEMA, Algorithm, TransactionType
from jinka.crypto import diversify, mac4, tac_key
from jinka.crypto.bulk import purchase_messages, sm4_tacs, tdes_tacs, warm_up
from jinka.keys import KeyStore, Purpose, SoftKeyService, TacStatus, hold_ceremony, open_store
from jinka.kit import JinkaError, Usage

_SLICE = 1 << 16  # rows in a batch, about what an engine hands over
_PEER_CHECKS = 20_000
_RUNS = 3
_VERSIONS = (1, 2, 3)
_WRONG_SHARE = 100  # one row of so many


class _Seeded:
    """Randomness for keys that protect nothing."""

    def __init__(self, seed: int) -> None:
        self._rng = random.Random(seed)  # noqa: S311 keys of a benchmark

    def token_bytes(self, count: int) -> bytes:
        return self._rng.randbytes(count)


def bench_tac(count: int = 1_000_000) -> dict[str, Any]:
    """Return the figures as a dictionary that JSON can hold. Raises `JinkaError` if a wrong TAC is missed."""
    if not 1000 <= count <= 50_000_000:
        raise Usage(f"{count} checks", where="bench tac", fix="1,000 to 50,000,000")
    started = time.perf_counter()
    warm_up()
    compile_s = time.perf_counter() - started
    store = _store()
    service = SoftKeyService(store, region="440300")
    results = {algorithm.name: _bench(service, store, algorithm, count) for algorithm in Algorithm}
    return {
        "bench": "tac",
        "checks": count,
        "distinct_cards": count,
        "key_versions": len(_VERSIONS),
        "cores": 1,
        "compile_seconds": round(compile_s, 3),
        "results": results,
        "peak_rss_mib": _peak_rss_mib(),
    }


def _store() -> KeyStore:
    ceremony = hold_ceremony(
        issuer="issuer.bench",
        date="2018-09-01",
        custodians=("A", "B", "C"),
        randomness=_Seeded(2018),
        simulated=True,
    )
    return open_store(ceremony.sealed, list(ceremony.shares))


def _bench(service: SoftKeyService, store: KeyStore, algorithm: Algorithm, count: int) -> dict[str, Any]:
    columns, wrong = _columns(store, algorithm, count)
    batch = _batch(columns)
    batches = [batch.slice(start, _SLICE) for start in range(0, count, _SLICE)]
    seconds, status = _timed(
        lambda: np.concatenate([service.verify_tacs(part).to_numpy() for part in batches])
    )
    found = np.flatnonzero(status == TacStatus.WRONG)
    if not np.array_equal(found, wrong) or not set(np.unique(status)) <= {TacStatus.OK, TacStatus.WRONG}:
        raise JinkaError("the service did not find exactly the wrong TACs", where="bench tac")
    sample = min(_PEER_CHECKS, count)
    peer_seconds, peer_wrong = _timed(lambda: _peer(store, algorithm, columns, sample))
    if not np.array_equal(peer_wrong, wrong[wrong < sample]):
        raise JinkaError("service and peer do not agree", where="bench tac")
    rate, peer_rate = count / seconds, sample / peer_seconds
    return {
        "rate_per_s": round(rate),
        "peer": "jinka.crypto.block over cryptography (OpenSSL), one card at a time",
        "peer_checks": sample,
        "peer_rate_per_s": round(peer_rate),
        "ratio": round(rate / peer_rate, 1),
        "wrong_injected": len(wrong),
        "wrong_found": len(found),
    }


def _columns(
    store: KeyStore, algorithm: Algorithm, count: int
) -> tuple[dict[str, npt.NDArray[Any]], npt.NDArray[np.int64]]:
    """The columns of ``count`` purchases of as many cards, and the rows whose TAC is wrong."""
    rng = np.random.default_rng(2018)
    cards = np.zeros((count, 10), dtype=np.uint8)
    cards[:, 1:3] = (0x44, 0x03)
    number = np.arange(count)
    for byte in range(9, 5, -1):  # four bytes of BCD: 10^8 cards
        cards[:, byte] = number % 10 | (number // 10 % 10) << 4
        number = number // 100
    columns: dict[str, npt.NDArray[Any]] = {
        "amount": rng.integers(1, 1000, count),
        "txn_type": np.full(count, TransactionType.CAPP_PURCHASE, dtype=np.uint8),
        "terminal_id": rng.integers(0, 256, (count, 6), dtype=np.uint8),
        "terminal_serial": rng.integers(0, 2**32, count, dtype=np.uint32),
        "date": np.tile(np.array([0x20, 0x18, 0x09, 0x01], dtype=np.uint8), (count, 1)),
        "time": np.tile(np.array([0x08, 0x15, 0x30], dtype=np.uint8), (count, 1)),
    }
    block = 8 if algorithm is Algorithm.TDES else 16
    make = tdes_tacs if algorithm is Algorithm.TDES else sm4_tacs
    messages = purchase_messages(**columns, block=block)
    versions = rng.choice(np.array(_VERSIONS, dtype=np.uint8), count)
    tacs = np.zeros((count, 4), dtype=np.uint8)
    for version in _VERSIONS:
        rows = np.flatnonzero(versions == version)
        tacs[rows] = make(store.root(Purpose.TAC, algorithm, version), cards[rows, 2:], messages[rows])
    wrong = np.sort(rng.choice(count, count // _WRONG_SHARE, replace=False))
    bits = rng.integers(0, 32, len(wrong))
    tacs[wrong, bits >> 3] ^= (1 << (bits & 7)).astype(np.uint8)
    columns |= {
        "cards": cards,
        "versions": versions,
        "tacs": tacs,
        "algorithm": np.full(count, algorithm, dtype=np.uint8),
    }
    return columns, wrong


def tac_batch(store: KeyStore, algorithm: Algorithm, count: int) -> pa.RecordBatch:
    """Purchases of ``count`` cards, for the issuer ``issuer.bench``; one TAC of a hundred is wrong."""
    return _batch(_columns(store, algorithm, count)[0])


def _batch(columns: dict[str, npt.NDArray[Any]]) -> pa.RecordBatch:
    """The columns as a record batch, as an engine would hand them over."""
    count = len(columns["amount"])

    def fixed(name: str) -> pa.Array:
        raw = np.ascontiguousarray(columns[name])
        return pa.Array.from_buffers(pa.binary(raw.shape[1]), count, [None, pa.py_buffer(raw)])

    offsets = pa.py_buffer(np.arange(count + 1, dtype=np.int32) * np.int32(4))
    zeros = np.zeros(count, dtype=np.int64)
    made = {
        "card_no": fixed("cards"),
        "txn_type": pa.array(columns["txn_type"]),
        "amount": pa.array(columns["amount"]),
        "balance": pa.array(zeros),
        "counter": pa.array(zeros.astype(np.uint16)),
        "terminal_id": fixed("terminal_id"),
        "terminal_serial": pa.array(columns["terminal_serial"]),
        "local_date": fixed("date"),
        "local_time": fixed("time"),
        "issuer": pa.array(["issuer.bench"]).take(pa.array(zeros)),
        "key_version": pa.array(columns["versions"]),
        "algorithm": pa.array(columns["algorithm"]),
        "tac": pa.Array.from_buffers(pa.binary(), count, [None, offsets, pa.py_buffer(columns["tacs"])]),
    }
    fields = [RECORD_SCHEMA.field(name) for name in made]
    return pa.RecordBatch.from_arrays(list(made.values()), schema=pa.schema(fields))


def _peer(
    store: KeyStore, algorithm: Algorithm, columns: dict[str, npt.NDArray[Any]], sample: int
) -> npt.NDArray[np.int64]:
    """The wrong rows among the first ``sample``, by the scalar steps."""
    roots = {version: store.root(Purpose.TAC, algorithm, version) for version in _VERSIONS}
    names = (
        "amount",
        "txn_type",
        "terminal_id",
        "terminal_serial",
        "date",
        "time",
        "cards",
        "versions",
        "tacs",
    )
    wrong = []
    rows = zip(*(columns[name][:sample] for name in names), strict=True)
    for i, (amount, kind, terminal, serial, date, clock, card, version, tac) in enumerate(rows):
        key = tac_key(algorithm, diversify(algorithm, roots[int(version)], card[2:].tobytes()))
        head = int(amount).to_bytes(4, "big") + bytes((int(kind),)) + terminal.tobytes()
        data = head + int(serial).to_bytes(4, "big") + date.tobytes() + clock.tobytes()
        if mac4(algorithm, key, data) != tac.tobytes():
            wrong.append(i)
    return np.array(wrong, dtype=np.int64)


def _timed(work: Callable[[], npt.NDArray[Any]]) -> tuple[float, npt.NDArray[Any]]:
    """The median of three runs in seconds, and the last answer."""
    seconds = []
    for _ in range(_RUNS):
        started = time.perf_counter()
        answer = work()
        seconds.append(time.perf_counter() - started)
    return median(seconds), answer


def _peak_rss_mib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // (1 << 20 if sys.platform == "darwin" else 1 << 10)
