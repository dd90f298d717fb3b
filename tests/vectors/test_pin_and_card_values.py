"""Published PIN and card values, each with its source; psec and pyemv as independent oracles.

Goal: an issuer's values are those of every other host. Method: published values, then random ones that the oracles
must answer alike.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psec import cvv as psec_cvv
from psec import pin as psec_pin
from pyemv import cvv as pyemv_cvv

from jinka.codec import Algorithm
from jinka.crypto import diversify
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.card_value import (
    CHIP,
    PRINTED,
    card_value,
    check_card_value,
    check_cvc3,
    check_dynamic_value,
    cvc3,
    dynamic_value,
)
from jinka.crypto.emv import card_block
from jinka.crypto.pin_verify import Ibm3624, check_pin_verification_value, pin_verification_value
from jinka.kit import Refused, Usage

PSEC = "psec 1.3.0, examples of psec.pin and psec.cvv"
VISA = "the usual example of CVV: CVK pair 0123456789ABCDEF FEDCBA9876543210, number 4123456789012345"
SCHOOL = "worked example with its intermediate values: github.com UrielYair/CredoraxCourse, CVCTest"
CARVER = "values of two implementations, and dCVV of a third tool: github.com cryptocarver, PaymentControlValuesTest"
PYEMV = "pyemv 1.5.0, example of pyemv.cvv"
OLD_WARNING = "ignore::cryptography.utils.CryptographyDeprecationWarning"
PAN = "4111111111111111"
pans = st.text("0123456789", min_size=13, max_size=19)
keys = st.binary(min_size=16, max_size=16).filter(
    lambda key: bytes(b & 0xFE for b in key[:8]) != bytes(b & 0xFE for b in key[8:])
)


def _key(value: str | bytes = "0123456789ABCDEFFEDCBA9876543210") -> BlockKey:
    return BlockKey(cipher=BlockCipher.TDES, value=bytes.fromhex(value) if isinstance(value, str) else value)


@pytest.mark.parametrize(
    ("source", "key", "pan", "date", "service", "value"),
    [
        (PSEC, "0123456789ABCDEFFEDCBA9876543210", "1234567890123456", "9912", "220", "170"),
        (VISA, "0123456789ABCDEFFEDCBA9876543210", "4123456789012345", "8701", "101", "561"),
        (SCHOOL, "D676DCF3AFB7350532EAF00EA253D875", "4123450990122129", "0721", "202", "2410"),
        (CARVER, "0123456789ABCDEFFEDCBA9876543210", PAN, "2512", "201", "139"),
        (CARVER, "0123456789ABCDEFFEDCBA9876543210", PAN, "2512", CHIP, "133"),
        (CARVER, "0123456789ABCDEFFEDCBA9876543210", PAN, "2512", PRINTED, "765"),
    ],
)
def test_card_values(source: str, key: str, pan: str, date: str, service: str, value: str) -> None:
    assert card_value(_key(key), pan, date, service, len(value)) == value, source
    check_card_value(_key(key), pan, date, service, value)


@pytest.mark.parametrize(
    ("date", "service", "counter", "value"),
    [
        ("1225", "001", 1, "938"),
        ("1225", "001", 2, "488"),
        ("1225", "001", 10, "634"),
        ("1225", "101", 10, "970"),
        ("1226", "101", 10, "282"),
    ],
)
def test_dynamic_values(date: str, service: str, counter: int, value: str) -> None:
    card_key = _key(diversify(Algorithm.TDES, bytes.fromhex("0123456789ABCDEF" * 2), card_block(PAN, "00")))
    assert dynamic_value(card_key, PAN, date, service, counter) == value, CARVER
    check_dynamic_value(card_key, PAN, date, service, counter, value)
    with pytest.raises(Refused):
        check_dynamic_value(card_key, PAN, date, service, counter + 1, value)


def test_cvc3() -> None:
    issuer = bytes.fromhex("01234567899876543210012345678998")
    card_key = _key(diversify(Algorithm.TDES, issuer, card_block("5123456789012345", "00")))
    track = bytes.fromhex("5123456789012345D35121010000000000000F")
    assert cvc3(card_key, track, bytes.fromhex("00000899"), 0x5E) == "29488", PYEMV
    for size in (3, 4, 5):
        check_cvc3(card_key, track, bytes.fromhex("00000899"), 0x5E, "29488"[-size:])
    for wrong in ("", "8", "88", "29487", "029488"):
        with pytest.raises(Refused):
            check_cvc3(card_key, track, bytes.fromhex("00000899"), 0x5E, wrong)


def test_ibm_3624() -> None:
    """The validation data of the second example are four zeros and 12 digits: the tool's own convention."""
    issuer = Ibm3624(key=_key(), table="1234567890123456")
    assert issuer.natural_pin("1122334455667788") == "4524", PSEC
    assert issuer.pin("1122334455667788", "0000") == "4524", PSEC
    assert issuer.offset("1122334455667788", "4524") == "0000", PSEC
    wide = Ibm3624(key=_key())
    assert wide.natural_pin("0000" + PAN[3:15]) == "5775", CARVER
    assert wide.offset("0000" + PAN[3:15], "1234") == "6569", CARVER
    wide.check("0000" + PAN[3:15], "1234", "6569")
    for pin, offset in (("1235", "6569"), ("1234", "6568"), ("12340", "6569"), ("1234", "65690")):
        with pytest.raises(Refused):
            wide.check("0000" + PAN[3:15], pin, offset)


