"""Faults find victims, or are not injected: what is labelled was done. Method: small days, some too small."""

from __future__ import annotations

import random

import pyarrow as pa
import pytest

from jinka.codec import BATCH_SCHEMA, RECORD_SCHEMA
from jinka.sim.faults import Fault
from jinka.sim.spoil import Delivery, SpoiledDay, spoil_day
from jinka.sim.victims import Victims, by_card_in_time
from jinka.terminal.batching import batch_id
from tests.clearing.world import World


class _Forger:
    def tac(self, row):
        return b"good"

    def seal_batch(self, *, terminal_id, header, digest32):
        return bytes(32)


def spoiled(*, records=400, cards=60, share=0.02, seed=1, operators=None) -> SpoiledDay:
    """A day whose terminals closed one batch for each five records."""
    rows = World.in_order(records=records, cards=cards).rows
    of: dict[bytes, int] = {}
    batches = {}
    for row in rows:
        row.pop("record_id")
        terminal = row["terminal_id"]
        place = of[terminal] = of.get(terminal, -1) + 1
        number = place // 5
        row["batch"], row["batch_seq"] = batch_id(terminal, number), place % 5
        if operators:
            row["operator"] = operators[0]
        batches[row["batch"]] = {
            "batch": row["batch"], "terminal_id": terminal, "batch_no": number, "record_count": 0, "total": 0,
            "seal": bytes(32),
        }  # fmt: skip
    delivery = Delivery(
        name="lane0-00",
        records=pa.Table.from_pylist(rows, schema=RECORD_SCHEMA),
        batches=pa.Table.from_pylist(list(batches.values()), schema=BATCH_SCHEMA),
    )
    return spoil_day(
        [delivery], share=share, seed=seed, purse_limit=100_000, terminals=sorted(of), forger=_Forger()
    )


@pytest.mark.parametrize("share", [0.02, 0.2, 0.5])
def test_a_batch_labelled_with_anothers_record_has_one(share):
    day = spoiled(share=share)
    terminals = {}
    for delivery in day.deliveries:
        for row in delivery.records.select(["batch", "terminal_id"]).to_pylist():
            terminals.setdefault((delivery.name, row["batch"]), set()).add(row["terminal_id"])
    labelled = {(label.delivery, label.batch) for label in day.labels if label.fault is Fault.FOREIGN_RECORDS}
    assert labelled == {place for place, found in terminals.items() if len(found) > 1}
    assert labelled or share == 0.5


@pytest.mark.parametrize("seed", range(4))
def test_a_card_bears_one_fault(seed):
    day = spoiled(share=0.5, seed=seed)
    faulty = [(label.batch, label.batch_seq) for label in day.labels if label.batch_seq is not None]
    assert len(faulty) == len(set(faulty))
    assert len(faulty) > 20


def test_nothing_is_claimed_by_another_operator_where_there_is_one_alone():
    day = spoiled(share=0.5, operators=["op.alone"])
    assert Fault.FOREIGN_OPERATOR not in {label.fault for label in day.labels}
    assert Fault.UNKNOWN_OPERATOR in {label.fault for label in day.labels}


@pytest.mark.parametrize("records", [1, 2, 7])
def test_a_day_may_be_too_small_for_most_faults(records):
    day = spoiled(records=records, cards=max(records // 2, 1), share=0.5)
    assert len(day.labels) <= records


def test_the_search_ends_where_every_card_begins_with_a_load():
    rows = [
        {"card_no": bytes([card]), "counter_kind": kind, "terminal_id": b"t", "local_date": b"", "counter": kind,
         "local_time": bytes([1 - kind]), "product": "full", "amount": 200, "state": 0}
        for card in range(9)
        for kind in (1, 0)
    ]  # fmt: skip
    victims = Victims(draw=random.Random(1), rows=rows, by_card=by_card_in_time(rows), used=set())
    assert victims.bystander(lambda _: True) is None
    assert victims.of(Fault.COUNTER_GAP) is None, "a lost record is noticed by the next purchase"
    taken = [victims.of(Fault.FORGED_LOAD) for _ in range(10)]
    assert sorted(taken[:9]) == [0, 2, 4, 6, 8, 10, 12, 14, 16]
    assert taken[9] is None
    assert victims.of(Fault.FORGED_TAC) is None, "each card has its fault"
