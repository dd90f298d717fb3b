"""A terminal's journal as a file: one sealed line for each step of a transaction, flushed before anything follows.

Each line is sealed for its place (`jinka.terminal.PinPad.seal`), so that none can be changed, moved or read without the
pad; a last line that was cut off by a kill is dropped. What is missing at the end cannot be noticed: a journal put back
from a copy forgets. Rotation is not built: a line has about a kilobyte.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from jinka.kit import Refused
from jinka.node.files import append_line, read_lines
from jinka.terminal import PinPad, TillEntry, from_kept, to_kept

_MAGIC = b"JTL1"


class FileTillJournal:
    """Implements `jinka.terminal.TillJournal`."""

    def __init__(self, path: Path, pad: PinPad, terminal: str) -> None:
        self._path, self._pad, self._terminal = path, pad, terminal
        self._lines = 0

    def entries(self) -> Sequence[TillEntry]:
        """All that was written; `Refused` for a line that is another's, moved or damaged."""
        found = []
        for number, line in enumerate(read_lines(self._path)):
            try:
                sealed = base64.b64decode(line, validate=True)
            except ValueError:
                raise Refused("not a line of a journal", where=f"{self._path}:{number + 1}") from None
            found.append(from_kept(_MAGIC, TillEntry, self._pad.unseal(sealed, self._context(number))))
        self._lines = len(found)
        return found

    def write(self, entry: TillEntry) -> None:
        """Durable when it returns."""
        sealed = self._pad.seal(to_kept(_MAGIC, entry), self._context(self._lines))
        if not self._path.exists():
            self._path.touch(mode=0o600)
        append_line(self._path, base64.b64encode(sealed).decode())
        self._lines += 1

    def _context(self, number: int) -> str:
        return f"jinka.till/1|{self._terminal}|{number}"
