"""Faults of messages: which field, at which byte, whose; and never a word of what a field holds.

Method: one bad message for every kind of fault, with its path and offset; noise for every dialect.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.codec.framing import Frame
from jinka.codec.iso8583 import DIALECTS, DecodeError, EncodeError, Message, compile_spec
from jinka.codec.iso8583.nested import Node
from jinka.codec.iso8583.spec import (
    Coding,
    Content,
    Counts,
    FieldSpec,
    LengthCoding,
    MessageSpec,
    Prefix,
    Row,
    Style,
    make_spec,
)
from jinka.kit import Fault, Usage

PAN = "6222021234567890123"
A, N, AN, ANS, Z, XN, B = Content


@pytest.mark.parametrize(
    ("dialect", "raw", "path", "offset", "said"),
    [
        ("iso1987-ascii", b"020", "type", 0, "3 bytes"),
        ("iso1987-ascii", b"02X0" + b"0" * 16, "type", 0, "no digits"),
        ("iso1987-ascii", b"0200" + b"0" * 15, "bitmap", 4, "15 of 16"),
        ("iso1987-ascii", b"0200" + b"G" * 16, "bitmap", 4, "not hexadecimal"),
        ("iso1987-ascii", b"0200" + b"8" + b"0" * 15 + b"1", "bitmap", 20, "1 of 16"),
        ("iso1987-ascii", b"0200" + b"2" + b"0" * 15 + b"00000", "3", 20, "5 are left"),
        ("iso1987-ascii", b"0200" + b"2" + b"0" * 15 + b"00000A", "3", 20, "not digits"),
        ("iso1987-ascii", b"0200" + b"2" + b"0" * 15 + b"000000!", "message", 26, "1 bytes behind"),
        ("iso1987-ascii", b"0200" + b"4" + b"0" * 15 + b"20" + b"1" * 20, "2", 20, "length says 20"),
        ("iso1987-ascii", b"0200" + b"4" + b"0" * 15 + b"+9" + b"1" * 20, "2", 20, "no number"),
        ("iso1987-ascii", b"0200" + b"4" + b"0" * 15 + b"1", "2", 20, "of its length"),
        ("iso1987-ascii", b"0200" + b"0" * 12 + b"1000" + b"12345678 ABCDEF0", "52", 20, "not hexadecimal"),
        ("iso1987-ascii", b"0200" + b"8" + b"0" * 15 + b"8" + b"0" * 15 + b"1", "bitmap", 36, "bitmap 3"),
        ("unionpay-pos", bytes.fromhex("0200" + "80" + "00" * 7), "bitmap", 10, "bitmap 2"),
        ("unionpay-pos", bytes.fromhex("0200" + "08" + "00" * 7), "5", 10, "no such field"),
        ("unionpay-pos", bytes.fromhex("0200" + "40" + "00" * 7 + "131234"), "2", 11, "2 are left"),
        ("unionpay-pos", bytes.fromhex("0200" + "40" + "00" * 7 + "031234"), "2", 11, "filler"),
        ("unionpay-pos", bytes.fromhex("0200" + "0000020000000000" + "1001"), "23", 10, "filler"),
        ("unionpay-pos", bytes.fromhex("0200" + "0000040000000000" + "0211"), "22", 10, "filler"),
        ("iso1987-binary", b"0200" + bytes(3) + b"\x10" + bytes(4) + b"X00000001", "28", 12, "C or D"),
        ("iso1987-binary", b"0200" + bytes(5) + b"\x80" + bytes(2) + b"\x001234567", "41", 12, "printable"),
    ],
)
def test_a_fault_is_named(dialect: str, raw: bytes, path: str, offset: int, said: str) -> None:
    with pytest.raises(DecodeError) as caught:
        compile_spec(DIALECTS[dialect]).decode(raw)
    assert (caught.value.path, caught.value.offset) == (path, offset)
    assert said in caught.value.what
    assert caught.value.fault is Fault.PEER


@pytest.mark.parametrize(
    ("number", "value", "said"),
    [
        (2, "1" * 20, "20 units"), (2, "12a", "not digits"), (2, b"12", "type bytes"), (3, "12345", "5 units"),
        (28, "X00000001", "C or D"), (28, "C1", "2 characters"), (38, "A-1", "letters"), (41, "T1", "2 units"),
        (41, "中文文文文文文文", "printable"), (52, b"1234567", "7 units"), (52, "12345678", "type str"),
        (55, bytes(1000), "1000 units"), (1, "1", "no such field"), (200, "1", "no such field"),
        (4, "١٢٣٤٥٦٧٨٩٠١٢", "not digits"), (4, "²" * 12, "not digits"), (4, None, "NoneType"),
    ],
)  # fmt: skip
def test_our_own_fault_is_named(number: int, value: object, said: str) -> None:
    with pytest.raises(EncodeError) as caught:
        compile_spec(DIALECTS["iso1987-ascii"]).encode(Message(mti="0200", fields={number: value}))
    assert caught.value.path == str(number)
    assert said in caught.value.what
    assert caught.value.fault is Fault.OURS


@pytest.mark.parametrize("mti", ["", "200", "02000", "02A0", "٠٢٠٠"])
def test_a_type_is_four_digits(mti: str) -> None:
    with pytest.raises(EncodeError, match="type"):
        compile_spec(DIALECTS["iso1987-ascii"]).encode(Message(mti=mti, fields={}))


def test_no_fault_says_what_a_field_holds() -> None:
    codec = compile_spec(DIALECTS["iso1987-ascii"])
    track = PAN + "=28122010000000000"
    good = Message(mti="0200", fields={2: PAN, 35: track, 52: bytes.fromhex("0412AC8901234567")})
    raw = codec.encode(good)
    assert PAN not in repr(good)
    assert "AC89" not in repr(good).upper()
    assert PAN not in repr(Frame(message=raw)) + repr(Node(key="5A", value=PAN))
    for at in range(len(raw)):
        for changed in (raw[:at], raw[:at] + b"~" + raw[at + 1 :], raw[:at] + raw[at + 1 :]):
            try:
                codec.decode(changed)
            except DecodeError as error:
                said = str(error) + repr(error)
                assert PAN[:8] not in said
                assert "28122010" not in said


@pytest.mark.parametrize("name", DIALECTS)
@settings(max_examples=60)
@given(raw=st.binary(max_size=80))
def test_noise_is_refused_or_read(name: str, raw: bytes) -> None:
    codec = compile_spec(DIALECTS[name])
    try:
        message = codec.decode(raw)
    except DecodeError as error:
        place = error.offset
    else:
        place = 0
        assert codec.decode(codec.encode(message)) == message
    assert 0 <= place <= len(raw)


def test_a_message_has_an_end() -> None:
    codec = compile_spec(DIALECTS["iso2003-binary"])
    fields = {number: bytes(9999) for number in (111, 112)}
    with pytest.raises(EncodeError, match="at most"):
        codec.encode(Message(mti="0200", fields=fields))
    with pytest.raises(DecodeError, match="at most"):
        codec.decode(bytes(20_000))


def test_a_third_bitmap() -> None:
    rows = (Row(3, ("a", "a"), N, 6), Row(70, ("b", "b"), N, 3), Row(150, ("c", "c"), ANS, 10, 2))
    for style in (Style(), Style(bitmap=Coding.HEX), Style(mti=Coding.EBCDIC, bitmap=Coding.EBCDIC)):
        codec = compile_spec(make_spec("three", ("three", "三"), rows, style, bitmaps_max=3))
        for numbers in ((3,), (3, 70), (3, 70, 150), (150,)):
            values = {3: "123456", 70: "301", 150: "late"}
            message = Message(mti="0800", fields={n: values[n] for n in numbers})
            raw = codec.encode(message)
            for _ in range(12):
                assert codec.encode(message) == raw
                assert codec.decode(raw) == message


def test_lengths_that_count_bytes() -> None:
    """A prefix may count bytes of packed digits, or characters of hexadecimal text; half a byte is refused."""
    packed = FieldSpec(
        number=2, title=("n", "n"), content=N, size=19, coding=Coding.BCD,
        prefix=Prefix(width=1, coding=LengthCoding.BINARY, counts=Counts.BYTES),
    )  # fmt: skip
    text = FieldSpec(
        number=55, title=("b", "b"), content=B, size=99, coding=Coding.HEX,
        prefix=Prefix(width=3, coding=LengthCoding.ASCII, counts=Counts.BYTES),
    )  # fmt: skip
    spec = MessageSpec(
        name="bytes", title=("b", "b"), mti=Coding.BCD, bitmap=Coding.BINARY, bitmaps_max=1, code_page="cp037",
        fields={2: packed, 55: text},
    )  # fmt: skip
    codec = compile_spec(spec)
    message = Message(mti="0200", fields={2: "123456", 55: b"\xca\xfe"})
    raw = codec.encode(message)
    assert raw.hex() == "0200" + "4000000000000200" + "03123456" + b"004CAFE".hex()
    for _ in range(12):
        assert codec.encode(message) == raw
        assert codec.decode(raw) == message
        with pytest.raises(DecodeError, match="half a byte"):
            codec.decode(raw.replace(b"004", b"003"))
        with pytest.raises(EncodeError, match="odd number"):
            codec.encode(message.changed({2: "12345"}))


@pytest.mark.parametrize(
    "made",
    [
        lambda: FieldSpec(number=2, title=("", ""), content=B, size=8, coding=Coding.ASCII),
        lambda: FieldSpec(number=2, title=("", ""), content=ANS, size=8, coding=Coding.BCD),
        lambda: FieldSpec(number=2, title=("", ""), content=N, size=0, coding=Coding.ASCII),
        lambda: FieldSpec(number=2, title=("", ""), content=XN, size=7, coding=Coding.BCD),
        lambda: make_spec("x", ("", ""), (Row(1, ("", ""), N, 8),), Style()),
        lambda: make_spec("x", ("", ""), (Row(2, ("", ""), N, 8), Row(2, ("", ""), N, 8)), Style()),
        lambda: make_spec("x", ("", ""), (Row(65, ("", ""), N, 8),), Style(), bitmaps_max=1),
        lambda: make_spec("x", ("", ""), (), Style(code_page="cp500x")),
    ],
)
def test_a_specification_that_makes_no_sense_is_refused(made: object) -> None:
    with pytest.raises(Usage):
        made()
