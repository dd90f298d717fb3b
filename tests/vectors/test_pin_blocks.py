"""Published PIN blocks, each with its source; psec as an independent oracle, and the batch against one by one.

Goal: a PIN made here is read elsewhere and the other way round. Method: published blocks both ways for each format,
random PINs that psec must write and read alike, and batches of all zones compared with the scalar form.
"""

from __future__ import annotations

import random

import numpy as np
import psec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.pin_batch import translate_pins
from jinka.crypto.pin_block import (
    TRANSLATIONS,
    PinFormat,
    PinZone,
    decipher_pin,
    decode_block,
    encipher_pin,
    encode_block,
    translate_pin,
)
from jinka.kit import Refused

PSEC = "psec 1.3.0, examples and tests/test_pinblock.py"
X9_24_3 = "ANSI X9.24-3:2017, supplement of test vectors (PIN block of format 4 under DUKPT keys 1 and 2)"
CHINA = "UnionPay's example of a member's PIN: e-com-net.com/article/509414"
SM4_PAGE = "an encrypting keypad under SM4: blog.csdn.net M_Kerry/104625499 (the key from its check value)"

OLD_WARNING = "ignore::cryptography.utils.CryptographyDeprecationWarning"
PAN = "5555555551234567"
VISA = "4111111111111111"
pins = st.text("0123456789", min_size=4, max_size=12)
pans = st.text("0123456789", min_size=13, max_size=19)


class Dice:
    """Seeded randomness, or bytes that were fixed beforehand."""

    def __init__(self, seed: int = 0, fixed: bytes = b"") -> None:
        self.rng, self.fixed = random.Random(seed), fixed

    def token_bytes(self, count: int) -> bytes:
        return self.fixed or self.rng.randbytes(count)


def zone(form: PinFormat, key: str = "0123456789ABCDEFFEDCBA9876543210", cipher: str = "") -> PinZone:
    natural = {PinFormat.ISO_4: "AES", PinFormat.UNIONPAY_16: "SM4"}.get(form, "TDES")
    block_cipher = BlockCipher(cipher or natural)
    return PinZone(key=BlockKey(cipher=block_cipher, value=bytes.fromhex(key)), format=form)


ZONES = [
    zone(PinFormat.ISO_0),
    zone(PinFormat.ISO_1),
    zone(PinFormat.ISO_3, "0123456789ABCDEFFEDCBA98765432101122334455667788"),
    zone(PinFormat.ISO_4),
    zone(PinFormat.ISO_4, cipher="SM4"),
    zone(PinFormat.UNIONPAY_16),
]
PAIRS = [(a, b) for a in ZONES for b in ZONES if b.format in TRANSLATIONS[a.format]]


@pytest.mark.parametrize(
    ("source", "form", "pin", "pan", "block"),
    [
        (PSEC, PinFormat.ISO_0, "1234", PAN, "041261AAAAEDCBA9"),
        (CHINA, PinFormat.ISO_0, "123456", "123456789012345678", "061253DFFEDCBA98"),
        (CHINA, PinFormat.ISO_0, "123456", "1234567890123456", "0612713176FEDCBA"),
        (PSEC, PinFormat.ISO_2, "1234", "", "241234FFFFFFFFFF"),
        (SM4_PAGE, PinFormat.UNIONPAY_16, "123654", "6230606601007726888", "06123654FFFFFFFFFFFF99FEFF88D977"),
    ],
)  # fmt: skip
def test_clear_blocks(source: str, form: PinFormat, pin: str, pan: str, block: str) -> None:
    assert encode_block(form, pin, pan).hex().upper() == block, source
    assert decode_block(form, bytes.fromhex(block), pan) == pin, source


@pytest.mark.parametrize(
    ("source", "key", "pan", "fill", "block"),
    [
        (PSEC, "00112233445566778899AABBCCDDEEFF", "1234567890123456789", "FF" * 8, "28B41FDDD29B743E93124BD8E32D921E"),
        (X9_24_3, "AF8CB133A78F8DC2D1359F18527593FB", VISA, "2F69ADDE2E9E7ACE", "A912150391AB65A67E52883D81CE2D15"),
        (X9_24_3, "D30BDC73EC9714B000BEC66BDB7B6D09", VISA, "2F69ADDE2E9E7ACE", "52A00503BD34BA1383F6A7EE9FE2547F"),
    ],
)  # fmt: skip
def test_format_4(source: str, key: str, pan: str, fill: str, block: str) -> None:
    made = encipher_pin(zone(PinFormat.ISO_4, key), "1234", pan, Dice(fixed=bytes.fromhex(fill)))
    assert made.hex().upper() == block, source
    assert decipher_pin(zone(PinFormat.ISO_4, key), made, pan) == "1234"
    if source == PSEC:
        other = bytes.fromhex("E4BE5B623AF7E006AC319E5B93544564")
        assert decipher_pin(zone(PinFormat.ISO_4, key), other, "1234567890123456") == "1234"


