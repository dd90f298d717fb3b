"""The reference and libcrypto are one algorithm: the same tests over both, each opens what the other made.

gmssl, a third implementation, is the oracle of signatures and ciphertexts.
"""

from __future__ import annotations

import pytest
from gmssl import sm2 as gmssl_sm2

from jinka.crypto.sm2 import DEFAULT_ID, PLAIN_MAX, Sm2PrivateKey
from jinka.crypto.sm2_keys import private_info, public_info, read_private_info, read_public_info
from jinka.crypto.sm2_libcrypto import Libcrypto, Reference, Sm2Provider, choose_sm2, find_libcrypto
from jinka.kit import Refused, Usage
from tests.crypto.sm2_rig import Seeded
from tests.vectors import test_sm2 as vectors

KEY = Sm2PrivateKey.generate(Seeded(1))
PUBLIC = KEY.public_key()
MESSAGE = "一卡多用".encode()


def _providers() -> list[Sm2Provider]:
    if find_libcrypto() is None:
        pytest.skip("no libcrypto with SM2 (OpenSSL 3)")
    return [Reference(randomness=Seeded(2)), Libcrypto()]


@pytest.fixture(params=["reference", "libcrypto"])
def provider(request: pytest.FixtureRequest) -> Sm2Provider:
    return _providers()[request.param == "libcrypto"]


@pytest.mark.parametrize("user_id", [DEFAULT_ID, b"", b"ALICE123@YAHOO.COM", bytes(1000)])
def test_each_verifies_what_the_other_signed(user_id: bytes) -> None:
    for signer in _providers():
        signature = signer.sign(KEY, MESSAGE, user_id=user_id)
        for verifier in _providers():
            verifier.verify(PUBLIC, MESSAGE, signature, user_id=user_id)
            with pytest.raises(Refused):
                verifier.verify(PUBLIC, MESSAGE, signature, user_id=user_id + b"x")


@pytest.mark.parametrize("size", [1, 2, 31, 32, 33, 4096])
def test_each_opens_what_the_other_closed(size: int) -> None:
    plain = Seeded(size).token_bytes(size)
    for sealer in _providers():
        cipher = sealer.encrypt(PUBLIC, plain)
        assert len(cipher) == 97 + size
        for opener in _providers():
            assert opener.decrypt(KEY, cipher) == plain


def test_the_standard_examples(provider: Sm2Provider) -> None:
    key = Sm2PrivateKey.from_bytes(bytes.fromhex(vectors.KEY))
    provider.verify(key.public_key(), b"message digest", bytes.fromhex(vectors.SIGNATURE))
    cipher = bytes.fromhex(vectors.C1 + vectors.C3 + vectors.C2)
    assert provider.decrypt(key, cipher) == b"encryption standard"


def test_an_empty_message_is_signed(provider: Sm2Provider) -> None:
    provider.verify(PUBLIC, b"", provider.sign(KEY, b""))


def test_signatures_differ_each_time(provider: Sm2Provider) -> None:
    assert provider.sign(KEY, MESSAGE) != provider.sign(KEY, MESSAGE)


def test_wrong_signatures(provider: Sm2Provider) -> None:
    signature = provider.sign(KEY, MESSAGE)
    flipped = bytes((signature[0] ^ 1,)) + signature[1:]
    for wrong in (flipped, signature[:-1], signature + b"\0", b"", bytes(64), b"\xff" * 64):
        with pytest.raises(Refused):
            provider.verify(PUBLIC, MESSAGE, wrong)
    provider.verify(PUBLIC, MESSAGE, signature)  # and the library still answers


def test_wrong_ciphertexts(provider: Sm2Provider) -> None:
    cipher = provider.encrypt(PUBLIC, MESSAGE)
    for at in (0, 1, 40, 64, 65, 96, 97, len(cipher) - 1):
        wrong = bytearray(cipher)
        wrong[at] ^= 0x21
        with pytest.raises(Refused):
            provider.decrypt(KEY, bytes(wrong))
    for pieces in (
        b"",
        cipher[:97],
        cipher[:-1],
        cipher + b"\0",
        b"\x04" + bytes(300),
        bytes(97 + PLAIN_MAX + 1),
    ):
        with pytest.raises(Refused):
            provider.decrypt(KEY, pieces)
    with pytest.raises(Refused):
        provider.decrypt(Sm2PrivateKey.generate(Seeded(5)), cipher)


@pytest.mark.parametrize("size", [0, PLAIN_MAX + 1])
def test_limits(provider: Sm2Provider, size: int) -> None:
    with pytest.raises(Usage):
        provider.encrypt(PUBLIC, bytes(size))


def test_the_choice_falls_on_libcrypto_where_it_is() -> None:
    assert choose_sm2(Seeded(1)).name == _providers()[1].name
    assert "not constant-time" in _providers()[0].name


def test_gmssl_agrees(provider: Sm2Provider) -> None:
    oracle = gmssl_sm2.CryptSM2(KEY.to_bytes().hex(), PUBLIC.coordinates().hex(), mode=1, asn1=False)
    signature = provider.sign(KEY, MESSAGE)
    assert oracle.verify_with_sm3(signature.hex(), MESSAGE)
    provider.verify(PUBLIC, MESSAGE, bytes.fromhex(oracle.sign_with_sm3(MESSAGE)))
    assert oracle.decrypt(provider.encrypt(PUBLIC, MESSAGE)[1:]) == MESSAGE  # it leaves the 04 out
    assert provider.decrypt(KEY, b"\x04" + oracle.encrypt(MESSAGE)) == MESSAGE


def test_keys_have_one_encoding() -> None:
    public, private = public_info(PUBLIC), private_info(KEY)
    assert read_public_info(public) == PUBLIC
    assert read_private_info(private) == KEY
    on_p256 = public.replace(bytes.fromhex("06082a811ccf5501822d"), bytes.fromhex("06082a8648ce3d030107"))
    for wrong in (on_p256, public[:-1], public + b"\0", b"", public[:-1] + bytes((public[-1] ^ 1,))):
        with pytest.raises(Refused):
            read_public_info(wrong)
    for wrong in (private[:-1], private + b"\0", b"", private[:-1] + bytes((private[-1] ^ 1,)), public):
        with pytest.raises(Refused):
            read_private_info(wrong)
