"""Specifications of ISO 8583 messages as data: fields with their content, coding, length prefix and inner structure.

ISO 8583:1987, 1993 and 2003 name the contents (a, n, an, ans, z, x+n, b) and leave the bytes to whoever connects; a
`Style` says how one network writes them, and `make_spec` joins a table of fields with a style. Nothing here reads a
message: `jinka.codec.iso8583.wire` interprets a specification, `compile` makes fast functions of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from jinka.kit import Usage

CODE_PAGES = ("cp037", "cp500")  # of EBCDIC: both are permutations of Latin-1
MESSAGE_MAX = 16 * 1024  # bytes; a field of three length digits has at most 999 units


class Content(Enum):
    """What a field holds (ISO 8583, attributes of data elements)."""

    A = "a"  # letters and blanks
    N = "n"  # digits
    AN = "an"  # letters, digits and blanks
    ANS = "ans"  # printable text
    Z = "z"  # track 2 or 3: the sixteen characters 0 to ?
    XN = "x+n"  # C or D, then digits: a signed amount
    B = "b"  # bytes


class Coding(Enum):
    """How the units of a field lie on the wire."""

    ASCII = "ascii"
    EBCDIC = "ebcdic"
    GB18030 = "gb18030"  # text whose units are bytes
    BCD = "bcd"  # two digits in a byte; an odd number has a zero before it
    BCD_LEFT = "bcd-left"  # an odd number has a filler behind it
    BINARY = "binary"
    HEX = "hex"  # bytes as hexadecimal text


class LengthCoding(Enum):
    """How a length prefix is written."""

    ASCII = "ascii"
    EBCDIC = "ebcdic"
    BCD = "bcd"
    BINARY = "binary"


class Counts(Enum):
    """What a length prefix counts."""

    UNITS = "units"  # digits, characters, or bytes of a binary field
    BYTES = "bytes"  # bytes on the wire: half as many as packed digits, twice as many as bytes in hex


class Mask(Enum):
    """What of a field may be shown to a person who did not ask for more."""

    OPEN = "open"
    PAN = "pan"  # the first six and the last four
    HIDDEN = "hidden"  # its length alone
    KEYS = "keys"  # hidden in network management (x8xx), where it carries keys; open elsewhere


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """A length prefix: ``width`` bytes on the wire."""

    width: int
    coding: LengthCoding
    counts: Counts = Counts.UNITS

    @property
    def highest(self) -> int:
        """The largest number that it can say."""
        if self.coding is LengthCoding.BINARY:
            return (1 << 8 * self.width) - 1
        return int((100 if self.coding is LengthCoding.BCD else 10) ** self.width) - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a composite field: ``size`` units, 0 for all the rest (only the last piece)."""

    key: str
    title: tuple[str, str]
    size: int
    content: Content = Content.ANS
    mask: Mask = Mask.OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Composite:
    """Pieces of fixed size side by side; ``required`` of them must be there, all of them where it is 0."""

    parts: tuple[Part, ...]
    required: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tlv:
    """BER-TLV objects of a chip (ISO/IEC 8825-1; EMV Book 3 annex B)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """Sub-elements in text: a tag, a decimal length, a value, repeated (as in private data sub-elements)."""

    tag_size: int
    length_size: int
    titles: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bitmapped:
    """A bitmap of ``bitmap_size`` bytes inside a binary field, then the sub-fields that it names."""

    bitmap_size: int
    fields: tuple[FieldSpec, ...]


Nested = Composite | Tlv | Elements | Bitmapped


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldSpec:
    """One field. ``size`` is its length, or with a prefix its greatest length, in units of the value."""

    number: int
    title: tuple[str, str]
    content: Content
    size: int
    coding: Coding
    prefix: Prefix | None = None
    filler: str = "0"  # behind an odd number of left-justified digits: 0 or F
    mask: Mask = Mask.OPEN
    nested: Nested | None = None

    @property
    def is_bytes(self) -> bool:
        """Whether its value is `bytes`; all others are `str`."""
        return self.content is Content.B

    def __post_init__(self) -> None:
        binary = self.coding in (Coding.BINARY, Coding.HEX)
        packed = self.coding in (Coding.BCD, Coding.BCD_LEFT)
        odd_amount = self.content is Content.XN and (
            self.prefix is not None or (packed and self.size % 2 == 1)
        )
        wrong = (
            self.is_bytes is not binary
            or (packed and self.content not in (Content.N, Content.Z, Content.XN))
            or (self.coding is Coding.GB18030 and self.content is not Content.ANS)
            or odd_amount
            or not 1 <= self.size <= MESSAGE_MAX
            or self.filler not in ("0", "F")
        )
        if wrong:
            raise Usage(
                f"{self.content.value}{self.size} as {self.coding.value} is no field",
                where=f"specification, field {self.number}",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How one network writes: the coding of each kind of thing."""

    mti: Coding = Coding.ASCII
    bitmap: Coding = Coding.BINARY
    numeric: Coding = Coding.ASCII
    variable_numeric: Coding | None = None  # of n fields with a prefix, where it differs
    track: Coding = Coding.ASCII
    text: Coding = Coding.ASCII
    binary: Coding = Coding.BINARY
    length: LengthCoding = LengthCoding.ASCII
    counts: Counts = Counts.UNITS
    filler: str = "0"
    code_page: str = "cp037"  # of EBCDIC

    def coding_of(self, content: Content, *, variable: bool) -> Coding:
        """The coding of a field of this content."""
        if content is Content.B:
            return self.binary
        if content is Content.Z:
            return self.track
        if content in (Content.N, Content.XN):
            return (self.variable_numeric or self.numeric) if variable else self.numeric
        return self.text

    def prefix(self, digits: int) -> Prefix | None:
        """LL, LLL or LLLL in this style; None for 0."""
        if not digits:
            return None
        widths = {LengthCoding.BCD: (digits + 1) // 2, LengthCoding.BINARY: 1 if digits < 3 else 2}
        return Prefix(width=widths.get(self.length, digits), coding=self.length, counts=self.counts)


@dataclass(frozen=True, slots=True)
class Row:
    """A field of a table, before a style says how it is written. ``digits`` is 0 (fixed), 2, 3 or 4."""

    number: int
    title: tuple[str, str]
    content: Content
    size: int
    digits: int = 0
    mask: Mask = Mask.OPEN
    nested: Nested | None = None
    coding: Coding | None = None  # where the network writes this one unlike the others of its kind


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSpec:
    """A dialect: how type and bitmaps are written, and every field that it knows."""

    name: str
    title: tuple[str, str]
    mti: Coding
    bitmap: Coding
    bitmaps_max: int  # 1, 2 or 3
    code_page: str
    fields: Mapping[int, FieldSpec]

    def __post_init__(self) -> None:
        if self.mti not in (Coding.ASCII, Coding.EBCDIC, Coding.BCD):
            raise Usage("a type is ASCII, EBCDIC or BCD", where=self.name)
        if self.bitmap not in (Coding.BINARY, Coding.HEX, Coding.EBCDIC) or self.bitmaps_max not in (1, 2, 3):
            raise Usage("1 to 3 bitmaps, binary, hex or EBCDIC hex", where=self.name)
        if self.code_page not in CODE_PAGES:
            raise Usage(f"no code page {self.code_page}", where=self.name, fix=" or ".join(CODE_PAGES))
        carriers = {1, 65} if self.bitmaps_max == 3 else {1}  # their bits announce the next bitmap
        for number, spec in self.fields.items():
            if number != spec.number or number in carriers or not 2 <= number <= 64 * self.bitmaps_max:
                raise Usage(f"no place for a field {number}", where=self.name)

    def title_of(self, number: int) -> tuple[str, str]:
        """A field's name in English and Chinese."""
        spec = self.fields.get(number)
        return spec.title if spec else ("unknown", "未知")


def style_field(row: Row, style: Style) -> FieldSpec:
    """One row of a table as this style writes it."""
    return FieldSpec(
        number=row.number,
        title=row.title,
        content=row.content,
        size=row.size,
        coding=row.coding or style.coding_of(row.content, variable=bool(row.digits)),
        prefix=style.prefix(row.digits),
        filler=style.filler,
        mask=row.mask,
        nested=row.nested,
    )


def make_spec(
    name: str, title: tuple[str, str], rows: Iterable[Row], style: Style, *, bitmaps_max: int = 2
) -> MessageSpec:
    """A dialect from a table and a style; a number that comes twice is refused."""
    fields: dict[int, FieldSpec] = {}
    for row in rows:
        if row.number in fields:
            raise Usage(f"field {row.number} stands twice", where=name)
        fields[row.number] = style_field(row, style)
    return MessageSpec(
        name=name,
        title=title,
        mti=style.mti,
        bitmap=style.bitmap,
        bitmaps_max=bitmaps_max,
        code_page=style.code_page,
        fields=fields,
    )


def merge_rows(base: Iterable[Row], changed: Iterable[Row]) -> tuple[Row, ...]:
    """A table that differs from another in some rows."""
    rows = {row.number: row for row in base} | {row.number: row for row in changed}
    return tuple(rows[number] for number in sorted(rows))
