"""MACs and keys under attack and misuse: nothing that is shortened, swapped or of the wrong kind gets through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.crypto.block_key import BlockCipher, BlockKey, CheckMethod
from jinka.crypto.mac import (
    CMAC,
    X9_9,
    X9_19,
    MacAlgorithm,
    MacScheme,
    Padding,
    check_mac,
    expect_mac,
    make_mac,
    pad,
)
from jinka.crypto.unionpay_mac import check_interbank_mac, check_pos_mac, interbank_mac, pos_mac
from jinka.kit import Refused, Usage

PAIR = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
KEYS = [BlockKey(cipher=cipher, value=PAIR) for cipher in BlockCipher]
TDES_KEY = KEYS[0]


@given(st.binary(max_size=60), st.integers(0, 7), st.integers(1, 255))
def test_any_changed_byte_is_refused(text: bytes, at: int, change: int) -> None:
    mac = bytearray(make_mac(X9_19, TDES_KEY, text))
    check_mac(X9_19, TDES_KEY, text, bytes(mac))
    mac[at] ^= change
    with pytest.raises(Refused):
        check_mac(X9_19, TDES_KEY, text, bytes(mac))


@pytest.mark.parametrize("size", range(8))
def test_a_prefix_of_the_right_mac_is_refused(size: int) -> None:
    mac = make_mac(X9_19, TDES_KEY, b"text")
    with pytest.raises(Refused):
        check_mac(X9_19, TDES_KEY, b"text", mac[:size])
    with pytest.raises(Refused):
        check_mac(X9_19, TDES_KEY, b"text", mac + b"\x00")


@pytest.mark.parametrize("size", [-1, 0, 3, 17])
def test_no_scheme_is_shorter_than_four_bytes(size: int) -> None:
    with pytest.raises(Usage):
        MacScheme(algorithm=MacAlgorithm.CMAC, size=size)


def test_two_empty_macs_are_not_equal() -> None:
    for value in (b"", b"\x00", b"abc"):
        with pytest.raises(Refused):
            expect_mac(value, value)


def test_sizes_that_a_cipher_does_not_have() -> None:
    with pytest.raises(Usage):
        make_mac(MacScheme(algorithm=MacAlgorithm.CMAC, size=9), TDES_KEY, b"")
    for key in (KEYS[1], KEYS[2], BlockKey(cipher=BlockCipher.TDES, value=PAIR[:8])):
        with pytest.raises(Usage):
            make_mac(X9_19, key, b"")
    with pytest.raises(Usage):
        make_mac(X9_19, BlockKey(cipher=BlockCipher.TDES, value=PAIR + bytes(8)), b"")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.cipher.name)
def test_paddings_tell_texts_apart_that_zeros_do_not(key: BlockKey) -> None:
    for algorithm in (MacAlgorithm.CBC_MAC, MacAlgorithm.EMAC):
        for padding, alike in (
            (Padding.METHOD_1, True),
            (Padding.METHOD_2, False),
            (Padding.METHOD_3, False),
        ):
            scheme = MacScheme(algorithm=algorithm, padding=padding)
            same = make_mac(scheme, key, b"1") == make_mac(scheme, key, b"1\x00")
            assert same is alike, padding
    assert make_mac(CMAC, key, b"1") != make_mac(CMAC, key, b"1\x00")
    for padding in Padding:
        assert len(pad(b"", padding, key.cipher.block)) >= key.cipher.block


def test_unionpay_macs_refuse_what_was_changed() -> None:
    for key in KEYS:
        message = bytes(range(100))
        check_pos_mac(key, message, pos_mac(key, message))
        for wrong in (b"", pos_mac(key, message)[:4], pos_mac(key, message + b"\x01")):
            with pytest.raises(Refused):
                check_pos_mac(key, message, wrong)
    check_interbank_mac(TDES_KEY, ["0200", "19"], interbank_mac(TDES_KEY, ["0200", "19"]))
    with pytest.raises(Refused):
        check_interbank_mac(TDES_KEY, ["0200", "18"], interbank_mac(TDES_KEY, ["0200", "19"]))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.cipher.name)
def test_modes_are_inverse_and_a_key_never_shows_itself(key: BlockKey) -> None:
    text = bytes(range(48))
    assert key.decrypt(key.encrypt(text)) == text
    assert key.cbc_decrypt(key.cbc_encrypt(text)) == text
    iv = bytes(range(key.cipher.block))
    assert (
        key.cbc_decrypt(key.cbc_encrypt(text, iv), iv) == text != key.cbc_decrypt(key.cbc_encrypt(text, iv))
    )
    for shown in (repr(key), str(key), f"{[key]}"):
        assert PAIR.hex() not in shown.lower()
        assert key.check_value().hex().upper() in shown


@pytest.mark.parametrize(("cipher", "size"), [("TDES", 7), ("TDES", 32), ("AES", 8), ("SM4", 24), ("AES", 0)])
def test_a_key_has_a_size_of_its_cipher(cipher: str, size: int) -> None:
    with pytest.raises(Usage):
        BlockKey(cipher=BlockCipher(cipher), value=bytes(size))


def test_check_values_are_those_of_the_standard() -> None:
    assert BlockKey(cipher=BlockCipher.TDES, value=bytes(16)).check_value().hex() == "8ca64d"
    # ANSI X9.143:2021, 8.1: the AES key of the example and its CMAC check value.
    key = BlockKey(cipher=BlockCipher.AES, value=bytes.fromhex("3F419E1CB7079442AA37474C2EFBF8B8"))
    assert key.check_value(CheckMethod.CMAC, 5).hex().upper() == "08793E25AB"
    assert key.expect(bytes.fromhex("08793E"), CheckMethod.CMAC) is key


def test_bad_macs_have_no_detail() -> None:
    with pytest.raises(Refused) as short:
        check_mac(X9_9, TDES_KEY, b"", b"")
    with pytest.raises(Refused) as wrong:
        check_mac(X9_9, TDES_KEY, b"", bytes(8))
    assert str(short.value) == str(wrong.value)
