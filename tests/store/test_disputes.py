"""Disputes in SQL. Goal: what is written is read as it was, stays so, and is there with its posting or not at all.

Method: the same acts over memory and over each engine; a ledger that fails between a deed and its end; two who open at
the same time.
"""

from __future__ import annotations

import datetime as dt
import threading
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jinka.clearing.dispute_words import Event, State
from jinka.kit import Refused
from jinka.ledger import MemoryLedger
from jinka.settlement import DisputeDesk, MemoryDisputes
from jinka.store import SqlDisputes, SqlLedger, database_at
from tests.settlement.test_disputes import ORIGINALS, ZONE, move, opening

ACTS = [Event.FULFIL, Event.CHARGE_BACK, Event.REPRESENT, Event.ARBITRATE, Event.UPHOLD]


def play(desk: DisputeDesk) -> list[Any]:
    first = desk.open(opening("retrieval", ORIGINALS[2], 600))
    for event in ACTS:
        first = desk.step(first.id, move(first, event))
    second = desk.open(opening("dead-card", ORIGINALS[1], 300))
    desk.pass_deadlines(dt.date(2026, 12, 1))
    return [first.id, second.id]


def test_sql_and_memory_keep_the_same(where: Path | str) -> None:
    reference = MemoryDisputes()
    ids = play(DisputeDesk(MemoryLedger(), reference, zone=ZONE))
    with database_at(where) as database:
        ledger = SqlLedger(database)
        books = SqlDisputes(database, ledger)
        desk = DisputeDesk(ledger, books, zone=ZONE)
        assert play(desk) == ids == [each.id for each in books.listed()]
        assert books.listed() == reference.listed()
        assert books.of_original(ORIGINALS[1].id) == [reference.get(ids[1])]
        assert books.get(bytes(16)) is None
        assert desk.post_again() == 8
        assert books.listed()[1].state is State.WAITED
        for table in ("disputes", "dispute_deeds", "dispute_evidence"):
            with database.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="append-only"):
                connection.exec_driver_sql(f"DELETE FROM {table}")


def test_a_deed_that_the_ledger_refuses_was_never_written(where: Path | str) -> None:
    with database_at(where) as database:
        ledger = SqlLedger(database)
        books = SqlDisputes(database, ledger)
        desk = DisputeDesk(ledger, books, zone=ZONE)
        first = desk.open(opening("torn-tap", ORIGINALS[2], 600))
        broken = DisputeDesk(Broken(ledger), books, zone=ZONE)
        with pytest.raises(OSError, match="gone"):
            broken.step(first.id, move(first, Event.SHOW_UNSERVED))
        assert books.listed() == [first]
        assert desk.step(first.id, move(first, Event.SHOW_UNSERVED)).state is State.REFUND_DUE


class Broken:
    """A ledger that posts and then loses its connection, at the second call."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger, self._calls = ledger, 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def create_transfers(self, transfers: Any) -> Any:
        answer = self._ledger.create_transfers(transfers)
        self._calls += 1
        if self._calls == 2:
            raise OSError("gone")
        return answer


def test_two_at_the_same_time_do_not_both_get_the_whole(where: Path | str) -> None:
    answers: list[str] = []
    gate = threading.Barrier(2)

    def run(reference: str) -> None:
        with database_at(where) as database:
            ledger = SqlLedger(database)
            desk = DisputeDesk(ledger, SqlDisputes(database, ledger), zone=ZONE)
            gate.wait()
            try:
                desk.open(opening("chargeback", ORIGINALS[2], 1_000, reference=reference))
            except Refused as error:
                answers.append(error.fix)
            else:
                answers.append("opened")

    threads = [threading.Thread(target=run, args=(name,)) for name in ("1", "2")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["nothing is left to dispute", "opened"]
