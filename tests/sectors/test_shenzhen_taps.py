"""Reading the city's open data: the real file's totals, and rows that nobody should trust."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.sectors.shenzhen_taps import COLUMNS, read_taps
from tests.shared_data import SHENZHEN_TAPS, needs_shenzhen_taps

GOOD = {
    "card_no": "FIAAAEIFD",
    "deal_date": "2018-09-01 11:17:55",
    "deal_type": "地铁出站",
    "deal_money": "380",
    "deal_value": "400",
    "equ_no": "263035112",
    "company_name": "地铁五号线",
    "station": "太安",
    "car_no": "OGT-112",
    "conn_mark": "0",
    "close_date": "2018-09-01 00:00:00",
}


def csv_lines(*rows, columns=tuple(GOOD)):
    return [",".join(columns) + "\n", *(",".join(row.get(c, "") for c in columns) + "\n" for row in rows)]


@pytest.mark.data
@needs_shenzhen_taps
def test_the_real_file():
    with SHENZHEN_TAPS.open(encoding="utf-8") as lines:
        found = read_taps(lines, name="taps")
    assert (found.rows_read, found.duplicates_dropped, len(found.rows)) == (37_000, 1, 36_999)
    assert sum(row.gross_fen for row in found.rows) == 7_780_550
    assert sum(row.charged_fen for row in found.rows) == 6_355_425
    assert [finding.code for finding in found.findings] == ["DUPLICATE_ROW"]


def test_columns_in_any_order_and_a_byte_order_mark():
    lines = csv_lines(GOOD, columns=tuple(reversed(GOOD)))
    lines[0] = "\ufeff" + lines[0]
    assert read_taps(lines, name="x").rows[0].gross_fen == 400


def test_json_pages_are_the_same_rows():
    page = {"total": 2, "page": 1, "data": [GOOD, GOOD | {"card_no": "BEBABAHFE"}]}
    by_line = read_taps([json.dumps(page) + "\n", json.dumps(page | {"data": [GOOD]}) + "\n"], name="x")
    assert (by_line.rows_read, by_line.duplicates_dropped) == (3, 1)
    whole = read_taps(json.dumps(page, indent=1, ensure_ascii=False).splitlines(keepends=True), name="x")
    assert [row.card for row in whole.rows] == ["FIAAAEIFD", "BEBABAHFE"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"deal_type": "轮渡"}, "deal_type"),
        ({"card_no": "X1"}, "card_no"),
        ({"card_no": ""}, "card_no"),
        ({"deal_date": "yesterday"}, "isoformat"),
        ({"deal_date": "2018-09-01 11:17:55+08:00"}, "local time"),
        ({"deal_money": "-1"}, "deal_money"),
        ({"deal_money": "3.8"}, "deal_money"),
        ({"deal_money": "9" * 5000}, "deal_money"),
        ({"deal_money": "١٢"}, "deal_money"),
        ({"deal_money": "500"}, "more than"),
        ({"deal_type": "地铁入站"}, "entry with a fare"),
        ({"equ_no": "12"}, "equ_no"),
        ({"company_name": ""}, "company_name"),
        ({"station": "站" * 65}, "longer"),
    ],
)
def test_a_bad_row_is_a_finding_with_its_line_and_the_run_goes_on(change, words):
    found = read_taps(csv_lines(GOOD | change, GOOD), name="taps.csv")
    assert len(found.rows) == 1
    assert [f.code for f in found.findings] == ["ROW_UNREADABLE"]
    assert found.findings[0].where == "taps.csv:2"
    assert words in found.findings[0].what


def test_a_row_with_too_few_cells_is_a_finding():
    found = read_taps([*csv_lines(GOOD), "half,a,row\n"], name="x")
    assert (len(found.rows), found.findings[0].where) == (1, "x:3")


def test_a_file_of_another_kind_is_refused():
    with pytest.raises(Usage, match="card_no"):
        read_taps(["name,age\n", "Li,4\n"], name="x")
    with pytest.raises(Usage):
        read_taps([], name="empty")


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text_below_the_header_gives_rows_or_findings(lines):
    found = read_taps([",".join(COLUMNS) + "\n", *(line + "\n" for line in lines)], name="x")
    assert not found.rows


@given(st.text(max_size=60))
def test_broken_json_gives_findings(text):
    found = read_taps(["{" + text + "\n", text], name="x")
    assert not found.rows
