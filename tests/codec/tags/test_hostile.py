"""A wrong code is refused, at the bit or character that is wrong. Method: one fault a case."""

from __future__ import annotations

import random

import pytest

from jinka.codec.tags import (
    SCHEME_BY_NAME,
    Epc,
    TagError,
    canonical_id,
    decode,
    decode_hex,
    digital_link,
    encode,
    epc_of,
    make_tag,
    parse_elements,
    parse_link,
    parse_tag_urn,
    parse_urn,
)
from jinka.kit import JinkaError, NotFound, Refused

GOOD = "3074257BF7194E4000001A85"  # urn:epc:tag:sgtin-96:3.0614141.812345.6789


@pytest.mark.parametrize(
    ("raw", "where", "what"),
    [
        ("3F" * 63, "character 0", "126 characters"),
        ("", "character 0", "0 characters"),
        ("3", "bits 0 to 3", "the header needs 8 bits"),
        ("30G4", "character 2", "'G' is no hexadecimal digit"),
        ("30 4", "character 2", "hexadecimal"),
        ("３０", "character 0", "2 characters"),
        ("E2801160600002", "bits 0 to 7", "no scheme has the header E2"),
        ("000000000000000000000000", "bits 0 to 7", "no scheme has the header 00"),
        (GOOD[:-1], "bit 92", "sgtin-96 has 96 bits, not 92"),
        (GOOD + "01", "bit 103", "padding is not zero"),
        (GOOD + "0000000000000001", "bit 159", "padding"),
        ("307C257BF7194E4000001A85", "bits 11 to 13", "no partition 7"),
        ("3063FFFFFFFFFFC000000001", "bits 14 to 53", "is no company prefix of 12 digits"),
        ("3074257BF7FFFFC000000001", "bits 38 to 57", "is no reference of 6 digits"),
        ("31143E6D1E05AFE63C000001", "bits 72 to 95", "reserved part is not zero"),
        ("3674257BF7194E4000000000000000000000000000000000", "bit 192", "sgtin-198 has 198 bits"),
        ("3674257BF7194E40000000000000000000000000000000000000", "bits 58 to 64", "an empty text"),
        (
            "3674257BF7194E41000000000000000000000000000000000000",
            "bits 58 to 64",
            "02 is no character of the GS1 set",
        ),
        (
            "3674257BF7194E5B000000000000000400000000000000000000",
            "bits 72 to 197",
            "behind the end of a text",
        ),
        ("3674257BF7194E5B370000000000000000000000000000000001", "bit 207", "padding"),
        ("2F320434147454900000162E", "bits 52 to 59", "49 is no character of a CAGE code"),
        ("2F343412047455900000162E", "bits 28 to 35", "20 is no character of a CAGE code"),
        ("3F76451FD612640000000001", "bits 55 to 95", "no digits behind a 1"),
        ("3D76451FD4", "bits", "are left"),
        ("3D34257BF71040E8D4A51000", "bits 56 to 95", "1000000000000 has more than 12 digits"),
        ("3B060CF5E76C908D100DCF700000", "bits 56 to 61", "a # stands nowhere but before a serial"),
        ("3B060CF5E76C90440363CF700000", "bits 74 to 79", "a # stands nowhere but before a serial"),
        ("3B060CF5E76C808C0000", "bits 56 to 61", "a # stands nowhere but before a serial"),
        ("3B0E0CF5E76C9", "bits", "are left"),
    ],
)
def test_bits(raw: str, where: str, what: str) -> None:
    with pytest.raises(TagError) as caught:
        decode_hex(raw)
    assert caught.value.where.startswith(where)
    assert what in caught.value.what


