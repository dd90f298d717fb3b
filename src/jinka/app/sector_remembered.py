"""What steps of a journey remember for later steps: ``=name`` in a fact, an amount or a value stands for it."""

from __future__ import annotations

from collections.abc import Mapping

from jinka.app.sector_world import World
from jinka.kit import Usage
from jinka.tariff.sheet import Fact


def fact_of(world: World, value: Fact) -> Fact:
    """``=name`` is what an earlier step remembered; anything else is itself."""
    if isinstance(value, str) and value.startswith("="):
        if value[1:] not in world.remembered:
            raise Usage(f"nothing is remembered as {value[1:]!r}", where=world.journey.name)
        return world.remembered[value[1:]]
    return value


def number_of(world: World, value: Fact) -> int:
    """An amount, or what an earlier step remembered as one."""
    found = fact_of(world, value)
    if isinstance(found, str) and not (found.isascii() and found.isdigit()):
        raise Usage(f"{found!r} is no amount", where=world.journey.name, fix="a number, or =name of one")
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
