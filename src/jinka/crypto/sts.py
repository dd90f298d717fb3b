"""Keys and cipher of STS meters: decoder key generation DKGA02 and encryption algorithm EA07 (IEC 62055-41, 6.5, 6.6).

The vending key has 8 bytes and so has the decoder key; both are of their time, which is why the standard has newer
ones (DKGA04, EA11) that are not here. What a token says is `jinka.codec.sts`.
"""

from __future__ import annotations

from jinka.crypto.block import tdes_encrypt, xor
from jinka.kit import Usage

# Facts of the standard: two boxes of four bits, and where each of 64 bits goes.
_BOXES = (
    (14, 10, 7, 9, 12, 3, 2, 5, 13, 0, 15, 1, 4, 8, 6, 11),
    (12, 8, 2, 13, 7, 6, 1, 3, 11, 5, 9, 15, 0, 4, 10, 14),
)
_UNBOXES = tuple(tuple(box.index(value) for value in range(16)) for box in _BOXES)
_GOES = (
    55, 42, 10, 18, 24, 21, 44, 35, 2, 22, 56, 43, 27, 58, 9, 50, 6, 36, 12, 61, 37, 38, 53, 16, 62, 3, 7, 4, 32, 20,
    63, 25, 51, 52, 54, 33, 49, 19, 46, 29, 48, 31, 23, 30, 41, 28, 13, 5, 40, 60, 39, 11, 15, 17, 1, 0, 57, 34, 59, 8,
    47, 14, 45, 26,
)  # fmt: skip
_ROUNDS, _MASK = 16, (1 << 64) - 1


def decoder_key(
    vending_key8: bytes, pan: str, *, key_type: int, group: str, tariff: int, revision: int
) -> bytes:
    """DKGA02: the key of one meter, from its 18-digit number, supply group and tariff index."""
    if len(pan) != 18 or len(group) != 6 or not (pan + group).isdigit() or len(vending_key8) != 8:
        raise Usage("18 digits of meter, 6 of supply group, 8 bytes of key", where="decoder key")
    number = bytes.fromhex(pan[1:17])
    control = bytes.fromhex(f"{key_type}{group}{tariff:02d}{revision}FFFFFF")
    mixed = xor(number, control)
    return xor(xor(tdes_encrypt(vending_key8, mixed), mixed), vending_key8)[::-1]


def encipher(key8: bytes, block: int) -> int:
    """EA07 over the 64 bits of a data block."""
    for turned in _turns(key8):
        block = _moved(_boxed(block, turned, _BOXES))
    return block


def decipher(key8: bytes, block: int) -> int:
    """The inverse of `encipher`."""
    for turned in reversed(_turns(key8)):
        block = _boxed(_moved_back(block), turned, _UNBOXES)
    return block


def _turns(key8: bytes) -> list[int]:
    """The complement of the key, read from its low byte up, turned right by 12 and then left by one a round."""
    key = int.from_bytes(key8, "little") ^ _MASK
    key = (key >> 12 | key << 52) & _MASK
    return [(key << turn | key >> 64 - turn) & _MASK for turn in range(_ROUNDS)]


def _boxed(block: int, key: int, boxes: tuple[tuple[int, ...], ...]) -> int:
    made = 0
    for at in range(0, 64, 4):
        made |= boxes[key >> at + 3 & 1][block >> at & 15] << at
    return made


def _moved(block: int) -> int:
    return sum((block >> at & 1) << to for at, to in enumerate(_GOES))


def _moved_back(block: int) -> int:
    return sum((block >> to & 1) << at for at, to in enumerate(_GOES))
