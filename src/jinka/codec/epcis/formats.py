"""Identifiers of an event as whoever asked wants to read them: GS1 Digital Links, EPC URNs, or as they came.

EPCIS 2.0, 12.5 (``GS1-EPC-Format``). A URN becomes the canonical link on id.gs1.org. A link becomes a URN where the
length of its company prefix is known (`jinka.codec.tags.prefixes`: a list that the operator may complete); where it is
not, it stays a link. Event ids, devices and documents of sensors are no EPCs and stay what they are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Any

from jinka.codec.epcis.model import Event, Place, Quantity, Typed
from jinka.codec.tags import canonical_id
from jinka.codec.tags.identity import CANONICAL_STEM, unescape
from jinka.codec.tags.prefixes import CHINA, PrefixList, split_key
from jinka.kit import JinkaError


class EpcFormat(Enum):
    """``GS1-EPC-Format``; the standard's default is links."""

    NO_PREFERENCE = "No_Preference"
    LINK = "Always_GS1_Digital_Link"
    URN = "Always_EPC_URN"
    AS_CAPTURED = "Never_Translates"


Write = Callable[[str], str]


def as_link(text: str) -> str:
    """An EPC URN as a link; any other text, a link of any domain too, as it is."""
    return canonical_id(text) if text[:8].lower() == "urn:epc:" else text


def as_urn(text: str, prefixes: PrefixList = CHINA) -> str:
    """A link as an EPC URN, if its company prefix is in the list; any other text as it is."""
    canonical = canonical_id(text) if text.startswith("http") else ""
    if not canonical.startswith(CANONICAL_STEM):
        return text
    parts = [unescape(part) for part in canonical.removeprefix(CANONICAL_STEM).split("/")]
    try:
        return split_key(tuple(zip(parts[::2], parts[1::2], strict=True)), prefixes=prefixes).urn
    except (JinkaError, ValueError):
        return text


def writer_of(wanted: EpcFormat, prefixes: PrefixList = CHINA) -> Write | None:
    """What writes an identifier in a format; None where each stays as it is."""
    if wanted is EpcFormat.LINK:
        return as_link
    if wanted is EpcFormat.URN:
        return lambda text: as_urn(text, prefixes)
    return None


_IDS = ("epcs", "child_epcs", "input_epcs", "output_epcs")
_QUANTITIES = ("quantities", "child_quantities", "input_quantities", "output_quantities")
_TYPED = ("transactions", "sources", "destinations")


def in_format(event: Event, write: Write | None) -> Event:
    """The event with its identifiers written so."""
    if write is None:
        return event
    changed: dict[str, Any] = {}
    for name in _IDS:
        if ids := getattr(event, name):
            changed[name] = _each_once(ids, write)
    for name in _QUANTITIES:
        quantities: tuple[Quantity, ...] = getattr(event, name)
        if quantities:
            changed[name] = tuple([replace(one, epc_class=write(one.epc_class)) for one in quantities])
    for name in _TYPED:
        typed: tuple[Typed, ...] = getattr(event, name)
        if typed:
            changed[name] = tuple([replace(one, id=write(one.id)) for one in typed])
    for name in ("parent_id", "transformation_id"):
        if (one := getattr(event, name)) is not None:
            changed[name] = write(one)
    for name in ("read_point", "biz_location"):
        place: Place | None = getattr(event, name)
        if place is not None:
            changed[name] = replace(place, id=write(place.id))
    return replace(event, **changed)


def _each_once(ids: tuple[str, ...], write: Write) -> tuple[str, ...]:
    """Identifiers of a list, in which nothing may stand twice: two names of one thing stay two, as they came."""
    taken = set(ids)
    for_good: list[str] = []
    for one in ids:
        told = write(one)
        if told in taken:
            told = one
        taken.add(told)
        for_good.append(told)
    return tuple(for_good)
