"""SHA-256 of many rows of one length behind a byte in front: leaves and nodes of Merkle trees. FIPS 180-4.

Sixteen rows are hashed side by side: the rounds are written straight into LLVM's language, each operation on a vector
of sixteen words, which becomes AVX-512, AVX2, SSE2 or NEON. Little-endian machines only. Nothing secret steers it, so
its time tells nothing. Constants are computed from the primes that the standard names, not typed in.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import isqrt
from typing import Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from jinka.crypto.bulk_lanes import Kernel, kernel
from jinka.kit import Usage

Rows = npt.NDArray[np.uint8]

SIDE_BY_SIDE = 16
HASH_BYTES = 32
_WORD = ir.IntType(32)
_VECTOR = ir.VectorType(_WORD, SIDE_BY_SIDE)
_ADDRESS = ir.IntType(64)
_TABLE = types.Array(types.uint32, 2, "C")
_intrinsic: Callable[[Kernel], Kernel] = intrinsic
_SLICE = 1 << 15  # rows that a thread takes at a time


def _primes(count: int) -> list[int]:
    found: list[int] = []
    number = 2
    while len(found) < count:
        if all(number % prime for prime in found):
            found.append(number)
        number += 1
    return found


def _cube_root(value: int) -> int:
    """The whole part of the cube root, by bisection."""
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low


# 4.2.2 and 5.3.3: the first 32 bits of the fractional parts of cube roots and square roots of primes.
_K = [_cube_root(prime << 96) & 0xFFFFFFFF for prime in _primes(64)]
_BEGIN = np.array([isqrt(prime << 64) & 0xFFFFFFFF for prime in _primes(8)], dtype=np.uint32)


def _every(value: int) -> Any:
    return ir.Constant(_VECTOR, [value] * SIDE_BY_SIDE)


class _Steps:
    """The functions of 4.1.2 on vectors."""

    def __init__(self, builder: Any) -> None:
        self.builder = builder

    def turned(self, word: Any, right: int) -> Any:
        build = self.builder
        return build.or_(build.lshr(word, _every(right)), build.shl(word, _every(32 - right)))

    def mixed(self, word: Any, first: int, second: int, third: int, *, shifted: bool = False) -> Any:
        """Three turns added without carry; the last one a shift in the schedule."""
        build = self.builder
        last = build.lshr(word, _every(third)) if shifted else self.turned(word, third)
        return build.xor(build.xor(self.turned(word, first), self.turned(word, second)), last)

    def total(self, *words: Any) -> Any:
        done = words[0]
        for word in words[1:]:
            done = self.builder.add(done, word)
        return done

    def block(self, words: list[Any], state: list[Any]) -> list[Any]:
        """6.2.2: the state after one block."""
        build, total = self.builder, self.total
        a, b, c, d, e, f, g, h = state
        for step, constant in enumerate(_K):
            if step >= len(state) * 2:
                early, late = words[step - 15], words[step - 2]
                words.append(
                    total(
                        words[step - 16],
                        self.mixed(early, 7, 18, 3, shifted=True),
                        words[step - 7],
                        self.mixed(late, 17, 19, 10, shifted=True),
                    )
                )
            choice = build.xor(g, build.and_(e, build.xor(f, g)))
            most = build.or_(build.and_(a, b), build.and_(c, build.or_(a, b)))
            one = total(h, self.mixed(e, 6, 11, 25), choice, _every(constant), words[step])
            two = total(self.mixed(a, 2, 13, 22), most)
            a, b, c, d, e, f, g, h = total(one, two), a, b, c, total(d, one), e, f, g
        return [total(was, now) for was, now in zip(state, (a, b, c, d, e, f, g, h), strict=True)]


@_intrinsic
def _compress(typing: Any, text: Any, state: Any) -> Any:  # noqa: ARG001 numba's signature
    """Take one block, (16, lanes) words, into the state, (8, lanes) words."""

    def emit(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:  # noqa: ARG001 numba's signature
        def rows(array: Any, count: int) -> list[Any]:
            base = builder.ptrtoint(context.make_array(_TABLE)(context, builder, array).data, _ADDRESS)
            step = 4 * SIDE_BY_SIDE
            return [
                builder.inttoptr(builder.add(base, ir.Constant(_ADDRESS, step * row)), _VECTOR.as_pointer())
                for row in range(count)
            ]

        words = [builder.load(row, align=4, typ=_VECTOR) for row in rows(arguments[0], 16)]
        places = rows(arguments[1], 8)
        state = [builder.load(row, align=4, typ=_VECTOR) for row in places]
        for place, word in zip(places, _Steps(builder).block(words, state), strict=True):
            builder.store(word, place, align=4)
        return context.get_dummy_value()

    return types.void(_TABLE, _TABLE), emit


@kernel
def _swapped(word: Any) -> Any:
    return np.uint32(
        word >> np.uint32(24)
        | word >> np.uint32(8) & np.uint32(0xFF00)
        | word << np.uint32(8) & np.uint32(0xFF0000)
        | word << np.uint32(24)
    )


@kernel
def _hash_rows(front: Any, rows: Any, out: Any) -> None:
    """``rows`` (N, W) and ``out`` (N, 8) are words as they lie in memory; ``front`` is the byte before each row."""
    count, words = rows.shape
    blocks = (words * 4 + 1 + 9 + 63) // 64
    text = np.zeros((blocks * 16, SIDE_BY_SIDE), np.uint32)
    state = np.empty((8, SIDE_BY_SIDE), np.uint32)
    text[blocks * 16 - 1, :] = np.uint32((words * 4 + 1) * 8)
    for start in range(0, count, SIDE_BY_SIDE):
        lanes = min(SIDE_BY_SIDE, count - start)
        for lane in range(lanes):
            before = np.uint32(front)
            for at in range(words):  # the byte in front moves every word by one byte
                now = _swapped(rows[start + lane, at])
                text[at, lane] = before << np.uint32(24) | now >> np.uint32(8)
                before = now
            text[words, lane] = before << np.uint32(24) | np.uint32(0x800000)
        for word in range(8):
            state[word, :] = _BEGIN[word]
        for block in range(blocks):
            _compress(text[block * 16 : block * 16 + 16], state)
        for lane in range(lanes):
            for word in range(8):
                out[start + lane, word] = _swapped(state[word, lane])


def prefixed_sha256(front: int, rows: Rows, *, threads: int = 1) -> Rows:
    """SHA-256 of ``front`` (one byte) and each of ``rows``, (N, W) with W a multiple of 4 below 2^24: (N, 32)."""
    if rows.dtype != np.uint8 or rows.ndim != 2 or rows.shape[1] % 4 or not 0 < rows.shape[1] < 1 << 24:
        raise Usage(f"{rows.dtype} of shape {rows.shape}", where="sha256.rows", fix="uint8 (N, 4 k)")
    if not 0 <= front < 256:
        raise Usage(f"{front}", where="sha256.front", fix="one byte")
    source = np.ascontiguousarray(rows).view(np.uint32)
    out = np.empty((len(rows), HASH_BYTES), dtype=np.uint8)
    found = out.view(np.uint32)
    parts = [slice(at, at + _SLICE) for at in range(0, len(rows), _SLICE)]
    if threads == 1 or len(parts) < 2:
        _hash_rows(np.uint32(front), source, found)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda part: _hash_rows(np.uint32(front), source[part], found[part]), parts))
    return out
