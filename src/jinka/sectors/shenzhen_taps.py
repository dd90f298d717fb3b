"""Reads the Shenzhen open data of card taps (深圳通刷卡数据, set 29200_00403601): CSV, or the JSON pages of its API.

Columns may stand in any order. A row that cannot be read is a finding with its line number, never an exception;
two identical rows are one tap delivered twice. The amounts are fen: ``deal_value`` gross, ``deal_money`` charged.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from jinka.kit import Finding, Severity, Usage
from jinka.tariff import Mode, TapKind

COLUMNS = (
    "card_no",
    "deal_date",
    "deal_type",
    "deal_money",
    "deal_value",
    "equ_no",
    "company_name",
    "station",
    "car_no",
    "conn_mark",
)
_KINDS = {
    "巴士": (Mode.BUS, TapKind.BOARD),
    "地铁入站": (Mode.METRO, TapKind.ENTRY),
    "地铁出站": (Mode.METRO, TapKind.EXIT),
}
_AMOUNT_MAX_FEN = 100_000  # 1,000 yuan: no ride costs more
_TEXT_MAX = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class TapRow:
    """One readable row. ``card`` is the published pseudonym: 8 or 9 letters A to J."""

    line_no: int
    card: str
    at: dt.datetime
    mode: Mode
    kind: TapKind
    gross_fen: int
    charged_fen: int
    device: str
    company: str
    station: str
    vehicle: str
    flagged_transfer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TapFile:
    """What a file held: its rows without repetitions, the counts, and the findings."""

    rows: tuple[TapRow, ...]
    rows_read: int
    duplicates_dropped: int
    findings: tuple[Finding, ...]


def read_taps(lines: Iterable[str], *, name: str) -> TapFile:
    """Read CSV or JSON lines; `Usage` only when the whole file is of neither kind."""
    rows: dict[tuple[str, ...], TapRow] = {}
    findings: list[Finding] = []
    read = dropped = 0
    for line_no, cells in _cells(iter(lines), name, findings):
        read += 1
        try:
            row = _row(line_no, cells)
        except ValueError as problem:
            findings.append(_unreadable(name, line_no, str(problem)))
            continue
        key = tuple(cells.get(column, "") for column in COLUMNS)
        if key in rows:
            dropped += 1
            findings.append(
                Finding(
                    code="DUPLICATE_ROW",
                    severity=Severity.INFO,
                    where=f"{name}:{line_no}",
                    what=f"the same as line {rows[key].line_no}: one tap delivered twice",
                )
            )
            continue
        rows[key] = row
    return TapFile(
        rows=tuple(rows.values()), rows_read=read, duplicates_dropped=dropped, findings=tuple(findings)
    )


def _cells(lines: Iterator[str], name: str, findings: list[Finding]) -> Iterator[tuple[int, dict[str, str]]]:
    first = next(lines, "").lstrip("\ufeff")
    if first.lstrip()[:1] in ("{", "["):
        yield from _json_cells(first, lines, name, findings)
        return
    header = next(csv.reader([first]), [])
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise Usage(
            f"columns {', '.join(missing)} are missing", where=f"{name}:1", fix="a CSV header or JSON"
        )
    reader = csv.reader(lines)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            findings.append(_unreadable(name, reader.line_num + 1, f"not CSV: {problem}"))
            continue
        if len(cells) == len(header):
            yield reader.line_num + 1, dict(zip(header, cells, strict=True))
        elif cells:
            findings.append(
                _unreadable(name, reader.line_num + 1, f"{len(cells)} cells, the header has {len(header)}")
            )


def _json_cells(
    first: str, lines: Iterator[str], name: str, findings: list[Finding]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Pages as the API gives them: one object with ``data`` a line, or the whole file as one page or list."""
    texts = [first, *lines]
    pages: list[tuple[int, str]] = [(1, "".join(texts))]
    try:
        json.loads(pages[0][1])
    except (ValueError, RecursionError):
        pages = [(number, text) for number, text in enumerate(texts, 1) if text.strip()]
    for line_no, text in pages:
        try:
            page = json.loads(text)
        except (ValueError, RecursionError) as problem:
            findings.append(_unreadable(name, line_no, f"not JSON: {problem}"))
            continue
        rows = page.get("data", [page]) if isinstance(page, dict) else page
        for row in rows if isinstance(rows, list) else [rows]:
            if isinstance(row, dict):
                yield line_no, {str(key): "" if value is None else str(value) for key, value in row.items()}
            else:
                findings.append(_unreadable(name, line_no, "a row that is no object"))


def _row(line_no: int, cells: dict[str, str]) -> TapRow:
    kind = cells.get("deal_type", "").strip()
    if kind not in _KINDS:
        raise ValueError(f"deal_type {kind[:_TEXT_MAX]!r} is none of {', '.join(_KINDS)}")
    card = cells.get("card_no", "").strip()
    if not 8 <= len(card) <= 9 or not set(card) <= set("ABCDEFGHIJ"):
        raise ValueError("card_no is not 8 or 9 letters A to J")
    device = cells.get("equ_no", "").strip()
    if len(device) != 9 or not (device.isascii() and device.isdigit()):
        raise ValueError("equ_no is not 9 digits")
    at = dt.datetime.fromisoformat(cells.get("deal_date", "").strip())
    if at.tzinfo is not None or at.microsecond:
        raise ValueError("deal_date is not a local time in whole seconds")
    gross, charged = _fen(cells, "deal_value"), _fen(cells, "deal_money")
    if charged > gross:
        raise ValueError(f"deal_money {charged} is more than deal_value {gross}")
    mode, tap = _KINDS[kind]
    if tap is TapKind.ENTRY and gross:
        raise ValueError("an entry with a fare")
    company = cells.get("company_name", "").strip()
    if not company or any(len(value) > _TEXT_MAX for value in cells.values()):
        raise ValueError(f"company_name is empty or a cell is longer than {_TEXT_MAX} characters")
    return TapRow(
        line_no=line_no,
        card=card,
        at=at,
        mode=mode,
        kind=tap,
        gross_fen=gross,
        charged_fen=charged,
        device=device,
        company=company,
        station=cells.get("station", "").strip(),
        vehicle=cells.get("car_no", "").strip(),
        flagged_transfer=cells.get("conn_mark", "").strip() == "1",
    )


def _fen(cells: dict[str, str], column: str) -> int:
    text = cells.get(column, "").strip()
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or int(text) > _AMOUNT_MAX_FEN:
        raise ValueError(f"{column} {text[:_TEXT_MAX]!r} is not 0 to {_AMOUNT_MAX_FEN} fen")
    return int(text)


def _unreadable(name: str, line_no: int, what: str) -> Finding:
    return Finding(
        code="ROW_UNREADABLE",
        severity=Severity.ERROR,
        where=f"{name}:{line_no}",
        what=what,
        fix="mend or remove the row",
    )