def test_pin_verification_value() -> None:
    assert pin_verification_value(_key(), "1122334455667788", "4524", 3) == "4021", PSEC
    assert pin_verification_value(_key(), PAN, "1234", 1) == "9464", CARVER
    check_pin_verification_value(_key(), PAN, "1234", 1, "9464")
    for pin, index, pvv in (("1235", 1, "9464"), ("1234", 2, "9464"), ("1234", 1, "9465"), ("1234", 1, "")):
        with pytest.raises(Refused):
            check_pin_verification_value(_key(), PAN, pin, index, pvv)


@pytest.mark.filterwarnings(OLD_WARNING)
@given(keys, pans, st.text("0123456789", min_size=4, max_size=12), st.integers(0, 9), st.integers(0, 65535))
def test_the_oracles_agree(key: bytes, pan: str, pin: str, index: int, counter: int) -> None:
    mine = _key(key)
    date, service = pin[:4], f"{counter % 1000:03}"
    assert card_value(mine, pan, date, service) == psec_cvv.generate_cvv(key, pan, date, service)
    wanted = psec_pin.generate_visa_pvv(key, str(index), pin[:4], pan)
    assert pin_verification_value(mine, pan, pin, index) == wanted
    issuer = Ibm3624(key=mine, start=1, length=12, filler="D")
    table = issuer.table
    assert issuer.offset(pan, pin) == psec_pin.generate_ibm3624_offset(key, table, pin, pan, 1, 12, "D")
    assert issuer.pin(pan, pin) == psec_pin.generate_ibm3624_pin(key, table, pin, pan, 1, 12, "D")
    theirs = pyemv_cvv.generate_cvc3(key, pan.encode(), counter.to_bytes(2, "big"), key[:4])
    assert cvc3(mine, pan.encode(), key[:4], counter) == theirs.rjust(5, "0")


@pytest.mark.parametrize("table", ["0" * 16, "0123456012345601", "0000001234567890", "1111100023456789"])
def test_a_decimal_table_that_leaks_is_refused(table: str) -> None:
    with pytest.raises(Refused):
        Ibm3624(key=_key(), table=table)


def test_misuse() -> None:
    aes = BlockKey(cipher=BlockCipher.AES, value=bytes(16))
    triple = _key("0123456789ABCDEFFEDCBA98765432101122334455667788")
    for key in (aes, triple):
        with pytest.raises(Usage):
            card_value(key, PAN, "2512", "201")
    with pytest.raises(Usage):
        Ibm3624(key=aes)
    with pytest.raises(Refused):
        card_value(_key("0123456789ABCDEF" * 2), PAN, "2512", "201")
    for date, service, digits in (
        ("251", "201", 3),
        ("2512", "20", 3),
        ("25ab", "201", 3),
        ("2512", "201", 2),
    ):
        with pytest.raises(Usage):
            card_value(_key(), PAN, date, service, digits)
    for options in (
        {"start": -1},
        {"length": 0},
        {"length": 17},
        {"filler": "G"},
        {"filler": ""},
        {"table": "12"},
    ):
        with pytest.raises(Usage):
            Ibm3624(key=_key(), **options)
    with pytest.raises(Usage):
        Ibm3624(key=_key(), start=10).natural_pin(PAN)
    for value in ("", "1", "13", "0139"):
        with pytest.raises(Refused):
            check_card_value(_key(), PAN, "2512", "201", value)
    for counter in (-1, 10000):
        with pytest.raises(Usage):
            dynamic_value(_key(), PAN, "2512", "201", counter)
    for pan, index in (("12345678", 1), (PAN, 10), (PAN, -1)):
        with pytest.raises(Usage):
            pin_verification_value(_key(), pan, "1234", index)
