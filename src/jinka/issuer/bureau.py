"""What a personalisation bureau decides: which holders are fit to get a card, and which number each card gets.

Holders come as the text of a CSV file; every line that does not fit is a finding with its number, and none of its
cards is made. Resident identity numbers are checked by GB 11643 (ISO 7064, MOD 11-2). Numbers are reserved in runs
from one range before anything is made of them, so that an order that is taken up again finds its own numbers.
"""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jinka.kit import Finding, Refused, Severity, Usage, bcd_date
from jinka.registry.numbers import citizen_number
from jinka.tariff import HolderClass

COLUMNS = ("name", "identity_number", "holder_class", "balance", "valid_from", "valid_to")
ROWS_MAX = 1_000_000
NAME_MAX = 20  # bytes in GBK: the field of file 0016, and what is embossed
_DIGITS = 16
_FIELD_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """One line of an order. ``name`` and ``identity_number`` may be empty: not every card is personal."""

    name: str = ""
    identity_number: str = ""
    holder_class: HolderClass = HolderClass.ORDINARY
    balance: int = 0  # in minor units, set before issue
    start: bytes = b""  # BCD
    expiry: bytes = b""

    def __repr__(self) -> str:
        return f"Holder({self.holder_class.name})"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRange:
    """Card numbers of 16 digits, both ends included."""

    first: int
    last: int

    def __post_init__(self) -> None:
        if not 0 < self.first <= self.last < 10**_DIGITS:
            raise Usage(
                "not a range of card numbers", where="range", fix=f"FIRST-LAST, {_DIGITS} digits each"
            )

    @classmethod
    def parse(cls, text: str) -> NumberRange:
        """``5180000001000000-5180000001999999``."""
        first, dash, last = text.partition("-")
        if not dash or not all(p.isascii() and p.isdigit() and len(p) == _DIGITS for p in (first, last)):
            raise Usage(
                "not a range of card numbers", where="range", fix=f"FIRST-LAST, {_DIGITS} digits each"
            )
        return cls(first=int(first), last=int(last))

    def __str__(self) -> str:
        return f"{self.first:0{_DIGITS}d}-{self.last:0{_DIGITS}d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """A run of numbers that belongs to one order, and to no other for good."""

    order: str
    first: int
    count: int

    def number(self, row: int) -> str:
        """The number of an order's row, counted from 0."""
        if not 0 <= row < self.count:
            raise Usage(f"row {row} of {self.count}", where=self.order)
        return f"{self.first + row:0{_DIGITS}d}"


def next_reservation(
    numbers: NumberRange, reserved: Sequence[Reservation], order: str, count: int
) -> Reservation:
    """The order's numbers: those that it has already, or the next that are free; `Refused` when too few are left."""
    if count < 1:
        raise Usage(f"{count} cards", where="order", fix="1 or more")
    free = numbers.first
    for held in reserved:
        if held.order == order:
            if held.count != count:
                raise Refused(
                    f"this order was begun with {held.count} cards, not {count}",
                    where=order,
                    fix="give another order another name",
                )
            return held
        free = max(free, held.first + held.count)
    if free + count - 1 > numbers.last:
        left = max(0, numbers.last - free + 1)
        raise Refused(f"{left} numbers are left", where=f"range {numbers}", fix="order fewer cards")
    return Reservation(order=order, first=free, count=count)


