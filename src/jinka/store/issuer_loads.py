"""Online loads on SQL: one durable transaction for each write. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec import Algorithm
from jinka.issuer.online_load import Load, LoadState
from jinka.store.issuer_books import upsert
from jinka.store.issuer_tables import loads

_STATES = {state.value[0]: state for state in LoadState}
_SAME = tuple(column.name for column in loads.columns if column.name not in ("state", "algorithm"))


class SqlLoads:
    """Implements `jinka.issuer.online_load.LoadBooks` on a database opened by `open_database`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._put = upsert(engine, loads, ("id",))

    def get(self, load_id: bytes) -> Load | None:
        found = self._read(loads.c.id == load_id)
        return found[0] if found else None

    def of_card(self, card_no: bytes, txn_type: int) -> list[Load]:
        return self._read((loads.c.card_no == card_no) & (loads.c.txn_type == txn_type))

    def in_state(self, state: LoadState) -> list[Load]:
        return self._read(loads.c.state == state.value[0])

    def write(self, rows: Sequence[Load]) -> None:
        if rows:
            with self._engine.begin() as connection:
                connection.execute(self._put, [_row(load) for load in rows])

    def _read(self, where: sa.ColumnElement[bool]) -> list[Load]:
        query = sa.select(loads).where(where).order_by(loads.c.at_micros, loads.c.id)
        with self._engine.connect() as connection:
            return [_load(row) for row in connection.execute(query)]


def _row(load: Load) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(load, name) for name in _SAME}
    return row | {"state": load.state.value[0], "algorithm": int(load.algorithm)}


def _load(row: Any) -> Load:
    words = {name: getattr(row, name) for name in _SAME}
    return Load(**words, state=_STATES[row.state], algorithm=Algorithm(row.algorithm))
