"""The quick road for cards with gaps says what the judgement of each card says: the same day with it and without.

Some hundred cards get defects by a seeded hand: records missing, wrong TACs, balances off, counters shifted, records
twice, two in a second, torn taps, loads lost. Every outcome and every sum must be the same.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pytest

from jinka.clearing import chain as stage
from jinka.clearing.gaps import Gaps, plain_gaps
from tests.clearing.world import World, sign

CARDS = 240


def spoiled(seed: int) -> World:
    world = World.in_order(records=6 * CARDS, cards=CARDS)
    rng = random.Random(seed)
    by_card: dict[bytes, list[dict[str, Any]]] = {}
    for row in sorted(world.rows, key=lambda row: row["local_time"]):
        by_card.setdefault(row["card_no"], []).append(row)
    for mine in by_card.values():
        for _ in range(rng.choice((0, 1, 1, 1, 2, 3))):
            if not mine:
                break
            row = rng.choice(mine)
            at = mine.index(row)
            what = rng.randrange(10)
            if what < 3:
                world.rows.remove(row)
                mine.remove(row)
            elif what < 5:
                row["tac"] = b"\x00\x01\x02\x03"
            elif (
                what == 5 and not row["counter_kind"]
            ):  # the balance is off from here on, as if a record were missing
                step = rng.choice((-80, 80, 5_000))
                for later in mine[at:]:
                    if not later["counter_kind"]:
                        later["balance"] += step
            elif what == 6 and not row["counter_kind"]:  # and so are the counters
                for later in mine[at:]:
                    if not later["counter_kind"]:
                        later["counter"] += rng.choice((1, 1, 70))
            elif what == 7:
                world.add(row, balance=row["balance"])
            elif what == 8:
                row["local_time"] = mine[at - 1]["local_time"]
                sign(row)
            elif what == 9:
                row["tac"], row["state"] = None, 1
    return world


def nobody(engine: Any, good: Any, crooked: Any, with_lost_loads: Any, *, gap_max: int) -> Gaps:
    """No card takes the quick road."""
    none = engine.arrow("none", pa.table({"p_card": pa.array([], pa.int64())}))
    verdicts = plain_gaps(engine, good, crooked.filter(ibis.literal(False)), with_lost_loads, gap_max=gap_max)
    return Gaps(verdicts=verdicts.verdicts, cards=none, card_count=0, missing_count=0, missing_minor=0)


@pytest.mark.parametrize("seed", [1, 2])
def test_the_quick_road_says_what_the_judgement_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    world = spoiled(seed)
    told: list[Gaps] = []

    def noted(*given: Any, **named: Any) -> Gaps:
        told.append(plain_gaps(*given, **named))
        return told[-1]

    monkeypatch.setattr(stage, "plain_gaps", noted)
    quick, rows = world.clear(tmp_path)
    monkeypatch.setattr(stage, "plain_gaps", nobody)
    slow, wanted = world.clear(tmp_path)
    assert told[0].card_count > 20
    assert quick.judged_cards - told[0].card_count > 20  # and others went the long way
    assert rows == wanted
    for name in (
        "by_reason", "remarks", "net", "new_listings", "judged_cards", "suspense", "missing_count", "missing_minor",
        "nowhere_minor",
    ):  # fmt: skip
        assert getattr(quick, name) == getattr(slow, name), name
    assert {"COUNTER_GAP"} < {word for row in rows.values() for word in row["findings"].split()}


def test_cards_that_are_judged_come_a_part_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = spoiled(3)
    whole, rows = world.clear(tmp_path)
    monkeypatch.setattr(stage, "CARDS_AT_ONCE", 7)
    parts, again = world.clear(tmp_path)
    assert rows == again
    assert (whole.remarks, whole.judged_cards, whole.missing_minor, whole.new_listings) == (
        parts.remarks, parts.judged_cards, parts.missing_minor, parts.new_listings,
    )  # fmt: skip
