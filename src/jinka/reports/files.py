"""The files of a day's report: names and bytes. Writing them is the caller's business.

CSV is UTF-8 with a byte order mark (spreadsheets ask for it), whole fen, one column for each language of a name.
A name that begins like a formula is quoted, so that a spreadsheet does not compute it.
"""

from __future__ import annotations

import csv
from itertools import chain

from jinka.reports.day import DayReport, Text
from jinka.reports.page import render_page
from jinka.reports.tables import Cell, Column, Kind, Table, day_tables_of
from jinka.reports.words import Language


def day_files(report: DayReport, *, language: Language = Language.EN) -> dict[str, bytes]:
    """Everything that belongs into the report's folder; the same report gives the same bytes."""
    files = {
        "index.html": render_page(report, language=language).encode(),
        "day.json": report.to_json().encode(),
    }
    for name, table in day_tables_of(report).items():
        files[f"{name}.csv"] = to_csv(table)
    return files


def to_csv(table: Table) -> bytes:
    """One table as CSV (RFC 4180), without its row of totals."""
    lines = _Lines()
    writer = csv.writer(lines)
    both = [_is_both(table, index) for index in range(len(table.columns))]
    writer.writerow(chain.from_iterable(map(_heads, table.columns, both)))
    for row in table.rows:
        writer.writerow(chain.from_iterable(map(_cells, row, both)))
    return "".join(lines).encode("utf-8-sig")


class _Lines(list[str]):
    """What `csv.writer` needs of a file."""

    def write(self, text: str) -> None:
        self.append(text)


def _is_both(table: Table, index: int) -> bool:
    return any(isinstance(row[index], Text) for row in table.rows)


def _heads(column: Column, two: bool) -> list[str]:
    if two:
        return [f"{column.key}_en", f"{column.key}_zh"]
    return [f"{column.key}_fen" if column.kind is Kind.MONEY else column.key]


def _cells(cell: Cell, two: bool) -> list[str]:
    if isinstance(cell, Text):
        return [_safe(cell.en), _safe(cell.zh)]
    text = str(cell) if isinstance(cell, int) else _safe(cell)
    return [text, text] if two else [text]


def _safe(text: str) -> str:
    return f"'{text}" if text[:1] in "=+-@\t\r" and text else text
