"""What may happen to a thing after what: the turning points of its life, and what contradicts them.

GS1 EPCIS 2.0, 7.3.2 (ADD: it begins to exist, or is joined; DELETE: it ends, or is parted) and CBV 2.0, 7.1 (steps). A
thing ends once, is used up once, begins once, is shipped again only when somebody received it, and is unpacked only
from where it was packed. It is sold once, unless it came back between; what was set aside for review (``holding``) is
neither sold nor used nor sent on until an inspection clears it, but may be sent back or destroyed. Judged by the time
of the events, not by the order in which they came: what comes late is held against what happened around its time.
Events that were declared erroneous do not count.

Classes and quantities are no things here (`jinka.trace` has their balance). What a finding leads to is for
`jinka.trace.rules`. A step that was never captured cannot be told from one that did not happen: of things in a
container, its receipt counts as theirs; a missing unpacking is a finding of its own.
"""

from __future__ import annotations

import datetime as dt
from bisect import insort
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import IntEnum
from typing import NamedTuple, Protocol

from jinka.codec.epcis import Action, Event, EventType

_CBV = "https://ref.gs1.org/cbv/"
SHIPPING = _CBV + "BizStep-shipping"
_ENDING = frozenset(_CBV + "BizStep-" + word for word in ("decommissioning", "destroying"))
# Each of these says that the thing is at the end of a way, or that it never went.
_ARRIVING = frozenset(
    _CBV + "BizStep-" + word
    for word in ("receiving", "accepting", "arriving", "unloading", "void_shipping", "storing")
)
_SELLING, _DISPENSING = _CBV + "BizStep-retail_selling", _CBV + "BizStep-dispensing"
_PARTLY = _CBV + "Disp-partially_dispensed"
_HOLDING = _CBV + "BizStep-holding"
_CLEARED = frozenset(
    _CBV + "Disp-" + word for word in ("conformant", "sellable_accessible", "sellable_not_accessible")
)
_CLEARING = frozenset(_CBV + "BizStep-" + word for word in ("inspecting", "accepting"))
# Of goods that go to where what may not be sold goes.
AWAY = frozenset(
    f"{_CBV}Disp-{word}"
    for word in ("recalled", "returned", "disposed", "destroyed", "non_sellable_other", "needs_replacement")
)
_ROUNDS_MAX = 4  # containers in containers whose past is asked for too


class Deed(IntEnum):
    """A turning point in a thing's life. The numbers are kept in stores."""

    BORN = 1
    MADE = 2  # by a transformation
    ENDED = 3
    USED = 4  # by a transformation
    SHIPPED = 5
    RECEIVED = 6
    PACKED = 7
    UNPACKED = 8
    FILLED = 9  # as a container
    EMPTIED = 10
    ATTACHED = 11
    DETACHED = 12
    HUNG = 13  # as what others were attached to
    STRIPPED = 14
    HELD = 15  # set aside for review
    CLEARED = 16
    SOLD = 17


class Turn(NamedTuple):
    """``other``: the container, or the transformation's id; ``seq``: the event's number in its store, 0 without."""

    at_us: int
    deed: Deed
    other: str = ""
    seq: int = 0


class ItemStates(Protocol):
    """Where what is known of things is kept."""

    def turns(self, items: Collection[str]) -> Mapping[str, list[Turn]]:
        """The turns of each thing that has any, by canonical id, in the order of time; those of void events not."""
        ...


class Contradiction(NamedTuple):
    """A rule's code, the JSON pointer inside the event, and what is wrong."""

    code: str
    where: str
    what: str


