"""Data object lists: what one side wants from the other, as tags and lengths (EMV Book 3, 5.4).

A list is parsed once, with limits; the answer is the values side by side without tags. What is missing is zeros, what
is too long is cut: numbers lose their left, everything else its right.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from jinka.codec.emv_tags import Form, form_of
from jinka.codec.tlv import TlvError

ENTRIES_MAX = 64
ANSWER_MAX = 255


@lru_cache(maxsize=256)
def parse_dol(raw: bytes) -> tuple[tuple[int, int], ...]:
    """((tag, length), ...); `TlvError` for a broken list or one whose answer no short command could carry."""
    found, at = [], 0
    while at < len(raw):
        tag, start = raw[at], at
        at += 1
        if tag & 0x1F == 0x1F:
            while True:
                if at >= len(raw) or at - start > 3:
                    raise TlvError("a tag without an end", where=f"DOL offset {start}")
                tag = tag << 8 | raw[at]
                at += 1
                if not raw[at - 1] & 0x80:
                    break
        if at >= len(raw) or raw[at] > 0x7F:
            raise TlvError("a length that is none", where=f"DOL offset {at}")
        found.append((tag, raw[at]))
        at += 1
    if len(found) > ENTRIES_MAX or sum(size for _, size in found) > ANSWER_MAX:
        raise TlvError("a list that asks for too much", where="DOL", fix=f"at most {ANSWER_MAX} bytes")
    return tuple(found)


def dol_size(raw: bytes) -> int:
    """How many bytes the answer has."""
    return sum(size for _, size in parse_dol(raw))


def fill_dol(raw: bytes, values: Mapping[int, bytes]) -> bytes:
    """The answer to a list from the values at hand."""
    return b"".join(_fitted(tag, size, values.get(tag, b"")) for tag, size in parse_dol(raw))


def split_dol(raw: bytes, answer: bytes) -> dict[int, bytes]:
    """Tag to value, from a list and its answer; `TlvError` when the answer has another length."""
    entries = parse_dol(raw)
    if sum(size for _, size in entries) != len(answer):
        raise TlvError(f"{len(answer)} bytes", where="DOL answer", fix=f"{dol_size(raw)} bytes")
    found, at = {}, 0
    for tag, size in entries:
        found[tag] = answer[at : at + size]
        at += size
    return found


def _fitted(tag: int, size: int, value: bytes) -> bytes:
    form = form_of(tag)
    if form is Form.NUMERIC:
        return value[-size:].rjust(size, b"\x00") if size else b""
    if form is Form.COMPRESSED:
        return value[:size].ljust(size, b"\xff")
    return value[:size].ljust(size, b"\x00")
