"""Key pairs that a store holds: RSA of 2048 bits, P-256 and SM2, by their private values.

RFC 8017 (PKCS #1 version 1.5), FIPS 186-5 (ECDSA), both over SHA-256, and GM/T 0003.2 over SM3 with the default
distinguishing id. Signatures are as certificates carry them. SM2 is libcrypto's where present, else the reference,
which is not constant-time.
"""

from __future__ import annotations

import hashlib

from jinka.crypto import rsa_sign
from jinka.crypto.rsa_sign import ChipKeyKind
from jinka.crypto.sm2 import Sm2PrivateKey, signature_der
from jinka.crypto.sm2_keys import public_info
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.keys.provider import KeyKind
from jinka.kit import Randomness, Refused, Usage

_CHIP_KINDS = {KeyKind.RSA: ChipKeyKind.RSA_2048, KeyKind.P256: ChipKeyKind.P256}


def draw_pair(kind: KeyKind, randomness: Randomness) -> bytes:
    """A fresh private value. RSA and P-256 are drawn by the generator of `cryptography`."""
    if kind is KeyKind.SM2:
        return Sm2PrivateKey.generate(randomness).to_bytes()
    return rsa_sign.generate_pair(_chip_kind(kind))[0]


def check_pair(kind: KeyKind, private: bytes) -> None:
    """Raise `Refused` unless the bytes are a private key of the kind."""
    try:
        public_of_pair(kind, private)
    except Usage as error:
        raise Refused(error.what, where=f"keys.{kind.value}") from None


def public_of_pair(kind: KeyKind, private: bytes) -> bytes:
    """The SubjectPublicKeyInfo."""
    if kind is KeyKind.SM2:
        return public_info(Sm2PrivateKey.from_bytes(private).public_key())
    chip = _chip_kind(kind)
    return rsa_sign.public_info(chip, rsa_sign.public_of(chip, private))


def sign_with(kind: KeyKind, private: bytes, message: bytes, randomness: Randomness) -> bytes:
    """Sign a message."""
    if kind is KeyKind.SM2:
        return signature_der(choose_sm2(randomness).sign(Sm2PrivateKey.from_bytes(private), message))
    made = rsa_sign.sign_digest(_chip_kind(kind), private, hashlib.sha256(message).digest())
    return signature_der(made) if kind is KeyKind.P256 else made  # the same SEQUENCE of two numbers


def _chip_kind(kind: KeyKind) -> ChipKeyKind:
    if kind not in _CHIP_KINDS:
        raise Refused(f"a key of kind {kind.value} is no key pair", where="keys")
    return _CHIP_KINDS[kind]
