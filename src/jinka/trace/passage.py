"""Which way a tag went through a gate with two sides: in, out, back where it came from, or nobody can tell.

Two signs must agree: on which side it was first and last seen, and on which side it was strongest first (the mean of
its read times, weighted by signal strength; the strongest read is nearest to the antenna). A gate that saw it on one
side alone knows no direction. Pure; stays come from `jinka.trace.presence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jinka.trace.presence import Departure, SideSeen


class Direction(Enum):
    """How a tag went through."""

    IN = "in"
    OUT = "out"
    BACK = "back"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """``margin_micros``: sides whose centres are nearer in time than that tell no order."""

    outer: str
    inner: str
    margin_micros: int = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A stay in a gate and what it means; ``reason`` says why nothing is known, in a word of `REASONS`."""

    departure: Departure
    direction: Direction
    reason: str = ""


REASONS = {
    "one_side": ("seen on one side alone", "只在一侧被读到"),
    "no_order": ("both sides saw it at the same time", "两侧同时读到，分不出先后"),
    "contradiction": ("first and last sight contradict the strengths", "首末读与信号强弱相矛盾"),
    "blind": ("the gate was blind meanwhile", "其间门禁读写器失联"),
}


def passage(departure: Departure, gate: Gate) -> Passage:
    """Judge one stay."""
    sides = {each.side: each for each in departure.sides}
    outer, inner = sides.get(gate.outer), sides.get(gate.inner)
    if departure.uncertain_until_micros is not None:
        return Passage(departure=departure, direction=Direction.UNKNOWN, reason="blind")
    if outer is None or inner is None:
        return Passage(departure=departure, direction=Direction.UNKNOWN, reason="one_side")
    first = _order(outer.first_micros - inner.first_micros)
    last = _order(outer.last_micros - inner.last_micros)
    if first * last < 0:
        return Passage(departure=departure, direction=Direction.BACK)
    difference = inner.centre_micros - outer.centre_micros
    if abs(difference) < gate.margin_micros:
        return Passage(departure=departure, direction=Direction.UNKNOWN, reason="no_order")
    strongest = -_order(difference)
    if strongest * (first + last) < 0:
        return Passage(departure=departure, direction=Direction.UNKNOWN, reason="contradiction")
    return Passage(departure=departure, direction=Direction.IN if difference > 0 else Direction.OUT)


def _order(difference: float) -> int:
    return (difference > 0) - (difference < 0)


__all__ = ["REASONS", "Direction", "Gate", "Passage", "SideSeen", "passage"]
