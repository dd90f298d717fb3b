"""The tags in front of an emulated reader: who is in the field of which antenna, and how often it answers.

No radio is modelled: a tag is at an antenna from one second to another and answers in a turn with a given chance. All
that is random follows from a seed.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_RSSI_DBM = -52
_FADE_DBM = 18  # between the middle of a visit and its ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A stay in the field of one antenna, in seconds since the emulator's start; ``rate`` is the chance in a turn."""

    antenna: int
    from_s: float = 0.0
    to_s: float = float("inf")
    rate: float = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatedTag:
    """What it carries, and where it goes."""

    epc: bytes
    visits: tuple[Visit, ...] = (Visit(antenna=1),)
    tid: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A tag in one turn of one antenna."""

    tag: EmulatedTag
    antenna: int
    from_s: float
    to_s: float
    count: int
    rssi_dbm: int


class TagField:
    """All tags. One that answers in a turn answers up to ``answers`` times."""

    def __init__(self, tags: Sequence[EmulatedTag], *, seed: int = 1, answers: int = 5) -> None:
        self.tags = list(tags)
        self._chance, self._answers = random.Random(seed), answers  # noqa: S311 a field, no key

    def turn(self, antennas: Sequence[int], from_s: float, to_s: float) -> Iterator[Sight]:
        """Who answers between two times at these antennas (none: all)."""
        for tag in self.tags:
            for visit in tag.visits:
                begin, end = max(from_s, visit.from_s), min(to_s, visit.to_s)
                if begin >= end or (antennas and visit.antenna not in antennas):
                    continue
                if self._chance.random() >= visit.rate:
                    continue
                count = self._chance.randint(1, self._answers)
                moments = sorted(self._chance.uniform(begin, end) for _ in range(2))
                yield Sight(
                    tag=tag, antenna=visit.antenna, from_s=moments[0], to_s=moments[1] if count > 1 else moments[0],
                    count=count, rssi_dbm=_rssi(visit, moments[0]),
                )  # fmt: skip


def _rssi(visit: Visit, at_s: float) -> int:
    if visit.to_s == float("inf"):
        return _RSSI_DBM
    middle, half = (visit.from_s + visit.to_s) / 2, (visit.to_s - visit.from_s) / 2
    return round(_RSSI_DBM - _FADE_DBM * abs(at_s - middle) / half)
