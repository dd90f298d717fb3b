"""The one secret of a repository: a file of 32 random bytes beside its configuration, from which keys are derived.

It seals the tokens of subscriptions and keys what is hidden from participants. Without it no receiver can check a
signature any more, and what was hidden gets new words; nothing of the events is lost.
"""

from __future__ import annotations

import hmac
from pathlib import Path

from jinka.crypto.seal import seal, unseal
from jinka.kit import Randomness, Refused
from jinka.node.files import write_durable

NAME = "trace.secret"
SECRET_BYTES = 32


class TraceSecret:
    """Keys for different purposes; the secret itself is not given out."""

    __slots__ = ("_randomness", "_secret")

    def __init__(self, secret: bytes, randomness: Randomness) -> None:
        if len(secret) != SECRET_BYTES:
            raise Refused(f"not {SECRET_BYTES} bytes", where=NAME, fix="restore the file")
        self._secret, self._randomness = secret, randomness

    def __repr__(self) -> str:
        return "TraceSecret(***)"

    @classmethod
    def of_folder(cls, folder: Path, randomness: Randomness) -> TraceSecret:
        """Of the file in a folder, which is made where there is none."""
        path = folder / NAME
        if not path.exists():
            write_durable(path, randomness.token_bytes(SECRET_BYTES), private=True)
        return cls(path.read_bytes(), randomness)

    @property
    def veil(self) -> bytes:
        """What keys the words for what is hidden."""
        return self._key("veil")

    @property
    def pages(self) -> bytes:
        """What seals the tokens of pages: another server of this repository opens them as well."""
        return self._key("pages")

    def seal(self, id_: str, token: bytes) -> bytes:
        """A subscription's token, at rest."""
        nonce = self._randomness.token_bytes(12)
        return seal(self._key("subscriptions"), token, context=f"subscription {id_}", nonce12=nonce)

    def unseal(self, id_: str, sealed: bytes) -> bytes:
        """The inverse; raises `Refused`."""
        return unseal(self._key("subscriptions"), sealed, context=f"subscription {id_}")

    def seal_receiver(self, owner: str, token: bytes) -> bytes:
        """The token of a participant's receiver of notices, at rest."""
        return self.seal(f"receiver {owner}", token)

    def unseal_receiver(self, owner: str, sealed: bytes) -> bytes:
        """The inverse; raises `Refused`."""
        return self.unseal(f"receiver {owner}", sealed)

    def _key(self, purpose: str) -> bytes:
        return hmac.digest(self._secret, b"jinka.trace\0" + purpose.encode(), "sha256")
