"""The chain of ISO/IEC 9797-1 algorithm 3 for many messages under one key: single DES, 512 messages side by side.

The same kernel as for TACs (`jinka.crypto.bulk_des`). It is used once `prepare` has compiled and tested it, so that
no message waits for a compiler; before, and for a few messages, `jinka.crypto.block` gives the same answer. The last
step of the algorithm, under the whole key, is the caller's.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from jinka.crypto.block import tdes_last_blocks
from jinka.crypto.bulk_des import des_macs_kernel
from jinka.kit import JinkaError

_FEW = 6  # below which one by one is quicker
_prepared: list[bool] = []


def prepare() -> None:
    """Compile the kernel, or fetch it from the cache on disk, and test it; `JinkaError` if its answer is wrong."""
    if sys.byteorder != "little":
        return
    key, messages = bytes(range(8)), [bytes(range(start, start + 24)) for start in range(_FEW)]
    if _side_by_side(key, messages, 24) != tdes_last_blocks(key, messages):
        raise JinkaError("the kernel's DES chain is wrong", where="bulk", fix="empty numba's cache")
    _prepared[:] = [True]


def des_last_blocks(key8: bytes, messages: Sequence[bytes]) -> list[bytes]:
    """The last block of each message under DES in CBC from zeros; whole blocks, zeros for an empty message."""
    if not _prepared or len(messages) < _FEW:
        return tdes_last_blocks(key8, messages)
    sizes: dict[int, list[int]] = {}
    for row, message in enumerate(messages):
        sizes.setdefault(len(message), []).append(row)
    if len(sizes) == 1 and messages[0]:
        return _side_by_side(key8, messages, len(messages[0]))
    found = [b""] * len(messages)
    for size, rows in sizes.items():
        alike = [messages[row] for row in rows]
        many = size and len(rows) >= _FEW
        for row, block in zip(
            rows, _side_by_side(key8, alike, size) if many else tdes_last_blocks(key8, alike), strict=True
        ):
            found[row] = block
    return found


def _side_by_side(key8: bytes, messages: Sequence[bytes], size: int) -> list[bytes]:
    rows = len(messages)
    texts = np.frombuffer(b"".join(messages), dtype=np.uint64).reshape(rows, size // 8)
    keys = np.frombuffer(key8 * rows, dtype=np.uint64).reshape(rows, 1)
    out = np.zeros((rows, 1), dtype=np.uint64)
    des_macs_kernel(keys, texts, out)
    made = out.tobytes()
    return [made[at : at + 8] for at in range(0, 8 * rows, 8)]
