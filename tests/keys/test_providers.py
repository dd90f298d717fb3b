"""One conformance suite over both providers. Goal: a key does the same wherever it lives, or says that it cannot.

Method: published vectors and `cryptography` itself as oracle, on keys in memory and on a SoftHSM2 token.
"""

from __future__ import annotations

import hmac
import os
import pickle
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jinka.codec import Algorithm
from jinka.crypto.block import diversify, pad80, retail_mac8
from jinka.keys import KeyName, Purpose
from jinka.keys.provider import KeyKind, Provider, Routed
from jinka.keys.soft_provider import SoftProvider
from jinka.kit import JinkaError, NotFound, Refused, Usage
from tests.keys import hsm

VALUES = {
    KeyKind.DES: bytes.fromhex("133457799bbcdff1"),
    KeyKind.TDES: bytes.fromhex("0123456789abcdeffedcba9876543210"),
    KeyKind.SM4: bytes.fromhex("0123456789abcdeffedcba9876543210"),
    KeyKind.AES: bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"),
    KeyKind.HMAC: bytes(range(32)),
    KeyKind.GCM: bytes(range(32, 64)),
}
CIPHERS = (KeyKind.DES, KeyKind.TDES, KeyKind.SM4, KeyKind.AES)


def _token() -> Provider:
    from jinka.node.pkcs11 import Pkcs11Provider

    module = hsm.module()
    hsm.token_folder()
    return Pkcs11Provider(module, token=hsm.TOKEN, pin=hsm.PIN)


def _routed() -> Provider:
    return Routed(_token(), SoftProvider())


PROVIDERS = ("soft", "pkcs11", "pkcs11+soft")
# SoftHSM2 lacks SM4 alone: see test_a_token_refuses_what_it_lacks.
WITH_KINDS = [
    (name, kind) for name in PROVIDERS for kind in CIPHERS if (name, kind) != ("pkcs11", KeyKind.SM4)
]
ROOTS = [(name, kind) for name, kind in WITH_KINDS if kind in (KeyKind.TDES, KeyKind.SM4)]


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Iterator[Provider]:
    makers: dict[str, Callable[[], Provider]] = {
        "soft": SoftProvider,
        "pkcs11": _token,
        "pkcs11+soft": _routed,
    }
    made = makers[request.param]()
    yield made
    made.close()


def cipher(kind: KeyKind, key: bytes) -> object:
    if kind is KeyKind.SM4:
        return algorithms.SM4(key)
    if kind is KeyKind.AES:
        return algorithms.AES(key)
    return TripleDES((key * 3)[:24] if kind is KeyKind.DES else key + key[:8])


@pytest.mark.parametrize("provider", ["pkcs11"], indirect=True)
def test_a_token_refuses_what_it_lacks(provider: Provider) -> None:
    assert set(CIPHERS) - set(provider.kinds) == {KeyKind.SM4}
    with pytest.raises(Refused):
        provider.load(KeyKind.SM4, VALUES[KeyKind.SM4])


@pytest.mark.parametrize(("provider", "kind"), WITH_KINDS, indirect=["provider"])
def test_ciphers(provider: Provider, kind: KeyKind) -> None:
    key, block = provider.load(kind, VALUES[kind]), kind.block
    data, iv = os.urandom(5 * block), os.urandom(block)
    oracle = Cipher(cipher(kind, VALUES[kind]), modes.ECB())
    assert key.encrypt(data) == oracle.encryptor().update(data)
    assert key.decrypt(key.encrypt(data)) == data
    chained = Cipher(cipher(kind, VALUES[kind]), modes.CBC(iv))
    assert key.encrypt_cbc(data, iv) == chained.encryptor().update(data)
    assert key.decrypt_cbc(key.encrypt_cbc(data, iv), iv) == data
    assert key.encrypt(b"") == key.decrypt(b"") == key.decrypt_cbc(b"", iv) == b""
    for bad in (data[:-1], b"x"):
        with pytest.raises(Usage):
            key.encrypt(bad)
        with pytest.raises(Usage):
            key.decrypt_cbc(bad, iv)
    with pytest.raises(Usage):
        key.encrypt_cbc(data, iv[:-1])