def test_bytes_are_read_as_hexadecimal_is() -> None:
    assert decode(bytes.fromhex(GOOD)) == decode_hex(GOOD) == decode_hex(GOOD.lower() + "0000")
    with pytest.raises(TagError, match="0 bytes"):
        decode(b"")
    with pytest.raises(TagError, match="63 bytes"):
        decode(bytes(63))
    with pytest.raises(TagError, match="header 99"):
        decode(bytes([0x99] * 12))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("urn:epc:id:sgtin:0614141.12345.6", "character 25"),
        ("urn:epc:id:sgtin:06141.4112345.6", "character 17"),
        ("urn:epc:id:sgtin:0614141.112345.", "character 32"),
        ("urn:epc:id:sgtin:0614141.112345.123456789012345678901", "character 32"),
        ("urn:epc:id:sgtin:0614141.112345", "character 31"),
        ("urn:epc:id:sgtin:0614141.112345.a%2", "character 33"),
        ("urn:epc:id:sgtin:0614141.112345.a%20b", "character 32"),
        ("urn:epc:id:sgtin:0614141.112345.\N{GREEK SMALL LETTER ALPHA}", "character 32"),
        ("urn:epc:id:sgtin:061414\N{ARABIC-INDIC DIGIT ONE}.112345.1", "character 23"),
        ("urn:epc:id:nothing:0614141.112345.1", "character 11"),
        ("urn:epc:class:sgtin:0614141.112345.1", "character 14"),
        ("urn:epc:id:lgtin:0614141.112345.1", "character 11"),
        ("urn:epc:raw:96.x3074257BF7194E4000001A85", "character 0"),
        ("urn:epc:pat:sgtin:0614141.112345.1", "character 8"),
        ("urn:isbn:9780345418913", "character 0"),
        ("urn:epc:id:itip:0614141.112345.1.02.3", "character 31"),
        ("urn:epc:id:sgcn:4012345.22222.1A", "character 30"),
        ("urn:epc:id:cpi:0614141.abc.1", "character 23"),
        ("urn:epc:id:gid:1.02.3", "character 17"),
        ("urn:epc:id:usdod:CAGEI.1", "character 17"),
        ("urn:epc:id:adi:35962..#", "character 22"),
        ("urn:epc:id:imovn:123456", "character 17"),
        ("urn:epc:idpat:sgtin:0614141.*.1", "character 28"),
        ("urn:epc:id:sgtin:0614141.112345." + "%41" * 1000, "character 2048"),
    ],
)
def test_urns(text: str, where: str) -> None:
    with pytest.raises(TagError) as caught:
        parse_urn(text)
    assert caught.value.where == where


@pytest.mark.parametrize(
    "text",
    [
        "urn:epc:idpat:sgtin:0614141.*.*",
        "urn:epc:idpat:sscc:0614141.*",
        "urn:epc:idpat:gid:1.2.*",
        "urn:epc:idpat:sgtin:*.*.*",
    ],
)
def test_patterns_are_read_and_name_no_key(text: str) -> None:
    assert parse_urn(text).urn == text
    assert parse_urn(text).elements == ()


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("urn:epc:tag:sgtin-97:1.0614141.112345.1", "character 12", "no tag URN"),
        ("urn:epc:tag:sgtin+:1.0614141.112345.1", "character 12", "no tag URN"),
        ("urn:epc:tag:sgtin-96:8.0614141.112345.1", "character 21", "filter"),
        ("urn:epc:tag:sgtin-96:01.0614141.112345.1", "character 21", "filter"),
        ("urn:epc:tag:sgtin-96:1.0614141.12345.1", "character 31", "six"),
        ("urn:epc:id:sgtin:0614141.112345.1", "character 0", "no tag URN"),
    ],
)
def test_tag_urns(text: str, where: str, what: str) -> None:
    with pytest.raises(TagError) as caught:
        parse_tag_urn(text)
    assert caught.value.where == where
    assert what in caught.value.what or what == "six"


@pytest.mark.parametrize(
    ("scheme", "serial"),
    [("sgtin-96", "01"), ("sgtin-96", "A1"), ("sgtin-96", str(1 << 38)), ("sgtin-96", "")],
)
def test_a_serial_that_would_not_come_back_is_not_written(scheme: str, serial: str) -> None:
    with pytest.raises(TagError):
        encode(make_tag(SCHEME_BY_NAME[scheme], Epc(scheme="sgtin", parts=("0614141", "112345", serial))))


def test_what_does_not_belong_into_a_scheme_is_not_written() -> None:
    epc = parse_urn("urn:epc:id:gdti:0614141.12345.A1")
    with pytest.raises(TagError, match="digits alone"):
        make_tag(SCHEME_BY_NAME["gdti-113"], epc)
    with pytest.raises(TagError, match="no identity of sgtin-96"):
        make_tag(SCHEME_BY_NAME["sgtin-96"], epc)
    with pytest.raises(TagError, match="no filter value 8"):
        make_tag(SCHEME_BY_NAME["gdti-174"], epc, 8)
    with pytest.raises(TagError, match="no identity"):
        make_tag(SCHEME_BY_NAME["sgtin-96"], parse_urn("urn:epc:idpat:sgtin:0614141.112345.*"))
    with pytest.raises(NotFound, match="how long the company prefix is"):
        _ = decode_hex("F90095201234567891235").epc


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("(01)0614141112345", "character 17"),
        ("(01)06141411123453(21)", "character 22"),
        ("(01)06141411123453(21)a b", "character 23"),
        ("(01)06141411123453(21)" + "1" * 21, "character 42"),
        ("(01)06141411123453(21)a(b", "character 23"),
        ("(01)06141411123453x", "character 18"),
        ("(17)271301", "character 4"),
        ("010614141112345321\x1d", "character 18"),
        ("(01)06141411123453(01)00614141123452", "(01)"),
        ("0", "character 0"),
        ("", "character 0"),
        ("9" * 1025, "character 1024"),
        ("^", "character 0"),
    ],
)
def test_element_strings(text: str, where: str) -> None:
    with pytest.raises(TagError) as caught:
        parse_elements(text)
    assert caught.value.where.startswith(where) or "check digit" in caught.value.what


