"""Ids of transfers in runs: found wherever they are, by whoever opened the database, and never made up."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jinka.kit import make_id
from jinka.ledger import LedgerEngine, MemoryLedger, Transfer, TransferFlag
from jinka.store import SqlLedger, database_at, ledger_ids, ledger_sqlite
from tests.ledger.test_contract import A, B, C, R, account, move


@pytest.fixture
def small_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_ids, "RUN_IDS", 16)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[list[SqlLedger]]:
    """Three that know one file, each with a memory of its own, as processes that take turns."""
    with ExitStack() as stack:
        databases = [stack.enter_context(database_at(tmp_path / "l.db")) for _ in range(3)]
        yield [SqlLedger(database) for database in databases]


@pytest.mark.usefixtures("small_runs")
def test_ledgers_that_take_turns_answer_as_the_reference(opened: list[SqlLedger], tmp_path: Path) -> None:
    draw = random.Random(7)
    reference: LedgerEngine = MemoryLedger()
    for engine in (reference, opened[0]):
        engine.create_accounts([account(A), account(B), account(C)])
    sent: list[Transfer] = []
    for number in range(120):
        call = [move(f"{number}.{n}", n, debit=draw.choice([A, C])) for n in range(draw.randrange(1, 9))]
        if draw.random() < 0.3:
            call += draw.choices(sent or call, k=draw.randrange(1, 5))
        if draw.random() < 0.2:
            call[0] = move(f"{number}.linked", 1, flags=TransferFlag.LINKED)
        sent += call
        assert draw.choice(opened).create_transfers(call) == reference.create_transfers(call)
    for engine in opened:
        assert engine.lookup([t.id for t in sent]) == reference.lookup([t.id for t in sent])
        assert engine.history(B) == reference.history(B)
    assert opened[0].balances([A, B, C]) == reference.balances([A, B, C])
    with sqlite3.connect(tmp_path / "l.db") as raw:
        [runs], [ids] = raw.execute(
            "SELECT count(*) FROM ledger_runs UNION ALL SELECT count(*) FROM ledger_run_ids"
        )
        [stored] = raw.execute("SELECT count(*) FROM ledger_moves").fetchone()
    raw.close()
    assert runs > 10
    assert 0 <= stored - ids < 16 + 9


@pytest.mark.usefixtures("small_runs")
def test_ids_that_are_alike_are_told_apart(opened: list[SqlLedger]) -> None:
    """Ids that share their first or their last bytes, and one bit's difference from ids that are in a run."""
    ledger = opened[0]
    ledger.create_accounts([account(A), account(B)])
    stored = [n.to_bytes(16, "big") for n in range(1, 60)] + [
        n.to_bytes(16, "little") for n in range(256, 300)
    ]
    like = [bytes([id_[0] ^ 0x80, *id_[1:]]) for id_ in stored] + [
        bytes([*id_[:15], id_[15] ^ 0x40]) for id_ in stored
    ]
    template = move("x", 1)
    for ids in (stored[:50], stored[50:]):
        assert set(ledger.create_transfers([_with_id(template, id_) for id_ in ids])) == {R.CREATED}
    assert opened[1].lookup(like) == {}
    assert set(opened[1].lookup(stored)) == set(stored)
    assert set(opened[2].create_transfers([_with_id(template, id_) for id_ in like])) == {R.CREATED}
    assert set(ledger.create_transfers([_with_id(template, id_) for id_ in stored + like])) == {R.EXISTS}


@pytest.mark.usefixtures("small_runs")
@pytest.mark.parametrize("where", ["_ADD_POSTED", "_ADD_MOVES"])
def test_a_call_that_broke_off_is_not_remembered(
    opened: list[SqlLedger], where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement fails after ids were taken into memory, or before: neither they nor a run of theirs stay."""
    ledger = opened[0]
    ledger.create_accounts([account(A), account(B)])
    first, second = ([move(f"{k}{n}", 1) for n in range(15)] for k in "ab")
    assert set(ledger.create_transfers(first)) == {R.CREATED}
    with monkeypatch.context() as broken:
        broken.setattr(ledger_sqlite, where, "INSERT INTO no_such_table VALUES (?)")
        with pytest.raises(sqlite3.OperationalError):
            ledger.create_transfers(second)
    assert ledger.lookup([t.id for t in second]) == {}
    assert opened[1].create_transfers([move("other", 1)]) == [R.CREATED]
    assert set(ledger.create_transfers(second)) == {R.CREATED}
    assert ledger.history(A) == [*first, move("other", 1), *second]
    assert set(opened[2].create_transfers([*first, *second])) == {R.EXISTS}


def test_a_table_that_grew_without_runs_gets_them(
    opened: list[SqlLedger], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As after the migration of a database of an earlier version."""
    opened[0].create_accounts([account(A), account(B)])
    sent = [move(f"{n}", 1) for n in range(150)]
    assert set(opened[0].create_transfers(sent)) == {R.CREATED}
    monkeypatch.setattr(ledger_ids, "RUN_IDS", 16)
    assert set(opened[1].create_transfers(sent)) == {R.EXISTS}
    assert opened[2].create_transfers([move("new", 1), sent[3]]) == [R.CREATED, R.EXISTS]
    with sqlite3.connect(tmp_path / "l.db") as raw:
        rows = raw.execute(
            "SELECT run, count(*), max(seq) FROM ledger_run_ids GROUP BY run ORDER BY run"
        ).fetchall()
        ends = raw.execute("SELECT number, upto_seq FROM ledger_runs ORDER BY number").fetchall()
    raw.close()
    assert rows == [(n, 16, 16 * n) for n in range(1, 10)]
    assert ends == [(n, 16 * n) for n in range(1, 10)]


def test_a_filter_passes_all_its_own_ids_and_few_others() -> None:
    own = [make_id("own", n) for n in range(20_000)]
    others = [make_id("other", n) for n in range(20_000)]
    filters = ledger_ids._Filters()
    for start in range(0, len(own), 1_000):
        filters.append(ledger_ids._make_filters(own[start : start + 1_000]))
    found = dict(filters.passed(own))
    for run in range(20):
        mine = own[1_000 * run : 1_000 * (run + 1)]
        assert set(mine) <= set(found[run + 1])
    assert sum(len(candidates) for candidates in found.values()) < len(own) + 20
    assert sum(len(candidates) for _, candidates in filters.passed(others)) < 20
    assert list(ledger_ids._Filters().passed(own)) == list(filters.passed([])) == []


def _with_id(transfer: Transfer, id_: bytes) -> Transfer:
    return Transfer(
        id=id_, debit_account=transfer.debit_account, credit_account=transfer.credit_account,
        amount=transfer.amount, ledger=transfer.ledger, code=transfer.code,
    )  # fmt: skip