def test_published_vectors(provider: Provider) -> None:
    des = provider.load(
        KeyKind.DES, VALUES[KeyKind.DES]
    )  # the worked example of J. O. Grabbe, "The DES Algorithm"
    assert des.encrypt(bytes.fromhex("0123456789abcdef")).hex() == "85e813540f0ab405"
    aes = provider.load(KeyKind.AES, VALUES[KeyKind.AES])  # FIPS 197, appendix B
    text = bytes.fromhex("3243f6a8885a308d313198a2e0370734")
    assert aes.encrypt(text).hex() == "3925841d02dc09fbdc118597196a0b32"


@pytest.mark.parametrize("provider", ["soft", "pkcs11+soft"], indirect=True)
def test_the_published_vector_of_sm4(provider: Provider) -> None:
    sm4 = provider.load(KeyKind.SM4, VALUES[KeyKind.SM4])  # GM/T 0002, appendix A
    assert sm4.encrypt(VALUES[KeyKind.SM4]).hex() == "681edf34d206965e86b3e94f536e4246"


@pytest.mark.parametrize(("provider", "kind"), ROOTS, indirect=["provider"])
def test_keys_come_down(provider: Provider, kind: KeyKind) -> None:
    algorithm = Algorithm[kind.name]
    root = provider.load(kind, VALUES[kind])
    factors = np.random.default_rng(1).integers(0, 256, (70, 8), dtype=np.uint8)
    wanted = [diversify(algorithm, VALUES[kind], row.tobytes()) for row in factors]
    assert [row.tobytes() for row in root.diversify(factors)] == wanted
    child = root.derive(factors[0].tobytes() + (~factors[0]).tobytes())
    grandchild = child.derive(bytes(range(16)))
    block, data = kind.block, os.urandom(32)
    below = Cipher(cipher(kind, wanted[0]), modes.ECB()).encryptor().update(bytes(range(16)))
    oracle = Cipher(cipher(kind, below), modes.CBC(bytes(block))).encryptor().update(data)
    assert grandchild.encrypt_cbc(data, bytes(block)) == oracle
    child.close()
    with pytest.raises(Refused):
        child.encrypt(data)
    with pytest.raises(Usage):
        root.derive(b"short")


def test_sessions_and_left_halves(provider: Provider) -> None:
    root = provider.load(KeyKind.TDES, VALUES[KeyKind.TDES])
    seed, data = os.urandom(8), os.urandom(24)
    session = root.derive(seed)
    assert session.kind is KeyKind.DES
    key8 = Cipher(cipher(KeyKind.TDES, VALUES[KeyKind.TDES]), modes.ECB()).encryptor().update(seed)
    oracle = Cipher(TripleDES(key8 * 3), modes.CBC(bytes(8))).encryptor().update(data)
    assert session.encrypt_cbc(data, bytes(8)) == oracle
    for key, value in (
        (root, VALUES[KeyKind.TDES]),
        (root.derive(b"12345678" * 2), root.encrypt(b"12345678" * 2)),
    ):
        padded = pad80(data, 8)
        chain = key.left().encrypt_cbc(padded[:-8], bytes(8))[-8:]
        last = bytes(a ^ b for a, b in zip(chain, padded[-8:], strict=True))
        assert key.encrypt(last) == retail_mac8(value, data)


@pytest.mark.parametrize(("provider", "kind"), ROOTS, indirect=["provider"])
def test_tacs_in_bulk(provider: Provider, kind: KeyKind) -> None:
    from jinka.crypto.bulk import sm4_tacs, tdes_tacs

    algorithm, root = Algorithm[kind.name], provider.load(kind, VALUES[kind])
    dice = np.random.default_rng(2)
    factors, messages = dice.integers(0, 256, (600, 8), np.uint8), dice.integers(0, 256, (600, 32), np.uint8)
    made = {Algorithm.TDES: tdes_tacs, Algorithm.SM4: sm4_tacs}[algorithm](VALUES[kind], factors, messages)
    assert root.tacs(factors, messages, threads=2).tobytes() == made.tobytes()


