"""Key pairs on a PKCS#11 token: RSA and ECDSA on P-256 (v2.40, 2.1 and 2.3). SM2 is refused.

SoftHSM2 makes keys on the curve of SM2 and signs with them by ECDSA, which is no SM2 signature; so no curve but P-256
comes onto a token here.
"""

from __future__ import annotations

import hashlib
from typing import Any

from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass

from jinka.crypto import rsa_sign
from jinka.crypto.rsa_sign import EXPONENT, ChipKeyKind
from jinka.crypto.sm2 import signature_der
from jinka.keys.provider import KeyKind
from jinka.kit import Randomness, Refused
from jinka.node.pkcs11_key import Token, TokenKey

_P256 = bytes.fromhex("06082a8648ce3d030107")
_OCTETS = b"\x04\x41"
_COMMON = {
    Attribute.PRIVATE: True,
    Attribute.SENSITIVE: True,
    Attribute.EXTRACTABLE: False,
    Attribute.SIGN: True,
}


class TokenPair(TokenKey):
    """A private key on the token; its public half was read when it was opened."""

    __slots__ = ("_public", "_session_only")

    def __init__(
        self, token: Token, kind: KeyKind, handle: Any, *, public: bytes, session_only: bool = False
    ) -> None:
        super().__init__(token, kind, handle)
        self._public, self._session_only = public, session_only

    @property
    def size(self) -> int:
        return 256 if self.kind is KeyKind.RSA else 32

    def sign(self, message: bytes, randomness: Randomness) -> bytes:  # noqa: ARG002 the token has its own
        if self.kind is KeyKind.RSA:
            return self._do("sign", message, mechanism=Mechanism.SHA256_RSA_PKCS)
        digest = hashlib.sha256(message).digest()
        return signature_der(self._do("sign", digest, mechanism=Mechanism.ECDSA))

    def public_der(self) -> bytes:
        if self.kind is KeyKind.RSA:
            return rsa_sign.public_info(ChipKeyKind.RSA_2048, self._public)
        return rsa_sign.public_info(ChipKeyKind.P256, self._public)

    def reveal(self) -> bytes:
        raise Refused("the token does not give this key away", where=self._token.name)

    def close(self) -> None:
        """Destroy it if it was only loaded."""
        if self._session_only and self._object is not None:
            self._token.destroy(self._object)
            self._object = None


def pair_templates(
    kind: KeyKind, value: bytes, *, label: str, store: bool
) -> tuple[dict[Attribute, Any], dict[Attribute, Any], bytes]:
    """What creates the private and the public object of a pair, and the public key itself."""
    if kind is KeyKind.RSA:
        public, private_numbers = _rsa_numbers(value)
        kind_of = {Attribute.KEY_TYPE: KeyType.RSA}
        public_numbers = {Attribute.MODULUS: public, Attribute.PUBLIC_EXPONENT: _number(EXPONENT)}
    else:
        public = rsa_sign.public_of(ChipKeyKind.P256, value)
        kind_of = {Attribute.KEY_TYPE: KeyType.EC}
        private_numbers = {Attribute.EC_PARAMS: _P256, Attribute.VALUE: value}
        public_numbers = {Attribute.EC_PARAMS: _P256, Attribute.EC_POINT: _OCTETS + public}
    named = {Attribute.LABEL: label, Attribute.TOKEN: store, **kind_of}
    private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, **named, **_COMMON, **private_numbers}
    shown = {Attribute.CLASS: ObjectClass.PUBLIC_KEY, **named, Attribute.VERIFY: True, **public_numbers}
    return private, shown, public


def public_of_object(kind: KeyKind, handle: Any) -> bytes:
    """The public key of a public object on the token."""
    if kind is KeyKind.RSA:
        return bytes(handle[Attribute.MODULUS])
    point = bytes(handle[Attribute.EC_POINT])
    if bytes(handle[Attribute.EC_PARAMS]) != _P256 or not point.startswith(_OCTETS) or len(point) != 67:
        raise Refused(
            "a key on another curve than P-256", where="token", fix="SM2 is served by a second provider"
        )
    return point[2:]


def _rsa_numbers(primes: bytes) -> tuple[bytes, dict[Attribute, bytes]]:
    half = len(primes) // 2
    p, q = int.from_bytes(primes[:half], "big"), int.from_bytes(primes[half:], "big")
    private = pow(EXPONENT, -1, (p - 1) * (q - 1))
    modulus = _number(p * q)
    return modulus, {
        Attribute.MODULUS: modulus,
        Attribute.PUBLIC_EXPONENT: _number(EXPONENT),
        Attribute.PRIVATE_EXPONENT: _number(private),
        Attribute.PRIME_1: _number(p),
        Attribute.PRIME_2: _number(q),
        Attribute.EXPONENT_1: _number(private % (p - 1)),
        Attribute.EXPONENT_2: _number(private % (q - 1)),
        Attribute.COEFFICIENT: _number(pow(q, -1, p)),
    }


def _number(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")
