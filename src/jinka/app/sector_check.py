"""`jinka sector check`: the walker. Whatever a sector declares is tried: encodings, rights, prices, clearing,
journeys, reports.

A finding names what is missing or untrue. The same walker serves a third party's sector, so it takes nothing from the
project but the declaration. Cards are real virtual cards, asked by APDUs alone.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from jinka.app.installed import cause_of
from jinka.app.sector_check_cards import check_encodings, check_personal, check_protected, check_rights
from jinka.app.sector_check_docs import check_page, has_chinese
from jinka.app.sector_check_prices import check_case, check_fare, check_sheet, check_tariff
from jinka.app.sector_check_rights import check_torn_uses
from jinka.app.sector_docs import sector_page
from jinka.app.sector_run import Played, play, report_rows
from jinka.app.sector_subscription import check_plans
from jinka.app.sector_trace_check import check_trace, trace_texts
from jinka.app.sector_words import row_title
from jinka.declaration import (
    Admit,
    Archetype,
    Clear,
    Invoice,
    Journey,
    PayBySheet,
    PayOnline,
    Sector,
    Tap,
    Unlock,
)
from jinka.kit import Finding, Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """What was tried, by name, with how often; and what is wrong."""

    sector: str
    tried: dict[str, int]
    findings: tuple[Finding, ...]
    played: tuple[Played, ...]


_P = TypeVar("_P")
Complain = Callable[[str, str, str], None]


def check_sector(sector: Sector, sectors: Iterable[Sector]) -> Checked:
    """Walk over one sector; nothing is raised for what is wrong with it."""
    findings: list[Finding] = []
    tried: dict[str, int] = {}
    known = list(sectors)
    played: list[Played] = []

    def complain(code: str, where: str, what: str) -> None:
        findings.append(
            Finding(code=code, severity=Severity.ERROR, where=f"{sector.name}.{where}", what=what)
        )

    def one(name: str, walk: Callable[[], object], where: str = "") -> None:
        try:
            found = walk()
        except Exception as error:  # a declaration may hold anything where a part belongs
            complain(name.upper().replace(" ", "_"), where or name, cause_of(error))
        else:
            tried.update({name: found} if isinstance(found, int) else {})

    def each(name: str, parts: Iterable[_P], walk: Callable[[_P], None]) -> None:
        for part in parts:
            tried[name] = tried.get(name, 0) + 1
            one(name, functools.partial(walk, part), str(getattr(part, "name", name)))

    each("encodings", sector.profiles, lambda profile: check_encodings(sector, profile, complain))
    each("access rights", sector.profiles, lambda profile: check_rights(profile, complain))
    each("personal data", sector.profiles, lambda profile: check_personal(sector, profile, complain))
    one("access rights", lambda: check_protected(sector, complain))
    each("journeys", sector.journeys, lambda journey: _journey(sector, journey, known, played, complain))
    each("prices", sector.all_sheets, lambda sheet: check_sheet(sector, sheet, played, complain))
    each("prices", sector.fares, lambda fare: check_fare(fare, complain))
    each("prices", sector.tariffs.values(), lambda tariff: check_tariff(tariff, complain))
    each("worked cases", sector.worked_cases, lambda case: check_case(sector, case, complain))
    uses = [use for done in played for use in done.uses]
    one("torn uses", lambda: check_torn_uses(sector.entitlements, uses, complain))
    one("reports", lambda: _reports(sector, known, played, complain))
    one("documentation", lambda: _documentation(sector, played, complain))
    if sector.trace is not None:
        one("codes and places", lambda: check_trace(sector, complain))
    one("plans", lambda: check_plans(sector, complain))
    one("declaration", lambda: _whole(sector, complain))
    return Checked(sector=sector.name, tried=tried, findings=tuple(findings), played=tuple(played))


# Journeys, reports, documentation, and the whole


def _journey(
    sector: Sector, journey: Journey, sectors: list[Sector], played: list[Played], complain: Complain
) -> None:
    done = play(sector, journey, sectors)
    played.append(done)
    if done.uncleared:
        complain("CLEARING", journey.name, f"{done.uncleared} records were never cleared: end with Clear")


def _reports(sector: Sector, known: list[Sector], played: list[Played], complain: Complain) -> int:
    happenings = [one for done in played for one in done.happenings]
    for report in sector.reports:
        rows = report_rows(report, happenings)
        if not rows:
            complain("REPORT", report.name, "no journey gives it a single row")
        for key, _, _ in rows:
            if not has_chinese(row_title(key, report.by, sector, known, zh=True)):
                complain("REPORT", report.name, f"the row {key!r} has no words of Chinese: see Sector.words")
        if not (report.title_en and report.title_zh):
            complain("REPORT", report.name, "no title in both languages")
    if not sector.reports:
        complain("REPORT", "reports", "no report: its numbers appear nowhere")
    return len(sector.reports)


def _documentation(sector: Sector, played: list[Played], complain: Complain) -> int:
    journeys = [done.journey for done in played]
    for zh in (False, True):
        check_page(sector, journeys, sector_page(sector, played, zh=zh), complain, zh=zh)
    return 2


def _whole(sector: Sector, complain: Complain) -> None:
    """What is declared is used, said in two languages, and cleared where it is money."""
    for where, en, zh in _texts(sector):
        if not en.strip() or not has_chinese(zh):
            complain("TEXT", where, "not said in both languages")
    steps = [step for journey in sector.journeys for step in journey.steps]
    used = {getattr(step, "device", "") for step in steps}
    at_meters = {getattr(step, "meter", getattr(step, "new", "")) for step in steps}
    for meter in sector.meters:
        if meter.name not in at_meters:
            complain("UNUSED", meter.name, "no journey uses the meter")
    for device in sector.devices:
        if device.name not in used:
            complain("UNUSED", device.name, "no journey uses the device")
    tried = {
        (s.entitlement, bool(s.refused))
        for j in sector.journeys
        for s in j.steps
        if isinstance(s, Admit | Invoice)
    }
    for right in sector.entitlements:
        for refused in (False, True):
            if (right.name, refused) not in tried:
                complain(
                    "UNUSED", right.name, f"no journey in which it is {'refused' if refused else 'granted'}"
                )
    if not sector.journeys:
        complain("JOURNEYS", "journeys", "no journey")
    if any(profile.purse for profile in sector.profiles) and not any(
        isinstance(step, Tap | PayBySheet | Unlock) for journey in sector.journeys for step in journey.steps
    ):
        complain("UNUSED", "profiles", "a purse that no journey pays with")
    pays_online = any(
        isinstance(step, PayOnline) for step in steps
    )  # cleared by the switch, message by message
    held = any(profile.purse for profile in sector.profiles)
    if (held or (Archetype.PURSE in sector.archetypes and not pays_online)) and not any(
        isinstance(step, Clear) for step in steps
    ):
        complain("CLEARING", "journeys", "money is spent here, and no journey clears it")


def _texts(sector: Sector) -> Iterator[tuple[str, str, str]]:
    yield "title", sector.title_en, sector.title_zh
    yield "about", sector.about_en, sector.about_zh
    for group in (sector.profiles, sector.parties, sector.accounts, sector.devices, sector.entitlements,
                  sector.all_sheets, sector.journeys, sector.reports, sector.meters, sector.plans):  # fmt: skip
        for one in group:
            yield str(getattr(one, "name", getattr(one, "code", ""))), one.title_en, one.title_zh
    if sector.trace is not None:
        yield from trace_texts(sector.trace)
    for sheet in sector.all_sheets:
        for line in sheet.lines:
            yield f"{sheet.name}.{line.code}", line.title_en, line.title_zh
