"""Several writers at once, killed writers, killed servers: sums stay equal, and a call happens whole or not at all."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from jinka.app.own_postgres import OwnPostgres, own_postgres
from jinka.ledger import LedgerEngine, Transfer, TransferResult
from jinka.store import SqlLedger, database_at, open_database
from tests.ledger.hammer import ACCOUNTS, IDS, LIMITED, call

ROOT = Path(__file__).parents[2]


def hammer(where: Path | str, seed: int, calls: int, size: int) -> subprocess.Popen[str]:
    arguments = [str(where), *map(str, (seed, calls, size))]
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.hammer", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )


def assert_sound(ledger: LedgerEngine) -> list[Transfer]:
    """Balances are the sum of the stored transfers, and no limit is passed. Returns the transfers."""
    seen: dict[bytes, Transfer] = {}
    for id_ in IDS:
        history = ledger.history(id_)
        assert len({t.id for t in history}) == len(history)
        assert all(id_ in (t.debit_account, t.credit_account) for t in history)
        seen |= {t.id: t for t in history}
    balances = ledger.balances(IDS)
    for id_ in IDS:
        for_debit = [t for t in seen.values() if t.debit_account == id_]
        for_credit = [t for t in seen.values() if t.credit_account == id_]
        want = [
            sum(t.amount for t in side if bool(t.flags & 2) is held)
            for side in (for_debit, for_credit)
            for held in (True, False)
        ]
        got = balances[id_]
        assert [got.debits_pending, got.debits_posted, got.credits_pending, got.credits_posted] == want
    assert sum(b.debits_posted for b in balances.values()) == sum(b.credits_posted for b in balances.values())
    limited = balances[LIMITED]
    assert limited.debits_pending + limited.debits_posted <= limited.credits_posted
    return list(seen.values())


def test_processes_that_hammer_the_same_accounts_lose_and_invent_nothing(
    fresh_postgres: Callable[[], str],
) -> None:
    """Two writers with requests of their own, and a third that sends the first one's again at the same time."""
    url = fresh_postgres()
    writers = [hammer(url, seed, 30, 60) for seed in (1, 2, 1)]
    made = []
    for writer in writers:
        out, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0
        made.append(sum(int(line.split()[1]) for line in out.splitlines()))
    with database_at(url) as database:
        stored = assert_sound(SqlLedger(database))
    assert len(stored) == sum(made)  # what was answered CREATED, each once


def _killed_in_a_call(where: Path | str) -> None:
    """Kill the writer somewhere in its third large call, then see what is stored of each."""
    size = 2_000
    for wait_s in (0.0, 0.04):
        writer = hammer(where, round(wait_s * 1000) + 10, 50, size)
        assert writer.stdout is not None
        done = [writer.stdout.readline() for _ in range(2)]
        time.sleep(wait_s)
        writer.kill()
        done += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        _assert_whole(where, round(wait_s * 1000) + 10, len([line for line in done if line]), size)


def _assert_whole(where: Path | str, seed: int, answered: int, size: int) -> None:
    with database_at(where) as database:
        ledger = SqlLedger(database)
        assert_sound(ledger)
        for number in range(0, answered + 2, 2):  # the simple calls: all of their transfers can be stored
            ids = [t.id for t in call(seed, number, size)]
            found = len(ledger.lookup(ids))
            assert found in ((size,) if number < answered else (0, size)), (number, answered)
            results = set(ledger.create_transfers(call(seed, number, size)))
            assert results == {TransferResult.EXISTS if found else TransferResult.CREATED}
        assert_sound(ledger)


def test_a_killed_writer_leaves_its_call_whole_or_undone_on_sqlite(tmp_path: Path) -> None:
    _killed_in_a_call(tmp_path / "l.db")


def test_a_killed_writer_leaves_its_call_whole_or_undone_on_postgres(
    fresh_postgres: Callable[[], str],
) -> None:
    _killed_in_a_call(fresh_postgres())


def test_a_killed_server_has_all_that_it_acknowledged(postgres: OwnPostgres) -> None:
    """A server of the test's own, killed under load and started again."""
    with own_postgres() as server:
        url = server.make_database("killed")
        open_database(url).dispose()
        writer = hammer(url, 7, 1_000, 500)
        assert writer.stdout is not None
        done = [writer.stdout.readline() for _ in range(6)]
        server.kill()
        writer.kill()
        done += writer.stdout.readlines()
        writer.wait()
        writer.stdout.close()
        server.start()
        _assert_whole(url, 7, len([line for line in done if line]), 500)


def test_a_call_that_waits_for_a_lock_sees_what_the_other_wrote(fresh_postgres: Callable[[], str]) -> None:
    """The one that holds the accounts commits first; the second decides on its result, not on what it read before."""
    url = fresh_postgres()
    with database_at(url) as database, database_at(url) as other:
        ledger = SqlLedger(database)
        ledger.create_accounts(ACCOUNTS)
        with other.begin() as connection:
            raw = connection.connection.driver_connection
            assert raw is not None
            raw.execute("SELECT id FROM ledger_accounts WHERE id = %b FOR UPDATE", (IDS[0],))
            writer = hammer(url, 3, 1, 50)
            with pytest.raises(subprocess.TimeoutExpired):
                writer.wait(2)  # it cannot go on
        out, _ = writer.communicate(timeout=60)
        assert out.split() == ["0", "50"]
        assert len(assert_sound(ledger)) == 50
