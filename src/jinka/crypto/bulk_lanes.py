"""Vector steps that numba cannot be relied on to find by itself, written straight into LLVM's language.

Work is done on *rows*: 8 words of 64 bits, one bit each of 512 independent checks ("lanes"). A work area is
an aligned array of uint64, row r being words 8r to 8r+7. LLVM turns the 512-bit operations into whatever the
machine has (AVX-512, AVX2, SSE2, NEON). Row numbers are trusted: only `jinka.crypto.bulk_des` calls this.
numba's cache on disk looks at the file of the kernel alone, so a change here has to touch bulk_des.py too.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from jinka.crypto._des_circuits import GATES, OUTPUTS
from jinka.crypto.bulk_des_tables import EXPANSION, PERMUTATION

WORDS = 8  # of 64 bits in a row
LANES = 64 * WORDS

_ROW = ir.VectorType(ir.IntType(64), WORDS)
_ROW_BYTES = 8 * WORDS
_ARRAY = types.Array(types.uint64, 1, "C")
_INDEX = types.Array(types.int64, 1, "C")
_CIRCUITS = tuple(
    (tuple(re.fullmatch(r"(\d+)(\D)(\d+)", gate).groups() for gate in gates.split()), outputs)  # type: ignore[union-attr]
    for gates, outputs in zip(GATES, OUTPUTS, strict=True)
)

Kernel = Callable[..., Any]
_intrinsic: Callable[[Kernel], Kernel] = intrinsic


def kernel(function: Kernel) -> Kernel:
    """Compile on first use, without the GIL; keep the result on disk where a place can be written."""
    try:
        compiled: Kernel = njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba finds no place for its cache: a read-only image without a home folder
        compiled = njit(nogil=True)(function)
    return compiled


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Return the address of the array's first element as an integer."""
    pointer = context.make_array(array_type)(context, builder, array).data
    return builder.ptrtoint(pointer, ir.IntType(64))


def _row_pointer(builder: Any, base: Any, row: Any) -> Any:
    address = builder.add(base, builder.mul(row, ir.Constant(ir.IntType(64), _ROW_BYTES)))
    return builder.inttoptr(address, _ROW.as_pointer())


def _load(builder: Any, base: Any, row: Any) -> Any:
    return builder.load(_row_pointer(builder, base, row), align=8, typ=_ROW)


def _store(builder: Any, base: Any, row: Any, value: Any) -> None:
    builder.store(value, _row_pointer(builder, base, row), align=8)


def _plus(builder: Any, row: Any, more: int) -> Any:
    return builder.add(row, ir.Constant(ir.IntType(64), more))


def _splat(builder: Any, word: Any) -> Any:
    vector = ir.Constant(_ROW, ir.Undefined)
    for lane in range(WORDS):
        vector = builder.insert_element(vector, word, ir.Constant(ir.IntType(32), lane))
    return vector


def _s_box(builder: Any, box: int, inputs: list[Any]) -> list[Any]:
    """Emit one S-box circuit and return its four output rows."""
    ones = ir.Constant(_ROW, [2**64 - 1] * WORDS)
    wires = [*inputs, ones]
    gates, outputs = _CIRCUITS[box]
    for left, sign, right in gates:
        a, b = wires[int(left)], wires[int(right)]
        if sign == "^":
            wires.append(builder.xor(a, b))
        elif sign == "|":
            wires.append(builder.or_(a, b))
        else:
            wires.append(builder.and_(a, builder.xor(b, ones) if sign == "!" else b))
    return [wires[number] for number in outputs]


