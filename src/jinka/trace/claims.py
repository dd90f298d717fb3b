"""Through whose hands a thing passed: what of it is believed, on what grounds, and what falls with an event.

Who captures an event is believed of a thing that it had before, whose key is its own, or of which nobody has spoken and
whose key belongs to nobody who takes part. Only who is believed makes others have it too: those whose places and
parties its event names. Who captures for others (``captures``) is judged as each of those at whose places the event
happened, and has nothing for having told it. So a stranger cannot get sight of a thing by claiming it, nor two of them
together.

An event that is declared an error makes nobody have anything any more, and what was believed because of it falls with
it (`standing`); a corrective event is judged as any other, and what had fallen may stand again by it.

Who may capture an event at all (`why_not`) is decided here too: an event is about the place where it happened.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from jinka.codec.epcis import Event
from jinka.codec.tags import canonical_id
from jinka.trace.access import Owners, Participant, involved, things_of


class Grounds(IntEnum):
    """Why somebody was believed of a thing."""

    RIGHT = 1  # its key is the speaker's, or the server's operator says so
    FIRST = 2  # nobody had spoken of it, and its key is nobody's
    HAD = 3  # the speaker had it before


class State(IntEnum):
    """How a claim stands."""

    STANDS = 0
    FALLEN = 1  # its speaker does not have the thing by any claim that stands
    VOID = 2  # its event was declared an error


class Claim(NamedTuple):
    """That somebody had a thing, by an event that ``said_by`` captured."""

    seq: int
    participant: str
    said_by: str
    grounds: Grounds
    void: bool


class Claims:
    """What events make of it, one after another."""

    def __init__(self, owners: Owners, known: Mapping[str, Collection[str]]) -> None:
        """``known``: of each thing that the events name, who had it before."""
        self._owners, self._had = owners, {item: set(had) for item, had in known.items()}

    def of(self, event: Event, captured_by: str, *, trusted: bool = False) -> dict[str, set[str]]:
        """Each thing of the event with those who have it by this event. ``trusted``: the server's operator says so."""
        made = self.made(event, captured_by, trusted=trusted)
        return {item: set().union(*(who for _, who in told.values())) for item, told in made.items()}

    def made(
        self, event: Event, captured_by: str, *, trusted: bool = False
    ) -> dict[str, dict[str, tuple[Grounds, set[str]]]]:
        """The same by who says it, and why he is believed: who captured it, and those for whom he did."""
        if event.error is not None:
            return {}
        trusted = trusted or not captured_by
        others = set[str]() if trusted else self._owners.spoken_for(event, captured_by)
        speakers = [captured_by, *sorted(others)]
        everybody = {one: involved(event, one, self._owners) for one in speakers}
        found: dict[str, dict[str, tuple[Grounds, set[str]]]] = {}
        for item in things_of(event):
            had = self._had.setdefault(item, set())
            told: dict[str, tuple[Grounds, set[str]]] = {}
            for one in speakers:
                grounds = Grounds.RIGHT if trusted else self._believed(one, item, had)
                if one == captured_by and others and grounds is Grounds.FIRST:
                    continue  # those were the first for whom it is told
                if grounds is not None:
                    told[one] = (grounds, everybody[one])
            for _, who in told.values():
                had |= who
            if told:
                found[item] = told
        return found

    def _believed(self, who: str, item: str, had: Collection[str]) -> Grounds | None:
        owner = self._owners.key_owner(item)
        if owner == who:
            return Grounds.RIGHT
        if who in had:
            return Grounds.HAD
        return Grounds.FIRST if not had and not owner else None


def standing(claims: Iterable[Claim]) -> dict[Claim, State]:
    """How the claims to one thing stand, whatever order they came in: what rests on nothing has fallen."""
    found = {claim: State.VOID if claim.void else State.FALLEN for claim in claims}
    waiting = [claim for claim, state in found.items() if state is State.FALLEN]
    had: set[str] = set()
    while True:
        held = [claim for claim in waiting if claim.grounds is not Grounds.HAD or claim.said_by in had]
        if not held:
            return found
        had.update(claim.participant for claim in held)
        found.update(dict.fromkeys(held, State.STANDS))
        waiting = [claim for claim in waiting if found[claim] is State.FALLEN]


def why_not(
    event: Event, who: Participant, owners: Owners, had: Mapping[str, Collection[str]]
) -> tuple[str, str]:
    """(what is wrong, a JSON pointer) where ``who`` may not capture an event; two empty texts where it may.

    An event belongs to whose place it happened at; it may also be told by whom that one lets capture (``captures``, as
    the operator wrote it down), and by anybody where the place is nobody's. One that names no place belongs to those
    who have its things, by `Claims`. Sources and destinations are others' by nature, and bind nobody.
    """
    if who.sees_all:
        return "", ""
    places = (("readPoint", event.read_point), ("bizLocation", event.biz_location))
    named = [(title, place.id) for title, place in places if place is not None]
    for title, id_ in named:
        if owners.owner(id_) not in ("", who.id) and not owners.within(id_, who.captures):
            return "another participant's place", f"/{title}"
    if named:
        return "", ""
    for item in sorted(things_of(event)):
        known, owner = had.get(item, ()), owners.key_owner(item)
        if who.id not in known and owner != who.id and (known or owner):
            return "an event without a place, about what you do not have", "/readPoint"
    return "", ""


def names_of(events: Iterable[Event]) -> set[str]:
    """The things of events that name no place: of these `why_not` has to know who had them."""
    plain = (event for event in events if event.read_point is None and event.biz_location is None)
    return {canonical_id(item) for event in plain for item in things_of(event)}
