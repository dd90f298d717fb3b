"""Storage and engines: SQLite through SQLAlchemy and Alembic, Parquet, DuckDB through Ibis.

The only importer of duckdb, SQLAlchemy and Alembic. Decides nothing: rules live in the rooms below.
"""

from jinka.store.duck import DuckEngine

__all__ = ["DuckEngine"]
