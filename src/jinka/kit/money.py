"""Money and other purse units: whole minor units, no floats, no arithmetic across units."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from jinka.kit.errors import Usage

MAX_MINOR = 2**63 - 1


class Unit(Enum):
    """What a purse or a line of a table counts; the value is (code, minor units in one shown unit, symbol)."""

    FEN = ("fen", 100, "¥")
    WATT_HOUR = ("Wh", 1000, "kWh")
    MILLILITRE = ("ml", 1000, "l")
    MINUTE = ("minute", 1, "min")
    POINT = ("point", 1, "pt")
    NUMBER = ("number", 1, "")  # a plain number, shown without grouping: a year
    MONTH = ("month", 1, "")  # months since year 0, shown as year and month

    @property
    def code(self) -> str:
        return self.value[0]


def check_minor(value: int, *, where: str) -> int:
    """Return ``value`` if it is a whole number from 0 to 2^63-1; raise `Usage` otherwise."""
    if type(value) is not int or not 0 <= value <= MAX_MINOR:
        raise Usage(f"not an amount in minor units: {value!r}", where=where, fix="0 to 2^63-1, an int")
    return value


def format_minor(value: int, unit: Unit = Unit.FEN) -> str:
    """``123456`` fen becomes ``1,234.56``; a sign is kept for positions and differences."""
    if unit is Unit.NUMBER:
        return str(value)
    if unit is Unit.MONTH:
        return f"{value // 12}-{value % 12 + 1:02d}"
    _, scale, _ = unit.value
    whole, rest = divmod(abs(value), scale)
    digits = len(str(scale)) - 1
    text = f"{whole:,}" + (f".{rest:0{digits}d}" if digits else "")
    return f"-{text}" if value < 0 else text


def apportion(total: int, weights: Sequence[int], ids: Sequence[str]) -> list[int]:
    """Split ``total`` by ``weights`` so that the parts add up to it exactly (largest remainder).

    Ties go to the smaller id, so that the result does not depend on the order of the input.
    """
    if len(weights) != len(ids) or not weights:
        raise Usage("weights and ids must be of one length and not empty", where="apportion")
    whole = sum(weights)
    if whole <= 0 or min(weights) < 0:
        raise Usage("weights must be non-negative and not all zero", where="apportion")
    sign = -1 if total < 0 else 1
    parts = [abs(total) * weight // whole for weight in weights]
    rest = abs(total) - sum(parts)
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(abs(total) * weights[i] % whole), ids[i]))
    for i in by_remainder[:rest]:
        parts[i] += 1
    return [sign * part for part in parts]
