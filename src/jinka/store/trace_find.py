"""Pages of a query's events, and the lists of what the events name.

A page continues behind a `Position`: the last event's place in the order, within what was recorded when the first page
was asked, so that pages fit together whatever is captured meanwhile. A query that would take the server longer than
`QUERY_S` is a `TooComplexException`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from jinka.store import trace_tables as table
from jinka.store.database import reading
from jinka.store.trace_query import AnyOf, EventQuery, Order, Test, TooComplexException, TooLargeException
from jinka.store.trace_sql import Condition, Span, event_key, listable, matching, seqs, span_of

QUERY_S = 30.0
_FEW = 2_000  # events that are listed first and looked at one by one
_STEPS = 20_000  # of SQLite's machine between two looks at the clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where a page ends: nothing later than ``upto`` belongs to the result, ``given`` events were given so far."""

    upto: int
    given: int = 0
    value: int = 0  # of the last event in the order
    seq: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event as it is kept."""

    seq: int  # its record time
    event_micros: int
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Events, and where the next page begins; None after the last. ``begun``: where this one did."""

    rows: tuple[Row, ...]
    after: Position | None
    begun: Position

    def behind(self, query: EventQuery, count: int) -> Position:
        """Where a page would begin that goes on behind the first ``count`` of these events."""
        last, given = self.rows[count - 1], self.begun.given + count
        value = last.event_micros if query.order is Order.EVENT_TIME else last.seq
        return Position(upto=self.begun.upto, given=given, value=value, seq=last.seq)


class TraceReader:
    """Reads beside the writer."""

    def __init__(self, engine: sa.Engine, *, query_s: float = QUERY_S) -> None:
        self._engine, self._query_s = reading(engine), query_s

    def page(self, query: EventQuery, most: int, after: Position | None = None) -> Page:
        """At most ``most`` events; raises `TooLargeException` and `TooComplexException`."""
        with self._patiently() as connection:
            driver = _driver(connection, query)
            if after is None:
                after = Position(upto=_newest(connection))
                _check_count(connection, query, after.upto, driver)
            most = (
                most if query.event_count_limit is None else min(most, query.event_count_limit - after.given)
            )
            found, by = matching(query, after.upto, driver)
            found = _behind(found, query, by, after).limit(most + 1)
            rows = [Row(seq=s, event_micros=e, document=d) for s, e, d in connection.execute(found)]
        return _page(query, rows, most, after)

    def by_id(self, event_id: str) -> list[Row]:
        """An event, and what declared it to be an error, in the order that they were recorded."""
        keys, columns = table.ids.c, table.events.c
        found = sa.select(columns.seq, columns.event_micros, columns.document).where(
            columns.seq == keys.seq, keys.key == event_key(event_id)
        )
        with self._patiently() as connection:
            rows = connection.execute(found.order_by(columns.seq))
            return [Row(seq=s, event_micros=e, document=d) for s, e, d in rows]

    def exists(self, test: Test) -> bool:
        """Whether any event passes."""
        with self._patiently() as connection:
            return connection.execute(seqs(test).limit(1)).first() is not None

    def values(self, fields: Sequence[int], after: str, most: int) -> list[str]:
        """The different values of some fields in their order, behind one of them."""
        columns = table.terms.c
        found: set[str] = set()
        with self._patiently() as connection:
            for field in fields:
                value = after
                for _ in range(most):
                    least = sa.select(columns.value).where(columns.kind == field, columns.value > value)
                    row = connection.execute(least.order_by(columns.value).limit(1)).first()
                    if row is None:
                        break
                    value = row[0]
                    found.add(value)
        return sorted(found)[:most]

    def newest(self) -> int:
        """The record time of the newest event; 0 without any."""
        with self._patiently() as connection:
            return _newest(connection)

    @contextmanager
    def _patiently(self) -> Iterator[sa.Connection]:
        """A transaction that is given up when it takes too long."""
        with self._engine.begin() as connection:
            try:
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {int(self._query_s * 1000)}")
                    yield connection
                else:
                    yield from _timed(connection, self._query_s)
            except sa.exc.OperationalError as error:
                if "interrupted" in str(error.orig) or "statement timeout" in str(error.orig):
                    raise TooComplexException(
                        "the query takes too long", where="query", fix="ask for less: a time, a place, an EPC"
                    ) from None
                raise


def _timed(connection: sa.Connection, seconds: float) -> Iterator[sa.Connection]:
    raw = connection.connection.driver_connection
    assert raw is not None
    end = time.monotonic() + seconds
    raw.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
    try:
        yield connection
    finally:
        raw.set_progress_handler(None, 0)


def _newest(connection: sa.Connection) -> int:
    return int(connection.scalar(sa.select(sa.func.max(table.events.c.seq))) or 0)


def _driver(connection: sa.Connection, query: EventQuery) -> Test | Span | None:
    """The test that fewest events pass, where it is worth to list them first."""
    best: Test | Span | None = None
    fewest, span = _FEW, span_of(query)
    for test in (*query.tests, *([span] if span is not None else [])):
        if isinstance(test, Span) or listable(test):
            some = seqs(test).limit(fewest).subquery()
            count = int(connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0)
            if count < fewest:
                best, fewest = test, max(count, 1)
    if best is None and query.order is Order.RECORD_TIME:
        return next((test for test in query.tests if isinstance(test, AnyOf) and not test.beginnings), None)
    return best


def _check_count(connection: sa.Connection, query: EventQuery, upto: int, driver: Test | Span | None) -> None:
    most = query.max_event_count
    if most is None:
        return
    found, _ = matching(query, upto, driver)
    some = found.with_only_columns(table.events.c.seq).limit(most + 1).subquery()
    if int(connection.scalar(sa.select(sa.func.count()).select_from(some)) or 0) > most:
        raise TooLargeException(f"more than {most} events", where="maxEventCount", fix="ask for less")


def _behind(
    found: sa.Select[Any], query: EventQuery, by: sa.ColumnElement[Any], after: Position
) -> sa.Select[Any]:
    """The rest of a result, in its order."""
    seq = table.events.c.seq
    way = sa.desc if query.descending else sa.asc
    if query.order is Order.EXTENSION:  # what has no such field comes last
        return found.order_by(by.is_(None), way(by), seq).offset(after.given)
    if query.order is Order.RECORD_TIME:
        found = (
            found.where(seq < after.seq if query.descending else seq > after.seq) if after.given else found
        )
        return found.order_by(way(seq))
    if after.given:
        here = sa.tuple_(sa.literal(after.value), sa.literal(after.seq))
        place = sa.tuple_(by, seq)
        more: Condition = place < here if query.descending else place > here
        found = found.where(more)
    return found.order_by(way(by), way(seq))


def _page(query: EventQuery, rows: list[Row], most: int, after: Position) -> Page:
    more, rows = len(rows) > most, rows[:most]
    page = Page(rows=tuple(rows), after=None, begun=after)
    if not more or not rows or after.given + len(rows) == query.event_count_limit:
        return page
    return replace(page, after=page.behind(query, len(rows)))
