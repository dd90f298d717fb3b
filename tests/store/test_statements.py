"""Statements that go straight to the driver. Goal: on both engines rows come back as they went in, however many.

Method: the issuer's transactions, the widest of the tables, with missing values; more keys than one statement takes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from jinka.store import open_database
from jinka.store.issuer_rows import COLUMNS, OUTCOME
from jinka.store.issuer_tables import transactions
from jinka.store.statements import TableStatements


@contextmanager
def raw_of(engine: sa.Engine) -> Iterator[Any]:
    with engine.begin() as connection:
        yield connection.connection.driver_connection


def row(number: int, state: str = "received", latitude: int | None = None) -> tuple[Any, ...]:
    values: dict[str, Any] = {
        c.name: b"" if isinstance(c.type, sa.LargeBinary) else 0 if isinstance(c.type, sa.BigInteger) else "x"
        for c in transactions.columns
    }
    values |= {"id": number.to_bytes(16, "big"), "seq": number, "state": state, "latitude_e6": latitude}
    return tuple(values[name] for name in COLUMNS)


def test_the_rows_of_the_issuer_are_in_the_order_of_its_table() -> None:
    assert tuple(column.name for column in transactions.columns) == COLUMNS


def test_rows_come_back_and_are_replaced_and_changed(where: Path | str) -> None:
    engine = open_database(where)
    made = TableStatements(engine, transactions, "id", keep=("seq",))
    rows = [row(number, latitude=-number if number % 2 else None) for number in range(1, 1_200)]
    keys = [values[0] for values in rows]
    with raw_of(engine) as raw:
        made.put(raw, rows)
        assert sorted(made.read(raw, keys)) == rows
        assert made.read(raw, []) == []
        assert made.read(raw, [keys[2], bytes(16)], ("seq", "latitude_e6")) == [(3, -3)]
        assert sorted(made.read(raw, ["received", "never"], ("seq",), by="state")) == [
            (n,) for n in range(1, 1_200)
        ]
    again = row(5, "declined")
    with raw_of(engine) as raw:
        made.put(raw, [row(5, "lost"), (*again[:1], 9999, *again[2:])])
    with raw_of(engine) as raw:
        [found] = made.read(raw, keys[4:5])
        assert found == again, "the last of equal keys, and the number that it had"
        outcome = ("approved", "approved", "", "000001", 7, b"\x91", b"", b"", 3)
        assert made.update(raw, OUTCOME, [(*outcome, keys[0]), (*outcome, keys[4])])
        assert not made.update(raw, OUTCOME, [(*outcome, keys[1]), (*outcome, bytes(16))]), (
            "one was not there"
        )
        assert made.read(raw, keys[:1], OUTCOME) == [outcome]
    engine.dispose()
