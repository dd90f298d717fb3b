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


def csv_text(*rows, columns=tuple(GOOD)):
    return "".join(
        ",".join(cells) + "\n" for cells in [columns, *([row[c] for c in columns] for row in rows)]
    )


def read(text, *, name="taps.csv"):
    return read_taps(text.encode(), name=name)


@pytest.mark.data
@needs_shenzhen_taps
def test_the_real_file():
    found = read_taps(SHENZHEN_TAPS.read_bytes(), name="taps")
    assert (found.rows_read, found.duplicates_dropped, len(found.rows)) == (37_000, 1, 36_999)
    assert sum(row.gross_fen for row in found.rows) == 7_780_550
    assert sum(row.charged_fen for row in found.rows) == 6_355_425
    assert [finding.code for finding in found.findings] == ["DUPLICATE_ROW"]


def test_columns_in_any_order_and_a_byte_order_mark():
    assert read("\ufeff" + csv_text(GOOD, columns=tuple(reversed(GOOD)))).rows[0].gross_fen == 400


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_line(end):
    assert len(read(csv_text(GOOD).replace("\n", end)).rows) == 1


def test_gb18030():
    found = read_taps(csv_text(GOOD).encode("gb18030"), name="x")
    assert (found.rows[0].company, found.rows[0].station, found.findings) == ("地铁五号线", "太安", ())


@pytest.mark.parametrize("code", ["utf-8", "gb18030"])
@pytest.mark.parametrize("bad", [b"\xff", b"\x80", b"\xe5"])
def test_bytes_that_are_no_text_cost_their_own_row_alone(code, bad):
    other = (
        csv_text(GOOD | {"card_no": "BEBABAHFE", "station": "?"}).encode(code).splitlines(keepends=True)[1]
    )
    content = csv_text(GOOD).encode(code) + other.replace(b"?", bad) + other.replace(b"?", b"")
    found = read_taps(content, name="taps.csv")
    assert [row.station for row in found.rows] == ["太安", ""]
    assert [(f.code, f.where) for f in found.findings] == [("ROW_UNREADABLE", "taps.csv:3")]
    assert found.rows_read == 3


def test_bytes_that_are_no_text_in_json():
    text = json.dumps({"data": [GOOD, GOOD | {"station": "?"}]}, ensure_ascii=False).encode()
    found = read_taps(text.replace(b"?", b"\xff"), name="taps.json")
    assert (len(found.rows), [f.where for f in found.findings]) == (1, ["taps.json:1[1]"])


@pytest.mark.parametrize("where", ["begin", "middle", "end"])
def test_a_stray_quote_costs_its_own_row_alone(where):
    station = {"begin": '"太安', "middle": '"太"安', "end": '"太安"x'}[where]
    other = GOOD | {"card_no": "BEBABAHFE"}
    found = read(csv_text(GOOD, other | {"station": station}, GOOD | {"card_no": "BEBABAHFF"}, other))
    assert (len(found.rows), found.rows_read) == (3, 4)
    assert [f.where for f in found.findings] == ["taps.csv:3"]


def test_every_data_line_is_counted_as_read():
    found = read(csv_text(GOOD) + "half,a,row\n\n" + '"\n' + csv_text(GOOD).splitlines()[1])
    assert (found.rows_read, len(found.rows), found.duplicates_dropped) == (4, 1, 1)
    assert [f.where for f in found.findings] == ["taps.csv:3", "taps.csv:5", "taps.csv:6"]


def test_json_pages_are_the_same_rows():
    page = {"total": 2, "page": 1, "data": [GOOD, GOOD | {"card_no": "BEBABAHFE"}]}
    by_line = read(json.dumps(page) + "\n" + json.dumps(page | {"data": [GOOD, 5, {}]}) + "\n", name="x")
    assert (by_line.rows_read, by_line.duplicates_dropped) == (5, 1)
    assert [f.where for f in by_line.findings] == ["x:2[0]", "x:2[1]", "x:2[2]"]
    whole = read(json.dumps(page, indent=1, ensure_ascii=False))
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
        ({"station": "a\0b"}, "station"),
        ({"deal_date": "1999-12-31 23:59:59"}, "2000-01-01"),
        ({"deal_date": "2040-01-01 00:00:00"}, "2039-12-31"),
        ({"deal_date": "9999-12-31 23:59:59"}, "2039-12-31"),
        ({"deal_money": "0", "deal_value": "50001"}, "50000"),
    ],
)
def test_a_bad_row_is_a_finding_with_its_line_and_the_run_goes_on(change, words):
    found = read(csv_text(GOOD | change, GOOD))
    assert len(found.rows) == 1
    assert [f.code for f in found.findings] == ["ROW_UNREADABLE"]
    assert found.findings[0].where == "taps.csv:2"
    assert words in found.findings[0].what


def test_a_row_with_too_few_cells_is_a_finding():
    found = read(csv_text(GOOD) + "half,a,row\n")
    assert (len(found.rows), found.findings[0].where) == (1, "taps.csv:3")


def test_what_json_alone_can_say_is_no_text_either():
    hostile = [{"station": "\ud800"}, {"station": ["太安"]}, {"deal_value": 1e400}, {"deal_value": True}]
    found = read(json.dumps([GOOD, *(GOOD | change for change in hostile)]))
    assert (len(found.rows), len(found.findings)) == (1, 4)


def test_a_file_of_another_kind_is_refused():
    with pytest.raises(Usage, match="card_no"):
        read("name,age\nLi,4\n")
    for content in (b"", b"\n", b"\xff\xfe" + csv_text(GOOD).encode("utf-16le"), b"\0" * 9, b"x" * 200_000):
        with pytest.raises(Usage):
            read_taps(content, name="x")


@given(st.lists(st.text(max_size=40), max_size=6))
def test_any_text_below_the_header_gives_rows_or_findings(lines):
    found = read_taps("\n".join([",".join(COLUMNS), *lines]).encode(errors="replace"), name="x")
    assert not found.rows
    assert found.rows_read == len(found.findings)


@given(st.binary(max_size=200))
def test_any_bytes_below_the_header_give_rows_or_findings(content):
    found = read_taps((",".join(COLUMNS) + "\n").encode() + content, name="x")
    assert not found.rows
    assert found.rows_read == len(found.findings)


@given(st.text(max_size=60))
def test_broken_json_gives_findings(text):
    found = read_taps(("{" + text + "\n" + text).encode(errors="replace"), name="x")
    assert not found.rows


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("card_no,deal_date\n".encode("utf-16"), "is no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_text_is_called_so(content, words):
    with pytest.raises(Usage, match=words):
        read_taps(content, name="taps.csv")
