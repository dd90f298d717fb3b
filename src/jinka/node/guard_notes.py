"""The guards' notes of a key service in a file: which PINs failed when, which key serial numbers were used.

A line for each note, in the file when `add` returns and on the disk when `commit` does: so a killed service forgets
nothing, and a power cut nothing that was answered. A line that was cut off belonged to nothing that was answered. One
process at a time: the caller sees to that. Account numbers are in it as an HMAC under a key that is not (`jinka.keys`).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from pathlib import Path

from jinka.keys.guards import Note
from jinka.kit import JinkaError, Refused
from jinka.node.files import read_lines, write_durable
from jinka.node.problems import file_errors

_HEAD = "jinka.guards/1"


class GuardNotes:
    """Implements `jinka.keys.guards.Notes`. Safe for threads."""

    def __init__(self, path: Path) -> None:
        self._path, self._handle = path, -1
        self._lock = threading.Lock()
        self._added, self._durable, self._broken = 0, 0, False

    def read(self) -> list[Note]:
        """What the file holds; `Refused` when it is another."""
        with file_errors(self._path):
            lines = read_lines(self._path)
        if lines and lines[0] != _HEAD:
            raise Refused("not the notes of a key service", where=str(self._path), fix="restore the file")
        return [tuple(line.split(" ")) for line in lines[1:]]

    def replace(self, notes: Iterable[Note]) -> None:
        """Write the file anew."""
        text = "".join(f"{' '.join(note)}\n" for note in notes)
        with self._lock, file_errors(self._path):
            write_durable(self._path, f"{_HEAD}\n{text}".encode(), private=True)
            self._shut()
            self._handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
            self._added = self._durable = 0

    def add(self, note: Note) -> None:
        """Write one line."""
        line = f"{' '.join(note)}\n".encode()
        with self._lock, file_errors(self._path):
            self._check()
            try:
                written = os.write(self._handle, line)
            except BaseException:
                self._broken = True  # a part of a line may be there, and nothing may come behind it
                raise
            self._broken = written != len(line)
            self._check()
            self._added += 1

    def commit(self) -> int:
        """Flush what was added; return how many lines that is since the file was written anew."""
        with self._lock, file_errors(self._path):
            self._check()
            if self._durable < self._added:
                os.fsync(self._handle)
                self._durable = self._added
            return self._added

    def close(self) -> None:
        """Flush and let go."""
        if self._handle >= 0 and not self._broken:
            self.commit()
        with self._lock:
            self._shut()
            self._broken = True

    def _check(self) -> None:
        if self._broken or self._handle < 0:
            raise JinkaError(
                "the guards' notes cannot be written", where=str(self._path), fix="start it again"
            )

    def _shut(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1
