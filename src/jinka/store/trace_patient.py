"""`SqlLinks` for who asks over the net: a walk ends after so many seconds or rows, whatever it was asked."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any

import sqlalchemy as sa

from jinka.store.trace_edges import SqlLinks
from jinka.store.trace_query import TooComplexException

ROWS_MAX = 200_000  # of all edges and events that one answer looks at
_STEPS = 20_000  # of SQLite's machine between two looks at the clock


class PatientLinks(SqlLinks):
    """Raises `TooComplexException`."""

    def __init__(self, engine: sa.Engine, *, seconds: float, rows_max: int = ROWS_MAX) -> None:
        super().__init__(engine)
        self._seconds, self._left, self._end = seconds, rows_max, 0.0

    def __enter__(self) -> PatientLinks:
        super().__enter__()
        self._end = time.monotonic() + self._seconds
        assert self._connection is not None
        if self._connection.dialect.name == "postgresql":
            timeout = f"SET LOCAL statement_timeout = {int(self._seconds * 1000)}"
            self._connection.exec_driver_sql(timeout)
        else:
            self._watch(lambda: time.monotonic() > self._end)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None and self._connection.dialect.name == "sqlite":
            self._watch(None)
        super().__exit__(kind, error, trace)
        name = type(error).__name__  # the driver's own, which says that it was stopped
        if error is not None and ("interrupted" in str(error) or name == "QueryCanceled"):
            raise _too_complex() from None

    def _watch(self, handler: Any) -> None:
        assert self._connection is not None
        raw: Any = self._connection.connection.driver_connection
        raw.set_progress_handler(handler, _STEPS if handler is not None else 0)

    def _rows(self, connection: sa.Connection, query: str, asked: Any) -> list[Any]:
        found = super()._rows(connection, f"{query} LIMIT {self._left + 1}", asked)
        self._left -= len(found)
        if self._left < 0 or time.monotonic() > self._end:
            raise _too_complex()
        return found


def _too_complex() -> TooComplexException:
    return TooComplexException("the graph is too large", where="thing", fix="ask for fewer things, or a time")
