"""Tags of TDS 2.x: keys with data behind, every encoding of a text, host names, and what is no such tag.

The schemes' own published examples are in tests/vectors/test_tds.py. Here the encodings of 14.5 are put together by a
second hand, bit by bit after the standard's text, and random values go there and back.
"""

from __future__ import annotations

import base64
import math
import random

import pytest

from jinka.codec.tags import (
    SCHEME_BY_NAME,
    SCHEMES,
    Elements,
    Scheme,
    TagError,
    decode_bits,
    decode_hex,
    digital_link,
    encode,
    encode_bits,
    make_plus_tag,
    pack_elements,
)
from jinka.codec.tags.ai_codec import number_bits
from jinka.codec.tags.ai_table import IDENTIFIERS, Coding
from jinka.codec.tags.check_digit import check_digit
from jinka.kit import JinkaError, Refused
from tests.codec.tags.random_epcs import SET_39, SET_82, digits, text

PLUS = [scheme for scheme in SCHEMES if scheme.is_plus]
G = "09506000134352"
SGTIN = "11110111"
B64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
URN40 = " ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"


def b(number: int, width: int) -> str:
    return format(number, f"0{width}b") if width else ""


def nibbles(number: str) -> str:
    return "".join(b(int(digit, 16), 4) for digit in number)


def as_text(value: str, kind: int, width: int = 5) -> str:
    """A text in the encoding that is asked for, the best one or not."""
    head = b(kind, 3) + b(len(value), width)
    if kind == 0:
        return head + b(int(value), math.ceil(len(value) * math.log2(10)))
    if kind in (1, 2):
        return head + nibbles(value)
    if kind == 3:
        return head + "".join(b(B64.index(letter), 6) for letter in value)
    if kind == 4:
        return head + "".join(b(ord(letter), 7) for letter in value)
    groups = [
        [URN40.index(letter) for letter in value[at : at + 3].ljust(3)] for at in range(0, len(value), 3)
    ]
    return head + "".join(b(1600 * i + 40 * j + k + 1, 16) for i, j, k in groups)


def date(yymmdd: str) -> str:
    return b(int(yymmdd[:2]), 7) + b(int(yymmdd[2:4]), 4) + b(int(yymmdd[4:]), 5)


def sgtin(serial: str = as_text("S1", 3), toggle: str = "1", tail: str = "", header: str = SGTIN) -> str:
    return header + toggle + "011" + nibbles(G) + serial + tail


def read(bits: str) -> Elements:
    return decode_bits(int(bits, 2), len(bits)).elements


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (0, "00120"), (0, "9" * 20), (1, "0A1F"), (2, "0a1f"), (3, "aB-_9"), (4, "32a/b"), (5, "AB-.:Z9"), (5, "A"),
        (4, "123"), (3, "123"), (1, "123"), (5, "123"),
    ],
)  # fmt: skip
def test_every_encoding_of_a_text_is_read(kind: int, value: str) -> None:
    assert read(sgtin(as_text(value, kind), "0")) == (("01", G), ("21", value))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("00120", 0), ("0A1F", 1), ("0a1f", 2), ("aB-_9", 3), ("32a/b", 4), ("AB-.:Z", 5), ("A.", 4), ("ABC-EF", 5),
        ("ABCDEFGHIJKLMN", 5), ("S1", 3), ("9", 0),
    ],
)  # fmt: skip
def test_the_shortest_encoding_is_written(value: str, kind: int) -> None:
    writer = encode_bits(make_plus_tag(SCHEME_BY_NAME["sgtin+"], (("01", G), ("21", value)), filter_value=3))
    assert b(writer.value, writer.size) == sgtin(as_text(value, kind), "0")
    others = []
    for other in range(6):
        try:
            bits = as_text(value, other)
            assert read(sgtin(bits, "0"))[1] == ("21", value)
        except (ValueError, TagError, AssertionError):
            continue
        others.append(len(bits))
    assert writer.size == len(sgtin("", "0")) + min(others)


def test_bits_of_numbers_are_those_of_table_b() -> None:
    rows = {1: 4, 2: 7, 3: 10, 9: 30, 12: 40, 20: 67, 31: 103, 59: 196, 90: 299}  # table B, column b
    assert {length: number_bits(length) for length in rows} == rows
    assert all(number_bits(n) == math.ceil(n * math.log2(10)) for n in range(1, 91))


