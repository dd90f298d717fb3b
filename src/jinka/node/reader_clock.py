"""A reader's clock against ours: what it says in its own time, told in ours.

LLRP 1.0.1 clause 7.4 knows two clocks: UTC, which a reader may have set wrongly, and the time since its start. Both are
turned into ours alike. A message that says t and is heard at h proves that the reader's clock is behind ours by at most
h - t, for it took some time on its way; the smallest difference of the last minutes is the best bound, and follows a
clock that drifts. NTP's is better; no answer of a reader allows for it.
"""

from __future__ import annotations

from collections import deque

_SPAN_MICROS = 60_000_000  # one bound a minute
_SPANS = 10
OLDEST_MICROS = 7 * 86_400_000_000  # what a reader held for longer is not believed
DIFFERENCE_TOLD_MICROS = 2_000_000  # a UTC clock that is wrong by more is told


class ReaderClock:
    """Of one connection: a reader that was started anew counts anew."""

    def __init__(self) -> None:
        self._bounds: dict[bool, deque[tuple[int, int]]] = {True: deque(), False: deque()}

    def heard(self, said_micros: int, heard_micros: int, *, utc: bool) -> None:
        """The reader said the first time, by the clock of ``utc``, in a message that came at the second."""
        bounds, ahead = self._bounds[utc], heard_micros - said_micros
        if bounds and heard_micros - bounds[-1][0] < _SPAN_MICROS:
            bounds[-1] = (bounds[-1][0], min(bounds[-1][1], ahead))
        else:
            bounds.append((heard_micros, ahead))
            if len(bounds) > _SPANS:
                bounds.popleft()

    def ahead_micros(self, *, utc: bool) -> int | None:
        """How far our clock is ahead of the reader's; None if nothing was heard by that clock."""
        bounds = self._bounds[utc]
        return min(ahead for _, ahead in bounds) if bounds else None

    def ours(self, said_micros: int | None, heard_micros: int, *, utc: bool) -> int:
        """A time of the reader in our time: never later than when we heard of it, nor a week before."""
        ahead = self.ahead_micros(utc=utc)
        if said_micros is None or ahead is None:
            return heard_micros
        ours = min(said_micros + ahead, heard_micros)
        return ours if heard_micros - ours <= OLDEST_MICROS else heard_micros

    @property
    def wrong_by_micros(self) -> int:
        """By how much its UTC clock is wrong, if that is worth telling; else 0."""
        ahead = self.ahead_micros(utc=True) or 0
        return ahead if abs(ahead) >= DIFFERENCE_TOLD_MICROS else 0
