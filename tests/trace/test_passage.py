"""Which way through a gate.

Goal: two antennas tell in from out, and say so where they cannot. Method: walks with known ways, seeded, with
overlapping fields, missed reads and noisy strengths; and each reason by itself.
"""

from __future__ import annotations

import itertools
import random

import pytest

from jinka.trace.passage import REASONS, Direction, Gate, Passage, passage
from jinka.trace.presence import Presence, Sighting

GATE = Gate(outer="yard", inner="hall")


def _walk(path: list[tuple[float, float]], seed: int, rate: float) -> Passage:
    """(second, metres from the outer antenna at 0 towards the inner one at 2); read every 50 ms with a chance."""
    chance, presence = random.Random(seed), Presence()
    (start, _), (end, _) = path[0], path[-1]
    moment = start
    while moment <= end:
        (t0, x0), (t1, x1) = next((a, b) for a, b in itertools.pairwise(path) if a[0] <= moment <= b[0])
        x = x0 + (x1 - x0) * (moment - t0) / (t1 - t0)
        for side, at in (("yard", 0.0), ("hall", 2.0)):
            distance = abs(x - at)
            if distance < 3 and chance.random() < rate * (1 - distance / 3):
                micros = round(moment * 1_000_000)
                presence.saw(
                    Sighting(
                        tag="t", place="gate", side=side, first_micros=micros, last_micros=micros,
                        rssi_dbm=round(-45 - 8 * distance + chance.gauss(0, 3)),
                    )
                )  # fmt: skip
        moment += 0.05
    (gone,) = presence.tick(round(end * 1_000_000) + 60_000_000)
    return passage(gone, GATE)


@pytest.mark.parametrize("rate", [0.9, 0.5])
def test_walks_in_and_out_are_told_apart(rate: float) -> None:
    told = {
        way: [_walk(path, seed, rate).direction for seed in range(200)]
        for way, path in {
            Direction.IN: [(0.0, -3.0), (4.0, 5.0)],
            Direction.OUT: [(0.0, 5.0), (4.0, -3.0)],
        }.items()
    }
    for way, found in told.items():
        other = Direction.OUT if way is Direction.IN else Direction.IN
        assert found.count(other) == 0
        assert found.count(way) >= 196


def test_who_turns_back_is_neither_in_nor_out() -> None:
    found = [_walk([(0.0, -3.0), (3.0, 1.2), (6.0, -3.0)], seed, 0.9).direction for seed in range(100)]
    assert found.count(Direction.IN) + found.count(Direction.OUT) <= 2
    assert found.count(Direction.BACK) >= 90


def _seen(*sights: tuple[str, float, int], blind: bool = False) -> Passage:
    presence = Presence()
    for side, second, rssi in sights:
        at = round(second * 1_000_000)
        presence.saw(Sighting(tag="t", place="g", side=side, first_micros=at, last_micros=at, rssi_dbm=rssi))
    if blind:
        presence.blinded("g", "r", 1_500_000)
        presence.sighted("g", "r", 9_000_000)
    (gone,) = presence.tick(100_000_000)
    return passage(gone, GATE)


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (_seen(("yard", 0, -50), ("yard", 1, -50)), "one_side"),
        (_seen(("yard", 0, -50), ("hall", 0, -50), ("yard", 1, -50), ("hall", 1, -50)), "no_order"),
        (
            _seen(("yard", 0, -70), ("hall", 0.1, -40), ("yard", 1.9, -40), ("hall", 2, -70)),
            "contradiction",
        ),
        (_seen(("yard", 0, -50), ("hall", 1, -50), blind=True), "blind"),
    ],
)
def test_what_cannot_be_told_has_its_reason_in_two_languages(seen: Passage, reason: str) -> None:
    assert (seen.direction, seen.reason) == (Direction.UNKNOWN, reason)
    assert all(REASONS[reason])
