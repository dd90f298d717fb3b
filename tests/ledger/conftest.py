"""The engines that the contract runs over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from jinka.ledger import LedgerEngine, MemoryLedger
from jinka.store import open_ledger
from tests.ledger.salted import OTHER_WAYS, Salted

__all__ = ["engine"]


@pytest.fixture(
    params=["memory", "sqlite", "postgres", pytest.param("tigerbeetle", marks=pytest.mark.tigerbeetle)]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerEngine]:
    """An empty ledger of each kind; TigerBeetle's forgets nothing, so its ids are another test's for no test."""
    if request.param == "memory":
        yield MemoryLedger()
        return
    where: Path | str = tmp_path / "l.db"
    if request.param == "postgres":
        where = request.getfixturevalue("fresh_postgres")()
    if request.param == "tigerbeetle":
        if not (address := os.environ.get("JINKA_TIGERBEETLE")):
            pytest.skip("no TigerBeetle server: JINKA_TIGERBEETLE names none")
        if request.node.originalname in OTHER_WAYS:
            pytest.skip("TigerBeetle has its own way here: see jinka.store.tigerbeetle_ledger")
        with open_ledger(f"tigerbeetle://{address}") as cluster:
            yield Salted(cluster, os.urandom(16))
        return
    with open_ledger(where) as ledger:
        yield ledger
