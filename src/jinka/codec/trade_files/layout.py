"""What a file of the trade looks like, as data: fields of fixed width in lines of fixed width.

A layout is read and written by the same code (`reader`, `writer`), so a new kind of file is a table and no program.
Each field says where it comes from: a layout that others use, as public implementations show it, or Jinka's own.
Files of variable width are no part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

from jinka.kit import Usage


class Coding(Enum):
    """How a field's bytes are to be read; the value is the Arrow type of its column."""

    TEXT = pa.string(), "text"  # GB 18030, to the left, filled with blanks
    DIGITS = pa.string(), "digits"  # as many as the field is wide; kept as text, since zeros in front count
    DIGITS_LEFT = pa.string(), "digits to the left"  # up to the width, filled with blanks (a card number)
    AMOUNT = pa.int64(), "amount"  # digits, whole minor units
    CREDIT_DEBIT = pa.int64(), "signed amount, C or D"  # ISO 8583's x+n: C in front is a plus, D a minus
    SIGNED = pa.int64(), "signed amount, + or -"
    HEX = pa.binary(), "hexadecimal"  # to the left, filled with blanks
    DATE = pa.date32(), "date"  # YYYYMMDD

    @property
    def arrow(self) -> pa.DataType:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]


class Origin(Enum):
    """Where a field's name, place and width come from."""

    PUBLIC = "public"  # several independent public implementations agree on it
    OWN = "jinka"  # no public layout was found: Jinka's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field. ``constant`` is what must stand in it, and then it is no column; an ``optional`` one may be blank."""

    name: str
    width: int
    coding: Coding
    zh: str
    origin: Origin
    source: str = ""  # the field of a message or of the record that it repeats
    optional: bool = False
    constant: str = ""

    def __post_init__(self) -> None:
        if not 0 < self.width <= 400:
            raise Usage(f"{self.width} bytes", where=f"field {self.name}", fix="1 to 400")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """A kind of file: its lines, and what makes a record the same record in another party's file.

    ``key`` names the fields that tell records apart, ``amount`` the one that is added up, ``personal`` those that are
    masked wherever they are shown. With ``rest``, lines may be longer, by the same length in the whole file; what
    stands there is the column of that name. A ``header`` is the first line, a ``trailer`` the last: its fields
    ``count``, ``total`` and ``check`` (SHA-256 of all lines before it) are made and checked.
    """

    name: str
    en: str
    zh: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    amount: str
    personal: tuple[str, ...] = ()
    separator: bytes = b""
    line_ends: tuple[bytes, ...] = (b"\r\n", b"\n")  # the first is written
    rest: str = ""
    header: tuple[Field, ...] = ()
    trailer: tuple[Field, ...] = ()

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        unknown = [name for name in (*self.key, self.amount, *self.personal) if name not in names]
        if unknown or len({*names, self.rest}) != len(names) + 1:
            raise Usage(f"unknown or repeated fields: {unknown}", where=f"layout {self.name}")

    @property
    def schema(self) -> pa.Schema:
        """The columns of its records."""
        made = [pa.field(f.name, f.coding.arrow, nullable=f.optional) for f in self.fields if not f.constant]
        if self.rest:
            made.append(pa.field(self.rest, pa.string()))
        return pa.schema(made, metadata={b"jinka.trade_file": self.name.encode()})

    @property
    def width(self) -> int:
        """Bytes of a line without its end, and without what is not known of it."""
        return line_width(self.fields, self.separator)


def line_width(fields: tuple[Field, ...], separator: bytes) -> int:
    """Bytes of a line of these fields."""
    return sum(field.width for field in fields) + len(separator) * (len(fields) - 1)


def places(fields: tuple[Field, ...], separator: bytes) -> list[tuple[Field, int]]:
    """Each field with the byte of the line that it begins at."""
    found, at = [], 0
    for field in fields:
        found.append((field, at))
        at += field.width + len(separator)
    return found


__all__ = ["Coding", "Field", "Layout", "Origin", "line_width", "places"]
