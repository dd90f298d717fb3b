"""The price list as a file. Goal: what is read is what is written, and whatever else is refused at its place."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing import FeeParty, Merchant, Per, rate_text, read_fees
from jinka.clearing.fees_file import read_rate
from jinka.kit import JinkaError, Usage

GOOD = """
[fees]
scheme = "scheme"

[[line]]
code = "service"
title_en = "Service fee"
title_zh = "服务费"
from = 2026-01-01
until = 2027-01-01
payers = "operator"
payees = { scheme = 2, issuer = 1, acquirer = 2 }
per = "month"
fixed_minor = 1
floor_minor = 100
cap_minor = 1000000
tax = "6%"
tax_included = false
products = ["ordinary"]
sectors = ["transit"]
regions = ["44", "3201"]
categories = ["4111", "4121-4131"]

[[line.band]]
up_to_minor = 100000
rate = "0.5%"

[[line.band]]
rate = "0.0325%"

[[merchant]]
code = "op.sz.bus"
sector = "transit"
region = "440300"
category = "4131"
"""


def test_every_field_is_read() -> None:
    fees = read_fees(GOOD)
    [line] = fees.lines
    assert (line.per, line.bands) == (Per.MONTH, ((100_000, 5_000), (None, 325)))
    assert line.payees == {FeeParty.SCHEME: 2, FeeParty.ISSUER: 1, FeeParty.ACQUIRER: 2}
    assert (line.fixed, line.floor, line.cap, line.tax_ppm, line.tax_included) == (
        1,
        100,
        1_000_000,
        60_000,
        False,
    )
    assert (line.begins, line.ends) == (dt.date(2026, 1, 1), dt.date(2027, 1, 1))
    assert line.match.categories == (("4111", "4111"), ("4121", "4131"))
    assert fees.merchants == {"op.sz.bus": Merchant(sector="transit", region="440300", category="4131")}
    assert fees.for_record("ordinary", "op.sz.bus") == (line,)
    assert fees.for_record("ordinary", "op.gz.bus") == ()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('scheme = "scheme"', "", "fees.scheme"),
        ('scheme = "scheme"', 'scheme = "scheme"\nowner = "x"', "fees: unknown: owner"),
        ('title_zh = "服务费"', "", "line 1 (service).title_zh"),
        ('per = "month"', 'per = "week"', "line 1 (service).per"),
        ('per = "month"', 'per = "month"\nrate = "1%"', "either one rate or bands"),
        ('payers = "operator"', 'payers = "passenger"', "line 1 (service).payers"),
        ('payers = "operator"', "payers = {}", "line 1 (service).payers"),
        ("scheme = 2", "scheme = -2", "payees.scheme"),
        ("scheme = 2", "scheme = 1.5", "payees.scheme"),
        ("from = 2026-01-01", 'from = "2026-01-01"', "line 1 (service).from"),
        ("from = 2026-01-01", "from = 2026-01-01T00:00:00", "line 1 (service).from"),
        ("until = 2027-01-01", "until = 2026-01-01", "ends before it begins"),
        ("fixed_minor = 1", "fixed_minor = 0.5", "line 1 (service).fixed_minor"),
        ("fixed_minor = 1", "fixed_minor = true", "line 1 (service).fixed_minor"),
        ("cap_minor = 1000000", "cap_minor = 99", "cap below floor"),
        ('tax = "6%"', "tax = 0.06", "line 1 (service).tax"),
        ("tax_included = false", 'tax_included = "no"', "tax_included"),
        ('regions = ["44", "3201"]', 'regions = ["4"]', "regions"),
        ('categories = ["4111", "4121-4131"]', 'categories = ["4131-4121"]', "categories"),
        ('products = ["ordinary"]', 'products = "ordinary"', "products"),
        ("up_to_minor = 100000", "", "only it, must be open"),
        ('rate = "0.0325%"', 'rate = "0.03251%"', "band 2.rate"),
        ('rate = "0.0325%"', 'rate = "100.0001%"', "band 2.rate"),
        ('category = "4131"', 'category = "41"', "merchant.op.sz.bus.category"),
        ("[[merchant]]", '[[merchant]]\ncode = "op.sz.bus"\n[[merchant]]', "stands twice"),
        ("[[line]]", "[[line]\n", "not TOML"),
        ("[[merchant]]", "[merchant]", "merchant: not a list"),
    ],
)
def test_a_wrong_file_is_refused_at_its_place(old: str, new: str, place: str) -> None:
    assert GOOD.count(old) >= 1
    with pytest.raises(Usage) as refused:
        read_fees(GOOD.replace(old, new, 1))
    assert place in str(refused.value)


@given(st.integers(0, 1_000_000))
def test_a_rate_is_read_as_it_is_shown(ppm: int) -> None:
    assert read_rate(rate_text(ppm), "x") == ppm


@pytest.mark.parametrize("text", ["0.35", "35", "-1%", "1e1%", "０.３５%", "1.%", " 1%", "%", None, 1, 0.35])
def test_what_is_no_rate_is_refused(text: object) -> None:
    with pytest.raises(Usage, match="no rate"):
        read_rate(text, "x")


@given(st.text(max_size=200) | st.sampled_from(["[[line]]\n" * 20_000, "a=" + "[" * 5_000, "x" * 1_100_000]))
def test_a_strangers_text_ends_in_a_refusal(text: str) -> None:
    with pytest.raises(JinkaError):
        read_fees(text)
