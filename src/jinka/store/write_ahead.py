"""SQLite's write-ahead log kept short without making the writer wait for the disk to take all of it back.

By itself SQLite copies the log into the database inside the commit that makes it too long, which stops the writer for
as long as that takes. Here another thread copies it (PRAGMA wal_checkpoint PASSIVE stops no writer), again and again
until little is left, and the writer copies the little: only then can the log begin anew. Other engines need none of it.
"""

from __future__ import annotations

import time
from typing import Any

import sqlalchemy as sa

_PAGES = 16_384  # 64 MiB of log, then it is copied
_PAGES_MAX = 8 * _PAGES  # then the writer helps: the disk is too slow to copy beside it
_LITTLE_S = 0.02  # for a copy that the writer may wait for
_PASSES = 8


class WriteAhead:
    """For the one connection that writes much. ``pages`` is for tests."""

    def __init__(self, engine: sa.Engine, *, pages: int = _PAGES) -> None:
        self._engine, self._pages = engine, pages
        self._wanted = engine.dialect.name == "sqlite"
        self._told: Any = None
        self._grown = 0
        self._little_left = False
        self.copies = 0  # of the writer

    def begin(self, raw: Any) -> None:
        """Say it to a connection that is about to write: no copying inside a commit."""
        if self._wanted and raw is not self._told:
            raw.execute("PRAGMA wal_autocheckpoint = 0")
            self._told = raw

    def grown(self, raw: Any, pages: int) -> None:
        """The writer has committed about so many pages."""
        if not self._wanted:
            return
        self._grown += pages
        if self._little_left or self._grown >= _PAGES_MAX:
            _copy(raw)
            self.copies += 1
            self._grown, self._little_left = 0, False

    @property
    def due(self) -> bool:
        """Whether `shorten` should be called, in a thread of its own."""
        return self._wanted and self._grown >= self._pages and not self._little_left

    def shorten(self) -> None:
        """Copy until little is left for the writer."""
        pooled = self._engine.raw_connection()
        try:
            for _ in range(_PASSES):
                began = time.perf_counter()
                _copy(pooled.driver_connection)
                if time.perf_counter() - began < _LITTLE_S:
                    break
        finally:
            pooled.close()
        self._little_left = True


def _copy(raw: Any) -> None:
    raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
