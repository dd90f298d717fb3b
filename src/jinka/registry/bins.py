"""Bank identification numbers: which institution issued a card, by the longest prefix of its number.

ISO/IEC 7812-1 gives issuers 8 digits (6 before 2017); tables in use have prefixes of 3 to 10, which overlap and mean
different banks for cards of different length. A table is read from CSV (``bin,bank,type,length``, and ``bank,name``);
a bad row is a finding and is left out, the rest is used. Card numbers are never repeated. Routing is the switch's.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from jinka.kit import Finding, Refused, Severity, Usage

PREFIX_DIGITS = (3, 12)
CARD_DIGITS = (12, 19)
ROWS_MAX = 1_000_000
CELL_MAX = 64
_STEM = 6  # digits of the first look-up; shorter prefixes are spread over all stems that they cover
_CODE = re.compile(r"[A-Z0-9_-]{1,32}")
_COLUMNS, _NAME_COLUMNS = ("bin", "bank", "type", "length"), ("bank", "name")


class CardKind(Enum):
    """What kind of card a range holds; the value is the word of the tables in use."""

    DEBIT = "DC"
    CREDIT = "CC"
    SEMI_CREDIT = "SCC"
    PREPAID = "PC"

    @property
    def title(self) -> tuple[str, str]:
        """English and Chinese."""
        return _TITLES[self]


_TITLES = {
    CardKind.DEBIT: ("debit", "借记卡"),
    CardKind.CREDIT: ("credit", "贷记卡"),
    CardKind.SEMI_CREDIT: ("quasi-credit", "准贷记卡"),
    CardKind.PREPAID: ("prepaid", "预付费卡"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Cards of ``length`` digits that begin with ``prefix`` are this institution's."""

    prefix: str
    length: int
    bank: str
    kind: CardKind


_Leaf = tuple[Bin | None, tuple[tuple[int, dict[str, Bin]], ...]]
_NOTHING: _Leaf = (None, ())


class BinTable:
    """A table of prefixes, made for looking up: one or two dictionary reads for a card."""

    def __init__(
        self, bins: Iterable[Bin], *, names: Mapping[str, str] | None = None, source: str = ""
    ) -> None:
        self.bins = tuple(sorted(bins, key=lambda row: (row.prefix, row.length)))
        self.names = dict(names or {})
        self.source = source
        self._stems: dict[int, dict[str, _Leaf]] = {}
        for length in {row.length for row in self.bins}:
            self._stems[length] = _compiled([row for row in self.bins if row.length == length])

    def lookup(self, card: str) -> Bin | None:
        """The longest prefix that fits a card number of this length; None where there is none."""
        stems = self._stems.get(len(card))
        if stems is None:
            return None
        found, deeper = stems.get(card[:_STEM], _NOTHING)
        for size, rows in deeper:
            row = rows.get(card[:size])
            if row is not None:
                return row
        return found

    def name_of(self, bank: str) -> str:
        """The institution's name, or its code where the table has no name."""
        return self.names.get(bank, bank)


def _compiled(bins: list[Bin]) -> dict[str, _Leaf]:
    """First six digits -> (best row of six digits or fewer, longer rows by their size, the longest first)."""
    short: dict[str, Bin] = {}
    for row in sorted(bins, key=lambda row: len(row.prefix)):  # longer ones overwrite what they cover
        missing = _STEM - len(row.prefix)
        if missing >= 0:
            tails = (f"{tail:0{missing}d}" for tail in range(10**missing)) if missing else ("",)
            short |= {row.prefix + tail: row for tail in tails}
    deep: dict[str, dict[int, dict[str, Bin]]] = {}
    for row in bins:
        if len(row.prefix) > _STEM:
            deep.setdefault(row.prefix[:_STEM], {}).setdefault(len(row.prefix), {})[row.prefix] = row
    return {
        stem: (short.get(stem), tuple(sorted(deep.get(stem, {}).items(), reverse=True)))
        for stem in short.keys() | deep.keys()
    }


def require_card(card: str) -> str:
    """A card number's digits; `Refused` otherwise."""
    low, high = CARD_DIGITS
    if not (card.isascii() and card.isdecimal()) or not low <= len(card) <= high:
        raise Refused("not a card number", where="card number", fix=f"{low} to {high} digits")
    return card


