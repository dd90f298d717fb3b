"""What travels between centres. Goal: no centre speaks for another, every answer counts once, and no round hangs.

Method: tables of a few rows through the pure functions; the rounds themselves are played in tests/app.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing import Flow, LineKind
from jinka.clearing.port import ANSWERS, FIRST_INBOUND
from jinka.clearing.reasons import Reason, Remark
from jinka.clearing.routing import (
    CLAIMS,
    claims_of,
    require_claims,
    require_own,
    route_claims,
    route_records,
    route_verdicts,
)
from jinka.clearing.tiers import Neighbour, Surroundings, Tier, waited_for
from jinka.clearing.verdicts import (
    CROSSING,
    SENT,
    VERDICTS,
    deemed,
    deemed_notice,
    number_inbound,
    strangers,
    take_answers,
)
from jinka.kit import Refused, Usage

ROW: dict[str, Any] = {
    "batch": bytes(16), "batch_seq": 0, "state": 0, "card_no": bytes(10), "card_len": 19, "profile": "p",
    "profile_version": 1, "txn_type": 9, "amount": 100, "balance": 0, "gross_fare": 100, "product": "x",
    "counter": 1, "counter_kind": 0, "terminal_id": bytes(6), "terminal_serial": 1, "psam_id": bytes(10),
    "local_date": bytes(4), "local_time": bytes(3), "zone": "Asia/Shanghai", "business_date": dt.date(2018, 9, 3),
    "issuer": "issuer.b", "acquirer": "acq", "operator": "op", "line": None, "stop": None, "key_version": 1,
    "algorithm": 0, "tac": bytes(4),
}  # fmt: skip


def child(code: str, *centres: str, parties: tuple[str, ...] = ()) -> Neighbour:
    return Neighbour(code=code, centres=frozenset({code, *centres}), participants=frozenset(parties))


PROVINCE = Surroundings(
    tier=Tier.PROVINCE,
    code="p",
    parent="n",
    children={
        each.code: each
        for each in (child("a", parties=("issuer.a",)), child("b", parties=("issuer.b",)), child("c"))
    },
    patience=2,
)


def crossing(*rows: tuple[str, int, str]) -> pa.Table:
    made = [{**ROW, "centre": centre, "ref": ref, "issuer": issuer} for centre, ref, issuer in rows]
    return pa.Table.from_pylist(made, schema=CROSSING)


def verdict(centre: str = "a", ref: int = 1, **changes: object) -> dict[str, Any]:
    said = {
        "centre": centre, "ref": ref, "issuer": "issuer.b", "txn_type": 9, "amount": 100, "reason": "ACCEPTED",
        "findings": "", "at_risk": False, "holder": 1,
    }  # fmt: skip
    return said | changes


def sent(*numbers: int, round_: int = 10, tac: bytes | None = bytes(4)) -> pa.Table:
    return pa.Table.from_pylist(
        [{**ROW, "record_id": n, "round": round_, "tac": tac} for n in numbers], schema=SENT
    )


def test_records_go_up_only_as_far_as_they_must() -> None:
    table = crossing(("a", 1, "issuer.b"), ("a", 2, "issuer.x"), ("c", 1, "issuer.a"), ("a", 3, "issuer.a"))
    ways = {way: rows["ref"].to_pylist() for way, rows in route_records([table], PROVINCE).items()}
    assert ways == {"a": [3, 1], "b": [1], "n": [2]}
    nation = Surroundings(tier=Tier.NATION, code="n", children={"p": child("p", "a", parties=("issuer.a",))})
    assert set(route_records([table], nation)) == {"", "p"}
    [said] = strangers(crossing(("a", 2, "issuer.x"))).to_pylist()
    assert (said["reason"], said["holder"]) == ("UNKNOWN_CARD", None)


def test_verdicts_and_claims_find_their_way_back() -> None:
    table = pa.Table.from_pylist([verdict("a"), verdict("c"), verdict("z")], schema=VERDICTS)
    assert {way: rows["centre"].to_pylist() for way, rows in route_verdicts([table], PROVINCE).items()} == {
        "a": ["a"], "c": ["c"], "n": ["z"],
    }  # fmt: skip
    city = Surroundings(tier=Tier.CITY, code="a", parent="p", participants=frozenset({"op", "issuer.a"}))
    flows = [
        Flow(kind=LineKind.CHARGE, payer="issuer.b", payee="op", amount=5),
        Flow(kind=LineKind.CHARGE, payer="issuer.a", payee="op", amount=7),
        Flow(kind=LineKind.FEE, payer="op", payee="scheme", amount=1),
    ]
    claims = claims_of(flows, city, round_=10)
    assert [(row["far"], row["amount"]) for row in claims.to_pylist()] == [("issuer.b", 5), ("scheme", 1)]
    assert {way: rows["far"].to_pylist() for way, rows in route_claims([claims], PROVINCE).items()} == {
        "b": ["issuer.b"], "n": ["scheme"],
    }  # fmt: skip
    with pytest.raises(Refused, match="neither is at home"):
        claims_of([Flow(kind=LineKind.FEE, payer="x", payee="y", amount=1)], city, round_=10)


@pytest.mark.parametrize(
    "change",
    [{"centre": "b"}, {"kind": "gift"}, {"amount": 0}, {"amount": -5}, {"far": "x"}, {"payee": "issuer.b"}],
)
def test_a_claim_that_is_not_the_childs_to_make_is_refused(change: dict[str, Any]) -> None:
    row = {
        "centre": "a",
        "round": 1,
        "kind": "charge",
        "payer": "issuer.b",
        "payee": "op",
        "far": "issuer.b",
        "amount": 5,
    }
    good = pa.Table.from_pylist([row], schema=CLAIMS)
    require_claims(good, PROVINCE, "a", where="x")
    with pytest.raises(Refused):
        require_claims(pa.Table.from_pylist([row | change], schema=CLAIMS), PROVINCE, "a", where="x")
    with pytest.raises(Refused, match="is no child"):
        require_claims(good, PROVINCE, "z", where="x")
    require_own(good, PROVINCE, "n", column="centre", where="x")  # the parent speaks for all that is above


@pytest.mark.parametrize(
    ("heard", "waits"),
    [
        ({}, ["a", "b", "c"]),
        ({"a": 10, "b": 10}, ["c"]),
        ({"a": 10, "b": 10, "c": 10}, []),
        ({"a": 11, "b": 10}, ["c"]),
        ({"a": 12}, []),  # two rounds ahead: nobody waits any more
    ],
)
def test_a_round_waits_for_all_and_not_for_ever(heard: dict[str, int], waits: list[str]) -> None:
    assert waited_for(PROVINCE, 10, heard) == waits


def test_who_is_suspended_is_not_waited_for() -> None:
    assert waited_for(PROVINCE, 10, {"a": 10, "b": 10}, skipped=["c"]) == []
    alone = Surroundings(tier=Tier.CITY, code="a", parent="p")
    assert waited_for(alone, 10, {}) == []


@pytest.mark.parametrize(
    "told",
    [
        {"tier": Tier.CITY, "parent": "p", "children": {"x": child("x")}},
        {"tier": Tier.CITY},
        {"tier": Tier.NATION, "parent": "p"},
        {"tier": Tier.NATION, "children": {"x": child("x", "y"), "z": child("z", "y")}},
        {
            "tier": Tier.NATION,
            "children": {"x": child("x", parties=("i",))},
            "participants": frozenset({"i"}),
        },
        {
            "tier": Tier.NATION,
            "children": {"x": Neighbour(code="x", centres=frozenset(), participants=frozenset())},
        },
    ],
)
def test_no_centre_or_participant_has_two_places(told: dict[str, Any]) -> None:
    with pytest.raises(Usage):
        Surroundings(code="me", **told)


def test_inbound_numbers_do_not_depend_on_who_came_first() -> None:
    one, two = crossing(("a", 2, "i"), ("a", 1, "i")), crossing(("c", 1, "i"))
    made = number_inbound([one, two], round_=10)
    assert made.equals(number_inbound([two, one], round_=10))
    assert min(made["record_id"].to_pylist()) >= FIRST_INBOUND
    later = number_inbound([one], round_=11)
    assert not set(later["record_id"].to_pylist()) & set(made["record_id"].to_pylist())


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (verdict(ref=2), "VERDICT_UNASKED"),
        (verdict(centre="c"), "VERDICT_UNASKED"),
        (verdict(issuer="issuer.x"), "VERDICT_MISMATCH"),
        (verdict(amount=101), "VERDICT_MISMATCH"),
        (verdict(reason="GENEROUS"), "VERDICT_UNKNOWN"),
        (verdict(findings="GREEN"), "VERDICT_UNKNOWN"),
    ],
)
def test_an_answer_that_fits_no_question_pays_nothing(said: dict[str, Any], code: str) -> None:
    table = pa.Table.from_pylist([said], schema=VERDICTS)
    answers, findings = take_answers(sent(1), ANSWERS.empty_table(), table, centre="a")
    assert (answers.num_rows, [finding.code for finding in findings]) == (0, [code])


@given(
    st.lists(
        st.tuples(st.integers(1, 3), st.sampled_from(["ACCEPTED", "WRONG_TAC", "DUPLICATE"])), max_size=12
    )
)
def test_the_first_answer_stands_however_often_and_in_whatever_parcels(said: list[tuple[int, str]]) -> None:
    first: dict[int, str] = {}
    for number, reason in said:
        first.setdefault(number, reason)
    known, changed = ANSWERS.empty_table(), 0
    for number, reason in said:
        table = pa.Table.from_pylist([verdict(ref=number, reason=reason)], schema=VERDICTS)
        fresh, findings = take_answers(sent(1, 2, 3), known, table, centre="a")
        known = pa.concat_tables([known, fresh])
        changed += len(findings)
    assert {row["w_id"]: Reason(row["w_reason"]).name for row in known.to_pylist()} == first
    assert known.num_rows == len(first)
    assert changed == sum(first[number] != reason for number, reason in said)


def test_silence_is_an_answer_after_its_days_and_for_claims_with_a_tac_alone() -> None:
    asked = pa.concat_tables([sent(1, 2), sent(3, round_=11), sent(4, tac=None)])
    said, _ = take_answers(
        asked, ANSWERS.empty_table(), pa.Table.from_pylist([verdict(ref=2)], schema=VERDICTS), centre="a"
    )
    silent = deemed(asked, said, until_round=10)
    assert [(row["w_id"], row["w_remarks"]) for row in silent.to_pylist()] == [
        (1, int(Remark.DEEMED_ACCEPTED))
    ]
    assert [(row["ref"], row["amount"]) for row in deemed_notice(asked, silent, "a").to_pylist()] == [
        (1, 100)
    ]
    known = pa.concat_tables([said, silent])
    for reason, code in (("ACCEPTED", []), ("WRONG_TAC", ["VERDICT_LATE"])):
        table = pa.Table.from_pylist([verdict(ref=1, reason=reason)], schema=VERDICTS)
        fresh, findings = take_answers(asked, known, table, centre="a")
        assert fresh.num_rows == 0
        assert [finding.code for finding in findings] == code
