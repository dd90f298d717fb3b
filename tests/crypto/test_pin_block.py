"""PIN blocks as a parser: each rule of a format by itself, one by one and in a batch, and misuse of both.

The rules' order must not matter and their answers must not differ; the attacks are in `tests.attacks`.
"""

from __future__ import annotations

import numpy as np
import pytest

from jinka.crypto.block import xor
from jinka.crypto.pin_batch import translate_pins
from jinka.crypto.pin_block import (
    TRANSLATIONS,
    PinFormat,
    decipher_pin,
    decode_block,
    encipher_pin,
    encode_block,
)
from jinka.kit import Refused, Usage
from tests.vectors.test_pin_blocks import Dice
from tests.vectors.test_pin_blocks import zone as zone_of

PAN = "6225880123456782"
DICE = Dice()


@pytest.mark.parametrize(
    ("form", "fields"),
    [
        (PinFormat.ISO_0, "141234{f} 03123{f} 0D1234567890123F 0412A4{f} 041234FFFFFFFFF0 041234FFFFFFFFEF"),
        (PinFormat.ISO_1, "041234FFFFFFFFFF 13123FFFFFFFFFFF 1D1234567890123F 1412A4FFFFFFFFFF"),
        (PinFormat.ISO_3, "041234FFFFFFFFFF 33123FFFFFFFFFFF 3D1234567890123F 3412A4FFFFFFFFFF 341234ABCDEFA9CD"),
        (PinFormat.ISO_4, "341234{a} 43123{a} 4D1234567890123A 4412A4{a} 441234AAAAAAAAAB 441234AAAAAAAAA9"),
        (PinFormat.UNIONPAY_16, "141234{f} 03123F{f} 0D1234567890123F{f} 0412A4{f} 041234{f}0"),
    ],
)  # fmt: skip
def test_clear_blocks_that_break_one_rule(form: PinFormat, fields: str) -> None:
    """Under the right key, as a terminal that was tampered with could send: control, length, digit, filler."""
    zone, target = zone_of(form), zone_of(PinFormat.ISO_0)
    good = encipher_pin(zone, "1234", PAN, DICE)
    width = 32 if form is PinFormat.UNIONPAY_16 else 16
    for text in fields.split():
        field = text.replace("{f}", "F" * 32).replace("{a}", "A" * 32)
        inner = bytes.fromhex(field[: width - 1] + "0" if text.endswith("}0") else field[:width])
        if form is PinFormat.ISO_4:
            inner, bound = zone.key.encrypt(inner + bytes(8)), f"4{PAN}".ljust(32, "0")
        else:
            bound = "" if form is PinFormat.ISO_1 else PAN[3:15]
        block = zone.key.encrypt(xor(inner, bytes.fromhex(bound.rjust(2 * len(inner), "0"))))
        with pytest.raises(Refused, match="the PIN block is refused"):
            decipher_pin(zone, block, PAN)
        both = np.frombuffer(block + good, dtype=np.uint8).reshape(2, -1)
        _, done = translate_pins(both, zone, target, [PAN, PAN], DICE)
        assert done.tolist() == [False, True], text


def test_the_table_of_translations_is_whole() -> None:
    """Bound to bound only; unbound to either; the chip's format to nothing and from nothing."""
    bound = {PinFormat.ISO_0, PinFormat.ISO_3, PinFormat.ISO_4, PinFormat.UNIONPAY_16}
    assert set(TRANSLATIONS) == set(PinFormat)
    for source, targets in TRANSLATIONS.items():
        assert PinFormat.ISO_2 not in targets
        assert targets == (
            bound if source in bound else bound | {source} if source is PinFormat.ISO_1 else set()
        )


def test_misuse() -> None:
    for size in (0, 7, 9, 16):
        with pytest.raises(Refused):
            decode_block(PinFormat.ISO_0, bytes(size), PAN)
    for ask in (
        lambda: encode_block(PinFormat.ISO_4, "1234", PAN, DICE),
        lambda: decode_block(PinFormat.ISO_4, bytes(16), PAN),
        lambda: encode_block(PinFormat.ISO_3, "1234", PAN),
        lambda: encode_block(PinFormat.ISO_1, "1234", PAN),
        lambda: encode_block(PinFormat.ISO_0, "1234", PAN[:7]),
        lambda: encode_block(PinFormat.ISO_0, "1234", PAN + "0000"),
    ):
        with pytest.raises(Usage):
            ask()
    zone = zone_of(PinFormat.ISO_0)
    for blocks, pans in (
        (np.zeros((1, 16), np.uint8), [PAN]),
        (np.zeros((2, 8), np.uint8), [PAN]),
        (np.zeros((1, 8), np.int64), [PAN]),
        (np.zeros(8, np.uint8), [PAN]),
    ):
        with pytest.raises(Usage):
            translate_pins(blocks, zone, zone, pans, DICE)
