"""Which sectors there are: Jinka's own, and those of installed packages, by the entry points ``jinka.sectors``."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata

from jinka.declaration import Sector
from jinka.identity.base_records import Part
from jinka.kit import NotFound, Usage
from jinka.profile import ApplicationProfile
from jinka.sectors import PROFILES, SECTORS
from jinka.sectors.state_records import PART

ENTRY_POINTS = "jinka.sectors"


def all_sectors() -> dict[str, Sector]:
    """Every sector by name: Jinka's own, and those that installed packages bring by the entry point."""
    found = {sector.name: sector for sector in SECTORS}
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        loaded = entry.load()
        if not isinstance(loaded, Sector):
            raise Usage(f"{entry.value} is no Sector", where=f"entry point {entry.name}", fix="name a Sector")
        if found.setdefault(loaded.name, loaded) is not loaded:
            raise Usage(
                f"a second sector {loaded.name!r}", where=f"entry point {entry.name}", fix="rename it"
            )
    return found


def all_applications() -> dict[str, ApplicationProfile]:
    """Every application by name: those of the sectors, and those of Jinka's that stand in no sector's journeys."""
    brought = {profile.name: profile for sector in all_sectors().values() for profile in sector.profiles}
    return brought | {profile.name: profile for profile in PROFILES}


def parts_of(sectors: Iterable[Sector]) -> list[Part]:
    """The state's own base records, and what sectors add to them."""
    return [PART, *(one.part for one in sectors if one.part is not None)]


def find_sector(name: str) -> Sector:
    """A sector by its name; `NotFound` with the names that there are."""
    sectors = all_sectors()
    if name not in sectors:
        raise NotFound(f"no sector {name!r}", where="sector", fix="one of " + ", ".join(sectors))
    return sectors[name]


def catalogue_of(sector: Sector, sectors: Iterable[Sector]) -> dict[str, Sector]:
    """The sectors that this one's journeys need, by the names of their applications. `NotFound` for one that is
    missing.
    """
    owners = {profile.name: one for one in sectors for profile in one.profiles}
    missing = [name for name in sector.composes if name not in owners]
    if missing:
        raise NotFound(
            f"no application {missing[0]!r}", where=f"{sector.name}.composes", fix="see jinka sector list"
        )
    own = {profile.name: sector for profile in sector.profiles}
    return {**{name: owners[name] for name in sector.composes}, **own}
