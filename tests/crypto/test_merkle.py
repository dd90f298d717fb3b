"""Merkle trees. Goal: roots are those of RFC 6962, and no proof is believed that does not prove. Method: the roots and
paths that the Certificate Transparency project publishes for its eight test leaves; then properties over trees of
any size, with every hash of a proof falsified.
"""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.crypto.merkle import (
    EMPTY_ROOT,
    Frontier,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_of,
)
from jinka.kit import Refused, Usage

# github.com/google/certificate-transparency, cpp/merkletree/merkle_tree_test.cc: kTestVectors, kSHA256RootsVector.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)
# the same file, kSHA256PathTestVectors: leaf (from 1), size, path; kSHA256ConsistencyVectors: old, new, proof
PATH_6_OF_8 = (
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)
PATH_3_OF_3 = ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",)
CONSISTENCY_6_TO_8 = (
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
)

sizes = st.integers(1, 70)


def _tree(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(2, "big")) for number in range(size)]


def _flipped(raw: bytes) -> bytes:
    return bytes((raw[0] ^ 1,)) + raw[1:]


def test_published_roots_and_proofs() -> None:
    assert hashlib.sha256(b"").digest() == EMPTY_ROOT == root_of([])
    assert tuple(root_of(LEAVES[:size]).hex() for size in range(1, 9)) == ROOTS
    assert tuple(found.hex() for found in inclusion_proof(LEAVES, 5)) == PATH_6_OF_8
    assert tuple(found.hex() for found in inclusion_proof(LEAVES[:3], 2)) == PATH_3_OF_3
    assert tuple(found.hex() for found in consistency_proof(LEAVES, 6)) == CONSISTENCY_6_TO_8


def test_a_node_does_not_pass_as_a_leaf() -> None:
    left, right = _tree(2)
    assert leaf_hash(left + right) != node_hash(left, right)


@given(sizes, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    leaves, index = _tree(size), data.draw(st.integers(0, size - 1))
    proof, root = inclusion_proof(leaves, index), root_of(leaves)
    check_inclusion(leaves[index], index, size, proof, root)
    wrong = [
        (_flipped(leaves[index]), index, size, proof, root),
        (leaves[index], index, size, proof, _flipped(root)),
        (leaves[index], index, size, [*proof, root], root),
        (leaves[index], size, size, proof, root),
        (leaves[index], -1, size, proof, root),
    ]
    wrong += [(leaves[index], other, size, proof, root) for other in range(size) if other != index]
    wrong += [
        (leaves[index], index, size, [*proof[:n], _flipped(found), *proof[n + 1 :]], root)
        for n, found in enumerate(proof)
    ]
    wrong += [(leaves[index], index, size, proof[:-1], root)] if proof else []
    for case in wrong:
        with pytest.raises(Refused):
            check_inclusion(*case)


@given(sizes, st.data())
def test_consistency(size: int, data: st.DataObject) -> None:
    leaves, old = _tree(size), data.draw(st.integers(0, size))
    proof, root, before = consistency_proof(leaves, old), root_of(leaves), root_of(leaves[:old])
    check_consistency(old, before, size, root, proof)
    wrong = [
        (old, _flipped(before), size, root, proof),
        (old, before, size, root, [*proof, root]),
        (size + 1, before, size, root, proof),
    ]
    wrong += (
        [(old, before, size, _flipped(root), proof)] if old else []
    )  # every tree begins with the empty one
    wrong += [
        (old, before, size, root, [*proof[:n], _flipped(found), *proof[n + 1 :]])
        for n, found in enumerate(proof)
    ]
    wrong += [(old, before, size, root, proof[:-1])] if proof else []
    for case in wrong:
        with pytest.raises(Refused):
            check_consistency(*case)


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_a_growing_tree_has_the_root_of_the_whole(data: list[bytes]) -> None:
    frontier, leaves = Frontier(), []
    for item in data:
        frontier.push(leaf_hash(item))
        leaves.append(leaf_hash(item))
        assert frontier.root() == _by_definition(leaves)


def test_hostile_shapes() -> None:
    with pytest.raises(Refused):
        check_inclusion(LEAVES[0], 0, 2, [b"short"], LEAVES[0])
    with pytest.raises(Refused):
        check_consistency(1, LEAVES[0], 2, LEAVES[0], [LEAVES[0]] * 65)
    with pytest.raises(Usage):
        inclusion_proof(LEAVES, 8)
    with pytest.raises(Usage):
        consistency_proof(LEAVES, 9)


def _by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    left, right = _by_definition(leaves[:split]), _by_definition(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()
