"""Apportionment. Goal: the lines' owners together get exactly what the collector got, and discounts find their granter.

Method: worked trips; random trips, paths and grants; and a cleared day whose entries and exits are paired.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing import LineKind, PathTable, TripGroup, apportion_trips, metro_trips, share_flows
from jinka.kit import Usage
from jinka.ledger import MemoryLedger
from jinka.settlement import BusinessDay, post
from jinka.settlement.posting import flow_entry
from jinka.store import DuckEngine
from tests.clearing.world import World, sign

TRIP = TripGroup(
    collector="m1", entry_line="1", entry="A", exit_line="2", exit="B", product="metro", count=10, gross=4_000,
    charged=4_000, subsidy=0,
)  # fmt: skip
PATHS = PathTable(
    owner_of={"1": "m1", "2": "m2", "3": "m1"},
    shares={("A", "B"): {"m1": 7_300, "m2": 4_100}},  # metres on each one's rails
    granted={"promotion": {"m2": 1}, "half": {"gov": 1}},
)


def amounts(trips: TripGroup, paths: PathTable = PATHS) -> dict[str, int]:
    shares, _ = apportion_trips([trips], paths)
    assert sum(share.amount for share in shares) == trips.charged + trips.subsidy
    return {share.owner: share.amount for share in shares}


def test_a_fare_is_shared_by_the_declared_path_either_way() -> None:
    assert amounts(TRIP) == {"m1": 2_561, "m2": 1_439}  # 2561.4 and 1438.6
    assert amounts(replace(TRIP, entry="B", exit="A")) == {"m1": 2_561, "m2": 1_439}


def test_a_discount_is_charged_to_who_grants_it() -> None:
    assert amounts(replace(TRIP, product="promotion", charged=3_000)) == {"m1": 2_561, "m2": 439}
    free = replace(TRIP, product="promotion", charged=0)
    assert amounts(free) == {"m1": 2_561, "m2": -2_561}, "who grants more than it earns pays the others"
    [flow] = share_flows(apportion_trips([free], PATHS)[0])
    assert (flow.payer, flow.payee, flow.amount) == ("m2", "m1", 2_561)


def test_what_a_government_pays_in_is_no_discount_and_what_it_does_not_pay_is_charged_to_it() -> None:
    paid = replace(TRIP, product="half", charged=2_000, subsidy=2_000)
    assert amounts(paid) == {"m1": 2_561, "m2": 1_439}
    unpaid = replace(TRIP, product="half", charged=2_000, subsidy=0)
    assert amounts(unpaid) == {"gov": -2_000, "m1": 2_561, "m2": 1_439}


def test_a_discount_that_nobody_declared_is_borne_by_the_shares() -> None:
    assert amounts(replace(TRIP, product="card", charged=3_800)) == {"m1": 2_433, "m2": 1_367}


def test_one_owners_lines_need_no_path_and_an_unknown_path_stays_with_the_collector() -> None:
    own = replace(TRIP, exit_line="3", exit="C")
    assert amounts(own) == {"m1": 4_000}
    shares, found = apportion_trips([replace(TRIP, exit="Z"), replace(TRIP, entry="", entry_line="")], PATHS)
    assert [finding.code for finding in found] == ["ENTRY_UNSEEN", "PATH_UNDECLARED"]
    assert {share.owner for share in shares} == {"m1"}
    assert share_flows(shares) == ()


def test_fees_are_borne_by_what_each_one_gets() -> None:
    shares, _ = apportion_trips([TRIP], PATHS)
    [flow] = share_flows(shares, {"m1": 20})
    assert (flow.kind, flow.payer, flow.payee, flow.amount) == (LineKind.SHARE, "m1", "m2", 1_439 - 7)


owners = st.dictionaries(st.sampled_from(["m1", "m2", "m3"]), st.integers(1, 10**6), min_size=1)
trip = st.builds(
    TripGroup,
    collector=st.sampled_from(["m1", "m2", "m4"]),
    entry_line=st.sampled_from(["1", "2", ""]),
    entry=st.sampled_from(["A", "B", ""]),
    exit_line=st.sampled_from(["1", "2"]),
    exit=st.sampled_from(["B", "C"]),
    product=st.sampled_from(["x", "y", "z"]),
    count=st.integers(1, 100),
    gross=st.integers(0, 10**9),
    charged=st.integers(0, 10**9),
    subsidy=st.integers(0, 10**8),
)


@given(
    st.lists(trip, max_size=12),
    st.dictionaries(st.tuples(st.sampled_from("AB"), st.sampled_from("BC")), owners, max_size=4),
    st.dictionaries(st.sampled_from(["x", "y"]), owners, max_size=2),
    st.dictionaries(st.sampled_from(["m1", "m2", "m4"]), st.integers(0, 10**4), max_size=3),
)
def test_nothing_is_lost_or_made(
    groups: list[TripGroup],
    shares: dict[tuple[str, str], dict[str, int]],
    granted: dict[str, dict[str, int]],
    fees: dict[str, int],
) -> None:
    paths = PathTable(owner_of={"1": "m1", "2": "m2"}, shares=shares, granted=granted)
    made, _ = apportion_trips(groups, paths)
    for collector in ("m1", "m2", "m4"):
        mine = [share for share in made if share.trips.collector == collector]
        taken = sum(g.charged + g.subsidy for g in groups if g.collector == collector)
        assert sum(share.amount for share in mine) == taken
        handed_on = sum(
            flow.amount * ((flow.payer == collector) - (flow.payee == collector))
            for flow in share_flows(mine)
        )
        kept = sum(share.amount for share in mine if share.owner == collector)
        assert taken - handed_on == kept
    assert share_flows(made, fees) == share_flows(apportion_trips(groups[::-1], paths)[0], fees)
    assert all(flow.amount > 0 and flow.payer != flow.payee for flow in share_flows(made, fees))


@pytest.mark.parametrize("weights", [{}, {"m1": 0}, {"m1": 2, "m2": -1}])
def test_shares_that_are_none_are_refused(weights: dict[str, int]) -> None:
    with pytest.raises(Usage, match="no shares"):
        PathTable(shares={("A", "B"): weights})
    with pytest.raises(Usage, match="no shares"):
        PathTable(granted={"x": weights})


def test_entries_and_exits_of_a_cleared_day_are_paired(tmp_path: Path) -> None:
    world = World.in_order(records=60, cards=10)
    first, second, third = world.of_card()[:3]
    first |= {"product": "entry", "gross_fare": 0, "amount": 0, "line": "1", "stop": "A"}
    second |= {"line": "2", "stop": "B"}
    third |= {"line": "2", "stop": "C"}  # out again without having gone in
    for row in (first, second, third):
        sign(row)
    result, rows = world.clear(tmp_path)
    assert {rows[row["record_id"]]["outcome"] for row in (first, second, third)} == {"PAID"}
    with DuckEngine(threads=1) as engine:
        made = metro_trips(engine, engine.parquet(sorted(Path(result.path).glob("*.parquet"))))
    assert sum(pq.read_table(result.path)["stop"].is_valid().to_pylist()) == 3
    assert [(one.entry, one.exit, one.count, one.gross, one.charged) for one in made] == [
        ("", "C", 1, third["gross_fare"], third["amount"]),
        ("A", "B", 1, second["gross_fare"], second["amount"]),
    ]
    assert {type(one.gross) for one in made} == {int}


def test_shares_are_posted_between_payables() -> None:
    [flow] = share_flows(apportion_trips([TRIP], PATHS)[0])
    ledger = MemoryLedger()
    day = BusinessDay(date=dt.date(2018, 9, 1), zone="Asia/Shanghai")
    assert post(ledger, day, [flow_entry(flow)])[1] == []
    assert post(ledger, day, [flow_entry(flow)])[1] == []
    balances = ledger.balances([account.id for account in ledger.accounts()])
    assert sorted(b.credits_posted - b.debits_posted for b in balances.values()) == [-1_439, 1_439]
