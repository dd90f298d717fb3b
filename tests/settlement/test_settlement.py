"""A cleared day is posted once, the books balance, orders clear what is open, and the float is proven."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing import FeeTable, NetResult
from jinka.clearing.net import PaidGroup, net
from jinka.ledger import MemoryLedger
from jinka.settlement import (
    AccountCode,
    AccountName,
    BusinessDay,
    post_day,
    post_opening,
    post_settlement,
    prove_settlement,
    purse_liability,
    settlement_orders,
    trial_balance,
)

DAY = BusinessDay(date=dt.date(2018, 9, 1), zone="Asia/Shanghai")
ISSUER, SCHEME, GOVERNMENT, AGENT = "issuer", "scheme", "gov", "agent"
FEES = FeeTable(scheme=SCHEME, scheme_bp=10, issuer_bp=20, acquirer_bp=15)
RIDE = PaidGroup(
    operator="op.1", acquirer="acq", issuer=ISSUER, product="ordinary", online=False, at_risk=False, payer=GOVERNMENT,
    count=3, gross=1_000, amount=799, subsidy=201,
)  # fmt: skip
LOAD = replace(
    RIDE, operator=AGENT, product="load", online=True, payer="", gross=5_000, amount=5_000, subsidy=0
)
GROUPS = [
    RIDE,
    replace(RIDE, operator="op.2", product="free", gross=400, amount=0, subsidy=400),
    replace(RIDE, operator="op.2", payer="", gross=333, amount=333, subsidy=0),
    replace(RIDE, at_risk=True, payer="", gross=250, amount=250, subsidy=0),
    LOAD,
]


def posted(result: NetResult, *, suspense: int = 0) -> MemoryLedger:
    ledger = MemoryLedger()
    assert post_opening(ledger, DAY, [(ISSUER, 100_000)])[1] == []
    found = post_day(ledger, DAY, result, issuer=ISSUER, suspense=suspense)[1]
    assert found == []
    return ledger


def test_the_liability_moves_by_loads_and_genuine_purchases_only() -> None:
    ledger = posted(net(GROUPS, FEES))
    assert purse_liability(ledger) == 100_000 + 5_000 - 799 - 333
    assert trial_balance(ledger).balances


def test_an_operator_is_owed_charges_and_subsidies_less_fees() -> None:
    ledger = posted(net(GROUPS, FEES))
    payable = AccountName(code=AccountCode.OPERATOR_PAYABLE, owner="op.1").id
    balance = ledger.balances([payable])[payable]
    fee = ((799 + 250) * 45 + 5_000) // 10_000
    assert balance.credits_posted - balance.debits_posted == 799 + 250 + 201 - fee
    risk = AccountName(code=AccountCode.RISK, owner=SCHEME).id
    assert ledger.balances([risk])[risk].debits_posted == 250


def test_posting_the_day_again_changes_nothing() -> None:
    result = net(GROUPS, FEES)
    ledger = posted(result, suspense=70)
    before = trial_balance(ledger)
    transfers, findings = post_day(ledger, DAY, result, issuer=ISSUER, suspense=70)
    assert (findings, trial_balance(ledger)) == ([], before)
    assert len(transfers) == len({transfer.id for transfer in transfers})


def test_another_result_for_the_same_day_is_refused_with_a_finding() -> None:
    ledger = posted(net(GROUPS, FEES))
    before = trial_balance(ledger)
    other = net([replace(RIDE, amount=800, subsidy=200), *GROUPS[1:]], FEES)
    _, findings = post_day(ledger, DAY, other, issuer=ISSUER)
    assert {finding.code for finding in findings} == {"LEDGER_EXISTS_WITH_DIFFERENT_AMOUNT"}
    assert purse_liability(ledger) == 100_000 + 5_000 - 799 - 333
    assert trial_balance(ledger).balances
    assert before.balances


def test_another_cycle_is_another_posting() -> None:
    result = net(GROUPS, FEES)
    ledger = posted(result)
    assert post_day(ledger, replace(DAY, cycle=2), result, issuer=ISSUER)[1] == []
    assert purse_liability(ledger) == 100_000 + 2 * (5_000 - 799 - 333)


def test_settlement_orders_clear_every_account_but_liability_and_funds() -> None:
    result = net(GROUPS, FEES)
    ledger = posted(result)
    orders = settlement_orders(DAY, result, issuer=ISSUER)
    for _ in range(2):
        assert post_settlement(ledger, DAY, orders, issuer=ISSUER)[1] == []
    rows = {row.code: row.debits - row.credits for row in trial_balance(ledger).rows}
    funds, liability = rows.pop(AccountCode.CUSTOMER_FUNDS), rows.pop(AccountCode.PURSE_LIABILITY)
    assert funds == -liability  # the money behind the purses is all there
    assert set(rows.values()) == {0}
    assert all(order.amount > 0 for order in orders)
    assert len({order.reference for order in orders}) == len(orders)


def test_what_is_in_suspense_is_pending() -> None:
    trial = trial_balance(posted(net(GROUPS, FEES), suspense=70))
    assert (trial.pending_debits, trial.pending_credits) == (70, 70)


def test_the_proof_of_settlement_sees_an_order_that_was_not_paid() -> None:
    result = net(GROUPS, FEES)
    orders = settlement_orders(DAY, result, issuer=ISSUER)
    settled = posted(result, suspense=70)
    post_settlement(settled, DAY, orders, issuer=ISSUER)
    assert prove_settlement(settled).holds
    for missing in orders:
        ledger = posted(result)
        post_settlement(ledger, DAY, [order for order in orders if order != missing], issuer=ISSUER)
        proof = prove_settlement(ledger)
        assert (proof.open_minor, proof.holds) == (missing.amount, False)


GROUP = st.builds(
    replace,
    st.sampled_from(GROUPS),
    operator=st.sampled_from(["op.1", "op.2", "op.3"]),
    acquirer=st.sampled_from(["acq", "acq.2"]),
    issuer=st.sampled_from([ISSUER, "issuer.2"]),
    amount=st.integers(0, 10**9),
    subsidy=st.just(0),
)


@given(st.lists(GROUP, max_size=8), st.integers(0, 3_000), st.integers(0, 3_000), st.integers(0, 3_000))
def test_netting_loses_nothing(groups: list[PaidGroup], scheme: int, issuer: int, acquirer: int) -> None:
    fees = FeeTable(scheme=SCHEME, scheme_bp=scheme, issuer_bp=issuer, acquirer_bp=acquirer)
    result = net(groups, fees)
    assert sum(result.positions.values()) == 0
    rides = [group for group in groups if not group.online]
    for total in result.operators:
        paid = sum(group.amount for group in rides if group.operator == total.operator)
        exact = Fraction(paid * fees.total_bp, 10_000)
        assert abs(total.fees - exact) <= Fraction(1, 2)
        assert total.fees == sum(
            f.amount for f in result.flows if f.kind.value == "fee" and f.payer == total.operator
        )
    assert net(groups[::-1], fees) == result  # the order of the input does not matter
