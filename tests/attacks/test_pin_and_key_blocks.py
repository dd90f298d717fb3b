"""Attacks on PINs, MACs and key blocks, each by its name; every one must be refused and must tell nothing.

Goal: what a stranger can do with captured blocks, or an insider with the verbs, ends in one refusal. Method: each
test makes the good case pass first, then attacks it.
"""

from __future__ import annotations

import random
import string

import numpy as np
import pytest

from jinka.crypto import key_block
from jinka.crypto.block_key import BlockCipher, BlockKey, CheckMethod
from jinka.crypto.key_block import open_block, unwrap, wrap
from jinka.crypto.key_block_header import (
    Exportability,
    KeyAlgorithm,
    KeyBlockHeader,
    KeyBlockVersion,
    KeyMode,
    KeyUsage,
)
from jinka.crypto.mac import X9_19, MacAlgorithm, MacScheme, check_mac, make_mac
from jinka.crypto.pin_batch import translate_pins
from jinka.crypto.pin_block import (
    BOUND,
    PinFormat,
    PinZone,
    decipher_pin,
    encipher_pin,
    translate_pin,
)
from jinka.crypto.unionpay_mac import check_pos_mac, pos_mac
from jinka.kit import Refused, Usage

PAN, OTHER_PAN = "6225880123456782", "6225880987654321"
KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
TDES, AES, SM4 = (BlockKey(cipher=cipher, value=KEY) for cipher in BlockCipher)
ZONES = {
    PinFormat.ISO_0: PinZone(key=TDES, format=PinFormat.ISO_0),
    PinFormat.ISO_1: PinZone(key=TDES, format=PinFormat.ISO_1),
    PinFormat.ISO_3: PinZone(key=TDES, format=PinFormat.ISO_3),
    PinFormat.ISO_4: PinZone(key=AES, format=PinFormat.ISO_4),
    PinFormat.UNIONPAY_16: PinZone(key=SM4, format=PinFormat.UNIONPAY_16),
}


class Dice:
    """Seeded randomness."""

    def __init__(self) -> None:
        self.rng = random.Random(0)

    def token_bytes(self, count: int) -> bytes:
        return self.rng.randbytes(count)


DICE = Dice()


def _blocks(block: bytes) -> np.ndarray:
    return np.frombuffer(block, dtype=np.uint8)[None]


@pytest.mark.parametrize("form", BOUND)
def test_pin_block_downgrade(form: PinFormat) -> None:
    """A bound block made an unbound one could be bound again to the thief's own account number."""
    source, target = ZONES[form], ZONES[PinFormat.ISO_1]
    block = encipher_pin(source, "1234", PAN, DICE)
    assert translate_pin(block, source, source, PAN, DICE)
    with pytest.raises(Refused):
        translate_pin(block, source, target, PAN, DICE)
    with pytest.raises(Refused):
        translate_pins(_blocks(block), source, target, [PAN], DICE)


@pytest.mark.parametrize("cipher", [TDES, AES, SM4])
def test_pin_block_downgrade_to_the_chips_format(cipher: BlockKey) -> None:
    """Format 2 has no account number either, and all blocks of one PIN look alike."""
    with pytest.raises(Refused):
        PinZone(key=cipher, format=PinFormat.ISO_2)


def test_pin_block_moved_to_a_weaker_cipher() -> None:
    """Format 4 under 3DES, or format 0 under AES: the halves of the block could be exchanged."""
    wrong = [
        (TDES, PinFormat.ISO_4),
        (AES, PinFormat.ISO_0),
        (TDES, PinFormat.UNIONPAY_16),
        (SM4, PinFormat.ISO_3),
    ]
    for key, form in wrong:
        with pytest.raises(Refused):
            PinZone(key=key, format=form)


@pytest.mark.parametrize("form", BOUND)
def test_pan_swap(form: PinFormat) -> None:
    """A captured block beside another card's number."""
    zone = ZONES[form]
    block = encipher_pin(zone, "1234", PAN, DICE)
    assert decipher_pin(zone, block, PAN) == "1234"
    with pytest.raises(Refused):
        decipher_pin(zone, block, OTHER_PAN)
    for target in BOUND:
        with pytest.raises(Refused):
            translate_pin(block, zone, ZONES[target], OTHER_PAN, DICE)
        out, good = translate_pins(_blocks(block), zone, ZONES[target], [OTHER_PAN], DICE)
        assert not good.any()
        assert not out.any()