def test_base64_is_that_of_rfc_4648() -> None:
    value = "AZaz09-_"
    bits = as_text(value, 3)[8:]
    assert int(bits, 2).to_bytes(6) == base64.urlsafe_b64decode(value)


DATA = [
    ((("10", "ABC123"), ("17", "261231")), nibbles("10") + as_text("ABC123", 1) + nibbles("17") + date("261231")),
    ((("22", "V1"),), nibbles("22") + as_text("V1", 3)),
    ((("8008", "26011514"),), nibbles("8008") + "00" + date("260115") + b(14, 5)),
    ((("8008", "2601151430"),), nibbles("8008") + "01" + date("260115") + b(14, 5) + b(30, 6)),
    ((("8008", "260115143059"),), nibbles("8008") + "10" + date("260115") + b(14, 5) + b(30, 6) + b(59, 6)),
    ((("7011", "260115"),), nibbles("7011") + "11" + date("260115")),
    ((("7003", "2601152400"),), nibbles("7003") + date("260115") + b(24, 5) + b(0, 6)),
    ((("7007", "260101260131"),), nibbles("7007") + "1" + date("260101") + date("260131")),
    ((("7007", "260101"),), nibbles("7007") + "0" + date("260101")),
    ((("3103", "001250"),), nibbles("3103") + b(1250, 20)),
    ((("4330", "001850-"),), nibbles("4330") + b(1850, 20) + "1"),
    ((("4331", "001850"),), nibbles("4331") + b(1850, 20) + "0"),
    ((("4307", "CN"),), nibbles("4307") + b(2, 6) + b(13, 6)),
    ((("4321", "1"),), nibbles("4321") + "1"),
    ((("7258", "1/3"),), nibbles("7258") + b(1, 4) + b(3, 4)),
    ((("00", "095060001343520000"),), nibbles("00") + nibbles("095060001343520000")),
    ((("253", "9521141123454"),), nibbles("253") + nibbles("9521141123454") + "000" + b(0, 5)),
    ((("3922", "0199"),), nibbles("3922") + b(4, 4) + b(199, 14)),
    ((("3932", "156100"),), nibbles("3932") + b(156, 10) + b(3, 4) + b(100, 10)),
    ((("421", "156518000"),), nibbles("421") + b(156, 10) + as_text("518000", 0, 4)),
    ((("8200", "https://a.cn/"),), nibbles("8200") + as_text("https://a.cn/", 4, 7)),
    ((("8013", "1987654Ad4X4bL5ttr2310c2K"),), nibbles("8013") + as_text("1987654Ad4X4bL5ttr2310c2K", 3)),
    ((("8004", "9521141A/1"),), nibbles("8004") + nibbles("9521141") + "1110" + as_text("A/1", 4)),
    ((("8004", "95211417"),), nibbles("8004") + nibbles("95211417") + "1111"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("extra", "bits"), DATA, ids=lambda value: value[0][0] if isinstance(value, tuple) else ""
)
def test_data_behind_an_epc(extra: Elements, bits: str) -> None:
    assert read(sgtin(tail=bits)) == (("01", G), ("21", "S1"), *extra)
    tag = pack_elements(SCHEME_BY_NAME["sgtin+"], (("01", G), ("21", "S1"), *extra), filter_value=3)
    writer = encode_bits(tag)
    assert b(writer.value, writer.size) == sgtin(tail=bits)
    assert decode_hex(encode(tag).hex()) == tag, "with zeros behind"


def test_a_location_without_extension_has_extension_0() -> None:
    for name in ("sgln+", "sgln++"):
        tag = make_plus_tag(
            SCHEME_BY_NAME[name], (("414", "9521141123454"),), hostname="a.cn" if name.endswith("++") else ""
        )
        assert tag.values == ("9521141123454", "0")
        again = decode_hex(encode(tag).hex())
        assert again == tag
        assert again.elements == (("414", "9521141123454"),)


def test_qualifiers_go_into_the_path_of_a_link() -> None:
    found = read(sgtin(tail=nibbles("17") + date("261231") + nibbles("10") + as_text("L/1", 4)))
    assert digital_link(found) == f"https://id.gs1.org/01/{G}/10/L%2F1/21/S1?17=261231"


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (sgtin(tail=nibbles("A0") + "1" * 8), "A0 begins no application identifier"),
        (sgtin(tail=nibbles("14") + "1" * 16), "(14) is declared"),
        (sgtin(tail=nibbles("8999") + "1" * 16), "is declared"),
        (sgtin(tail=nibbles("21") + as_text("S2", 3)), "(21) stands twice"),
        (sgtin(tail=2 * (nibbles("10") + as_text("L1", 3))), "(10) stands twice"),
        (sgtin(tail=nibbles("17") + date("260230")), "no date"),
        (sgtin(tail=nibbles("17") + date("261301")), "no date"),
        (sgtin(tail=nibbles("17") + b(127, 7) + b(1, 4) + b(1, 5)), "no date"),
        (sgtin(tail=nibbles("7003") + date("260115") + b(24, 5) + b(1, 6)), "no time"),
        (sgtin(tail=nibbles("10") + "110" + b(2, 5) + "1" * 12), "indicator 6 is reserved"),
        (sgtin(tail=nibbles("10") + "111" + b(2, 5) + "1" * 12), "indicator 7 is reserved"),
        (sgtin(tail=nibbles("10") + "011" + b(21, 5) + "1" * 126), "a text of 21 characters"),
        (sgtin(tail=nibbles("10") + "011" + b(0, 5) + "1" * 12), "a text of 0 characters"),
        (sgtin(tail=nibbles("10") + "011" + b(20, 5) + "1" * 36), "are left"),
        (sgtin(tail=nibbles("10") + "000" + b(1, 5) + "1010" + "1"), "has more than 1 digits"),
        (sgtin(tail=nibbles("10") + "100" + b(1, 5) + b(0x24, 7)), "outside of the GS1 set"),
        (sgtin(tail=nibbles("10") + "101" + b(3, 5) + b(0, 16) + "1"), "URN Code 40"),
        (sgtin(tail=nibbles("10") + "101" + b(3, 5) + b(64001, 16)), "URN Code 40"),
        (sgtin(tail=nibbles("10") + "101" + b(2, 5) + as_text("ABC", 5)[8:]), "not 2 characters"),
        (sgtin(tail=nibbles("4307") + b(60, 6) + b(13, 6)), "no country"),
        (sgtin(tail=nibbles("7258") + b(0, 4) + b(3, 4)), "sequence"),
        (sgtin(tail=nibbles("8004") + "1111"), "no value of digits"),
        (sgtin(tail=nibbles("8004") + nibbles("95") + "1100"), "no value of digits"),
        (sgtin(tail=nibbles("8004") + nibbles("1" * 31) + "1111"), "no value of digits"),
        (sgtin(tail=nibbles("8010") + nibbles("95") + "1110" + as_text("a", 3)), "is no value of (8010)"),
        (sgtin(tail=nibbles("10") + as_text("#", 4)), "is no value of (10)"),
        (sgtin(toggle="0", tail=nibbles("17") + date("261231")), "padding is not zero"),
        (SGTIN + "0" + "011" + nibbles("0950600013435A") + as_text("S1", 3), "A is no digit"),
        (SGTIN + "0" + "011" + nibbles(G)[:-4], "are left"),
        (
            "11111011" + "0" + "011" + "0111" + date("270101") + nibbles(G) + as_text("S1", 3),
            "no kind of date 7",
        ),
        (sgtin(header="11111101", tail="1" + b(0, 6)), "an empty host name"),
        (sgtin(header="11111101", tail="1" + b(1, 6) + b(5, 7)), "a reserved sign"),
        (sgtin(header="11111101", tail="1" + b(2, 6) + b(3, 7) + b(1, 7)), "a reserved sign"),
        (sgtin(header="11111101", tail="1" + b(63, 6) + b(0x1F, 7) * 63), "a host name of 252 characters"),
    ],
)
def test_hostile_bits(bits: str, said: str) -> None:
    with pytest.raises(TagError) as caught:
        read(bits)
    assert said in caught.value.what
    assert caught.value.where.startswith("bit")


