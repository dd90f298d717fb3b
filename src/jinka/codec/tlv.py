"""BER-TLV as cards use it (ISO/IEC 7816-4 clause 5.2.2, ISO/IEC 8825-1), with limits on depth and size."""

from __future__ import annotations

from collections.abc import Iterator

from jinka.kit import Fault, JinkaError

DEPTH_MAX = 8
SIZE_MAX = 64 * 1024


class TlvError(JinkaError):
    """The bytes are not BER-TLV; ``where`` is the byte offset."""

    fault = Fault.PEER


def tlv(tag: int, *values: bytes) -> bytes:
    """Encode one object; ``values`` are joined. Lengths up to 65535 (one, two or three bytes)."""
    body = b"".join(values)
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    size = len(body)
    if size < 0x80:
        return head + bytes((size,)) + body
    if size < 0x100:
        return head + b"\x81" + bytes((size,)) + body
    if size < 0x10000:
        return head + b"\x82" + size.to_bytes(2, "big") + body
    raise TlvError(f"a value of {size} bytes", where=f"tag {tag:X}", fix="at most 65535 bytes")


def parse(raw: bytes, *, base: int = 0) -> Iterator[tuple[int, bytes, int]]:
    """Yield (tag, value, offset of the value) for each object at this level; padding 00 and FF is skipped."""
    if len(raw) > SIZE_MAX:
        raise TlvError(f"{len(raw)} bytes", where=f"offset {base}", fix=f"at most {SIZE_MAX}")
    at, end = 0, len(raw)
    while at < end:
        if raw[at] in (0x00, 0xFF):
            at += 1
            continue
        tag, at = _tag(raw, at, base)
        size, at = _length(raw, at, base)
        if at + size > end:
            raise TlvError(
                f"tag {tag:X} claims {size} bytes, {end - at} are left", where=f"offset {base + at}"
            )
        yield tag, raw[at : at + size], base + at
        at += size


def find(raw: bytes, *path: int) -> bytes | None:
    """Return the value at a path of tags, or None; the first match at each level, at most 8 levels."""
    if len(path) > DEPTH_MAX:
        raise TlvError(f"a path of {len(path)} levels", where="path", fix=f"at most {DEPTH_MAX}")
    value: bytes | None = raw
    for wanted in path:
        if value is None:
            return None
        value = next((inner for tag, inner, _ in parse(value) if tag == wanted), None)
    return value


def _tag(raw: bytes, at: int, base: int) -> tuple[int, int]:
    tag, start = raw[at], at
    at += 1
    if tag & 0x1F == 0x1F:
        while True:
            if at >= len(raw) or at - start > 3:
                raise TlvError("a tag without an end", where=f"offset {base + start}", fix="at most 4 bytes")
            tag = tag << 8 | raw[at]
            at += 1
            if not tag & 0x80:
                break
    return tag, at


def _length(raw: bytes, at: int, base: int) -> tuple[int, int]:
    if at >= len(raw):
        raise TlvError("the length is missing", where=f"offset {base + at}")
    first = raw[at]
    at += 1
    if first < 0x80:
        return first, at
    count = first & 0x7F
    if count not in (1, 2, 3) or at + count > len(raw):
        raise TlvError(f"length byte {first:02X}", where=f"offset {base + at - 1}", fix="81, 82 or 83")
    return int.from_bytes(raw[at : at + count], "big"), at + count
