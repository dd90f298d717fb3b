"""What steps of a journey remember for later steps: ``=name`` in a fact, an amount or a value stands for it.

``=days since 2026-03-24`` and ``=minutes since 2026-04-03`` are measured by the journey's own clock, from the first
minute of that day. What a step rests on must be there, and what settles once is spent by it (`spend`).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

from jinka.app.sector_world import World
from jinka.kit import Usage
from jinka.tariff.sheet import Fact

_SINCE = re.compile(r"=(days|minutes) since (\d{4}-\d{2}-\d{2})")
NOT_SHOWN, USED_TWICE = "NOT_SHOWN", "USED_TWICE"


def fact_of(world: World, value: Fact) -> Fact:
    """``=name`` is what an earlier step remembered, or what the clock says; anything else is itself."""
    if isinstance(value, str) and value.startswith("="):
        if clock := _SINCE.fullmatch(value):
            return _elapsed(world, *clock.groups())
        if value[1:] not in world.remembered:
            raise Usage(f"nothing is remembered as {value[1:]!r}", where=world.journey.name)
        return world.remembered[value[1:]]
    return value


def _elapsed(world: World, unit: str, date: str) -> int:
    try:
        since = dt.datetime.fromisoformat(date)
    except ValueError:
        raise Usage(f"{date} is no day", where=world.journey.name) from None
    gone = world.now - since
    if gone < dt.timedelta(0):
        raise Usage(f"{date} has not come yet", where=world.journey.name)
    return gone.days if unit == "days" else gone // dt.timedelta(minutes=1)


def known_number(world: World, value: Fact) -> Fact:
    """As `fact_of`; a number that was read from a card's record as text is that number again."""
    found = fact_of(world, value)
    if found is not value and isinstance(found, str) and found.isascii() and found.isdigit():
        return int(found)
    return found


def number_of(world: World, value: Fact) -> int:
    """An amount, or what an earlier step remembered as one."""
    found = fact_of(world, value)
    if isinstance(found, str) and not (found.isascii() and found.isdigit()):
        raise Usage(f"{found!r} is no amount", where=world.journey.name, fix="a number, or =name of one")
    if not isinstance(found, str) and type(found) is not int:
        raise Usage(f"{found!r} is no whole number", where=world.journey.name, fix="minor units, such as fen")
    return int(found)


def texts_of(world: World, values: Mapping[str, str]) -> dict[str, str]:
    """The values of records, each as it stands or as an earlier step remembered it."""
    return {name: str(fact_of(world, value)) for name, value in values.items()}


def remember(world: World, wanted: Mapping[str, str], words: Mapping[str, Fact]) -> None:
    """Keep answers of a step under the names that later steps use."""
    for name, word in wanted.items():
        if word not in words:
            raise Usage(f"no answer {word!r}", where="remembers", fix=", ".join(words))
        world.remembered[name] = words[word]
        _spent(world).discard(name)


def forget(world: World, names: Iterable[str]) -> None:
    """Nothing of an earlier time is left under these names."""
    for name in names:
        world.remembered.pop(name, None)
        _spent(world).discard(name)


def why_missing(world: World, values: Iterable[Fact]) -> str:
    """Why one of these cannot be used: USED_TWICE, NOT_SHOWN, or empty when all are there."""
    for value in values:
        if not isinstance(value, str) or not value.startswith("=") or _SINCE.fullmatch(value):
            continue
        if value[1:] not in world.remembered:
            return USED_TWICE if value[1:] in _spent(world) else NOT_SHOWN
    return ""


def spend(world: World, names: Iterable[str]) -> None:
    """Use up what was remembered: who comes with it again is refused."""
    for name in names:
        world.remembered.pop(name)
        _spent(world).add(name)


def _spent(world: World) -> set[str]:
    return world.service("spent", set[str])
