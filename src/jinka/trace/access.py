"""Who may see which event of a chain: by a declared policy, and with what is hidden in one's own cipher.

A participant sees an event whole when it captured it, or when the event names a place or a party of its own (it sent to
it, say). It sees another's event about a thing that passed through its own hands as far as that other one shares: with
those before it in the chain (``up``) and with those behind it (``down``), whole, redacted, or not at all. Everything
else it does not see. EPCIS 2.0 leaves such policies to the server.

Nobody gets sight of a thing by claiming it (`jinka.trace.claims`): through whose hands it passed is believed of who
owns its key or had it first, and of whom such a one names as the next.

Redaction (`redact`) keeps the event's type, time, steps and the things that the viewer knows; places, parties,
documents, devices and other things become ``urn:jinka:hidden:...``, the same for the same viewer wherever they occur,
so that paths still join, and different for each viewer, so that two of them cannot put their views together. Extensions
and quantities of others are left out. The words are a keyed hash: without the secret nobody can try places out.

Who asks is not found out here, and a time is no secret: who knows that a lorry left at 10:07 may still guess.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import NamedTuple, TypeVar

from jinka.codec.epcis import Event, Place, Quantity, SensorElement, Typed
from jinka.codec.epcis.vocabulary import CBV, GS1_VOC
from jinka.codec.tags import canonical_id
from jinka.kit import Usage
from jinka.trace.choreography import Deed, Turn

HIDDEN = "urn:jinka:hidden:"
OWNS_MAX = 1_000
GLN_STEMS = ("https://id.gs1.org/414/", "https://id.gs1.org/417/")
_PREFIX_DIGITS = range(4, 14)
_KEY = re.compile(r"https://id\.gs1\.org/(\d{2,4})/(\d+)")
_LED = frozenset({"00", "01", "8003", "8006"})  # a digit stands before the prefix
_FOR_EVER = 1 << 62
_T = TypeVar("_T")


class Level(Enum):
    """How much of an event is shown."""

    NOTHING = "nothing"
    REDACTED = "redacted"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """``owns``: identifiers of places and parties, or GS1 company prefixes. ``certificate``: the name in its own.

    ``captures``: others' places, in the same way, whose events it captures for them. ``signs``: what it captures must
    be signed. ``sees_all``: the server's operator, or an authority.
    """

    id: str
    name: str = ""
    owns: frozenset[str] = frozenset()
    captures: frozenset[str] = frozenset()
    up: Level = Level.REDACTED
    down: Level = Level.REDACTED
    sees_all: bool = False
    signs: bool = False
    active: bool = True
    certificate: str = ""
    token_hash: bytes = field(default=b"", repr=False)


class Stay(NamedTuple):
    """Between which event times a thing was in somebody's hands."""

    first_us: int
    last_us: int


Hands = Mapping[str, Stay]  # the things that passed through a viewer's, by canonical id


def read_owns(given: Iterable[str]) -> frozenset[str]:
    """Identifiers in their canonical form, and company prefixes; `Usage` for a text that is neither."""
    found: set[str] = set()
    for text in given:
        prefix = text.isascii() and text.isdigit()
        if (len(text) not in _PREFIX_DIGITS) if prefix else (":" not in text):
            fix = "a company prefix of 4 to 13 digits, or the identifier of a place or a party"
            raise Usage(f"{text[:60]!r}", where="owns", fix=fix)
        found.add(text if prefix else canonical_id(text))
    if len(found) > OWNS_MAX:
        raise Usage(f"{len(found)} identifiers", where="owns", fix=f"at most {OWNS_MAX}")
    return frozenset(found)


