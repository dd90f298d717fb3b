"""From arrivals, departures and passages to EPCIS events, and from a tag's bits to the name of what it is on.

GS1 EPCIS 2.0 clause 7.4.1 (ObjectEvent, action OBSERVE) and CBV 2.0 (business steps, dispositions). What happens at one
place with one meaning in a short time is one event, as a pallet's cases are. A business location says where things are
from then on, so only an arrival has one. The event id is the hash of CBV 2.0 clause 8.9, so an event that is sent twice
is one. A chip that does not fit its EPC is an event of its own with the disposition ``mismatch_instance``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum

from jinka.codec.epcis import Action, Event, EventType, Extension, Place, event_hash
from jinka.codec.epcis.scalars import time_text
from jinka.codec.epcis.vocabulary import BIZ_STEPS, DISPOSITIONS
from jinka.codec.tags import TagError, decode, digital_link
from jinka.trace.passage import Direction, Gate, Passage, passage
from jinka.trace.presence import Arrival, Change, PresenceRules
from jinka.trace.tag_chips import ChipMismatch, ChipSign

NAMESPACE = "urn:jinka:readers:"
_MISMATCH = "chipMismatch"
_NOT_EPC = 0x0100  # of the protocol control word: the bank holds an ISO identifier (TDS 2.0 clause 9.3.3)
_EPCS_MOST = 1_000


class Meaning(Enum):
    """What was observed at a place."""

    ARRIVED = "arrived"
    DEPARTED = "departed"
    ENTERED = "in"
    LEFT = "out"
    UNDECIDED = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Words of the CBV, bare: ``arriving``, ``in_progress``."""

    step: str
    disposition: str


WORDS: Mapping[Meaning, Words] = {
    Meaning.ARRIVED: Words(step="arriving", disposition="in_progress"),
    Meaning.DEPARTED: Words(step="departing", disposition="in_transit"),
    Meaning.ENTERED: Words(step="arriving", disposition="in_progress"),
    Meaning.LEFT: Words(step="departing", disposition="in_transit"),
    Meaning.UNDECIDED: Words(step="entering_exiting", disposition="unknown"),
}
_THERE = frozenset({Meaning.ARRIVED, Meaning.ENTERED})


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPlace:
    """A place that readers watch. With a gate it tells ways through, else arrivals and departures.

    ``words`` has the meanings that become events; what is not in it is counted and not told.
    """

    name: str
    read_point: str
    biz_location: str = ""
    gate: Gate | None = None
    rules: PresenceRules = field(default_factory=PresenceRules)
    words: Mapping[Meaning, Words] = field(default_factory=lambda: WORDS)
    together_micros: int = 1_000_000


@dataclass(slots=True)
class _Open:
    since: int
    earliest: int
    latest: int
    epcs: dict[str, None] = field(default_factory=dict)

    def spread(self, at: int) -> int:
        """How long it would last with another moment."""
        return max(self.latest, at) - min(self.earliest, at)


_Key = tuple[str, Meaning, int | None]  # place, meaning, uncertain until


