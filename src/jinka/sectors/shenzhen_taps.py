"""Reads the Shenzhen open data of card taps (深圳通刷卡数据, set 29200_00403601): CSV, or the JSON pages of its API.

UTF-8 or GB18030, columns in any order. A row that cannot be read is a finding with its line, never an exception;
identical rows are one tap delivered twice. The amounts are fen: ``deal_value`` gross, ``deal_money`` charged.
"""

from __future__ import annotations

import codecs
import csv
import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

from jinka.kit import FIRST_DATE, LAST_DATE, Finding, Severity, Usage
from jinka.tariff import Mode, TapKind
from jinka.tariff.tap_rows import TapFile, TapRow

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
_AMOUNT_MAX_FEN = 50_000  # 500 yuan: no ride costs more, and a purse (1,000 yuan) can always be loaded for it
_TEXT_MAX = 64
_NO_TEXT = re.compile("[\\x00-\\x1f\\x7f\\ud800-\\udfff]")

_Cells = dict[str, str] | str  # a row's cells by column, or what is wrong with the row


def read_taps(content: bytes, *, name: str) -> TapFile:
    """Read CSV or JSON; `Usage` only when the whole file is of neither kind."""
    rows: dict[tuple[str, ...], TapRow] = {}
    findings: list[Finding] = []
    read = dropped = 0
    for place, cells in _cells(_lines(content), name):
        read += 1
        try:
            row = _row(read, place, cells)
        except ValueError as problem:
            findings.append(
                Finding(
                    code="ROW_UNREADABLE",
                    severity=Severity.ERROR,
                    where=f"{name}:{place}",
                    what=str(problem),
                    fix="mend or remove the row",
                )
            )
            continue
        assert isinstance(cells, dict)
        key = tuple(cells.get(column, "") for column in COLUMNS)
        if key in rows:
            dropped += 1
            findings.append(
                Finding(
                    code="DUPLICATE_ROW",
                    severity=Severity.INFO,
                    where=f"{name}:{place}",
                    what=f"the same as line {rows[key].place}: one tap delivered twice",
                )
            )
            continue
        rows[key] = row
    return TapFile(
        rows=tuple(rows.values()), rows_read=read, duplicates_dropped=dropped, findings=tuple(findings)
    )


def _lines(content: bytes) -> list[str]:
    """The lines in UTF-8, or in GB18030 when the kinds of taps can be read in that alone more often.

    Bytes that are no text in it stay visible as lone surrogates, and so cost their own row and no other.
    """
    raw = content.removeprefix(codecs.BOM_UTF8).splitlines()
    try:
        return [line.decode() for line in raw]
    except UnicodeDecodeError:
        found = [[line.decode(code, "surrogateescape") for line in raw] for code in ("utf-8", "gb18030")]
        return max(found, key=lambda lines: sum(any(kind in line for kind in _KINDS) for line in lines))


def _cells(lines: list[str], name: str) -> Iterator[tuple[str, _Cells]]:
    """Each row with its place: its cells, or what keeps it from being cells."""
    first = lines[0] if lines else ""
    if first.lstrip()[:1] in ("{", "["):
        yield from _json_cells(lines)
        return
    if not any(lines):
        raise Usage("is empty", where=name, fix="a CSV header or JSON")
    if "\0" in first:  # UTF-16, or no text at all
        raise Usage("is no text in UTF-8 or GB 18030", where=name, fix="save it as CSV in UTF-8")
    found = _csv_cells(first)
    header = found if isinstance(found, list) else []
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise Usage(
            f"columns {', '.join(missing)} are missing", where=f"{name}:1", fix="a CSV header or JSON"
        )
    for line_no, line in enumerate(lines[1:], 2):
        if line.strip():
            yield str(line_no), _csv_row(line, header)


def _csv_row(line: str, header: list[str]) -> _Cells:
    cells = _csv_cells(line)
    if isinstance(cells, list) and len(cells) != len(header):
        return f"{len(cells)} cells, the header has {len(header)}"
    return dict(zip(header, cells, strict=True)) if isinstance(cells, list) else cells


def _csv_cells(line: str) -> list[str] | str:
    """One line is one row: the data has no cell of several lines, so a quote left open ends with its line."""
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error as problem:
        return f"not CSV: {problem}"


def _json_cells(lines: list[str]) -> Iterator[tuple[str, _Cells]]:
    """Pages as the API gives them: one object with ``data`` a line, or the whole file as one page or list."""
    pages: list[tuple[int, Any]] = []
    try:
        pages.append((1, json.loads("\n".join(lines))))
    except (ValueError, RecursionError):
        for line_no, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                pages.append((line_no, json.loads(line)))
            except (ValueError, RecursionError) as problem:
                yield str(line_no), f"not JSON: {problem}"
    for line_no, page in pages:
        rows = page.get("data", [page]) if isinstance(page, dict) else page
        for index, row in enumerate(rows if isinstance(rows, list) else [rows]):
            if isinstance(row, dict):
                yield f"{line_no}[{index}]", {key: _json_text(value) for key, value in row.items()}
            else:
                yield f"{line_no}[{index}]", "a row that is no object"


def _json_text(value: object) -> str:
    if value is None:
        return ""
    return str(value) if isinstance(value, str | int | float) else "\0"  # which no cell may hold


def _row(number: int, place: str, cells: _Cells) -> TapRow:
    if isinstance(cells, str):
        raise ValueError(cells)
    for column, text in cells.items():
        if _NO_TEXT.search(text):
            raise ValueError(f"{column[:_TEXT_MAX]!a} holds bytes that are no text, or control characters")
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
    if not FIRST_DATE <= at.date() <= LAST_DATE:
        raise ValueError(f"deal_date {at.date()} is not from {FIRST_DATE} to {LAST_DATE}")
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
        number=number,
        place=place,
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