@_intrinsic
def des_round(typing: Any, work: Any, left: Any, right: Any, schedule: Any, position: Any) -> Any:
    """``left ^= f(right, round key)``; rows left..left+31 and right..right+31.

    ``schedule[position : position + 48]`` are the rows in which the round key's bits lie.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        base = _data(context, builder, _ARRAY, arguments[0])
        to, source, offset = arguments[1], arguments[2], arguments[4]
        table = builder.inttoptr(_data(context, builder, _INDEX, arguments[3]), ir.IntType(64).as_pointer())
        for box in range(8):
            inputs = []
            for bit in range(6 * box, 6 * box + 6):
                slot = builder.gep(table, [_plus(builder, offset, bit)], source_etype=ir.IntType(64))
                key = _load(builder, base, builder.load(slot, typ=ir.IntType(64)))
                inputs.append(
                    builder.xor(key, _load(builder, base, _plus(builder, source, EXPANSION[bit] - 1)))
                )
            for bit, value in enumerate(_s_box(builder, box, inputs), 4 * box + 1):
                row = _plus(builder, to, PERMUTATION.index(bit))
                _store(builder, base, row, builder.xor(_load(builder, base, row), value))
        return context.get_dummy_value()

    del typing, work, left, right, schedule, position
    return types.void(_ARRAY, types.int64, types.int64, _INDEX, types.int64), generate


@_intrinsic
def swap_corner(typing: Any, work: Any, upper: Any, lower: Any, shift: Any, mask: Any) -> Any:
    """One step of the 64x64 transpose, on 8 matrices at once: exchange the marked bits of two rows."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        base, shifts = _data(context, builder, _ARRAY, arguments[0]), _splat(builder, arguments[3])
        high, low = (_load(builder, base, arguments[i]) for i in (1, 2))
        moved = builder.and_(builder.xor(builder.lshr(low, shifts), high), _splat(builder, arguments[4]))
        _store(builder, base, arguments[1], builder.xor(high, moved))
        _store(builder, base, arguments[2], builder.xor(low, builder.shl(moved, shifts)))
        return context.get_dummy_value()

    del typing, work, upper, lower, shift, mask
    return types.void(_ARRAY, types.int64, types.int64, types.uint64, types.uint64), generate


@_intrinsic
def xor_row(typing: Any, work: Any, to: Any, left: Any, right: Any) -> Any:
    """``to = left ^ right``, by row."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        del signature
        base = _data(context, builder, _ARRAY, arguments[0])
        value = builder.xor(_load(builder, base, arguments[2]), _load(builder, base, arguments[3]))
        _store(builder, base, arguments[1], value)
        return context.get_dummy_value()

    del typing, work, to, left, right
    return types.void(_ARRAY, types.int64, types.int64, types.int64), generate


@kernel
def make_work(rows: int) -> Any:
    """Return a work area of ``rows`` rows, aligned to a cache line."""
    raw = np.zeros(rows * 8 + 8, dtype=np.uint64)
    skip = (64 - np.int64(raw.ctypes.data) % 64) % 64 // 8
    return raw[skip : skip + rows * 8]


@kernel
def transpose(work: Any, first: int) -> None:
    """Transpose 8 matrices of 64 x 64 bits in rows first..first+63: lanes by bits to bits by lanes or back."""
    step, mask = np.int64(32), np.uint64(0xFFFFFFFF)
    while step:
        row = np.int64(0)
        while row < 64:
            swap_corner(work, first + row, first + row + step, np.uint64(step), mask)
            row = (row + step + 1) & ~step
        step >>= 1
        mask ^= mask << np.uint64(step)


@kernel
def load_lanes(work: Any, first: int, blocks: Any, start: int, column: int) -> None:
    """Put column ``column`` of up to 512 rows of ``blocks`` (N, B) from ``start`` on into rows by bit.

    ``blocks`` are 8-byte blocks read as uint64 in the machine's order; missing lanes are zero.
    """
    for lane in range(LANES):
        word = np.uint64(0)
        if start + lane < blocks.shape[0]:
            word = swap_bytes(blocks[start + lane, column])
        work[8 * (first + (lane & 63)) + (lane >> 6)] = word
    transpose(work, first)


@kernel
def swap_bytes(word: Any) -> Any:
    """The word with its bytes reversed: big-endian on a little-endian machine."""
    word = ((word >> np.uint64(8)) & np.uint64(0x00FF00FF00FF00FF)) | (
        (word & np.uint64(0x00FF00FF00FF00FF)) << np.uint64(8)
    )
    word = ((word >> np.uint64(16)) & np.uint64(0x0000FFFF0000FFFF)) | (
        (word & np.uint64(0x0000FFFF0000FFFF)) << np.uint64(16)
    )
    return (word >> np.uint64(32)) | (word << np.uint64(32))
