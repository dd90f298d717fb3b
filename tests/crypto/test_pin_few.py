"""Goal: a few blocks of format 0, which go row by row, are translated as many are, and as one by one.

Method: the same rows, good and hostile, through all three roads. ISO 9564-1, format 0.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

from jinka.crypto import pin_batch
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin, translate_pin
from jinka.kit import Refused, Usage
from tests.vectors.test_pin_blocks import Dice
from tests.vectors.test_pin_blocks import zone as zone_of

DICE = Dice()
PAN = "6225880123456782"
NUMBERS = (
    PAN, "12345678", "1234567890123456789", "1234567", "12345678901234567890", "", "62258801234567A2",
    "６" * 16, "7" * 13,
)  # fmt: skip
FIELDS = (
    "041234FFFFFFFFFF", "0C123456789012FF", "141234FFFFFFFFFF", "03123FFFFFFFFFFF", "0D1234567890123F",
    "0412A4FFFFFFFFFF", "041234FFFFFFFFF0", "00FFFFFFFFFFFFFF", "0F12345678901234", "FFFFFFFFFFFFFFFF",
)  # fmt: skip


def _rows(source: PinZone, count: int, seed: int) -> tuple[list[bytes], list[str]]:
    chance = random.Random(seed)
    blocks, pans = [], []
    for _ in range(count):
        pan = chance.choice(NUMBERS)
        bound = int((pan if pan.isascii() and pan.isdigit() else PAN)[:-1][-12:] or "0")
        clear = int(chance.choice(FIELDS), 16) ^ int(f"{bound:012d}", 16)
        blocks.append(source.key.encrypt(clear.to_bytes(8, "big")))
        pans.append(pan)
    blocks[0], pans[0] = encipher_pin(source, "1234", PAN, DICE), PAN
    return blocks, pans


@pytest.mark.parametrize("count", [1, 3, 64, 65])
def test_three_roads_give_one_answer(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    source, target = zone_of(PinFormat.ISO_0), zone_of(PinFormat.ISO_0, "76543210FEDCBA9889674523EFCDAB01")
    for seed in range(8):
        blocks, pans = _rows(source, count, seed)
        array = np.frombuffer(b"".join(blocks), dtype=np.uint8).reshape(count, 8)
        answers = []
        for few in (0, 1_000):
            monkeypatch.setattr(pin_batch, "_FEW", few)
            done, good = pin_batch.translate_pins(array, source, target, pans, DICE)
            answers.append((done.tobytes(), good.tolist()))
        assert answers[0] == answers[1]
        assert good[0]
        for row, (block, pan) in enumerate(zip(blocks, pans, strict=True)):
            if good[row]:
                assert translate_pin(block, source, target, pan, DICE) == done[row].tobytes()
            else:
                assert not done[row].any()
                with pytest.raises((Refused, Usage)):
                    translate_pin(block, source, target, pan, DICE)
