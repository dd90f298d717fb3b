"""Sealing for one recipient's key: HPKE in base mode (RFC 9180), DHKEM(X25519), HKDF-SHA256, AES-256-GCM.

Whoever has the public key can seal; the context (what it is and for whom) is authenticated, who sealed is not. The
ephemeral keys are OpenSSL's to draw.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from jinka.kit import Refused, Usage

PUBLIC_SIZE = 32
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class Recipient:
    """A key pair that lives in this object alone: it has no way out, and is gone with it."""

    def __init__(self) -> None:
        self._private: X25519PrivateKey | None = X25519PrivateKey.generate()
        self.public: bytes = self._private.public_key().public_bytes_raw()

    def __repr__(self) -> str:
        return f"Recipient({self.public.hex()})"

    def __reduce__(self) -> str:
        raise Refused("a key pair is not pickled", where="job", fix="make one in the new process")

    def open(self, blob: bytes, *, context: bytes) -> bytes:
        """What was sealed for this key and context; raises `Refused`."""
        if self._private is None:
            raise Refused("the key pair is gone", where="job", fix="enrol anew")
        try:
            return _SUITE.decrypt(blob, self._private, info=context)
        except (InvalidTag, ValueError):
            raise Refused(
                "the seal does not open: changed, or for another recipient or job",
                where="job",
                fix="ask again",
            ) from None

    def close(self) -> None:
        """Let the private key go."""
        self._private = None


def seal_for(public: bytes, plain: bytes, *, context: bytes) -> bytes:
    """Seal ``plain`` so that only the holder of ``public`` opens it, and only for ``context``."""
    if len(public) != PUBLIC_SIZE:
        raise Usage(f"{len(public)} bytes", where="job.recipient", fix=f"a public key of {PUBLIC_SIZE} bytes")
    try:
        return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info=context)
    except ValueError:  # a point of small order
        raise Refused("no usable public key", where="job.recipient", fix="make a new pair") from None
