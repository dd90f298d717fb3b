"""Fares that a terminal works out itself: by distance, zones, time or place, from a sheet (`jinka.tariff.sheet`).

The sheet gives the gross fare; the tariff's products turn it into the charge, so discounts and transfers are what
they are for fares that come from outside. Implements `facts.Pricer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from jinka.kit import Usage
from jinka.tariff.engine import ENTRY_PRODUCT, Tariff
from jinka.tariff.facts import Charge, RideFacts, TapKind
from jinka.tariff.sheet import Fact, Sheet

LOST_EXIT_PRODUCT = "lost-exit"


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetPricer:
    """``measures`` are facts by (stop of entry, stop of exit); a tap that is paid at once has its stop twice.

    Known without them: ``minutes`` since the entry (begun ones count), ``hour`` of the tap, ``gross`` as the till gave
    it, ``holder`` as a word, ``spent_today`` and ``spent_month`` of a card that keeps count. ``lost_exit`` is the
    gross fare of a card that comes in again without having gone out.
    """

    tariff: Tariff
    sheet: Sheet
    measures: Mapping[tuple[int, int], Mapping[str, Fact]] = field(default_factory=dict)
    constants: Mapping[str, Fact] = field(default_factory=dict)
    lost_exit: int | None = None

    def price(self, facts: RideFacts) -> Charge:
        """The charge of one tap; `Usage` for a pair of stops without measures, and where no product applies."""
        state = facts.state
        if facts.kind is TapKind.ENTRY:
            if self.lost_exit is None or state is None or state.kind is not TapKind.ENTRY:
                return Charge(0, ENTRY_PRODUCT)
            return Charge(self.lost_exit, LOST_EXIT_PRODUCT, gross=self.lost_exit)
        return self.tariff.charge(facts, self.gross(facts))

    def gross(self, facts: RideFacts) -> int:
        """The fare before discounts."""
        state = facts.state
        inside = facts.kind is TapKind.EXIT and state is not None and state.kind is TapKind.ENTRY
        begun = state.at if inside and state is not None else facts.at
        start = state.station if inside and state is not None else facts.station
        known: dict[str, Fact] = {
            "minutes": -(-int((facts.at - begun).total_seconds()) // 60),
            "hour": facts.at.hour,
            "gross": facts.gross_fare,
            "holder": facts.holder.name.lower(),
            "spent_today": facts.spent_today,
            "spent_month": facts.spent_month,
            **self.constants,
            **self.measures.get((start, facts.station), {}),
        }
        missing = [name for name in self.sheet.facts if name not in known]
        if missing:
            raise Usage(
                f"nothing measured from stop {start} to stop {facts.station}", where=f"fare.{missing[0]}",
                fix="declare the measures of this pair",
            )  # fmt: skip
        return self.sheet.fill({name: known[name] for name in self.sheet.facts})[self.sheet.result]