Key = Callable[[str], str]  # `jinka.codec.tags.canonical_id`, or a cache before it
_JOIN = {
    EventType.AGGREGATION: (Deed.PACKED, Deed.UNPACKED, Deed.FILLED, Deed.EMPTIED),
    EventType.ASSOCIATION: (Deed.ATTACHED, Deed.DETACHED, Deed.HUNG, Deed.STRIPPED),
}
_BIRTHS = frozenset({Deed.BORN, Deed.MADE})
_ENDS = frozenset({Deed.ENDED, Deed.USED})
_REVIEW = (Deed.HELD, Deed.CLEARED)
_REVIEWED = (Deed.CLEARED, Deed.SOLD, Deed.USED)


def turns_of(event: Event, key: Key, seq: int = 0) -> Iterator[tuple[str, Turn]]:
    """The turning points that an event says; an error declaration names those that there were not."""
    at, kind, action = event.event_time_us, event.event_type, event.action
    if kind is EventType.OBJECT:
        deed = _object_deed(event)
        if deed is not None:
            turn = Turn(at, deed, "", seq)
            for epc in event.epcs:
                yield key(epc), turn
    elif kind is EventType.TRANSFORMATION:
        other = event.transformation_id or ""
        for epc in event.input_epcs:
            yield key(epc), Turn(at, Deed.USED, other, seq)
        for epc in event.output_epcs:
            yield key(epc), Turn(at, Deed.MADE, other, seq)
    elif kind in _JOIN and action is not Action.OBSERVE and event.parent_id is not None:
        join, part, fill, empty = _JOIN[kind]
        parent = key(event.parent_id)
        inside = Turn(at, join if action is Action.ADD else part, parent, seq)
        for epc in event.child_epcs:
            yield key(epc), inside
        if action is Action.ADD:
            yield parent, Turn(at, fill, "", seq)
        elif not event.child_epcs and not event.child_quantities:
            yield parent, Turn(at, empty, "", seq)
    if kind in (EventType.OBJECT, EventType.AGGREGATION):
        for way in _ways(event):
            turn = Turn(at, way, "", seq)
            for epc in event.all_epcs():
                yield key(epc), turn


def _ways(event: Event) -> Iterator[Deed]:
    """What an event says of all its things by its step."""
    step = event.biz_step
    if step == SHIPPING:
        yield Deed.SHIPPED
    elif step in _ARRIVING:
        yield Deed.RECEIVED
    elif step == _HOLDING:
        yield Deed.HELD
    elif step == _SELLING or (step == _DISPENSING and event.disposition != _PARTLY):
        yield Deed.SOLD
    if step in _CLEARING and event.disposition in _CLEARED:
        yield Deed.CLEARED


def _object_deed(event: Event) -> Deed | None:
    if event.action is Action.ADD:
        return Deed.BORN
    return Deed.ENDED if event.action is Action.DELETE or event.biz_step in _ENDING else None


