"""Named queries as they were given, and tokens of pages that were given back. EPCIS 2.0, 8.2.5 and 12.4.

Where callers are told apart a query is its maker's, and so is its name: two may have queries of one name.
"""

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
    """A query under its name, with the namespaces that were declared beside it. ``owner``: empty for everybody's."""

    name: str
    parameters: Mapping[str, Any]
    prefixes: Mapping[str, str]
    owner: str = ""

    @property
    def key(self) -> str:
        """What it is known by among all owners' queries."""
        return query_key(self.name, self.owner)

    @property
    def query(self) -> EventQuery:
        """What it asks."""
        return read_query(self.parameters, self.prefixes)


_APART = "\x1f"  # stands in no name


def query_key(name: str, owner: str) -> str:
    """Under what the query of an owner is kept."""
    return f"{name}{_APART}{owner}" if owner else name


def query_name(key: str) -> str:
    """What its owner calls it."""
    return key.partition(_APART)[0]


class NamedQueries:
    """All of a repository."""

    def __init__(self, engine: sa.Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def add(self, made: NamedQuery) -> bool:
        """Keep one; False where its owner has one of this name."""
        values = {
            "name": made.key,
            "owner": made.owner,
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

    def one(self, key: str) -> NamedQuery | None:
        """The query of a key."""
        found = self._all(sa.select(table.queries).where(table.queries.c.name == key))
        return found[0] if found else None

    def listed(self, after: str, most: int, owner: str | None = None) -> list[NamedQuery]:
        """In the order of their keys, behind one; with ``owner`` those of one."""
        columns = table.queries.c
        found = sa.select(table.queries).where(columns.name > after).order_by(columns.name).limit(most)
        return self._all(found if owner is None else found.where(columns.owner == owner))

    def remove(self, key: str) -> bool:
        """Forget one; False where there is none."""
        with self._engine.begin() as connection:
            return bool(
                connection.execute(table.queries.delete().where(table.queries.c.name == key)).rowcount
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
                    name=query_name(row["name"]),
                    owner=row["owner"],
                    parameters=json.loads(row["query"]),
                    prefixes=json.loads(row["prefixes"]),
                )
                for row in connection.execute(found).mappings()
            ]
