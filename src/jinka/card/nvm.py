"""The card's non-volatile memory: a flat run of bytes, a write-ahead journal, and a switch that cuts the power.

A transaction is a list of (offset, bytes). With the power cut armed it is done as a card does it: each entry goes to
the journal, then a checksum, then one mark byte; the entries go to their places; the mark is cleared. `recover`
replays a marked journal and drops an unmarked one, so a transaction happened whole or not at all. Without a cut
armed nothing can come between, and the entries go straight to their places with the same result.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

from jinka.kit import JinkaError

_MARK = 0xA5
_HEAD = 5  # mark 1 | checksum 4
_ENTRY_HEAD = 4  # offset 2 | length 2
JOURNAL_MAX = 4096
_FILL = 0x8000  # in an entry's length: so many zeros, and no bytes follow
_FILL_MIN = 16
_NEAR = 6  # differences nearer than this are one entry
_ZEROS = re.compile(rb"\x00{16,}")

Entry = tuple[int, bytes]


class PowerCut(JinkaError):
    """The card lost its power: an armed cut came due, or it was not powered up again after one."""


class WornCells(JinkaError):
    """Cells that no longer take a value: the transaction was not begun."""


class JournalFull(JinkaError):
    """More changes than the journal takes at once, or beyond the memory: the transaction was not begun."""


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
        if sum(_ENTRY_HEAD + len(raw) for _, raw in entries) > JOURNAL_MAX and not fits_journal(entries):
            raise JournalFull("larger than the journal", where="transaction", fix="write less at once")
        if any(at + len(raw) > self.capacity for at, raw in entries):
            raise JournalFull("beyond the memory", where="transaction", fix="remove files first")
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
        packed = _packed(entries)
        body = b"".join(packed)
        journal[:] = bytes(_HEAD + len(body))
        place = _HEAD
        for entry in packed:
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
                    if target is self.memory:
                        self._grow(at + half)
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
                raise JournalFull("beyond the memory", where="journal", fix="restore the image")
            self.memory.extend(bytes(end - len(self.memory)))


def fits_journal(entries: Sequence[Entry]) -> bool:
    """Whether a transaction of these entries can be made safe against a power cut."""
    return sum(len(raw) for raw in _packed(entries)) <= JOURNAL_MAX


def differences(before: bytes | bytearray, after: bytes | bytearray) -> list[Entry]:
    """The entries that turn ``before`` into ``after``, which is at least as long."""
    entries: list[Entry] = []
    padded = bytes(before).ljust(len(after), b"\x00")
    at, end = 0, len(after)
    while at < end:
        if padded[at] == after[at]:
            at += 1
            continue
        start = at
        while at < end and padded[at : at + _NEAR] != after[at : at + _NEAR]:
            at += 1
        entries.append((start, bytes(after[start:at])))
    if end > len(before):  # the memory grows, even where only zeros are new
        entries.append((end - 1, bytes(after[-1:])))
    return entries


def _packed(entries: Sequence[Entry]) -> list[bytes]:
    """Entries as the journal holds them; long stretches of zeros stand alone."""
    return [_pack(at, raw) for start, run in entries for at, raw in _by_zeros(start, run)]


def _by_zeros(start: int, run: bytes) -> Iterator[Entry]:
    """Cut a run so that long stretches of zeros become entries of their own."""
    at = 0
    for zeros in _ZEROS.finditer(run):
        if zeros.start() > at:
            yield start + at, run[at : zeros.start()]
        yield start + zeros.start(), zeros.group()
        at = zeros.end()
    if at < len(run):
        yield start + at, run[at:]


def _pack(at: int, raw: bytes) -> bytes:
    """An entry in the journal: offset 2 | length 2 | bytes; a stretch of zeros has bit 8000 set and no bytes."""
    size = len(raw)
    if size >= _FILL_MIN and not any(raw):
        return at.to_bytes(2, "big") + (size | _FILL).to_bytes(2, "big")
    return at.to_bytes(2, "big") + size.to_bytes(2, "big") + raw


def _entries(body: bytes) -> list[Entry]:
    found, at = [], 0
    while at < len(body):
        offset, size = int.from_bytes(body[at : at + 2], "big"), int.from_bytes(body[at + 2 : at + 4], "big")
        at += _ENTRY_HEAD
        if size & _FILL:
            found.append((offset, bytes(size & ~_FILL)))
            continue
        found.append((offset, body[at : at + size]))
        at += size
    return found
