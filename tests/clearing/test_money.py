"""What a day pays, to whom and why: subsidies, loads, sums; and who must not be listed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.clearing import Remark
from jinka.codec import RecordState
from jinka.registry import CARDS
from tests.clearing.world import GOVERNMENT, World, sign

Row = dict[str, Any]
NOON = "20180901120000"


def test_a_charge_that_no_product_explains_is_paid_with_a_finding_and_no_subsidy(tmp_path: Path) -> None:
    world = World.in_order()
    odd, made_up, huge = (world.of_card(place)[1] for place in range(3))
    odd["gross_fare"] += 100
    made_up["product"] = "no.such.product"
    huge["gross_fare"] = 2**63 - 1
    result, rows = world.clear(tmp_path)
    for row in (odd, made_up, huge):
        got = rows[row["record_id"]]
        assert (got["outcome"], got["findings"], got["subsidy"]) == ("PAID", "UNEXPLAINED_CHARGE", 0)
    assert result.remarks[Remark.UNEXPLAINED_CHARGE] == 3


def test_numbers_beyond_all_bounds_stop_neither_the_day_nor_the_honest(tmp_path: Path) -> None:
    world = World.in_order()
    count = len(world.rows)
    low, high, edge = (world.of_card(place)[1] for place in range(3))
    # The TAC of a purchase does not bind the balance, so these are valid, and no card could have said them.
    low["balance"], high["balance"], edge["balance"] = -(2**63), 2**63 - 1, 2**61
    late, least = world.of_card(3)[-1], world.of_card(4)[-1]
    late["local_date"], late["local_time"] = b"\x99\x99\x12\x31", b"\x23\x59\x59"
    least["amount"] = -(2**63)
    sign(late)
    result, rows = world.clear(tmp_path)
    for row in (low, high, edge):
        got = rows[row["record_id"]]
        assert (got["outcome"], got["findings"]) == ("PAID", "BALANCE_BREAK")
    assert rows[late["record_id"]]["reason"] == "DATE_OUT_OF_WINDOW"
    assert rows[least["record_id"]]["reason"] == "AMOUNT_OUT_OF_RANGE"
    assert sum(row["outcome"] == "PAID" for row in rows.values()) == count - 2
    assert result.judged_cards == 3


def test_a_subsidy_is_paid_for_the_registered_class_alone(tmp_path: Path) -> None:
    world = World.in_order()
    row = world.of_card()[1]
    cards = world.registry.cards.to_pylist()
    lines = [line | {"holder": 4 if line["card_no"] == row["card_no"] else 1} for line in cards]
    before, _ = World.in_order().clear(tmp_path)
    world.registry = replace(world.registry, cards=pa.Table.from_pylist(lines, schema=CARDS))
    result, rows = world.clear(tmp_path, name="second")
    mine = [other["record_id"] for other in world.of_card()]
    assert {(rows[key]["outcome"], rows[key]["findings"], rows[key]["subsidy"]) for key in mine} == {
        ("PAID", "SUBSIDY_UNPROVEN", 0)
    }
    unpaid = sum(row["gross_fare"] - row["amount"] for row in world.of_card())
    assert result.positions[GOVERNMENT] == before.positions[GOVERNMENT] + unpaid


def test_a_gross_fare_that_no_purse_could_pay_is_no_part_of_a_sum(tmp_path: Path) -> None:
    world = World.in_order()
    huge = world.of_card()[:2]
    for row in huge:
        row["gross_fare"] = 2**63 - 1
    rest = sum(row["gross_fare"] for row in world.rows if not row["counter_kind"] and row not in huge)
    result, _ = world.clear(tmp_path)
    assert sum(total.gross for total in result.net.operators) == rest


def a_load(world: World) -> Row:
    return next(row for row in world.rows if row["counter_kind"])


def test_a_load_with_a_serial_is_refused_because_no_tac_binds_it(tmp_path: Path) -> None:
    world = World.in_order()
    load = a_load(world)
    copy = world.add(load, terminal_serial=77)
    result, rows = world.clear(tmp_path)
    assert rows[copy["record_id"]]["reason"] == "WRONG_TAC"
    assert rows[load["record_id"]]["outcome"] == "PAID"
    agents = [flow.amount for flow in result.net.flows if flow.kind.value == "load"]
    assert sum(agents) == sum(row["amount"] for row in world.rows[:-1] if row["counter_kind"])


def test_two_loads_that_the_card_itself_tells_apart_are_two(tmp_path: Path) -> None:
    """Same agent, same second, same amount: the load's TAC binds balance and counter, so it is no copy."""
    world = World.in_order()
    load = a_load(world)
    second = world.add(load, counter=load["counter"] + 1, balance=load["balance"] + load["amount"])
    sign(second)
    for row in world.rows:
        if row["card_no"] == load["card_no"] and not row["counter_kind"]:
            row["balance"] += load["amount"]
    _, rows = world.clear(tmp_path)
    got = [(rows[row["record_id"]]["outcome"], rows[row["record_id"]]["findings"]) for row in (load, second)]
    assert got == [("PAID", "")] * 2


def test_a_load_of_a_cloned_card_is_no_money_of_the_float(tmp_path: Path) -> None:
    world = World.in_order()
    load = a_load(world)
    terminal = next(row for row in world.rows if row["counter_kind"] and row is not load)
    clone = world.add(load, local_time=terminal["local_time"])
    sign(clone)
    before, _ = World.in_order().clear(tmp_path)
    result, rows = world.clear(tmp_path, name="second")
    risky = [row for row in rows.values() if row["at_risk"]]
    assert [row["counter_kind"] for row in risky] == [1]
    assert result.positions[load["operator"]] == before.positions[load["operator"]]


def test_the_holder_of_a_rejected_load_is_not_listed(tmp_path: Path) -> None:
    world = World.in_order()
    a_load(world)["tac"] = bytes(4)
    result, rows = world.clear(tmp_path)
    assert [row["reason"] for row in rows.values() if row["outcome"] != "PAID"] == ["WRONG_TAC"]
    assert result.remarks[Remark.BALANCE_BREAK] == 1
    assert result.new_listings == ()
    assert result.nowhere_minor == 0


def test_a_torn_record_made_up_before_a_load_is_not_paid(tmp_path: Path) -> None:
    world = World.in_order()
    load = a_load(world)
    taps = [row for row in world.rows if row["card_no"] == load["card_no"] and not row["counter_kind"]]
    earlier = bytes.fromhex(f"{int(load['local_time'].hex()) - 1:06d}")
    forged = world.add(
        taps[0], tac=None, state=int(RecordState.UNCONFIRMED), terminal_serial=123_456, amount=9_999,
        balance=load["balance"] - load["amount"], counter=60_000, local_time=earlier,
    )  # fmt: skip
    result, rows = world.clear(tmp_path)
    assert rows[forged["record_id"]]["outcome"] in ("UNCONFIRMED", "REJECTED")
    assert result.new_listings == ()
    assert not any(rows[row["record_id"]]["findings"] for row in (load, *taps))
