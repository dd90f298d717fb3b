"""Fees as tables. Goal: the published price list gives its published amounts, and no rounding loses a fen.

Vectors: 发改价格〔2016〕557号 (ceilings of both fees) and 政府定价的经营服务性收费目录清单（2022版）, which gives the
network's fee for each side: at most 0.0325 % and 3.25 yuan. Method beside them: random lines against exact fractions.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing import CHINA_2016, FeeLine, FeeMatch, FeeParty, FeeSchedule, Merchant, Per, read_fees
from jinka.clearing.fees import PPM
from jinka.clearing.net import LineKind, PaidGroup, fee_schedule, net
from jinka.clearing.port import FeeTable
from jinka.kit import Usage
from tests.clearing.world import DATE, World

DAY = dt.date(2026, 11, 20)
ONE = PaidGroup(
    operator="shop", acquirer="acq", issuer="bank", product="debit", online=False, at_risk=False, payer="", count=1,
    gross=0, amount=0, subsidy=0, by_amount=True,
)  # fmt: skip


def sale(amount: int, product: str = "debit", count: int = 1, operator: str = "shop") -> PaidGroup:
    return replace(
        ONE, amount=amount * count, gross=amount * count, product=product, count=count, operator=operator
    )


def by_code(groups: list[PaidGroup], fees: FeeSchedule) -> dict[tuple[str, str], int]:
    """(line, payer) to what it pays."""
    paid: dict[tuple[str, str], int] = defaultdict(int)
    for share in net(groups, fees).fees:
        paid[share.code, share.payer] += share.amount
    return dict(paid)


def line(code: str = "fee", **wanted: object) -> FeeLine:
    plain = {
        "title_en": "Fee",
        "title_zh": "费",
        "payers": {FeeParty.OPERATOR: 1},
        "payees": {FeeParty.SCHEME: 1},
    }
    return FeeLine(code=code, **(plain | wanted))  # type: ignore[arg-type]


def one(*lines: FeeLine, **wanted: object) -> FeeSchedule:
    return FeeSchedule(scheme="scheme", switch="switch", lines=lines, **wanted)  # type: ignore[arg-type]


CHINA = read_fees(CHINA_2016).on(DAY)


@pytest.mark.parametrize(
    ("yuan", "product", "issuer_fen", "network_fen"),
    [
        (100, "debit", 35, 7),  # 6.5 fen, half up
        (1_000, "debit", 350, 65),
        (3_714, "debit", 1_300, 241),  # 12.999 yuan
        (3_715, "debit", 1_300, 241),  # 13.0025: the cap
        (10_000, "debit", 1_300, 650),
        (100_000, "debit", 1_300, 650),
        (1_000, "credit", 450, 65),
        (100_000, "credit", 45_000, 650),  # no cap for credit cards
    ],
)
def test_china_2016(yuan: int, product: str, issuer_fen: int, network_fen: int) -> None:
    paid = by_code([sale(yuan * 100, product)], CHINA)
    assert paid["issuer", "acq"] == issuer_fen
    assert paid["network", "acq"] + paid["network", "bank"] == network_fen
    assert abs(paid["network", "acq"] - paid["network", "bank"]) <= 1, "each side bears half"


def test_each_side_of_the_network_fee_ends_at_3_25_yuan() -> None:
    paid = by_code([sale(5_000_000)], CHINA)
    assert (paid["network", "acq"], paid["network", "bank"]) == (325, 325)


def test_the_exempt_pay_nothing_and_before_its_day_the_list_is_not_in_force() -> None:
    school = replace(CHINA, merchants={"shop": Merchant(category="8220")})
    assert by_code([sale(100_000)], school) == {}
    assert by_code([sale(100_000)], replace(CHINA, merchants={"shop": Merchant(category="5411")})) != {}
    assert read_fees(CHINA_2016).on(dt.date(2016, 9, 5)).lines == ()
    assert len(read_fees(CHINA_2016).on(dt.date(2016, 9, 6)).lines) == 5


def test_caps_are_per_record_and_not_on_their_sum() -> None:
    assert by_code([sale(1_000_000, count=3)], CHINA)["issuer", "acq"] == 3 * 1_300
    mixed = replace(sale(1_000_000, count=3), by_amount=False)
    with pytest.raises(Usage, match="several amounts"):
        net([mixed], CHINA)


def test_fees_between_institutions_are_flows_of_their_own_and_nobody_pays_itself() -> None:
    result = net([sale(1_000_000)], CHINA)
    kinds = {(flow.kind, flow.payer, flow.payee): flow.amount for flow in result.flows}
    assert kinds == {
        (LineKind.CHARGE, "bank", "shop"): 1_000_000,
        (LineKind.INTERCHANGE, "acq", "bank"): 1_300,
        (LineKind.INTERCHANGE, "acq", "switch"): 325,
        (LineKind.INTERCHANGE, "bank", "switch"): 325,
    }
    on_us = net([replace(sale(1_000_000), acquirer="bank")], CHINA)
    assert {(f.payer, f.payee): f.amount for f in on_us.flows if f.kind is LineKind.INTERCHANGE} == {
        ("bank", "switch"): 650
    }
    assert sum(on_us.positions.values()) == 0


def test_bands_are_marginal_and_a_month_is_the_sum_of_its_days() -> None:
    monthly = line(per=Per.MONTH, bands=((1_000, 10_000), (5_000, 5_000), (None, 1_000)))
    assert monthly.rounded(800, 1) == 8
    assert monthly.rounded(6_000, 1) == 10 + 20 + 1
    fees, total = one(monthly), 0
    for amount in (333, 777, 1_111, 0, 2_222, 1_557):
        result = net([sale(amount)], fees)
        total += sum(share.amount for share in result.fees)
        fees = replace(fees, earlier=result.volumes)
    assert total == monthly.rounded(6_000, 6)
    assert dict(fees.earlier) == {("fee", ("shop",)): (6_000, 6)}


def test_fixed_parts_floors_and_caps_of_a_day() -> None:
    daily = line(fixed=2, floor=50, cap=90, bands=((None, 1_000),))
    assert [daily.rounded(*given) for given in ((0, 0), (0, 1), (10_000, 20), (10_000, 40), (90_000, 40))] == [
        0, 50, 50, 90, 90
    ]  # fmt: skip


def test_tax_is_in_the_fee_or_on_top_and_its_parts_add_up() -> None:
    inside, on_top = line(tax_ppm=60_000), line(tax_ppm=60_000, tax_included=False)
    assert inside.taxed(10_600) == (10_600, 600)
    assert on_top.taxed(10_000) == (10_600, 600)
    shares = net(
        [sale(100_001)],
        one(line(tax_ppm=60_000, bands=((None, 10_000),), payees={FeeParty.SCHEME: 1, FeeParty.ISSUER: 2})),
    ).fees
    assert sum(share.amount for share in shares) == 1_000
    assert sum(share.tax for share in shares) == inside.taxed(1_000)[1] == 57


def test_lines_are_chosen_by_product_sector_region_and_category() -> None:
    match = FeeMatch(
        products=frozenset({"debit"}),
        sectors=frozenset({"transit"}),
        regions=("44",),
        categories=(("4111", "4131"),),
    )
    right = Merchant(sector="transit", region="440300", category="4121")
    assert match.fits("debit", right)
    wrong = [
        replace(right, sector="retail"), replace(right, region="320100"), replace(right, category="5411"), Merchant()
    ]  # fmt: skip
    assert not any(match.fits("debit", merchant) for merchant in wrong)
    assert not match.fits("credit", right)
    first = line("a", variant="special", match=match, bands=((None, 20_000),))
    rest = line("a", bands=((None, 10_000),))
    fees = one(first, rest, merchants={"bus": right})
    assert by_code([sale(100, operator="bus"), sale(100)], fees) == {("a", "bus"): 2, ("a", "shop"): 1}


def test_prices_of_two_days_never_mix() -> None:
    old, new = (
        line(bands=((None, rate),), begins=begins, ends=ends)
        for rate, begins, ends in ((10_000, dt.date.min, DAY), (20_000, DAY, dt.date.max))
    )
    both = one(old, new)
    assert by_code([sale(100)], both.on(DAY - dt.timedelta(days=1))) == {("fee", "shop"): 1}
    assert by_code([sale(100)], both.on(DAY)) == {("fee", "shop"): 2}
    with pytest.raises(Usage, match="prices of several days"):
        net([sale(100)], both)
    with pytest.raises(Usage, match="two prices"):
        one(old, replace(new, begins=DAY - dt.timedelta(days=1)))


def test_a_fee_without_turnover_is_shared_by_records() -> None:
    free = line(fixed=3, payees={FeeParty.SCHEME: 1, FeeParty.ISSUER: 1})
    shares = net([sale(0, count=3)], one(free)).fees
    assert sorted((share.payee, share.amount) for share in shares) == [("bank", 5), ("scheme", 4)]


def test_a_cleared_day_is_charged_record_by_record(tmp_path: Path) -> None:
    world = World.in_order()
    per_record = line(
        per=Per.RECORD, bands=((None, 33_000),), floor=3, cap=9, begins=DATE, ends=DATE + dt.timedelta(days=1)
    )
    dear = replace(per_record, bands=((None, PPM),), begins=per_record.ends, ends=dt.date.max)
    result, rows = world.clear(tmp_path, fees=one(per_record, dear))
    debits = [row for row in rows.values() if row["outcome"] == "PAID" and not row["counter_kind"]]
    assert sum(share.amount for share in result.net.fees) == sum(
        min(max((row["amount"] * 33 + 500) // 1_000, 3), 9) for row in debits
    )
    assert sum(result.positions.values()) == 0
    assert len({row["amount"] for row in debits}) > 5


rates = st.lists(st.integers(0, PPM // 4), min_size=1, max_size=3)
group = st.builds(
    sale,
    st.integers(0, 10**7),
    st.sampled_from(["debit", "credit"]),
    st.integers(1, 50),
    st.sampled_from(["shop", "bus"]),
)
parties = st.dictionaries(st.sampled_from(list(FeeParty)), st.integers(1, 5), min_size=1, max_size=3)


@given(
    st.lists(group, max_size=6),
    rates,
    parties,
    parties,
    st.sampled_from([Per.RECORD, Per.DAY]),
    st.booleans(),
)
def test_no_rounding_loses_a_fen(
    groups: list[PaidGroup],
    given_rates: list[int],
    payers: dict[FeeParty, int],
    payees: dict[FeeParty, int],
    per: Per,
    taxed: bool,
) -> None:
    limits = [10**4 * 10**n for n in range(len(given_rates) - 1)]
    bands = tuple(zip([*limits, None], given_rates, strict=True))
    wanted = line(
        payers=payers, payees=payees, per=per, bands=bands, tax_ppm=60_000 * taxed, tax_included=False
    )
    groups = [replace(one, acquirer="acq", issuer="bank") for one in groups]
    result = net(groups, one_schedule := one(wanted))
    assert sum(result.positions.values()) == 0
    assert net(groups[::-1], one_schedule) == result
    exact = sum(
        Fraction(wanted.exact(g.amount // g.count, 1) * g.count, PPM) for g in groups
    ) if per is Per.RECORD else sum(
        Fraction(wanted.exact(sum(g.amount for g in mine), sum(g.count for g in mine)), PPM)
        for mine in _by_payers(groups, payers)
    )  # fmt: skip
    exact = exact * (Fraction(106, 100) if taxed else 1)
    slack = sum(g.count for g in groups) if per is Per.RECORD else len(groups)
    paid = sum(share.amount for share in result.fees)
    if not {FeeParty.OPERATOR} & set(payers) and set(payers) & set(payees):
        assert paid <= exact + slack + 1, "what one would pay oneself is left out"
    elif not set(payers) & set(payees):
        assert abs(paid - exact) <= Fraction(slack, 1) + 1
    assert all(0 <= share.tax <= share.amount for share in result.fees)


def _by_payers(groups: list[PaidGroup], payers: dict[FeeParty, int]) -> list[list[PaidGroup]]:
    if FeeParty.OPERATOR not in payers:
        return [groups]
    return [[g for g in groups if g.operator == code] for code in ("shop", "bus")]


def test_a_plain_table_is_a_schedule_of_one_line() -> None:
    schedule = fee_schedule(FeeTable(scheme="s", scheme_bp=10, issuer_bp=20))
    assert schedule.lines[0].rounded(1_000_000, 1) == 3_000
    assert fee_schedule(FeeTable(scheme="s")).lines == ()
