"""The file that tells an embossing machine what to put on each card, and how numbers are shown in logs.

CSV with a header, CRLF, every field quoted (RFC 4180). A name that begins like a spreadsheet formula is refused
before: `jinka.issuer.bureau` lets printable names through, so a leading sign is taken off here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_HEADER = ("row", "number", "valid_thru", "name", "class")
_SIGNS = "=+-@\t\r"
_OPEN_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbossLine:
    """One card as it looks. ``number`` in full: the machine needs it, and the file is private."""

    row: int
    number: str
    expiry: bytes  # BCD
    name: str
    holder_class: str

    def __repr__(self) -> str:
        return f"EmbossLine({self.row}, {masked_number(self.number)})"

    def fields(self) -> tuple[str, ...]:
        """The columns of the file: the number in groups of four, the date as MM/YY."""
        groups = " ".join(self.number[at : at + 4] for at in range(0, len(self.number), 4))
        date = self.expiry.hex()
        return str(self.row), groups, f"{date[4:6]}/{date[2:4]}", self.name.lstrip(_SIGNS), self.holder_class


def embossing_file(lines: Sequence[EmbossLine]) -> bytes:
    """The whole file, UTF-8."""
    rows = [_HEADER, *(line.fields() for line in lines)]
    return "".join(",".join(map(_quoted, row)) + "\r\n" for row in rows).encode()


def masked_number(number: str) -> str:
    """All digits but the last four hidden, for logs."""
    return "*" * (len(number) - _OPEN_DIGITS) + number[-_OPEN_DIGITS:]


def _quoted(field: str) -> str:
    return '"' + field.replace('"', '""') + '"'
