"""What a key service remembers so that nobody guesses: failures in a window of time, and serial numbers that were used.

PCI PIN v3.1, control objective 5, and ISO 9564-1, 8 (exhaustive search); ANSI X9.24-1 and X9.24-3 (a key serial number
serves once). The memory is bounded, and where it is full a stranger is refused, never an old entry forgotten. The time
never runs backwards here. It is this process's memory: after a restart windows and serial numbers begin anew.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

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


class FailureGuard:
    """Counts failures for each subject. Subjects are kept as an HMAC, so that no account number is in memory."""

    def __init__(
        self, clock: Clock, secret: bytes, limits: FailureLimits, lock: AbstractContextManager[object]
    ) -> None:
        self._clock, self._secret, self._limits = clock, secret, limits
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
            raise
        except BaseException:  # no answer of the verb: a token that is gone, say
            self._take_back(mark, at)
            raise
        self._take_back(mark, at)

    def add(self, failures: int, *subject: str) -> None:
        """Count the failures of a batch; `Refused` when they are too many, and then its answers must not be given."""
        self._count(self._mark(subject), failures)

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

    def accept(self, key: str, terminal: bytes, use: str, counter: int) -> None:
        """Note a counter whose message was right; `Refused` when it is not above all before it."""
        subject = (key, terminal, use)
        with self._lock:
            if counter <= self._last.get(subject, 0):
                raise Refused("the key serial number was used before", where="key serial number")
            if subject not in self._last and len(self._last) >= self._places:
                raise Refused("no room for another terminal", where="key serial number", fix="restart idle")
            self._last[subject] = counter


def _closed() -> Refused:
    return Refused("too many failures", where="keys", fix="try again when the window is over")
