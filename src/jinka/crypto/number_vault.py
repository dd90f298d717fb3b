"""Card numbers at rest: sealed, found again by a keyed hash, and their ids covered, all under one key of 64 bytes.

PCI DSS 4.0, 3.5.1: a number is unreadable wherever it is stored, and a hash of it is keyed, for numbers can be guessed.
Sealing is AES-256-GCM, the hash HMAC-SHA256 (FIPS 198-1), the cover AES-256 on single blocks of 16 bytes: hashes that
were made without a key go through it, equal ones stay equal. The key is made and kept elsewhere.
"""

from __future__ import annotations

import hmac

from jinka.crypto.aes import BLOCK, aes_decrypt, aes_encrypt
from jinka.crypto.seal import seal, unseal
from jinka.kit import Randomness, Usage

KEY_BYTES = 64


class NumberVault:
    """``key64`` comes from the key service or a sealed file, and stays in here."""

    __slots__ = ("_cover_key", "_lookup_key", "_randomness", "_seal_key")

    def __init__(self, key64: bytes, randomness: Randomness) -> None:
        if len(key64) != KEY_BYTES:
            raise Usage(f"not {KEY_BYTES} bytes", where="vault key", fix="let the host make it")
        self._seal_key, self._lookup_key, self._randomness = key64[:32], key64[32:], randomness
        self._cover_key = hmac.digest(self._lookup_key, b"cover", "sha256")

    def digest(self, text: bytes) -> bytes:
        """HMAC-SHA256 of anything that may hold a card number."""
        return hmac.digest(self._lookup_key, text, "sha256")

    def seal(self, plain: bytes, context: str) -> bytes:
        """Seal a number, or any small secret beside it."""
        return seal(self._seal_key, plain, context=context, nonce12=self._randomness.token_bytes(12))

    def unseal(self, blob: bytes, context: str) -> bytes:
        """The inverse; raises `Refused`."""
        return unseal(self._seal_key, blob, context=context)

    def cover(self, ids: list[bytes]) -> list[bytes]:
        """Ids of 16 bytes, each covered: what was equal is equal."""
        return _cut(aes_encrypt(self._cover_key, _joined(ids)))

    def uncover(self, ids: list[bytes]) -> list[bytes]:
        """The inverse."""
        return _cut(aes_decrypt(self._cover_key, _joined(ids)))


def _joined(ids: list[bytes]) -> bytes:
    if any(len(id_) != BLOCK for id_ in ids):
        raise Usage(f"not {BLOCK} bytes", where="covered id")
    return b"".join(ids)


def _cut(blocks: bytes) -> list[bytes]:
    return [blocks[at : at + BLOCK] for at in range(0, len(blocks), BLOCK)]
