"""EPCs of TDS 1.x to bits and back: a reader and a writer for each scheme, made of its table.

GS1 Tag Data Standard 2.3: 14.3 (encoding), 14.4 (decoding), 14.6 (tables). `decode` takes what a reader reports: the
EPC memory from bit 20h, in bytes. Behind a scheme's last bit there may be zeros and nothing else. Schemes of TDS 2.x
go on to `jinka.codec.tags.plus`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from jinka.codec.tags.bits import BITS_MAX, BitReader, BitWriter
from jinka.codec.tags.faults import TagError, at_bits, at_character
from jinka.codec.tags.keys import KEY_BY_SCHEME, PREFIX_MAX
from jinka.codec.tags.plus import read_plus, write_plus
from jinka.codec.tags.schemes import PREFIX_BITS, SCHEME_BY_HEADER, SCHEMES, SPLITS, Field, Scheme, Segment
from jinka.codec.tags.tag import Tag

_SEVEN = frozenset(range(0x21, 0x7B)) - frozenset(map(ord, "#$@[\\]^`"))
_CAGE = frozenset(map(ord, "0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"))
_SIX = frozenset(map(ord, "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
_NO_HEX = re.compile("[^0-9A-Fa-f]").search
_Read = Callable[[int], Tag]


def decode(raw: bytes) -> Tag:
    """Read the EPC of a tag. Raises `TagError` at the bit that does not fit."""
    size = 8 * len(raw)
    if not raw or size > BITS_MAX:
        raise at_bits(f"an EPC of {len(raw)} bytes", 0, fix=f"1 to {BITS_MAX // 8} bytes")
    bits, read = _READERS[raw[0]]
    if size == bits:
        return read(int.from_bytes(raw))
    return decode_bits(int.from_bytes(raw), size)


def decode_hex(text: str) -> Tag:
    """Read the EPC of a tag from hexadecimal text, where every digit is four bits."""
    if not (text.isascii() and len(text) <= BITS_MAX // 4) or not text:
        raise at_character(
            f"{len(text)} characters are no EPC", 0, fix=f"1 to {BITS_MAX // 4} hexadecimal digits"
        )
    wrong = _NO_HEX(text)
    if wrong:
        raise at_character(f"{wrong[0]!r} is no hexadecimal digit", wrong.start())
    return decode_bits(int(text, 16), 4 * len(text))


def hex_bytes(text: str) -> bytes:
    """Bytes of hexadecimal text. Raises `TagError` at the character."""
    _check_hex(text)
    if len(text) % 2:
        raise at_character("half a byte", len(text) - 1)
    return bytes.fromhex(text)


def _check_hex(text: str) -> None:
    wrong = _NO_HEX(text)
    if wrong:
        raise at_character(f"{wrong[0]!r} is no hexadecimal digit", wrong.start())


def decode_bits(value: int, size: int) -> Tag:
    """Read ``size`` bits. A scheme of known length may have zeros behind it."""
    reader = BitReader(value, size)
    header = reader.take(8, "the header")
    scheme = SCHEME_BY_HEADER.get(header)
    if scheme is None:
        raise at_bits(
            f"no scheme has the header {header:02X}", 0, 8, fix="not an EPC, or one of a later standard"
        )
    if scheme.is_plus:
        return read_plus(scheme, reader)
    if scheme.bits:
        if size < scheme.bits:
            raise at_bits(f"{scheme.name} has {scheme.bits} bits, not {size}", size, fix="read the whole EPC")
        reader.at = scheme.bits
        reader.end()
        value, size = value >> (size - scheme.bits), scheme.bits
        return _READERS[header][1](value)
    return _read_slowly(scheme, BitReader(value, size, 8))


def encode(tag: Tag) -> bytes:
    """Write the EPC of a tag, in words of 16 bits. Raises `TagError` where a part does not fit its bits."""
    return encode_bits(tag).to_bytes()


def encode_bits(tag: Tag) -> BitWriter:
    """Write the EPC of a tag without the zeros behind it."""
    scheme, writer = tag.scheme, BitWriter()
    writer.put(scheme.header, 8)
    if scheme.is_plus:
        write_plus(tag, writer)
        return writer
    writer.put(tag.filter, scheme.filter_bits)
    values = iter(tag.values)
    for segment in scheme.segments:
        if segment.field in SPLITS:
            _write_split(tag, segment, writer, next(values), next(values))
        elif segment.field is Field.ZEROS:
            writer.put(0, segment.bits)
        else:
            _write(tag, segment, writer, next(values))
    return writer


def _reader(scheme: Scheme) -> _Read:
    """A quick reader for company prefix, reference and at most one number; the others go part by part."""
    fields = [segment.field for segment in scheme.segments]
    tail = scheme.segments[-1].bits if len(fields) == 2 else 0
    plain = fields[0] in (Field.SPLIT_DIGITS, Field.SPLIT_INTEGER)
    if not plain or len(fields) > 2 or fields[1:] not in ([], [Field.INTEGER], [Field.ZEROS]):
        return lambda value: _read_slowly(scheme, BitReader(value, scheme.bits, 8))
    at_filter, at_partition = scheme.bits - 11, scheme.bits - 14
    total, exact = scheme.segments[0].bits, fields[0] is Field.SPLIT_DIGITS
    all_digits = KEY_BY_SCHEME[scheme.epc].digits
    rows = []
    for partition, wide in enumerate(PREFIX_BITS):
        digits = PREFIX_MAX - partition
        limit = 10 ** (all_digits - digits) if exact else 1 << (total - wide)
        rows.append(
            (at_partition - wide, (1 << wide) - 1, 10**digits, (1 << (total - wide)) - 1, limit, digits)
        )
    rows.append((0, 0, 0, 0, 0, 0))  # partition 7: nothing is below its limits
    mask, zeros = (1 << tail) - 1, fields[-1] is Field.ZEROS

    def read(value: int) -> Tag:
        at_prefix, prefix_mask, prefix_limit, reference_mask, limit, digits = rows[value >> at_partition & 7]
        prefix, reference = value >> at_prefix & prefix_mask, value >> tail & reference_mask
        if prefix >= prefix_limit or reference >= limit or (zeros and value & mask):
            return _read_slowly(scheme, BitReader(value, scheme.bits, 8))  # finds the fault
        values = (prefix, reference, value & mask) if tail and not zeros else (prefix, reference)
        return Tag(scheme=scheme, filter=value >> at_filter & 7, values=values, prefix_digits=digits)

    return read


def _unknown(header: int) -> _Read:
    def read(value: int) -> Tag:  # noqa: ARG001 - as every reader
        raise at_bits(f"no scheme has the header {header:02X}", 0, 8)

    return read


def _read_slowly(scheme: Scheme, reader: BitReader) -> Tag:
    filter_value = reader.take(scheme.filter_bits, "the filter value")
    values: list[int | str] = []
    digits = 0
    for segment in scheme.segments:
        if segment.field in SPLITS:
            digits = _read_split(scheme, segment, reader, values)
        elif segment.field is Field.ZEROS:
            start = reader.at
            if reader.take(segment.bits, "the reserved part"):
                raise at_bits("the reserved part is not zero", start, reader.at)
        else:
            values.append(_read(segment, reader))
    if not scheme.bits:
        reader.end()
    return Tag(scheme=scheme, filter=filter_value, values=tuple(values), prefix_digits=digits)


def _read_split(scheme: Scheme, segment: Segment, reader: BitReader, values: list[int | str]) -> int:
    start = reader.at
    partition = reader.take(3, "the partition")
    if partition >= len(PREFIX_BITS):
        raise at_bits(f"no partition {partition}", start, start + 3, fix="0 to 6")
    wide, digits = PREFIX_BITS[partition], PREFIX_MAX - partition
    prefix = reader.take(wide, "the company prefix")
    if prefix >= 10**digits:
        raise at_bits(f"{prefix} is no company prefix of {digits} digits", reader.at - wide, reader.at)
    values.append(prefix)
    if segment.field is Field.SPLIT_TEXT:
        values.append(_read_seven(reader, KEY_BY_SCHEME[scheme.epc].max_length - digits, segment.bits - wide))
    elif segment.field is Field.SPLIT_SIX:
        values.append(_read_six(reader, KEY_BY_SCHEME[scheme.epc].max_length - digits, empty=False))
    else:
        start = reader.at
        reference = reader.take(segment.bits - wide, "the reference")
        if segment.field is Field.SPLIT_DIGITS:
            count = KEY_BY_SCHEME[scheme.epc].digits - digits
            if reference >= 10**count:
                raise at_bits(f"{reference} is no reference of {count} digits", start, reader.at)
        values.append(reference)
    return digits


def _read(segment: Segment, reader: BitReader) -> int | str:
    start, field = reader.at, segment.field
    if field is Field.TEXT:
        return _read_seven(reader, segment.length, segment.bits)
    if field is Field.SIX:
        return _read_part(reader, segment.length)
    if field is Field.CAGE_SIX or field is Field.CAGE_EIGHT:
        return _read_cage(reader, segment.bits // 6)
    number = reader.take(segment.bits, "a number")
    if segment.length and field is not Field.NUMERIC and number >= 10**segment.length:
        raise at_bits(f"{number} has more than {segment.length} digits", start, reader.at)
    if field is Field.NUMERIC:
        text = str(number)
        if text[0] != "1" or not 1 < len(text) <= segment.length + 1:
            raise at_bits("no digits behind a 1", start, reader.at)
        return text[1:]
    return number


def _read_seven(reader: BitReader, length: int, bits: int) -> str:
    """Characters of seven bits; zeros from the first empty one on (14.4.2)."""
    start, end = reader.at, reader.at + bits
    text = ""
    for at in range(length):
        code = reader.take(7, "a character")
        if not code:
            break
        if code not in _SEVEN:
            raise at_bits(f"{code:02X} is no character of the GS1 set", start + 7 * at, start + 7 * at + 7)
        text += chr(code)
    if not text:
        raise at_bits("an empty text", start, start + 7)
    before = reader.at
    if reader.take(end - before, "the rest of a text"):
        raise at_bits("something stands behind the end of a text", before, end)
    return text


def _read_six(reader: BitReader, longest: int, *, empty: bool) -> str:
    """Characters of six bits up to six zero bits (14.4.8)."""
    text = ""
    while True:
        start = reader.at
        code = reader.take(6, "a character or the end of a text")
        if not code:
            break
        letter = code + 64 if code < 32 else code
        if letter not in _SIX or len(text) == longest:
            raise at_bits(
                f"{code:02X} does not fit here", start, reader.at, fix=f"at most {longest} characters"
            )
        text += chr(letter)
    if not text and not empty:
        raise at_bits("an empty text", reader.at - 6, reader.at)
    return text


def _read_part(reader: BitReader, longest: int) -> str:
    """The part number or the serial of an aircraft's part. A # says that the serial is the maker's alone (6.3.17)."""
    start, is_number = reader.at, longest == 32
    text = _read_six(reader, longest, empty=is_number)
    if "#" in text[not is_number :] or text == "#":
        place = text.index("#", not is_number and len(text) > 1)
        raise at_bits("a # stands nowhere but before a serial", start + 6 * place, start + 6 * place + 6)
    return text


def _read_cage(reader: BitReader, width: int) -> str:
    """Six characters; the first is a space where the code has five (14.4.7)."""
    text = ""
    for at in range(6):
        start = reader.at
        code = reader.take(width, "a character")
        letter = code + 64 if width == 6 and code < 32 else code
        if letter == 0x20 and at == 0:
            continue
        if letter not in _CAGE:
            raise at_bits(f"{code:02X} is no character of a CAGE code or DoDAAC", start, reader.at)
        text += chr(letter)
    return text


def _fit(tag: Tag, number: int, bits: int, what: str) -> int:
    if number >> bits:
        raise TagError(
            f"{what} {number} needs more than {bits} bits",
            where=tag.scheme.name,
            fix="take a longer encoding",
        )
    return number


def _write_split(
    tag: Tag, segment: Segment, writer: BitWriter, prefix: int | str, reference: int | str
) -> None:
    partition = PREFIX_MAX - tag.prefix_digits
    wide = PREFIX_BITS[partition]
    writer.put(partition, 3)
    writer.put(int(prefix), wide)
    if segment.field is Field.SPLIT_TEXT:
        _write_seven(writer, str(reference), segment.bits - wide)
    elif segment.field is Field.SPLIT_SIX:
        _write_six(writer, str(reference))
    else:
        writer.put(_fit(tag, int(reference), segment.bits - wide, "the reference"), segment.bits - wide)


def _write(tag: Tag, segment: Segment, writer: BitWriter, value: int | str) -> None:
    field = segment.field
    if field is Field.TEXT:
        _write_seven(writer, str(value), segment.bits)
    elif field is Field.SIX:
        _write_six(writer, str(value))
    elif field is Field.CAGE_SIX or field is Field.CAGE_EIGHT:
        for letter in str(value).rjust(6):
            writer.put(ord(letter) & (0x3F if field is Field.CAGE_SIX else 0xFF), segment.bits // 6)
    else:
        number = int(f"1{value}") if field is Field.NUMERIC else int(value)
        if field is Field.NUMERIC and len(str(value)) > segment.length:
            raise TagError(f"more than {segment.length} digits", where=tag.scheme.name)
        writer.put(_fit(tag, number, segment.bits, "the serial"), segment.bits)


def _write_seven(writer: BitWriter, text: str, bits: int) -> None:
    if 7 * len(text) > bits:
        raise TagError(f"{text!r} has more than {bits // 7} characters", where="text")
    for letter in text:
        writer.put(ord(letter), 7)
    writer.put(0, bits - 7 * len(text))


def _write_six(writer: BitWriter, text: str) -> None:
    for letter in text:
        writer.put(ord(letter) & 0x3F, 6)
    writer.put(0, 6)


_READERS: list[tuple[int, _Read]] = [(0, _unknown(header)) for header in range(256)]
for _scheme in SCHEMES:
    if _scheme.bits:
        _READERS[_scheme.header] = (_scheme.bits, _reader(_scheme))
