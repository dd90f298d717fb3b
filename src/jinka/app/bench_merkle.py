"""The Merkle tree over a day's outcomes, measured apart: `jinka bench clear` prints it beside the clearing.

Timed: read the outcomes from Parquet, write each record's body, salt and hash it, hash the tree up to its root. The
peer hashes the same leaves and nodes with hashlib (OpenSSL) one by one, as a tree over a list does. The leaves lie in a
file, so that memory does not grow with them but by 3 % (the tops).
"""

from __future__ import annotations

import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from jinka.app.proof import outcome_tables
from jinka.clearing.leaf import SALT_BYTES, SECRET_BYTES, bodies, leaves, salts
from jinka.crypto.bulk import warm_up
from jinka.crypto.merkle import HASH_BYTES, leaf_hash, root_of
from jinka.crypto.merkle_rows import RowTree, tops_of

_PEER_LEAVES = 50_000
_SECRET = bytes(SECRET_BYTES)


def measure_tree(outcomes: Path, threads: int = 2) -> dict[str, Any]:
    """Figures for the tree over a folder of outcomes."""
    warm_up()
    sample: list[bytes] = []
    parts = dict.fromkeys(("read", "bodies", "leaves", "nodes"), 0.0)
    count = 0
    last = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal last
        now = time.perf_counter()
        parts[name], last = parts[name] + now - last, now

    with tempfile.TemporaryFile(prefix="jinka-tree-") as file:
        for table in outcome_tables(outcomes):
            lap("read")
            rows = bodies(table)
            lap("bodies")
            places = np.arange(count, count + len(rows), dtype=np.int64)
            file.write(leaves(rows, places, _SECRET, threads=threads).tobytes())
            lap("leaves")
            if len(sample) < _PEER_LEAVES:
                packed = np.hstack([salts(places, _SECRET), rows])[: _PEER_LEAVES - len(sample)]
                sample += [row.tobytes() for row in packed]
                last = time.perf_counter()
            count += len(rows)
        file.flush()
        found = np.memmap(file, dtype=np.uint8, mode="r").reshape(-1, HASH_BYTES)
        tops = tops_of(found, threads=threads)
        root = RowTree(found, tops).root()
        lap("nodes")
        first = [row.tobytes() for row in found[: len(sample)]]
    seconds = sum(parts.values())
    peer = _peer(sample, first)
    return {
        "leaves": count,
        "seconds": round(seconds, 3),
        "rate_per_s": round(count / seconds),
        "ns_each": {name: round(value / count * 1e9) for name, value in parts.items()},
        "root": root.hex(),
        "peer": f"hashlib one by one, leaves ({SALT_BYTES} bytes of salt and the body) and nodes, bodies given",
        "peer_rate_per_s": round(peer),
        "ratio_of_hashing": round(count / (parts["leaves"] + parts["nodes"]) / peer, 1),
        "peak_rss_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def _peer(packed: list[bytes], wanted: list[bytes]) -> float:
    start = time.perf_counter()
    made = [leaf_hash(row) for row in packed]
    root_of(made)
    seconds = time.perf_counter() - start
    if made != wanted:
        raise AssertionError("the peer's leaves are others")
    return len(packed) / seconds
