"""The repository of a journey: a TraceStore on SQLite behind its REST capture, its recalls, its checks, and the names.

Documents are JSON-LD and go the whole way of `jinka trace serve`: read and validated, judged by the rules and the
choreography, hashed, kept as rows and edges. The journey's time is the repository's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from jinka.api.epcis import EpcisApplication
from jinka.api.epcis_exchange import Ask
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.app.trace_config import TraceFile
from jinka.app.trace_recall import RecallDesk
from jinka.app.trace_serving import repository_services
from jinka.codec.epcis import Document, Event, Extension, Quantity, Vocabulary, VocabularyElement, write_json
from jinka.codec.tags import SCHEME_BY_NAME, canonical_id, decode_hex, encode, make_tag, parse_urn
from jinka.declaration.trace import ItemClass, ItemKey, Trace, TracePlace
from jinka.kit import Usage, utc_micros
from jinka.reports.day import Text
from jinka.store.trace_checks import SqlChecks
from jinka.store.trace_edges import SqlLinks
from jinka.trace.storage import Goods
from jinka.trace.tag_chips import ChipBindings

_DIGITS = 18  # as many as any whole number of a sheet may have
_NAMED = re.compile(
    r"(?P<item>[^/#\s]+)(?:/(?P<serial>\S+)|#(?P<lot>\S+))?"
    r"(?:\s+(?P<amount>[0-9]+(?:\.[0-9]+)?)(?:\s+(?P<uom>[A-Z0-9]{2,3}))?)?"
)
_RANGE = re.compile(r"([0-9]+)\.\.([0-9]+)")
_RANGE_MAX = 10_000
_ZH = {
    "KGM": "公斤", "GRM": "克", "TNE": "吨", "LTR": "升", "MLT": "毫升", "MTQ": "立方米", "EA": "件",
}  # fmt: skip
_SYMBOLS = {
    "KGM": "kg",
    "GRM": "g",
    "TNE": "t",
    "LTR": "L",
    "MLT": "mL",
    "MTQ": "m³",
    "CEL": "℃",
    "P1": "%",
    "EA": "",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a step names: single things, amounts of lots and kinds, and both in words."""

    epcs: tuple[str, ...]
    quantities: tuple[Quantity, ...]
    text: Text
    classes: tuple[ItemClass, ...]

    @property
    def ids(self) -> list[str]:
        """All of it by canonical id."""
        return [canonical_id(text) for text in (*self.epcs, *(each.epc_class for each in self.quantities))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Captured:
    """What a repository said of one event: ``refused`` is a rule's code, empty where it was kept."""

    refused: str
    what: str
    found: tuple[str, ...]
    event_id: str


@dataclass(slots=True)
class Lying:
    """Goods in a zone: ``left`` is the quantity that ``goods.amount`` stands for."""

    goods: Goods
    left: Decimal


class _Clock:
    def __init__(self, world: World) -> None:
        self._world = world

    def now_micros(self) -> int:
        return utc_micros(self._world.now, ZONE)


@dataclass(slots=True)
class Repository:
    """One for a journey."""

    trace: Trace
    database: Any
    clock: _Clock
    application: EpcisApplication
    desk: RecallDesk
    checks: SqlChecks
    chips: ChipBindings = field(default_factory=ChipBindings)
    recalls: dict[str, int] = field(default_factory=dict)
    zones: dict[str, dict[str, Lying]] = field(default_factory=dict)
    _shown: dict[str, str] = field(default_factory=dict)
    _introduced: bool = False  # whether the places' master data went in

    # Names

    def named(self, text: str) -> Named:
        """What a step's text names; `Usage` for what is written otherwise."""
        epcs, quantities, classes = list[str](), list[Quantity](), list[ItemClass]()
        words_en, words_zh = list[str](), list[str]()
        for part in filter(None, (each.strip() for each in text.split(","))):
            found = _NAMED.fullmatch(part)
            if found is None:
                raise Usage(
                    f"{part!r} names no thing", where="trace", fix="rice/7, rice/1..20, rice#A1 40 KGM"
                )
            item, serial, lot = self.trace.item(found["item"]), found["serial"], found["lot"]
            classes.append(item)
            if serial and found["amount"]:
                raise Usage(f"{part!r}: an amount of single things", where="trace", fix="rice/1..20")
            if serial:
                epcs += [self._show(item.item(each), f"{item.name}/{each}") for each in serials(serial)]
                words_en.append(f"{item.title_en} {serial.replace('..', '–')}")
                words_zh.append(f"{item.title_zh}{serial.replace('..', '～')}")
                continue
            uri = self._show(item.lot(lot), f"{item.name}#{lot}") if lot else self._show(item.kind, item.name)
            amount = Decimal(found["amount"]) if found["amount"] else None
            quantities.append(Quantity(epc_class=uri, quantity=amount, uom=found["uom"]))
            en, zh = (amount_text(found["amount"] or "", found["uom"], zh=zh) for zh in (False, True))
            words_en.append(item.title_en + (f" lot {lot}" if lot else "") + (f" ({en})" if en else ""))
            words_zh.append(item.title_zh + (f"批次{lot}" if lot else "") + (f"（{zh}）" if zh else ""))
        return Named(
            epcs=tuple(epcs), quantities=tuple(quantities), classes=tuple(dict.fromkeys(classes)),
            text=Text(", ".join(words_en), "、".join(words_zh)),
        )  # fmt: skip

    def one(self, text: str) -> str:
        """The canonical id of the one thing that a text names."""
        ids = self.named(text).ids
        if len(ids) != 1:
            raise Usage(f"{text!r} names {len(ids)} things", where="trace", fix="name one")
        return ids[0]

    def _show(self, uri: str, short: str) -> str:
        self._shown[canonical_id(uri)] = short
        return uri

    def shown(self, name: str) -> str:
        """A canonical id as the sector calls it."""
        return self._shown.get(name) or self.place_of(name) or name

    def place_of(self, name: str) -> str:
        """The declared place of a canonical id; empty for another."""
        for place in self.trace.places:
            if name in {canonical_id(place.location), canonical_id(place.possessor)}:
                return place.name
        return ""

    def place_text(self, name: str) -> Text:
        place = self.trace.place(name)
        return Text(place.title_en, place.title_zh)

    def links(self) -> SqlLinks:
        return SqlLinks(self.database)

    # Capture

    def capture(self, event: Event) -> Captured:
        """One event as a document over the REST interface; raises what the repository refuses a document with."""
        document = Document(
            events=(event,), creation_time_us=self.clock.now_micros(),
            vocabularies=() if self._introduced else (_master_data(self.trace.places),),
        )  # fmt: skip
        self._introduced = True
        body = write_json(document)
        headers = {"content-type": "application/ld+json", "gs1-epcis-version": "2.0.0"}
        answered = self.application.reply(Ask(method="POST", path=("capture",), headers=headers, body=body))
        number = answered.headers["Location"].rpartition("/")[2]
        job = self.application.reply(Ask(method="GET", path=("capture", number)))
        (one,) = json.loads(job.body)["events"]
        findings = one.get("findings", ())
        errors = [each for each in findings if each["severity"] == "error"]
        refused = ""
        if one["outcome"] != "accepted":
            refused = errors[0]["code"] if errors else one["outcome"].upper()
        return Captured(
            refused=refused, what=errors[0]["what"] if errors else one.get("what", ""),
            found=tuple(dict.fromkeys(each["code"] for each in findings if each["severity"] != "error")),
            event_id=one.get("eventID", ""),
        )  # fmt: skip


def _master_data(places: Iterable[TracePlace]) -> Vocabulary:
    """CBV 2.0, 9.2: names of places, and where they are."""

    def attributes(place: TracePlace) -> Iterable[tuple[str, str]]:
        yield "name", place.title_zh
        if place.at is not None:
            yield from zip(("latitude", "longitude"), map(str, place.at), strict=True)

    return Vocabulary(
        type="urn:epcglobal:epcis:vtype:BusinessLocation",
        elements=tuple(
            VocabularyElement(
                id=place.location,
                attributes=tuple(
                    (f"urn:epcglobal:cbv:mda#{name}", Extension(namespace="", name="attribute", text=text))
                    for name, text in attributes(place)
                ),
            )
            for place in places
        ),
    )


def repository(world: World) -> Repository:
    """The repository of this journey, made when it is first asked for."""

    def make() -> Repository:
        trace = world.sector.trace
        if trace is None:
            raise Usage("it follows nothing", where=world.sector.name, fix="declare Sector.trace")
        database, clock = world.database("trace"), _Clock(world)
        file = replace(TraceFile.opened("trace.db"), tables={"rules": trace.rules})
        services = repository_services(file, database, clock, world.randomness)
        return Repository(
            trace=trace, database=database, clock=clock, application=EpcisApplication(services),
            desk=RecallDesk(database, clock), checks=SqlChecks(database),
        )  # fmt: skip

    return world.service("trace", make)


def code_number(name: str) -> int:
    """The last digits of a thing's code as a number, by which a table tells one thing from another."""
    return int("".join(each for each in name if each.isdecimal())[-_DIGITS:] or 0)


def amount_text(amount: str, uom: str | None, *, zh: bool = False) -> str:
    """An amount with the symbol of its unit (UN/CEFACT Recommendation 20), where it has a common one."""
    if zh and amount and uom in _ZH:
        return f"{amount}{_ZH[uom]}"
    return f"{amount} {_SYMBOLS.get(uom, uom)}".rstrip() if uom else amount


def serials(text: str) -> Iterable[str]:
    """``7``, or each of ``1..20``, with the zeros that the first has."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return (text,)
    first, last = int(found[1]), int(found[2])
    if not first <= last < first + _RANGE_MAX:
        raise Usage(f"{text!r} is no range", where="trace", fix="1..20")
    width = len(found[1]) if found[1].startswith("0") else 0
    return [str(number).zfill(width) for number in range(first, last + 1)]


def tag_of(item: ItemClass, uri: str) -> str:
    """What stands in the EPC bank of a tag, in hexadecimal; it is read again, and must name the same thing."""
    made = encode(make_tag(SCHEME_BY_NAME[item.tag.lower()], parse_urn(uri))).hex().upper()
    read = decode_hex(made).epc
    if read is None or canonical_id(read.urn) != canonical_id(uri):
        raise StepFailed(f"the tag {made} is read as another thing", where=uri)
    return made


def check_codes(item: ItemClass) -> str:
    """What is wrong with an item class's code; empty where it names things."""
    uri = item.item("1")
    if item.key in (ItemKey.TRADE_ITEM, ItemKey.LOGISTIC_UNIT, ItemKey.ASSET, ItemKey.SINGLE_ASSET):
        parse_urn(uri)
    if item.tag:
        tag_of(item, uri)
    return "" if ":" in uri else f"{uri} is no URI"


def check_place(place: TracePlace) -> None:
    """Raises `JinkaError` where the numbers of a place are none."""
    parse_urn(place.location)
    if place.party:
        parse_urn(place.possessor)
