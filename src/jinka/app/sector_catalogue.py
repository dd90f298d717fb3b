"""Which sectors there are: Jinka's own, and those of installed packages, by the entry points ``jinka.sectors``.

A package that fails, or takes a name that is held, is left out and remembered as a finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from jinka.app.installed import Refusal, load_installed
from jinka.declaration import Sector
from jinka.identity.base_records import Catalogue, Part, check_reach
from jinka.kit import NotFound, Usage
from jinka.profile import ApplicationProfile
from jinka.sectors import PROFILES, SECTORS
from jinka.sectors.state_records import PART

ENTRY_POINTS, PARTS = "jinka.sectors", "jinka.base_records"


def all_sectors() -> dict[str, Sector]:
    """Every sector by name: Jinka's own, and those of installed packages that could be taken."""
    return known_sectors()[0]


def known_sectors() -> tuple[dict[str, Sector], tuple[Refusal, ...]]:
    """Every sector by name, and the entry points that are left out, each with the reason.

    Jinka's own come first and earlier packages before later ones: who holds a name keeps it. No package stops another.
    """
    found = {sector.name: sector for sector in SECTORS}
    refused: list[Refusal] = []
    for entry in load_installed(ENTRY_POINTS, Sector):
        error = entry.error
        if entry.value is not None:
            try:
                _check_outside(entry.value, list(found.values()))
                found[entry.value.name] = entry.value
            except Exception as fault:  # a declaration may hold anything where a part belongs
                error = fault
        if error is not None:
            refused.append(entry.refusal(error))
    return found, tuple(refused)


def _check_outside(sector: Sector, held: list[Sector]) -> None:
    """Raise `Usage` where a package takes a name that is another's, or its base records do not fit to the others."""
    names = {claim: f"sector {one.name}" for one in held for claim in _claims(one)}
    names |= {("application", one.name): "Jinka" for one in PROFILES}
    for what, name in _claims(sector):
        if (what, name) in names:
            raise Usage(
                f"its {what} {name!r} is that of {names[what, name]}", where=sector.name, fix="choose another"
            )
    aids = {one.aid: one.name for one in (*PROFILES, *(one for other in held for one in other.profiles))}
    for profile in sector.profiles:
        for aid, name in aids.items():
            if aid.startswith(profile.aid) or profile.aid.startswith(aid):
                raise Usage(
                    f"its AID {profile.aid.hex().upper()} is also that of {name}",
                    where=f"{sector.name}, {profile.name}", fix="choose another",
                )  # fmt: skip
    if sector.part is not None:
        check_reach(sector.part)
        Catalogue([*parts_of(held), sector.part])


def _claims(sector: Sector) -> Iterator[tuple[str, str]]:
    """The names that are one sector's alone. Rights, accounts, devices and sheets are told apart by their sector."""
    yield "name", sector.name
    yield "issuer", sector.issuer
    yield from (("application", profile.name) for profile in sector.profiles)
    yield from {("tariff", tariff.name) for tariff in sector.tariffs.values()}


def all_applications() -> dict[str, ApplicationProfile]:
    """Every application by name: those of the sectors, and those of Jinka's that stand in no sector's journeys."""
    brought = {profile.name: profile for sector in all_sectors().values() for profile in sector.profiles}
    return brought | {profile.name: profile for profile in PROFILES}


def parts_of(sectors: Iterable[Sector]) -> list[Part]:
    """The state's own base records, and what sectors add to them."""
    return [PART, *(one.part for one in sectors if one.part is not None)]


def known_parts(parts: Sequence[Part] = ()) -> tuple[list[Part], tuple[Refusal, ...]]:
    """All parts that fit together, and the entry points that are left out, each with the reason."""
    found = [*parts_of(all_sectors().values()), *parts]
    refused: list[Refusal] = []
    for entry in load_installed(PARTS, Part):
        error = entry.error
        if entry.value is not None:
            try:
                check_reach(entry.value)
                Catalogue([*found, entry.value])
                found.append(entry.value)
            except Exception as fault:  # a declaration may hold anything where a part belongs
                error = fault
        if error is not None:
            refused.append(entry.refusal(error))
    return found, tuple(refused)


def left_out() -> list[Refusal]:
    """Every entry point of an installed package that is left out, with the reason."""
    return [*known_sectors()[1], *known_parts()[1]]


def find_sector(name: str) -> Sector:
    """A sector by its name; `NotFound` with the names that there are."""
    sectors, refused = known_sectors()
    if name not in sectors:
        for one in (one for one in refused if one.name == name):
            raise Usage(one.finding.what, where=one.finding.where, fix=one.finding.fix)
        names = ", ".join(sectors)
        raise NotFound(
            f"no sector {name!r}", where="sector", fix=f"one of {names}; or pip install its package"
        )
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
