"""A Merkle tree whose leaves lie as rows in an array, perhaps of a file: its root, and proofs without the whole tree.

RFC 6962 section 2.1, as `jinka.crypto.merkle`, which checks what is proven here. Of the inner nodes only the roots of
aligned subtrees of 1,024 leaves are kept ("tops"): 3 MB for 100 million leaves. A proof hashes one such subtree again
and the tree above the tops.
"""

from __future__ import annotations

import hashlib
from functools import partial

import numpy as np

from jinka.crypto.bulk_sha256 import HASH_BYTES, Rows, prefixed_sha256
from jinka.crypto.merkle import EMPTY_ROOT, consistency_path, inclusion_path
from jinka.kit import Usage

TOP_LEAVES = 1024
_LEAF, _NODE = 0, 1
_SLICE_TOPS = (
    1 << 10
)  # subtrees that are hashed at once, so that a file of leaves is not read into memory whole


def leaf_hashes(rows: Rows, *, threads: int = 1) -> Rows:
    """(N, 32) hashes that stand for ``rows``, (N, W) with W a multiple of 4, as leaves."""
    return prefixed_sha256(_LEAF, rows, threads=threads)


def tops_of(leaves: Rows, *, threads: int = 1) -> Rows:
    """The roots of each 1,024 leaves; the last one stands over what is left."""
    _check(leaves)
    step = TOP_LEAVES * _SLICE_TOPS
    parts = [_tops(leaves[at : at + step], threads) for at in range(0, len(leaves), step)]
    return np.concatenate(parts) if parts else np.empty((0, HASH_BYTES), dtype=np.uint8)


def _tops(leaves: Rows, threads: int) -> Rows:
    whole = len(leaves) // TOP_LEAVES * TOP_LEAVES
    level = np.ascontiguousarray(leaves[:whole])
    for _ in range(TOP_LEAVES.bit_length() - 1):
        level = prefixed_sha256(_NODE, level.reshape(-1, 2 * HASH_BYTES), threads=threads) if whole else level
    if whole == len(leaves):
        return level
    return np.concatenate([level, _reduced(leaves[whole:])[None]])


class RowTree:
    """The tree over ``leaves``, (N, 32) hashes; ``tops`` are those of `tops_of`, worked out when they are not given."""

    __slots__ = ("_tops", "leaves")

    def __init__(self, leaves: Rows, tops: Rows | None = None) -> None:
        _check(leaves)
        self.leaves = leaves
        self._tops = tops_of(leaves) if tops is None else tops
        if self._tops.shape != (-(-len(leaves) // TOP_LEAVES), HASH_BYTES):
            raise Usage(
                f"{len(self._tops)} tops for {len(leaves)} leaves", where="tree", fix="make them again"
            )

    @property
    def size(self) -> int:
        """How many leaves."""
        return len(self.leaves)

    def root(self, size: int | None = None) -> bytes:
        """The root, of the first ``size`` leaves if given."""
        end = self.size if size is None else size
        if end == 0:
            return EMPTY_ROOT
        whole = end // TOP_LEAVES
        if end == self.size:
            return _reduced(self._tops).tobytes()
        tops = self._tops[:whole]
        if end % TOP_LEAVES:
            tops = np.concatenate([tops, _reduced(self.leaves[whole * TOP_LEAVES : end])[None]])
        return _reduced(tops).tobytes()

    def inclusion(self, index: int, size: int | None = None) -> list[bytes]:
        """The proof that the leaf stands at ``index`` of the first ``size`` leaves."""
        end = self.size if size is None else size
        return inclusion_path(end, index, partial(self._subtree, end))

    def consistency(self, old_size: int, size: int | None = None) -> list[bytes]:
        """The proof that the first ``old_size`` leaves were the older tree."""
        end = self.size if size is None else size
        return consistency_path(end, old_size, partial(self._subtree, end))

    def _subtree(self, size: int, start: int, end: int) -> bytes:
        """The root over leaves ``start`` to ``end``, as RFC 6962 divides: ``start`` is aligned to its width."""
        if end - start <= TOP_LEAVES:
            return _reduced(self.leaves[start:end]).tobytes()
        tops = self._tops[start // TOP_LEAVES : end // TOP_LEAVES]
        rest = end % TOP_LEAVES
        if rest:
            last = self._tops[-1:] if end == self.size else _reduced(self.leaves[end - rest : end])[None]
            tops = np.concatenate([tops, last])
        assert end <= size <= self.size
        return _reduced(tops).tobytes()


def _reduced(level: Rows) -> Rows:
    """The root over hashes of equal subtrees, the last perhaps smaller: a single one is carried up as it is."""
    while len(level) > 1:
        pairs = len(level) // 2
        joined = np.ascontiguousarray(level[: 2 * pairs]).reshape(pairs, 2 * HASH_BYTES)
        if pairs < 8:  # not worth the way into the kernel
            nodes = np.array(
                [list(hashlib.sha256(b"\x01" + row.tobytes()).digest()) for row in joined], dtype=np.uint8
            )
        else:
            nodes = prefixed_sha256(_NODE, joined)
        level = nodes if len(level) % 2 == 0 else np.concatenate([nodes, level[-1:]])
    return np.ascontiguousarray(level[0])


def _check(leaves: Rows) -> None:
    if leaves.dtype != np.uint8 or leaves.ndim != 2 or leaves.shape[1] != HASH_BYTES:
        raise Usage(f"{leaves.dtype} of shape {leaves.shape}", where="tree.leaves", fix="uint8 (N, 32)")
