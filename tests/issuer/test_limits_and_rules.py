"""Limits, risk rules and floods at the issuer's host: what they refuse, and what of it stands in the decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jinka.issuer import Channel, Place, Reason
from jinka.issuer.limits import HISTORY_MAX
from jinka.issuer.policy import read_policy
from tests.issuer.host_rig import OPENING, OTHER, PAN, STRIPE_ONLY, Bank

pytestmark = pytest.mark.usefixtures("books_engine")


def limited(**limit: object) -> Bank:
    row = {"code": "L1", "en": "daily", "zh": "日限额", **limit}
    return Bank(policy=read_policy({"products": {"debit": {"limits": [row]}}, "pin": {"kinds": []}}))


def test_limits_by_day_channel_and_merchant() -> None:
    bank = limited(day_fen=1_000, day_count=3, channels=["pos"])
    assert bank.do(fen=1_001)[1].reason is Reason.LIMIT
    assert bank.do(fen=600)[1].approved
    refused = bank.do(fen=401)[1]
    assert (refused.reason, refused.rule, refused.title[1]) == (Reason.LIMIT, "L1", "超出限额：日限额")
    assert bank.do(fen=401, channel=Channel.COUNTER)[1].approved, "another channel"
    assert bank.do(fen=401, pan=OTHER)[1].approved, "another card"
    back, _ = bank.do(fen=400)
    assert bank.back(back).approved
    assert bank.do(fen=400)[1].approved, "what was reversed no longer counts"
    assert bank.do(fen=1, at_micros=bank.now + 86_400_000_000)[1].approved, "another day"
    bank = limited(each_merchant=True, day_fen=1_000)
    assert bank.do(fen=1_000)[1].approved
    assert bank.do(fen=1)[1].reason is Reason.LIMIT
    assert bank.do(fen=1_000, merchant="M2")[1].approved
    bank = limited(day_count=2, single_fen=50)
    assert bank.do(fen=51)[1].reason is Reason.LIMIT
    assert [bank.do(fen=1)[1].reason for _ in range(3)] == [Reason.APPROVED, Reason.APPROVED, Reason.TOO_MANY]


def test_what_is_disputed_uses_up_nothing_of_the_holders() -> None:
    """Neither its limits nor its velocity nor its past, in this process and in the next."""
    limit = {"code": "D", "en": "day", "zh": "日", "day_fen": 1_000}
    rule = {"kind": "velocity", "code": "V", "en": "fast", "zh": "快", "window_s": 86_400, "count": 1}
    document = {"products": {"debit": {"limits": [limit]}}, "rules": [rule], "advice": {"unproven_fen": 0}}
    bank = Bank(policy=read_policy({**document, "pin": {"kinds": []}}))
    refused = bank.ask(fen=1_001)
    assert bank.host.decide(refused).reason is Reason.LIMIT
    told = [
        replace(refused, forced=True),
        *(bank.ask(fen=5_000, forced=True) for _ in range(HISTORY_MAX + 1)),
    ]
    assert {answer.reason for answer in bank.host.decide_all(told)} == {Reason.DISPUTED}
    assert bank.do(fen=600)[1].approved
    bank.start()
    assert bank.do(fen=401)[1].reason is Reason.LIMIT, "its own purchase counts, behind all of them"
    assert bank.do(fen=400)[1].reason is Reason.RISK


def test_limits_hold_within_one_list_of_requests() -> None:
    bank = limited(day_fen=1_000)
    answers = bank.host.decide_all(
        [bank.ask(fen=400, pan=pan) for pan in (PAN, OTHER, PAN, OTHER, PAN, OTHER)]
    )
    assert [a.approved for a in answers] == [True, True, True, True, False, False]
    request = bank.ask(fen=10, pan=STRIPE_ONLY)
    both = bank.host.decide_all([request, request, replace(request, amount_fen=11)])
    assert [(a.reason, a.repeated) for a in both] == [
        (Reason.APPROVED, False), (Reason.APPROVED, True), (Reason.DUPLICATE, True),
    ]  # fmt: skip


def ruled(*rules: dict[str, object]) -> Bank:
    rows = [{"code": f"R{n}", "en": "rule", "zh": "规则"} | rule for n, rule in enumerate(rules)]
    return Bank(policy=read_policy({"rules": rows, "pin": {"kinds": []}}))


def test_a_risk_rule_stands_in_the_decision_and_in_the_books() -> None:
    bank = ruled(
        {"kind": "velocity", "window_s": 3600, "count": 2, "en": "twice an hour", "zh": "每小时两次"}
    )
    assert [bank.do()[1].approved for _ in range(2)] == [True, True]
    request, refused = bank.do()
    assert (refused.code, refused.rule, refused.title) == (
        "59", "R0", ("refused by a risk rule: twice an hour", "风险规则拒绝：每小时两次"),
    )  # fmt: skip
    assert bank.books.bookings([request.id])[request.id].rule == "R0"
    bank.now += 3_600_000_000
    assert bank.do()[1].approved


def test_an_alert_is_written_and_does_not_decline() -> None:
    bank = ruled({"kind": "listed", "merchants": ["M1"], "action": "alert"})
    request, answer = bank.do()
    assert (answer.code, answer.rule) == ("00", "R0")
    assert bank.books.bookings([request.id])[request.id].rule == "R0"


def test_nobody_is_in_two_cities_at_once() -> None:
    bank = ruled({"kind": "distance", "kmh": 900})
    shenzhen = Place(latitude_e6=22_543_000, longitude_e6=114_058_000)
    beijing = Place(latitude_e6=39_904_000, longitude_e6=116_407_000)
    assert bank.do(place=shenzhen)[1].approved
    assert bank.do(place=beijing)[1].reason is Reason.RISK
    bank.now += 3 * 3_600_000_000
    assert bank.do(place=beijing)[1].approved


def test_an_undeclared_fallback_is_seen() -> None:
    bank = ruled({"kind": "fallback", "count": 1})
    assert bank.stripe(pan=PAN).approved
    assert bank.stripe(pan=PAN).reason is Reason.RISK
    assert bank.stripe(pan=PAN, terminal_chip=False).approved, "the terminal has no chip reader"
    assert bank.stripe().approved, "the card has no chip"


def test_first_use() -> None:
    bank = ruled({"kind": "first-use", "amount_fen": 500})
    assert bank.do(fen=501)[1].reason is Reason.RISK
    assert bank.do(fen=500)[1].approved
    assert bank.do(fen=501)[1].approved


def test_a_flood_for_one_card_is_cut_off() -> None:
    bank = Bank()
    answers = bank.host.decide_all([bank.ask(fen=OPENING * 2) for _ in range(258)])
    assert [a.reason for a in answers] == [Reason.FUNDS] * 256 + [Reason.TOO_MANY] * 2
    assert bank.do(fen=1, pan=OTHER)[1].approved
    bank.now += 86_400_000_000
    assert bank.do(fen=1)[1].approved
