"""Keys and signatures of certificates: RSA and ECDSA over SHA-256, SM2 over SM3 (RFC 5280, 4.1.1.2; GM/T 0015).

A key decides the algorithm: there is nothing to negotiate and nothing to downgrade. Admitted are RSA from 2048 to 8192
bits with exponent 65537, the curves P-256 and P-384, and sm2p256v1 with the default distinguishing id; others are
refused. `Signer` is what an authority asks of whoever holds its key: the key service, a token, or `SoftSigner`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from jinka.crypto.certificates import SigningKey, sign_message, verify_message
from jinka.crypto.sm2 import Sm2PrivateKey, signature_der, signature_raw
from jinka.crypto.sm2_keys import public_info, read_public_info
from jinka.crypto.sm2_libcrypto import Sm2Provider, verify_sm2
from jinka.kit import Randomness, Refused

_RSA_BITS_MIN, _RSA_BITS_MAX, _RSA_EXPONENT = 2048, 8192, 65537
_SM2_MARK = bytes.fromhex("06072a8648ce3d020106082a811ccf5501822d")


class KeyKind(Enum):
    """What a key is; the value is the AlgorithmIdentifier (DER) of its signatures."""

    RSA = bytes.fromhex("300d06092a864886f70d01010b0500")  # sha256WithRSAEncryption
    ECDSA = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
    SM2 = bytes.fromhex("300a06082a811ccf55018375")  # 1.2.156.10197.1.501


class Signer(Protocol):
    """Holds one private key and signs with it."""

    @property
    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature as a certificate carries it: PKCS #1 version 1.5, or DER."""
        ...


@dataclass(frozen=True, slots=True)
class SoftSigner:
    """RSA or ECDSA with a key in this process's memory."""

    key: SigningKey

    def __repr__(self) -> str:
        return "SoftSigner(***)"

    @classmethod
    def generate(cls, kind: KeyKind, bits: int = 2048) -> SoftSigner:
        """A fresh P-256 or RSA key, drawn by `cryptography`."""
        if kind is KeyKind.ECDSA:
            return cls(ec.generate_private_key(ec.SECP256R1()))
        if kind is KeyKind.RSA:
            return cls(rsa.generate_private_key(_RSA_EXPONENT, bits))
        raise Refused("SM2 keys are made by Sm2Signer", where="key")

    @property
    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.DER, form)

    def sign(self, message: bytes) -> bytes:
        """Sign over SHA-256."""
        return sign_message(self.key, message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Signer:
    """SM2 with a key in this process's memory, by the provider that was chosen."""

    key: Sm2PrivateKey
    provider: Sm2Provider

    @classmethod
    def generate(cls, randomness: Randomness, provider: Sm2Provider) -> Sm2Signer:
        """A fresh key from ``randomness``."""
        return cls(key=Sm2PrivateKey.generate(randomness), provider=provider)

    @property
    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return public_info(self.key.public_key())

    def sign(self, message: bytes) -> bytes:
        """Sign over SM3 with the default distinguishing id."""
        return signature_der(self.provider.sign(self.key, message))


def key_kind(public_der: bytes) -> KeyKind:
    """What a SubjectPublicKeyInfo holds; `Refused` for every key that is not admitted."""
    if _SM2_MARK in public_der[:40]:
        read_public_info(public_der)
        return KeyKind.SM2
    try:
        key = serialization.load_der_public_key(public_der)
    except Exception:  # the parser raises several kinds for bytes from outside
        raise Refused("not a public key, or on an unknown curve", where="public key") from None
    if isinstance(key, rsa.RSAPublicKey):
        if not _RSA_BITS_MIN <= key.key_size <= _RSA_BITS_MAX or key.public_numbers().e != _RSA_EXPONENT:
            raise Refused(
                f"RSA of {key.key_size} bits", where="public key", fix="2048 to 8192, exponent 65537"
            )
        return KeyKind.RSA
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1):
        return KeyKind.ECDSA
    raise Refused("neither RSA nor on an admitted curve", where="public key", fix="P-256, P-384 or sm2p256v1")


def check_signature(public_der: bytes, algorithm: bytes, message: bytes, signature: bytes) -> None:
    """Check a signature of the one algorithm that the key has; raises `Refused`."""
    kind = key_kind(public_der)
    if algorithm != kind.value:
        raise Refused("another algorithm than the key's", where="signature")
    if kind is KeyKind.SM2:
        verify_sm2(read_public_info(public_der), message, signature_raw(signature))
    else:
        verify_message(public_der, message, signature)