def test_a_wrong_check_digit_in_a_tag_is_refused() -> None:
    with pytest.raises(Refused, match="check digit 3"):
        read(SGTIN + "0" + "011" + nibbles(G[:-1] + "3") + as_text("S1", 3))
    with pytest.raises(Refused, match="check digit"):
        read(sgtin(tail=nibbles("00") + nibbles("095060001343520001")))


@pytest.mark.parametrize(
    ("name", "bits"),
    [
        (
            "qr.loja.com.br",
            "1" + b(7, 6) + b(0x1E, 7) + "".join(b(ord(c), 7) for c in "loja") + b(2, 7) + b(6, 7),
        ),
        (
            "www.abc.de",
            "1" + b(6, 6) + b(0x1F, 7) + "".join(b(ord(c), 7) for c in "abc") + b(0, 7) + b(0x37, 7),
        ),
        ("x.tech", "1" + b(3, 6) + b(ord("x"), 7) + b(3, 7) + b(0, 7)),
        ("a.org.cn", "1" + b(3, 6) + b(ord("a"), 7) + b(2, 7) + b(0x1D, 7)),
        ("a-b.c_d", "1" + b(7, 6) + "".join(b(ord(c), 7) for c in "a-b.c_d")),
        ("ABC.DEFGHIJK", "0" + b(12, 6) + as_text("ABC.DEFGHIJK", 5)[8:]),
    ],
)
def test_host_names(name: str, bits: str) -> None:
    whole = sgtin(header="11111101", toggle="0", tail=bits)
    tag = decode_bits(int(whole, 2), len(whole))
    assert tag.plus.hostname == name
    writer = encode_bits(tag)
    assert b(writer.value, writer.size) == whole


