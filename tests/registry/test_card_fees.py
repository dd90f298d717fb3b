"""What may be charged for a card. Goal: each rule gives what a public document says of a real card. Method: the
published amounts at their limit, and a fen above it.
"""

from __future__ import annotations

import dataclasses

import pytest

from jinka.kit import Refused, Usage
from jinka.registry import FEE_RULES, Fees, Terms, check_fees, fee_rule, highest_fees


def _fees(rule: str, cost: int, new: int, again: int, card: str = "") -> Fees:
    return Fees(rule=rule, cost_fen=cost, new_fen=new, again_fen=again, card=card)


# 常州市, 2010-12-27, 关于核定“龙城通”卡工本费标准政策解读, on 苏价费[2010]187号: cost 20.81 yuan a card, fixed
# at 20 for a new one and 30 for another; another may cost at most 1.5 times the cost.
CHANGZHOU = _fees("cn-jiangsu-2010", 2081, 2000, 3000)
# 福建省物价局、财政厅 闽价[2002]费104号: 25 yuan for a CPU card and 15 for one with memory logic at most, no
# surcharge for another.
FUJIAN = _fees("cn-fujian-medical-2002", 2600, 2500, 2500, "cpu")
# 辽宁省物价局 辽价函[2002]23号: 150 yuan a card, half of it for another.
LIAONING = _fees("cn-liaoning-code-card-2002", 20000, 15000, 7500, "cpu")


@pytest.mark.parametrize("published", [CHANGZHOU, FUJIAN, LIAONING])
def test_published_fees_pass(published: Fees) -> None:
    check_fees(published)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (dataclasses.replace(CHANGZHOU, new_fen=2082), "2081 at most"),
        (dataclasses.replace(CHANGZHOU, again_fen=3122), "3121 at most"),  # 31.215 yuan
        (dataclasses.replace(FUJIAN, new_fen=2501), "2500 at most"),
        (dataclasses.replace(FUJIAN, again_fen=2501), "2500 at most"),
        (dataclasses.replace(FUJIAN, new_fen=2000, again_fen=2001), "2000 at most"),
        (dataclasses.replace(FUJIAN, cost_fen=1800, again_fen=1800), "1800 at most"),
        (dataclasses.replace(FUJIAN, card="memory"), "1500 at most"),
        (dataclasses.replace(LIAONING, new_fen=15001), "15000 at most"),
        (dataclasses.replace(LIAONING, again_fen=7501), "7500 at most"),
        (_fees("cn-2001", 1000, 1000, 1001), "1000 at most"),
        (_fees("cn-2001", 1000, 1001, 1000), "1000 at most"),
    ],
)
def test_a_fen_more_does_not(wrong: Fees, said: str) -> None:
    with pytest.raises(Refused, match=said):
        check_fees(wrong)


def test_the_cost_of_a_card_is_made_of_card_making_and_what_is_spoilt() -> None:
    rule = fee_rule("cn-jiangsu-2010")
    assert rule.cost_fen(bare_fen=1800, making_fen=221, loss_permille=30) == 2081  # 2021 x 1.03 = 2081.63
    with pytest.raises(Refused, match="30‰"):
        rule.cost_fen(bare_fen=1800, making_fen=221, loss_permille=31)
    with pytest.raises(Refused):
        fee_rule("cn-2001").cost_fen(bare_fen=1800, making_fen=221, loss_permille=1)
    assert highest_fees(rule, 2081) == _fees("cn-jiangsu-2010", 2081, 2081, 3121)


def test_wrong_fees() -> None:
    for amount in (-1, 10_000_001, True):
        with pytest.raises(Usage):
            _fees("cn-2001", 1, amount, 1)
    for wrong in (
        _fees("cn-1999", 1, 1, 1),
        _fees("cn-fujian-medical-2002", 1, 1, 1),
    ):
        with pytest.raises(Usage):
            check_fees(wrong)
    with pytest.raises(Usage):
        fee_rule("cn-2001").cost_fen(bare_fen=-1, making_fen=0)


def test_every_rule_names_its_source_and_terms_keep_it() -> None:
    for rule in FEE_RULES.values():
        assert "号" in rule.source
        assert all(rule.title)
    terms = Terms.of({"use": ["a", "b"], "purse": ["*"]}, quantity=5, fees=CHANGZHOU)
    assert Terms.from_text(terms.to_text()) == terms
    for text in (terms.to_text() + " ", "{}", "[]", "x", terms.to_text().replace("3000", "-1")):
        with pytest.raises(Refused):
            Terms.from_text(text)