def check_holders(text: str, *, balance_limit: int, where: str) -> tuple[list[Holder], list[Finding]]:
    """The holders of a CSV file and what is wrong with it, by line. The first line names the columns."""
    found: list[Holder] = []
    findings: list[Finding] = []
    rows = csv.reader(text.splitlines(), strict=True)
    seen: dict[str, int] = {}
    try:
        header = [name.strip() for name in next(rows, [])]
        if findings := list(_header_findings(header, where)):
            return [], findings
        for row in rows:
            line = rows.line_num
            if not any(field.strip() for field in row):
                continue
            if len(found) + len(findings) >= ROWS_MAX:
                findings.append(_finding("TOO_MANY", f"{where}:{line}", f"more than {ROWS_MAX} lines"))
                break
            holder, wrong = _holder(header, row, balance_limit, f"{where}:{line}")
            findings += wrong
            if holder is None:
                continue
            if holder.identity_number:
                before = seen.setdefault(holder.identity_number, line)
                if before != line:
                    text_ = f"the same identity number as line {before}"
                    findings.append(_finding("TWICE", f"{where}:{line}", text_, "one card for each person"))
            found.append(holder)
    except csv.Error as broken:
        findings.append(_finding("NOT_CSV", f"{where}:{rows.line_num}", str(broken), "quote the field"))
    if not found and not findings:
        findings.append(_finding("EMPTY", where, "no holder"))
    return found, findings


def _header_findings(header: list[str], where: str) -> Iterator[Finding]:
    if header[:1] and header[0].startswith("\ufeff"):
        header[0] = header[0].removeprefix("\ufeff")
    unknown = [name for name in header if name not in COLUMNS]
    if unknown or not header or len(set(header)) != len(header):
        text = (
            f"columns {', '.join(unknown)[:_FIELD_MAX]} are not known"
            if unknown
            else "no header, or a column twice"
        )
        yield _finding("HEADER", f"{where}:1", text, f"name the columns: {','.join(COLUMNS)}")


def _holder(
    header: list[str], row: list[str], balance_limit: int, where: str
) -> tuple[Holder | None, list[Finding]]:
    if len(row) != len(header):
        return None, [_finding("FIELDS", where, f"{len(row)} fields instead of {len(header)}")]
    fields = dict(zip(header, (field.strip() for field in row), strict=True))
    wrong: list[Finding] = []

    def refuse(code: str, what: str, fix: str = "") -> None:
        wrong.append(_finding(code, where, what, fix))

    name, identity = fields.get("name", ""), fields.get("identity_number", "").upper()
    if not _embossable(name):
        refuse("NAME", "the name cannot be embossed", f"letters, at most {NAME_MAX} bytes in GBK")
    if identity and not right_identity(identity):
        refuse("IDENTITY", "the identity number's division, birthday or check digit is wrong", "see GB 11643")
    kind = fields.get("holder_class", "") or HolderClass.ORDINARY.name
    holder_class = next((c for c in HolderClass if kind.lower() in (c.name.lower(), str(int(c)))), None)
    if holder_class is None:
        refuse("CLASS", "no such holder class", "one of " + ", ".join(c.name.lower() for c in HolderClass))
    balance = fields.get("balance", "") or "0"
    if not (balance.isascii() and balance.isdigit() and len(balance) < 12 and int(balance) <= balance_limit):
        refuse("BALANCE", "not an opening balance", f"whole minor units, 0 to {balance_limit}")
    dates = []
    for column in ("valid_from", "valid_to"):
        try:
            dates.append(dt.date.fromisoformat(fields[column]) if fields.get(column) else None)
        except ValueError:
            refuse("DATE", f"{column} is not a date", "write it as YYYY-MM-DD")
    if len(dates) == 2 and dates[0] and dates[1] and dates[0] > dates[1]:
        refuse("DATE", "valid_to lies before valid_from")
    if wrong or holder_class is None:
        return None, wrong
    start, expiry = (bcd_date(date) if date else b"" for date in dates)
    return Holder(
        name=name,
        identity_number=identity,
        holder_class=holder_class,
        balance=int(balance),
        start=start,
        expiry=expiry,
    ), []


def right_identity(number: str) -> bool:
    """Whether a resident identity number has a division, a birthday and the right check character."""
    try:
        return citizen_number(number, today=dt.date.max) == number  # no clock here: born ahead is not asked
    except Refused:
        return False


def _embossable(name: str) -> bool:
    try:
        return len(name.encode("gbk")) <= NAME_MAX and (name.isprintable() or not name)
    except UnicodeEncodeError:
        return False


def _finding(code: str, where: str, what: str, fix: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, where=where, what=what, fix=fix)
