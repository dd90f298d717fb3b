"""A PostgreSQL server for the tests that ask for one: their own, started once in a run, one database for each test."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import pytest

from jinka.app.own_postgres import OwnPostgres, own_postgres
from jinka.kit import NotFound
from jinka.store import open_database

TEMPLATE = "migrated"
_numbers = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[OwnPostgres]:
    """The server; skips with its name where the package is absent."""
    try:
        with own_postgres() as server:
            open_database(server.make_database(TEMPLATE)).dispose()
            yield server
    except NotFound as error:
        pytest.skip(f"no PostgreSQL server: {error}")


@pytest.fixture(scope="session")
def fresh_postgres(postgres: OwnPostgres) -> Callable[[], str]:
    """A function that returns the URL of a new database with the newest schema."""
    return lambda: postgres.make_database(f"test{next(_numbers)}", TEMPLATE)
