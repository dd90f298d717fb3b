"""Table-driven SM4 in bulk: diversification and MACs, four cards side by side (GM/T 0002; GB/T 32907-2016).

The tables are made from the algebraic form of the S-box. Table look-ups depend on secret bytes: fit for a
centre's own machine, not for one that is shared with strangers. Not here: padding, comparison, decryption.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from jinka.crypto.bulk_lanes import kernel

SIDE_BY_SIDE = 4  # independent chains hide the latency of the look-ups
_ROUNDS = 32


def _multiply(a: int, b: int) -> int:
    """Product in GF(256) with the polynomial of SM4, 1F5."""
    product = 0
    for bit in range(8):
        product ^= (a << bit) if b >> bit & 1 else 0
    for bit in range(14, 7, -1):
        product ^= (0x1F5 << (bit - 8)) if product >> bit & 1 else 0
    return product


def _affine(x: int) -> int:
    rows = (0xA7 << bit | 0xA7 >> (8 - bit) for bit in range(8))
    return sum(((row & 0xFF & x).bit_count() & 1) << bit for bit, row in enumerate(rows)) ^ 0xD3


def _make_s_box() -> list[int]:
    power, logs = 1, {}
    powers = []
    for exponent in range(255):
        logs[power] = exponent
        powers.append(power)
        power = _multiply(power, _GENERATOR)
    inverse = [0] + [powers[-logs[x] % 255] for x in range(1, 256)]
    return [_affine(inverse[_affine(x)]) for x in range(256)]


def _rotated(word: int, left: int) -> int:
    return (word << left | word >> (32 - left)) & 0xFFFFFFFF


def _tables(rotations: tuple[int, ...]) -> npt.NDArray[np.uint32]:
    """S-box and linear step in one: four tables, one for each byte of the word, the leftmost first."""
    rows = []
    for shift in (24, 16, 8, 0):
        row = []
        for value in _S_BOX:
            word = value << shift
            mixed = word
            for left in rotations:
                mixed ^= _rotated(word, left)
            row.append(mixed)
        rows.append(row)
    return np.array(rows, dtype=np.uint32)


_GENERATOR = 3
_S_BOX = _make_s_box()
_ROUND = _tables((2, 10, 18, 24))
_KEY = _tables((13, 23))
_FK = np.array([0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC], dtype=np.uint32)
_CK = np.array(
    [sum(((4 * i + j) * 7 % 256) << (24 - 8 * j) for j in range(4)) for i in range(_ROUNDS)], dtype=np.uint32
)


@kernel
def _turn(table: Any, word: Any) -> Any:
    return (
        table[0, word >> np.uint32(24)]
        ^ table[1, word >> np.uint32(16) & np.uint32(255)]
        ^ table[2, word >> np.uint32(8) & np.uint32(255)]
        ^ table[3, word & np.uint32(255)]
    )


@kernel
def _expand(key: Any, schedule: Any) -> None:
    """Round keys (32, 4) of four keys (4 words, 4 cards)."""
    for card in range(SIDE_BY_SIDE):
        a, b, c, d = (
            key[0, card] ^ _FK[0],
            key[1, card] ^ _FK[1],
            key[2, card] ^ _FK[2],
            key[3, card] ^ _FK[3],
        )
        for step in range(_ROUNDS):
            a, b, c, d = b, c, d, a ^ _turn(_KEY, b ^ c ^ d ^ _CK[step])
            schedule[step, card] = d


@kernel
def _encrypt(state: Any, schedule: Any) -> None:
    """One block of each of four cards, in place: ``state`` is (4 words, 4 cards)."""
    for step in range(_ROUNDS):
        to, b, c, d = step & 3, step + 1 & 3, step + 2 & 3, step + 3 & 3
        for card in range(SIDE_BY_SIDE):
            word = state[b, card] ^ state[c, card] ^ state[d, card] ^ schedule[step, card]
            state[to, card] ^= _turn(_ROUND, word)
    for card in range(SIDE_BY_SIDE):
        state[0, card], state[3, card] = state[3, card], state[0, card]
        state[1, card], state[2, card] = state[2, card], state[1, card]


@kernel
def _word(data: Any, row: int, at: int) -> Any:
    """The big-endian word at ``data[row, at : at + 4]``; zero below the last row."""
    if row >= data.shape[0]:
        return np.uint32(0)
    return (
        np.uint32(data[row, at]) << np.uint32(24)
        | np.uint32(data[row, at + 1]) << np.uint32(16)
        | np.uint32(data[row, at + 2]) << np.uint32(8)
        | np.uint32(data[row, at + 3])
    )


@kernel
def _card_keys(root_schedule: Any, factors: Any, start: int, state: Any) -> None:
    """SM4(root, f | ~f) of four cards from ``start`` on, into ``state``."""
    for card in range(SIDE_BY_SIDE):
        for word in range(2):
            state[word, card] = _word(factors, start + card, 4 * word)
            state[word + 2, card] = ~state[word, card]
    _encrypt(state, root_schedule)


@kernel
def _store(state: Any, words: int, out: Any, start: int) -> None:
    for card in range(min(SIDE_BY_SIDE, out.shape[0] - start)):
        for byte in range(4 * words):
            shift = np.uint32(24 - 8 * (byte & 3))
            out[start + card, byte] = np.uint8(state[byte >> 2, card] >> shift & np.uint32(255))


@kernel
def _root_schedule(root: Any) -> Any:
    key = np.empty((4, SIDE_BY_SIDE), dtype=np.uint32)
    for word in range(4):
        key[word, :] = _word(root, 0, 4 * word)
    schedule = np.empty((_ROUNDS, SIDE_BY_SIDE), dtype=np.uint32)
    _expand(key, schedule)
    return schedule


@kernel
def sm4_diversify_kernel(root: Any, factors: Any, out: Any) -> None:
    """``out[i] = SM4(root, f_i | ~f_i)``; bytes: root (1, 16), factors (N, 8), out (N, 16)."""
    schedule = _root_schedule(root)
    state = np.empty((4, SIDE_BY_SIDE), dtype=np.uint32)
    for start in range(0, factors.shape[0], SIDE_BY_SIDE):
        _card_keys(schedule, factors, start, state)
        _store(state, 4, out, start)


@kernel
def sm4_tacs_kernel(root: Any, factors: Any, messages: Any, out: Any) -> None:
    """TACs of padded messages; bytes: root (1, 16), factors (N, 8), messages (N, 16B), out (N, 4)."""
    root_schedule = _root_schedule(root)
    schedule = np.empty((_ROUNDS, SIDE_BY_SIDE), dtype=np.uint32)
    state = np.empty((4, SIDE_BY_SIDE), dtype=np.uint32)
    for start in range(0, factors.shape[0], SIDE_BY_SIDE):
        _card_keys(root_schedule, factors, start, state)
        _expand(state, schedule)
        _chain(messages, start, schedule, state, out)


@kernel
def sm4_macs_kernel(keys: Any, messages: Any, out: Any) -> None:
    """SM4 CBC-MACs of padded messages, each under its key; bytes: keys (N, 16), messages (N, 16B), out (N, 4)."""
    schedule = np.empty((_ROUNDS, SIDE_BY_SIDE), dtype=np.uint32)
    state = np.empty((4, SIDE_BY_SIDE), dtype=np.uint32)
    for start in range(0, keys.shape[0], SIDE_BY_SIDE):
        for card in range(SIDE_BY_SIDE):
            for word in range(4):
                state[word, card] = _word(keys, start + card, 4 * word)
        _expand(state, schedule)
        _chain(messages, start, schedule, state, out)


@kernel
def _chain(messages: Any, start: int, schedule: Any, state: Any, out: Any) -> None:
    """CBC with the initial value zero over four messages from ``start`` on; the left 4 bytes go to ``out``."""
    state[:] = 0
    for at in range(0, messages.shape[1], 16):
        for card in range(SIDE_BY_SIDE):
            for word in range(4):
                state[word, card] ^= _word(messages, start + card, at + 4 * word)
        _encrypt(state, schedule)
    _store(state, 1, out, start)
