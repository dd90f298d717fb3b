"""Shadows of cards. Goal: runs of any days, in any order and twice, say the same; what is missing is found to the fen.

Method: a card's life is drawn at random, records are withheld, and the gaps are counted by hand beside the expressions.
One engine for the module, since compiling an expression costs more than running it here.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pytest

from jinka.settlement.float_shadow import (
    HELD,
    MOVED,
    OFF_CHAIN,
    RUNS,
    card_rows,
    day_held,
    day_holes,
    day_off_chain,
    day_runs,
    held_in,
    joints,
    merged,
)
from jinka.store import DuckEngine

ISSUER, CARD = "issuer.szt", bytes.fromhex("00004403000000000012")
OUTCOMES = pa.schema(
    [
        ("record_id", pa.int64()), ("card_no", pa.binary()), ("txn_type", pa.uint8()), ("amount", pa.int64()),
        ("balance", pa.int64()), ("counter", pa.uint16()), ("counter_kind", pa.uint8()),
        ("terminal_id", pa.binary()), ("terminal_serial", pa.uint32()), ("local_date", pa.binary()),
        ("local_time", pa.binary()), ("issuer", pa.string()), ("operator", pa.string()), ("outcome", pa.string()),
        ("reason", pa.string()), ("findings", pa.string()), ("at_risk", pa.bool_()),
    ]
)  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[DuckEngine]:
    with DuckEngine(threads=1, memory_limit="500MB") as made:
        yield made


def opening(balance: int = 10_000) -> dict[str, Any]:
    nothing = {
        f"{end}_{name}": bytes(4 if name == "date" else 3)
        for end in ("first", "last")
        for name in ("date", "time")
    }
    return {
        "card_no": CARD, "issuer": ISSUER, "off_first": 0, "off_end": 0, "on_first": 0, "on_end": 0, "balance_in": 0,
        "balance_out": balance, **nothing,
    }  # fmt: skip


def life(*steps: int, balance: int = 10_000) -> list[dict[str, Any]]:
    """Records of one card: a positive step is a load, another a purchase of so much; one a minute."""
    rows, counters = [], {0: 0, 1: 0}
    for number, step in enumerate(steps):
        kind = int(step > 0)
        balance += step
        rows.append(
            {"record_id": number, "card_no": CARD, "txn_type": 2 if kind else 9, "amount": abs(step),
             "balance": balance, "counter": counters[kind], "counter_kind": kind, "terminal_id": bytes(6),
             "terminal_serial": 0 if kind else counters[0] + 1, "local_date": b"\x20\x18\x09\x01",
             "local_time": bytes([8 + number // 60, int(f"{number % 60:02}", 16), 0]), "issuer": ISSUER,
             "operator": "op", "outcome": "PAID", "reason": "ACCEPTED", "findings": "", "at_risk": False}
        )  # fmt: skip
        counters[kind] += 1
    return rows


def shadow(engine: DuckEngine, rows: list[dict[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The card's row and its gaps, from outcomes and the opening."""
    out = engine.arrow("out", pa.Table.from_pylist(rows, schema=OUTCOMES))
    runs = engine.collect(day_runs(out)).cast(RUNS)
    both = engine.arrow("both", pa.concat_tables([pa.Table.from_pylist([opening()], schema=RUNS), runs]))
    one = engine.keep("one", merged(both))
    held = engine.arrow("held", engine.collect(day_held(out)).select(HELD.names).cast(HELD))
    off = engine.arrow("off", engine.collect(day_off_chain(out)).cast(OFF_CHAIN))
    gaps = engine.keep("gaps", held_in(joints(one), held, off))
    moved = engine.arrow("moved", MOVED.empty_table())
    [card] = engine.collect(card_rows(one, off, moved, gaps)).to_pylist()
    return card, engine.collect(gaps.order_by("off_from")).to_pylist()


def test_a_perfect_life_is_one_run(engine: DuckEngine) -> None:
    card, gaps = shadow(engine, life(-200, -300, 5_000, -400))
    assert (card["runs"], card["shown"], card["paid"], gaps) == (1, 14_100, 14_100, [])
    assert (card["off_end"], card["on_end"]) == (3, 1)


