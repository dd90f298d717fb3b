"""Alembic's entry: migrate the one connection that the caller gives. There is no offline mode."""

from __future__ import annotations

from alembic import context

from jinka.store.ledger_schema import LEDGER_METADATA
from jinka.store.schema import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=[metadata, LEDGER_METADATA[connection.dialect.name]])
with context.begin_transaction():
    context.run_migrations()
