"""Identifiers: 128 bits of SHA-256 over namespaced content, so that the same thing has the same id."""

from __future__ import annotations

import hashlib

_ZERO = bytes(16)
_ONES = b"\xff" * 16


def make_id(namespace: str, *parts: bytes | str | int) -> bytes:
    """Return 16 bytes that name ``parts`` within ``namespace``; never all zeros or all ones.

    Each part is tagged by its type and its length, so that ("ab", "c") and ("a", "bc") differ.
    """
    tagged: list[bytes] = []
    for part in (namespace, *parts):
        if isinstance(part, bytes):
            tag, raw = b"b", part
        elif isinstance(part, str):
            tag, raw = b"s", part.encode()
        else:
            tag, raw = b"i", str(part).encode()
        tagged += tag, len(raw).to_bytes(4, "big"), raw
    value = hashlib.sha256(b"".join(tagged)).digest()[:16]
    if value in (_ZERO, _ONES):  # 2^-127, but TigerBeetle reserves both values
        return make_id(namespace, *parts, b"again")
    return value
