"""Signs that a code was copied, each with what it rests on: a contradiction in the records, or a guess.

One code in two places at once, a way that nothing travels so fast, a serial that its owner never made, life after a
sale, another chip under the same code, and a code that is asked for again and again. A contradiction says that a
record or a thing is false, not which of them; a guess says that somebody should look. That no sign was found proves
nothing: a copy of a good code bears no mark.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import NamedTuple

from jinka.trace.lineage import ENDS, LEAVES
from jinka.trace.provenance import Sight
from jinka.trace.tag_chips import ChipMismatch

_EARTH_KM = 6371.0
_HOUR_US = 3_600_000_000


class Sign(Enum):
    """What was noticed: (value, Chinese, English, whether records contradict one another)."""

    TWO_PLACES = ("two_places", "同一编码同时出现在两地", "the same code at two places at once", True)
    TRAVEL = (
        "impossible_travel",
        "两地之间的移动速度不可能",
        "it would have travelled faster than anything does",
        True,
    )
    UNKNOWN_SERIAL = ("unknown_serial", "无此编码的赋码记录", "nobody recorded that it was ever made", False)
    AFTER_END = ("after_end", "售出或销毁后再次出现", "seen again after it was sold or destroyed", True)
    CHIP = ("other_chip", "编码与芯片不符", "the code is on another chip than before", True)
    CHECKED_OFTEN = ("checked_often", "该编码被频繁查询", "the code is checked unusually often", False)

    @property
    def contradiction(self) -> bool:
        return self.value[3]


class Suspicion(NamedTuple):
    """A sign with its evidence: when, the events (empty where there are none), and a figure in words."""

    sign: Sign
    at_us: int
    events: tuple[int, ...]
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is too much. ``at_once_us``: sightings closer than this at two places are at once."""

    at_once_us: int = 60_000_000
    speed_km_h: float = 1_000.0  # an airliner
    slack_km: float = 30.0  # how well places are known
    checks: int = 20
    checks_us: int = 24 * _HOUR_US


Places = Mapping[int, tuple[float, float]]  # latitude and longitude in degrees
_BOUNDS = Bounds()


def suspicions_of(sights: Sequence[Sight], *, born: bool, kind_is_recorded: bool, places: Places,
                  checks_us: Sequence[int] = (), chips: Iterable[ChipMismatch] = (),
                  bounds: Bounds = _BOUNDS) -> list[Suspicion]:  # fmt: skip
    """All signs of one item. ``born``: somebody recorded its making; ``kind_is_recorded``: of others of its kind."""
    found = [*_moves(sights, places, bounds), *_after_end(sights), *_checked(checks_us, bounds)]
    if not born and kind_is_recorded:
        first = min((sight.at_us for sight in sights), default=0)
        found.append(Suspicion(Sign.UNKNOWN_SERIAL, first, (), "others of its kind were recorded"))
    found += [Suspicion(Sign.CHIP, chip.at_micros, (), chip.place) for chip in chips]
    return sorted(found, key=lambda each: (not each.sign.contradiction, each.at_us, each.sign.value[0]))


def _moves(sights: Sequence[Sight], places: Places, bounds: Bounds) -> Iterable[Suspicion]:
    """Pairs of sightings one after another at two places."""
    for before, after in pairwise(sights):
        if before.place == after.place:
            continue
        took, events = after.at_us - before.at_us, (before.event, after.event)
        if took <= bounds.at_once_us:
            yield Suspicion(Sign.TWO_PLACES, after.at_us, events, f"{took // 1_000_000} s apart")
        elif before.place in places and after.place in places:
            way = way_km(places[before.place], places[after.place]) - bounds.slack_km
            speed = way / (took / _HOUR_US)
            if speed > bounds.speed_km_h:
                yield Suspicion(Sign.TRAVEL, after.at_us, events, f"{way:.0f} km, {speed:.0f} km/h")


def _after_end(sights: Sequence[Sight]) -> Iterable[Suspicion]:
    """Seen somewhere else, or on its way, after somebody sold or destroyed it. A return to that place is none."""
    ended: Sight | None = None
    for sight in sights:
        if ended is not None and (sight.place != ended.place or sight.step in LEAVES or sight.step in ENDS):
            yield Suspicion(Sign.AFTER_END, sight.at_us, (ended.event, sight.event), ended.step.word)
            return
        if sight.step in ENDS and not sight.inside:
            ended = sight


def _checked(checks_us: Sequence[int], bounds: Bounds) -> Iterable[Suspicion]:
    times = sorted(checks_us)
    for n in range(bounds.checks, len(times)):
        if times[n] - times[n - bounds.checks] <= bounds.checks_us:
            yield Suspicion(Sign.CHECKED_OFTEN, times[n], (), f"{len(times)} times")
            return


def way_km(start: tuple[float, float], end: tuple[float, float]) -> float:
    """The way between two points on the ground, by the haversine formula."""
    (a, b), (c, d) = ((math.radians(x), math.radians(y)) for x, y in (start, end))
    half = math.sin((c - a) / 2) ** 2 + math.cos(a) * math.cos(c) * math.sin((d - b) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(math.sqrt(min(1.0, half)))