def test_hmac_and_seals(provider: Provider) -> None:
    key = provider.load(KeyKind.HMAC, VALUES[KeyKind.HMAC])
    for data in (b"", b"x" * 100_000):
        assert key.hmac(data) == hmac.digest(VALUES[KeyKind.HMAC], data, "sha256")
    gcm = provider.load(KeyKind.GCM, VALUES[KeyKind.GCM])
    plain, nonce = os.urandom(70_000), os.urandom(12)
    blob = gcm.seal(plain, context="card 1", nonce12=nonce)
    oracle = AESGCM(VALUES[KeyKind.GCM]).encrypt(nonce, plain, b"JKS1card 1")
    assert blob == b"JKS1" + nonce + oracle
    assert gcm.unseal(blob, context="card 1") == plain
    for bad, context in (
        (blob, "card 2"),
        (blob[:-1], "card 1"),
        (b"JKS2" + blob[4:], "card 1"),
        (b"", "card 1"),
    ):
        with pytest.raises(Refused):
            gcm.unseal(bad, context=context)


def test_a_key_does_only_what_its_kind_can(provider: Provider) -> None:
    tdes = provider.load(KeyKind.TDES, VALUES[KeyKind.TDES])
    mac = provider.load(KeyKind.HMAC, VALUES[KeyKind.HMAC])
    for act in (
        lambda: tdes.hmac(b""),
        lambda: tdes.seal(b"", context="", nonce12=bytes(12)),
        lambda: mac.encrypt(bytes(16)),
        lambda: mac.derive(bytes(16)),
        lambda: mac.left(),
        lambda: mac.encrypt_cbc(bytes(16), bytes(16)),
    ):
        with pytest.raises(Refused):
            act()


def test_wrong_sizes_and_missing_keys(provider: Provider) -> None:
    for kind, value in ((KeyKind.TDES, bytes(8)), (KeyKind.AES, bytes(15)), (KeyKind.HMAC, b"")):
        with pytest.raises(Refused):
            provider.load(kind, value)
    assert provider.key(KeyName(purpose=Purpose.TAC, algorithm="TDES", version=99)) is None


def test_no_value_shows(provider: Provider) -> None:
    key = provider.load(KeyKind.TDES, VALUES[KeyKind.TDES])
    assert VALUES[KeyKind.TDES].hex() not in repr(key) + repr(provider)
    with pytest.raises(Refused):
        pickle.dumps(key)


def test_a_tokens_keys_stay_on_it() -> None:
    token = _token()
    name = KeyName(purpose=Purpose.TAC, algorithm="TDES", version=7)
    token.store(name, VALUES[KeyKind.TDES])
    with pytest.raises(Refused, match="of that name"):
        token.store(name, VALUES[KeyKind.TDES])
    token.close()
    token = _token()
    key = token.key(name)
    assert key is not None, "it is there for the next session"
    assert key.encrypt(bytes(8)).hex() == "08d7b4fb629d0885"  # as openssl des-ede-ecb gives
    with pytest.raises(Refused, match="give this key away"):
        key.reveal()
    with pytest.raises(JinkaError):
        key.decrypt(bytes(8))  # a root of TACs opens nothing
    left = key.left()
    assert left.encrypt(bytes(8)).hex() == "d5d44ff720683d0d"
    token.close()


def test_a_token_that_does_not_open() -> None:
    from jinka.node.pkcs11 import Pkcs11Provider

    module = hsm.module()
    hsm.token_folder()
    with pytest.raises(Refused, match="does not open") as caught:
        Pkcs11Provider(module, token=hsm.TOKEN, pin="000000")
    assert "000000" not in str(caught.value)
    with pytest.raises(Refused):
        Pkcs11Provider(module, token="none", pin=hsm.PIN)
    with pytest.raises(NotFound):
        Pkcs11Provider(module.with_name("no.so"), token=hsm.TOKEN, pin=hsm.PIN)


def test_wiped_keys_are_gone() -> None:
    name = KeyName(purpose=Purpose.TAC, algorithm="TDES", version=1)
    soft = SoftProvider({name: VALUES[KeyKind.TDES]})
    key = soft.key(name)
    assert key is not None
    assert soft.locked
    key.encrypt(bytes(8))
    soft.close()
    with pytest.raises(JinkaError, match="wiped"):
        key.encrypt(bytes(8))
