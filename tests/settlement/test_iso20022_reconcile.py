"""Orders, answers and statements held together. Goal: every yuan on the statement is an order's or listed as a break.

Method: the files made by hand first, then one fault at a time in a right day, then random days against plain sums.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.kit import Severity, Usage
from jinka.ledger import MemoryLedger
from jinka.settlement import (
    AccountCode,
    AccountName,
    BusinessDay,
    OrderState,
    finish_orders,
    hold_orders,
    post_settlement,
    trial_balance,
)
from jinka.settlement.iso20022 import (
    Answer,
    BreakKind,
    OrderStatus,
    PaymentReturn,
    Reconciliation,
    ReturnLine,
    Statement,
    StatementKind,
    StatementLine,
    StatusReport,
    Verdict,
    plan_messages,
    read_answer,
    reconcile,
    uetr,
)
from tests.settlement.iso20022_case import BOOK, BUS, FEE, FLOAT, LOAD, ORDERS, PARTIES, order

HAND_MADE = Path(__file__).parent / "data"
MONDAY = dt.date(2018, 9, 3)
DAY = BusinessDay(date=dt.date(2018, 9, 1), zone="Asia/Shanghai")
PAYING = {BUS.reference: -BUS.amount, FEE.reference: -FEE.amount, LOAD.reference: LOAD.amount}


def line(reference: str, amount: int, **more: object) -> StatementLine:
    fields = {
        "where": "s:1", "bank_reference": "", "reference": reference, "uetr": "", "amount": amount,
        "currency": "CNY", "booked": True, "booked_on": "2018-09-03", "returns": False, "reason": "",
    }  # fmt: skip
    return StatementLine(**fields | more)  # type: ignore[arg-type]


def statement(*lines: StatementLine, **more: object) -> Statement:
    moved = sum(found.amount for found in lines if found.booked)
    fields = {
        "kind": StatementKind.STATEMENT, "where": "s:1", "message": "M", "id": "S1", "sequence": 1,
        "account": PARTIES[FLOAT].account, "currency": "CNY", "opening": 0, "closing": moved,
        "closed_on": "2018-09-03", "lines": lines, "booked_sum": moved, "whole": True,
    }  # fmt: skip
    return Statement(**fields | more)  # type: ignore[arg-type]


def status(reference: str, code: str, **more: object) -> OrderStatus:
    verdict = Verdict.REJECTED if code == "RJCT" else Verdict.ON_ITS_WAY
    fields = {
        "where": "r:1", "message": "", "reference": reference, "uetr": "", "status": code, "verdict": verdict,
        "reason": "", "text": "",
    }  # fmt: skip
    return OrderStatus(**fields | more)  # type: ignore[arg-type]


def report(*lines: OrderStatus, at: str = "2018-09-02T09:00:00Z", name: str = "R1") -> StatusReport:
    return StatusReport(id=name, created_at=at, lines=lines)


def held(*answers: Answer, **more: object) -> Reconciliation:
    asked = {"book": BOOK, "funds": FLOAT, "due_on": MONDAY} | more
    return reconcile(ORDERS, answers, **asked)  # type: ignore[arg-type]


def kinds(found: Reconciliation) -> list[str]:
    return [broken.kind_name for broken in found.breaks]


def states(found: Reconciliation) -> dict[str, OrderState]:
    return {result.order.reference: result.state for result in found.results}


RIGHT = tuple(line(reference, amount) for reference, amount in PAYING.items())


def test_a_bank_s_files_made_by_hand_are_reconciled_and_their_breaks_listed() -> None:
    answers: list[Answer] = []
    for name in ("pacs.002.xml", "camt.053.xml"):
        found, findings = read_answer((HAND_MADE / name).read_bytes(), where=name)
        assert findings == []
        answers += found
    done = held(*answers)
    assert kinds(done) == ["AMOUNT_DIFFERS", "UNKNOWN_REFERENCE", "REJECTED", "BALANCE_BROKEN"]
    amount, unknown, rejected, balance = done.breaks
    assert (amount.reference, amount.expected, amount.found) == (LOAD.reference, 900_000, 899_900)
    assert (unknown.reference, unknown.found) == ("TAXI-4711", -7_700)
    assert (rejected.reference, rejected.note) == (FEE.reference, "AC04")
    assert (balance.expected, balance.found) == (10_768_744, 10_770_000)
    assert states(done) == {
        BUS.reference: OrderState.SETTLED,
        FEE.reference: OrderState.REJECTED,
        LOAD.reference: OrderState.ISSUED,
    }
    assert (done.moved, done.matched, done.unmatched) == (768_744, -123_456, 899_900 - 7_700)


def test_a_right_day_has_no_breaks() -> None:
    done = held(report(status(BUS.reference, "ACSC")), statement(*RIGHT))
    assert (done.breaks, done.unmatched, done.count(OrderState.SETTLED)) == ((), 0, 3)


def test_a_status_report_alone_settles_nothing() -> None:
    done = held(report(*(status(reference, "ACSC") for reference in PAYING)))
    assert set(states(done).values()) == {OrderState.ACCEPTED}


LATER = statement(id="S2", sequence=2, opening=0, closed_on="2018-09-04")
BACK = line(BUS.reference, BUS.amount, returns=True, reason="AC01", booked_on="2018-09-04")


def with_line(changed: str, /, **more: object) -> Statement:
    return statement(*(replace(found, **more) if found.reference == changed else found for found in RIGHT))


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([with_line(BUS.reference, amount=-BUS.amount - 1)], ["AMOUNT_DIFFERS"]),
        ([with_line(BUS.reference, currency="HKD")], ["CURRENCY_DIFFERS"]),
        ([with_line(BUS.reference, reference="TAXI")], ["UNKNOWN_REFERENCE"]),
        ([with_line(BUS.reference, reference="")], ["UNKNOWN_REFERENCE"]),
        ([with_line(BUS.reference, uetr=uetr(FEE.reference))], ["UNKNOWN_REFERENCE"]),
        ([with_line(BUS.reference, reference="", uetr=uetr(BUS.reference))], []),
        ([statement(*RIGHT, RIGHT[0])], ["PAID_TWICE"]),
        ([with_line(BUS.reference, booked=False)], []),
        ([with_line(BUS.reference, booked=False), LATER], ["NO_LINE", "BALANCE_CHAIN"]),
        ([statement(*RIGHT[1:]), LATER], ["NO_LINE", "BALANCE_CHAIN"]),
        ([statement(*RIGHT, BACK)], ["RETURNED"]),
        ([statement(BACK, *RIGHT)], ["RETURNED"]),
        ([statement(*RIGHT, replace(BACK, returns=False))], ["RETURNED"]),
        ([statement(*RIGHT, BACK, BACK)], ["RETURNED", "CONTRADICTION"]),
        ([statement(*RIGHT, replace(BACK, amount=1))], ["AMOUNT_DIFFERS"]),
        ([statement(*RIGHT[1:], BACK)], ["CONTRADICTION"]),
        ([statement(*RIGHT[1:]), report(status(BUS.reference, "RJCT", reason="AC04"))], ["REJECTED"]),
        ([statement(*RIGHT), report(status(BUS.reference, "RJCT"))], ["CONTRADICTION"]),
        ([statement(*RIGHT, RIGHT[0], BACK)], []),
        ([with_line(BUS.reference, returns=True)], ["CONTRADICTION"]),
        ([statement(*RIGHT), report(status("TAXI", "ACSC"))], ["UNKNOWN_REFERENCE"]),
        ([statement(*RIGHT, account="1")], ["WRONG_ACCOUNT"]),
        ([statement(*RIGHT, closing=1)], ["BALANCE_BROKEN"]),
        ([statement(*RIGHT, opening=None)], ["BALANCE_MISSING"]),
        ([statement(*RIGHT, whole=False, closing=1)], []),
        ([statement(*RIGHT), replace(LATER, sequence=3)], ["STATEMENT_GAP"]),
        ([statement(*RIGHT), LATER], ["BALANCE_CHAIN"]),
        ([statement(*RIGHT), statement(*RIGHT, where="copy:1")], []),
        ([statement(*RIGHT), statement(*RIGHT[1:])], ["STATEMENT_CONFLICT"]),
        ([statement(*RIGHT[:2]), statement(RIGHT[2], kind=StatementKind.NOTIFICATION, id="N")], []),
        ([statement(*RIGHT), statement(line("TAXI", 1), kind=StatementKind.NOTIFICATION)], ["UNKNOWN_REFERENCE"]),
    ],
)  # fmt: skip
def test_one_fault_is_one_kind_of_break(answers: Sequence[Answer], expected: list[str]) -> None:
    order_of = [kind.name for kind in BreakKind]
    found = held(*answers)
    assert kinds(found) == sorted(expected, key=order_of.index)
    assert held(*answers[::-1]) == found or "STATEMENT_CONFLICT" in expected  # whichever file came first
    assert found.matched + found.unmatched == found.moved
    for broken in found.breaks:
        assert broken.as_finding().fix
        assert broken.as_finding().severity is not Severity.INFO


def test_a_bank_that_corrects_itself_leaves_the_order_paid() -> None:
    off = line(BUS.reference, -BUS.amount - 100)
    undone = line(BUS.reference, BUS.amount + 100, returns=True)
    done = held(statement(*RIGHT[1:], off, undone, RIGHT[0]))
    assert (done.breaks, states(done)[BUS.reference], done.unmatched) == ((), OrderState.SETTLED, 0)
    done = held(statement(*RIGHT[1:], off, undone))
    assert (done.breaks, states(done)[BUS.reference], done.unmatched) == ((), OrderState.ISSUED, 0)
    again = held(statement(*RIGHT, BACK, RIGHT[0]))
    assert (again.breaks, states(again)[BUS.reference]) == ((), OrderState.SETTLED)


def test_a_status_of_a_message_moves_all_its_orders() -> None:
    customers = next(message for message in plan_messages(ORDERS, BOOK) if BUS in message.orders)
    done = held(report(status("", "RJCT", message=customers.id, reason="AM04")))
    assert states(done) == {
        BUS.reference: OrderState.REJECTED,
        LOAD.reference: OrderState.REJECTED,
        FEE.reference: OrderState.ISSUED,
    }
    assert kinds(held(report(status("", "RJCT", message="another")))) == ["UNKNOWN_REFERENCE"]


def test_reports_count_in_the_order_of_their_times_and_zones() -> None:
    accepted = report(status(BUS.reference, "ACCP"), at="2018-09-02T09:00:00+08:00", name="A")
    rejected = report(status(BUS.reference, "RJCT"), at="2018-09-02T01:30:00Z", name="B")
    for answers in ([accepted, rejected], [rejected, accepted]):
        assert kinds(held(*answers)) == ["REJECTED"]
    late = replace(accepted, created_at="2018-09-02T10:00:00+08:00")
    assert "CONTRADICTION" in kinds(held(rejected, late))


def test_an_announced_return_waits_for_the_statement() -> None:
    back = ReturnLine(
        where="p:1", return_id="R", reference=BUS.reference, uetr="", amount=BUS.amount, currency="CNY",
        settled_on="", reason="AC01", text="",
    )  # fmt: skip
    message = PaymentReturn(id="P", created_at="2018-09-04T09:00:00Z", lines=(back,))
    waiting = held(statement(*RIGHT), message)
    assert (kinds(waiting), states(waiting)[BUS.reference]) == (["RETURN_ANNOUNCED"], OrderState.SETTLED)
    assert kinds(held(statement(*RIGHT, BACK), message)) == ["RETURNED"]


def test_an_answer_given_twice_counts_once_and_two_lines_alike_twice() -> None:
    unknown = report(status("TAXI", "ACSC"))
    copy = replace(unknown, lines=(replace(unknown.lines[0], where="copy:1"),))
    assert kinds(held(unknown, copy)) == ["UNKNOWN_REFERENCE"]
    assert kinds(held(statement(line("", -5), line("", -5)))) == ["UNKNOWN_REFERENCE"] * 2


def test_an_order_of_another_account_is_refused() -> None:
    with pytest.raises(Usage, match="neither side"):
        reconcile([order(1, "op.bus", "acq", 5)], [], book=BOOK, funds=FLOAT, due_on=MONDAY)


LINES = st.lists(
    st.builds(
        line,
        st.sampled_from([*PAYING, "TAXI", ""]),
        st.sampled_from([*PAYING.values(), BUS.amount, 1, -1]),
        returns=st.booleans(),
        booked=st.booleans(),
    ),
    max_size=8,
)


@given(
    LINES,
    LINES,
    st.lists(st.builds(status, st.sampled_from([*PAYING, "X"]), st.sampled_from(["RJCT", "ACSC"]))),
)
def test_what_the_bank_moved_is_an_order_s_or_a_break_s(
    first: list[StatementLine], second: list[StatementLine], said: list[OrderStatus]
) -> None:
    one = statement(*first)
    two = statement(*second, id="S2", sequence=2, opening=one.closing, closed_on="2018-09-04")
    two = replace(two, closing=(one.closing or 0) + two.booked_sum)
    found = held(report(*said), one, two)
    assert found.moved == sum(each.amount for each in (*first, *second) if each.booked)
    settled = sum(PAYING[key] for key, state in states(found).items() if state is OrderState.SETTLED)
    assert found.matched == settled
    assert found.unmatched == 0 or found.breaks
    assert held(two, report(*said), one, two) == found


ACCOUNTS = [
    AccountName(code=AccountCode.CUSTOMER_FUNDS, owner="issuer"),
    AccountName(code=AccountCode.OPERATOR_PAYABLE, owner="op.bus"),
]


def owed(ledger: MemoryLedger) -> list[int]:
    sums = ledger.balances([name.id for name in ACCOUNTS])
    return [sums[name.id].credits_posted - sums[name.id].debits_posted for name in ACCOUNTS]


@pytest.mark.parametrize("hold", [True, False])
@pytest.mark.parametrize(
    ("answers", "bus"),
    [
        ([statement(*RIGHT)], -BUS.amount),
        ([statement(*RIGHT, BACK)], 0),
        ([statement(*RIGHT, RIGHT[0], BACK)], -BUS.amount),
        ([statement(*RIGHT), report(status(BUS.reference, "RJCT"))], -BUS.amount),
        ([statement(*RIGHT[1:]), report(status(BUS.reference, "RJCT"))], 0),
    ],
)
def test_the_books_follow_the_statement_and_posting_again_changes_nothing(
    hold: bool, answers: Sequence[Answer], bus: int
) -> None:
    ledger = MemoryLedger()
    if hold:
        assert hold_orders(ledger, DAY, ORDERS, issuer="issuer") == []
    else:
        assert post_settlement(ledger, DAY, ORDERS, issuer="issuer")[1] == []
    results = held(*answers).results
    for _ in range(2):
        assert finish_orders(ledger, DAY, results, issuer="issuer") == []
        funds, payable = owed(ledger)
        assert payable == bus
        assert funds == -LOAD.amount + FEE.amount - bus
        assert trial_balance(ledger).pending_debits == 0


def test_an_order_on_its_way_stays_held() -> None:
    ledger = MemoryLedger()
    hold_orders(ledger, DAY, ORDERS, issuer="issuer")
    assert finish_orders(ledger, DAY, held().results, issuer="issuer") == []
    assert owed(ledger) == [0, 0]
    assert trial_balance(ledger).pending_debits == sum(each.amount for each in ORDERS)


@pytest.mark.parametrize("hold", [True, False])
def test_a_bank_that_changes_its_word_after_posting_is_a_finding(hold: bool) -> None:
    paid = held(statement(*RIGHT)).results
    rejected = held(report(status(BUS.reference, "RJCT")), statement(*RIGHT[1:])).results
    for first, second in ((paid, rejected), (rejected, paid)):
        ledger = MemoryLedger()
        if hold:
            hold_orders(ledger, DAY, ORDERS, issuer="issuer")
        else:
            post_settlement(ledger, DAY, ORDERS, issuer="issuer")
        finish_orders(ledger, DAY, first, issuer="issuer")
        before = owed(ledger)
        found = {finding.code for finding in finish_orders(ledger, DAY, second, issuer="issuer")}
        if first is rejected:
            assert "SETTLED_AFTER_TAKEN_BACK" in found
        elif hold:
            assert found == {"LEDGER_PENDING_TRANSFER_ALREADY_POSTED"}
        assert owed(ledger) == before or not found
