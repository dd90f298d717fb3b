"""The walker's part for pages: what is declared stands on them, whole, under its title, in the page's language.

A page is read as its reader sees it, by headings and lines: names are looked for beside their titles and never inside
other words, steps are counted, worked cases show where they come from.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from jinka.declaration import Journey, Sector

Complain = Callable[[str, str, str], None]
_CHINESE = re.compile(r"[\u3400-\u9fff]")
_STEP = re.compile(r"\d+\. \d\d-\d\d \d\d:\d\d \S")


def has_chinese(text: str) -> bool:
    """Whether a reader of Chinese finds a word in it."""
    return _CHINESE.search(text) is not None


def check_page(sector: Sector, played: Iterable[Journey], page: str, complain: Complain, *, zh: bool) -> None:
    """Complain of what is missing on the page of one language, or stands there in the other. A journey that could not
    be played has no place on it.
    """
    sections = _sections(page)
    text = "\n".join(line for _, lines in sections for line in lines)
    for heading, _ in sections:
        if bool(_CHINESE.search(heading)) is not zh:
            complain("DOCUMENTATION", heading, f"a heading of the {'Chinese' if zh else 'English'} page")
    told = list(played)
    for name, title in _headed(sector, told, zh):
        if not any(_is_called(heading, title, name) for heading, _ in sections):
            complain("DOCUMENTATION", name, f"has no heading {title!r}")
    for name, title in _listed(sector, zh):
        if f"{title} (`{name}`" not in text:
            complain("DOCUMENTATION", name, f"is not listed as {title!r}")
    for journey in told:
        title = journey.title_zh if zh else journey.title_en
        below = [lines for heading, lines in sections if _is_called(heading, title, journey.name)]
        steps = sum(bool(_STEP.match(line)) for lines in below for line in lines)
        if steps != len(journey.steps):
            complain("DOCUMENTATION", journey.name, f"{steps} of {len(journey.steps)} steps are on the page")
    for sheet in sector.all_sheets:
        title = sheet.title_zh if zh else sheet.title_en
        own = "\n".join(
            line for heading, lines in sections if _is_called(heading, title, sheet.name) for line in lines
        )
        for line in sheet.lines:
            if f"{line.title_zh if zh else line.title_en} (`{line.code}`" not in own:
                complain("DOCUMENTATION", f"{sheet.name}.{line.code}", "is not in the sheet's table")
        if sheet.source not in own:
            complain("DOCUMENTATION", sheet.name, "its source is not on the page")
    for case in sector.worked_cases:
        title = case.title_zh if zh else case.title_en
        if not any(
            line.startswith(f"- {title}: ") and case.source in line and case.address in line
            for line in text.splitlines()
        ):
            complain("DOCUMENTATION", case.title_en, "the case, its source or its address is not on the page")


def _sections(page: str) -> list[tuple[str, list[str]]]:
    """The headings in their order, each with the lines below it."""
    found: list[tuple[str, list[str]]] = []
    for line in page.splitlines():
        if line.startswith("#"):
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return found


def _is_called(heading: str, title: str, name: str) -> bool:
    return re.search(rf"(^#+ |: ){re.escape(title)} \(`{re.escape(name)}`[,)]", heading) is not None


def _headed(sector: Sector, told: Iterable[Journey], zh: bool) -> Iterator[tuple[str, str]]:
    yield sector.name, sector.title_zh if zh else sector.title_en
    for group in (sector.profiles, sector.all_sheets, told):
        for one in group:
            yield one.name, one.title_zh if zh else one.title_en


def _listed(sector: Sector, zh: bool) -> Iterator[tuple[str, str]]:
    for group in (sector.entitlements, sector.parties, sector.accounts, sector.devices, sector.reports):
        for one in group:
            name = one.code if hasattr(one, "code") else one.name
            yield name, one.title_zh if zh else one.title_en
