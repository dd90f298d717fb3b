"""The write-ahead log begins anew while a writer goes on, and the writer is not the one that copies it.

Method: a writer commits without pause beside the thread that copies; how long the log became is in its file's size.
"""

from __future__ import annotations

import threading
from pathlib import Path

import sqlalchemy as sa

from jinka.store import open_database
from jinka.store.write_ahead import WriteAhead

_PAGE = 4_120  # with its head in the log


def _grow(engine: sa.Engine, log: WriteAhead, commits: int, *, help_: bool) -> None:
    pooled = engine.raw_connection()
    raw = pooled.driver_connection
    assert raw is not None
    cursor, copying = raw.cursor(), None
    log.begin(raw)
    for number in range(commits):
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("INSERT INTO t VALUES (?, zeroblob(16000))", (number,))
        cursor.execute("COMMIT")
        log.grown(raw, 5)
        if help_ and log.due and (copying is None or not copying.is_alive()):
            copying = threading.Thread(target=log.shorten)
            copying.start()
    if copying is not None:
        copying.join()
    pooled.close()


def _written(tmp_path: Path, *, help_: bool) -> tuple[int, int]:
    path = tmp_path / f"{help_}.db"
    engine = open_database(path)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB)")
    log = WriteAhead(engine, pages=50)
    _grow(engine, log, 150, help_=help_)
    size = path.with_name(path.name + "-wal").stat().st_size // _PAGE
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*), sum(length(b)) FROM t").one() == (150, 2_400_000)
    engine.dispose()
    return size, log.copies


def test_the_log_begins_anew_beside_a_writer(tmp_path: Path) -> None:
    long, copies = _written(tmp_path, help_=False)
    assert long > 600
    assert copies == 0
    short, copies = _written(tmp_path, help_=True)
    assert short < long / 2
    assert copies >= 1


def test_a_writer_that_nobody_helps_copies_at_last(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "a.db")
    log = WriteAhead(engine)
    pooled = engine.raw_connection()
    log.grown(pooled.driver_connection, 8 * 16_384 - 1)
    assert (log.due, log.copies) == (True, 0)
    log.grown(pooled.driver_connection, 1)
    assert (log.due, log.copies) == (False, 1)
    pooled.close()
    engine.dispose()
