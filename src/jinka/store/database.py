"""Opening a centre's SQLite database: WAL, synchronous FULL, foreign keys, and the schema at its newest version."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

BUSY_TIMEOUT_MS = 10_000


def open_database(path: Path) -> sa.Engine:
    """Open or create the database and migrate it. One process may write at a time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), hide_parameters=True
    )  # errors must not print card numbers
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        migrate(connection)
    return engine


@contextmanager
def database_at(path: Path) -> Iterator[sa.Engine]:
    """`open_database` for a ``with`` block; closed at its end."""
    engine = open_database(path)
    try:
        yield engine
    finally:
        engine.dispose()


def migrate(connection: sa.Connection) -> None:
    """Bring the schema to the newest version; all or nothing."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _configure(raw: Any, _: object) -> None:
    """Leave transactions to `_begin`: the driver's own would commit before DDL."""
    raw.isolation_level = None
    cursor = raw.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
