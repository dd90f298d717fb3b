"""Every type of transaction: which is a claim, what proves it, whom it pays, and why the others are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jinka.clearing import DayResult, LineKind
from jinka.clearing.judge import Opening, Tap, judge_card
from jinka.codec.record import ATTESTED_DEBITS, CREDITS, DEBITS, NO_CLAIMS, TransactionType
from tests.clearing.world import FEES, World, sign

MAC3 = b"\x01\x02\x03\x04"
Row = dict[str, Any]


def test_every_type_is_one_thing_to_the_clearing() -> None:
    kinds = [*CREDITS, *DEBITS, *ATTESTED_DEBITS, *NO_CLAIMS]
    assert sorted(kinds) == sorted(TransactionType)


def remarks(rows: dict[int, Row], row: Row) -> tuple[str, str, str]:
    found = rows[row["record_id"]]
    return found["outcome"], found["reason"], found["findings"]


def paid_to(result: DayResult, operator: str, kind: LineKind = LineKind.CHARGE) -> int:
    return sum(f.amount for f in result.net.flows if f.kind is kind and operator in (f.payee, f.payer))


@pytest.mark.parametrize("kind", [0x06, 0x09, 0x93, 0x94])
def test_debits_of_the_purse_are_paid_by_their_tac(kind: int, tmp_path: Path) -> None:
    world = World.in_order()
    row = world.of_card()[1]
    row["txn_type"] = kind
    before, _ = world.clear(tmp_path, name="unsigned")
    sign(row)
    result, rows = world.clear(tmp_path)
    assert remarks(rows, row) == ("PAID", "ACCEPTED", "")
    assert not result.new_listings
    assert paid_to(result, row["operator"]) - paid_to(before, row["operator"]) == (
        row["amount"] if kind != 0x09 else 0
    )


def online_debit(world: World, kind: int, **changes: Any) -> Row:
    """The last record of a card as an online one: under the online counter, with a MAC3, and no TAC."""
    row = world.of_card()[-1]
    [card] = [c for c in world.registry.cards.to_pylist() if c["card_no"] == row["card_no"]]
    row |= {"txn_type": kind, "counter_kind": 1, "counter": card["opening_online"], "tac": MAC3} | changes
    return row


def test_an_online_release_is_paid_to_the_pump_by_the_word_of_the_issuers_host(tmp_path: Path) -> None:
    world = World.in_order()
    row = online_debit(world, 0x96)
    world.attested = [dict(row), dict(row)]
    result, rows = world.clear(tmp_path)
    assert remarks(rows, row) == ("PAID", "ACCEPTED", "")
    assert not result.new_listings
    assert result.missing_count == 0
    refused, rows = replace(world, attested=[]).clear(tmp_path, name="nobody's word")
    assert remarks(rows, row) == ("REJECTED", "NOT_CONCLUDED", "")
    assert paid_to(result, row["operator"]) - paid_to(refused, row["operator"]) == row["amount"]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": 1},
        {"balance": 1},
        {"counter": 9},
        {"terminal_serial": 5},
        {"tac": b"\x01\x02\x03\x05"},
        {"local_time": bytes.fromhex("235959")},
        {"txn_type": 0x95},
    ],
)
def test_no_field_of_what_the_host_concluded_can_be_changed(change: Row, tmp_path: Path) -> None:
    world = World.in_order()
    row = online_debit(world, 0x96)
    world.attested = [dict(row)]
    row |= change
    _, rows = world.clear(tmp_path)
    assert remarks(rows, row) == ("REJECTED", "NOT_CONCLUDED", "")


def test_one_online_release_is_paid_once(tmp_path: Path) -> None:
    world = World.in_order()
    row = online_debit(world, 0x96)
    world.attested = [dict(row)]
    again = world.add(row)
    _, rows = world.clear(tmp_path)
    assert remarks(rows, row)[0] == "PAID"
    assert remarks(rows, again) == ("DUPLICATE", "DUPLICATE", "")


@pytest.mark.parametrize(("kind", "online"), [(0x03, 1), (0x04, 0)])
def test_cash_is_paid_back_in_full_and_bears_no_fee(kind: int, online: int, tmp_path: Path) -> None:
    world = World.in_order()
    row = world.of_card()[-1]
    row |= {"txn_type": kind, "counter_kind": online, "counter": 77, "balance": 12, "product": "cash"}
    row |= {"amount": 90_000, "gross_fare": 90_000, "tac": MAC3}
    if kind == 0x04:
        sign(row)
    world.attested = [dict(row)]
    result, rows = world.clear(tmp_path)
    outcome, reason, found = remarks(rows, row)
    assert (outcome, reason) == ("PAID", "ACCEPTED")
    assert "BREAK" not in found, "the passbook is no part of the purse's chain"
    assert not result.new_listings
    [total] = [total for total in result.net.operators if total.operator == row["operator"]]
    rides = total.charged - 90_000
    assert total.fees == (rides * FEES.total_bp + 5_000) // 10_000
    assert sum(result.positions.values()) == 0


def test_the_passbooks_counters_and_balances_do_not_accuse_the_purse(tmp_path: Path) -> None:
    world = World.in_order()
    rides = world.of_card()
    made = []
    for counter, balance in (
        (0, 70_000),
        (1, 69_000),
        (9, 5),
    ):  # a chain of its own, with a hole that nobody can see
        row = world.add(
            rides[0], txn_type=0x05, counter=counter, balance=balance, terminal_serial=900 + counter
        )
        sign(row)
        made.append(row)
    torn = world.add(rides[0], txn_type=0x05, counter=10, balance=4, terminal_serial=999, state=1, tac=None)
    twin = world.add(made[0])
    result, rows = world.clear(tmp_path)
    for row in (*made, *rides):
        outcome, reason, found = remarks(rows, row)
        assert (outcome, reason) == ("PAID", "ACCEPTED")
        assert not {"BALANCE_BREAK", "COUNTER_GAP", "COUNTER_REUSED", "COUNTER_BREAK"} & set(found.split())
    assert not result.new_listings
    assert remarks(rows, torn)[:2] == ("UNCONFIRMED", "UNRESOLVED")
    assert remarks(rows, twin)[:2] == ("DUPLICATE", "DUPLICATE")


def test_limits_and_locks_are_refused_because_nobody_is_owed_anything(tmp_path: Path) -> None:
    world = World.in_order()
    made = []
    for place, kind in enumerate(NO_CLAIMS):
        row = world.add(world.of_card(place)[-1], txn_type=int(kind), counter_kind=1, counter=3)
        sign(row)
        made.append(row)
    _, rows = world.clear(tmp_path)
    assert {remarks(rows, row) for row in made} == {("REJECTED", "NO_CLAIM", "")}


def test_an_online_debit_follows_in_the_chain_of_one_card() -> None:
    taps = [
        Tap(1, False, 5, 100, 900),
        Tap(2, True, 2, 300, 600, out=True),
        Tap(3, False, 6, 50, 550),
        Tap(4, True, 3, 1000, 1550),
    ]
    judged = judge_card(Opening(5, 2, 1000), taps, gap_max=64)
    assert not any(verdict.remarks for verdict in judged.verdicts.values())
    assert (judged.missing_count, judged.nowhere_minor) == (0, 0)
    judged = judge_card(
        Opening(5, 2, 1000), [replace(taps[1], out=False) if t is taps[1] else t for t in taps], gap_max=64
    )
    assert any(verdict.remarks for verdict in judged.verdicts.values())
