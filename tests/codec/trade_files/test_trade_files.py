"""Files of the trade. Goal: nothing that is not of the layout is read, nothing is lost, and an error names its place.

Method: lines put together at the offsets of public programs; every field damaged in turn; a file cut at every byte of
its last records; what is written is read back, with values drawn by Hypothesis.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec.trade_files import (
    CITY_UNION,
    LAYOUTS,
    UNIONPAY_COM,
    Coding,
    Layout,
    Origin,
    TradeFile,
    written,
)
from jinka.codec.trade_files.layout import places
from jinka.kit import Refused, Usage
from tests.codec.trade_files.lines import CUTS, com_line

HEADER = {"sender": "4403", "receiver": "4401", "date": dt.date(2018, 9, 3)}


def read(raw: bytes, layout: Layout = UNIONPAY_COM, rows: int = 1 << 15) -> pa.Table:
    file = TradeFile(io.BytesIO(raw), layout, where="F")
    return pa.Table.from_batches(list(file.batches(rows)), layout.schema)


def why(raw: bytes, layout: Layout = UNIONPAY_COM) -> str:
    with pytest.raises(Refused) as caught:
        read(raw, layout)
    return str(caught.value)


def union_row(number: int, **changed: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "batch": bytes(15) + b"\x07", "batch_seq": f"{number:010d}", "state": "0", "card_len": "08",
        "card_no": bytes(6) + b"\x12\x34\x56\x78",
        "profile": "cn.shenzhen.transit", "profile_version": "00001", "txn_type": b"\x09", "amount": 200 + number,
        "balance": -1, "gross_fare": 250, "product": "半价", "counter": "00007", "counter_kind": "0",
        "terminal_id": bytes(5) + b"\x01", "terminal_serial": "0000000042", "psam_id": bytes(10),
        "local_date": b"\x20\x18\x09\x03", "local_time": b"\x08\x15\x02", "zone": "Asia/Shanghai",
        "business_date": dt.date(2018, 9, 3), "issuer": "issuer.szt", "acquirer": "acq.szt",
        "operator": "op.sz.bus", "line": "M314", "stop": None, "key_version": "001", "algorithm": "0",
        "tac": b"\xde\xad\xbe\xef", "outcome": "PAID", "reason": "ACCEPTED",
    }  # fmt: skip
    return row | changed


def union_file(*rows: dict[str, Any]) -> bytes:
    batch = pa.RecordBatch.from_pylist(list(rows), schema=CITY_UNION.schema)
    return b"".join(written([batch], CITY_UNION, HEADER))


def test_the_layout_cuts_where_public_programs_cut() -> None:
    assert [(at, at + field.width) for field, at in places(UNIONPAY_COM.fields, b" ")] == list(CUTS)


def test_a_line_is_read_as_its_fields() -> None:
    (row,) = read(com_line()).to_pylist()
    assert row["acquirer"] == "01042900"
    assert row["pan"] == "6222021234567890123"
    assert (row["amount"], row["partial_amount"]) == (12345, None)
    assert (row["fee_payable"], row["switch_fee"], row["holder_fee"]) == (74, -3, 0)
    assert (row["trace"], row["approval"], row["rest"]) == ("123456", "", None)


def test_more_than_is_known_of_a_line_is_kept() -> None:
    raw = com_line(b"\n", rest="深圳巴士集团") + com_line(b"\n", rest="ABCDEFGHIJKL")
    assert read(raw).column("rest").to_pylist() == ["深圳巴士集团", "ABCDEFGHIJKL"]


def test_a_day_without_transactions_is_a_file() -> None:
    assert read(b"").num_rows == 0


def test_batches_of_any_size_are_the_same_table() -> None:
    raw = b"".join(com_line(f3=f"{n:06d}") for n in range(7))
    assert read(raw, rows=2) == read(raw)


def test_an_error_names_record_field_and_byte_and_not_the_value() -> None:
    said = why(com_line() + com_line(f5="62220212345678X0123"))
    assert "F, record 2, pan, byte 357" in said  # 301 of the first line, 42 to the field, 14 digits
    assert "6222" not in said


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"f3": "12345"}, "trace"),
        ({"f4": "09030815 2"}, "sent_at"),
        ({"f5": "62 2"}, "pan"),
        ({"f6": "12 45"}, "amount"),
        ({"f6": "0000000-12.3"}, "amount"),
        ({"f6": ""}, "amount"),
        ({"f8": "X00000000001"}, "holder_fee"),
        ({"f8": "C"}, "holder_fee"),
        ({"f12": "A\tB"}, "terminal"),
        ({"f34": "\x80"}, "other"),
    ],
)
def test_what_is_none_of_its_field_is_refused(changed: dict[str, str], field: str) -> None:
    raw = com_line(**{key: value for key, value in changed.items() if value != "\x80"})
    if changed.get("f34") == "\x80":
        raw = raw[:285] + b"\xff" + raw[286:]
    assert f"record 3, {field}, byte" in why(com_line() + com_line() + raw)


def test_the_first_wrong_thing_is_named_whatever_the_field() -> None:
    said = why(com_line(f33="X00000000000") + com_line(f3="12345"))
    assert "record 1, instalment_fee" in said


@pytest.mark.parametrize("at", [11, 100, 284])
def test_separators_are_blanks(at: int) -> None:
    raw = bytearray(com_line())
    raw[at] = ord("0")
    assert f"record 1, separator, byte {at}" in why(bytes(raw))


def test_a_line_that_lost_a_byte_and_one_that_has_one_too_many_do_not_pass() -> None:
    assert "record 2" in why(com_line() + com_line()[1:] + b" " + com_line())
    shifted = com_line()[:-2] + b" \r\n"
    assert "record 2, end of line" in why(com_line() + shifted + com_line()[1:])


def test_a_file_that_was_cut_off_is_refused_at_every_byte() -> None:
    raw = com_line() * 2
    for size in range(302, 602):
        assert "record 2, byte" in why(raw[:size])


def test_a_file_of_something_else_is_refused() -> None:
    assert "a line of 5 bytes" in why(b"hello\n")
    assert "no line ends" in why(b"\x00" * 5000)


def test_numbers_stay_within_63_bits() -> None:
    at = next(at for field, at in places(CITY_UNION.fields, b"") if field.name == "amount")
    raw = union_file(union_row(1, amount=2**63 - 1))
    head = raw.index(b"\n") + 1
    place = head + at
    assert raw[place : place + 20] == b"+9223372036854775807"
    more = raw[:place] + b"+9223372036854775808" + raw[place + 20 :]
    assert "amount" in why(more, CITY_UNION)
    assert "63 bits" in why(more, CITY_UNION)


def test_a_city_union_file_round_trips() -> None:
    rows = [
        union_row(1),
        union_row(2, tac=None, stop="世界之窗", line=None),
        union_row(3, amount=-5, product=""),
    ]
    raw = union_file(*rows)
    assert read(raw, CITY_UNION).to_pylist() == rows
    assert TradeFile(io.BytesIO(raw), CITY_UNION, where="F").header["date"] == dt.date(2018, 9, 3)


@pytest.mark.parametrize("field", ["count", "total", "check"])
def test_a_trailer_that_does_not_fit_is_refused(field: str) -> None:
    raw = bytearray(union_file(union_row(1), union_row(2)))
    start = raw.rindex(b"T0000000002")
    at = {"count": start + 10, "total": start + 30, "check": start + 40}[field]
    raw[at] = ord("3") if raw[at] != ord("3") else ord("4")
    assert f"trailer, {field}" in why(bytes(raw), CITY_UNION)


def test_any_changed_byte_of_a_record_is_noticed() -> None:
    raw = union_file(union_row(1))
    head, tail = raw.index(b"\n") + 1, raw.rindex(b"T0000000001")
    for at in range(head, tail, 7):
        changed = bytearray(raw)
        changed[at] ^= 1
        why(bytes(changed), CITY_UNION)


def test_records_left_out_or_doubled_are_noticed() -> None:
    raw = union_file(union_row(1), union_row(2))
    lines = raw.splitlines(keepends=True)
    assert "trailer, count" in why(b"".join((lines[0], lines[1], lines[3])), CITY_UNION)
    assert "trailer, total" in why(b"".join((lines[0], lines[1], lines[1], lines[3])), CITY_UNION)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"batch_seq": "1"}, "batch_seq"),
        ({"profile": "x" * 33}, "profile"),
        ({"stop": "站" * 33}, "stop"),
        ({"card_no": bytes(11)}, "card_no"),
        ({"operator": "a\nb"}, "operator"),
        ({"operator": "ends with a blank "}, "operator"),
        ({"tac": bytes(17)}, "tac"),
        ({"issuer": None}, "issuer"),
        ({"batch_seq": ""}, "batch_seq"),
        ({"batch": b""}, "batch"),
    ],
)
def test_what_does_not_fit_is_not_written(changed: dict[str, Any], field: str) -> None:
    schema = pa.schema([f.with_nullable(True) for f in CITY_UNION.schema])
    batch = pa.RecordBatch.from_pylist([union_row(1), union_row(2, **changed)], schema=schema)
    with pytest.raises(Usage, match=f"record 2, {field}"):
        b"".join(written([batch], CITY_UNION, HEADER))


def test_repeated_words_are_written_as_codes_too() -> None:
    rows = [union_row(n, stop="站" if n % 2 else None) for n in range(4)]
    table = pa.Table.from_pylist(rows, schema=CITY_UNION.schema)
    for name in ("issuer", "stop"):
        coded = table[name].combine_chunks().dictionary_encode()
        table = table.set_column(table.schema.get_field_index(name), name, coded)
    assert b"".join(written(table.to_batches(), CITY_UNION, HEADER)) == union_file(*rows)
    bad = pa.DictionaryArray.from_arrays(pa.array([0, 0, 0, 1], pa.int32()), pa.array(["a", "x" * 33]))
    table = table.set_column(table.schema.get_field_index("issuer"), "issuer", bad)
    with pytest.raises(Usage, match="record 4, issuer"):
        b"".join(written(table.to_batches(), CITY_UNION, HEADER))


def test_a_negative_amount_has_no_place_in_a_field_without_a_sign() -> None:
    row = read(com_line()).drop_columns(["rest"]).to_pylist()[0] | {"amount": -1, "rest": None}
    batch = pa.RecordBatch.from_pylist([row], schema=UNIONPAY_COM.schema)
    with pytest.raises(Usage, match="record 1, amount: is negative"):
        b"".join(written([batch], UNIONPAY_COM))


def _value(field: Any) -> st.SearchStrategy[Any]:
    width = field.width
    made: st.SearchStrategy[Any] = {
        Coding.TEXT: st.text("A.b9", max_size=width) | st.text("深圳€站", max_size=width // 2),
        Coding.DIGITS: st.text("0123456789", min_size=width, max_size=width),
        Coding.DIGITS_LEFT: st.text("0123456789", min_size=1, max_size=width),
        Coding.AMOUNT: st.integers(0, 10**width - 1),
        Coding.CREDIT_DEBIT: st.integers(1 - 10 ** (width - 1), 10 ** (width - 1) - 1),
        Coding.SIGNED: st.integers(-(2**61), 2**61),
        Coding.HEX: st.binary(min_size=1, max_size=width // 2),
        Coding.DATE: st.dates(dt.date(1000, 1, 1)),
    }[field.coding]
    return st.one_of(st.none(), made.filter(bool)) if field.optional else made


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=lambda layout: layout.name)
def test_what_is_written_is_read_back(layout: Layout) -> None:
    fields = [field for field in layout.fields if not field.constant]

    @settings(max_examples=15, deadline=None)
    @given(st.lists(st.fixed_dictionaries({field.name: _value(field) for field in fields}), max_size=3))
    def check(rows: list[dict[str, Any]]) -> None:
        batch = pa.RecordBatch.from_pylist(rows, schema=layout.schema)
        raw = b"".join(written([batch], layout, HEADER))
        wanted = [row | ({layout.rest: None} if layout.rest else {}) for row in rows]
        assert read(raw, layout).to_pylist() == wanted

    check()


def test_a_total_of_more_than_63_bits_has_no_place() -> None:
    with pytest.raises(Usage, match="trailer, total"):
        union_file(union_row(1, amount=2**63 - 1), union_row(2, amount=2**63 - 1))


def test_every_field_says_where_it_comes_from() -> None:
    for layout in LAYOUTS.values():
        origins = {field.origin for field in (*layout.header, *layout.fields, *layout.trailer)}
        assert origins == ({Origin.OWN} if layout is CITY_UNION else {Origin.PUBLIC})
        assert all(field.zh for field in layout.fields)


def test_damaged_files_are_refused_and_nothing_else_happens() -> None:
    draw = random.Random(5)
    seeds = [
        com_line() * 3,
        com_line(b"\n", rest="深圳") * 2,
        union_file(union_row(1), union_row(2, stop="站")),
    ]
    for _ in range(250):
        raw = bytearray(draw.choice(seeds))
        for _ in range(draw.choice((1, 2, 50))):
            place, size = draw.randrange(len(raw)), draw.randrange(1, 40)
            match draw.randrange(4):
                case 0:
                    raw[place] = draw.randrange(256)
                case 1 if len(raw) > 50:
                    del raw[place : place + size]
                case 2:
                    raw[place:place] = draw.randbytes(size)
                case _:
                    raw[place:place] = raw[place : place + 10 * size]
        with contextlib.suppress(Refused):
            read(bytes(raw), draw.choice(list(LAYOUTS.values())))