def test_a_pin_under_sm4() -> None:
    master = BlockKey(cipher=BlockCipher.SM4, value=bytes.fromhex("1234567890ABCDEFABCDEF0987654321"))
    work = BlockKey(
        cipher=BlockCipher.SM4, value=master.decrypt(bytes.fromhex("3D66234C49E4296FF9C78D8BACBD6A76"))
    )
    assert work.expect(bytes.fromhex("861E83E31FAEBF10")), SM4_PAGE
    made = encipher_pin(
        PinZone(key=work, format=PinFormat.UNIONPAY_16), "123654", "6230606601007726888", Dice()
    )
    assert work.decrypt(made).hex().upper() == "06123654FFFFFFFFFFFF99FEFF88D977", SM4_PAGE


@pytest.mark.filterwarnings(OLD_WARNING)
@given(pins, pans, st.integers(0))
def test_psec_agrees(pin: str, pan: str, seed: int) -> None:
    three = encode_block(PinFormat.ISO_3, pin, pan, Dice(seed))
    assert encode_block(PinFormat.ISO_0, pin, pan) == psec.pinblock.encode_pinblock_iso_0(pin, pan)
    assert encode_block(PinFormat.ISO_2, pin, "") == psec.pinblock.encode_pinblock_iso_2(pin)
    assert psec.pinblock.decode_pinblock_iso_3(three, pan) == pin
    assert decode_block(PinFormat.ISO_3, psec.pinblock.encode_pinblock_iso_3(pin, pan), pan) == pin
    four = zone(PinFormat.ISO_4)
    made = encipher_pin(four, pin, pan, Dice(seed))
    assert psec.pinblock.decipher_pinblock_iso_4(four.key.value, made, pan) == pin
    theirs = psec.pinblock.encipher_pinblock_iso_4(four.key.value, pin, pan)
    assert decipher_pin(four, theirs, pan) == pin


@pytest.mark.parametrize(("source", "target"), PAIRS, ids=lambda z: f"{z.format.name}/{z.key.cipher.name}")
def test_a_batch_does_what_one_by_one_does(source: PinZone, target: PinZone) -> None:
    rng, dice = random.Random(1), Dice(2)
    rows: list[tuple[str, str, bytes]] = []
    for row in range(120):
        pin = "".join(rng.choices("0123456789", k=4 + row % 9))
        pan = "".join(rng.choices("0123456789", k=8 + row % 12))
        block = encipher_pin(source, pin, pan, dice)
        if row % 7 == 3:
            block = rng.randbytes(len(block))
        rows.append(
            (pin, pan if row % 7 != 5 else ("x" * 16, "", "1" * 30, "12\x00345678901")[row % 4], block)
        )
    blocks = np.array([list(block) for _, _, block in rows], dtype=np.uint8)
    out, good = translate_pins(blocks, source, target, [pan for _, pan, _ in rows], dice)
    for (pin, pan, block), made, done in zip(rows, out, good, strict=True):
        if not pan.isdigit() or len(pan) > 19:
            assert not done
        else:
            try:
                wanted = decipher_pin(source, block, pan)
            except Refused:
                assert not done
                assert not made.any()
            else:
                assert done
                assert (
                    decipher_pin(target, made.tobytes(), pan)
                    == wanted
                    == decipher_pin(target, translate_pin(block, source, target, pan, dice), pan)
                )
                assert wanted == pin or source.format is PinFormat.ISO_1, (
                    "a random block may read as format 1"
                )
    assert 70 < good.sum() < 120


def test_an_empty_batch() -> None:
    out, good = translate_pins(np.empty((0, 8), np.uint8), ZONES[0], ZONES[3], [], Dice())
    assert out.shape == (0, 16)
    assert not good.any()


def test_fillers_are_drawn_and_cover_their_alphabet() -> None:
    seen = {PinFormat.ISO_1: set(), PinFormat.ISO_3: set()}  # type: dict[PinFormat, set[str]]
    dice = Dice(3)
    for form, letters in seen.items():
        for _ in range(60):
            block = encode_block(form, "1234", PAN, dice)
            field = bytes(a ^ b for a, b in zip(block, bytes.fromhex("0000555555123456"), strict=True))
            letters.update((block if form is PinFormat.ISO_1 else field).hex()[6:])
    assert seen[PinFormat.ISO_1] == set("0123456789abcdef")
    assert seen[PinFormat.ISO_3] == set("abcdef")
