"""Visa's PIN verification value of many PINs at once: the rules of `jinka.crypto.pin_verify`, row by row.

All blocks come from one zone and all values are made with one key, so that each is one call of the cipher; of a few
dozen rows the rest is quicker in plain Python than over arrays. Every row goes through all steps, whatever is wrong
with it.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from jinka.crypto.block_key import CipherKey
from jinka.crypto.decimals import decimalise
from jinka.crypto.pin_block import PinZone, decipher_pins
from jinka.crypto.pin_verify import PVV_DIGITS, check_pin_key

_PAN_MIN = 12
_NO_PIN = "0000"


def check_pvvs(
    blocks: Sequence[bytes], zone: PinZone, key: CipherKey, pans: Sequence[str], references: Sequence[str]
) -> tuple[list[bool], list[bool]]:
    """Which PINs are those of their references (key index and PVV, 5 digits), and which blocks were such at all."""
    check_pin_key(key)
    pins = decipher_pins(zone, blocks, pans)
    texts = [
        pan[-_PAN_MIN:-1].rjust(_PAN_MIN - 1, "0") + reference[0] + (pin or _NO_PIN)[:4]
        for pan, reference, pin in zip(pans, references, pins, strict=True)
    ]
    made = key.encrypt(bytes.fromhex("".join(texts)))
    right = []
    for n, (pan, reference, pin) in enumerate(zip(pans, references, pins, strict=True)):
        pvv = decimalise(made[8 * n : 8 * n + 8], PVV_DIGITS)
        same = hmac.compare_digest(pvv.encode(), reference[1:].encode())
        right.append(same and pin is not None and len(pan) >= _PAN_MIN)
    return right, [pin is not None for pin in pins]
