"""Visa's PIN verification value of many PINs at once: the rules of `jinka.crypto.pin_verify` over numpy arrays.

All blocks come from one zone and all values are made with one key, so that each is one call of the cipher. Every row
goes through all steps, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from jinka.crypto.block_key import CipherKey
from jinka.crypto.pin_batch import Bytes, Rows, account_numbers, block_width, open_pins, packed
from jinka.crypto.pin_block import PinZone
from jinka.crypto.pin_verify import PVV_DIGITS, check_pin_key

_INDEX_AT = 11  # behind so many digits before the check digit
_PAN_MIN = 12


def block_rows(blocks: Sequence[bytes], zone: PinZone) -> tuple[Bytes, Rows]:
    """Blocks one under the other, and which are as long as the format has them; the others are zeros."""
    width = block_width(zone.format)
    fits = np.fromiter((len(block) == width for block in blocks), dtype=np.bool_, count=len(blocks))
    joined = b"".join([block if fit else bytes(width) for block, fit in zip(blocks, fits, strict=True)])
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(blocks), width), fits


def check_pvvs(
    blocks: Sequence[bytes], zone: PinZone, key: CipherKey, pans: Sequence[str], references: Sequence[str]
) -> tuple[Rows, Rows]:
    """Which PINs are those of their references (key index and PVV, 5 digits), and which blocks were such at all."""
    check_pin_key(key)
    rows, fits = block_rows(blocks, zone)
    digits, lengths, numbers = account_numbers(pans)
    pins, _, valid = open_pins(rows, zone, digits, lengths)
    valid &= fits & numbers
    stored = np.frombuffer("".join(references).encode("ascii"), dtype=np.uint8).reshape(len(blocks), -1)
    stored = stored - np.uint8(ord("0"))
    nibbles = np.empty((len(blocks), 16), dtype=np.uint8)
    at = np.arange(_INDEX_AT) + (np.maximum(lengths, _PAN_MIN) - _PAN_MIN)[:, None]
    nibbles[:, :_INDEX_AT] = np.take_along_axis(digits, at, axis=1)
    nibbles[:, _INDEX_AT] = stored[:, 0]
    nibbles[:, _INDEX_AT + 1 :] = pins[:, :PVV_DIGITS]
    made = np.frombuffer(key.encrypt(packed(nibbles).tobytes()), dtype=np.uint8).reshape(len(blocks), 8)
    wrong = np.bitwise_or.reduce(_decimalised(made) ^ stored[:, 1:], axis=1)
    return (wrong == 0) & valid & (lengths >= _PAN_MIN), valid


def _decimalised(data: Bytes) -> Bytes:
    """`jinka.crypto.decimals.decimalise`, four digits of each row."""
    nibbles = np.stack([data >> 4, data & 15], axis=2).reshape(len(data), 16)
    first = np.argsort(nibbles > 9, axis=1, kind="stable")[:, :PVV_DIGITS]
    found = np.take_along_axis(nibbles, first, axis=1)
    return np.where(found > 9, found - np.uint8(10), found)
