"""The custodian account. Goal: a shortfall is found to the fen, and interest is exact, once, and shared without a rest.

Method: a bank's statement written by hand, and sums of days and rates that are done beside the code.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from jinka.app.float_file import read_float_rules
from jinka.kit import Refused, Usage
from jinka.settlement import AccountCode
from jinka.settlement.float_acts import named
from jinka.settlement.float_custody import (
    CustodyRules,
    DayCount,
    Rate,
    closings,
    examine,
    interest,
    interest_deeds,
)
from jinka.settlement.iso20022 import read_answer

ACCOUNT, MONDAY = "4000020100000001", dt.date(2018, 9, 3)
RULES = CustodyRules(rates=(Rate(since=dt.date(2018, 1, 1), ppm=3_500),), shares={"fund": 1, "issuer.szt": 9})


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def test_the_bank_s_closing_balance_is_held_against_what_is_owed() -> None:
    raw = (Path(__file__).parent / "data" / "camt.053.xml").read_bytes()
    answers, findings = read_answer(raw, where="camt.053.xml")
    found = closings(answers, account=ACCOUNT)
    assert (found, findings) == ({MONDAY: 10_770_000}, [])
    assert closings(answers, account="another") == {}
    assert examine(found, owed=10_770_000, rules=RULES, where="float").findings == ()
    [short] = examine(found, owed=10_770_001, rules=RULES, where="float").findings
    assert (short.code, "1 are missing" in short.what) == ("CUSTODY_SHORT", True)
    with pytest.raises(Usage):
        examine({}, owed=1, rules=RULES, where="float")


def test_interest_is_the_sum_of_days_rounded_once() -> None:
    balances = {day(0): 100_000_000, day(2): 50_000_000, day(5): 70_000_000}
    # Two days of one million yuan and three of half a million, at 0.35 % of a year of 360 days.
    assert interest(balances, RULES) == (2 * 100_000_000 + 3 * 50_000_000) * 35 // (10_000 * 360)
    rules = CustodyRules(
        rates=(Rate(since=day(-9), ppm=3_600), Rate(since=day(1), ppm=7_300)), day_count=DayCount.ACT_365
    )
    assert interest({day(0): 1_000_000, day(2): 0}, rules) == (3_600 + 7_300) // 365
    assert interest({day(0): -5_000_000, day(9): 0}, RULES) == 0
    assert interest({day(0): 5_000_000}, RULES) == 0
    with pytest.raises(Usage):
        interest({day(0): 1, day(401): 1}, RULES)


def test_shares_lose_nothing_and_no_day_is_paid_twice() -> None:
    found = examine({day(0): 100_000_000, day(1): 100_000_000}, owed=0, rules=RULES, where="float")
    deeds = interest_deeds(found, RULES, [], issuer="issuer.szt", actor="li")
    assert found.interest == 972
    assert [(deed.credit, deed.amount) for deed in deeds] == [
        (named(AccountCode.INTEREST, "fund"), 97),
        (named(AccountCode.INTEREST, "issuer.szt"), 875),
    ]
    assert interest_deeds(found, RULES, deeds, issuer="issuer.szt", actor="li") == deeds
    longer = examine({day(0): 100_000_000, day(3): 0}, owed=0, rules=RULES, where="float")
    with pytest.raises(Refused, match="booked already"):
        interest_deeds(longer, RULES, deeds, issuer="issuer.szt", actor="li")
    later = examine({day(1): 100_000_000, day(3): 0}, owed=0, rules=RULES, where="float")
    assert (
        sum(deed.amount for deed in interest_deeds(later, RULES, deeds, issuer="issuer.szt", actor="li"))
        == 1_944
    )
    with pytest.raises(Usage):
        interest_deeds(later, CustodyRules(rates=RULES.rates), [], issuer="issuer.szt", actor="li")


def test_two_statements_of_a_day_must_agree_and_rates_stand_in_order() -> None:
    raw = (Path(__file__).parent / "data" / "camt.053.xml").read_bytes()
    other = raw.replace(b"107700.00", b"107700.01")
    answers = [*read_answer(raw, where="a")[0], *read_answer(other, where="b")[0]]
    with pytest.raises(Usage, match="two closing balances"):
        closings(answers, account=ACCOUNT)
    with pytest.raises(Usage):
        CustodyRules(rates=(Rate(since=day(1), ppm=1), Rate(since=day(0), ppm=1)))


def test_rates_and_shares_are_read_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "float.toml").write_text(
        '[custody]\nday_count = "act/365"\nrate = [{ since = "2018-01-01", ppm = 3500 }]\n'
        'share = [{ to = "fund", weight = 1 }, { to = "issuer.szt", weight = 9 }]\n'
    )
    custody = read_float_rules(tmp_path, scheme="s").custody
    assert custody == CustodyRules(rates=RULES.rates, day_count=DayCount.ACT_365, shares=RULES.shares)
    (tmp_path / "float.toml").write_text('[custody]\nrate = [{ since = "soon", ppm = 3500 }]\n')
    with pytest.raises(Usage):
        read_float_rules(tmp_path, scheme="s")
