"""EPCs of TDS 2.x, the "plus" schemes: GS1 keys as they are in barcodes, a date, a host name, and data behind.

GS1 Tag Data Standard 2.3: 14.5 (encodings), 14.6 (coding tables of the schemes with + and ++), 15.3 (data behind an
EPC). They mark no company prefix and have no URN. Of several right encodings of a text the shortest is written, the
first in table E where two are equally short; every right one is read. What follows an EPC is read when the toggle says
that something does; the standard lets a reader look even then.
"""

from __future__ import annotations

from jinka.codec.tags.ai_codec import read_value, take_date, write_value
from jinka.codec.tags.ai_table import AI_LENGTHS, IDENTIFIERS, Coding, Component, fits
from jinka.codec.tags.bits import BitReader, BitWriter
from jinka.codec.tags.check_digit import check_key
from jinka.codec.tags.elements import check_value
from jinka.codec.tags.epc import Elements
from jinka.codec.tags.faults import TagError, at_bits
from jinka.codec.tags.hostname import read_hostname, write_hostname
from jinka.codec.tags.schemes import DATE_KINDS, Scheme
from jinka.codec.tags.tag import NO_EXTENSION, Plus, Tag

_DATE = Component(coding=Coding.DATE, length=6)


def make_plus_tag(
    scheme: Scheme,
    elements: Elements,
    *,
    filter_value: int = 0,
    hostname: str = "",
    extra: Elements = (),
) -> Tag:
    """Put a key, given as application identifiers, into a scheme of TDS 2.x.

    ``elements`` are those of the scheme, with the date of a dated one. Raises `TagError` or `Refused`.
    """
    left = dict(elements)
    if not scheme.is_plus or len(left) != len(elements):
        raise TagError(f"not application identifiers of {scheme.name}", where="tag")
    if not 0 <= filter_value < 8:
        raise TagError(f"{scheme.name} has no filter value {filter_value}", where="filter")
    values = [left.pop(ai, NO_EXTENSION if ai == "254" else "") for ai in scheme.elements]
    date = next(((ai, left.pop(ai)) for ai in DATE_KINDS if ai in left), None) if scheme.dated else None
    short = any(len(value) <= _fixed(ai) for ai, value in zip(scheme.elements, values, strict=True))
    if left or short or (scheme.dated and date is None) or bool(hostname) != scheme.hosted:
        want = " ".join(f"({ai})" for ai in scheme.elements) + " and a date" * scheme.dated
        raise TagError(
            f"{scheme.name} takes {want}" + " and a host name" * scheme.hosted,
            where="tag",
            fix=f"also given: {', '.join(left)}" if left else "an EPC has a serial",
        )
    for ai, value in (*zip(scheme.elements, values, strict=True), *extra):
        check_value(ai, value)
    plus = Plus(date=date, hostname=hostname, toggle=bool(extra), extra=extra)
    return Tag(scheme=scheme, filter=filter_value, values=tuple(values), plus=plus)


def pack_elements(scheme: Scheme, elements: Elements, *, filter_value: int = 0, hostname: str = "") -> Tag:
    """Put a key into a scheme of TDS 2.x and all else that a barcode says behind it. Raises as `make_plus_tag`."""
    date = next((ai for ai, _ in elements if ai in DATE_KINDS), "") if scheme.dated else ""
    own = tuple(row for row in elements if row[0] in scheme.elements or row[0] == date)
    extra = tuple(row for row in elements if row not in own)
    return make_plus_tag(scheme, own, filter_value=filter_value, hostname=hostname, extra=extra)


def read_plus(scheme: Scheme, reader: BitReader) -> Tag:
    """Read what follows the header. Raises `TagError` at the bit, `Refused` for a wrong check digit."""
    toggle = bool(reader.take(1, "the toggle"))
    filter_value = reader.take(3, "the filter value")
    date = _read_date(reader) if scheme.dated else None
    values = []
    for ai in scheme.elements:
        values.append(_read_known(ai, reader, whole=True))
    hostname = read_hostname(reader) if scheme.hosted else ""
    extra = _read_extra(scheme, reader) if toggle else ()
    reader.end()
    plus = Plus(date=date, hostname=hostname, toggle=toggle, extra=extra)
    return Tag(scheme=scheme, filter=filter_value, values=tuple(values), plus=plus)


def write_plus(tag: Tag, writer: BitWriter) -> None:
    """Write what follows the header."""
    plus = tag.plus
    writer.put(plus.toggle, 1)
    writer.put(tag.filter, 3)
    if plus.date:
        kind, value = plus.date
        writer.put(DATE_KINDS.index(kind), 4)
        write_value((_DATE,), value, writer)
    for ai, part in zip(tag.scheme.elements, tag.values, strict=True):
        write_value(IDENTIFIERS[ai].components, str(part), writer)
    if tag.scheme.hosted:
        write_hostname(plus.hostname, writer)
    for ai, value in plus.extra:
        for digit in ai:
            writer.put(int(digit), 4)
        write_value(IDENTIFIERS[ai].components, value, writer)


def _fixed(ai: str) -> int:
    """Characters before the serial that is appended to a key, 0 where it is the whole value."""
    parts = IDENTIFIERS[ai].components
    return parts[0].length if len(parts) > 1 else 0


def _read_date(reader: BitReader) -> tuple[str, str]:
    start = reader.at
    kind = reader.take(4, "the kind of the date")
    if kind >= len(DATE_KINDS):
        raise at_bits(f"no kind of date {kind}", start, start + 4, fix="0 to 6")
    return DATE_KINDS[kind], take_date(reader)


def _read_extra(scheme: Scheme, reader: BitReader) -> Elements:
    """Application identifiers until nothing but zeros is left."""
    found: dict[str, str] = {}
    while reader.left >= 8 and reader.rest:
        start = reader.at
        digits = [reader.take(4, "an application identifier") for _ in range(2)]
        if max(digits) > 9:
            raise at_bits(f"{digits[0]:X}{digits[1]:X} begins no application identifier", start, reader.at)
        text = "".join(map(str, digits))
        for _ in range(AI_LENGTHS.get(text, 2) - 2):
            text += str(reader.take(4, "an application identifier"))
        if text not in IDENTIFIERS:
            raise at_bits(f"no application identifier ({text}) is declared", start, reader.at)
        if text in found or text in scheme.elements:
            raise at_bits(f"({text}) stands twice", start, reader.at)
        found[text] = _read_known(text, reader)
    return tuple(found.items())


def _read_known(ai: str, reader: BitReader, *, whole: bool = False) -> str:
    known, start = IDENTIFIERS[ai], reader.at
    value = read_value(known.components, reader, whole=whole)
    if not fits(ai)(value):
        raise at_bits(f"{value!r} is no value of ({ai})", start, reader.at, fix=f"it is {known.words}")
    if known.check:
        check_key(value[: known.check], f"({ai}) {value}")
    return value
