"""SM2 certificates and signatures of bank cards: what fits is taken, and every byte of it counts.

Goal: no other data, key or distinguishing id passes. Method: each byte is changed in turn; gmssl, a program not written
here, checks the signatures over the parts that the layout names.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from gmssl import sm2 as gmssl_sm2

from jinka.crypto import emv_oda_sm2 as oda
from jinka.crypto.emv_oda_sm2 import Sm2CaKey, Sm2Form
from jinka.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from jinka.kit import Refused, Usage
from jinka.sim.randomness import SeededRandomness

CHANCE = SeededRandomness("SM2 certificates")
CA, ISSUER, ICC, OTHER = (Sm2PrivateKey.generate(CHANCE) for _ in range(4))
PAN = "6228000100001117"
TODAY = dt.date(2018, 9, 1)
STATIC = bytes(range(60)) + b"\x7d\x00"
CA_KEY = Sm2CaKey(b"\xa0\0\0\x03\x33", 0x57, CA.public_key(), dt.date(2030, 12, 31))
ISSUER_CERTIFICATE = oda.certify_issuer(
    CA, ISSUER.public_key(), CHANCE, identifier="622800", expiry=b"\x12\x29", serial=b"\0\0\1"
)
ICC_CERTIFICATE = oda.certify_icc(
    ISSUER,
    ICC.public_key(),
    CHANCE,
    pan=PAN,
    expiry=b"\x12\x28",
    serial=b"\0\0\2",
    static_data=STATIC,
)
STATIC_SIGNED = oda.sign_static(ISSUER, b"\xda\xc1", STATIC, CHANCE)
DYNAMIC_SIGNED = oda.sign_dynamic(ICC, b"\x08" + bytes(8), b"\x11\x22\x33\x44", CHANCE)


def _issuer(raw: bytes) -> Sm2PublicKey:
    return oda.check_issuer(CA_KEY, raw, PAN, TODAY)


def _icc(raw: bytes) -> Sm2PublicKey:
    return oda.check_icc(ISSUER.public_key(), raw, PAN, STATIC, TODAY)


def _static(raw: bytes) -> bytes:
    return oda.check_static(ISSUER.public_key(), raw, STATIC)


def _dynamic(raw: bytes) -> bytes:
    return oda.check_dynamic(ICC.public_key(), raw, b"\x11\x22\x33\x44")


CHECKS = {
    "issuer certificate": (ISSUER_CERTIFICATE, _issuer),
    "card certificate": (ICC_CERTIFICATE, _icc),
    "static signature": (STATIC_SIGNED, _static),
    "dynamic signature": (DYNAMIC_SIGNED, _dynamic),
}


def test_the_chain_gives_the_keys_and_the_data() -> None:
    assert _issuer(ISSUER_CERTIFICATE) == ISSUER.public_key()
    assert _icc(ICC_CERTIFICATE) == ICC.public_key()
    assert _static(STATIC_SIGNED) == b"\xda\xc1"
    assert _dynamic(DYNAMIC_SIGNED) == b"\x08" + bytes(8)


def test_the_layout_is_that_of_terminals_in_the_field() -> None:
    head = bytes.fromhex("12 622800FF 1229 000001 04 00 11 40")
    assert ISSUER_CERTIFICATE.startswith(head + ISSUER.public_key().coordinates())
    head = bytes.fromhex("14 6228000100001117FFFF 1228 000002 04 00 11 40")
    assert ICC_CERTIFICATE.startswith(head + ICC.public_key().coordinates())
    assert STATIC_SIGNED[:3] == bytes.fromhex("13DAC1")
    assert DYNAMIC_SIGNED[:11] == bytes.fromhex("1509 08") + bytes(8)
    assert [len(raw) for raw, _ in CHECKS.values()] == [142, 148, 67, 75]


@pytest.mark.parametrize(
    ("key", "message", "signature"),
    [
        (CA, ISSUER_CERTIFICATE[:78], ISSUER_CERTIFICATE[78:]),
        (ISSUER, ICC_CERTIFICATE[:84] + STATIC, ICC_CERTIFICATE[84:]),
        (ISSUER, STATIC_SIGNED[:3] + STATIC, STATIC_SIGNED[3:]),
        (ICC, DYNAMIC_SIGNED[:11] + b"\x11\x22\x33\x44", DYNAMIC_SIGNED[11:]),
    ],
    ids=list(CHECKS),
)
def test_gmssl_finds_the_signatures_right(key: Sm2PrivateKey, message: bytes, signature: bytes) -> None:
    oracle = gmssl_sm2.CryptSM2(public_key=key.public_key().coordinates().hex(), private_key="")
    assert oracle.verify_with_sm3(signature.hex(), message)
    assert not oracle.verify_with_sm3(signature.hex(), message + b"\0")


@pytest.mark.parametrize("name", CHECKS)
def test_every_byte_counts(name: str) -> None:
    raw, check = CHECKS[name]
    for at in range(len(raw)):
        changed = raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]
        with pytest.raises(Refused):
            check(changed)
    for other in (b"", raw[:-1], raw + b"\0", raw[1:], raw[:1], bytes(len(raw))):
        with pytest.raises(Refused):
            check(other)


@pytest.mark.parametrize("name", CHECKS)
def test_the_wrong_key_and_the_wrong_kind(name: str) -> None:
    for other, (raw, _check) in CHECKS.items():
        if other != name:
            with pytest.raises(Refused):
                CHECKS[name][1](raw)
    stranger, raw = OTHER.public_key(), CHECKS[name][0]
    with pytest.raises(Refused):
        if name == "issuer certificate":
            oda.check_issuer(replace(CA_KEY, key=stranger), raw, PAN, TODAY)
        elif name == "card certificate":
            oda.check_icc(stranger, raw, PAN, STATIC, TODAY)
        elif name == "static signature":
            oda.check_static(stranger, raw, STATIC)
        else:
            oda.check_dynamic(stranger, raw, b"\x11\x22\x33\x44")


@pytest.mark.parametrize(
    "form",
    [
        Sm2Form(user_id=b"another id"),
        Sm2Form(user_id=b""),
        Sm2Form(encryption=0x04),
        Sm2Form(curve=0x00),
    ],
    ids=["id", "no id", "encryption", "curve"],
)
def test_another_form_is_another_scheme(form: Sm2Form) -> None:
    with pytest.raises(Refused):
        oda.check_issuer(replace(CA_KEY, form=form), ISSUER_CERTIFICATE, PAN, TODAY)
    with pytest.raises(Refused):
        oda.check_icc(ISSUER.public_key(), ICC_CERTIFICATE, PAN, STATIC, TODAY, form)
    made = oda.certify_issuer(
        CA,
        ISSUER.public_key(),
        CHANCE,
        identifier="622800",
        expiry=b"\x12\x29",
        serial=b"\0\0\1",
        form=form,
    )
    assert oda.check_issuer(replace(CA_KEY, form=form), made, PAN, TODAY) == ISSUER.public_key()


def test_dates_numbers_and_data() -> None:
    with pytest.raises(Refused, match="out of date"):
        oda.check_issuer(replace(CA_KEY, expiry=None), ISSUER_CERTIFICATE, PAN, dt.date(2030, 1, 1))
    with pytest.raises(Refused, match="CA's key"):
        oda.check_issuer(replace(CA_KEY, expiry=dt.date(2018, 8, 31)), ISSUER_CERTIFICATE, PAN, TODAY)
    with pytest.raises(Refused, match="made for"):
        oda.check_issuer(CA_KEY, ISSUER_CERTIFICATE, "6229000100001117", TODAY)
    with pytest.raises(Refused, match="another card"):
        oda.check_icc(ISSUER.public_key(), ICC_CERTIFICATE, "6228000100001118", STATIC, TODAY)
    with pytest.raises(Refused, match="out of date"):
        oda.check_icc(ISSUER.public_key(), ICC_CERTIFICATE, PAN, STATIC, dt.date(2029, 1, 1))
    with pytest.raises(Refused):
        oda.check_icc(ISSUER.public_key(), ICC_CERTIFICATE, PAN, STATIC + b"\0", TODAY)
    with pytest.raises(Refused):
        oda.check_dynamic(ICC.public_key(), DYNAMIC_SIGNED, b"\x11\x22\x33\x45")
    with pytest.raises(Usage):
        oda.sign_dynamic(ICC, bytes(256), b"", CHANCE)


def test_contact_and_contactless_signatures_are_not_mixed_up() -> None:
    tap = oda.sign_dynamic(ICC, b"\x02\x00\x01", b"tap", CHANCE, contactless=True)
    assert tap[0] == 0xA5
    assert oda.check_dynamic(ICC.public_key(), tap, b"tap", contactless=True) == b"\x02\x00\x01"
    with pytest.raises(Refused):
        oda.check_dynamic(ICC.public_key(), tap, b"tap")
    with pytest.raises(Refused):
        oda.check_dynamic(ICC.public_key(), DYNAMIC_SIGNED, b"\x11\x22\x33\x44", contactless=True)


def test_a_combined_signature_binds_the_transaction() -> None:
    data = oda.combined_data(b"\x01" * 8, 0x40, b"\x02" * 8, b"transaction")
    assert oda.check_combined(data, b"transaction") == (0x40, b"\x02" * 8)
    for bad, transaction in ((data, b"other"), (data[:-1], b"transaction"), (b"", b""), (b"\xff", b"")):
        with pytest.raises(Refused):
            oda.check_combined(bad, transaction)