def test_unknown_identifiers_and_wrong_check_digits() -> None:
    with pytest.raises(NotFound, match=r"\(89\)"):
        parse_elements("(89)1")
    for wrong in (
        "(01)06141411123454",
        "(00)106141412345678907",
        "(414)0614141123453",
        "(8003)00614141123453A",
    ):
        with pytest.raises(Refused, match="check digit"):
            parse_elements(wrong)
    with pytest.raises(Refused, match="3 belongs behind 0614141112345"):
        parse_link("https://id.gs1.org/01/06141411123454/21/1")
    with pytest.raises(Refused):
        epc_of((("01", "06141411123454"), ("21", "1")), 7)


@pytest.mark.parametrize(
    ("text", "error", "said"),
    [
        ("https://id.gs1.org/99/123", NotFound, "names no GS1 key"),
        ("https://id.gs1.org/", NotFound, "names no GS1 key"),
        ("https://example.com/example", NotFound, "names no GS1 key"),
        ("https://example.com/eh30164596f40c0e5cbe991a8301", NotFound, "names no GS1 key"),
        ("https://example.com/eh30164596F40C0E5CBE991A83", NotFound, "names no GS1 key"),
        ("https://example.com/ex" + "A" * 1500, NotFound, "names no GS1 key"),
        ("ftp://id.gs1.org/01/06141411123453", TagError, "no web address"),
        ("https://id.gs1.org/01/0614141112345", Refused, "check digit"),
        ("https://id.gs1.org/01/06141411123453/21/%zz", TagError, "character 40"),
        ("https://id.gs1.org/01/06141411123453/99/1", TagError, "character 37"),
        ("https://id.gs1.org/01/06141411123453/21/1/10/2", TagError, "may not stand here"),
        ("https://id.gs1.org/01/06141411123453/21/a%20b", TagError, "not a value of (21)"),
        ("https://id.gs1.org/01/06141411123453?17=271301", TagError, "not a value of (17)"),
        ("https://id.gs1.org/01/06141411123453?17=271201&17=271202", TagError, "stands twice"),
        (
            "https://id.gs1.org/01/06141411123453?17=271201&21=S",
            TagError,
            "character 47: (21) stands behind the",
        ),
        ("https://id.gs1.org/01/06141411123453/21/S?10=L", TagError, "it belongs into the path: /10/"),
        ("https://id.gs1.org/414/0614141123452?254=A", TagError, "behind the question mark"),
        ("https://id.gs1.org/01/06141411123453/21/\N{GREEK SMALL LETTER ALPHA}", TagError, "ASCII"),
        ("https://id.gs1.org/01/06141411123453/21/" + "1" * 3000, TagError, "a link of"),
    ],
)
def test_links(text: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error) as caught:
        parse_link(text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("digits", "said"), [(5, "6 to 12"), (13, "6 to 12"), (0, "6 to 12")]
)  # fmt: skip
def test_a_prefix_of_no_possible_length(digits: int, said: str) -> None:
    with pytest.raises(TagError, match=said):
        epc_of((("00", "106141412345678908"),), digits)


def test_what_the_strict_reader_takes_is_known_by_the_same_name_before_and_after() -> None:
    """Else a link would be one thing here and another one in an event."""
    rng = random.Random(414)
    read = 0
    for _ in range(4000):
        link = rng.choice(("https://id.gs1.org", "HTTP://Shop.example:80/a", "https://a.b/c/d"))
        for word in rng.sample(_WORDS, rng.randint(1, 3)):
            link += f"/{word}/{rng.choice(_VALUES)}"
        link += rng.choice(
            ("", "/", "#f", "?17=271231", "?a=b;c=d", "?10=L%2F1&21=S", "?21=S", "/?linkType=all#x")
        )
        try:
            elements = parse_link(link)
        except JinkaError:
            continue
        read += 1
        assert canonical_id(link) == canonical_id(digital_link(elements)), link
    assert read > 200


_WORDS = [
    "01",
    "01",
    "gtin",
    "00",
    "414",
    "8003",
    "8006",
    "417",
    "gln",
    "21",
    "10",
    "ser",
    "lot",
    "22",
    "235",
    "254",
]
_VALUES = [
    "06901028075763", "6901028075763", "106141412345678908", "0614141123452", "069010280757630102", "A%2F1", "%41%2f",
    "a%23b", "0", "%30", "x.y", "*", "%2", "00614141123452A1",
]  # fmt: skip
