"""Steps of numbered bills that a card counts, signs and declares: tax-control invoices, and whatever must have no gap.

The card keeps the last number and running sums as records; a right of the sector says when a number may be used, and
writes them back. Each bill is a signed document of the journey, so `Verify` and `Alter` work on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Number, Step


@dataclass(frozen=True, slots=True)
class Invoice(Step):
    """A till fills a sheet, the card counts on and signs. ``document`` names the bill.

    The right is judged with the facts ``number`` (the next one), ``amount`` (of ``charged``) and, for each record of
    ``sums``, its new value under the record's name; its changes write them. ``torn`` pulls the card away after it has
    counted and before it has signed: the till finishes that bill when the card is next used there.
    """

    card: str
    device: str
    document: str
    _: KW_ONLY
    entitlement: str
    sheet: str
    facts: Mapping[str, Number]
    gives: Mapping[str, int]
    number: str  # the record of the last number
    charged: str  # the sheet's line that is charged
    sums: Mapping[str, str]  # records of running sums by the line that they add up
    tells: tuple[str, ...] = ()  # records that are printed on the bill, such as the seller's number
    pin: str = ""
    torn: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Declare(Step):
    """The bills since the last declaration are handed in with the card; an office checks each and begins anew.

    Numbers must run on from ``declared`` to ``number`` without a gap, each signature must be good, and the sums that
    the card holds must be those of the bills. ``without`` and ``twice`` are bills that are kept back or handed in a
    second time. Refused is GAP, REPEATED, SUMS_DIFFER, or a reason of `Verify`. ``resets`` is written when all is well;
    ``remembers`` keeps sums under names, to be facts of later steps.
    """

    card: str
    device: str
    count: int
    gives: Mapping[str, int] = field(default_factory=dict)
    _: KW_ONLY
    number: str
    declared: str
    sums: Mapping[str, str]
    resets: Mapping[str, str] = field(default_factory=dict)
    remembers: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    refused: str = ""
