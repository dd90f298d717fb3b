"""An audit log in a file: one line for each entry, on the disk before the action is answered, one writer at a time.

`append` chains an entry in memory, `commit` makes everything up to it durable: entries that many threads append while
one flush is under way share the next one. A line that a kill cut off belonged to an action that nobody was told of; it
is cut away when the log is opened again, and an entry says so. A log whose entries do not follow each other is not
written on. Reading back is `jinka.keys.check_log`; who may write is the business of the folder's permissions.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from jinka.keys import AuditChain, AuditEvent, Checkpoint
from jinka.keys.audit import DAMAGED, LINE_MAX, OPENED, REPAIRED, check_origin
from jinka.kit import Clock, JinkaError, Refused
from jinka.node.files import flush_folder
from jinka.node.problems import file_errors

_ACTOR = "jinka"
_READ_MAX = LINE_MAX + 1  # what is longer is no entry, and comes in pieces
_BUFFER_MAX = 1 << 20  # bytes that wait for a flush before the writer flushes by itself


class AuditLog:
    """The one writer of a log. Safe for threads."""

    def __init__(self, path: Path, *, origin: str, clock: Clock) -> None:
        """Open the log, or begin it. ``origin`` names it in its first entry and its checkpoints.

        Raises `Refused` when another program writes it, when it is another log, or when it is damaged.
        """
        check_origin(origin)
        self._path, self._clock, self.origin = path, clock, origin
        self._chain = AuditChain()
        self._appending, self._flushing = threading.Lock(), threading.Lock()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._durable = 0
        self._broken = False
        with file_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            try:
                self._take_up()
            except BaseException:
                os.close(self._handle)
                raise

    @property
    def size(self) -> int:
        """How many entries there are, those that wait for a flush included."""
        return self._chain.size

    def append(self, event: AuditEvent) -> int:
        """Chain an entry and return its number. It is durable when `commit` of that number returns."""
        with self._appending:
            if self._broken:
                raise JinkaError(
                    "the audit log could not be written", where=str(self._path), fix="open it again"
                )
            line = self._chain.append(event, self._clock.now_micros())
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            number, full = self._chain.size - 1, self._waiting_bytes > _BUFFER_MAX
        if full:
            self.commit(number)
        return number

    def commit(self, number: int | None = None) -> None:
        """Return when the entry, and all before it, are on the disk; without a number, all of them."""
        wanted = self._chain.size if number is None else number + 1
        with self._flushing:  # those who wait here find their entries flushed by the one before
            if self._durable >= wanted:
                return
            with self._appending:
                lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
                size = self._chain.size
            try:
                if self._broken:
                    raise JinkaError(
                        "the audit log could not be written", where=str(self._path), fix="open it again"
                    )
                with file_errors(self._path):
                    _write_all(self._handle, b"".join(line + b"\n" for line in lines))
                    os.fsync(self._handle)
            except BaseException:
                self._broken = True  # what the disk holds is not known; opening the log again finds out
                raise
            self._durable = size

    def record(self, event: AuditEvent) -> int:
        """Append an entry and make it durable."""
        number = self.append(event)
        self.commit(number)
        return number

    def checkpoint(self) -> Checkpoint:
        """The state of the log, to be signed; everything in it is durable."""
        with self._appending:
            found = Checkpoint(origin=self.origin, size=self._chain.size, root=self._chain.root())
        self.commit(found.size - 1)
        return found

    def close(self) -> None:
        """Flush what waits, and let another writer in."""
        if self._handle < 0:
            return
        try:
            if not self._broken:
                self.commit()
        finally:
            os.close(self._handle)
            self._handle, self._broken = -1, True

    def __enter__(self) -> AuditLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _take_up(self) -> None:
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Refused(
                "another program writes this log", where=str(self._path), fix="wait for it"
            ) from None
        torn = b""
        with os.fdopen(os.dup(self._handle), "rb") as log:
            log.seek(0)
            whole = 0
            while line := log.readline(_READ_MAX):
                if not line.endswith(b"\n"):
                    torn = line
                    break
                self._chain.take_up(line[:-1])
                whole += len(line)
                if self._chain.size == 1:
                    self._check_origin(line)
        if len(torn) == _READ_MAX:
            raise Refused("a line is too long for an entry", where=str(self._path), fix=DAMAGED)
        if torn:
            os.ftruncate(self._handle, whole)
        if not self._chain.size:
            self._note(OPENED, f"log:{self.origin}")
        if torn:
            self._note(REPAIRED, f"{len(torn)} bytes cut away", hashlib.sha256(torn).digest())
        self._durable = self._chain.size if not self._waiting else 0
        self.commit()
        flush_folder(self._path.parent)

    def _check_origin(self, line: bytes) -> None:
        if f'"subject":"log:{self.origin}"'.encode() not in line:
            raise Refused(
                f"this is not the log {self.origin}", where=str(self._path), fix="name another file"
            )

    def _note(self, act: str, subject: str, detail: bytes = b"") -> None:
        self.append(AuditEvent(actor=_ACTOR, act=act, subject=subject, detail=detail))


def read_audit_lines(path: Path) -> Iterator[bytes]:
    """The lines of a log without their ends, the last one also when it was cut off; nothing is changed."""
    with file_errors(path), path.open("rb") as log:
        while line := log.readline(_READ_MAX):
            yield line.removesuffix(b"\n")


def _write_all(handle: int, content: bytes) -> None:
    while content:
        content = content[os.write(handle, content) :]