def test_pan_swap_in_the_digits_that_format_0_does_not_cover() -> None:
    """Format 0 cannot see a change in the issuer's first digits; format 4 does."""
    near = "9" + PAN[1:]
    zero, four = ZONES[PinFormat.ISO_0], ZONES[PinFormat.ISO_4]
    assert decipher_pin(zero, encipher_pin(zero, "1234", PAN, DICE), near) == "1234", "a limit of the format"
    with pytest.raises(Refused):
        decipher_pin(four, encipher_pin(four, "1234", PAN, DICE), near)


@pytest.mark.parametrize("form", list(ZONES))
def test_pin_oracle(form: PinFormat) -> None:
    """Whatever is wrong with a block, the refusal is the same: control, length, digit, filler, size, number."""
    zone = ZONES[form]
    dice, said = random.Random(1), set()
    good = encipher_pin(zone, "1234", PAN, DICE)
    width = len(good)
    faults = [dice.randbytes(width) for _ in range(600)] + [b"", good[:-1], good + b"\x00"]
    if form is not PinFormat.ISO_4:
        clear = bytearray(zone.key.decrypt(good))
        for at, value in ((0, 0x54), (0, clear[0] & 0xF0), (0, clear[0] | 0x0F), (1, 0xAA)):
            wrong = bytearray(clear)
            wrong[at] = value
            faults.append(zone.key.encrypt(bytes(wrong)))
    for block in faults:
        try:
            decipher_pin(zone, block, PAN)
        except Refused as refusal:
            said.add((type(refusal), str(refusal)))
    assert said == {(Refused, "PIN block: the PIN block is refused")}


def test_a_refusal_shows_no_pin_and_no_account_number() -> None:
    zone = ZONES[PinFormat.ISO_0]
    for bad in ("", "1" * 30, "62258801234567x2"):
        with pytest.raises(Usage) as refusal:
            decipher_pin(zone, bytes(8), bad)
        assert bad == "" or bad not in str(refusal.value)
    for pin in ("123", "1" * 13, "12a4", "１２３４"):
        with pytest.raises(Usage) as refusal:
            encipher_pin(zone, pin, PAN, DICE)
        assert pin not in str(refusal.value)


def test_truncated_mac() -> None:
    """A MAC cut short is guessed in a few tries; the receiver, not the sender, says how long it is."""
    mac = make_mac(X9_19, TDES, b"0200")
    check_mac(X9_19, TDES, b"0200", mac)
    for size in range(8):
        with pytest.raises(Refused):
            check_mac(X9_19, TDES, b"0200", mac[:size])
        with pytest.raises(Refused):
            check_pos_mac(TDES, b"0200", pos_mac(TDES, b"0200")[:size])
    with pytest.raises(Usage):
        MacScheme(algorithm=MacAlgorithm.RETAIL, size=3)


def test_key_shrinking() -> None:
    """K | K is single DES, whatever its parity bits say; so are K | L | L and K | K | L."""
    left, right = KEY[:8], KEY[8:]
    odd = bytes(byte ^ 1 for byte in left)
    for value in (left, left + left, left + odd, left + left + right, right + left + odd):
        weak = BlockKey(cipher=BlockCipher.TDES, value=value)
        with pytest.raises(Refused):
            weak.strong()
        with pytest.raises(Refused):
            PinZone(key=weak, format=PinFormat.ISO_0)
    assert BlockKey(cipher=BlockCipher.TDES, value=KEY).strong()
    assert BlockKey(cipher=BlockCipher.TDES, value=KEY + left).strong()


@pytest.mark.parametrize("key", [TDES, AES, SM4], ids=lambda key: key.cipher.name)
def test_wrong_kcv(key: BlockKey) -> None:
    """A key entered wrongly, another key, or a check value too short to tell."""
    for method in CheckMethod:
        right = key.check_value(method)
        assert key.expect(right, method) is key
        for wrong in (
            bytes(3),
            right[:2],
            right[:1],
            b"",
            right + bytes(6),
            bytes((right[0] ^ 1,)) + right[1:],
        ):
            with pytest.raises(Refused):
                key.expect(wrong, method)


WORK = bytes.fromhex("1122334455667788AABBCCDDEEFF0011")
VERSIONS = list(KeyBlockVersion)