class Choreography:
    """Judges events one after another; what it is told that was accepted is known from then on."""

    def __init__(self, states: ItemStates, events: Iterable[Event], key: Key) -> None:
        """Asks once for all that the events name, and for the containers that those were in."""
        self._key = key
        self._past: dict[str, list[Turn]] = {}
        wanted = {key(epc) for event in events for epc in event.all_epcs()}
        for _ in range(_ROUNDS_MAX):
            if not wanted:
                break
            found = states.turns(wanted)
            self._past.update((item, list(found.get(item, ()))) for item in wanted)
            joined = (Deed.PACKED, Deed.UNPACKED)
            wanted = {
                t.other for turns in found.values() for t in turns if t.deed in joined
            } - self._past.keys()

    def accept(self, event: Event) -> None:
        """What the event says is known now. An error declaration repeats what it voids: that is known no more."""
        for item, turn in turns_of(event, self._key):
            turns = self._past.setdefault(item, [])
            if event.error is None:
                insort(turns, turn, key=_time)
            elif (
                at := next((at for at, known in enumerate(turns) if known[:3] == turn[:3]), None)
            ) is not None:
                del turns[at]

    def judge(self, event: Event) -> list[Contradiction]:
        """What contradicts the known past and what is known of later. Nothing for an error declaration."""
        if event.error is not None:
            return []
        found: list[Contradiction] = []
        says: dict[str, list[Turn]] = {}
        for item, turn in turns_of(event, self._key):
            says.setdefault(item, []).append(turn)
        at, past = event.event_time_us, self._past
        for where, epc in _places(event):
            item = self._key(epc)
            known, turns = past.get(item), says.get(item)
            if known:
                found += self._life(where, at, known, turns or ())
            for turn in turns or ():
                found += self._step(where, item, turn, known or ())
                if event.disposition not in AWAY:
                    found += _held(where, turn, known or ())
        return found

    def _life(self, where: str, at: int, known: list[Turn], says: Iterable[Turn]) -> Iterator[Contradiction]:
        """Nothing after the end, nothing before the beginning."""
        ids = {turn.other for turn in says if turn.deed is Deed.USED or turn.deed is Deed.MADE} - {""}
        for turn in known:
            if turn.deed in _ENDS and turn.at_us < at and not (turn.deed is Deed.USED and turn.other in ids):
                code, what = (
                    ("AFTER_USE", "used up") if turn.deed is Deed.USED else ("AFTER_END", "at its end")
                )
                yield Contradiction(code, where, f"it was {what} before this, {_when(turn)}")
                break
        for turn in known:
            if turn.deed in _BIRTHS and turn.at_us > at:
                yield Contradiction("BEFORE_BIRTH", where, f"it began later, {_when(turn)}")
                break

    def _step(self, where: str, item: str, turn: Turn, known: Collection[Turn]) -> Iterator[Contradiction]:
        """What this turn itself must not follow or precede."""
        deed, at = turn.deed, turn.at_us
        if deed in _BIRTHS:
            for other in known:
                if other.deed is deed and not (
                    deed is Deed.MADE and turn.other and other.other == turn.other
                ):
                    yield Contradiction("BORN_TWICE", where, f"it began before, {_when(other)}")
                    break
                if other.at_us < at and other.deed not in _BIRTHS:
                    yield Contradiction(
                        "BEFORE_BIRTH", where, f"it was spoken of before it began, {_when(other)}"
                    )
                    break
        elif deed in _ENDS:
            later = next((o for o in known if o.at_us > at and o.deed not in _BIRTHS), None)
            if later is not None and not (turn.other and later.other == turn.other):
                code = "AFTER_USE" if deed is Deed.USED else "AFTER_END"
                yield Contradiction(code, where, f"it is spoken of later, {_when(later)}")
        elif deed is Deed.SHIPPED:
            if (first := self._shipped(at, known)) is not None:
                what = f"shipped {_when(first)} too, and received by nobody between"
                yield Contradiction("SHIPPED_TWICE", where, what)
        elif deed is Deed.SOLD:
            ways = (Deed.SOLD, Deed.RECEIVED)
            before = next((other for other in _back(known, at) if other.deed in ways), None)
            after = next((other for other in known if other.at_us > at and other.deed in ways), None)
            sale = next((one for one in (before, after) if one is not None and one.deed is Deed.SOLD), None)
            if sale is not None:
                yield Contradiction("SOLD_TWICE", where, f"it was sold {_when(sale)}, and never came back")
        elif deed in (Deed.PACKED, Deed.UNPACKED, Deed.ATTACHED, Deed.DETACHED):
            yield from self._joined(where, turn, known)
        elif deed in (Deed.EMPTIED, Deed.STRIPPED):
            fill = Deed.FILLED if deed is Deed.EMPTIED else Deed.HUNG
            last = next((o for o in _back(known, at) if o.deed in (fill, deed)), None)
            if last is None or last.deed is deed:
                yield Contradiction("UNPACKED_NOT_PACKED", where, f"nothing was put into {item} before")

    def _shipped(self, at: int, known: Collection[Turn]) -> Turn | None:
        """The shipment beside this one in time, before or after, with no receipt between."""
        ways = (Deed.SHIPPED, Deed.RECEIVED)
        before = next((turn for turn in _back(known, at) if turn.deed in ways), None)
        after = next((turn for turn in known if turn.at_us > at and turn.deed in ways), None)
        for other in (before, after):
            if other is None or other.deed is not Deed.SHIPPED:
                continue
            since, until = sorted((other.at_us, at))
            if not self._received_within(since, until, known):
                return other
        return None

    def _received_within(self, since: int, until: int, known: Collection[Turn]) -> bool:
        """Whether a container that it was in was received in that time, or its past is not known."""
        holders = {t.other for t in known if t.deed in (Deed.PACKED, Deed.UNPACKED) and t.at_us <= until}
        return any(
            not self._past.get(holder)
            or any(t.deed is Deed.RECEIVED and since <= t.at_us <= until for t in self._past[holder])
            for holder in holders
        )

    def _joined(self, where: str, turn: Turn, known: Collection[Turn]) -> Iterator[Contradiction]:
        """Taken out only of where it is, put only where it is not elsewhere."""
        packing = turn.deed in (Deed.PACKED, Deed.UNPACKED)
        join, part = (Deed.PACKED, Deed.UNPACKED) if packing else (Deed.ATTACHED, Deed.DETACHED)
        last = next((other for other in _back(known, turn.at_us) if other.deed in (join, part)), None)
        inside = (
            last.other if last is not None and last.deed is join and self._still(last, turn.at_us) else ""
        )
        if turn.deed is part and inside != turn.other:
            what = f"it was in {inside} then" if inside else "nothing says that it was put there"
            yield Contradiction("UNPACKED_NOT_PACKED", where, what)
        elif turn.deed is join and inside and inside != turn.other:
            yield Contradiction("PACKED_ELSEWHERE", where, f"nothing says that it was taken out of {inside}")

    def _still(self, joined: Turn, at: int) -> bool:
        empty = Deed.EMPTIED if joined.deed is Deed.PACKED else Deed.STRIPPED
        turns = self._past.get(joined.other, ())
        return not any(turn.deed is empty and joined.at_us <= turn.at_us <= at for turn in turns)


