"""Pricing rules: whole fen in, whole fen out, each a few numbers that a tariff notice would print.

Rounding is half up to one fen, once per rule. No rule knows the prices that it will meet.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from jinka.kit import Usage


class Rule(Protocol):
    """From the gross fare to the charge."""

    def price(self, gross_fen: int) -> int:
        """Return the charge in fen, never below zero."""
        ...

    def text(self) -> str:
        """The rule in a few words, for reports and documentation."""
        ...


def _percent(amount_fen: int, percent: int) -> int:
    return (2 * amount_fen * percent + 100) // 200


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the fare in whole percent: 95 for five percent off, 0 for free."""

    percent: int

    def price(self, gross_fen: int) -> int:
        return _percent(gross_fen, self.percent)

    def text(self) -> str:
        return f"{self.percent}%"


@dataclass(frozen=True, slots=True)
class Bands:
    """Marginal bands: (up to this gross fare, percent charged of the part inside the band); the last is open.

    ``Bands(((300, 80), (600, 75), (None, 65)))`` charges 80 % of the first 3 yuan, 75 % of the next 3, 65 % beyond.
    """

    bands: tuple[tuple[int | None, int], ...]

    def __post_init__(self) -> None:
        limits = [limit for limit, _ in self.bands]
        if not limits or limits[-1] is not None or None in limits[:-1]:
            raise Usage("the last band, and only it, must be open", where="tariff.bands", fix="end with None")
        closed = [limit for limit in limits if limit is not None]
        if closed != sorted(set(closed)):
            raise Usage(f"limits {closed} do not rise", where="tariff.bands")

    def price(self, gross_fen: int) -> int:
        charge, below = 0, 0
        for limit, percent in self.bands:
            upper = gross_fen if limit is None else min(limit, gross_fen)
            if upper > below:
                charge += _percent(upper - below, percent)
                below = upper
        return charge

    def text(self) -> str:
        parts = [f"{percent}%" + ("" if limit is None else f" <= {limit}") for limit, percent in self.bands]
        return " / ".join(parts)


@dataclass(frozen=True, slots=True)
class AmountOff:
    """Another rule's price less a fixed amount, such as a transfer discount."""

    base: Rule
    off_fen: int

    def price(self, gross_fen: int) -> int:
        return max(0, self.base.price(gross_fen) - self.off_fen)

    def text(self) -> str:
        return f"{self.base.text()} - {self.off_fen} fen"
