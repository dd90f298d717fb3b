"""STS tokens of prepaid meters: data blocks, amounts and the twenty digits (IEC 62055-41, clauses 6.2 to 6.4).

A token is 66 bits: two of class, 64 of a data block that is enciphered outside (`jinka.crypto.sts`). Classes 0
(credit) and 2 (the meter's own management) are here, and the key change in two sections; not class 1 (tests that
carry no key), nor blocks of currency and of the 128-bit ciphers.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from jinka.kit import Refused, Usage

DIGITS = 20
BASE_1993, BASE_2014 = dt.datetime(1993, 1, 1), dt.datetime(2014, 1, 1)
CREDIT, MANAGEMENT = 0, 2  # token classes
SET_MAX_POWER, CLEAR_CREDIT, KEY_FIRST, KEY_SECOND, CLEAR_TAMPER = 0, 1, 3, 4, 5  # subclasses of class 2
_CLASS_AT = 27  # the class takes bits 28 and 27 of the number; what stood there goes to its top
_BLOCK = (1 << 64) - 1
_MANTISSA = 14
_BASES, _SCALES = (0, 16_384, 180_224, 1_818_624), (1, 10, 100, 1_000)
_MINUTES = 1 << 24


@dataclass(frozen=True, slots=True, kw_only=True)
class DataBlock:
    """What a token says. ``tid`` are whole minutes since the base date; ``amount`` tenths of a unit, or watts."""

    token_class: int
    subclass: int
    rnd: int
    tid: int
    amount: int  # as it stands in the block: see `encode_amount`

    def body(self) -> int:
        """48 bits: everything but the check."""
        for name, value, bits in (
            ("class", self.token_class, 2), ("subclass", self.subclass, 4), ("random", self.rnd, 4),
            ("identifier", self.tid, 24), ("amount", self.amount, 16),
        ):  # fmt: skip
            if not 0 <= value < 1 << bits:
                raise Usage(f"{value} is not of {bits} bits", where=f"token {name}")
        return self.subclass << 44 | self.rnd << 40 | self.tid << 16 | self.amount


def block_of(token_class: int, body: int) -> int:
    """The 64 bits that are enciphered: the body, then the check over the class and it."""
    return body << 16 | _crc((token_class << 48 | body).to_bytes(7, "big"))


def body_of(token_class: int, block: int) -> int:
    """The 48 bits of a deciphered block; `Refused` when the check is wrong, so for any other key."""
    if block_of(token_class, block >> 16) != block:
        raise Refused("the check of the token is wrong", where="token", fix="key it in again, digit by digit")
    return block >> 16


def data_block(token_class: int, body: int) -> DataBlock:
    return DataBlock(
        token_class=token_class,
        subclass=body >> 44,
        rnd=body >> 40 & 15,
        tid=body >> 16 & _MINUTES - 1,
        amount=body & 0xFFFF,
    )


def token_digits(token_class: int, enciphered: int) -> str:
    """Twenty digits; the class takes two bits' place, and they go to the top."""
    displaced = enciphered >> _CLASS_AT & 3
    number = enciphered & ~(3 << _CLASS_AT) | token_class << _CLASS_AT | displaced << 64
    return f"{number:0{DIGITS}d}"


def read_digits(text: str) -> tuple[int, int]:
    """The class and the enciphered block; `Refused` for what can be no token."""
    digits = text.replace(" ", "").replace("-", "")
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()) or int(digits) >> 66:
        raise Refused("no token has these digits", where="token", fix="key in its 20 digits")
    number = int(digits)
    block = number & _BLOCK & ~(3 << _CLASS_AT) | number >> 64 << _CLASS_AT
    return number >> _CLASS_AT & 3, block


def encode_amount(value: int) -> int:
    """Two bits of exponent and 14 of mantissa, rounded up to what can be said; `Usage` beyond the largest."""
    for exponent, (base, scale) in enumerate(zip(_BASES, _SCALES, strict=True)):
        mantissa = -(-(value - base) // scale)
        if 0 <= mantissa < 1 << _MANTISSA:
            return exponent << _MANTISSA | mantissa
    raise Usage(
        f"{value} is more than a token carries", where="token amount", fix="split it, or say it coarser"
    )


def decode_amount(code: int) -> int:
    """What the 16 bits stand for."""
    exponent = code >> _MANTISSA
    return _BASES[exponent] + _SCALES[exponent] * (code & (1 << _MANTISSA) - 1)


def identifier(at: dt.datetime, base: dt.datetime = BASE_1993) -> int:
    """The whole minutes between; `Usage` outside of the 31 years of a base date."""
    minutes = int((at - base).total_seconds()) // 60
    if not 0 <= minutes < _MINUTES:
        raise Usage(f"{at:%Y-%m-%d} is not in the time of the base date", where="token identifier")
    return minutes


def key_change_bodies(
    new_key: bytes,
    *,
    expiry: int = 0xFF,
    revision: int = 1,
    key_type: int = 2,
    tariff: int,
    rollover: bool = False,
) -> tuple[int, int]:
    """The bodies of both sections that carry a new decoder key, which is read from its low byte up."""
    number = int.from_bytes(new_key, "little")
    first = (
        KEY_FIRST << 44
        | (expiry >> 4) << 40
        | revision << 36
        | rollover << 35
        | key_type << 32
        | number >> 32
    )
    second = KEY_SECOND << 44 | (expiry & 15) << 40 | tariff << 32 | number & 0xFFFFFFFF
    return first, second


def changed_key(first: int, second: int) -> tuple[bytes, int, int]:
    """The new key, its tariff index and its expiry, out of the bodies of both sections."""
    number = (first & 0xFFFFFFFF) << 32 | second & 0xFFFFFFFF
    return number.to_bytes(8, "little"), second >> 32 & 0xFF, (first >> 40 & 15) << 4 | second >> 40 & 15


def _crc(data: bytes) -> int:
    """CRC-16 of A001, reflected, from FFFF, its bytes exchanged."""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    return (crc & 0xFF) << 8 | crc >> 8
