"""PostgreSQL by its URL: the same migrations, tables and refusals; and a server that is not durable is refused."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext

import jinka.store.database as database_module
from jinka.app.own_postgres import OwnPostgres
from jinka.kit import Refused, Usage
from jinka.ledger import PendingState
from jinka.store import SqlLedger, database_at, open_database
from jinka.store.ledger_schema import LEDGER_METADATA
from jinka.store.schema import APPEND_ONLY, metadata
from tests.databases import TEMPLATE, declare_tables
from tests.ledger.test_contract import A, B, account, move


def test_the_migrations_make_exactly_the_declared_tables_on_postgres(postgres: OwnPostgres) -> None:
    declare_tables()
    untouched = postgres.make_database("declared", TEMPLATE)  # one that was lent has partitions of its months
    with database_at(untouched) as database, database.connect() as connection:
        assert (
            compare_metadata(
                MigrationContext.configure(connection), [metadata, LEDGER_METADATA["postgresql"]]
            )
            == []
        )


def test_nothing_is_rewritten_on_postgres(fresh_postgres: Callable[[], str]) -> None:
    with database_at(fresh_postgres()) as database:
        ledger = SqlLedger(database)
        ledger.create_accounts([account(A), account(B)])
        ledger.create_transfers([move("x", 5)])
        for table in APPEND_ONLY:
            for statement in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
                with (
                    database.connect() as connection,
                    pytest.raises(sa.exc.DatabaseError, match="append-only"),
                ):
                    connection.exec_driver_sql(statement)
        with database.connect() as connection, pytest.raises(sa.exc.DatabaseError, match="append-only"):
            connection.exec_driver_sql("DELETE FROM ledger_accounts")


def test_a_server_that_may_lose_commits_is_refused(postgres: OwnPostgres) -> None:
    url = postgres.make_database("careless")
    with database_at(url) as database, database.begin() as connection:
        connection.exec_driver_sql("ALTER DATABASE careless SET synchronous_commit = off")
    with pytest.raises(Refused, match="synchronous_commit is off"):
        open_database(url)


def test_other_urls_are_refused_with_what_is_possible() -> None:
    with pytest.raises(Usage, match="postgresql://user@host/name"):
        open_database("mysql://x/y")


def test_a_ledger_of_the_first_versions_keeps_its_books(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database of version 0003 with a posted, a voided and an open transfer, opened by the newest."""

    def to_0003(connection: sa.Connection) -> None:
        config = Config()
        config.set_main_option("script_location", str(Path(database_module.__file__).with_name("migrations")))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "0003")

    with monkeypatch.context() as patched:
        patched.setattr(database_module, "migrate", to_0003)
        open_database(tmp_path / "l.db").dispose()
    held = [move(f"held{n}", 10, flags=move("x", 0).flags.PENDING) for n in range(3)]
    post = move("post", 4, flags=held[0].flags.POST_PENDING, pending=held[0].id)
    void = move("void", 10, flags=held[0].flags.VOID_PENDING, pending=held[1].id)
    with sqlite3.connect(tmp_path / "l.db") as raw:
        for id_, sums in ((A, (10, 4, 0, 0)), (B, (0, 0, 10, 4))):
            raw.execute(
                "INSERT INTO ledger_accounts VALUES (?, 156, 1, 0, ?, ?, ?, ?, ?)", (id_, bytes(16), *sums)
            )
        for seq, t in enumerate([*held, post, void], 1):
            raw.execute(
                "INSERT INTO ledger_transfers VALUES (?, ?, ?, ?, ?, 156, 9, ?, ?, ?, 5)",
                (seq, t.id, A, B, t.amount, int(t.flags), t.pending_id, bytes(16)),
            )
    raw.close()
    with database_at(tmp_path / "l.db") as database:
        ledger = SqlLedger(database)
        assert ledger.history(A) == ledger.history(B) == [*held, post, void]
        with database.connect() as connection:
            rows = connection.exec_driver_sql("SELECT id, state FROM ledger_pendings").all()
        found = {row[0]: row[1] for row in rows}
        states = (PendingState.POSTED, PendingState.VOIDED, PendingState.OPEN)
        assert found == {t.id: state for t, state in zip(held, states, strict=True)}
        last = move("last", 10, flags=post.flags, pending=held[2].id)
        assert [r.name for r in ledger.create_transfers([post, void, last])] == [
            "EXISTS",
            "EXISTS",
            "CREATED",
        ]
        assert ledger.history(B)[-1] == last
        assert (ledger.balances([A])[A].debits_pending, ledger.balances([A])[A].debits_posted) == (0, 14)