def _held(where: str, turn: Turn, known: Collection[Turn]) -> Iterator[Contradiction]:
    """Nothing is sold, used or sent on while it is set aside."""
    if turn.deed in (Deed.SHIPPED, Deed.SOLD, Deed.USED):
        last = next((other for other in _back(known, turn.at_us) if other.deed in _REVIEW), None)
        if last is not None and last.deed is Deed.HELD:
            yield Contradiction("HELD", where, f"it was set aside {_when(last)}, and nobody cleared it")
    elif turn.deed is Deed.HELD:  # told late; whether a shipment took it away is not known any more
        later = next((o for o in known if o.at_us > turn.at_us and o.deed in _REVIEWED), None)
        if later is not None and later.deed in (Deed.SOLD, Deed.USED):
            yield Contradiction("HELD", where, f"it was sold or used later, {_when(later)}")


def _time(turn: Turn) -> int:
    return turn.at_us


def _when(turn: Turn) -> str:
    return f"by an event of {dt.datetime.fromtimestamp(turn.at_us / 1_000_000, dt.UTC).isoformat()}"


def _back(known: Collection[Turn], at: int) -> Iterator[Turn]:
    """From that time backwards; what is of the same time was before."""
    return (turn for turn in reversed(list(known)) if turn.at_us <= at)


def _places(event: Event) -> Iterator[tuple[str, str]]:
    """Every thing that an event names, with its JSON pointer."""
    if event.parent_id is not None:
        yield "/parentID", event.parent_id
    for name, epcs in (
        ("/epcList/", event.epcs),
        ("/childEPCs/", event.child_epcs),
        ("/inputEPCList/", event.input_epcs),
        ("/outputEPCList/", event.output_epcs),
    ):
        for at, epc in enumerate(epcs):
            yield f"{name}{at}", epc
