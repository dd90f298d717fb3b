"""What a sector declares of things that are followed: their codes, the places, how they must be kept and stored.

GS1 keys (GS1 General Specifications; EPC Tag Data Standard 2.3) and Chinese codes (NMPAB/T 1002-2019 drug trace codes,
GB/T 31866 Ecode). Inert; `jinka.app.sector_trace` follows things by it. Steps name things shortly:

``rice/7`` an item or a unit with that serial, ``rice/1..20`` twenty of them, ``rice#A1`` a lot, ``rice#A1 40 KGM`` so
much of it (UN/CEFACT Recommendation 20; no unit: pieces), ``rice 5`` five of the kind with no lot; commas between.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from enum import Enum
from typing import NoReturn

from jinka.codec.tags.chinese import DRUG_CODE_LENGTH, parse_drug_code, parse_ecode
from jinka.kit import Usage
from jinka.trace.storage import Segregation

DRUG_STEM, ECODE_STEM = "urn:jinka:drug:", "urn:jinka:ecode:"
_SSCC_DIGITS = 17


class ItemKey(Enum):
    """By which code things are known, and what its stem is."""

    TRADE_ITEM = "sgtin"  # company prefix and item reference: 6901234.012345; lots as well
    LOGISTIC_UNIT = "sscc"  # company prefix
    ASSET = "grai"  # returnable: company prefix and asset type
    SINGLE_ASSET = "giai"  # company prefix: a cylinder, a vehicle, a freight container
    DRUG = "drug"  # the seven digits of the product (药品标识码); a serial has up to thirteen
    ECODE = "ecode"  # version, coding system and the beginning of the item's code
    OTHER = "uri"  # a URI up to the serial: batteries (GB/T 34014), vehicles, what has a national code


@dataclass(frozen=True, slots=True)
class ItemClass:
    """One kind of thing. ``tag`` is the binary coding of its tags (SGTIN-96, SSCC-96, GRAI-96, GIAI-96), if it has
    any; ``hazard`` its class of dangerous goods with division and subsidiary risks; ``contents`` how much one of them
    counts against a zone's licence, in its unit (a cylinder with 1,000 kg).
    """

    name: str
    title_en: str
    title_zh: str
    key: ItemKey
    stem: str
    _: KW_ONLY
    tag: str = ""
    hazard: tuple[str, ...] = ()
    contents: int = 1

    def __post_init__(self) -> None:
        if set(self.name) & set("/#,. ") or not self.name:
            raise Usage(f"{self.name!r} is no name", where="item class", fix="letters, digits, hyphens")

    def item(self, serial: str) -> str:
        """The URI of one of them."""
        match self.key:
            case ItemKey.LOGISTIC_UNIT:
                digits = _SSCC_DIGITS - len(self.stem)
                return f"urn:epc:id:sscc:{self.stem}.{serial.zfill(digits)}"
            case ItemKey.DRUG:
                code = self.stem + serial.zfill(DRUG_CODE_LENGTH - len(self.stem))
                return DRUG_STEM + parse_drug_code(code).code
            case ItemKey.ECODE:
                return ECODE_STEM + parse_ecode(self.stem + serial).code
            case ItemKey.OTHER:
                return self.stem + serial
            case _:
                return f"urn:epc:id:{self.key.value}:{self.stem}.{serial}"

    def lot(self, number: str) -> str:
        """The URI of a lot; `Usage` for what has no lots."""
        if self.key is not ItemKey.TRADE_ITEM:
            raise Usage(
                "only trade items have lots", where=f"{self.name}#{number}", fix="an item: name/serial"
            )
        return f"urn:epc:class:lgtin:{self.stem}.{number}"

    @property
    def kind(self) -> str:
        """The URI of the kind without lot or serial."""
        if self.key not in (ItemKey.TRADE_ITEM, ItemKey.ASSET):
            raise Usage("it has no code of its kind", where=self.name, fix="an item: name/serial")
        return f"urn:epc:idpat:{self.key.value}:{self.stem}.*"


@dataclass(frozen=True, slots=True)
class TracePlace:
    """Where things are seen: a location number (company prefix and location reference) and, if others have to be
    told of a shipment by it, the party's number. ``at`` is latitude and longitude.
    """

    name: str
    title_en: str
    title_zh: str
    gln: str
    _: KW_ONLY
    party: str = ""
    at: tuple[float, float] | None = None

    @property
    def location(self) -> str:
        return f"urn:epc:id:sgln:{self.gln}.0"

    @property
    def possessor(self) -> str:
        return f"urn:epc:id:pgln:{self.party}" if self.party else ""


@dataclass(frozen=True, slots=True)
class KeptWithin:
    """How something must be kept: a property of the GS1 Web Vocabulary (Temperature, RelativeHumidity, ...) or a URI,
    from ``low`` to ``high`` (empty: open), outside for at most ``outside_minutes`` at a time. Reports that are more
    than ``gap_minutes`` apart leave a gap.
    """

    name: str
    title_en: str
    title_zh: str
    low: str
    high: str
    _: KW_ONLY
    type: str = "Temperature"
    uom: str = "CEL"
    outside_minutes: int = 0
    gap_minutes: int = 60
    source: str = ""  # document, number, date, clause


@dataclass(frozen=True, slots=True)
class StorageZone:
    """A zone of a place for dangerous goods: how much of which class may be there, by licence, and how far any two
    goods in it are kept apart (IMDG Code, 7.2.4).
    """

    name: str
    title_en: str
    title_zh: str
    place: str
    most: Mapping[str, int]
    _: KW_ONLY
    apart: Segregation = Segregation.AWAY
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """All of it. ``rules`` are the operator's choices: a rule's code with refuse, finding or off (docs/trace.md)."""

    items: tuple[ItemClass, ...]
    places: tuple[TracePlace, ...]
    kept: tuple[KeptWithin, ...] = ()
    zones: tuple[StorageZone, ...] = ()
    rules: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what, names in (
            ("item class", [one.name for one in self.items]),
            ("place", [one.name for one in self.places]),
            ("limit", [one.name for one in self.kept]),
            ("zone", [one.name for one in self.zones]),
            ("code", [f"{one.key.value} {one.stem}" for one in self.items]),
            ("location number", [one.gln for one in self.places]),
        ):
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise Usage(f"a {what} stands twice: {twice[0]}", where="trace", fix="give each once")
        for zone in self.zones:
            self.place(zone.place)

    def item(self, name: str) -> ItemClass:
        """An item class by its name; `Usage` for another."""
        found = {one.name: one for one in self.items}
        return found[name] if name in found else _missing("item class", name, found)

    def place(self, name: str) -> TracePlace:
        found = {one.name: one for one in self.places}
        return found[name] if name in found else _missing("place", name, found)

    def limit(self, name: str) -> KeptWithin:
        found = {one.name: one for one in self.kept}
        return found[name] if name in found else _missing("limit", name, found)

    def zone(self, name: str) -> StorageZone:
        found = {one.name: one for one in self.zones}
        return found[name] if name in found else _missing("zone", name, found)


def _missing(what: str, name: str, known: Mapping[str, object]) -> NoReturn:
    raise Usage(f"no {what} {name!r}", where="trace", fix=f"there is {', '.join(known) or 'none'}")