class Owners:
    """Whose a place or a party is. The longer prefix wins, an identifier before every prefix."""

    def __init__(self, participants: Iterable[Participant]) -> None:
        everyone = list(participants)
        self._of = {own: one.id for one in everyone for own in one.owns}
        self._captures = {one.id: one.captures for one in everyone if one.captures}
        self._lengths = sorted({len(own) for own in self._of if own.isdigit()}, reverse=True)

    def owner(self, id_: str) -> str:
        """The participant; empty for nobody known."""
        key = canonical_id(id_)
        found = self._of.get(key)
        if found is None and key.startswith(GLN_STEMS):
            digits = key[len(GLN_STEMS[0]) :][:13]
            found = next((self._of[digits[:n]] for n in self._lengths if digits[:n] in self._of), None)
        return found or ""

    @staticmethod
    def within(id_: str, given: Collection[str]) -> bool:
        """Whether identifiers and company prefixes have a place or a party among them."""
        key = canonical_id(id_)
        digits = key[len(GLN_STEMS[0]) :][:13] if key.startswith(GLN_STEMS) else ""
        return key in given or any(digits[:n] in given for n in _PREFIX_DIGITS if n <= len(digits))

    def named(self, event: Event) -> set[str]:
        """Everybody whose place or party the event names."""
        return {owner for id_ in _parties(event) if (owner := self.owner(id_))}

    def spoken_for(self, event: Event, who: str) -> set[str]:
        """The others at whose places the event happened, and who let ``who`` capture for them there."""
        captures = self._captures.get(who, ())
        places = [place.id for place in (event.read_point, event.biz_location) if place is not None]
        let = {self.owner(id_) for id_ in places if captures and self.within(id_, captures)}
        return let - {"", who}

    def key_owner(self, item: str) -> str:
        """Whose company prefix the key of a thing has; empty for nobody's."""
        found = _KEY.match(item)
        if found is None:
            return ""
        digits = found[2][1:] if found[1] in _LED else found[2]
        return next((self._of[digits[:n]] for n in self._lengths if digits[:n] in self._of), "")


def _parties(event: Event) -> Iterator[str]:
    if event.read_point is not None:
        yield event.read_point.id
    if event.biz_location is not None:
        yield event.biz_location.id
    for each in (*event.sources, *event.destinations):
        yield each.id


def involved(event: Event, captured_by: str, owners: Owners) -> set[str]:
    """Who sees the event whole, and through whose hands its things pass by it."""
    return owners.named(event) | ({captured_by} if captured_by else set())


def things_of(event: Event) -> set[str]:
    """Every thing and class that the event is about, by canonical id."""
    return {canonical_id(epc) for epc in event.all_epcs()} | {
        canonical_id(each.epc_class) for each in event.all_quantities()
    }


class Along(Enum):
    """Which way a chain is followed from a thing that the viewer had."""

    BACK = "back"
    FORWARD = "forward"


def level_of(
    event: Event,
    viewer: Participant,
    owner: Participant | None,
    is_involved: bool,
    held: Hands,
    along: Along | None = None,
) -> Level:
    """What the viewer sees. ``owner`` captured it; ``held`` are the event's things that the viewer had, with times.

    ``along``: the event lies on a chain that leads back, or forward, from a thing that the viewer had.
    """
    if viewer.sees_all or is_involved:
        return Level.WHOLE
    if not held and along is None:
        return Level.NOTHING
    if owner is None:
        return Level.REDACTED
    if not held:
        return owner.down if along is Along.BACK else owner.up
    # The viewer stands before the event's owner in the chain when it had the thing before.
    before = any(stay.first_us <= event.event_time_us for stay in held.values())
    return owner.up if before else owner.down


def containers(known: Iterable[Turn]) -> Iterator[tuple[str, Stay]]:
    """What a thing lay in, and from when until when, by turns that are believed."""
    inside: dict[str, int] = {}
    for turn in known:
        if turn.deed is Deed.PACKED:
            inside.setdefault(turn.other, turn.at_us)
        elif turn.deed is Deed.UNPACKED and turn.other in inside:
            yield turn.other, Stay(inside.pop(turn.other), turn.at_us)
    for container, since in inside.items():
        yield container, Stay(since, _FOR_EVER)


def shared(one: Stay, other: Stay) -> Stay | None:
    """The time that two stays have in common."""
    first, last = max(one.first_us, other.first_us), min(one.last_us, other.last_us)
    return Stay(first, last) if first <= last else None


