"""Steps of numbered bills that a card counts, signs and declares: tax-control invoices, and whatever must have no gap.

The card keeps one record of digits, written at once so that a card pulled away holds all of it or nothing: the last
number (10), the number declared up to (10), then a sum (14) for each line that is added up. A right of the sector says
when a number may be used, and writes the record. Each bill is a signed document of the journey, so `Verify` and
`Alter` work on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Number, Step


@dataclass(frozen=True, slots=True)
class Invoice(Step):
    """A till fills a sheet, the card counts on and signs. ``document`` names the bill.

    The right is judged with the facts ``number`` (the next one), ``amount`` (of ``charged``) and ``counter`` (the new
    value of the record), which its change writes. ``torn`` pulls the card away after it has counted and before it has
    signed: the till finishes that bill when the card is next used there. Refused is a reason of the right, or
    NOT_ITS_OWN where the application is none of the device's.
    """

    card: str
    device: str
    document: str
    _: KW_ONLY
    entitlement: str
    sheet: str
    facts: Mapping[str, Number]
    gives: Mapping[str, int]
    counter: str  # the record
    charged: str  # the sheet's line that is charged
    sums: tuple[str, ...]  # lines that are added up, in the order of the record
    tells: tuple[str, ...] = ()  # records that are printed on the bill, such as the seller's number
    pin: str = ""
    torn: bool = False
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Declare(Step):
    """The bills since the last declaration are handed in with the card; an office checks each and begins anew.

    Numbers must run on from the one declared up to, without a gap, each signature must be good, and the sums that the
    card holds must be those of the bills. ``without`` and ``twice`` are bills that are kept back or handed in a second
    time. Refused is GAP, REPEATED, SUMS_DIFFER, or a reason of `Verify`. When all is well the sums begin at zero and
    ``resets`` is written; ``remembers`` keeps sums by line under names, to be facts of later steps.
    """

    card: str
    device: str
    count: int
    gives: Mapping[str, int] = field(default_factory=dict)
    _: KW_ONLY
    counter: str
    sums: tuple[str, ...]
    resets: Mapping[str, str] = field(default_factory=dict)
    remembers: Mapping[str, str] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    twice: tuple[str, ...] = ()
    refused: str = ""
