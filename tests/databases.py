"""Clean databases with the newest schema for the tests, on SQLite and on a PostgreSQL server of their own.

The server is started once in a run. A copy of one of its databases costs half a second of the disk, so what a test is
done with is emptied and lent again; what cannot be emptied at once (somebody holds it still) is left alone. An SQLite
file is a copy of one that was migrated once. The fixtures are for every test (`tests.conftest`), so engines are loaded
when somebody asks.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path
from pkgutil import iter_modules

import pytest

from jinka.app.own_postgres import OwnPostgres, own_postgres
from jinka.kit import NotFound

TEMPLATE = "migrated"
_EMPTY = """
DO $$ DECLARE found record; BEGIN
  SET LOCAL lock_timeout = '500ms';
  SET LOCAL session_replication_role = replica; -- what refuses deletions is a trigger
  FOR found IN SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
  LOOP EXECUTE format('DELETE FROM %I', found.name); END LOOP;
  FOR found IN SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'public'
  LOOP EXECUTE format('ALTER SEQUENCE %I RESTART', found.name); END LOOP;
END $$
"""


class Databases:
    """Databases with the newest schema and nothing in them."""

    def __init__(self, server: OwnPostgres) -> None:
        self._server, self._used = server, list[str]()
        self._made = 0

    def lend(self) -> str:
        """The URL of one that nobody else has."""
        import psycopg

        while self._used:
            url = self._used.pop()
            try:
                with psycopg.connect(url) as connection:
                    connection.execute(_EMPTY)
            except psycopg.Error:
                continue
            return url
        self._made += 1
        return self._server.make_database(f"test{self._made}", TEMPLATE)

    def give_back(self, url: str) -> None:
        self._used.append(url)


@pytest.fixture(scope="session")
def postgres() -> Iterator[OwnPostgres]:
    """The server; skips with its name where the package is absent."""
    from jinka.store import open_database

    try:
        with own_postgres() as server:
            open_database(server.make_database(TEMPLATE)).dispose()
            yield server
    except NotFound as error:
        pytest.skip(f"no PostgreSQL server: {error}")


@pytest.fixture(scope="session")
def postgres_databases(postgres: OwnPostgres) -> Databases:
    return Databases(postgres)


@pytest.fixture
def fresh_postgres(postgres_databases: Databases) -> Iterator[Callable[[], str]]:
    """A function that returns the URL of a clean database with the newest schema."""
    lent: list[str] = []

    def lend() -> str:
        lent.append(postgres_databases.lend())
        return lent[-1]

    yield lend
    for url in lent:
        postgres_databases.give_back(url)


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return empty_database(tmp_path_factory.mktemp("sqlite") / "empty.db")


def declare_tables() -> None:
    """Load every module of the store, since its parts declare their tables when they are asked for."""
    from jinka import store

    for module in iter_modules(store.__path__):
        if not module.name.startswith("spark"):  # an extra, and declares none
            import_module(f"jinka.store.{module.name}")


@cache
def _migrated() -> bytes:
    """A database with the newest schema, which costs a third of a second to make."""
    from jinka.store import open_database

    with tempfile.TemporaryDirectory() as folder:
        open_database(path := Path(folder) / "empty.db").dispose()
        return path.read_bytes()


def empty_database(path: Path) -> Path:
    """Such a database at ``path``, for what makes its databases outside of fixtures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated())
    return path


@pytest.fixture
def fresh_sqlite(empty_sqlite: Path, tmp_path: Path) -> Callable[[], Path]:
    """A function that returns the path of a clean database with the newest schema."""
    numbers = count()
    return lambda: shutil.copy(empty_sqlite, tmp_path / f"test{next(numbers)}.db")


@pytest.fixture(params=["sqlite", "postgres"])
def where(request: pytest.FixtureRequest) -> Path | str:
    """A database of each engine that a switch, an issuer or a gateway may have."""
    made: Path | str = request.getfixturevalue(f"fresh_{request.param}")()
    return made
