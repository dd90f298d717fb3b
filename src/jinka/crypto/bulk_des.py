"""Bit-sliced DES (FIPS 46-3; JR/T 0025.1): 512 cards at a time, a machine word holding one bit of 64 of them.

Initial and final permutations, the key schedule and the step from one DES to the next cost nothing: they are
only other row numbers. Not here: padding, comparison, anything with one card (`jinka.crypto.block`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from jinka.crypto.bulk_des_tables import FINAL, INITIAL, key_bits
from jinka.crypto.bulk_lanes import (
    LANES,
    des_round,
    kernel,
    load_lanes,
    make_work,
    swap_bytes,
    transpose,
    xor_row,
)

# Rows of the work area.
_ROOT = 0  # 128: the bits of the root key, the same in all lanes
_FACTOR = 128  # 64: the diversification factors
_BLOCK = 192  # 64: a message block, or what goes out
_LEFT = 256  # 64: pre-output of E(K, f): the left half of the card key
_RIGHT = 320  # 64: pre-output of E(K, ~f)
_TAC_KEY = _RIGHT  # left XOR right half of the card key takes the place of the right one
_STATE = 384  # 64: the cipher's two halves
_MASKS = 448  # 2: all zeros, all ones
_ROWS = 450

_IP = np.array(INITIAL, dtype=np.int64) - 1
_FP = np.array(FINAL, dtype=np.int64) - 1
# E-D-E with the left, right and left key: 48 rounds of 48 rows.
_ROOT_SCHEDULE = np.concatenate(
    [_ROOT + key_bits(), _ROOT + 64 + key_bits(decrypt=True), _ROOT + key_bits()]
).ravel()
# Bit b of the TAC key is bit FINAL[b] of the pre-output.
_TAC_SCHEDULE = (_TAC_KEY + _FP[key_bits()]).ravel()
_GIVEN_SCHEDULE = (_TAC_KEY + key_bits()).ravel()  # of a key that was loaded, not derived here


@kernel
def _set_root(work: Any, root: Any) -> None:
    for bit in range(128):
        one = root[bit >> 3] >> np.uint8(7 - (bit & 7)) & np.uint8(1)
        for word in range(8):
            work[8 * (_ROOT + bit) + word] = np.uint64(0xFFFFFFFFFFFFFFFF) if one else np.uint64(0)
    for word in range(8):
        work[8 * (_MASKS + 1) + word] = np.uint64(0xFFFFFFFFFFFFFFFF)


@kernel
def _des(work: Any, schedule: Any, position: int, left: int) -> None:
    """16 rounds in place; ``left`` is the state's left half, _STATE or _STATE + 32.

    The pre-output is right | left, so the next DES is called with the other half as its left.
    """
    right = 2 * _STATE + 32 - left
    for step in range(16):
        des_round(work, left, right, schedule, position + 48 * step)
        left, right = right, left


@kernel
def _card_key(work: Any) -> None:
    """3DES of the factors to rows _LEFT.. and of their complements to rows _RIGHT.., as pre-output."""
    for half in range(2):
        for row in range(64):
            xor_row(work, _STATE + row, _FACTOR + _IP[row], _MASKS + half)
        for stage in range(3):
            _des(work, _ROOT_SCHEDULE, 768 * stage, _STATE + 32 * (stage & 1))
        for row in range(64):
            copy_row(work, _LEFT + 64 * half + row, _STATE + (row ^ 32))


@kernel
def copy_row(work: Any, to: int, source: int) -> None:
    """Copy one row."""
    for word in range(8):
        work[8 * to + word] = work[8 * source + word]


@kernel
def _store_lanes(work: Any, out: Any, start: int, column: int) -> None:
    """Write rows _BLOCK.. (bits by lanes) to ``out[start:, column]`` as 8-byte blocks."""
    transpose(work, _BLOCK)
    for lane in range(min(LANES, out.shape[0] - start)):
        out[start + lane, column] = swap_bytes(work[8 * (_BLOCK + (lane & 63)) + (lane >> 6)])


@kernel
def tdes_diversify_kernel(root: Any, factors: Any, out: Any) -> None:
    """``out[i] = E3(root, f_i) | E3(root, ~f_i)``; blocks as uint64: factors (N, 1), out (N, 2)."""
    work = make_work(_ROWS)
    _set_root(work, root)
    for start in range(0, factors.shape[0], LANES):
        load_lanes(work, _FACTOR, factors, start, 0)
        _card_key(work)
        for half in range(2):
            for bit in range(64):
                copy_row(work, _BLOCK + bit, _LEFT + 64 * half + _FP[bit])
            _store_lanes(work, out, start, half)


@kernel
def tdes_tacs_kernel(root: Any, factors: Any, messages: Any, out: Any) -> None:
    """TACs of padded messages (N, B) under cards' TAC keys; blocks as uint64: factors (N, 1), out (N, 1).

    Of each ``out`` block the left 4 bytes are the TAC.
    """
    work = make_work(_ROWS)
    _set_root(work, root)
    for start in range(0, factors.shape[0], LANES):
        load_lanes(work, _FACTOR, factors, start, 0)
        _card_key(work)
        for row in range(64):
            xor_row(work, _TAC_KEY + row, _TAC_KEY + row, _LEFT + row)
        _chain(work, _TAC_SCHEDULE, messages, out, start)


@kernel
def des_macs_kernel(keys: Any, messages: Any, out: Any) -> None:
    """DES CBC-MACs of padded messages (N, B), each under its key; blocks as uint64: keys (N, 1), out (N, 1)."""
    work = make_work(_ROWS)
    for start in range(0, keys.shape[0], LANES):
        load_lanes(work, _TAC_KEY, keys, start, 0)
        _chain(work, _GIVEN_SCHEDULE, messages, out, start)


@kernel
def _chain(work: Any, schedule: Any, messages: Any, out: Any, start: int) -> None:
    """CBC with the initial value zero over the messages from ``start`` on; the last block goes to ``out``."""
    for row in range(64):
        xor_row(work, _STATE + row, _MASKS, _MASKS)
    left = _STATE
    for column in range(messages.shape[1]):
        load_lanes(work, _BLOCK, messages, start, column)
        for row in range(64):
            at = _STATE + row if left == _STATE else _STATE + (row ^ 32)
            xor_row(work, at, at, _BLOCK + _IP[row])
        _des(work, schedule, 0, left)
        left = 2 * _STATE + 32 - left
    for bit in range(64):
        at = _STATE + (_FP[bit] if left == _STATE else _FP[bit] ^ 32)
        copy_row(work, _BLOCK + bit, at)
    _store_lanes(work, out, start, 0)
