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
        _payments(world).pop(name, None)
        if word not in words:
            raise Usage(f"no answer {word!r}", where="remembers", fix=", ".join(words))
        world.remembered[name] = words[word]
        _spent(world).discard(name)


def remember_payment(world: World, wanted: Mapping[str, str], words: Mapping[str, Fact]) -> tuple[str, ...]:
    """As `remember`; these answers are one payment: who spends one of them has spent them all."""
    remember(world, wanted, words)
    payment = tuple(wanted)
    _payments(world).update(dict.fromkeys(payment, payment))
    return payment


def forget_payment(world: World, payment: tuple[str, ...]) -> None:
    """It was paid back: nobody can claim by it; what another payment left under its names stays."""
    forget(world, [name for name in payment if _payments(world).get(name) is payment])


def why_unpaid(world: World, values: Mapping[str, Fact] | Mapping[str, str]) -> str:
    """As `why_missing`, of what one and the same payment must have brought; `Usage` for what was typed, or is of none,
    or of two.
    """
    for name, value in values.items():
        if not isinstance(value, str) or not value.startswith("="):
            raise Usage(f"{name} is typed", where=world.journey.name, fix="=name of what a payment remembers")
    if why := why_missing(world, values.values()):
        return why
    found = [_payments(world).get(str(value)[1:]) for value in values.values()]
    if found and (None in found or any(each is not found[0] for each in found)):
        raise Usage(
            f"{', '.join(values)}: not of one payment",
            where=world.journey.name,
            fix="as one payment was remembered",
        )
    return ""


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
        for each in _payments(world).get(name, (name,)):
            world.remembered.pop(each, None)
            _payments(world).pop(each, None)
            _spent(world).add(each)


def _payments(world: World) -> dict[str, tuple[str, ...]]:
    """The names that were remembered together, by each of them."""
    return world.service("payments", dict)


def _spent(world: World) -> set[str]:
    return world.service("spent", set[str])