class EventMaker:
    """Collects what happens, and gives events when their time is up.

    ``offset_of`` says which offset (+08:00) the places' clocks have at a time in UTC microseconds.
    """

    def __init__(self, places: Mapping[str, ReadPlace], *, offset_of: Callable[[int], str]) -> None:
        self._places, self._offset_of = places, offset_of
        self._open: dict[_Key, list[_Open]] = {}
        self._ready: list[Event] = []
        self.counts: dict[str, int] = {}

    def take(self, change: Change, epc: str, now_micros: int) -> None:
        """An arrival or a departure of what ``epc`` names."""
        place = self._places[change.place]
        meaning, uncertain = _meaning(change, place)
        if meaning is None:
            return
        self._count(meaning.value)
        if meaning not in place.words:
            return
        key = (place.name, meaning, uncertain)
        groups = self._open.setdefault(key, [])
        kept = next((each for each in groups if each.spread(change.at_micros) <= place.together_micros), None)
        if kept is None:
            kept = _Open(since=now_micros, earliest=change.at_micros, latest=change.at_micros)
            groups.append(kept)
        kept.earliest = min(kept.earliest, change.at_micros)
        kept.latest = max(kept.latest, change.at_micros)
        kept.epcs[epc] = None
        if len(kept.epcs) >= _EPCS_MOST:
            groups.remove(kept)
            self._close(key, kept)

    def mismatch(self, found: ChipMismatch) -> None:
        """A chip that does not go with its EPC."""
        self._count("mismatch")
        facts = {
            "sign": found.sign.value,
            "tid": found.tid.hex().upper(),
            "boundTid": found.bound_tid.hex().upper(),
            "boundEpc": found.bound_epc,
        }
        told = Extension(
            namespace=NAMESPACE,
            name=_MISMATCH,
            children=tuple(
                Extension(namespace=NAMESPACE, name=name, text=text) for name, text in facts.items()
            ),
        )
        words = Words(step="inspecting", disposition="mismatch_instance")
        place = self._places[found.place]
        self._ready.append(self._event(place, words, (found.epc,), found.at_micros, extensions=(told,)))

    def due(self, now_micros: int, *, all_of_them: bool = False) -> Iterator[Event]:
        """The events whose time is up; at the end all of them."""
        for key in [*self._open]:
            waits = self._places[key[0]].together_micros
            for kept in self._open.pop(key):
                if all_of_them or now_micros - kept.since >= waits:
                    self._close(key, kept)
                else:
                    self._open.setdefault(key, []).append(kept)
        ready, self._ready = self._ready, []
        yield from ready

    def _close(self, key: _Key, kept: _Open) -> None:
        name, meaning, uncertain = key
        place = self._places[name]
        told: tuple[Extension, ...] = ()
        if uncertain is not None:
            until = time_text(uncertain, self._offset_of(uncertain))
            told = (Extension(namespace=NAMESPACE, name="uncertainUntil", text=until),)
        location = place.biz_location if meaning in _THERE else ""
        self._ready.append(
            self._event(place, place.words[meaning], tuple(sorted(kept.epcs)), kept.latest, location, told)
        )

    def _event(
        self,
        place: ReadPlace,
        words: Words,
        epcs: tuple[str, ...],
        at: int,
        location: str = "",
        extensions: tuple[Extension, ...] = (),
    ) -> Event:
        self._count("events")
        made = Event(
            event_type=EventType.OBJECT,
            event_time_us=at,
            zone_offset=self._offset_of(at),
            action=Action.OBSERVE,
            epcs=epcs,
            read_point=Place(id=place.read_point),
            biz_location=Place(id=location) if location else None,
            biz_step=BIZ_STEPS.stem + words.step,
            disposition=DISPOSITIONS.stem + words.disposition,
            extensions=extensions,
        )
        return replace(made, event_id=event_hash(made))

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1


def _meaning(change: Change, place: ReadPlace) -> tuple[Meaning | None, int | None]:
    """What a change means at its place, and until when its time is uncertain."""
    if isinstance(change, Arrival):
        return (None if place.gate else Meaning.ARRIVED), None
    if place.gate is None:
        return Meaning.DEPARTED, change.uncertain_until_micros
    judged: Passage = passage(change, place.gate)
    meanings = {
        Direction.IN: Meaning.ENTERED,
        Direction.OUT: Meaning.LEFT,
        Direction.BACK: None,
        Direction.UNKNOWN: Meaning.UNDECIDED,
    }
    return meanings[judged.direction], change.uncertain_until_micros


def chip_mismatches(event: Event) -> Iterator[ChipMismatch]:
    """What a station's event says of chips, to be weighed with other signs; the place is the read point.

    What is not as `EventMaker` writes it is not taken.
    """
    for told in event.extensions:
        if (told.namespace, told.name) != (NAMESPACE, _MISMATCH):
            continue
        facts = {each.name: each.text for each in told.children if each.namespace == NAMESPACE}
        try:
            sign = ChipSign(facts["sign"])
            tid, bound_tid = bytes.fromhex(facts["tid"]), bytes.fromhex(facts["boundTid"])
        except (KeyError, ValueError):
            continue
        for epc in event.epcs:
            yield ChipMismatch(
                sign=sign, epc=epc, tid=tid, bound_epc=facts.get("boundEpc", epc), bound_tid=bound_tid,
                at_micros=event.event_time_us, place=event.read_point.id if event.read_point else "",
            )  # fmt: skip


def tag_name(epc: bytes, bits: int, pc: int | None = None) -> tuple[str, bool]:
    """The identifier of what a tag is on, and whether it is an EPC; what cannot be read is a raw URI (TDS 12.2)."""
    raw = f"urn:epc:raw:{bits}.x{epc.hex().upper()}"
    if pc is not None and pc & _NOT_EPC:
        return f"urn:epc:raw:{bits}.x{pc & 0xFF:02X}.x{epc.hex().upper()}", False
    try:
        tag = decode(epc)
        return (digital_link(tag.elements) if tag.scheme.is_plus else tag.epc.urn), True
    except TagError:
        return raw, False
