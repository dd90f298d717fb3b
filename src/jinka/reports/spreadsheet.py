"""Tables as one workbook (Office Open XML, ECMA-376), a sheet for each; and as JSON values.

Whatever is text in a table is written as text: no cell of a workbook computes what a file or a name said. Amounts are
whole fen. The workbook carries no time of its own, so the same tables give the same bytes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, BinaryIO

import xlsxwriter

from jinka.reports.day import Text
from jinka.reports.tables import Cell, Column, Kind, Table
from jinka.reports.words import WORDS, Language, in_language

_EXACT_MAX = 2**53  # a spreadsheet's numbers are floats; larger ones stand as text
_SHEET_MAX = 31
_EPOCH = dt.datetime(1980, 1, 1)


def write_workbook(tables: Mapping[str, Table], file: BinaryIO, language: Language) -> None:
    """Write the tables into an empty file."""
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": _EPOCH})
        bold = book.add_format({"bold": True})
        whole = book.add_format({"num_format": "#,##0"})
        for name, table in tables.items():
            sheet = book.add_worksheet(name[:_SHEET_MAX])
            sheet.write_string(0, 0, in_language(table.caption, language), bold)
            for at, column in enumerate(table.columns):
                sheet.write_string(2, at, _head(column, language), bold)
            lines = [*table.rows, *([table.total] if table.total else [])]
            for line, row in enumerate(lines, 3):
                for at, cell in enumerate(row):
                    _write(sheet, line, at, cell, whole, language)
            sheet.freeze_panes(3, 0)
            sheet.autofit()


def table_values(tables: Mapping[str, Table]) -> dict[str, Any]:
    """The tables as JSON: every row by the keys of its columns, both languages of a text."""
    return {
        name: {
            "title_en": table.caption.en, "title_zh": table.caption.zh,
            "rows": [_values(table, row) for row in table.rows],
            "total": _values(table, table.total) if table.total else {},
        }
        for name, table in tables.items()
    }  # fmt: skip


def _values(table: Table, row: tuple[Cell, ...]) -> dict[str, Any]:
    return {
        f"{column.key}_fen" if column.kind is Kind.MONEY else column.key: (
            {"en": cell.en, "zh": cell.zh} if isinstance(cell, Text) else cell
        )
        for column, cell in zip(table.columns, row, strict=True)
    }


def _head(column: Column, language: Language) -> str:
    word = in_language(WORDS[column.key], language)
    fen = in_language(Text(en="fen", zh="分"), language)
    return f"{word} ({fen})" if column.kind is Kind.MONEY else word


def _write(sheet: Any, line: int, at: int, cell: Cell, whole: Any, language: Language) -> None:
    if isinstance(cell, int) and abs(cell) <= _EXACT_MAX:
        sheet.write_number(line, at, cell, whole)
        return
    text = in_language(cell, language) if isinstance(cell, Text) else str(cell)
    sheet.write_string(line, at, text)


__all__ = ["table_values", "write_workbook"]
