"""The switch's journal on both engines: what is written is whole, sealed, found again, and agreed between workers.

Method: the same calls on SQLite and on PostgreSQL, with a real key service sealing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jinka.kit import Refused, Usage, make_id
from jinka.store import SwitchJournal, database_at, open_database
from jinka.store.database import reading
from jinka.store.switch_sums import counted
from jinka.store.turns import Turn
from jinka.switch import Entity, Record
from jinka.switch.core import day_record
from jinka.switch.record import Entry, entry_of, read_record, write_record
from tests.keys.ground import service
from tests.switch.ground import DATE, PANS, request


@pytest.fixture
def database(where: Path | str) -> Iterator[sa.Engine]:
    engine = open_database(where)
    yield engine
    engine.dispose()


def _record(name: str, version: int = 1, state: str = "forwarded", **changes: object) -> Record:
    made = Record(
        entity=Entity.TRANSACTION, id=make_id("test", name), version=version, state=state, kind="purchase",
        source="till", target="bank", at_micros=1, business_date=DATE, digest=b"d", request=request(1), note="n",
    )  # fmt: skip
    return replace(made, **changes)


def _entry(name: str, version: int = 1, state: str = "forwarded", **changes: object) -> Entry:
    return entry_of(_record(name, version, state, **changes))


def test_a_record_comes_back_as_it_went() -> None:
    record = _record("a", answer={39: "00", 55: b"\x9f\x36"}, about=bytes(16))
    assert read_record(write_record(record)) == record


def test_what_is_written_is_found_and_no_card_number_lies_open(database: sa.Engine) -> None:
    journal = SwitchJournal(database, service())
    assert journal.write([(_entry("a"),), (_entry("b"), _entry("c"))]) == [{}, {}]
    assert journal.write([(_entry("a", 2, "approved"),)]) == [{}]
    found = journal.find(make_id("test", "a"))
    assert found is not None
    assert (found.version, found.state, found.request.text(2)) == (2, "approved", PANS[0])
    assert journal.find(bytes(16)) is None
    with database.connect() as connection:
        rows = [*connection.execute(sa.text("SELECT * FROM switch_journal")),
                *connection.execute(sa.text("SELECT * FROM switch_groups"))]  # fmt: skip
    assert PANS[0] not in str(rows)
    assert PANS[0].encode() not in b"".join(bytes(v) for row in rows for v in row if isinstance(v, bytes))
    assert journal.lines(limit=1)[0].card == "622848******0000"


@pytest.mark.parametrize("count", [1, 8, 9, 61, 300])
def test_any_number_is_written_together(database: sa.Engine, count: int) -> None:
    journal = SwitchJournal(database, service())
    names = [f"t{number}" for number in range(count)]
    assert journal.write([tuple(_entry(name) for name in names)]) == [{}]
    found = {record.id: record for record in journal.all_newest()}
    assert list(found) == [make_id("test", name) for name in names]  # in the order in which they were written
    assert [line.trace for line in journal.lines(limit=1000)] == ["000001"] * count


def test_the_sums_of_a_date_are_read_from_its_beginning_on(database: sa.Engine) -> None:
    """The dates before it are not read: what is written there, wrongly, under this date is not seen."""
    journal, next_ = SwitchJournal(database, service()), "2023-11-15"
    before = _entry("early", state="approved", business_date=next_, request=request(1, fen=5))
    journal.write([(before,), (_entry("a", state="approved", request=request(1, fen=7)),)])
    assert [line.count for line in journal.counted(next_)] == [1]
    journal.write([(entry_of(day_record(next_, 1)),)])
    journal.write([(_entry("b", state="approved", business_date=next_, request=request(1, fen=9)),)])
    journal.write(
        [(_entry("a", 2, "approved", request=request(1, fen=6)),)]
    )  # a part of it was reversed a day later
    for date, fen in ((DATE, 6), (next_, 9), ("2023-11-16", 0)):
        assert sum(line.amount_fen for line in journal.counted(date)) == fen


def test_the_sums_of_a_date_use_the_index_of_groups(fresh_sqlite: Callable[[], Path]) -> None:
    asked: list[tuple[str, Any]] = []
    with database_at(fresh_sqlite()) as database, database.connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", lambda *seen: asked.append((seen[2], seen[3])))
        counted(connection, DATE)
        statement, values = asked[-1]
        plan = str([*connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)])
    assert "INDEX switch_journal_by_group (number>?)" in plan
    assert "SCAN switch_journal" not in plan


def test_the_second_writer_of_a_version_learns_what_the_first_wrote(database: sa.Engine) -> None:
    first, second = (
        SwitchJournal(database, service(), worker="0"),
        SwitchJournal(database, service(), worker="1"),
    )
    first.write([(_entry("a", 1, "approved"),)])
    [clash] = second.write([(_entry("a", 1, "declined"), _entry("b"))])
    assert clash[make_id("test", "a")].state == "approved"
    assert second.find(make_id("test", "b")) is None  # a write is whole or not at all
    answers = first.write([(_entry("c"),), (_entry("c"),), (_entry("d"),)])
    assert [bool(answer) for answer in answers] == [False, True, False]


def test_recovery_takes_the_newest_of_its_own_and_moves_its_beginning(database: sa.Engine) -> None:
    mine, other = (
        SwitchJournal(database, service(), worker="0"),
        SwitchJournal(database, service(), worker="1"),
    )
    mine.write([(_entry("old", 1, "approved", business_date="2023-11-13"),)])
    mine.write([(_entry("a"),), (_entry("b"),)])
    mine.write([(_entry("a", 2, "approved"),)])
    other.write([(_entry("b", 2, "reversing"),), (_entry("c"),)])

    def states(journal: SwitchJournal, worker: str) -> list[str]:
        return [record.state for record in journal.recover(lambda name: name == worker, DATE)]

    assert states(mine, "0") == ["approved", "approved"]  # b is the other's now
    assert states(mine, "0") == ["approved"]  # yesterday's is behind the beginning
    assert states(other, "1") == ["reversing", "forwarded"]


def test_who_inherits_a_worker_begins_where_that_worker_would(database: sa.Engine) -> None:
    """Worker 1 owes a reversal of an earlier day, worker 0 has started since, and then there is one worker."""
    owed = _entry("owed", 1, "queued", entity=Entity.FORWARD, kind="reversal", business_date="2023-11-13")
    one, zero = (
        SwitchJournal(database, service(), worker="1"),
        SwitchJournal(database, service(), worker="0"),
    )
    assert list(one.recover(lambda name: name == "1", DATE)) == []
    one.write([(owed,)])
    zero.write([(_entry("done", 1, "approved", business_date="2023-11-13"),)])
    for _ in range(2):
        list(zero.recover(lambda name: name == "0", DATE))  # its own beginning is behind the other's reversal
    for _ in range(3):  # however often it starts alone
        assert [r.state for r in zero.recover(lambda name: True, DATE) if r.state != "approved"] == ["queued"]
    back = one.recover(lambda name: name == "1", DATE)  # the number of workers may go up again
    assert [r.state for r in back] == ["queued"]
    zero.write([(_entry("owed", 2, "done", entity=Entity.FORWARD, business_date="2023-11-13"),)])
    list(zero.recover(lambda name: True, DATE))
    assert list(zero.recover(lambda name: True, DATE)) == []  # its beginning moves on with the other's


def test_what_was_altered_on_the_disk_is_refused(database: sa.Engine) -> None:
    journal = SwitchJournal(database, service())
    journal.write([(_entry("a"),)])
    with pytest.raises(sa.exc.DBAPIError), database.begin() as connection:
        connection.execute(sa.text("UPDATE switch_journal SET state = 'declined'"))
    other = SwitchJournal(database, service(seed=9))
    with pytest.raises(Refused):
        other.find(make_id("test", "a"))


def test_who_reads_keeps_no_writer_waiting(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "s.db")
    journal = SwitchJournal(engine, service())
    journal.write([(_entry("a"),)])
    with reading(engine).connect() as reader:
        assert reader.scalar(sa.text("SELECT count(*) FROM switch_journal")) == 1
        assert journal.write([(_entry("b"),)]) == [{}]  # would wait ten seconds, and fail
        assert reader.scalar(sa.text("SELECT count(*) FROM switch_journal")) == 1  # what it saw, it sees
    engine.dispose()


def test_writers_of_one_file_take_turns(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "s.db")
    journals = [SwitchJournal(engine, service(), worker=str(n), shared=True) for n in range(2)]
    turn, done = Turn(engine), list[int]()

    def write(worker: int) -> None:
        assert journals[worker].write([(_entry(f"w{worker}"),)]) == [{}]
        done.append(worker)

    threads = [threading.Thread(target=write, args=(worker,)) for worker in range(2)]
    with turn:
        for thread in threads:
            thread.start()
        time.sleep(0.05)
        assert done == []
    for thread in threads:
        thread.join()
    assert sorted(done) == [0, 1]
    engine.dispose()


def test_turns_are_for_files(database: sa.Engine) -> None:
    if database.dialect.name == "sqlite":
        assert Turn(database)
    else:
        SwitchJournal(database, service(), shared=True).write([(_entry("a"),)])
        with pytest.raises(Usage):
            Turn(database)
