"""The issuer's tests over each engine: ask for ``books_engine``, and each `Bank` of the test has its books there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from jinka.issuer import IssuerBooks
from jinka.ledger import LedgerEngine
from jinka.store import SqlIssuerBooks, SqlLedger, database_at
from tests.issuer.host_rig import Bank, vault


@contextmanager
def books_on(place: Callable[[], Path | str]) -> Iterator[None]:
    """Each `Bank` of the block has books and ledger in a database of its own."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:

        def make() -> tuple[IssuerBooks, LedgerEngine]:
            database = stack.enter_context(database_at(place()))
            ledger = SqlLedger(database)
            return SqlIssuerBooks(database, vault(), ledger), ledger

        patch.setattr(Bank, "make_books", staticmethod(make))
        yield


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def books_engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine that the books of the test's banks are on."""
    if request.param == "memory":
        yield request.param
        return
    with books_on(request.getfixturevalue(f"fresh_{request.param}")):
        yield request.param
