"""What a key service remembers so that nobody guesses: failures in a window of time, and serial numbers that were used.

PCI PIN v3.1, control objective 5, and ISO 9564-1, 8 (exhaustive search); ANSI X9.24-1 and X9.24-3 (a key serial number
serves once). The memory is bounded, and where it is full a stranger is refused, never an old entry forgotten. The time
never runs backwards here. It is this process's memory; what must outlive it goes to `Notes`, where a service has them.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

from jinka.kit import Clock, Refused, Usage

_MICROS = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLimits:
    """``failures`` in ``window_s`` seconds close the way; ``places`` is how many subjects are remembered."""

    failures: int
    window_s: int = 3600
    places: int = 1 << 16


PIN_LIMITS = FailureLimits(failures=5)  # for each PIN key and account number
VALUE_LIMITS = FailureLimits(failures=10)  # card values, likewise
BLOCK_LIMITS = FailureLimits(failures=1000, places=1 << 12)  # blocks that are none, for each zone key


Note = tuple[str, ...]


class Notes(Protocol):
    """Where guards write down what must outlive the process; who answers a caller commits it first."""

    def read(self) -> list[Note]:
        """What an earlier process wrote down."""
        ...

    def add(self, note: Note) -> None:
        """Write a note down: words without spaces."""
        ...

    def replace(self, notes: Iterable[Note]) -> None:
        """Put these in the place of all that was written before, durably."""
        ...

    def commit(self) -> int:
        """Make all of it durable; return how many notes came since the last `replace`."""
        ...

    def close(self) -> None: ...


class FailureGuard:
    """Counts failures for each subject. Subjects are kept as an HMAC, so that no account number is in memory."""

    def __init__(
        self,
        clock: Clock,
        secret: bytes,
        limits: FailureLimits,
        lock: AbstractContextManager[object],
        *,
        name: str = "",
    ) -> None:
        self._clock, self._secret, self._limits, self.name = clock, secret, limits, name
        self._notes: Notes | None = None
        self._failed: OrderedDict[bytes, deque[int]] = OrderedDict()  # by the time of the last failure
        self._lock, self._now = lock, 0

    def __repr__(self) -> str:
        return f"FailureGuard({len(self._failed)} subjects)"

    @contextmanager
    def attempt(self, *subject: str) -> Iterator[None]:
        """One try: `Refused` when too many failed before it, also for a right one, until the window is over.

        A try counts as failed from its beginning, so that many at once are no way around; success takes it back.
        """
        mark = self._mark(subject)
        at = self._count(mark, 1)
        try:
            yield
        except (Refused, Usage):
            self._note(mark, at, 1)
            raise
        except BaseException:  # no answer of the verb: a token that is gone, say
            self._take_back(mark, at)
            raise
        self._take_back(mark, at)

    def each(
        self, subjects: Sequence[tuple[str, ...]], compare: Callable[[list[int]], Sequence[bool]]
    ) -> tuple[list[bool], list[bool]]:
        """Many tries, each as in `attempt`: which were right, and which had an answer.

        ``compare`` is given the places of those whose way is open, all of them counted already. Where it gives no
        answer, none of them failed.
        """
        begun: dict[int, tuple[bytes, int]] = {}
        for place, subject in enumerate(subjects):
            mark = self._mark(subject)
            try:
                begun[place] = (mark, self._count(mark, 1))
            except Refused:
                continue
        right, answered = [False] * len(subjects), [False] * len(subjects)
        try:
            found = compare(list(begun)) if begun else ()
        except BaseException:
            for mark, at in begun.values():
                self._take_back(mark, at)
            raise
        for (place, (mark, at)), good in zip(begun.items(), found, strict=True):
            right[place], answered[place] = bool(good), True
            if good:
                self._take_back(mark, at)
            else:
                self._note(mark, at, 1)
        return right, answered

    def add(self, failures: int, *subject: str) -> None:
        """Count the failures of a batch; `Refused` when they are too many, and then its answers must not be given."""
        mark = self._mark(subject)
        try:
            at = self._count(mark, failures)
        except Refused:
            if mark in self._failed:  # a stranger for whom there is no place is not written down either
                self._note(mark, self._now, min(failures, self._limits.failures))
            raise
        if failures:
            self._note(mark, at, failures)

    def keep(self, secret: bytes, notes: Notes) -> None:
        """Write failures down from now on. The secret is the same in the next process, and is not in the notes."""
        self._secret, self._notes = secret, notes

    def take_up(self, mark: bytes, at: int, failures: int) -> None:
        """A failure of an earlier process; a clock that was ahead then does not count."""
        with self._lock:
            self._now = max(self._now, self._clock.now_micros())
            times = self._failed.setdefault(mark, deque())
            room = self._limits.failures - len(times)
            times.extend([min(at, self._now)] * min(failures, room))

    def settle(self) -> None:
        """All was taken up: in the order of the last failure again, and without what is over."""
        with self._lock:
            known = [(mark, deque(sorted(times))) for mark, times in self._failed.items()]
            self._failed = OrderedDict(sorted(known, key=lambda item: item[1][-1]))
            self._forget(self._now - self._limits.window_s * _MICROS)

    def notes(self) -> Iterator[Note]:
        """What is remembered now."""
        for mark, times in self._failed.items():
            for at, group in groupby(times):
                yield "failed", self.name, mark.hex(), str(at), str(len(list(group)))

    def _note(self, mark: bytes, at: int, failures: int) -> None:
        if self._notes is not None:
            with self._lock:
                self._notes.add(("failed", self.name, mark.hex(), str(at), str(failures)))

    def _mark(self, subject: tuple[str, ...]) -> bytes:
        return hmac.digest(self._secret, "|".join(subject).encode(), "sha256")[:16]

    def _count(self, mark: bytes, failures: int) -> int:
        with self._lock:
            self._now = max(self._now, self._clock.now_micros())
            before = self._now - self._limits.window_s * _MICROS
            self._forget(before)
            times = self._failed.get(mark)
            if times is None:
                if len(self._failed) >= self._limits.places:
                    raise _closed()
                times = deque[int]()
            while times and times[0] <= before:
                times.popleft()
            if len(times) >= self._limits.failures:
                raise _closed()
            room = self._limits.failures - len(times)
            times.extend([self._now] * min(failures, room))
            if times:
                self._failed[mark] = times
                self._failed.move_to_end(mark)
            if failures > room:
                raise _closed()
            return self._now

    def _take_back(self, mark: bytes, at: int) -> None:
        with self._lock:
            times = self._failed.get(mark)
            if times is not None and at in times:
                times.remove(at)
                if not times:
                    del self._failed[mark]

    def _forget(self, before: int) -> None:
        """Drop what is older than the window: the subjects lie in the order of their last failure."""
        while self._failed:
            mark, times = next(iter(self._failed.items()))
            while times and times[0] <= before:
                times.popleft()
            if times:
                break
            del self._failed[mark]


class SerialGuard:
    """The last counter of each terminal and use; a terminal's counters only go up."""

    def __init__(self, lock: AbstractContextManager[object], places: int = 1 << 18) -> None:
        self._last: dict[tuple[str, bytes, str], int] = {}
        self._places, self._lock = places, lock
        self._notes: Notes | None = None

    def keep(self, notes: Notes) -> None:
        """Write counters down from now on."""
        self._notes = notes

    def take_up(self, key: str, terminal: bytes, use: str, counter: int) -> None:
        """A counter that an earlier process took."""
        subject = (key, terminal, use)
        self._last[subject] = max(counter, self._last.get(subject, 0))

    def notes(self) -> Iterator[Note]:
        """What is remembered now."""
        for (key, terminal, use), counter in self._last.items():
            yield "used", key, terminal.hex(), use, str(counter)

    def accept(self, key: str, terminal: bytes, use: str, counter: int) -> None:
        """Note a counter whose message was right; `Refused` when it is not above all before it."""
        subject = (key, terminal, use)
        with self._lock:
            if counter <= self._last.get(subject, 0):
                raise Refused("the key serial number was used before", where="key serial number")
            if subject not in self._last and len(self._last) >= self._places:
                raise Refused("no room for another terminal", where="key serial number", fix="restart idle")
            if self._notes is not None:
                self._notes.add(("used", key, terminal.hex(), use, str(counter)))
            self._last[subject] = counter


def _closed() -> Refused:
    return Refused("too many failures", where="keys", fix="try again when the window is over")
