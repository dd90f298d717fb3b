"""Online loads on SQL: one durable transaction for each write. Decides nothing.

The card's number, and who pays, which may be a bank card's number, lie sealed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from jinka.codec import Algorithm
from jinka.crypto.number_vault import NumberVault
from jinka.issuer.online_load import Load, LoadState
from jinka.store.issuer_books import upsert
from jinka.store.issuer_tables import loads

_STATES = {state.value[0]: state for state in LoadState}
_SAME = tuple(c.name for c in loads.columns if c.name not in ("state", "algorithm", "lookup", "sealed"))


class SqlLoads:
    """Implements `jinka.issuer.online_load.LoadBooks` on a database opened by `open_database`."""

    def __init__(self, engine: sa.Engine, vault: NumberVault) -> None:
        self._engine, self._vault = engine, vault
        self._put = upsert(engine, loads, ("id",), keep=("sealed",))

    def get(self, load_id: bytes) -> Load | None:
        found = self._read(loads.c.id == load_id)
        return found[0] if found else None

    def of_card(self, card_no: bytes, txn_type: int) -> list[Load]:
        return self._read((loads.c.lookup == self._vault.digest(card_no)) & (loads.c.txn_type == txn_type))

    def in_state(self, state: LoadState) -> list[Load]:
        return self._read(loads.c.state == state.value[0])

    def write(self, rows: Sequence[Load]) -> None:
        if rows:
            with self._engine.begin() as connection:
                connection.execute(self._put, [self._row(load) for load in rows])

    def _read(self, where: sa.ColumnElement[bool]) -> list[Load]:
        query = sa.select(loads).where(where).order_by(loads.c.at_micros, loads.c.id)
        with self._engine.connect() as connection:
            return [self._load(row) for row in connection.execute(query)]

    def _row(self, load: Load) -> dict[str, object]:
        row: dict[str, object] = {name: getattr(load, name) for name in _SAME}
        held = json.dumps([load.card_no.hex(), load.fund]).encode()
        return row | {
            "state": load.state.value[0],
            "algorithm": int(load.algorithm),
            "lookup": self._vault.digest(load.card_no),
            "sealed": self._vault.seal(held, _context(load.id)),
        }

    def _load(self, row: Any) -> Load:
        words = {name: getattr(row, name) for name in _SAME}
        card_no, fund = json.loads(self._vault.unseal(row.sealed, _context(row.id)))
        return Load(
            **words, card_no=bytes.fromhex(card_no), fund=fund, state=_STATES[row.state],
            algorithm=Algorithm(row.algorithm),
        )  # fmt: skip


def _context(load_id: bytes) -> str:
    return f"load {load_id.hex()}"
