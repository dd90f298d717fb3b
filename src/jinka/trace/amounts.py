"""Amounts of one lot in several units: what can be added up, and in which unit it is told.

UN/ECE Recommendation 20 by the table of `jinka.codec.epcis.units`: masses with masses, volumes with volumes, lengths,
areas and pieces. Without a unit a quantity counts pieces (EPCIS 2.0, 7.3.3.3). Nothing is rounded: a unit in which the
others have no finite decimal is not chosen. A mass is never made out of a volume, nor kilograms out of boxes.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction

from jinka.codec.epcis.units import UNITS

_BASES = {"kg": "KGM", "m3": "MTQ", "m": "MTR", "m2": "MTK", "1": "C62"}
_PIECES = frozenset(("C62", "EA", "H87", "PR", "DZN", "GRO", "CEN", "MIL"))
_EXACT = Context(prec=60)


def convert(amount: Decimal, code: str, to: str) -> Decimal | None:
    """An amount in another unit; None where it is of another kind."""
    if code == to:
        return amount
    ratio = _ratio(code, to)
    if ratio is None:
        return None
    exact = Fraction(amount) * ratio
    return _EXACT.divide(Decimal(exact.numerator), Decimal(exact.denominator))


def told_in(codes: Sequence[str]) -> str:
    """The unit for amounts in ``codes``: the first, unless another of its kind is no finite decimal in it."""
    first = codes[0] if codes else ""
    ratios = [ratio for code in codes if (ratio := _ratio(code, first)) is not None]
    if all(_finite(ratio) for ratio in ratios):
        return first
    return _BASES[_kind(first)[0]]


def _ratio(code: str, to: str) -> Fraction | None:
    kind, factor = _kind(code)
    other, divisor = _kind(to)
    return factor / divisor if kind == other else None


def _kind(code: str) -> tuple[str, Fraction]:
    """What a unit measures, and how many base units it is; a code that is not listed is a kind of its own."""
    if not code:
        return "1", Fraction(1)
    unit = UNITS.get(code)
    if unit is None or unit.dimension not in _BASES or (unit.dimension == "1" and code not in _PIECES):
        return f"uom {code}", Fraction(1)
    return unit.dimension, unit.factor


def _finite(ratio: Fraction) -> bool:
    rest = ratio.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    return rest == 1