def test_a_missing_purchase_and_a_missing_load_are_gaps_of_their_amounts(engine: DuckEngine) -> None:
    rows = life(-200, -300, -100, 5_000, -400, 1_000, -50)
    card, gaps = shadow(engine, [row for n, row in enumerate(rows) if n not in (1, 3)])
    found = [(gap["off_from"], gap["off_missing"], gap["on_missing"], gap["step"]) for gap in gaps]
    assert found == [(1, 1, 0, 300), (3, 0, 1, -5_000)]
    assert card["unexplained"] == 0
    assert card["paid"] == card["shown"] + card["transit"] + card["suspense"] + card["unexplained"]
    assert card["paid"] - card["shown"] == 300 - 5_000


def test_a_step_that_shows_before_its_counter_is_the_later_gap_s(engine: DuckEngine) -> None:
    rows = life(1_000, -200, 5_000, -400, -90, 1_000, -50)
    del rows[2]
    card, [gap] = shadow(engine, rows)  # in the balance at the next purchase, as a counter at the next load
    assert (gap["on_from"], gap["on_missing"], gap["step"]) == (1, 1, -5_000)
    assert (card["transit"], card["unexplained"]) == (-5_000, 0)


def test_what_the_centre_holds_is_in_suspense_and_what_was_altered_is_found(engine: DuckEngine) -> None:
    rows = life(-200, -300, -100, -400)
    rows[1] |= {"outcome": "UNCONFIRMED", "reason": "UNRESOLVED"}
    card, [gap] = shadow(engine, rows)
    assert (gap["held"], gap["suspended"], card["suspense"], card["transit"]) == (1, True, 300, 0)
    rows[1]["amount"] = 299  # it does not explain the step: chased
    card, [gap] = shadow(engine, rows)
    assert (gap["held"], gap["suspended"], card["suspense"], card["transit"]) == (1, False, 0, 300)
    rows = life(-200, -300, -100, -400)
    rows[1] |= {"counter": 50, "findings": "COUNTER_BREAK"}
    card, [gap] = shadow(engine, rows)
    assert (gap["filled"], card["transit"], card["unexplained"]) == (True, 0, 0)


def test_money_from_nowhere_and_a_counter_that_went_back_are_no_gaps(engine: DuckEngine) -> None:
    rows = life(-200, -300, -100)
    for row in rows[1:]:
        row["balance"] += 700
    card, gaps = shadow(engine, rows)
    assert (gaps, card["unexplained"]) == ([], -700)
    rows = life(-200, -300, -100)
    rows[2]["counter"] = 900  # more than any gap
    card, gaps = shadow(engine, rows)
    assert gaps == []


def test_runs_merge_to_the_same_in_any_order_and_twice(engine: DuckEngine) -> None:
    draw = random.Random(7)
    steps = [draw.choice((-200, -350, -90, 2_000)) for _ in range(40)]
    rows = [row for row in life(*steps, balance=50_000) if draw.random() > 0.15]
    days = [rows[:9], rows[9:20], rows[20:]]
    made = [
        engine.collect(day_runs(engine.arrow("d", pa.Table.from_pylist(day, schema=OUTCOMES)))).cast(RUNS)
        for day in days
    ]
    begin = pa.Table.from_pylist([opening(50_000)], schema=RUNS)

    def fold(*tables: pa.Table) -> list[dict[str, Any]]:
        state = merged(engine.arrow("t", pa.concat_tables(tables)))
        return engine.collect(state.order_by(["first_date", "first_time"])).to_pylist()

    whole = fold(begin, *made)
    assert len(whole) > 2
    assert fold(made[2], made[0], begin, made[1]) == whole
    step = pa.Table.from_pylist(fold(made[1], begin), schema=RUNS)
    assert fold(pa.Table.from_pylist(fold(step, made[2]), schema=RUNS), made[0]) == whole
    assert fold(pa.Table.from_pylist(whole, schema=RUNS)) == whole


def test_a_terminal_s_own_numbers_tell_what_it_did_not_send(engine: DuckEngine) -> None:
    rows = life(-200, -300, -100, -400)
    del rows[1:3]
    [hole] = engine.collect(
        day_holes(engine.arrow("o", pa.Table.from_pylist(rows, schema=OUTCOMES)))
    ).to_pylist()
    assert (hole["serial_from"], hole["missing"], hole["operator"]) == (2, 2, "op")
