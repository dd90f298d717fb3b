"""Storage and engines: SQLite through SQLAlchemy and Alembic, Parquet, DuckDB through Ibis.

The only importer of duckdb, pyspark, SQLAlchemy and Alembic. Decides nothing: rules live in the rooms below. What
clears a day is loaded when it is asked for: a switch or a terminal starts without DuckDB and Ibis.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from jinka.store.certificates import AuthorityTables, SqlArchive, SqlBooks, SqlOfficers, authority_in
from jinka.store.database import database_at, open_database
from jinka.store.gateway import GatewayBooks, GatewayDesk
from jinka.store.issuer_books import SqlIssuerBooks
from jinka.store.issuer_loads import SqlLoads
from jinka.store.ledger import SqlLedger, open_ledger
from jinka.store.plain_sql import PlainSql, without_flush
from jinka.store.registrations import Register, register_in
from jinka.store.registry import load_registry, register_cards, save_registry
from jinka.store.switch_journal import JournalLine, SwitchJournal

if TYPE_CHECKING:
    from jinka.store.disputes import SqlDisputes
    from jinka.store.duck import DuckEngine
    from jinka.store.durable import publish
    from jinka.store.journal import SqlJournal
    from jinka.store.record_files import ROW_GROUP_ROWS, record_writer, write_records
    from jinka.store.shadow import ShadowFiles, SqlFloat, TakenDay
    from jinka.store.spark import SparkEngine
    from jinka.store.windows import SqlWindows

_LATER = {"DuckEngine": "duck", "publish": "durable"}
_LATER |= dict.fromkeys(("ROW_GROUP_ROWS", "record_writer", "write_records"), "record_files")
_LATER |= {
    "SparkEngine": "spark",
    "ShadowFiles": "shadow",
    "SqlDisputes": "disputes",
    "SqlFloat": "shadow",
    "SqlJournal": "journal",
    "SqlWindows": "windows",
    "TakenDay": "shadow",
}

__all__ = [
    "ROW_GROUP_ROWS",
    "AuthorityTables",
    "DuckEngine",
    "GatewayBooks",
    "GatewayDesk",
    "JournalLine",
    "PlainSql",
    "Register",
    "ShadowFiles",
    "SparkEngine",
    "SqlArchive",
    "SqlBooks",
    "SqlDisputes",
    "SqlFloat",
    "SqlIssuerBooks",
    "SqlJournal",
    "SqlLedger",
    "SqlLoads",
    "SqlOfficers",
    "SqlWindows",
    "SwitchJournal",
    "TakenDay",
    "authority_in",
    "database_at",
    "load_registry",
    "open_database",
    "open_ledger",
    "publish",
    "record_writer",
    "register_cards",
    "register_in",
    "save_registry",
    "without_flush",
    "write_records",
]


def __getattr__(name: str) -> object:
    """What is in `_LATER`, on first use (PEP 562)."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
