"""A Merkle tree over a growing list, and short proofs about it. RFC 6962 section 2.1, verification as RFC 9162 2.1.

An inclusion proof shows that one leaf stands at one place; a consistency proof shows that an older tree is the
beginning of a newer one. Leaves and nodes are hashed apart (0x00, 0x01), so that no node passes as a leaf. SHA-256
alone. Nothing is signed here, and no leaf is kept but as its hash.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Sequence

from jinka.kit import Refused, Usage

_LEAF, _NODE = b"\x00", b"\x01"
_sha256 = hashlib.sha256
EMPTY_ROOT = _sha256().digest()
HASH_BYTES = 32
# The root over the leaves from the first number up to, not including, the second.
Subtree = Callable[[int, int], bytes]
PROOF_MAX = 64  # hashes: a tree of 2^63 leaves needs no more


def leaf_hash(data: bytes) -> bytes:
    """The hash that stands for ``data`` as a leaf."""
    return _sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash over two subtrees."""
    return _sha256(_NODE + left + right).digest()


class Frontier:
    """The right edge of a tree that only grows: one hash for each complete subtree, so a million leaves need 20."""

    __slots__ = ("_edge", "size")

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    @classmethod
    def resumed(cls, size: int, edge: Sequence[bytes]) -> Frontier:
        """A tree of ``size`` leaves, taken up with what `edge` gave; raises `Refused` when the two do not fit."""
        if size < 0 or len(edge) != size.bit_count() or any(len(one) != HASH_BYTES for one in edge):
            raise Refused(f"not the edge of {size} leaves", where="tree")
        found = cls()
        found.size, found._edge = size, list(edge)
        return found

    @property
    def edge(self) -> tuple[bytes, ...]:
        """The roots of the complete subtrees, the largest first: all that is needed to go on."""
        return tuple(self._edge)

    def push(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        complete, edge = self.size, self._edge
        while complete & 1:
            leaf = _sha256(_NODE + edge.pop() + leaf).digest()
            complete >>= 1
        edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        *rest, found = self._edge
        for subtree in reversed(rest):
            found = node_hash(subtree, found)
        return found


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of leaves."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.push(leaf)
    return frontier.root()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The hashes that lead from the leaf at ``index`` to the root, lowest first."""
    return inclusion_path(len(leaves), index, lambda start, end: root_of(leaves[start:end]))


def inclusion_path(size: int, index: int, subtree: Subtree) -> list[bytes]:
    """As `inclusion_proof` for a tree of ``size`` leaves, whose subtrees' roots somebody else works out."""
    if not 0 <= index < size:
        raise Usage(f"leaf {index} of {size}", where="tree")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], old_size: int) -> list[bytes]:
    """The hashes that show that the first ``old_size`` leaves of this tree were the older tree."""
    return consistency_path(len(leaves), old_size, lambda start, end: root_of(leaves[start:end]))


def consistency_path(size: int, old_size: int, subtree: Subtree) -> list[bytes]:
    """As `consistency_proof` for a tree of ``size`` leaves, whose subtrees' roots somebody else works out."""
    if not 0 <= old_size <= size:
        raise Usage(f"a tree of {old_size} in one of {size}", where="tree")
    if old_size in (0, size):
        return []
    start, end, whole, path = 0, size, True, []
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            path.append(subtree(middle, end))
            end = middle
        else:
            path.append(subtree(start, middle))
            start, whole = middle, False
    if not whole:  # the older root itself is known to whoever checks
        path.append(subtree(start, end))
    return path[::-1]


def check_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf (its hash) stands at ``index`` of the tree of ``size`` leaves; raises `Refused`."""
    _check_shape(proof)
    if not 0 <= index < size:
        raise Refused(f"leaf {index} of {size}", where="inclusion proof")
    place, last, found = index, size - 1, leaf
    for other in proof:
        if last == 0:
            raise Refused("it is too long", where="inclusion proof")
        if place & 1 or place == last:
            found = node_hash(other, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, other)
        place, last = place >> 1, last >> 1
    if last or not hmac.compare_digest(found, root):
        raise Refused("it does not lead to the root", where="inclusion proof", fix="ask for the proof again")


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> None:
    """Check that the older tree is the beginning of the newer one; raises `Refused`."""
    _check_shape(proof)
    where = "consistency proof"
    if not 0 <= old_size <= new_size:
        raise Refused(f"from {old_size} to {new_size} leaves: a log does not shrink", where=where)
    if old_size in (0, new_size):
        wanted = EMPTY_ROOT if old_size == 0 else new_root
        if proof or not hmac.compare_digest(old_root, wanted):
            raise Refused("the trees differ", where=where)
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise Refused("it is too short", where=where)
    place, last = old_size - 1, new_size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            raise Refused("it is too long", where=where)
        if place & 1 or place == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            new = node_hash(new, other)
        place, last = place >> 1, last >> 1
    same = hmac.compare_digest(old, old_root) & hmac.compare_digest(new, new_root)
    if last or not same:
        raise Refused("the newer tree does not begin with the older one", where=where)


def _split(size: int) -> int:
    """The largest power of two below ``size``: where RFC 6962 divides a list."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_shape(proof: Sequence[bytes]) -> None:
    if len(proof) > PROOF_MAX or any(len(found) != HASH_BYTES for found in proof):
        raise Refused(f"not at most {PROOF_MAX} hashes of {HASH_BYTES} bytes", where="proof")
