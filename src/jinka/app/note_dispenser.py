"""A simulated dispenser of notes: what it handed out is counted by itself, on its own disk, bundle by bundle.

So a cash terminal that was killed while it paid can learn afterwards how much left. It may be loaded with a sum, and
pays what is left of it. Denominations and jams are not simulated; a bundle leaves whole or not at all.
"""

from __future__ import annotations

from pathlib import Path

from jinka.node import append_line, read_lines
from jinka.terminal import TillEntry


class NoteDispenser:
    """The log of what left: terminal's batch, trace number and amount, one line for each bundle."""

    def __init__(self, path: Path, loaded_fen: int | None = None) -> None:
        self._path, self._loaded = path, loaded_fen

    def pay(self, entry: TillEntry) -> int:
        """Hand out an entry's amount once; returns what left for it in all, in fen."""
        if not self.paid(entry):
            fen = entry.amount_fen
            if self._loaded is not None:
                fen = min(fen, self._loaded - sum(int(line.split()[2]) for line in read_lines(self._path)))
            if fen > 0:
                append_line(self._path, f"{entry.batch} {entry.trace} {fen}")
        return self.paid(entry)

    def paid(self, entry: TillEntry) -> int:
        """What left for an entry, in fen."""
        lines = (line.split() for line in read_lines(self._path))
        return sum(int(fen) for batch, trace, fen in lines if (batch, trace) == entry.key)
