"""Measures in different units are compared. Method: values that a textbook gives, in both units."""

from __future__ import annotations

from decimal import Decimal

import pytest

from jinka.codec.epcis.units import UNITS, scaled


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("20 CEL", "68 FAH"), ("-40 CEL", "-40 FAH"), ("273.15 KEL", "0 CEL"), ("491.67 A48", "273.15 KEL"),
        ("1 KGM", "1000 GRM"), ("16 ONZ", "1 LBR"), ("2000 LBR", "1 STN"), ("12 INH", "1 FOT"), ("3 FOT", "1 YRD"),
        ("1760 YRD", "1 SMI"), ("36 KMH", "10 MTS"), ("1 KNT", "1.852 KMH"), ("50 P1", "0.5 C62"), ("1 BAR", "100 KPA"),
        ("1013.25 A97", "1 ATM"), ("1 KWH", "3.6 3B"), ("1 HUR", "60 MIN"), ("1 GL", "1000 A93"), ("1 LTR", "1 DMQ"),
        ("231 INQ", "1 GLL"), ("42 GLL", "1 BLL"), ("20 OZI", "1 PTI"), ("8 A99", "1 AD"), ("0.1 C62", "10 P1"),
    ],
)  # fmt: skip
def test_the_same_in_two_units_is_equal(one: str, other: str) -> None:
    assert _scaled(one) == _scaled(other)


def test_a_deviation_is_scaled_and_not_shifted() -> None:
    one = scaled(Decimal(5), "CEL", difference=True)
    assert one == scaled(Decimal(9), "FAH", difference=True)
    assert one.value == 5.0


def test_what_is_not_listed_is_comparable_with_itself_alone() -> None:
    assert _scaled("1 ZZZ") == _scaled("1.0 ZZZ")
    assert _scaled("1 ZZZ") != _scaled("1 ZZY")
    assert scaled(Decimal(1), "").dimension == ""
    assert all(unit.factor > 0 for unit in UNITS.values())


def _scaled(text: str) -> object:
    value, code = text.split()
    return scaled(Decimal(value), code)
