"""Limits as data: for one transaction or a day, by channel, kind, category, and at each merchant.

What was taken back no longer counts; what is only held does. The day is the calendar day in China. A limit's code and
titles stand in the decision that it refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jinka.issuer.authorisation import AuthorisationRequest, Channel, Kind, day_of
from jinka.issuer.books import Deed
from jinka.issuer.reasons import Reason
from jinka.kit import Refused, Usage

# One card has at most so many transactions in the past that limits and rules look at; more are refused, so that a
# flood of requests for one card cannot make its history long to read.
HISTORY_MAX = 256


class Declined(Refused):
    """A check that the issuer's host makes of a request said no; ``reason`` goes into the decision."""

    def __init__(self, reason: Reason, rule: str = "", title: tuple[str, str] = ("", "")) -> None:
        super().__init__(reason.title[0], where="authorisation")
        self.reason, self.rule, self.title = reason, rule, title


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """Bounds that are None do not bound; empty sets mean all. ``each_merchant`` sums for each merchant alone."""

    code: str
    english: str
    chinese: str
    channels: frozenset[Channel] = frozenset()
    kinds: frozenset[Kind] = frozenset()
    categories: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    each_merchant: bool = False
    single_fen: int | None = None
    day_fen: int | None = None
    day_count: int | None = None

    def __post_init__(self) -> None:
        bounds = (self.single_fen, self.day_fen, self.day_count)
        if not any(bound is not None for bound in bounds) or any(b is not None and b < 0 for b in bounds):
            raise Usage("a limit without a bound, or below nought", where=f"limit {self.code}")

    def check(self, request: AuthorisationRequest, before: Sequence[Deed]) -> None:
        """Raises `Declined`; ``before`` is the card's past."""
        asked = (request.channel, request.kind, request.category, request.merchant)
        if not self._covers(*asked):
            return
        title = (self.english, self.chinese)
        if self.single_fen is not None and request.amount_fen > self.single_fen:
            raise Declined(Reason.LIMIT, self.code, title)
        if self.day_fen is None and self.day_count is None:
            return
        began, ends = day_of(request.at_micros)
        bound = self.channels or self.kinds or self.categories or self.merchants
        spent = [
            b
            for b in before
            if b.spends
            and began <= b.at_micros < ends
            and (not bound or self._covers(b.channel, b.kind, b.category, b.merchant))
            and (not self.each_merchant or b.merchant == request.merchant)
        ]
        if self.day_fen is not None and request.amount_fen + sum(b.amount_fen for b in spent) > self.day_fen:
            raise Declined(Reason.LIMIT, self.code, title)
        if self.day_count is not None and len(spent) >= self.day_count:
            raise Declined(Reason.TOO_MANY, self.code, title)

    def _covers(self, channel: Channel, kind: Kind, category: str, merchant: str) -> bool:
        return (
            (not self.channels or channel in self.channels)
            and (not self.kinds or kind in self.kinds)
            and (not self.categories or category in self.categories)
            and (not self.merchants or merchant in self.merchants)
        )


def check_history(before: Sequence[Deed]) -> None:
    """Raises `Declined` when the card has been used too often for its past to be read whole."""
    if len(before) >= HISTORY_MAX:
        raise Declined(Reason.TOO_MANY, "history", ("too many in the window", "短期内交易过多"))
