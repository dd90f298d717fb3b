"""Alembic's entry: migrate the one connection that the caller gives. There is no offline mode."""

from __future__ import annotations

from alembic import context

from jinka.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
