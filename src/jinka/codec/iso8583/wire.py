"""Reading and writing one field after another, by interpreting its specification; every fault is named exactly.

ISO 8583 clause 4 (bitmaps, attributes). `compile` is the fast road for messages whose shape is common; what it cannot
read comes here, so the words of every error stand here alone.
"""

from __future__ import annotations

import re

from jinka.codec.iso8583.message import DecodeError, EncodeError, Message, Value
from jinka.codec.iso8583.spec import (
    MESSAGE_MAX,
    Coding,
    Content,
    Counts,
    FieldSpec,
    LengthCoding,
    MessageSpec,
    Prefix,
)

ALPHABETS = {
    Content.A: re.compile(r"[A-Za-z ]*"),
    Content.N: re.compile(r"[0-9]*"),
    Content.AN: re.compile(r"[A-Za-z0-9 ]*"),
    Content.ANS: re.compile(r"[ -~]*"),
    Content.Z: re.compile(r"[0-9:;<=>?D]*"),
    Content.XN: re.compile(r"(?:[CD][0-9]*)?"),
}
_HEX = re.compile(rb"[0-9A-Fa-f]*")
TRACK_TO_NIBBLE = str.maketrans(":;<=>?", "abcdef")
NIBBLE_TO_TRACK = str.maketrans("abcdef", ":;<=>?")
_WORDS = {
    Content.A: "letters",
    Content.N: "digits",
    Content.AN: "letters and digits",
    Content.ANS: "printable characters",
    Content.Z: "track characters",
    Content.XN: "C or D and digits",
}


def decode_slowly(spec: MessageSpec, raw: bytes) -> Message:
    """Read a message; `DecodeError` with field and offset."""
    if len(raw) > MESSAGE_MAX:
        raise DecodeError(f"{len(raw)} bytes", path="message", offset=0, fix=f"at most {MESSAGE_MAX}")
    mti, at = _read_mti(spec, raw)
    numbers, at = read_bitmaps(spec, raw, at)
    fields: dict[int, Value] = {}
    try:
        for number in numbers:
            field = spec.fields.get(number)
            if field is None:
                raise DecodeError(
                    f"{spec.name} has no such field", path=str(number), offset=at, fix="another dialect?"
                )
            fields[number], at = read_field(field, raw, at, code_page=spec.code_page)
        if at != len(raw):
            raise DecodeError(f"{len(raw) - at} bytes behind the last field", path="message", offset=at)
    except DecodeError as error:
        error.begun = Message(mti=mti, fields=fields)
        raise
    return Message(mti=mti, fields=fields)


def encode_slowly(spec: MessageSpec, message: Message) -> bytes:
    """Write a message; `EncodeError` with the field."""
    if not isinstance(message.mti, str) or not re.fullmatch("[0-9]{4}", message.mti):
        raise EncodeError("a type has four digits", path="type")
    pieces = [bytes.fromhex(message.mti) if spec.mti is Coding.BCD else _text(message.mti, spec.mti, spec)]
    numbers = sorted(message.fields)
    for number in numbers:
        if number not in spec.fields:
            raise EncodeError(f"{spec.name} has no such field", path=str(number))
    pieces.append(write_bitmaps(spec, tuple(numbers)))
    pieces += (
        write_field(spec.fields[number], message.fields[number], code_page=spec.code_page)
        for number in numbers
    )
    raw = b"".join(pieces)
    if len(raw) > MESSAGE_MAX:
        raise EncodeError(f"{len(raw)} bytes", path="message", fix=f"at most {MESSAGE_MAX}")
    return raw


def mti_size(spec: MessageSpec) -> int:
    """Bytes of the type."""
    return 2 if spec.mti is Coding.BCD else 4


def bitmap_size(spec: MessageSpec) -> int:
    """Bytes of one bitmap."""
    return 8 if spec.bitmap is Coding.BINARY else 16


def _read_mti(spec: MessageSpec, raw: bytes) -> tuple[str, int]:
    size = mti_size(spec)
    found = raw[:size]
    if len(found) < size:
        raise DecodeError(f"{len(raw)} bytes hold no type", path="type", offset=0, fix=f"{size} bytes")
    mti = found.hex() if spec.mti is Coding.BCD else found.decode(_page(spec.mti, spec.code_page))
    if not ALPHABETS[Content.N].fullmatch(mti):
        raise DecodeError("no digits", path="type", offset=0, fix="another dialect or framing?")
    return mti, size


