"""From reads to arrivals and departures: which tag is at which place, though readers miss tags and see them twice.

After SMURF (Jeffery, Garofalakis, Franklin: Adaptive Cleaning for RFID Data Streams, VLDB 2006): a tag is seen in an
epoch with a probability of its own, which is learnt from its own epochs; how long it may be silent before it has left
follows from that, so a tag that always answers leaves after few epochs, and one that answers seldom is waited for.
Where SMURF halves its window when reads grow fewer than the binomial law expects, silence alone decides here: a tag
with probability p that is still there is silent for k epochs with (1-p)^k; it has left when that is below ``doubt``.

Time is the readers', told in ours, and runs on by `Presence.tick`. While a place is blind (its reader was lost) nobody
leaves it, and who is not seen any more afterwards left at an uncertain time. Several readers and antennas may serve one
place. Which way a tag went through a gate is `jinka.trace.passage`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from jinka.kit.frozen import quick

_POOL_MEMORY = 4096.0
_BLINK_MICROS = 200_000
_BELIEF = 4.0  # epochs that the place's probability counts as
_MEMORY = 128.0  # epochs over which a tag's probability is learnt; older ones count less


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A tag was read ``count`` times between two times at a place, on one of its sides (of a gate)."""

    tag: Hashable
    place: str
    first_micros: int
    last_micros: int
    side: str = ""
    count: int = 1
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceRules:
    """How a place smooths. ``doubt`` is the probability at which a silent tag has left.

    Silence of less than ``silence_least_micros`` is never a departure, of more than ``silence_most_micros`` always one.
    A tag has arrived once it was read ``reads_least`` times; one that was not, and is silent, was never there.
    """

    epoch_micros: int = 250_000
    doubt: float = 1e-4
    silence_least_micros: int = 1_000_000
    silence_most_micros: int = 30_000_000
    reads_least: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SideSeen:
    """What one side of a place saw of a stay. ``centre_micros`` is the mean time, weighted by strength and count."""

    side: str
    first_micros: int
    last_micros: int
    count: int
    centre_micros: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """``at_micros`` is when it was first read."""

    tag: Hashable
    place: str
    at_micros: int
    side: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """``at_micros`` is when it was last read. ``uncertain_until_micros``: it may have left until then, unseen."""

    tag: Hashable
    place: str
    arrived_micros: int
    at_micros: int
    reads: int
    sides: tuple[SideSeen, ...]
    uncertain_until_micros: int | None = None


Change = Arrival | Departure


@dataclass(slots=True)
class _Side:
    first: int
    last: int
    count: int = 0
    weight: float = 0.0
    moment: float = 0.0  # weighted sum of times since the first

    def add(self, sighting: Sighting, origin: int) -> None:
        strength = 1.0 if sighting.rssi_dbm is None else 10.0 ** ((sighting.rssi_dbm + 60) / 20)
        weight = strength * sighting.count
        middle = (sighting.first_micros + sighting.last_micros) / 2 - origin
        self.first, self.last = min(self.first, sighting.first_micros), max(self.last, sighting.last_micros)
        self.count += sighting.count
        self.weight += weight
        self.moment += weight * middle


@dataclass(slots=True)
class _Stay:
    arrived: int
    last: int
    epoch: int  # the latest one in which it was seen
    seen: float = 0.0  # of the epochs since it was first seen
    passed: float = 0.0
    reads: int = 0
    announced: bool = False
    sides: dict[str, _Side] = field(default_factory=dict)


@dataclass(slots=True)
class _Pool:
    """How often tags are seen at a place: what is believed of a tag that has not been there for long."""

    seen: float = 2.0
    passed: float = 3.0

    def add(self, passed: float) -> None:
        """A tag was seen again after so many epochs."""
        self.seen += 1
        self.passed += passed
        if self.passed > _POOL_MEMORY:
            self.seen, self.passed = self.seen / 2, self.passed / 2

    def probability(self, stay: _Stay) -> float:
        """Of a tag's being seen in an epoch.

        What is believed at first is the place's, but no more than a half: who is taken for weaker than it is, is waited
        for a little longer, and its departure has the time of its last read all the same.
        """
        believed = min(self.seen / self.passed, 0.5)
        return (stay.seen + _BELIEF * believed) / (stay.passed + _BELIEF)


