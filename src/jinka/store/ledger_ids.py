"""Which transfer has which id, on SQLite: new ids in memory, older ones in sorted runs behind filters.

An index over random ids dirties a page for nearly every transfer once it is large. Here the ids of the newest transfers
are in memory (read back from the transfers when a process begins). When there are `RUN_IDS` of them they are written
once, sorted, as a run, beside a filter of 3 bytes for each id which every process keeps in memory: two Bloom filters
whose bits for one id lie in one word (Putze, Sanders, Singler: Cache-, Hash- and Space-Efficient Bloom Filters,
2007). What a filter lets pass is asked of its run, so the answer is exact. No id of a transfer is ever removed. Whoever
picks ids that filters take for known makes a call slower and never wrong.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

RUN_IDS = 131_072  # closing a run takes a call about a tenth of a second
_CHUNK = 1_000  # ids in one statement
_WORDS = (1 << 15, 1 << 14)  # of the first and the second filter
_BITS = (6, 4)  # that an id sets in each

_ROOM = 8  # runs that there is room for at first
_LOOK_MOST = 1 << 21  # words that are looked at together

_Words = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    """Where ids fall in a filter: the word of each, and the bits in it."""

    words: npt.NDArray[np.intp]
    bits: _Words


class _Filters:
    """The filters of all runs, side by side: what one id asks of every run lies together."""

    def __init__(self) -> None:
        self.runs = 0  # numbered from 1
        self._words = [np.zeros((size, _ROOM), dtype=np.uint64) for size in _WORDS]

    def append(self, filters: Sequence[_Words]) -> None:
        """The filters of the next run."""
        if self.runs == self._words[0].shape[1]:
            room = self.runs + max(_ROOM, self.runs // 4)
            for n, words in enumerate(self._words):
                self._words[n] = np.zeros((len(words), room), dtype=np.uint64)
                self._words[n][:, : self.runs] = words
        for words, column in zip(self._words, filters, strict=True):
            words[:, self.runs] = column
        self.runs += 1

    def passed(self, ids: Sequence[bytes]) -> Iterator[tuple[int, list[bytes]]]:
        """Runs, with those ids that they may hold."""
        if not self.runs or not ids:
            return
        found: dict[int, list[bytes]] = {}
        size = max(_LOOK_MOST // self.runs, 1)
        for start in range(0, len(ids), size):
            some = ids[start : start + size]
            (first, second), (words, others) = _marks(some), self._words
            hits = words[first.words, : self.runs] & first.bits[:, None] == first.bits[:, None]
            at, run = np.nonzero(hits)
            sure = others[second.words[at], run] & second.bits[at] == second.bits[at]
            for n, which in zip(at[sure].tolist(), run[sure].tolist(), strict=True):
                found.setdefault(which + 1, []).append(some[n])
        yield from found.items()


class TransferIds:
    """What one process knows of one database; the caller is in an immediate transaction and serves one at a time."""

    def __init__(self) -> None:
        self._filters = _Filters()
        self._upto = 0  # up to this transfer ids are in runs
        self._open: dict[bytes, int] = {}  # ids of later ones
        self.newest = 0  # the last transfer that is known

    def forget(self) -> None:
        """A transaction was undone: read again what is stored."""
        self._filters, self._upto, self._open, self.newest = _Filters(), 0, {}, 0

    def follow(self, raw: sqlite3.Connection) -> bool:
        """Learn what is stored and was not known; whether there was anything."""
        [newest] = raw.execute("SELECT coalesce(max(seq), 0) FROM ledger_moves").fetchone()
        if newest == self.newest:
            return False
        if newest < self.newest:  # the file was put back from a copy
            self.forget()
        query = "SELECT upto_seq, filter FROM ledger_runs WHERE number > ? ORDER BY number"
        for upto, stored in raw.execute(query, (self._filters.runs,)):
            self._filters.append(_filters_of(stored))
            self._upto = upto
        self._open = {id_: seq for id_, seq in self._open.items() if seq > self._upto}
        self.newest = max(self.newest, self._upto)
        while self.newest < newest:
            query = "SELECT id, seq FROM ledger_moves WHERE seq > ? ORDER BY seq LIMIT ?"
            self._open.update(raw.execute(query, (self.newest, max(RUN_IDS - len(self._open), 1))))
            self.newest = next(reversed(self._open.values()))
            self.close_run(raw)
        return True

    def add(self, ids: Sequence[bytes], seqs: range) -> None:
        """Know the ids of new transfers, which the caller has stored."""
        self._open.update(zip(ids, seqs, strict=True))
        self.newest = seqs[-1] if seqs else self.newest

    def close_run(self, raw: sqlite3.Connection) -> None:
        """Write the ids in memory as a run, if they are enough for one."""
        if len(self._open) < RUN_IDS:
            return
        number = self._filters.runs + 1
        raw.execute(
            "INSERT INTO ledger_run_ids (run, id, seq) SELECT ?, id, seq FROM ledger_moves "
            "WHERE seq > ? AND seq <= ? ORDER BY id",
            (number, self._upto, self.newest),
        )
        filters = _make_filters(list(self._open))
        stored = b"".join(words.astype("<u8").tobytes() for words in filters)
        raw.execute("INSERT INTO ledger_runs VALUES (?, ?, ?)", (number, self.newest, stored))
        self._filters.append(filters)
        self._upto, self._open = self.newest, {}

    def find(self, raw: sqlite3.Connection, ids: Sequence[bytes]) -> dict[bytes, int]:
        """The number of each transfer that is stored."""
        found = {id_: self._open[id_] for id_ in self._open.keys() & set(ids)}
        for run, candidates in self._filters.passed(ids):
            for start in range(0, len(candidates), _CHUNK):
                chunk = candidates[start : start + _CHUNK]
                marks = ",".join("?" * len(chunk))
                query = f"SELECT id, seq FROM ledger_run_ids WHERE run = ? AND id IN ({marks})"  # noqa: S608
                found.update(raw.execute(query, (run, *chunk)))
        return found


def _make_filters(ids: Sequence[bytes]) -> tuple[_Words, ...]:
    made = []
    for mark, size in zip(_marks(ids), _WORDS, strict=True):
        words = np.zeros(size, dtype=np.uint64)
        np.bitwise_or.at(words, mark.words, mark.bits)
        made.append(words)
    return tuple(made)


def _filters_of(stored: bytes) -> tuple[_Words, ...]:
    words = np.frombuffer(stored, dtype="<u8").astype(np.uint64)
    return tuple(np.split(words, np.cumsum(_WORDS)[:-1]))


def _marks(ids: Sequence[bytes]) -> tuple[_Mark, ...]:
    halves = np.frombuffer(b"".join(ids), dtype="<u8").reshape(-1, 2).astype(np.uint64)
    mixed = _mix(halves[:, 0] ^ _mix(halves[:, 1]))
    marks = []
    for size, count in zip(_WORDS, _BITS, strict=True):
        words = (mixed & np.uint64(size - 1)).astype(np.intp)
        bits = np.zeros(len(ids), dtype=np.uint64)
        for n in range(count):
            at = (mixed >> np.uint64(16 + 6 * n)) & np.uint64(63)
            bits |= np.uint64(1) << at
        marks.append(_Mark(words=words, bits=bits))
        mixed = _mix(mixed)
    return tuple(marks)


def _mix(words: _Words) -> _Words:
    """The finalizer of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
