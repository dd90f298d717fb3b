"""Verbs of signatures: sign and verify with a key pair of the store or the token, and tell its public half.

RSA, ECDSA on P-256, and SM2 (`jinka.crypto.x509_keys`: the key decides the algorithm). `ServiceSigner` lends a key to
whoever builds certificates, lists and records, and the private half stays behind the verb.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jinka.crypto.x509_keys import check_signature, key_kind
from jinka.keys.border import Border, verb
from jinka.keys.catalogue import Use
from jinka.keys.port import Purpose
from jinka.kit import Usage

MESSAGE_MAX = 16 << 20


class SigningVerbs(Border):
    """``key`` is one for signatures: ``sign/RSA/1``, ``sign/P-256/1``, ``sign/SM2/1``."""

    @verb
    def sign(self, message: bytes, *, key: str) -> bytes:
        """Sign a message: PKCS #1 version 1.5 for RSA, DER for the others."""
        if len(message) > MESSAGE_MAX:
            raise Usage(f"{len(message)} bytes", where="sign", fix=f"at most {MESSAGE_MAX}")
        return self._named(key, Use.MAKE, Purpose.SIGN).sign(message, self.holding.working.randomness)

    @verb
    def verify(self, message: bytes, signature: bytes, *, key: str) -> None:
        """Check a signature; raises `Refused`."""
        public = self._named(key, Use.CHECK, Purpose.SIGN).public_der()
        check_signature(public, key_kind(public).value, message, signature)

    @verb
    def public_key(self, *, key: str) -> bytes:
        """The SubjectPublicKeyInfo (DER) of a key pair."""
        return self._named(key, Use.CHECK, Purpose.SIGN).public_der()


class _Signing(Protocol):
    def sign(self, message: bytes, *, key: str) -> bytes: ...

    def public_key(self, *, key: str) -> bytes: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSigner:
    """Implements `jinka.crypto.x509_keys.Signer` with a key of a key service, in process or behind a socket."""

    service: _Signing
    key: str

    @property
    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo."""
        return self.service.public_key(key=self.key)

    def sign(self, message: bytes) -> bytes:
        """The signature as a certificate carries it."""
        return self.service.sign(message, key=self.key)