def parse_bins(text: str, names: str = "", *, source: str = "") -> tuple[BinTable, tuple[Finding, ...]]:
    """A table from CSV text. `Usage` when the head is another; every bad row becomes a finding."""
    findings: list[Finding] = []
    kept: dict[tuple[str, int], Bin] = {}
    for line, cells in _rows(text, _COLUMNS, "bins", findings):
        row = _bin(cells, line, findings)
        if row is None:
            continue
        first = kept.setdefault((row.prefix, row.length), row)
        if first is not row:
            same = first == row
            findings.append(
                _finding(
                    "BIN_TWICE" if same else "BIN_AMBIGUOUS",
                    Severity.INFO if same else Severity.WARNING,
                    line,
                    f"{row.prefix} of {row.length} digits stands twice"
                    + ("" if same else " and means two things"),
                    "" if same else f"the first is kept: {first.bank} {first.kind.value}",
                )
            )
    called: dict[str, str] = {}
    for line, (bank, name) in _rows(names, _NAME_COLUMNS, "names", findings) if names else ():
        if not _CODE.fullmatch(bank) or not name.strip() or not name.isprintable():
            findings.append(
                _finding("BANK_NAME", Severity.ERROR, line, "not a code and a name", table="names")
            )
        else:
            called.setdefault(bank, name.strip())
    return BinTable(kept.values(), names=called, source=source), tuple(findings)


def _rows(
    text: str, columns: tuple[str, ...], table: str, findings: list[Finding]
) -> Iterator[tuple[int, list[str]]]:
    lines = text.removeprefix("\ufeff").splitlines()
    if len(lines) > ROWS_MAX + 1:
        raise Usage(f"{len(lines):,} rows", where=table, fix=f"at most {ROWS_MAX:,}")
    if not lines or tuple(cell.strip() for cell in lines[0].split(",")) != columns:
        raise Usage("another head", where=f"{table}:1", fix=",".join(columns))
    for line, raw in enumerate(lines[1:], 2):
        cells = next(csv.reader([raw]), []) if len(raw) <= CELL_MAX * 4 else []
        if raw.strip() and (len(cells) != len(columns) or any(len(cell) > CELL_MAX for cell in cells)):
            findings.append(
                _finding("BIN_ROW", Severity.ERROR, line, f"not {len(columns)} cells", table=table)
            )
        elif raw.strip():
            yield line, [cell.strip() for cell in cells]


def _bin(cells: list[str], line: int, findings: list[Finding]) -> Bin | None:
    prefix, bank, kind, length = cells
    low, high = PREFIX_DIGITS
    digits = int(length) if length.isascii() and length.isdecimal() else 0
    faults = []
    if not (prefix.isascii() and prefix.isdecimal()) or not low <= len(prefix) <= high:
        faults.append(f"a prefix is {low} to {high} digits")
    if not CARD_DIGITS[0] <= digits <= CARD_DIGITS[1]:
        faults.append(f"a card has {CARD_DIGITS[0]} to {CARD_DIGITS[1]} digits")
    if not _CODE.fullmatch(bank):
        faults.append("a bank is a code in capitals")
    known = [item for item in CardKind if item.value == kind]
    if not known:
        faults.append("a type is " + ", ".join(item.value for item in CardKind))
    if faults:
        findings.append(_finding("BIN_ROW", Severity.ERROR, line, "; ".join(faults)))
        return None
    return Bin(prefix=prefix, length=digits, bank=bank, kind=known[0])


def _finding(
    code: str, severity: Severity, line: int, what: str, fix: str = "", *, table: str = "bins"
) -> Finding:
    return Finding(code=code, severity=severity, where=f"{table}:{line}", what=what, fix=fix)


def write_bins(table: BinTable) -> str:
    """The table as CSV again, sorted; the same table gives the same text."""
    rows = (f"{row.prefix},{row.bank},{row.kind.value},{row.length}\n" for row in table.bins)
    return ",".join(_COLUMNS) + "\n" + "".join(rows)
