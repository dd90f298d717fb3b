"""What lies inside fields, a message in words and as JSON: round trips, masks, faults.

Method: pieces of every kind come out and go in again; a message that holds personal data never shows it unasked.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec.iso8583 import DIALECTS, DecodeError, EncodeError, Message, compile_spec
from jinka.codec.iso8583.describe import describe
from jinka.codec.iso8583.json_form import from_json, to_json
from jinka.codec.iso8583.nested import Node, join, split
from jinka.codec.iso8583.spec import (
    Bitmapped,
    Coding,
    Content,
    Elements,
    FieldSpec,
    LengthCoding,
    Prefix,
    Row,
    Style,
    make_spec,
)
from tests.codec.iso8583.messages import messages

A, N, AN, ANS, Z, XN, B = Content
PAN = "6222021234567890123"
TRACK_OBJECT = "57136222021234567890123D281220100000000000"
CHIP = bytes.fromhex(
    "9F2608AABBCCDDEEFF00119F2701809F100807010103A0A002019F3704DEADBEEF950500800000009A031808099C0100"
    f"9F02060000000123005F2A0201565A0A6222021234567890123F{TRACK_OBJECT}"
    "720F9F1804000000018606842400000411"
)
SUB = Row(
    62, ("Sub-fields", "子域"), B, 99, 2,
    nested=Bitmapped(
        bitmap_size=1,
        fields=(
            FieldSpec(number=1, title=("one", "一"), content=N, size=4, coding=Coding.BCD),
            FieldSpec(number=3, title=("three", "三"), content=ANS, size=9, coding=Coding.ASCII,
                      prefix=Prefix(width=1, coding=LengthCoding.BINARY)),
            FieldSpec(number=8, title=("eight", "八"), content=B, size=2, coding=Coding.BINARY),
        ),
    ),
)  # fmt: skip
PDS = Row(
    48,
    ("Sub-elements", "子元素"),
    ANS,
    99,
    2,
    nested=Elements(tag_size=2, length_size=2, titles={"26": ("w", "钱包")}),
)
INSIDE = make_spec("inside", ("inside", "内部"), (SUB, PDS), Style())


def test_the_chips_objects() -> None:
    spec = DIALECTS["unionpay-pos"]
    message = Message(mti="0200", fields={4: "000000012300", 55: CHIP})
    nodes = {node.key: node for node in split(spec.fields[55], CHIP)}
    assert nodes["9F02"].value == bytes.fromhex("000000012300")
    assert nodes["9F02"].title == ("Amount, authorised", "授权金额")
    assert [inner.key for inner in nodes["72"].value] == ["9F18", "86"]
    assert join(spec.fields[55], tuple(nodes.values())) == CHIP
    lines = {line.path: line for line in describe(spec, message)}
    assert lines["55.9F02"].value == "000000012300"
    assert lines["55.72.9F18"].value == "00000001"
    assert set(lines["55.57"].value) == {"*"}
    assert lines["55.5A"].value == "622202**********123F"
    assert {line.path: line.value for line in describe(spec, message, unmask=True)}["55.57"].startswith(
        "6222021234"
    )
    assert from_json(spec, json.loads(json.dumps(to_json(spec, message, unmask=True)))) == message


def test_personal_data_is_masked_everywhere() -> None:
    fields = {
        2: PAN, 14: "2812",
        35: PAN + "=28122010000000000", 36: "99" + PAN + "===1", 52: bytes.fromhex("0412AC8901234567"),
        55: CHIP, 62: bytes.fromhex("00112233445566778899AABBCCDDEEFF"),
    }  # fmt: skip
    spec, message = DIALECTS["unionpay-pos"], Message(mti="0800", fields=fields)
    shown = (
        json.dumps([line.value for line in describe(spec, message)])
        + json.dumps(to_json(spec, message))
        + repr(message)
    )
    for secret in (PAN, PAN[6:15], "2812", "0412AC89", "00112233"):
        assert secret not in shown.replace("0000000123005F2A", "")
    assert "622202*********0123" in shown
    assert "00112233" in json.dumps(to_json(spec, message.changed({}, mti="0200"))), "keys are in x8xx alone"
    with pytest.raises(EncodeError, match="masked"):
        from_json(spec, to_json(spec, message))


def test_what_cannot_be_taken_apart_is_hidden_whole() -> None:
    broken = b"\x9f\x02\x06" + PAN.encode()[:5]
    spec, message = DIALECTS["unionpay-pos"], Message(mti="0200", fields={55: broken, 60: "2"})
    lines = {line.path: line for line in describe(spec, message)}
    assert set(lines["55"].value) == {"*"}
    assert "offset 3" in lines["55"].fault
    assert "60.type" in lines["60"].fault
    assert "36323232" not in json.dumps(to_json(spec, message))
    assert from_json(spec, to_json(spec, message, unmask=True)) == message
    padded = Message(mti="0200", fields={55: b"\x00\x00\x9a\x03\x18\x08\x09"})
    assert from_json(spec, to_json(spec, padded, unmask=True)) == padded, "padding between objects survives"


@pytest.mark.parametrize(
    ("number", "raw", "path", "offset"),
    [
        (62, b"", "62", 0), (62, b"\x40", "62.2", 1), (62, b"\x80\x12", "62.1", 1), (62, b"\x80\x12\xab", "62.1", 1),
        (62, b"\x20\x05ab", "62.3", 2), (62, b"\x01\x00\x00\x00", "62", 3),
        (48, "26", "48", 0), (48, "26x1a", "48", 0), (48, "2603ab", "48.26", 0), (48, "2601a99", "48", 5),
    ],
)  # fmt: skip
def test_faults_inside(number: int, raw: bytes | str, path: str, offset: int) -> None:
    with pytest.raises(DecodeError) as caught:
        split(INSIDE.fields[number], raw)
    assert (caught.value.path, caught.value.offset) == (path, offset)


def test_sub_fields_and_sub_elements_go_both_ways() -> None:
    nodes = (Node(key="1", value="1234"), Node(key="3", value="abc"), Node(key="8", value=b"\x01\x02"))
    raw = join(INSIDE.fields[62], nodes)
    assert raw == b"\xa1\x12\x34\x03abc\x01\x02"
    assert [(node.key, node.value) for node in split(INSIDE.fields[62], raw)] == [
        (n.key, n.value) for n in nodes
    ]
    assert [(n.key, n.title) for n in split(INSIDE.fields[48], "2603abc0101x")] == [
        ("26", ("w", "钱包")),
        ("01", ("", "")),
    ]
    message = Message(mti="0200", fields={48: "2603abc2601x", 62: raw})
    data = to_json(INSIDE, message, unmask=True)
    assert data["fields"]["48"] == [["26", "abc"], ["26", "x"]], "a tag that comes twice"
    assert from_json(INSIDE, data) == message
    for number, bad in ((62, (Node(key="2", value=b""),)), (62, nodes + nodes), (48, (Node(key="1", value="a"),)),
                        (48, (Node(key="01", value="a" * 100),)), (62, (Node(key="1", value=()),))):  # fmt: skip
        with pytest.raises(EncodeError):
            join(INSIDE.fields[number], bad)


def test_pieces_that_do_not_fit() -> None:
    field = DIALECTS["unionpay-pos"].fields[60]
    good = [Node(key="type", value="22"), Node(key="batch", value="000001"), Node(key="network", value="000")]
    assert join(field, good) == "22000001000"
    for bad in (good[1:], good[:1], [good[0], good[2]], [*good, good[0]], [Node(key="x", value="1")],
                [Node(key="type", value="2x"), good[1]], [Node(key="type", value=b"22"), good[1]]):  # fmt: skip
        with pytest.raises(EncodeError):
            join(field, bad)


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=30)
@given(data=st.data())
def test_json_restores_every_message(name: str, data: st.DataObject) -> None:
    spec = DIALECTS[name]
    message = data.draw(messages(spec, most=6))
    assert from_json(spec, json.loads(json.dumps(to_json(spec, message, unmask=True)))) == message
    assert len(describe(spec, message)) >= len(message.fields)


@pytest.mark.parametrize(
    "data",
    [
        None, [], {}, {"mti": "0200"}, {"mti": 200, "fields": {}}, {"mti": "0200", "fields": {"x": "1"}},
        {"mti": "0200", "fields": {"002": "1"}}, {"mti": "0200", "fields": {"52": "zz"}},
        {"mti": "0200", "fields": {"3": ["1"]}}, {"mti": "0200", "fields": {"55": {"9F02": 1}}},
        {"mti": "0200", "dialect": "other", "fields": {}}, {"mti": "0200", "fields": {"60": 5}},
    ],
)  # fmt: skip
def test_json_that_is_no_message(data: object) -> None:
    with pytest.raises(EncodeError):
        from_json(DIALECTS["unionpay-pos"], data)


def test_every_dialect_names_its_fields_in_both_languages() -> None:
    for spec in DIALECTS.values():
        compile_spec(spec)
        assert all(spec.title)
        for field in spec.fields.values():
            assert all(field.title), (spec.name, field.number)
