"""Storage and engines: SQLite through SQLAlchemy and Alembic, Parquet, DuckDB through Ibis.

The only importer of duckdb, pyspark, SQLAlchemy and Alembic. Decides nothing: rules live in the rooms below. Each part
is loaded when it is asked for: a switch or a terminal starts without DuckDB and Ibis, a centre without the gateway.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinka.store.certificates import AuthorityTables, SqlArchive, SqlBooks, SqlOfficers, authority_in
    from jinka.store.database import database_at, open_database
    from jinka.store.disputes import SqlDisputes
    from jinka.store.duck import DuckEngine
    from jinka.store.durable import publish
    from jinka.store.gateway import GatewayBooks, GatewayDesk
    from jinka.store.issue_entries import Demand, IssueRegister, issues_in
    from jinka.store.issuer_books import SqlIssuerBooks
    from jinka.store.issuer_loads import SqlLoads
    from jinka.store.journal import SqlJournal
    from jinka.store.ledger import SqlLedger, open_ledger
    from jinka.store.plain_sql import PlainSql, without_flush
    from jinka.store.record_files import ROW_GROUP_ROWS, record_writer, write_records
    from jinka.store.registrations import Register, register_in
    from jinka.store.registry import load_registry, register_cards, save_registry
    from jinka.store.shadow import ShadowFiles, SqlFloat, TakenDay
    from jinka.store.spark import SparkEngine
    from jinka.store.switch_journal import JournalLine, SwitchJournal
    from jinka.store.windows import SqlWindows

_PARTS = {
    "certificates": "AuthorityTables SqlArchive SqlBooks SqlOfficers authority_in",
    "database": "database_at open_database",
    "disputes": "SqlDisputes",
    "duck": "DuckEngine",
    "durable": "publish",
    "gateway": "GatewayBooks GatewayDesk",
    "issue_entries": "Demand IssueRegister issues_in",
    "issuer_books": "SqlIssuerBooks",
    "issuer_loads": "SqlLoads",
    "journal": "SqlJournal",
    "ledger": "SqlLedger open_ledger",
    "plain_sql": "PlainSql without_flush",
    "record_files": "ROW_GROUP_ROWS record_writer write_records",
    "registrations": "Register register_in",
    "registry": "load_registry register_cards save_registry",
    "shadow": "ShadowFiles SqlFloat TakenDay",
    "spark": "SparkEngine",
    "switch_journal": "JournalLine SwitchJournal",
    "windows": "SqlWindows",
}
_PLACES = {name: part for part, names in _PARTS.items() for name in names.split()}

__all__ = [
    "ROW_GROUP_ROWS",
    "AuthorityTables",
    "Demand",
    "DuckEngine",
    "GatewayBooks",
    "GatewayDesk",
    "IssueRegister",
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
    "issues_in",
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
    """What is in `_PARTS`, on first use (PEP 562)."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
