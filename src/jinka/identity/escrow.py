"""The escrow of encryption keys (GM/T 0034): made for their owner, kept, and given back when a card is lost.

`Escrow` is what an authority asks for. `SealedEscrow` makes SM2 keys and keeps them in an `Archive`, sealed by a
`Seal`: the key service is one, under its key for records at rest. A kept key leaves it only in an envelope to a signing
key, and a second time only when two different officers order it, neither of them the owner. Signing keys never come
here.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Protocol

from jinka.crypto.seal import seal, unseal
from jinka.crypto.sm2 import Sm2PrivateKey
from jinka.crypto.sm2_envelope import envelop_key
from jinka.crypto.sm2_keys import public_info, read_public_info
from jinka.crypto.sm2_libcrypto import Sm2Provider
from jinka.identity.application import check_person, same_person
from jinka.kit import NotFound, Randomness, Refused

_NONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class EscrowedKey:
    """The public half to certify, and the private half in an envelope (DER) that only its owner opens."""

    public_der: bytes
    envelope: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """Who had a kept key given out, when, and to which signing key."""

    public_der: bytes
    officers: tuple[str, str]
    at: dt.datetime
    recipient_der: bytes


class Escrow(Protocol):
    """Makes and keeps encryption keys."""

    def make_pair(self, owner: str, recipient_der: bytes) -> EscrowedKey:
        """A new pair for an owner, enveloped to the owner's signing key."""
        ...

    def recover(
        self, public_der: bytes, recipient_der: bytes, officers: tuple[str, str], at: dt.datetime
    ) -> EscrowedKey:
        """The kept pair once more, enveloped to another signing key; raises `Refused` or `NotFound`."""
        ...


class Seal(Protocol):
    """Seals what rests in an archive; `jinka.keys.KeyService` is one."""

    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        """Seal for a context."""
        ...

    def open_image(self, blob: bytes, *, context: str) -> bytes:
        """Open what was sealed for the same context; raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True)
class SoftSeal:
    """Implements `Seal` with AES-256-GCM under a key in this process's memory."""

    key32: bytes = field(repr=False)
    randomness: Randomness

    def seal_image(self, plain: bytes, *, context: str) -> bytes:
        return seal(self.key32, plain, context=context, nonce12=self.randomness.token_bytes(_NONCE))

    def open_image(self, blob: bytes, *, context: str) -> bytes:
        return unseal(self.key32, blob, context=context)


class Archive(Protocol):
    """Where sealed keys and the orders to give them out are kept."""

    def keep(self, public_der: bytes, owner: str, sealed: bytes) -> None:
        """Keep a new key."""
        ...

    def kept(self, public_der: bytes) -> tuple[str, bytes] | None:
        """(owner, sealed key)."""
        ...

    def note(self, recovery: Recovery) -> None:
        """Keep who had a key given out."""
        ...


class MemoryArchive:
    """Implements `Archive` for as long as the process lives."""

    def __init__(self) -> None:
        self.keys: dict[bytes, tuple[str, bytes]] = {}
        self.recoveries: list[Recovery] = []

    def keep(self, public_der: bytes, owner: str, sealed: bytes) -> None:
        self.keys[public_der] = (owner, sealed)

    def kept(self, public_der: bytes) -> tuple[str, bytes] | None:
        return self.keys.get(public_der)

    def note(self, recovery: Recovery) -> None:
        self.recoveries.append(recovery)


class SealedEscrow:
    """Implements `Escrow` with sealed keys in an archive."""

    def __init__(
        self, sealing: Seal, provider: Sm2Provider, randomness: Randomness, archive: Archive | None = None
    ) -> None:
        self._seal, self._provider, self._randomness = sealing, provider, randomness
        self._archive = archive or MemoryArchive()

    def make_pair(self, owner: str, recipient_der: bytes) -> EscrowedKey:
        """A new pair for an owner, enveloped to the owner's signing key."""
        recipient = read_public_info(recipient_der)
        key = Sm2PrivateKey.generate(self._randomness)
        public_der = public_info(key.public_key())
        blob = self._seal.seal_image(key.to_bytes(), context=_context(public_der))
        envelope = envelop_key(key, recipient, self._provider, self._randomness)
        self._archive.keep(public_der, owner, blob)
        return EscrowedKey(public_der=public_der, envelope=envelope)

    def recover(
        self, public_der: bytes, recipient_der: bytes, officers: tuple[str, str], at: dt.datetime
    ) -> EscrowedKey:
        """The kept pair once more, enveloped to another signing key; raises `Refused` or `NotFound`."""
        kept = self._archive.kept(public_der)
        if kept is None:
            raise NotFound("no such key in escrow", where="escrow")
        owner, blob = kept
        for officer in officers:
            check_person(officer)
            if same_person(officer, owner):
                raise Refused("the owner does not order a recovery", where="escrow")
        if same_person(*officers):
            raise Refused("two different officers order a recovery", where="escrow")
        recipient = read_public_info(recipient_der)
        key = Sm2PrivateKey.from_bytes(self._seal.open_image(blob, context=_context(public_der)))
        envelope = envelop_key(key, recipient, self._provider, self._randomness)
        self._archive.note(
            Recovery(public_der=public_der, officers=officers, at=at, recipient_der=recipient_der)
        )
        return EscrowedKey(public_der=public_der, envelope=envelope)


def _context(public_der: bytes) -> str:
    return f"escrowed SM2 key {public_der.hex()}"
