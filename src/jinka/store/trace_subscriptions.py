"""Subscriptions in SQL: how far each receiver has acknowledged is on the disk before anything else happens.

Implements what `jinka.trace.subscriptions` describes. A message that is under way is kept beside its
subscription. The client's token is sealed; who opens it is `jinka.app`. A query that is removed takes its
subscriptions along (EPCIS 2.0, REST binding: DELETE /queries/{name}).
"""

from __future__ import annotations

import fcntl
import json
import os
import threading
import zlib
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from jinka.store.database import reading
from jinka.store.schema import metadata
from jinka.trace.schedule import read_schedule
from jinka.trace.subscriptions import State, Subscription

subscriptions = sa.Table(
    "trace_subscriptions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("query", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("dest", sa.Text, nullable=False),
    sa.Column("sealed_token", sa.LargeBinary, nullable=False),
    sa.Column("schedule", sa.Text, nullable=False),  # JSON; empty for a stream
    sa.Column("report_if_empty", sa.Boolean, nullable=False),
    sa.Column("epc_format", sa.Text, nullable=False),
    sa.Column("created_micros", sa.BigInteger, nullable=False),
    sa.Column("initial_micros", sa.BigInteger, nullable=False),
    sa.Column("acknowledged", sa.BigInteger, nullable=False),
    sa.Column("offered", sa.BigInteger, nullable=False),
    sa.Column("batch", sa.BigInteger, nullable=False),
    sa.Column("next_micros", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.BigInteger, nullable=False),
    sa.Column("notified_micros", sa.BigInteger, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("message", sa.LargeBinary, nullable=False, server_default=sa.text("''")),  # deflated
    sa.Index("trace_subscriptions_by_next_micros", "state", "next_micros"),
    sa.Index("trace_subscriptions_by_query", "query", "id"),
)
_C = subscriptions.c
_MESSAGE_MAX = 1 << 30  # what was deflated here
_OWN = [column for column in _C if column.name != "message"]
_DELIVERIES = 0x74726465  # "trde"; PostgreSQL's advisory lock


class SubscriptionBooks:
    """Each act is one transaction."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine, self._read = engine, reading(engine)

    def add(self, made: Subscription) -> None:
        """Keep a new one."""
        with self._engine.begin() as connection:
            connection.execute(subscriptions.insert(), _values(made))

    def save(self, changed: Subscription) -> bool:
        """Write what a try came to; False when it was ended meanwhile: then nothing is to be done for it.

        What is not under way any more has no message.
        """
        return self._update(changed, {} if changed.offered else {"message": b""})

    def offer(self, changed: Subscription, message: bytes) -> bool:
        """Write down what is about to be sent; False when it was ended meanwhile."""
        return self._update(changed, {"message": zlib.compress(message, 1)})

    def message(self, id_: str) -> bytes:
        """What is under way, as it was first written; empty where there is nothing."""
        with self._read.begin() as connection:
            kept = connection.scalar(sa.select(_C.message).where(_C.id == id_))
        return zlib.decompressobj().decompress(kept, _MESSAGE_MAX) if kept else b""

    def _update(self, changed: Subscription, more: dict[str, Any]) -> bool:
        with self._engine.begin() as connection:
            found = subscriptions.update().where(_C.id == changed.id).values(_values(changed) | more)
            return bool(connection.execute(found).rowcount)

    def one(self, query: str, id_: str) -> Subscription | None:
        """One of a query's."""
        with self._read.begin() as connection:
            found = sa.select(*_OWN).where(_C.id == id_, _C.query == query)
            row = connection.execute(found).mappings().first()
            return None if row is None else _subscription(row)

    def listed(self, query: str, owner: str, after: str, most: int) -> list[Subscription]:
        """A participant's of a query, behind an id."""
        found = sa.select(*_OWN).where(_C.query == query, _C.owner == owner, _C.id > after)
        return self._all(found.order_by(_C.id).limit(most))

    def count(self, owner: str) -> int:
        """How many a participant has."""
        with self._read.begin() as connection:
            found = sa.select(sa.func.count()).select_from(subscriptions).where(_C.owner == owner)
            return int(connection.scalar(found) or 0)

    def others(self, query: str, owner: str) -> int:
        """How many subscriptions of a query are not this participant's."""
        with self._read.begin() as connection:
            mine = sa.and_(_C.query == query, _C.owner != owner)
            return int(
                connection.scalar(sa.select(sa.func.count()).select_from(subscriptions).where(mine)) or 0
            )

    def due(self, now_micros: int, newest: int, most: int) -> list[Subscription]:
        """Those to be looked at, the longest waiting first; a stream when events came that it has not looked at."""
        ready = sa.and_(_C.state == State.ACTIVE.value, _C.next_micros <= now_micros)
        work = sa.or_(_C.schedule != "", _C.offered > 0, _C.acknowledged < newest)
        return self._all(sa.select(*_OWN).where(ready, work).order_by(_C.next_micros, _C.id).limit(most))

    def remove(self, query: str, id_: str) -> bool:
        """End one; False when there was none."""
        with self._engine.begin() as connection:
            gone = subscriptions.delete().where(_C.id == id_, _C.query == query)
            return bool(connection.execute(gone).rowcount)

    def remove_of(self, query: str) -> int:
        """End all of a query's; the number."""
        with self._engine.begin() as connection:
            return int(connection.execute(subscriptions.delete().where(_C.query == query)).rowcount)

    def _all(self, found: sa.Select[Any]) -> list[Subscription]:
        with self._read.begin() as connection:
            return [_subscription(row) for row in connection.execute(found).mappings()]


class DeliveryTurn:
    """Which of several processes on one database delivers: the one that came first, until it ends.

    SQLite: a lock on a file beside the database. PostgreSQL: an advisory lock of a session that is kept for it.
    """

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._descriptor = -1
        self._session: sa.Connection | None = None
        self._lock = threading.Lock()

    def held(self) -> bool:
        """Whether it is this process's turn; taken if it is nobody's. Safe for threads."""
        with self._lock:
            return self._held()

    def _held(self) -> bool:
        return self._held_file() if self._engine.dialect.name == "sqlite" else self._held_session()

    def close(self) -> None:
        """Give it up."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
        if self._session is not None:
            self._session.invalidate()  # the server ends the session, and with it the lock
            self._session.close()
            self._session = None

    def _held_file(self) -> bool:
        if self._descriptor >= 0:
            return True
        place = f"{self._engine.url.database}-deliveries"
        descriptor = os.open(place, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        return True

    def _held_session(self) -> bool:
        try:
            if self._session is not None:
                self._session.execute(sa.select(1))
                return True
            session = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
            if session.scalar(sa.select(sa.func.pg_try_advisory_lock(_DELIVERIES))):
                self._session = session
                return True
            session.close()
        except sa.exc.DBAPIError:
            if self._session is not None:
                self._session.close()
                self._session = None
        return False


def _values(made: Subscription) -> dict[str, Any]:
    values = {column.name: getattr(made, column.name) for column in _OWN}
    given = json.dumps(dict(made.schedule.given)) if made.schedule is not None else ""
    return values | {"schedule": given, "state": made.state.value}


def _subscription(row: sa.RowMapping | Mapping[str, Any]) -> Subscription:
    schedule = read_schedule(json.loads(row["schedule"])) if row["schedule"] else None
    return Subscription(**{**row, "schedule": schedule, "state": State(row["state"])})
