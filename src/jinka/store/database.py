"""Opening a centre's database, with the schema at its newest version: SQLite, or PostgreSQL by its URL.

SQLite: WAL, synchronous FULL, foreign keys. PostgreSQL 15 or newer: what the server says of durability must be on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from jinka.kit import Refused, Usage

Database = sa.Engine  # what rooms above hand around without knowing the library
BUSY_TIMEOUT_MS = 10_000
READS = "jinka_reads"
_CACHE_KIB = 128 * 1024  # the indexes of ids are met at random places
_PAGE_BYTES = 4_096  # a page is written whole for each id that falls into it
_CHECKPOINT_PAGES = 16_384  # 64 MiB of log: a page that many calls change is written back once
_POSTGRES = ("postgresql://", "postgres://")
_OLDEST_POSTGRES = 15
_MIGRATION_LOCK = 0x6A696E6B61  # "jinka"


def is_postgres(where: Path | str) -> bool:
    """Whether ``where`` is the URL of a PostgreSQL database and not the path of a file."""
    return isinstance(where, str) and where.startswith(_POSTGRES)


def open_database(where: Path | str) -> sa.Engine:
    """Open the database at a path, or at a URL ``postgresql://user@host/name``, and migrate it.

    A file is created when it is absent, and one process may write to it at a time; a PostgreSQL database must exist.
    """
    if is_postgres(where):
        return _open_postgres(str(where))
    if isinstance(where, str) and "://" in where:
        kind = where.partition(":")[0]
        raise Usage(f"no engine for {kind}", where="database", fix="a path, or postgresql://user@host/name")
    path = Path(where)
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), hide_parameters=True
    )  # errors must not print card numbers
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        migrate(connection)
    return engine


def _open_postgres(url: str) -> sa.Engine:
    parsed = sa.make_url(url).set(drivername="postgresql+psycopg")
    try:
        engine = sa.create_engine(parsed, hide_parameters=True)
    except ModuleNotFoundError as error:
        raise Usage(
            "PostgreSQL needs psycopg", where="database", fix='pip install "jinka[postgres]"'
        ) from error
    try:
        with engine.begin() as connection:
            _check_server(connection)
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
            migrate(connection)
    except BaseException:
        engine.dispose()
        raise
    return engine


def _check_server(connection: sa.Connection) -> None:
    version = connection.exec_driver_sql("SHOW server_version_num").scalar_one()
    if int(version) // 10_000 < _OLDEST_POSTGRES:
        raise Refused(f"PostgreSQL {int(version) // 10_000}", where="database", fix="15 or newer")
    for setting in ("fsync", "full_page_writes", "synchronous_commit"):
        if connection.exec_driver_sql(f"SHOW {setting}").scalar_one() == "off":
            raise Refused(f"{setting} is off", where="database", fix="what is acknowledged must be durable")


@contextmanager
def database_at(where: Path | str) -> Iterator[sa.Engine]:
    """`open_database` for a ``with`` block; closed at its end."""
    engine = open_database(where)
    try:
        yield engine
    finally:
        engine.dispose()


def migrate(connection: sa.Connection) -> None:
    """Bring the schema to the newest version; all or nothing. Alembic is loaded where there is something to do."""
    scripts = Path(__file__).with_name("migrations")
    if _version(connection) == max(path.name[1:5] for path in (scripts / "versions").glob("v*.py")):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: sa.Connection) -> str:
    """Where Alembic left the schema; empty for a new database."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def _configure(raw: Any, _: object) -> None:
    """Leave transactions to `_begin`: the driver's own would commit before DDL."""
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        f"page_size = {_PAGE_BYTES}",  # of a new file
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{_CACHE_KIB}",
        f"wal_autocheckpoint = {_CHECKPOINT_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # Who only reads says so (`reading`), and then keeps no writer waiting, however long it takes.
    reads = connection.get_execution_options().get(READS, False)
    raw = connection.connection.driver_connection
    if (
        raw is not None
    ):  # straight to the driver: it is said before each of thousands of transactions a second
        raw.execute("BEGIN" if reads else "BEGIN IMMEDIATE")


def reading(engine: sa.Engine) -> sa.Engine:
    """The same database for reading alone: on SQLite, beside a writer."""
    return engine.execution_options(**{READS: True})


def add_once(connection: sa.Connection, table: sa.Table, row: Mapping[str, object]) -> None:
    """Write a row, unless one with its key is there: another connection may write it at the same moment."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(dict(row)).on_conflict_do_nothing())