class Presence:
    """All tags at all places. ``stays_most`` bounds what is kept: beyond it new tags are counted and left out."""

    def __init__(self, rules: dict[str, PresenceRules] | None = None, *, stays_most: int = 1_000_000) -> None:
        self._rules, self._most = rules or {}, stays_most
        self._default = PresenceRules()
        self._stays: dict[str, dict[Hashable, _Stay]] = {}
        self._pools: defaultdict[str, _Pool] = defaultdict(_Pool)
        self._blind: dict[str, list[list[int]]] = {}  # place → [from, to or -1]
        self._sources: dict[str, set[Hashable]] = {}
        self._count = 0
        self.left_out = 0
        self.ghosts = 0

    def restore(self, place: str, tag: Hashable, arrived_micros: int, last_micros: int) -> None:
        """Take a stay over from an earlier process: it has been told already."""
        rules = self._rules.get(place, self._default)
        stays = self._stays.setdefault(place, {})
        if tag not in stays and self._count < self._most:
            self._count += 1
            stays[tag] = _Stay(arrived_micros, last_micros, last_micros // rules.epoch_micros, announced=True)

    def there(self, place: str) -> Iterator[tuple[Hashable, int, int]]:
        """Who is at a place: the tag, when it came, when it was last read."""
        for tag, stay in self._stays.get(place, {}).items():
            if stay.announced:
                yield tag, stay.arrived, stay.last

    def saw(self, sighting: Sighting) -> Arrival | None:
        """Take a sighting; the arrival, if it is one. Sightings may come late and in any order."""
        rules = self._rules.get(sighting.place, self._default)
        stays = self._stays.setdefault(sighting.place, {})
        stay = stays.get(sighting.tag)
        if stay is None:
            if self._count >= self._most:
                self.left_out += 1
                return None
            self._count += 1
            stay = stays[sighting.tag] = _Stay(
                sighting.first_micros, sighting.last_micros, sighting.last_micros // rules.epoch_micros
            )
        else:
            self._learn(stay, sighting, rules)
        stay.reads += sighting.count
        side = stay.sides.get(sighting.side)
        if side is None:
            side = stay.sides[sighting.side] = _Side(sighting.first_micros, sighting.last_micros)
        side.add(sighting, stay.arrived)
        if stay.announced or stay.reads < rules.reads_least:
            return None
        stay.announced = True
        return Arrival(tag=sighting.tag, place=sighting.place, at_micros=stay.arrived, side=sighting.side)

    def _learn(self, stay: _Stay, sighting: Sighting, rules: PresenceRules) -> None:
        epoch = sighting.last_micros // rules.epoch_micros
        if epoch > stay.epoch:  # the same one again says nothing new
            blind = self._blind_micros(sighting.place, stay.last, sighting.last_micros) // rules.epoch_micros
            passed = max(1, epoch - stay.epoch - blind)
            self._pools[sighting.place].add(passed)
            stay.seen += 1
            stay.passed += passed
            if stay.passed > _MEMORY:
                stay.seen *= _MEMORY / stay.passed
                stay.passed = _MEMORY
            stay.epoch = epoch
        if not stay.announced:
            stay.arrived = min(stay.arrived, sighting.first_micros)
        stay.last = max(stay.last, sighting.last_micros)

    def blinded(self, place: str, source: Hashable, at_micros: int) -> None:
        """From then on this source (a reader, an antenna) sees nothing of the place."""
        sources = self._sources.setdefault(place, set())
        self._stays.setdefault(place, {})
        if not sources:
            blind = self._blind.setdefault(place, [])
            if blind and at_micros - blind[-1][1] < _BLINK_MICROS:
                blind[-1][1] = -1  # it hardly saw: one that flickers makes no thousands
            else:
                blind.append([at_micros, -1])
        sources.add(source)

    def sighted(self, place: str, source: Hashable, at_micros: int) -> None:
        """The source sees again; the place does once all of its sources do."""
        sources = self._sources.get(place, set())
        if source in sources:
            sources.discard(source)
            if not sources:
                self._blind[place][-1][1] = at_micros

    def _blind_micros(self, place: str, begin: int, end: int) -> int:
        total = 0
        for since, until in self._blind.get(place, ()):
            total += max(0, min(end, end if until < 0 else until) - max(begin, since))
        return total

    def tick(self, now_micros: int, known: Mapping[str, int] | None = None) -> Iterator[Departure]:
        """Who has left by now, or by the time up to which everything that was read at a place is ``known``."""
        latest = now_micros
        for place, stays in self._stays.items():
            if self._sources.get(place):
                continue  # nothing is seen there: silence says nothing
            now_micros = latest if known is None else known.get(place, latest)
            rules = self._rules.get(place, self._default)
            for tag in [tag for tag, stay in stays.items() if self._gone(place, stay, rules, now_micros)]:
                stay = stays.pop(tag)
                self._count -= 1
                if not stay.announced:
                    self.ghosts += 1
                    continue
                yield self._departure(tag, place, stay, now_micros)
            self._forget_blindness(place, now_micros)

    def _gone(self, place: str, stay: _Stay, rules: PresenceRules, now: int) -> bool:
        silence = now - stay.last
        if silence < rules.silence_least_micros:
            return False
        silence -= self._blind_micros(place, stay.last, now)
        if silence < rules.silence_least_micros:
            return False
        if silence >= rules.silence_most_micros:
            return True
        return silence // rules.epoch_micros >= silent_epochs(
            self._pools[place].probability(stay), rules.doubt
        )

    def _departure(self, tag: Hashable, place: str, stay: _Stay, now: int) -> Departure:
        sides = tuple(
            SideSeen(
                side=name, first_micros=side.first, last_micros=side.last, count=side.count,
                centre_micros=stay.arrived + side.moment / side.weight,
            )
            for name, side in stay.sides.items()
        )  # fmt: skip
        ends = [until for since, until in self._blind.get(place, ()) if until > stay.last and since < now]
        return Departure(
            tag=tag, place=place, arrived_micros=stay.arrived, at_micros=stay.last, reads=stay.reads, sides=sides,
            uncertain_until_micros=max(ends, default=None),
        )  # fmt: skip

    def _forget_blindness(self, place: str, now: int) -> None:
        oldest = min((stay.last for stay in self._stays[place].values()), default=now)
        if place in self._blind:
            self._blind[place] = [each for each in self._blind[place] if each[1] < 0 or each[1] > oldest]


def silent_epochs(probability: float, doubt: float) -> int:
    """For how many epochs a tag that is seen with this probability must be silent to have left."""
    if probability >= 1:
        return 1
    return max(1, math.ceil(math.log(doubt) / math.log1p(-probability)))
