"""Signatures by the key service. Goal: RSA, P-256 and SM2 sign behind the verb, wherever the key lives.

Method: `openssl` (through tests of certificates), `cryptography` and both SM2 implementations verify what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from jinka.crypto.sm2 import signature_raw
from jinka.crypto.sm2_keys import read_public_info
from jinka.crypto.x509_keys import check_signature, key_kind
from jinka.keys.acts import draw
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.pairs import draw_pair
from jinka.keys.port import Purpose
from jinka.keys.provider import KeyKind, Provider
from jinka.keys.signing import ServiceSigner
from jinka.keys.soft_provider import SoftProvider
from jinka.keys.store import KeyStore
from jinka.kit import Refused
from tests.keys import payments
from tests.keys.ground import Dice
from tests.keys.payments import Rig

KINDS = (KeyKind.RSA, KeyKind.P256, KeyKind.SM2)
STEPS: tuple[tuple[str, tuple[bytes, ...]], ...] = (
    ("encrypt", (bytes(16),)),
    ("derive", (bytes(16),)),
    ("left", ()),
    ("hmac", (b"",)),
    ("encrypt_cbc", (bytes(16), bytes(16))),
)
VALUES = {kind: draw_pair(kind, Dice()) for kind in KINDS}


@pytest.fixture(params=["soft", "pkcs11+soft", "socket"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    makers: dict[str, Callable[[], Provider | None]] = {"pkcs11+soft": payments.routed}
    made = payments.rig(makers.get(request.param, SoftProvider)())
    for kind in KINDS:
        name = KeyName(purpose=Purpose.SIGN, algorithm=kind.value, version=1)
        key = made.holding.provider.load(kind, VALUES[kind])
        made.holding.working.keys.add(KeyRecord(name=name, check=""), key)
    try:
        if request.param == "socket":
            with payments.over_socket(made, tmp_path) as remote:
                yield remote
        else:
            yield made
    finally:
        made.holding.provider.close()


@pytest.mark.parametrize("kind", KINDS)
def test_sign_and_verify(rig: Rig, kind: KeyKind) -> None:
    key, message = f"sign/{kind.value}/1", b"a record"
    made = rig.service.sign(message, key=key)
    public = rig.service.public_key(key=key)
    if kind is KeyKind.SM2:
        read_public_info(public).verify(message, signature_raw(made))  # the reference
    else:
        oracle = serialization.load_der_public_key(public)
        if isinstance(oracle, rsa.RSAPublicKey):
            oracle.verify(made, message, padding.PKCS1v15(), hashes.SHA256())
        else:
            assert isinstance(oracle, ec.EllipticCurvePublicKey)
            oracle.verify(made, message, ec.ECDSA(hashes.SHA256()))
    rig.service.verify(message, made, key=key)
    others = [rig.service.sign(message, key=f"sign/{other.value}/1") for other in KINDS if other is not kind]
    for text, signature in (
        (b"another", made),
        (message, made[:-1]),
        (message, b""),
        *((message, o) for o in others),
    ):
        with pytest.raises(Refused):
            rig.service.verify(text, signature, key=key)


@pytest.mark.parametrize("kind", KINDS)
def test_a_signer_for_certificates(rig: Rig, kind: KeyKind) -> None:
    signer = ServiceSigner(service=rig.service, key=f"sign/{kind.value}/1")
    made = signer.sign(b"to be signed")
    check_signature(signer.public_der, key_kind(signer.public_der).value, b"to be signed", made)


def test_a_key_pair_signs_and_does_nothing_else(rig: Rig) -> None:
    with pytest.raises(Refused, match="the key is for zone_pin"):
        rig.service.sign(b"x", key="zone_pin/TDES/1@bank")
    for kind in KINDS:
        for call in (
            lambda key: rig.service.wrap_key(key=key, under="zone_master/AES/1@bank"),
            lambda key: rig.service.generate_pos_mac(b"x", key=key),
        ):
            with pytest.raises(Refused):
                call(f"sign/{kind.value}/1")


@pytest.mark.parametrize("kind", KINDS)
def test_steps_that_a_pair_lacks(kind: KeyKind) -> None:
    for provider in (SoftProvider(), payments.token()):
        if kind in provider.kinds:
            key = provider.load(kind, VALUES[kind])
            for step, given in STEPS:
                with pytest.raises(Refused):
                    getattr(key, step)(*given)
            plain = provider.load(KeyKind.TDES, payments.KEY)
            with pytest.raises(Refused):
                plain.sign(b"", Dice())
            with pytest.raises(Refused):
                plain.public_der()
        else:
            assert kind is KeyKind.SM2, "a token lacks SM2 alone"
            with pytest.raises(Refused, match="has no SM2"):
                provider.load(kind, VALUES[kind])
        for bad in (b"", bytes(32), bytes(256), b"\xff" * 32):
            with pytest.raises(Refused):
                provider.load(kind, bad)
        provider.close()


def test_pairs_stay_on_a_token() -> None:
    token = payments.token()
    for kind in (KeyKind.RSA, KeyKind.P256):
        name = KeyName(purpose=Purpose.SIGN, algorithm=kind.value, version=21)
        token.store(name, VALUES[kind])
        with pytest.raises(Refused, match="of that name"):
            token.store(name, VALUES[kind])
    token.close()
    token = payments.token()
    for kind in (KeyKind.RSA, KeyKind.P256):
        key = token.key(KeyName(purpose=Purpose.SIGN, algorithm=kind.value, version=21))
        assert key is not None, "it is there for the next session"
        check_signature(key.public_der(), key_kind(key.public_der()).value, b"x", key.sign(b"x", Dice()))
        assert key.public_der() == SoftProvider().load(kind, VALUES[kind]).public_der()
        with pytest.raises(Refused, match="give this key away"):
            key.reveal()
    token.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_ceremony_draws_pairs(kind: KeyKind) -> None:
    store = KeyStore(issuer="bank", simulated=False, roots={}, records={})
    name = KeyName(purpose=Purpose.SIGN, algorithm=kind.value, version=1)
    done = draw(store, name, Dice())
    key = SoftProvider(done.store.roots).key(name)
    assert key is not None
    check_signature(key.public_der(), key_kind(key.public_der()).value, b"x", key.sign(b"x", Dice()))
