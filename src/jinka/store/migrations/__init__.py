"""Alembic's environment and the versions of the SQL schema; run by `jinka.store.database.open_database`."""

__all__: list[str] = []