class Veil:
    """Hides identifiers from one viewer, the same one always in the same way."""

    def __init__(self, secret: bytes, viewer: str) -> None:
        if len(secret) < 16:
            raise Usage("too short", where="secret of the veil", fix="at least 16 bytes")
        self._key = hmac.digest(secret, b"jinka.trace.veil\0" + viewer.encode(), "sha256")

    def hide(self, id_: str) -> str:
        """One word for one thing, whether its URN or its Digital Link is given; what is hidden stays as it is."""
        if id_.startswith(HIDDEN):
            return id_
        return HIDDEN + hmac.digest(self._key, canonical_id(id_).encode(), "sha256")[:16].hex()


def redact(event: Event, veil: Veil, known: Collection[str], own: Callable[[str], bool]) -> Event:
    """The event as the viewer may see it. ``known``: canonical ids of what it had; ``own``: whether a place is."""

    def thing(id_: str) -> str:
        return id_ if canonical_id(id_) in known else veil.hide(id_)

    def things(ids: tuple[str, ...]) -> tuple[str, ...]:
        return _once(map(thing, ids))  # two names of one thing are hidden by one word

    def party(id_: str) -> str:
        return id_ if own(id_) else veil.hide(id_)

    def amounts(quantities: tuple[Quantity, ...]) -> tuple[Quantity, ...]:
        return _once(
            each if canonical_id(each.epc_class) in known else Quantity(epc_class=veil.hide(each.epc_class))
            for each in quantities
        )

    def place(given: Place | None) -> Place | None:
        return None if given is None else Place(id=party(given.id))

    def word(uri: str | None) -> str | None:
        """A word of the vocabulary; one of somebody's own names him."""
        return uri if uri is None or uri.startswith((CBV, GS1_VOC)) else veil.hide(uri)

    def words(given: tuple[str, ...]) -> tuple[str, ...]:
        return _once(found for uri in given if (found := word(uri)) is not None)

    def typed(given: tuple[Typed, ...], hide: Callable[[str], str]) -> tuple[Typed, ...]:
        return _once(Typed(id=hide(each.id), type=word(each.type)) for each in given)

    error = event.error
    return replace(
        event,
        event_id=None if event.event_id is None else veil.hide(event.event_id),
        certification=(),
        error=None
        if error is None
        else replace(
            error,
            reason=word(error.reason),
            corrective_event_ids=tuple(map(veil.hide, error.corrective_event_ids)),
            extensions=(),
        ),
        epcs=things(event.epcs),
        quantities=amounts(event.quantities),
        parent_id=None if event.parent_id is None else thing(event.parent_id),
        child_epcs=things(event.child_epcs),
        child_quantities=amounts(event.child_quantities),
        input_epcs=things(event.input_epcs),
        input_quantities=amounts(event.input_quantities),
        output_epcs=things(event.output_epcs),
        output_quantities=amounts(event.output_quantities),
        transformation_id=None if event.transformation_id is None else veil.hide(event.transformation_id),
        read_point=place(event.read_point),
        biz_location=place(event.biz_location),
        biz_step=word(event.biz_step),
        disposition=word(event.disposition),
        dispositions_set=words(event.dispositions_set),
        dispositions_unset=words(event.dispositions_unset),
        transactions=typed(event.transactions, veil.hide),
        sources=typed(event.sources, party),
        destinations=typed(event.destinations, party),
        sensors=tuple(_sensor(each, veil, word) for each in event.sensors),
        ilmd=(),
        extensions=(),
        prefixes=(),
    )


def _once(given: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(given))


def _sensor(element: SensorElement, veil: Veil, word: Callable[[str | None], str | None]) -> SensorElement:
    """What was measured stays; by which device, by which rules, where its data lie does not."""

    def hidden(id_: str | None) -> str | None:
        return None if id_ is None else veil.hide(id_)

    meta = element.metadata
    if meta is not None:
        meta = replace(
            meta, device_id=hidden(meta.device_id), device_metadata=None, raw_data=None,
            data_processing_method=None, biz_rules=None, extensions=(),
        )  # fmt: skip
    reports = tuple(
        replace(
            each, type=word(each.type), exception=word(each.exception), component=word(each.component),
            device_id=hidden(each.device_id), device_metadata=None, raw_data=None,
            data_processing_method=None, biz_rules=None, uri_value=None, string_value=None, hex_binary_value=None,
            extensions=(),
        )
        for each in element.reports
    )  # fmt: skip
    return SensorElement(metadata=meta, reports=reports)
