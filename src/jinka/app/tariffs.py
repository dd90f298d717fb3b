"""Tariffs and applications by their names: what a centre's file or a day's facts say that records are priced by.

Whichever sector declares them, those of installed packages included. Nothing is the default here: who asks names it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from jinka.app.sector_catalogue import all_applications, all_sectors
from jinka.kit import NotFound, Usage
from jinka.profile import ApplicationProfile
from jinka.tariff import Tariff


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """A tariff, and the most that a purse may hold which pays by it."""

    tariff: Tariff
    purse_limit: int


@functools.cache
def prices_named(name: str) -> Prices:
    """The tariff of that name; raises `NotFound`, and `Usage` where two sectors mean different ones by it."""
    profiles = all_applications()
    declared = [
        (tariff, application)
        for sector in all_sectors().values()
        for application, tariff in sector.tariffs.items()
    ]
    found = [(tariff, application) for tariff, application in declared if tariff.name == name]
    if not found:
        names = sorted({tariff.name for tariff, _ in declared})
        raise NotFound(f"no tariff {name!r}", where="tariff", fix="one of " + ", ".join(names))
    if any(tariff != found[0][0] for tariff, _ in found):
        raise Usage(f"two tariffs are named {name!r}", where="tariff", fix="rename one of them")
    limits = [profiles[application].purse_spec.limit for _, application in found if application in profiles]
    return Prices(tariff=found[0][0], purse_limit=max(limits))


def application_named(name: str) -> ApplicationProfile:
    """The profile of that name; raises `NotFound`."""
    profiles = all_applications()
    if name not in profiles:
        raise NotFound(f"no application {name!r}", where="application", fix="see jinka sector list")
    return profiles[name]
