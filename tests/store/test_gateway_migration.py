"""Operations from before their terminal was kept: the migration gives them their merchant's."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import jinka.store
from jinka.store import GatewayBooks, database_at

SCRIPTS = Path(jinka.store.__file__).with_name("migrations")


def at_version(engine: sa.Engine, version: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, version)


def test_an_operation_that_is_there_gets_its_merchants_terminal(tmp_path: Path) -> None:
    engine = sa.create_engine(f"sqlite:///{tmp_path / 'old.db'}")
    at_version(engine, "0009")
    with engine.begin() as connection:
        for merchant, terminal in (("tea", "00000001"), ("rice", "00000002")):
            connection.execute(
                sa.text("INSERT INTO gateway_merchants VALUES (:m, '', '', '', '', :t, :k, '', x'', 600, 1)"),
                {"m": merchant, "t": terminal, "k": merchant.encode()},
            )
        for at, merchant in enumerate(("tea", "rice", "gone"), 1):
            connection.execute(
                sa.text(
                    "INSERT INTO gateway_orders VALUES (:o, :m, '', 5, 'CNY', 0, 9, :o, '', '', 0, 'unknown', "
                    "0, 0, 0, 1, 1, x'', x'', '', '', 1)"
                ),
                {"o": bytes([at]) * 16, "m": merchant},
            )
            connection.execute(
                sa.text(
                    "INSERT INTO gateway_operations VALUES (:o, :o, 1, 'purchase', 5, 0, x'', zeroblob(16), :s, "
                    "'unknown', '', '')"
                ),
                {"o": bytes([at]) * 16, "s": at},
            )
    engine.dispose()
    with database_at(tmp_path / "old.db") as found, GatewayBooks(found).desk() as desk:
        kept = [operation for at in (1, 2, 3) for operation in desk.operations(bytes([at]) * 16)]
    assert [operation.terminal for operation in kept] == ["00000001", "00000002", ""]
    assert {(operation.institution, operation.reversing) for operation in kept} == {("", False)}
