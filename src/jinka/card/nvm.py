"""The card's non-volatile memory: a flat run of bytes, a write-ahead journal, and a switch that cuts the power.

A transaction is a list of (offset, bytes). With the power cut armed it is done as a card does it: each entry goes to
the journal, then a checksum, then one mark byte; the entries go to their places; the mark is cleared. `recover`
replays a marked journal and drops an unmarked one, so a transaction happened whole or not at all. Without a cut
armed nothing can come between, and the entries go straight to their places with the same result.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from jinka.kit import JinkaError

_MARK = 0xA5
_HEAD = 5  # mark 1 | checksum 4
_ENTRY_HEAD = 4  # offset 2 | length 2
JOURNAL_MAX = 4096

Entry = tuple[int, bytes]


class PowerCut(JinkaError):
    """The card lost its power: an armed cut came due, or it was not powered up again after one."""


class WornCells(JinkaError):
    """Cells that no longer take a value: the transaction was not begun."""


class Nvm:
    """Memory and journal. Cells that were never written read as 00; memory grows up to ``capacity``."""

    __slots__ = ("_left", "_torn", "capacity", "journal", "memory", "worn", "writes")

    def __init__(self, memory: bytes | bytearray, *, journal: bytes = b"", capacity: int = 0x8000) -> None:
        self.memory = bytearray(memory)
        self.journal = bytearray(journal)
        self.capacity = capacity
        self.worn: range | None = (
            None  # cells at the end of their life: no write, and no trust in what they read
        )
        self.writes = 0  # physical writes while a cut was armed, for tests that walk through all of them
        self._left: int | None = None
        self._torn = False

    def cut_after(self, writes: int | None, *, torn: bool = False) -> None:
        """Let ``writes`` more physical writes succeed, then cut the power; None disarms.

        With ``torn`` half of the bytes of the failing write still arrive.
        """
        self._left, self._torn, self.writes = writes, torn, 0

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all entries or, should the power fail, none (after `recover`)."""
        if self.worn is not None and any(self.is_worn(at, len(raw)) for at, raw in entries):
            raise WornCells("worn cells", where=f"{self.worn}", fix="replace the card")
        if self._left is None:
            memory = self.memory
            for at, raw in entries:
                end = at + len(raw)
                if end > len(memory):
                    self._grow(end)
                memory[at:end] = raw
            return
        self._commit_journaled(entries)

    def is_worn(self, at: int, size: int) -> bool:
        """Whether any of these cells is at the end of its life."""
        worn = self.worn
        return worn is not None and at < worn.stop and worn.start < at + size

    def recover(self) -> None:
        """Finish a transaction whose journal is marked, drop any other. Called at power-up."""
        journal = self.journal
        if not journal:
            return
        if journal[0] == _MARK:
            body = bytes(journal[_HEAD:])
            if zlib.crc32(body).to_bytes(4, "big") == journal[1:_HEAD]:
                for at, raw in _entries(body):
                    self._write(self.memory, at, raw)
            self._write(journal, 0, b"\x00")
        journal.clear()

    def _commit_journaled(self, entries: Sequence[Entry]) -> None:
        journal = self.journal
        body = b"".join(at.to_bytes(2, "big") + len(raw).to_bytes(2, "big") + raw for at, raw in entries)
        if len(body) > JOURNAL_MAX:
            raise AssertionError("a transaction larger than the journal")
        journal[:] = bytes(_HEAD + len(body))
        place = _HEAD
        for at, raw in entries:
            entry = at.to_bytes(2, "big") + len(raw).to_bytes(2, "big") + raw
            self._write(journal, place, entry)
            place += len(entry)
        self._write(journal, 1, zlib.crc32(body).to_bytes(4, "big"))
        self._write(journal, 0, bytes((_MARK,)))
        for at, raw in entries:
            self._write(self.memory, at, raw)
        self._write(journal, 0, b"\x00")
        journal.clear()

    def _write(self, target: bytearray, at: int, raw: bytes) -> None:
        """One physical write: the only place where cells change while a cut is armed."""
        if self._left is not None:
            if self._left == 0:
                if self._torn:
                    half = len(raw) // 2
                    target[at : at + half] = raw[:half]
                raise PowerCut("the power was cut", where=f"write {self.writes + 1}", fix="power up the card")
            self._left -= 1
            self.writes += 1
        if target is self.memory:
            self._grow(at + len(raw))
        target[at : at + len(raw)] = raw

    def _grow(self, end: int) -> None:
        if end > len(self.memory):
            if end > self.capacity:
                raise AssertionError("a write beyond the card's memory")
            self.memory.extend(bytes(end - len(self.memory)))


def _entries(body: bytes) -> list[Entry]:
    found, at = [], 0
    while at < len(body):
        offset, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        at += _ENTRY_HEAD
        found.append((offset, body[at : at + size]))
        at += size
    return found
