"""A terminal's journals as files: one sealed line for each step, flushed before anything follows.

Each line is sealed for its place (`jinka.terminal.PinPad.seal`), so that none can be changed, moved or read without the
pad; a last line that was cut off by a kill is dropped. What is missing at the end cannot be noticed: a journal put back
from a copy forgets. Rotation is not built: a line has about a kilobyte.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

from jinka.kit import Refused
from jinka.node.files import append_line, read_lines
from jinka.terminal import PinPad, TillEntry, from_kept, to_kept

Value = TypeVar("Value")


class SealedLog(Generic[Value]):
    """Values of one kind (`jinka.terminal.to_kept`), oldest first; ``magic`` has 4 bytes."""

    def __init__(self, path: Path, pad: PinPad, kind: type[Value], *, magic: bytes, context: str) -> None:
        self._path, self._pad, self._kind, self._magic = path, pad, kind, magic
        self._context = context
        self._lines = 0

    def entries(self) -> Sequence[Value]:
        """All that was written; `Refused` for a line that is another's, moved or damaged."""
        found = []
        for number, line in enumerate(read_lines(self._path)):
            try:
                sealed = base64.b64decode(line, validate=True)
            except ValueError:
                raise Refused("not a line of a journal", where=f"{self._path}:{number + 1}") from None
            found.append(from_kept(self._magic, self._kind, self._pad.unseal(sealed, self._place(number))))
        self._lines = len(found)
        return found

    def write(self, value: Value) -> None:
        """Durable when it returns."""
        sealed = self._pad.seal(to_kept(self._magic, value), self._place(self._lines))
        if not self._path.exists():
            self._path.touch(mode=0o600)
        append_line(self._path, base64.b64encode(sealed).decode())
        self._lines += 1

    def _place(self, number: int) -> str:
        return f"{self._context}|{number}"


class FileTillJournal(SealedLog[TillEntry]):
    """Implements `jinka.terminal.TillJournal`."""

    def __init__(self, path: Path, pad: PinPad, terminal: str) -> None:
        super().__init__(path, pad, TillEntry, magic=b"JTL1", context=f"jinka.till/1|{terminal}")
