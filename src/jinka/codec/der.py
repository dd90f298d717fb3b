"""DER, strictly: one value has one encoding (ITU-T X.690, 10 and 11), as far as certificates and their kin use it.

`check_der` walks a whole structure and refuses what a lenient parser would let pass: lengths and integers that are not
minimal, indefinite lengths, constructed strings, booleans other than 00 and FF, unused bits that are set, SETs out of
order, data behind the end. It does not know any schema. Limits: 64 KiB, 24 levels; a list of revoked certificates may
be given more.
"""

from __future__ import annotations

from jinka.codec.tlv import TlvError

SIZE_MAX = 64 * 1024
DEPTH_MAX = 24
_BOOLEAN, _INTEGER, _BITS, _OCTETS, _NULL, _OID, _ENUMERATED = 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x0A
_SEQUENCE, _SET = 0x30, 0x31
_CONSTRUCTED = 0x20


def check_der(raw: bytes, *, size_max: int = SIZE_MAX) -> None:
    """Refuse bytes that are not exactly one DER value; raises `TlvError` with the offset."""
    if len(raw) > size_max:
        raise TlvError(f"{len(raw)} bytes", where="offset 0", fix=f"at most {size_max}")
    if _value(raw, 0, len(raw), 0) != len(raw):
        raise TlvError("data behind the end", where="DER")


def _value(raw: bytes, at: int, end: int, depth: int) -> int:
    """Check the value that starts ``at``; returns where it ends."""
    if depth > DEPTH_MAX:
        raise TlvError("nested too deep", where=f"offset {at}", fix=f"at most {DEPTH_MAX} levels")
    if at >= end:
        raise TlvError("a value is missing", where=f"offset {at}")
    tag = raw[at]
    if tag & 0x1F == 0x1F or not tag:
        raise TlvError(f"tag {tag:02X}", where=f"offset {at}", fix="tags below 31")
    start, stop = _content(raw, at + 1, end)
    if tag < 0x40 and tag not in (_SEQUENCE, _SET) and (tag & _CONSTRUCTED or tag in (0x10, 0x11)):
        raise TlvError(f"tag {tag:02X} in the wrong form", where=f"offset {at}")
    if tag & _CONSTRUCTED:
        _children(raw, start, stop, depth, ordered=tag == _SET)
    else:
        _primitive(tag, raw[start:stop], at)
    return stop


def _content(raw: bytes, at: int, end: int) -> tuple[int, int]:
    """Where the content starts and ends; the length must be minimal and definite."""
    if at >= end:
        raise TlvError("the length is missing", where=f"offset {at}")
    first = raw[at]
    if first < 0x80:
        start, size = at + 1, first
    else:
        count = first & 0x7F
        start = at + 1 + count
        if not 1 <= count <= 4 or start > end:
            raise TlvError(f"length byte {first:02X}", where=f"offset {at}")
        size = int.from_bytes(raw[at + 1 : start], "big")
        if size < 0x80 or not raw[at + 1]:
            raise TlvError("a length that is not minimal", where=f"offset {at}")
    if size > end - start:
        raise TlvError(f"claims {size} bytes, {end - start} are left", where=f"offset {at}")
    return start, start + size


def _children(raw: bytes, at: int, end: int, depth: int, *, ordered: bool) -> None:
    before = b""
    while at < end:
        stop = _value(raw, at, end, depth + 1)
        if ordered:
            if raw[at:stop] < before:
                raise TlvError("a SET out of order", where=f"offset {at}")
            before = raw[at:stop]
        at = stop


def _primitive(tag: int, content: bytes, at: int) -> None:
    where = f"offset {at}"
    if tag == _BOOLEAN and content not in (b"\x00", b"\xff"):
        raise TlvError("a boolean is 00 or FF", where=where)
    if tag in (_INTEGER, _ENUMERATED):
        if not content:
            raise TlvError("an integer without digits", where=where)
        if len(content) > 1 and (content[0], content[1] >> 7) in ((0x00, 0), (0xFF, 1)):
            raise TlvError("an integer that is not minimal", where=where)
    if tag == _BITS and (not content or content[0] > 7 or (len(content) == 1 and content[0])):
        raise TlvError("a bit string without its count of unused bits", where=where)
    if tag == _BITS and content[-1] & ((1 << content[0]) - 1) and len(content) > 1:
        raise TlvError("unused bits that are set", where=where)
    if tag == _NULL and content:
        raise TlvError("NULL with content", where=where)
    if tag == _OID and not _is_oid(content):
        raise TlvError("not an object identifier", where=where)


def _is_oid(content: bytes) -> bool:
    """Each number ends in a byte below 80 and does not start with one of value 80."""
    if not content or content[-1] & 0x80:
        return False
    starts = (index for index in range(len(content)) if index == 0 or content[index - 1] < 0x80)
    return all(content[index] != 0x80 for index in starts)
