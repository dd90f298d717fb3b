"""The escrow of encryption keys (GM/T 0034): made for their owner, kept, and given back when a card is lost.

`Escrow` is what an authority asks of the key service. `SealedEscrow` is the embedded one: SM2 keys sealed with AES-GCM
under a key that it is given. A kept key leaves it only in an envelope to a signing key, and a second time only when two
different officers order it, neither of them the owner. Signing keys never come here.
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


class SealedEscrow:
    """The embedded escrow: an archive of sealed keys in memory, which the caller may keep in a file (`archive`)."""

    def __init__(self, seal_key32: bytes, provider: Sm2Provider, randomness: Randomness) -> None:
        self._key, self._provider, self._randomness = seal_key32, provider, randomness
        self._archive: dict[bytes, tuple[str, bytes]] = {}
        self._recoveries: list[Recovery] = []

    @property
    def archive(self) -> dict[bytes, tuple[str, bytes]]:
        """Public key -> (owner, sealed private key)."""
        return dict(self._archive)

    @property
    def recoveries(self) -> tuple[Recovery, ...]:
        """Every time that a kept key was given out."""
        return tuple(self._recoveries)

    def make_pair(self, owner: str, recipient_der: bytes) -> EscrowedKey:
        """A new pair for an owner, enveloped to the owner's signing key."""
        recipient = read_public_info(recipient_der)
        key = Sm2PrivateKey.generate(self._randomness)
        public_der = public_info(key.public_key())
        blob = seal(
            self._key,
            key.to_bytes(),
            context=_context(public_der),
            nonce12=self._randomness.token_bytes(_NONCE),
        )
        envelope = envelop_key(key, recipient, self._provider, self._randomness)
        self._archive[public_der] = (owner, blob)
        return EscrowedKey(public_der=public_der, envelope=envelope)

    def recover(
        self, public_der: bytes, recipient_der: bytes, officers: tuple[str, str], at: dt.datetime
    ) -> EscrowedKey:
        """The kept pair once more, enveloped to another signing key; raises `Refused` or `NotFound`."""
        kept = self._archive.get(public_der)
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
        key = Sm2PrivateKey.from_bytes(unseal(self._key, blob, context=_context(public_der)))
        envelope = envelop_key(key, recipient, self._provider, self._randomness)
        self._recoveries.append(
            Recovery(public_der=public_der, officers=officers, at=at, recipient_der=recipient_der)
        )
        return EscrowedKey(public_der=public_der, envelope=envelope)


def _context(public_der: bytes) -> str:
    return f"escrowed SM2 key {public_der.hex()}"
