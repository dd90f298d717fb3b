"""Writers of one SQLite file take turns: in SQLite the one who waits sleeps and looks again, here the system wakes him.

Turns make it quick; that no two write at once is SQLite's own lock's to see to. A process that dies gives its turn up.
PostgreSQL needs none of it.
"""

from __future__ import annotations

import fcntl
import os
from types import TracebackType

import sqlalchemy as sa

from jinka.kit import Usage


class Turn:
    """A ``with`` block is a turn; one thread at a time may use an object of this class."""

    def __init__(self, engine: sa.Engine) -> None:
        self._descriptor = -1
        path = engine.url.database
        if engine.dialect.name != "sqlite" or not path:
            raise Usage("turns at something that is no file", where="database")
        self._descriptor = os.open(f"{path}-turn", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def __enter__(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_UN)

    def __del__(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