def _guard(version: KeyBlockVersion, value: bytes = KEY) -> BlockKey:
    aes = version in (KeyBlockVersion.D, KeyBlockVersion.E)
    return BlockKey(cipher=BlockCipher.AES if aes else BlockCipher.TDES, value=value)


def _header(version: KeyBlockVersion, **changes: object) -> KeyBlockHeader:
    values: dict[str, object] = {
        "version": version,
        "usage": KeyUsage.PIN,
        "algorithm": KeyAlgorithm.TDES,
        "mode": KeyMode.BOTH,
        "exportability": Exportability.NO,
        "optional": (("KS", "FFFF9876543210E00000"),),
    }
    return KeyBlockHeader(**(values | changes))


@pytest.mark.parametrize("version", VERSIONS)
def test_header_swap(version: KeyBlockVersion) -> None:
    """P0 made D0: the PIN key would decrypt PIN blocks as data. So with every other part of the header."""
    guard = _guard(version)
    block = wrap(guard, _header(version), WORK, DICE)
    assert unwrap(guard, block, [KeyUsage.PIN]).value == WORK
    for at, text in ((5, "D0"), (5, "K0"), (7, "A"), (8, "D"), (9, "01"), (11, "E"), (11, "S"), (22, "0")):
        swapped = block[:at] + text + block[at + len(text) :]
        with pytest.raises(Refused):
            unwrap(guard, swapped, list(KeyUsage))
    for other in VERSIONS:
        if other is not version:
            with pytest.raises(Refused):
                unwrap(_guard(other), other.value + block[1:], list(KeyUsage))


@pytest.mark.parametrize("version", VERSIONS)
def test_any_changed_character_of_a_key_block(version: KeyBlockVersion) -> None:
    guard = _guard(version)
    block = wrap(guard, _header(version), WORK, DICE)
    for at in range(len(block)):
        for letter in {*random.Random(at).choices(string.printable, k=6), block[at].swapcase()} - {block[at]}:
            with pytest.raises(Refused):
                open_block(guard, block[:at] + letter + block[at + 1 :])


@pytest.mark.parametrize("version", VERSIONS)
def test_truncated_and_lengthened_key_blocks(version: KeyBlockVersion) -> None:
    """Cut, with and without a length that fits; lengthened; with an optional block cut out; and no block at all."""
    guard = _guard(version)
    block = wrap(guard, _header(version), WORK, DICE)
    for size in range(len(block)):
        for text in (block[:size], f"{block[0]}{size:04}{block[5:size]}"):
            with pytest.raises(Refused):
                open_block(guard, text)
    for tail in ("00", "0" * 16, "0" * 32):
        longer = f"{block[0]}{len(block) + len(tail):04}{block[5:]}{tail}"
        with pytest.raises(Refused):
            open_block(guard, longer)
    for text in ("", "A", "é" * 16, "\x00" * 16, "D9999" + "P" * 9994, "D00१६P0TB00N0000"):
        with pytest.raises(Refused):
            open_block(guard, text)


@pytest.mark.parametrize(
    "blocks",
    ["01", "0100", "01KS", "01KS0", "01KSFF", "01KS03", "01KS00", "01KS0002", "01KS00020001", "01KS0004FFFF",
     "02PB08AAAAKS08AAAA", "02KS08AAAAKS08AAAA", "99", "xx", "01KS04", "01KS08AA\nA", "01KSg8AAAA", "01é 08AAAA"],
)  # fmt: skip
def test_optional_blocks_that_lie(blocks: str) -> None:
    count, tail = blocks[:2], blocks[2:].ljust(32, "0") + "0" * 96
    text = f"D{16 + len(tail):04}P0TB00N{count}00{tail}"
    with pytest.raises(Refused):
        open_block(_guard(KeyBlockVersion.D), text)


@pytest.mark.parametrize("version", VERSIONS)
def test_wrong_protection_key(version: KeyBlockVersion) -> None:
    """Another key, the same bytes under another cipher, a shrunk key: refused with one message."""
    block = wrap(_guard(version), _header(version), WORK, DICE)
    with pytest.raises(Refused, match="the key block is refused"):
        open_block(_guard(version, WORK), block)
    wrong = SM4 if version in (KeyBlockVersion.D, KeyBlockVersion.E) else AES
    with pytest.raises(Refused):
        open_block(wrong, block)
    if version not in (KeyBlockVersion.D, KeyBlockVersion.E):
        with pytest.raises(Refused):
            wrap(_guard(version, KEY[:8] * 2), _header(version), WORK, DICE)


