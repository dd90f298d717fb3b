"""The length of a company prefix comes from a list or from the caller, and from nowhere else."""

from __future__ import annotations

import json

import pytest

from jinka.codec.tags import (
    CHINA,
    PrefixList,
    TagError,
    parse_elements,
    prefix_digits,
    read_prefix_list,
    split_key,
)
from jinka.kit import NotFound


def gs1(*entries: object) -> bytes:
    return json.dumps({"GCPPrefixFormatList": {"date": "2025-01-01", "entry": list(entries)}}).encode()


@pytest.mark.parametrize(
    ("element", "urn"),
    [
        ("(01)06901028075763(21)A1", "urn:epc:id:sgtin:6901028075.076.A1"),  # ten, inside a range of seven
        ("(01)16920000000011(10)L1", "urn:epc:class:lgtin:69200000.10001.L1"),
        ("(00)069200000000000012", "urn:epc:id:sscc:69200000.000000001"),
        ("(414)6971000000013", "urn:epc:id:sgln:697100000.001.0"),
        ("(8003)06930000000016X1", "urn:epc:id:grai:69300000.0001.X1"),
        ("(8004)6901234ABC", "urn:epc:id:giai:6901234.ABC"),
        ("(8010)6901234A1(8011)7", "urn:epc:id:cpi:6901234.A1.7"),
    ],
)
def test_chinese_prefixes(element: str, urn: str) -> None:
    body, _, _ = element.partition(")")
    assert body.startswith("(")
    elements = _with_check_digit(element)
    assert split_key(elements).urn == urn


def _with_check_digit(text: str) -> tuple[tuple[str, str], ...]:
    """These keys are invented: put the right check digit where the text has any."""
    from jinka.codec.tags.ai_table import IDENTIFIERS
    from jinka.codec.tags.check_digit import check_digit

    ai, rest = text[1:].split(")", 1)
    end = IDENTIFIERS[ai].check
    if end:
        rest = rest[: end - 1] + check_digit(rest[: end - 1]) + rest[end:]
    return parse_elements(f"({ai}){rest}")


def test_an_unknown_prefix_has_to_be_said() -> None:
    elements = parse_elements("(01)80614141123458(21)6789")
    with pytest.raises(NotFound, match="say how many digits it has"):
        split_key(elements)
    assert split_key(elements, 7).urn == "urn:epc:id:sgtin:0614141.812345.6789"
    assert split_key(elements, 8).urn == "urn:epc:id:sgtin:06141411.82345.6789"
    with pytest.raises(NotFound, match="no company prefix for 695954000"):
        CHINA.digits_of("695954000123")  # the table gives it to nobody
    with pytest.raises(NotFound, match="is no key with a company prefix"):
        prefix_digits((("17", "271231"),))


def test_the_longest_beginning_counts() -> None:
    found = read_prefix_list(
        gs1(
            {"prefix": "061", "gcpLength": 9},
            {"prefix": "0614141", "gcpLength": 7},
            {"prefix": "06141419", "gcpLength": 0},
        ),
        "list.json",
    )
    assert isinstance(found, PrefixList)
    assert [found.digits_of(key) for key in ("0614141123456", "0615000000000")] == [7, 9]
    for key in ("0614141900000", "0700000000000", "06", ""):
        with pytest.raises(NotFound, match=r"list\.json"):
            found.digits_of(key)


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "not GS1's"),
        (b"[]", "not GS1's"),
        (b"[" * 100_000, "not GS1's"),
        (b'{"GCPPrefixFormatList": {"entry": {}}}', "no list"),
        (gs1(1), "entry 0: no entry"),
        (gs1({"prefix": "1", "gcpLength": 7}, {"prefix": "1a", "gcpLength": 7}), "entry 1: prefix"),
        (gs1({"prefix": "1" * 13, "gcpLength": 7}), "prefix is not"),
        (gs1({"prefix": "\N{ARABIC-INDIC DIGIT ONE}", "gcpLength": 7}), "prefix is not"),
        (gs1({"prefix": "1", "gcpLength": 5}), "gcpLength"),
        (gs1({"prefix": "1", "gcpLength": True}), "gcpLength"),
        (gs1({"prefix": "1", "gcpLength": "7"}), "gcpLength"),
    ],
)
def test_a_list_that_is_none(raw: bytes, said: str) -> None:
    with pytest.raises(TagError) as caught:
        read_prefix_list(raw, "list.json")
    assert said in str(caught.value)
