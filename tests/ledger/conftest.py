"""The engines that the contract runs over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jinka.ledger import LedgerEngine, MemoryLedger
from jinka.store import SqlLedger, database_at
from tests.postgres import fresh_postgres, postgres

__all__ = ["engine", "fresh_postgres", "postgres"]


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerEngine]:
    """An empty ledger of each kind."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    where = tmp_path / "l.db" if request.param == "sqlite" else request.getfixturevalue("fresh_postgres")()
    with database_at(where) as database:
        yield SqlLedger(database)
