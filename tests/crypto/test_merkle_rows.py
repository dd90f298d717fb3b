"""Trees over arrays. Goal: the trees and proofs of RFC 6962, whatever the size. Oracle: the tree over a list
(`jinka.crypto.merkle`, which the RFC's and other projects' vectors prove), and hashlib for the definition itself.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from jinka.crypto import merkle
from jinka.crypto.merkle_rows import TOP_LEAVES, RowTree, leaf_hashes, tops_of
from jinka.kit import Usage

SIZES = [1, 2, 3, 7, 8, 1023, 1024, 1025, 2048, 3 * 1024 - 1, 4 * 1024 + 513, 5000]


def _leaves(count: int) -> np.ndarray:
    return leaf_hashes(np.random.default_rng(count).integers(0, 256, (count, 8), dtype=np.uint8))


def _by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word by word."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\1" + _by_definition(leaves[:split]) + _by_definition(leaves[split:])).digest()


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_that_of_the_definition(size: int) -> None:
    leaves = _leaves(size)
    rows = [row.tobytes() for row in leaves]
    tree = RowTree(leaves)
    assert tree.root() == _by_definition(rows) == merkle.root_of(rows)
    for smaller in {1, size // 2 or 1, max(1, size - 1), min(size, TOP_LEAVES)}:
        assert tree.root(smaller) == merkle.root_of(rows[:smaller])


@pytest.mark.parametrize("size", SIZES)
def test_proofs_are_those_of_the_list(size: int) -> None:
    leaves = _leaves(size)
    rows, tree = [row.tobytes() for row in leaves], RowTree(leaves)
    for index in {0, size // 3, size // 2, size - 1}:
        path = tree.inclusion(index)
        assert path == merkle.inclusion_proof(rows, index)
        merkle.check_inclusion(rows[index], index, size, path, tree.root())
    for old in {1, size // 3 or 1, size // 2 or 1, max(1, size - 1), size}:
        path = tree.consistency(old)
        assert path == merkle.consistency_proof(rows, old)
        merkle.check_consistency(old, tree.root(old), size, tree.root(), path)
        assert tree.inclusion(0, old) == merkle.inclusion_proof(rows[:old], 0)


def test_an_empty_tree_has_the_root_of_nothing() -> None:
    tree = RowTree(np.empty((0, 32), dtype=np.uint8))
    assert (tree.size, tree.root(), tree.consistency(0)) == (0, hashlib.sha256().digest(), [])
    with pytest.raises(Usage):
        tree.inclusion(0)


def test_tops_of_another_tree_are_refused() -> None:
    with pytest.raises(Usage):
        RowTree(_leaves(3000), tops_of(_leaves(1000)))
    with pytest.raises(Usage):
        RowTree(np.zeros((3, 31), dtype=np.uint8))
