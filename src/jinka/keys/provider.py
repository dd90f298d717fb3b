"""Where key material lives and works: one small port, with a provider in memory and one on a PKCS#11 token.

A key is an object that does a few things and never shows its value; the verbs (`jinka.keys.port`) are composed of these
steps, the same for every provider. What a provider cannot do it refuses by name. Single DES keys (sessions of
JR/T 0025.1, the left half of ISO/IEC 9797-1 algorithm 3) are keys of kind DES, on a token K|K in 3DES.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

import numpy as np
import numpy.typing as npt

from jinka.keys.catalogue import KeyName
from jinka.kit import Randomness, Refused

Bytes = npt.NDArray[np.uint8]


class KeyKind(Enum):
    """The algorithm that a key is for, by the name that it has in the catalogue."""

    DES = "DES"
    TDES = "TDES"
    SM4 = "SM4"
    AES = "AES"
    HMAC = "HMAC-SHA256"
    GCM = "AES-256-GCM"
    RSA = "RSA"
    P256 = "P-256"
    SM2 = "SM2"

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    @property
    def block(self) -> int:
        """Bytes of a block; raises `Refused` for a kind that is no block cipher."""
        if self not in _BLOCKS:
            raise Refused(f"{self.value} is no block cipher", where="keys")
        return _BLOCKS[self]


_BLOCKS = {KeyKind.DES: 8, KeyKind.TDES: 8, KeyKind.SM4: 16, KeyKind.AES: 16}

# Bytes of a value as it is drawn or loaded: of RSA the two primes, of a curve the private number.
SIZES = {
    KeyKind.DES: (8,),
    KeyKind.TDES: (16, 24),
    KeyKind.SM4: (16,),
    KeyKind.AES: (16, 24, 32),
    KeyKind.HMAC: (32,),
    KeyKind.GCM: (32,),
    KeyKind.RSA: (256,),
    KeyKind.P256: (32,),
    KeyKind.SM2: (32,),
}
PAIRS = frozenset({KeyKind.RSA, KeyKind.P256, KeyKind.SM2})


class Key(Protocol):
    """A key that works where it lives. Each step raises `Refused` where the kind or the provider lacks it."""

    @property
    def kind(self) -> KeyKind: ...

    @property
    def size(self) -> int:
        """Bytes of the value."""
        ...

    def encrypt(self, blocks: bytes) -> bytes:
        """ECB over whole blocks."""
        ...

    def decrypt(self, blocks: bytes) -> bytes:
        """The inverse of `encrypt`."""
        ...

    def encrypt_cbc(self, blocks: bytes, iv: bytes) -> bytes:
        """CBC over whole blocks; ``iv`` is one block."""
        ...

    def decrypt_cbc(self, blocks: bytes, iv: bytes) -> bytes:
        """The inverse of `encrypt_cbc`."""
        ...

    def last_blocks(self, messages: Sequence[bytes]) -> list[bytes]:
        """The last block of each message in CBC from zeros, under DES or 3DES; zeros for an empty message."""
        ...

    def derive(self, data: bytes) -> Key:
        """The key whose value is ``encrypt(data)``: 16 bytes give a key of this kind, 8 bytes (3DES) a DES key."""
        ...

    def left(self) -> Key:
        """The left half of a 3DES key as a DES key (ISO/IEC 9797-1 algorithm 3)."""
        ...

    def hmac(self, data: bytes) -> bytes:
        """HMAC-SHA256, 32 bytes (RFC 2104)."""
        ...

    def seal(self, plain: bytes, *, context: str, nonce12: bytes) -> bytes:
        """AES-256-GCM in the format of `jinka.crypto.seal`."""
        ...

    def unseal(self, blob: bytes, *, context: str) -> bytes:
        """Open what `seal` made; raises `Refused`."""
        ...

    def sign(self, message: bytes, randomness: Randomness) -> bytes:
        """A signature as a certificate carries it: PKCS #1 version 1.5 or DER; over SHA-256, or SM3 for SM2.

        ``randomness`` is for a provider that has no generator of its own.
        """
        ...

    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo of a key pair."""
        ...

    def diversify(self, factors8: Bytes) -> Bytes:
        """The values of many keys one level down: (N, 8) to (N, 16). For checking and for wrapping inside."""
        ...

    def tacs(self, factors8: Bytes, messages: Bytes, *, threads: int) -> npt.NDArray[np.uint32]:
        """The TACs of padded messages under the cards' keys, as numbers in the machine's byte order."""
        ...

    def reveal(self) -> bytes:
        """The value, for a simulated security module that exists only as software; raises `Refused` elsewhere."""
        ...

    def close(self) -> None:
        """Wipe or destroy it; a key that the catalogue holds stays there."""
        ...


class Provider(Protocol):
    """A place for keys. ``certified`` tells whether anybody vouches for it: the one in memory never is."""

    @property
    def name(self) -> str: ...

    @property
    def certified(self) -> bool: ...

    @property
    def kinds(self) -> frozenset[KeyKind]:
        """What it can do."""
        ...

    def key(self, name: KeyName) -> Key | None:
        """The key of that name, or None."""
        ...

    def load(self, kind: KeyKind, value: bytes, *, extractable: bool = False) -> Key:
        """A key for this session alone, from a value that came wrapped or in components.

        ``extractable`` is for a key that may go on, wrapped: a token gives no other away.
        """
        ...

    def close(self) -> None:
        """Close all keys."""
        ...


class Routed:
    """Several providers as one: each key is served by the first that has it, each kind by the first that can."""

    def __init__(self, *providers: Provider) -> None:
        self._providers = providers

    @property
    def name(self) -> str:
        return "+".join(provider.name for provider in self._providers)

    @property
    def certified(self) -> bool:
        return all(provider.certified for provider in self._providers)

    @property
    def kinds(self) -> frozenset[KeyKind]:
        return frozenset().union(*(provider.kinds for provider in self._providers))

    def key(self, name: KeyName) -> Key | None:
        found = (provider.key(name) for provider in self._providers)
        return next((key for key in found if key is not None), None)

    def load(self, kind: KeyKind, value: bytes, *, extractable: bool = False) -> Key:
        for provider in self._providers:
            if kind in provider.kinds:
                return provider.load(kind, value, extractable=extractable)
        raise Refused(
            f"{self.name} has no {kind.value}", where="keys", fix="configure a second provider that has it"
        )

    def close(self) -> None:
        for provider in self._providers:
            provider.close()
