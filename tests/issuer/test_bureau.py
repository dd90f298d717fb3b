"""Which holders get a card and which numbers they get. Goal: every bad line is named, no number is given twice, and no
file of a holder can break the bureau. Method: one fault at a time, then noise.
"""

from __future__ import annotations

import random

import pytest

from jinka.issuer.bureau import (
    NumberRange,
    Reservation,
    check_holders,
    next_reservation,
    right_identity,
)
from jinka.issuer.embossing import EmbossLine, embossing_file, masked_number
from jinka.kit import Refused, Usage
from jinka.tariff import HolderClass

HEADER = "name,identity_number,holder_class,balance,valid_from,valid_to"
RIGHT = "11010519491231002X"  # the example of GB 11643, annex


def _codes(body: str, header: str = HEADER) -> list[tuple[str, str]]:
    _, findings = check_holders(f"{header}\n{body}", balance_limit=100_000, where="h.csv")
    return [(finding.code, finding.where) for finding in findings]


def test_holders() -> None:
    text = f'{HEADER}\r\n张三,{RIGHT},half_fare,500,2018-01-01,2030-12-31\r\n"Li, Si",,,,,\r\n\r\n,,3,,,\r\n'
    holders, findings = check_holders(text, balance_limit=1000, where="h.csv")
    assert findings == []
    first, second, third = holders
    assert (first.name, first.holder_class, first.balance) == ("张三", HolderClass.HALF_FARE, 500)
    assert (first.start.hex(), first.expiry.hex()) == ("20180101", "20301231")
    assert (second.name, second.holder_class, second.start) == ("Li, Si", HolderClass.ORDINARY, b"")
    assert third.holder_class is HolderClass.FREE
    assert "张" not in repr(first)


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("a" * 21 + ",,,,,", "NAME"),
        ("龘靐齉爨麤灪龖厵滟爩癵,,,,,", "NAME"),
        ("bell\x07,,,,,", "NAME"),
        (f"A,{RIGHT[:-1]}1,,,,", "IDENTITY"),
        ("A,110105194913310020,,,,", "IDENTITY"),
        ("A,１１０１０５１９４９１２３１００２X,,,,", "IDENTITY"),
        ("A,,prince,,,", "CLASS"),
        ("A,,,-1,,", "BALANCE"),
        ("A,,,1.5,,", "BALANCE"),
        ("A,,,100001,,", "BALANCE"),
        ("A,,,٣,,", "BALANCE"),
        ("A,,,,2018-02-30,", "DATE"),
        ("A,,,,2020-01-01,2019-01-01", "DATE"),
        ("A,,", "FIELDS"),
        ("A,,,,,,,", "FIELDS"),
    ],
)
def test_a_bad_line_is_named(line: str, code: str) -> None:
    assert _codes(f"Good,,,,,\n{line}\n") == [(code, "h.csv:3")]


def test_files_that_are_none() -> None:
    assert _codes("", header="") == [("HEADER", "h.csv:1")]
    assert _codes("A", header="name,shoe_size") == [("HEADER", "h.csv:1")]
    assert _codes("A,B", header="name,name") == [("HEADER", "h.csv:1")]
    assert _codes("") == [("EMPTY", "h.csv")]
    assert _codes('A,"x,,,,\n') == [("NOT_CSV", "h.csv:2")]
    assert _codes(f"A,{RIGHT},,,,\nB,{RIGHT},,,,\n") == [("TWICE", "h.csv:3")]
    holders, findings = check_holders("\ufeffname\nA\n", balance_limit=0, where="h")
    assert (len(holders), findings) == (1, [])


def test_noise_is_lived_through() -> None:
    dice = random.Random(7)
    signs = 'A1,"\n\r=\x00张' + "\u2028"
    for _ in range(300):
        text = "".join(dice.choice(signs) for _ in range(dice.randrange(80)))
        check_holders(f"{HEADER}\n{text}", balance_limit=9, where="n")
        check_holders(text, balance_limit=9, where="n")


def test_identity_numbers() -> None:
    assert right_identity(RIGHT)
    assert not any(right_identity(RIGHT[:17] + last) for last in "0123456789")
    assert not right_identity("")


def test_numbers_are_reserved_once() -> None:
    numbers = NumberRange.parse("5180000001000000-5180000001000009")
    one = next_reservation(numbers, [], "one", 4)
    two = next_reservation(numbers, [one], "two", 6)
    assert (one.number(0), one.number(3)) == ("5180000001000000", "5180000001000003")
    assert (two.number(0), two.number(5)) == ("5180000001000004", "5180000001000009")
    assert next_reservation(numbers, [one, two], "one", 4) == one, "an order finds its own numbers again"
    with pytest.raises(Refused, match="0 numbers are left"):
        next_reservation(numbers, [one, two], "three", 1)
    with pytest.raises(Refused, match="begun with 4 cards"):
        next_reservation(numbers, [one, two], "one", 5)
    with pytest.raises(Usage):
        one.number(4)
    late = Reservation(order="late", first=numbers.first + 8, count=1)
    assert next_reservation(numbers, [late, one], "next", 1).number(0) == "5180000001000009"


@pytest.mark.parametrize(
    "text", ["", "1-2", "5180000001000009-5180000001000000", "518000000100000x-5180000001000009", "0" * 16]
)
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(Usage, match="range"):
        NumberRange.parse(text)


def test_an_embossing_file_is_quoted_and_its_log_masked() -> None:
    line = EmbossLine(
        row=1, number="5180000001000000", expiry=bytes.fromhex("20301231"), name='=A"B', holder_class="FREE"
    )
    assert embossing_file([line]) == (
        b'"row","number","valid_thru","name","class"\r\n"1","5180 0000 0100 0000","12/30","A""B","FREE"\r\n'
    )
    assert masked_number(line.number) == "************0000"
    assert "518000" not in repr(line)
