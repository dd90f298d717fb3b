"""The journal of windows in SQL. Goal: a desk over it goes on where a killed one stood, and two desks never both act.

Method: the same windows over memory and over each engine, with its own ledger; two desks at one journal; a changed row.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.kit import Refused
from jinka.ledger import MemoryLedger, Transfer
from jinka.settlement import NetDebitCap, OnBreach, WindowDesk, WindowEvent, WindowState, trial_balance
from jinka.store import SqlLedger, SqlWindows, database_at
from tests.settlement.claim_case import DAY, claim
from tests.settlement.window_case import Fuse, FusedJournal, FusedLedger, Killed, MemoryWindows, desk_of

AT = DAY.micros
CAPS = [
    NetDebitCap(participant="a", limit=60),
    NetDebitCap(participant="c", limit=1, on_breach=OnBreach.OFFICER),
]


def steps(desk: WindowDesk) -> list[Callable[[], object]]:
    """A window that is opened, filled, closed, held, approved and settled, and the first acts of the next one."""
    act = {"at_micros": AT, "officer": "李", "reason": "pays in at noon"}
    claims = [claim(1, "a", "b", 60), claim(2, "a", "b", 9), claim(3, "c", "甲", 5)]
    return [
        lambda: desk.open(DAY),
        lambda: desk.take(claims, at_micros=AT),
        lambda: desk.close(CAPS, at_micros=AT),
        lambda: desk.hold(at_micros=AT),
        lambda: desk.by_officer(WindowEvent.APPROVE, participant="c", **act),
        lambda: desk.settle(at_micros=AT),
        lambda: desk.open(replace(DAY, cycle=2)),
        lambda: desk.by_officer(WindowEvent.SUSPEND, participant="b", **act),
    ]


def play(desk: WindowDesk) -> None:
    for step in steps(desk):
        step()


def test_a_desk_over_sql_is_a_desk_over_memory_and_goes_on_after_a_restart(where: Path | str) -> None:
    memory, books = MemoryWindows(), MemoryLedger()
    play(desk_of(memory, books))
    with database_at(where) as database:
        play(desk_of(SqlWindows(database), SqlLedger(database)))
    with database_at(where) as database:
        again = desk_of(SqlWindows(database), ledger := SqlLedger(database))
        assert again.recovered == []
        assert again.window == desk_of(memory, books).window
        assert trial_balance(ledger) == trial_balance(books)
        assert [one.number for one in again.window.claims.values()] == [2]
        again.close([], at_micros=AT)
        assert again.window.state is WindowState.CLOSED


def test_of_two_desks_one_is_refused_and_nothing_is_written_over(where: Path | str) -> None:
    with database_at(where) as database:
        journal = SqlWindows(database)
        first = desk_of(journal, SqlLedger(database))
        second = desk_of(journal, SqlLedger(database))
        first.open(DAY)
        with pytest.raises(Refused, match="of this ordinal"):
            second.open(DAY)
        other = WindowDesk(journal, MemoryLedger(), centre="cn.sz", chain="taxi", funds="cn.sz")
        with pytest.raises(Refused, match="date and cycle"):
            other.open(DAY)
        second = desk_of(journal, SqlLedger(database))
        first.take([claim(1, "a", "b", 1)], at_micros=AT)
        with pytest.raises(Refused, match="act 1 was done already"):
            second.take([claim(2, "a", "b", 1)], at_micros=AT)
        for table in ("window_openings", "window_acts"):
            with database.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="append-only"):
                connection.exec_driver_sql(f"DELETE FROM {table}")


def test_killed_at_any_write_to_sql_the_books_are_what_they_would_have_been(
    fresh_sqlite: Callable[[], Path],
) -> None:
    def books(path: Path, kill: int | None) -> tuple[bool, dict[bytes, Transfer]]:
        fuse, killed = Fuse(kill), False
        with database_at(path) as database:
            journal, ledger = SqlWindows(database), SqlLedger(database)
            try:
                play(desk_of(FusedJournal(fuse, journal), FusedLedger(fuse, ledger)))
            except Killed:
                killed = True
        with database_at(path) as database:
            journal, ledger = SqlWindows(database), SqlLedger(database)
            if killed:
                go_on(desk_of(journal, ledger))
            return killed, {t.id: t for account in ledger.accounts() for t in ledger.history(account.id)}

    def go_on(desk: WindowDesk) -> None:
        """The steps that are not in the journal: an opening and five acts, and an opening and one."""
        assert desk.recovered == []
        try:
            done = desk.window.acts + (1 if desk.window.key.ordinal == 1 else 7)
        except Refused:
            done = 0
        for step in steps(desk)[done:]:
            step()

    _, whole = books(fresh_sqlite(), None)
    kill, killed = 0, True
    while killed:
        killed, found = books(fresh_sqlite(), kill)
        assert found == whole, kill
        kill += 3
    assert kill > 15


def test_a_journal_with_a_hole_is_refused(where: Path | str) -> None:
    with database_at(where) as database:
        journal = SqlWindows(database)
        desk = desk_of(journal, MemoryLedger())
        desk.open(DAY)
        with database.begin() as connection:
            connection.execute(sa.text("INSERT INTO window_acts VALUES ('cn.sz', 'daily', 1, 2, '{}')"))
        with pytest.raises(Refused, match="an act is missing"):
            desk_of(journal, MemoryLedger())
