"""A simulated dispenser of notes: what it handed out is counted by itself, on its own disk, note bundle by note bundle.

So a cash terminal that was killed while it paid can learn afterwards whether the money left. Denominations, jams and
what is left in the cassettes are not simulated; a bundle leaves whole or not at all.
"""

from __future__ import annotations

from pathlib import Path

from jinka.node import append_line, read_lines
from jinka.terminal import TillEntry


class NoteDispenser:
    """The log of what left: terminal's batch, trace number and amount, one line for each bundle."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pay(self, entry: TillEntry) -> int:
        """Hand out an entry's amount once; returns what left for it in all, in fen."""
        if not self.paid(entry):
            append_line(self._path, f"{entry.batch} {entry.trace} {entry.amount_fen}")
        return self.paid(entry)

    def paid(self, entry: TillEntry) -> int:
        """What left for an entry, in fen."""
        lines = (line.split() for line in read_lines(self._path))
        return sum(int(fen) for batch, trace, fen in lines if (batch, trace) == entry.key)