@pytest.mark.parametrize("version", VERSIONS)
def test_key_shrinking_inside_a_key_block(version: KeyBlockVersion) -> None:
    guard = _guard(version)
    for weak in (KEY[:8] * 2, KEY[:8], KEY[:8] + bytes(byte ^ 1 for byte in KEY[:8])):
        with pytest.raises(Refused):
            wrap(guard, _header(version), weak, DICE)


def test_a_key_under_a_weaker_one() -> None:
    long = _header(KeyBlockVersion.D, algorithm=KeyAlgorithm.AES)
    with pytest.raises(Refused):
        wrap(_guard(KeyBlockVersion.D), long, bytes(range(32)), DICE)
    strong = _guard(KeyBlockVersion.D, KEY + WORK)
    assert unwrap(strong, wrap(strong, long, bytes(range(32)), DICE), [KeyUsage.PIN])
    with pytest.raises(Refused):
        wrap(_guard(KeyBlockVersion.B), _header(KeyBlockVersion.B, algorithm=KeyAlgorithm.AES), WORK, DICE)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_key_for_another_purpose(version: KeyBlockVersion) -> None:
    """A right block, but not for this verb; a mode that does not go with the usage; a key that may not leave."""
    guard = _guard(version)
    block = wrap(guard, _header(version), WORK, DICE)
    for usages in ([], [KeyUsage.DATA], [KeyUsage.MAC_3, KeyUsage.KEK]):
        with pytest.raises(Refused):
            unwrap(guard, block, usages)
    for usage, mode in (
        (KeyUsage.PIN, KeyMode.GENERATE),
        (KeyUsage.MAC_3, KeyMode.BOTH),
        (KeyUsage.BDK, KeyMode.ENCRYPT),
    ):
        with pytest.raises(Refused):
            wrap(guard, _header(version, usage=usage, mode=mode), WORK, DICE)


def test_export_of_a_key_that_may_not_leave() -> None:
    rights = {
        Exportability.NO: (False, False),
        Exportability.TRUSTED: (True, False),
        Exportability.SENSITIVE: (True, True),
    }
    for kind, (trusted, other) in rights.items():
        header = _header(KeyBlockVersion.D, exportability=kind)
        for allowed, under_trusted in ((trusted, True), (other, False)):
            if allowed:
                header.check_export(under_trusted=under_trusted)
            else:
                with pytest.raises(Refused):
                    header.check_export(under_trusted=under_trusted)


@pytest.mark.parametrize("name", ["KC", "KP"])
def test_wrong_kcv_in_a_key_block(name: str) -> None:
    """The check values of the key (KC) and of its protection key (KP) are covered, and must be true as well."""
    guard = _guard(KeyBlockVersion.D)
    key = guard if name == "KP" else BlockKey(cipher=BlockCipher.TDES, value=WORK)
    for method, number in ((CheckMethod.ZEROS, "00"), (CheckMethod.CMAC, "01")):
        right = number + key.check_value(method).hex().upper()
        block = wrap(guard, _header(KeyBlockVersion.D, optional=((name, right),)), WORK, DICE)
        assert unwrap(guard, block, [KeyUsage.PIN])
    for wrong in ("00AABBCC", "01AABBCC", "02AABBCC", "00", "", "00AA", "00xxxxxx"):
        block = wrap(guard, _header(KeyBlockVersion.D, optional=((name, wrong),)), WORK, DICE)
        with pytest.raises(Refused):
            unwrap(guard, block, [KeyUsage.PIN])


@pytest.mark.parametrize("bits", [0, 1, 127, 129, 8 * 31, 0xFFF8, 0xFFFF])
def test_a_length_inside_a_key_block_that_lies(bits: int) -> None:
    """With a right MAC, by someone who has the protection key: no length but whole bytes that are there."""
    guard, header = _guard(KeyBlockVersion.D), _header(KeyBlockVersion.D)
    payload = bits.to_bytes(2, "big") + WORK + bytes(14)
    text = header.text(len(payload) + 16)
    encryption, authentication = key_block._block_keys(guard, KeyBlockVersion.D)
    mac = authentication.cmac(text.encode() + payload)
    with pytest.raises(Refused, match="the key block is refused"):
        open_block(guard, text + (encryption.cbc_encrypt(payload, mac) + mac).hex().upper())
