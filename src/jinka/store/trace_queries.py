"""Named queries as they were given, and tokens of pages that were given back. EPCIS 2.0, 8.2.5 and 12.4."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from jinka.kit import Clock
from jinka.kit.frozen import quick
from jinka.store import trace_tables as table
from jinka.store.database import reading
from jinka.store.trace_parameters import read_query
from jinka.store.trace_query import EventQuery


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class NamedQuery:
    """A query under its name, with the namespaces that were declared beside it."""

    name: str
    parameters: Mapping[str, Any]
    prefixes: Mapping[str, str]

    @property
    def query(self) -> EventQuery:
        """What it asks."""
        return read_query(self.parameters, self.prefixes)


class NamedQueries:
    """All of a repository."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def add(self, made: NamedQuery) -> bool:
        """Keep one; False where the name is taken."""
        values = {
            "name": made.name,
            "created_micros": self._clock.now_micros(),
            "query": json.dumps(made.parameters),
            "prefixes": json.dumps(dict(made.prefixes)),
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(table.queries.insert(), values)
        except sa.exc.IntegrityError:
            return False
        return True

    def one(self, name: str) -> NamedQuery | None:
        """The query of a name."""
        found = self._all(sa.select(table.queries).where(table.queries.c.name == name))
        return found[0] if found else None

    def listed(self, after: str, most: int) -> list[NamedQuery]:
        """In the order of their names, behind one."""
        columns = table.queries.c
        return self._all(
            sa.select(table.queries).where(columns.name > after).order_by(columns.name).limit(most)
        )

    def remove(self, name: str) -> bool:
        """Forget one; False where there is none."""
        with self._engine.begin() as connection:
            return bool(
                connection.execute(table.queries.delete().where(table.queries.c.name == name)).rowcount
            )

    def drop_token(self, digest: bytes, expires_micros: int) -> None:
        """Let a token count no more; those that would have expired are forgotten."""
        columns, now = table.dropped_tokens.c, self._clock.now_micros()
        with self._engine.begin() as connection:
            connection.execute(table.dropped_tokens.delete().where(columns.expires_micros <= now))
            here = sa.select(columns.token).where(columns.token == digest)
            if expires_micros > now and connection.execute(here).first() is None:
                values = {"token": digest, "expires_micros": expires_micros}
                connection.execute(table.dropped_tokens.insert(), values)

    def token_dropped(self, digest: bytes) -> bool:
        """Whether a token was given back."""
        found = sa.select(table.dropped_tokens.c.token).where(table.dropped_tokens.c.token == digest)
        with reading(self._engine).begin() as connection:
            return connection.execute(found).first() is not None

    def _all(self, found: sa.Select[Any]) -> list[NamedQuery]:
        with reading(self._engine).begin() as connection:
            return [
                NamedQuery(
                    name=row["name"],
                    parameters=json.loads(row["query"]),
                    prefixes=json.loads(row["prefixes"]),
                )
                for row in connection.execute(found).mappings()
            ]
