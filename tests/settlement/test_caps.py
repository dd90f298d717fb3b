"""Net debit caps. Goal: nobody owes more than its cap, as little as possible waits, and order plays no part.

Method: worked cases; random claims against a search of all ways to let the newest claims of each payer wait.
"""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.kit import Usage
from jinka.settlement import Admission, Claim, NetDebitCap, OnBreach, WaitReason, admit, cap_table
from tests.settlement.claim_case import claim

PARTIES = ("a", "b", "c")


def caps(*rows: tuple[str, int], rule: OnBreach = OnBreach.WAIT) -> dict[str, NetDebitCap]:
    return cap_table(NetDebitCap(participant=code, limit=limit, on_breach=rule) for code, limit in rows)


def waits(admission: Admission) -> list[tuple[int, str, str]]:
    return [(row.claim.number, row.reason.name, row.participant) for row in admission.waiting]


def test_the_newest_claims_wait_and_the_older_ones_are_paid() -> None:
    claims = [claim(1, "a", "b", 60), claim(2, "a", "b", 30), claim(3, "a", "c", 20), claim(4, "c", "b", 5)]
    made = admit(claims, caps(("a", 95)))
    assert waits(made) == [(3, "CAP", "a")]
    assert made.positions == {"a": -90, "b": 95, "c": -5}
    assert [finding.code for finding in made.findings()] == ["CLAIMS_WAIT_CAP"]
    assert "0.20" in made.findings()[0].what


def test_income_counts_and_what_waits_may_push_its_payee_over_its_own_cap() -> None:
    claims = [claim(1, "b", "c", 50), claim(2, "a", "b", 50)]
    assert admit(claims, caps(("a", 50), ("b", 0))).waiting == ()
    assert waits(admit(claims, caps(("a", 49), ("b", 0)))) == [(1, "CAP", "b"), (2, "CAP", "a")]


def test_by_the_other_rule_all_stands_and_an_officer_is_asked() -> None:
    made = admit([claim(1, "a", "b", 60)], caps(("a", 59), rule=OnBreach.OFFICER))
    assert (len(made.taken), made.waiting) == (1, ())
    assert [(row.participant, row.owed, row.limit) for row in made.breaches] == [("a", 60, 59)]
    assert [finding.code for finding in made.findings()] == ["CAP_BREACHED"]


def test_every_claim_of_a_suspended_participant_waits_on_both_sides() -> None:
    claims = [claim(1, "a", "b", 9), claim(2, "b", "c", 8), claim(3, "c", "a", 7)]
    made = admit(claims, {}, frozenset({"b"}))
    assert waits(made) == [(1, "SUSPENDED", "b"), (2, "SUSPENDED", "b")]
    assert made.positions == {"a": 7, "c": -7}


def test_a_cap_stands_once_and_is_an_amount() -> None:
    with pytest.raises(Usage, match="stands twice"):
        caps(("a", 1), ("a", 1))
    for limit in (-1, 2**63, True):
        with pytest.raises(Usage):
            NetDebitCap(participant="a", limit=limit)


rows = st.lists(
    st.tuples(st.sampled_from(PARTIES), st.sampled_from(PARTIES), st.integers(1, 9)), max_size=6
).map(lambda rows: [(payer, payee, amount) for payer, payee, amount in rows if payer != payee])


@settings(max_examples=60)
@given(rows, st.tuples(*[st.integers(0, 12)] * 3), st.randoms(use_true_random=False))
def test_the_fewest_newest_claims_wait(
    rows: list[tuple[str, str, int]], limits: tuple[int, int, int], chance: object
) -> None:
    claims = [claim(number, *row) for number, row in enumerate(rows)]
    table = caps(*zip(PARTIES, limits, strict=True))
    made = admit(claims, table)
    by_payer = {code: [one for one in claims if one.payer == code] for code in PARTIES}

    def owed(kept: list[Claim], code: str) -> int:
        return sum(one.amount * ((one.payer == code) - (one.payee == code)) for one in kept)

    best = None
    for counts in product(*[range(len(by_payer[code]) + 1) for code in PARTIES]):  # how many of each are kept
        kept = [one for code, count in zip(PARTIES, counts, strict=True) for one in by_payer[code][:count]]
        if all(owed(kept, code) <= table[code].limit for code in PARTIES):
            best = max(best or (-1, []), (len(kept), sorted(one.number for one in kept)))
    assert best is not None
    assert sorted(one.number for one in made.taken) == best[1]
    shuffled = list(claims)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    assert admit(shuffled, table) == made
    assert {row.reason for row in made.waiting} <= {WaitReason.CAP}
    assert sum(made.positions.values()) == 0
