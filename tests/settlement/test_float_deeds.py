"""Deeds upon the float. Goal: a rule decides, a deed is done once, and a refund takes no step that its table has not.

Method: gaps, deeds and refunds made by hand, posted to the ledger in memory.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from jinka.app.float_file import read_float_rules
from jinka.kit import Refused, Usage
from jinka.ledger import MemoryLedger
from jinka.settlement import AccountCode, BooksWithoutDisputes, BusinessDay, post_opening, prove_settlement
from jinka.settlement.float_acts import BooksWithoutFloat, Deed, DeedKind, named, open_lines, post_deeds
from jinka.settlement.float_proof import IssuerFloat, state_float
from jinka.settlement.float_refund import (
    CardWorth,
    Reading,
    RefundState,
    ask,
    determine,
    end,
    pay,
    refunds_of,
)
from jinka.settlement.float_rules import (
    DepositFate,
    FloatRules,
    Gap,
    Missing,
    RefundKind,
    RefundRule,
    WayOut,
    WriteOffRule,
    over_limit,
    write_backs,
    write_off,
)

CARD, ISSUER, DAY, ZONE = bytes(9) + b"\x12", "issuer.szt", dt.date(2018, 9, 3), "Asia/Shanghai"
WORTH = CardWorth(card=CARD, issuer=ISSUER, holder=1, shown=900, paid=1_000, offline=7, online=2, deposit=50)
RETURN = RefundRule(days=0, named_only=False, deposit=DepositFate.BACK)
READ = Reading(balance_fen=900, offline=7, online=2)


def gap(drop: int = 300, **changes: object) -> Gap:
    said = {"off": (3, 1), "on": (0, 0), "after": "", "shown_on": DAY, "shown_at": "2018-09-03T10:00:00"}
    return Gap(card=CARD, issuer=ISSUER, drop=drop, **(said | changes))  # type: ignore[arg-type]


def rule(missing: Missing, way: WayOut, owner: str = "", days: int = 10) -> WriteOffRule:
    return WriteOffRule(missing=missing, days=days, up_to_fen=500, way=way, reason="it is so", owner=owner)


def books(balance: int = 1_000) -> MemoryLedger:
    ledger = MemoryLedger()
    assert post_opening(ledger, BusinessDay(date=DAY, zone=ZONE), [(ISSUER, balance)])[1] == []
    return ledger


def owed(ledger: MemoryLedger, code: AccountCode, owner: str = ISSUER) -> int:
    found = ledger.balances([named(code, owner).id]).get(named(code, owner).id)
    return found.credits_posted - found.debits_posted if found else 0


def test_the_first_rule_that_fits_decides_and_suspense_and_found_records_are_never_written_off() -> None:
    rules = FloatRules(
        write_off=(rule(Missing.DEBIT, WayOut.RISK), rule(Missing.DEBIT, WayOut.UNCLAIMED, days=0))
    )
    due = DAY + dt.timedelta(days=10)
    assert [found.way if (found := rules.for_gap(gap(), on)) else None for on in (DAY, due)] == [
        WayOut.UNCLAIMED,
        WayOut.RISK,
    ]
    assert rules.for_gap(gap(501), due) is None
    assert rules.for_gap(gap(-300), due) is None  # a load, and no rule for one
    assert rules.for_gap(gap(suspended=True), due) is None
    assert rules.for_gap(gap(filled=True), due) is None


@pytest.mark.parametrize(
    ("drop", "way", "owner", "code", "who"),
    [
        (300, WayOut.UNCLAIMED, "", AccountCode.UNCLAIMED, ISSUER),
        (300, WayOut.RISK, "", AccountCode.RISK, "scheme"),
        (300, WayOut.OPERATOR, "op.bus", AccountCode.OPERATOR_PAYABLE, "op.bus"),
        (-300, WayOut.RISK, "", AccountCode.RISK, "scheme"),
        (-300, WayOut.AGENT, "agent", AccountCode.LOAD_RECEIVABLE, "agent"),
    ],
)
def test_a_write_off_posts_once_and_a_found_record_undoes_it(
    drop: int, way: WayOut, owner: str, code: AccountCode, who: str
) -> None:
    ledger, rules = books(), FloatRules(scheme="scheme")
    one = gap(drop)
    deed = write_off(one, rule(one.missing, way, owner), rules, on=DAY, actor="li")
    for _ in range(2):
        post_deeds(ledger, [deed], zone=ZONE)
    assert (owed(ledger, AccountCode.PURSE_LIABILITY), owed(ledger, code, who)) == (1_000 - drop, drop)
    assert deed.gaps == -drop
    own = BooksWithoutFloat(BooksWithoutDisputes(ledger), ledger)
    assert prove_settlement(own).holds  # the day's own proof knows nothing of it
    if way is not WayOut.UNCLAIMED:
        assert open_lines([deed]) == {named(code, who): drop}
        assert not prove_settlement(ledger).holds
    assert write_backs([deed], [one], on=DAY) == []
    [back] = write_backs([deed], [], on=DAY)
    post_deeds(ledger, [back], zone=ZONE)
    assert (owed(ledger, AccountCode.PURSE_LIABILITY), owed(ledger, code, who)) == (1_000, 0)
    assert write_backs([deed, back], [], on=DAY) == []
    assert open_lines([deed, back]) == {}


def test_another_amount_under_the_same_deed_is_refused_by_the_ledger() -> None:
    ledger = books()
    first, other = (
        write_off(gap(drop), rule(Missing.DEBIT, WayOut.UNCLAIMED), FloatRules(), on=DAY, actor="li")
        for drop in (300, 400)
    )
    post_deeds(ledger, [first], zone=ZONE)
    with pytest.raises(Refused):
        post_deeds(ledger, [other], zone=ZONE)


def test_a_returned_card_is_paid_what_its_chain_shows_with_its_deposit() -> None:
    ledger = books()
    deposit = Deed(
        kind=DeedKind.DEPOSIT, subject="all", on=DAY, amount=50, debit=named(AccountCode.CUSTOMER_FUNDS, ISSUER),
        credit=named(AccountCode.CARD_DEPOSIT, ISSUER), deposit=50,
    )  # fmt: skip
    deeds = ask(RefundKind.RETURNED, WORTH, RETURN, on=DAY, actor="li", is_named=False, listed_on=None, reading=READ,
                earlier=[])  # fmt: skip
    table = {RefundKind.RETURNED: RETURN}
    [refund] = refunds_of(deeds, table)
    with pytest.raises(Refused, match="it is waiting"):
        pay(refund, ISSUER, on=DAY, actor="li")
    deeds += determine(refund, WORTH, RETURN, on=DAY, actor="li")
    [refund] = refunds_of(deeds, table)
    assert (refund.state, refund.amount, refund.deposit) == (RefundState.DETERMINED, 900, 50)
    with pytest.raises(Refused, match="it is determined"):
        end(refund, DeedKind.REJECTED, on=DAY, actor="li", reason="too late")
    deeds.append(pay(refund, ISSUER, on=DAY, actor="li"))
    post_deeds(ledger, [deposit, *deeds], zone=ZONE)
    codes = (AccountCode.PURSE_LIABILITY, AccountCode.CARD_DEPOSIT, AccountCode.HOLDER_PAYABLE)
    assert [owed(ledger, code) for code in codes] == [100, 0, 0]
    assert owed(ledger, AccountCode.CUSTOMER_FUNDS) == -100


@pytest.mark.parametrize(
    ("reading", "said"),
    [
        (None, "read first"),
        (Reading(balance_fen=900, offline=6, online=2), "behind its shadow"),
        (Reading(balance_fen=901, offline=7, online=2), "its shadow 900"),
        (Reading(balance_fen=901, offline=8, online=2), "do not raise a balance"),
    ],
)
def test_a_chip_that_contradicts_its_shadow_is_not_paid(reading: Reading | None, said: str) -> None:
    with pytest.raises(Refused, match=said):
        ask(RefundKind.RETURNED, WORTH, RETURN, on=DAY, actor="li", is_named=True, listed_on=None, reading=reading,
            earlier=[])  # fmt: skip


def test_what_disputes_return_is_not_refunded_again() -> None:
    deeds = ask(RefundKind.RETURNED, WORTH, RETURN, on=DAY, actor="li", is_named=True, listed_on=None, reading=READ,
                earlier=[])  # fmt: skip
    [refund] = refunds_of(deeds, {RefundKind.RETURNED: RETURN})
    some = CardWorth(**{name: getattr(WORTH, name) for name in WORTH.__slots__} | {"disputed": 700})
    assert determine(refund, some, RETURN, on=DAY, actor="li")[0].amount == 200
    more = CardWorth(**{name: getattr(WORTH, name) for name in WORTH.__slots__} | {"disputed": 901})
    with pytest.raises(Refused, match="overdrawn"):
        determine(refund, more, RETURN, on=DAY, actor="li")


def test_limits_of_named_and_anonymous_cards() -> None:
    rules = FloatRules()  # article 7: 1,000 yuan, and 5,000 on a named card
    assert over_limit(CARD, 1, 100_000, rules) is None
    assert over_limit(CARD, 1, 100_001, rules) is not None
    assert over_limit(CARD, 2, 500_000, rules) is None
    assert over_limit(CARD, 2, 500_001, rules) is not None


def test_the_proof_names_what_does_not_add_up() -> None:
    figures = dict.fromkeys(("transit", "suspense", "unclaimed", "deposits", "payable", "interest"), 0)
    row = IssuerFloat(
        issuer=ISSUER, cards=1, shown=900, unexplained=100, paid=1_000, liability=999, funds=998, **figures
    )
    found = state_float([row], strange=[(CARD, 100, 1_000)], findings=[], open_lines={}, deposits=3, days=[])
    codes = ["FLOAT_DIFFERS", "FUNDS_DIFFER", "DEPOSITS_DIFFER", "UNEXPLAINED"]
    assert ([finding.code for finding in found.findings], found.holds) == (codes, False)


@pytest.mark.parametrize(
    "text",
    [
        "x = 1", "ask_after_days = -1", "ask_after_days = true", "write_off = 3", "write_off = [1]",
        '[[write_off]]\nmissing = "debit"\ndays = 1\nup_to_fen = 1\nway = "risk"\nreason = ""',
        '[[write_off]]\nmissing = "debit"\ndays = 1\nup_to_fen = 1\nway = "operator"\nreason = "r"',
        '[[write_off]]\nmissing = ["debit"]\ndays = 1\nup_to_fen = 1\nway = "risk"\nreason = "r"',
        '[[refund]]\nkind = "stolen"', '[[refund]]\nkind = "lost"\nnamed_only = 1', "[cards]\nnamed_classes = 3",
        "[cards]\ndeposit_fen = 1.5", "cards = 2", "[[[", "a" * 10,
    ],
)  # fmt: skip
def test_a_file_of_rules_that_says_nonsense_is_refused_by_its_place(tmp_path: Path, text: str) -> None:
    (tmp_path / "float.toml").write_text(text)
    with pytest.raises(Usage):
        read_float_rules(tmp_path, scheme="scheme")


def test_a_file_of_rules_replaces_what_it_names(tmp_path: Path) -> None:
    (tmp_path / "float.toml").write_text(
        '[[write_off]]\nmissing = "debit"\ndays = 3\nup_to_fen = 99\nway = "operator"\nowner = "op"\nreason = "r"\n'
        '[[refund]]\nkind = "lost"\ndays = 30\ndeposit = "back"\n[cards]\ndeposit_fen = 2000\n'
    )
    rules = read_float_rules(tmp_path, scheme="scheme")
    assert [row.way for row in rules.write_off] == [WayOut.OPERATOR]
    lost, dead = rules.refunds[RefundKind.LOST], rules.refunds[RefundKind.DEAD]
    assert (lost.days, lost.named_only, lost.deposit, dead.days) == (30, True, DepositFate.BACK, 7)
    assert rules.deposit_fen == 2_000