def read_bitmaps(spec: MessageSpec, raw: bytes, at: int) -> tuple[list[int], int]:
    """The numbers of the fields that follow; bits 1 and 65 announce the next bitmap."""
    numbers: list[int] = []
    for index in range(spec.bitmaps_max):
        bits = _bitmap(spec, raw, at)
        at += bitmap_size(spec)
        more = bool(bits >> 63) and index < 2
        if more and index + 1 == spec.bitmaps_max and index * 64 + 1 not in spec.fields:
            raise DecodeError(
                f"a bitmap {index + 2} is announced", path="bitmap", offset=at, fix=f"{spec.name} has no such"
            )
        first = 1 if index < 2 and spec.bitmaps_max > index + 1 else 0
        numbers += [index * 64 + bit + 1 for bit in range(first, 64) if bits >> (63 - bit) & 1]
        if not more or index + 1 == spec.bitmaps_max:
            break
    return numbers, at


def write_bitmaps(spec: MessageSpec, numbers: tuple[int, ...]) -> bytes:
    """The bitmaps for these fields, as few as will do."""
    count = max(1, (max(numbers, default=1) + 63) // 64)
    bits = sum(1 << (64 * count - number) for number in numbers)
    for index in range(count - 1):
        bits |= 1 << (64 * (count - index) - 1)
    raw = bits.to_bytes(8 * count, "big")
    return raw if spec.bitmap is Coding.BINARY else _text(raw.hex().upper(), spec.bitmap, spec)


def _bitmap(spec: MessageSpec, raw: bytes, at: int) -> int:
    size = bitmap_size(spec)
    found = raw[at : at + size]
    if len(found) < size:
        raise DecodeError(f"{len(found)} of {size} bytes", path="bitmap", offset=at)
    if spec.bitmap is Coding.BINARY:
        return int.from_bytes(found, "big")
    text = found if spec.bitmap is Coding.HEX else found.decode(spec.code_page).encode("latin-1", "replace")
    if not _HEX.fullmatch(text):
        raise DecodeError("not hexadecimal", path="bitmap", offset=at, fix="a binary bitmap?")
    return int(text, 16)


def read_field(
    field: FieldSpec, raw: bytes, at: int, *, code_page: str, path: str = "", base: int = 0
) -> tuple[Value, int]:
    """One field's value, and where the next begins; ``base`` is added to the offsets of errors."""
    named = path or str(field.number)
    units, at = _read_length(field, raw, at, named, base)
    size = wire_size(field, units)
    chunk = raw[at : at + size]
    if len(chunk) < size:
        raise DecodeError(f"{size} bytes are announced, {len(chunk)} are left", path=named, offset=base + at)
    return _value(field, chunk, units, named, base + at, code_page), at + size


def wire_size(field: FieldSpec, units: int) -> int:
    """Bytes on the wire of so many units, without the prefix."""
    packed = field.coding in (Coding.BCD, Coding.BCD_LEFT)
    if field.content is Content.XN:
        return 1 + units // 2 if packed else 1 + units
    if packed:
        return (units + 1) // 2
    return 2 * units if field.coding is Coding.HEX else units


def _read_length(field: FieldSpec, raw: bytes, at: int, path: str, base: int) -> tuple[int, int]:
    prefix = field.prefix
    if prefix is None:
        return field.size, at
    head = raw[at : at + prefix.width]
    if len(head) < prefix.width:
        raise DecodeError(f"{len(head)} of {prefix.width} bytes of its length", path=path, offset=base + at)
    if prefix.coding is LengthCoding.BINARY:
        count = int.from_bytes(head, "big")
    else:
        page = "cp037" if prefix.coding is LengthCoding.EBCDIC else "latin-1"  # the pages agree on digits
        text = head.hex() if prefix.coding is LengthCoding.BCD else head.decode(page)
        if not ALPHABETS[Content.N].fullmatch(text):
            raise DecodeError("its length is no number", path=path, offset=base + at)
        count = int(text)
    units = count
    if prefix.counts is Counts.BYTES:
        if field.coding is Coding.HEX and count % 2:
            raise DecodeError("half a byte in hex", path=path, offset=base + at)
        units = _units_of(field, count)
    if units > field.size:
        raise DecodeError(
            f"its length says {count}", path=path, offset=base + at, fix=f"at most {field.size}"
        )
    return units, at + prefix.width


def _units_of(field: FieldSpec, count: int) -> int:
    if field.coding in (Coding.BCD, Coding.BCD_LEFT):
        return 2 * count
    return count // 2 if field.coding is Coding.HEX else count


def _value(field: FieldSpec, chunk: bytes, units: int, path: str, offset: int, code_page: str) -> Value:
    if field.coding is Coding.BINARY:
        return chunk
    if field.coding is Coding.HEX:
        if not _HEX.fullmatch(chunk):
            raise DecodeError("not hexadecimal", path=path, offset=offset)
        return bytes.fromhex(chunk.decode("ascii"))
    if field.coding is Coding.GB18030:
        return _chinese(chunk, path, offset)
    if field.coding in (Coding.ASCII, Coding.EBCDIC):
        text = chunk.decode(_page(field.coding, code_page))
    elif field.content is Content.XN:
        text = chr(chunk[0]) + chunk[1:].hex()
    else:
        text = _unpack(field, chunk.hex(), units, path, offset)
    if not ALPHABETS[field.content].fullmatch(text):
        raise DecodeError(f"not {_WORDS[field.content]}", path=path, offset=offset)
    return text


def _unpack(field: FieldSpec, nibbles: str, units: int, path: str, offset: int) -> str:
    if field.content is Content.Z:
        nibbles = nibbles.translate(NIBBLE_TO_TRACK)
    if len(nibbles) == units:
        return nibbles
    right = field.coding is Coding.BCD
    filler, text = (nibbles[0], nibbles[1:]) if right else (nibbles[-1], nibbles[:-1])
    if filler not in ("0" if right else "0f?"):
        raise DecodeError("a filler that is none", path=path, offset=offset, fix="0" if right else "0 or F")
    return text


def _chinese(chunk: bytes, path: str, offset: int) -> str:
    try:
        text = chunk.decode("gb18030")
    except UnicodeDecodeError:
        raise DecodeError("not GB 18030", path=path, offset=offset) from None
    if not text.isprintable() or text.encode("gb18030") != chunk:
        raise DecodeError("control characters", path=path, offset=offset)
    return text


def write_field(field: FieldSpec, value: Value, *, code_page: str, path: str = "") -> bytes:
    """One field with its prefix; `EncodeError` when the value is not of its kind or size."""
    named = path or str(field.number)
    if not isinstance(value, bytes if field.is_bytes else str):
        raise EncodeError(
            f"a value of type {type(value).__name__}", path=named, fix="bytes" if field.is_bytes else "str"
        )
    if isinstance(value, bytes):
        units = len(value)
        body = value if field.coding is Coding.BINARY else value.hex().upper().encode()
    else:
        units, body = _body(field, value, code_page, named)
    if units > field.size or (field.prefix is None and units != field.size):
        exact = "at most " if field.prefix else ""
        raise EncodeError(f"{units} units", path=named, fix=f"{exact}{field.size}")
    return body if field.prefix is None else _write_length(field, field.prefix, units, body, named) + body


def _body(field: FieldSpec, value: str, code_page: str, path: str) -> tuple[int, bytes]:
    if field.coding is Coding.GB18030:
        if not value.isprintable():
            raise EncodeError("control characters", path=path)
        raw = value.encode("gb18030")  # every printable character has its code
        return len(raw), raw
    if not ALPHABETS[field.content].fullmatch(value):
        raise EncodeError(f"not {_WORDS[field.content]}", path=path)
    if field.content is Content.XN and len(value) != field.size + 1:
        raise EncodeError(f"{len(value)} characters", path=path, fix=f"C or D and {field.size} digits")
    if field.coding in (Coding.ASCII, Coding.EBCDIC):
        units = len(value) - (field.content is Content.XN)
        return units, value.encode(_page(field.coding, code_page))
    if field.content is Content.XN:
        return field.size, value[0].encode() + bytes.fromhex(value[1:])
    if field.content is Content.Z and "D" in value:
        raise EncodeError("a packed track is written with =", path=path)
    digits = value.translate(TRACK_TO_NIBBLE)
    if len(digits) % 2:
        digits = "0" + digits if field.coding is Coding.BCD else digits + field.filler
    return len(value), bytes.fromhex(digits)


def _write_length(field: FieldSpec, prefix: Prefix, units: int, body: bytes, path: str) -> bytes:
    count = units if prefix.counts is Counts.UNITS else len(body)
    if prefix.counts is Counts.BYTES and _units_of(field, count) != units:
        raise EncodeError("an odd number of digits, and the length counts bytes", path=path)
    if count > prefix.highest:
        raise EncodeError(f"a length of {count} does not fit its prefix", path=path)
    if prefix.coding is LengthCoding.BINARY:
        return count.to_bytes(prefix.width, "big")
    if prefix.coding is LengthCoding.BCD:
        return bytes.fromhex(str(count).zfill(2 * prefix.width))
    return str(count).zfill(prefix.width).encode("cp037" if prefix.coding is LengthCoding.EBCDIC else "ascii")


def _page(coding: Coding, code_page: str) -> str:
    return code_page if coding is Coding.EBCDIC else "latin-1"


def _text(text: str, coding: Coding, spec: MessageSpec) -> bytes:
    return text.encode(spec.code_page if coding is Coding.EBCDIC else "ascii")