def test_what_a_scheme_does_not_take() -> None:
    def make(name: str, *elements: tuple[str, str], **more: str) -> None:
        make_plus_tag(SCHEME_BY_NAME[name], elements, **more)  # type: ignore[arg-type]

    for name, elements in (
        ("sgtin+", (("01", G),)),
        ("sgtin+", (("01", G), ("21", "1"), ("10", "2"))),
        ("dsgtin+", (("01", G), ("21", "1"))),
        ("gdti+", (("253", "9521141123454"),)),
        ("sgtin-96", (("01", G), ("21", "1"))),
        ("sgtin+", (("01", G), ("21", "1"), ("21", "2"))),
        ("sgtin+", (("01", G), ("21", "a b"))),
        ("sgtin++", (("01", G), ("21", "1"))),
    ):
        with pytest.raises(JinkaError):
            make(name, *elements)
    with pytest.raises(TagError):
        make("sgtin+", ("01", G), ("21", "1"), hostname="a.b")
    with pytest.raises(TagError, match="no host name"):
        encode(make_plus_tag(SCHEME_BY_NAME["sgtin++"], (("01", G), ("21", "1")), hostname="a b"))
    with pytest.raises(TagError, match="a tag holds 496 bits"):
        encode(pack_elements(SCHEME_BY_NAME["sgtin+"], (("01", G), ("21", "1"), ("91", "x/" * 40))))


@pytest.mark.parametrize("scheme", PLUS, ids=lambda scheme: scheme.name)
def test_random_values_come_back(scheme: Scheme) -> None:
    rng = random.Random(scheme.name)
    for _ in range(60):
        elements = tuple((ai, _value(ai, rng)) for ai in scheme.elements)
        if scheme.dated:
            elements += ((rng.choice(["11", "15", "17"]), f"{rng.randrange(100):02}0{rng.randint(1, 9)}28"),)
        hostname = (
            text(rng, "abcdefgh.-", 1, 12) + rng.choice([".com", ".cn", ".com.cn", ""])
            if scheme.hosted
            else ""
        )
        extra = (("10", text(rng, SET_82, 1, 8)), ("3103", digits(rng, 6)))[: rng.randrange(3)]
        tag = make_plus_tag(
            scheme, elements, filter_value=rng.randrange(8), hostname=hostname, extra=extra
        )  # fmt: skip
        assert decode_hex(encode(tag).hex()) == tag


def _value(ai: str, rng: random.Random) -> str:
    found = IDENTIFIERS[ai]
    value = ""
    for part in found.components:
        if part.coding is Coding.DIGITS:
            value += digits(rng, part.length)
        elif part.coding is Coding.NUMERIC:
            value += text(rng, "0123456789", 1, part.length)
        elif part.coding is Coding.DELIMITED:
            letters = SET_39 if part.narrow else SET_82
            value += digits(rng, 7) + text(rng, rng.choice([letters, "0123456789"]), 1, part.length - 7)
        else:
            value += text(
                rng, rng.choice([SET_82, "0123456789", "abcdef01", "ABCDEF01", "AZ-.:"]), 1, part.length
            )
    if found.check:
        value = value[: found.check - 1] + check_digit(value[: found.check - 1]) + value[found.check :]
    return value
