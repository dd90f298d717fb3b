"""Chinese codes: what is public is checked, and what is not is not claimed. 6901028075763 is a barcode in use."""

from __future__ import annotations

import pytest
from stdnum import ean

from jinka.codec.tags import TagError
from jinka.codec.tags.chinese import TagArea, parse_drug_code, parse_ecode, parse_product_barcode
from jinka.kit import Refused


def test_a_drug_trace_code_is_taken_apart_and_no_more() -> None:
    found = parse_drug_code("81234567890123456789")
    assert (found.product, found.production) == ("8123456", "7890123456789")


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("8123456789012345678", 19),
        ("812345678901234567890", 20),
        ("8123456789012345678A", 19),
        ("", 0),
        ("８" * 20, 0),
    ],
)
def test_no_drug_trace_code(text: str, where: int) -> None:
    with pytest.raises(TagError) as caught:
        parse_drug_code(text)
    assert caught.value.where == f"character {where}"


@pytest.mark.parametrize(
    ("text", "system", "item"),
    [
        ("1000112345678", "0001", "12345678"),
        ("20001" + "9" * 28, "0001", "9" * 28),
        ("300012Ab9", "00012", "Ab9"),
    ],
)
def test_an_ecode(text: str, system: str, item: str) -> None:
    found = parse_ecode(text)
    assert (found.system, found.item, found.code) == (system, item, text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", 0), ("0000112", 0), ("4000112", 0), ("A", 0), ("１0001", 0), ("100", 3), ("1000A1", 4), ("10001", 5),
        ("10001A", 5), ("10001" + "9" * 21, 25), ("30001A1", 5), ("300011-", 6),
    ],
)  # fmt: skip
def test_no_ecode(text: str, where: int) -> None:
    with pytest.raises(TagError) as caught:
        parse_ecode(text)
    assert caught.value.where == f"character {where}"


def test_product_barcodes() -> None:
    found = parse_product_barcode("6901028075763")
    assert (found.company, found.item, found.chinese) == ("6901028075", "76", True)
    assert found.elements == (("01", "06901028075763"),)
    abroad = parse_product_barcode("4006381333931")
    assert (abroad.company, abroad.item, abroad.chinese) == ("", "400638133393", False)
    short = parse_product_barcode("69012341"[:7] + ean.calc_check_digit("6901234"))
    assert short.company == ""
    assert short.elements[0][1].startswith("000000690123")


@pytest.mark.parametrize("text", ["690102807576", "69010280757634", "690102807576A", "", "６901028075763"])
def test_no_product_barcode(text: str) -> None:
    with pytest.raises(TagError, match="13 or 8 digits"):
        parse_product_barcode(text)


def test_a_wrong_check_digit_is_refused() -> None:
    for digit in "012456789":
        with pytest.raises(Refused, match="3 belongs behind 690102807576"):
            parse_product_barcode("690102807576" + digit)


def test_the_areas_of_a_national_tag_have_names_in_both_languages() -> None:
    assert [area.value[1] for area in TagArea] == ["标签信息区", "编码区", "安全区", "用户区"]
