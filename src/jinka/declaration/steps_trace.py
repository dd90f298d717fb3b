"""Steps of journeys in which things are followed (`jinka.declaration.trace` has how they are named).

EPCIS 2.0 and CBV 2.0: each event goes as a JSON-LD document through a repository's capture, with its rules and its
choreography. ``found`` are the rules that remark on it and still let it pass; ``refused`` the rule that keeps it out,
or ``UNREADABLE`` for what is no event. Inert; `jinka.app.sector_trace` plays them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from jinka.declaration.steps import Step
from jinka.kit import Usage


@dataclass(frozen=True, slots=True)
class TraceStep(Step):
    """What all events have. ``document`` is a business document as a URI, its CBV type before it if it has one
    (``desadv urn:...``, ``inv urn:...``); ``seal`` the number of a seal that was seen; ``disposition`` a word of CBV
    2.0, 7.2, where it is not the step's usual one (a shipment that is ``returned`` or ``recalled``).

    ``needs`` are names that earlier steps must have remembered: a licence that was asked for, an order whose signatures
    were verified. ``spends`` are such too, and used up when it is done: one release, one movement. What is not there is
    refused as NOT_SHOWN, what was used already as USED_TWICE, and no event is captured.
    """

    _: KW_ONLY
    disposition: str = ""
    document: str = ""
    seal: str = ""
    found: tuple[str, ...] = ()
    refused: str = ""
    needs: tuple[str, ...] = ()
    spends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Commissioned(TraceStep):
    """Things begin to be: harvested, printed, filled; of the lot whose number is ``lot``. ``tid`` is the chip that
    bears the one item's code; ``data`` master data of the lot by CBV 2.0, 9.3 (itemExpirationDate, countryOfOrigin).
    """

    what: str
    place: str
    _: KW_ONLY
    lot: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    tid: str = ""


@dataclass(frozen=True, slots=True)
class Packed(TraceStep):
    """Things go into a container."""

    parent: str
    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Unpacked(TraceStep):
    """And out again; all of them if none is named."""

    parent: str
    place: str
    what: str = ""


@dataclass(frozen=True, slots=True)
class Shipped(TraceStep):
    """Things leave a place for another one."""

    what: str
    place: str
    to: str


@dataclass(frozen=True, slots=True)
class Received(TraceStep):
    """Things come to a place; ``source`` says from which."""

    what: str
    place: str
    source: str = ""


@dataclass(frozen=True, slots=True)
class Transformed(TraceStep):
    """Things are made of others; the items that come out are of the lot whose number is ``lot``."""

    inputs: str
    outputs: str
    place: str
    _: KW_ONLY
    lot: str = ""
    data: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sold(TraceStep):
    """Things are sold to whoever uses them; ``dispensed`` says that it is a medicine for a patient, ``verb`` in both
    languages what is done with it where it is not handed over (a vaccine is given). ``remembers`` keeps the number of
    the one thing that was sold (the word ``number``); a sale that is refused leaves nothing there.
    """

    what: str
    place: str
    _: KW_ONLY
    dispensed: bool = False
    verb: tuple[str, str] | None = None
    remembers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Destroyed(TraceStep):
    """Things come to their end."""

    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Observed(TraceStep):
    """Any other business step of CBV 2.0, 7.1: inspecting, loading, departing, arriving, storing, repairing."""

    biz_step: str
    what: str
    place: str


@dataclass(frozen=True, slots=True)
class Measured(TraceStep):
    """What a sensor says of things: value by time (``08:30`` or ``+1 08:30``), in the unit of the limit's property."""

    what: str
    place: str
    values: Mapping[str, str]
    _: KW_ONLY
    type: str = "Temperature"
    uom: str = "CEL"
    device: str = ""


@dataclass(frozen=True, slots=True)
class TraceBack(Step):
    """Where a thing comes from. ``reaches`` are all things it was made of, and none else, or its lot where its own
    making is not told; ``places`` where it was itself, in their order, if given; ``breaks`` where the chain does not
    tell (names of `jinka.trace.provenance.BreakKind`).
    """

    what: str
    reaches: str
    _: KW_ONLY
    places: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TraceForward(Step):
    """Where all of a thing went; as `TraceBack`."""

    what: str
    reaches: str
    _: KW_ONLY
    places: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Recall(Step):
    """A recall is drafted by one officer and approved by another: notices go out and quarantine begins.

    ``what`` are things, or with ``kind`` "place" places, "device" devices, from ``since`` until ``until`` (as times of
    steps). ``holders`` are exactly those who get a notice with what each has to account for: ``"3 items"``, ``"2 items
    sold"``, ``"40 KGM rice#A1"``, ``"some rice#A1"``, ``"12 KGM rice#A1 sold"``; commas between.
    """

    name: str
    title_en: str
    title_zh: str
    what: str
    holders: Mapping[str, str]
    _: KW_ONLY
    kind: str = "lot"
    since: str = ""
    until: str = ""
    grade: str = "1"
    hazard: str = ""
    drill: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRecall(Step):
    """A holder acknowledges a notice, and says what became of it: ``"3 items quarantined, 2 items sold sold"``, each
    as in `Recall` with a fate (quarantined, returned, destroyed, corrected, sold, used, missing). ``settled`` says
    whether everything is accounted for then.
    """

    recall: str
    holder: str
    outcomes: str = ""
    _: KW_ONLY
    settled: bool = True
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CloseRecall(Step):
    """A recall ends; ``REFUSED`` while a holder has not accounted for all."""

    recall: str
    _: KW_ONLY
    refused: str = ""


@dataclass(frozen=True, slots=True)
class CheckItem(Step):
    """Somebody checks a code. ``says`` is the verdict: known, sold, recalled, contradicted, never made, unknown.

    ``signs`` are exactly what was noticed (two_places, impossible_travel, unknown_serial, after_end, other_chip,
    checked_often); ``tid`` the chip that bore the code now. ``remembers`` keeps answers under names, to be facts of
    later steps (``=name``): the words verdict, sold, recalled, warns, known, events, number (the last 18 digits of the
    code), and of what has a date of expiry (``data={"itemExpirationDate": ...}``) expired and days left.
    """

    code: str
    says: str
    _: KW_ONLY
    signs: tuple[str, ...] = ()
    tid: str = ""
    remembers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Conditions(Step):
    """How a thing was kept, by declared limits: how often outside, how often too long (``breaches``), how often nobody
    knows (``gaps``), and what is wrong with its seals (CHANGED, MISSING, UNSEALED). ``remembers``: the words breaches,
    excursions, gaps, good. ``holds`` are things that are set aside at ``place`` if it was not kept well: HELD until an
    inspection clears them.
    """

    what: str
    limits: tuple[str, ...] = ()
    _: KW_ONLY
    excursions: int = 0
    breaches: int = 0
    gaps: int = 0
    seals: tuple[str, ...] = ()
    remembers: Mapping[str, str] = field(default_factory=dict)
    holds: str = ""
    place: str = ""

    def __post_init__(self) -> None:
        if bool(self.holds) is not bool(self.place):
            raise Usage("what is set aside is so at a place", where=self.what, fix="give holds and place")


@dataclass(frozen=True, slots=True)
class StoreGoods(TraceStep):
    """Dangerous goods are put into a zone, if what lies there lets it: refused as SEGREGATION, TOO_MUCH or CLASS, and
    as NOT_HERE unless the repository knows so much of them at the zone's place.

    From then on what lies in the zones of a place is a fact of later steps, by kind: ``=warehouse petrol``.
    """

    zone: str
    what: str
