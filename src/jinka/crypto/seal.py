"""Sealed blobs: AES-256-GCM with a header that names the format, so that a blob explains itself.

Layout: ``JKS1`` | nonce (12) | ciphertext and tag. The context (what the blob is and whose) is authenticated.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from jinka.kit import Refused

_MAGIC = b"JKS1"


def seal(key32: bytes, plain: bytes, *, context: str, nonce12: bytes) -> bytes:
    """Encrypt and authenticate ``plain``; a nonce must never be used twice under one key."""
    return _MAGIC + nonce12 + AESGCM(key32).encrypt(nonce12, plain, _MAGIC + context.encode())


def unseal(key32: bytes, blob: bytes, *, context: str) -> bytes:
    """Open a blob made for ``context``; `Refused` if it was changed, is another, or the key is wrong."""
    if blob[:4] != _MAGIC or len(blob) < 32:
        raise Refused("not a sealed blob of format JKS1", where=context, fix="restore the file")
    try:
        return AESGCM(key32).decrypt(blob[4:16], blob[16:], _MAGIC + context.encode())
    except InvalidTag:
        raise Refused(
            "the seal does not open", where=context, fix="check the shares, restore the file"
        ) from None
