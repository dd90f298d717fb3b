"""Amounts in several units. Goal: what is of one kind is added up exactly, and what is not is never mixed.

Method: factors from UN/ECE Recommendation 20, annex I, written down by hand.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from jinka.trace.amounts import convert, told_in


@pytest.mark.parametrize(
    ("amount", "code", "to", "is_"),
    [
        ("1", "TNE", "KGM", "1000"),
        ("600", "KGM", "TNE", "0.6"),
        ("2.5", "LTR", "MLT", "2500"),
        ("3", "HLT", "MTQ", "0.3"),
        ("10", "LBR", "KGM", "4.5359237"),
        ("2", "DZN", "", "24"),
        ("7", "EA", "H87", "7"),
        ("7", "XBX", "XBX", "7"),
    ],
)
def test_units_of_one_kind_are_converted_exactly(amount: str, code: str, to: str, is_: str) -> None:
    assert convert(Decimal(amount), code, to) == Decimal(is_)


@pytest.mark.parametrize(
    ("code", "to"), [("LTR", "KGM"), ("XBX", "KGM"), ("", "KGM"), ("P1", ""), ("XBX", "XPK")]
)
def test_what_is_of_another_kind_is_not(code: str, to: str) -> None:
    assert convert(Decimal(1), code, to) is None


def test_the_unit_is_the_first_one_unless_that_would_be_rounded() -> None:
    assert told_in(["TNE", "KGM", "XBX"]) == "TNE"
    assert told_in(["LBR", "KGM"]) == "KGM"  # a kilogram is no finite decimal of a pound
    assert told_in(["GLL", "GLL"]) == "GLL"
    assert told_in(["XBX", "KGM"]) == "XBX"
    assert told_in([]) == ""
