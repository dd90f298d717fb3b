"""The walker over every sector that is there, and what a declaration must keep to in the tree.

Goal: no sector lacks encodings, rights, prices, journeys that clear to zero, reports and pages in both languages, or
its published result. Method: `jinka.app.sector_check` on each, which plays every journey on virtual cards.
"""

from __future__ import annotations

import ast
import importlib
import re
from pathlib import Path

import pytest

import jinka
from jinka.app.sector_catalogue import all_sectors
from jinka.app.sector_check import check_sector
from jinka.app.sector_docs import sector_page
from jinka.app.sector_reasons import reason_text
from jinka.cli.sector import TRIED_ZH
from jinka.sectors import SECTORS
from tests.sectors.personal_values import personal_of

ROOT = Path(jinka.__file__).parent
PAGES = ROOT.parents[1] / "docs" / "sectors"
CODE = re.compile(r"[A-Z]+_[A-Z_]+|<[a-z ]+>|=[a-z]{3,} ")
# Units and things have capitals: kWh, ETC.
LATIN = re.compile(r"(?<![A-Za-z0-9])[a-z]{3,}(?![A-Za-z0-9])")
CHINESE = re.compile(r"[\u3400-\u9fff]")
LINES_MAX = 260
FILES = sorted(path for path in (ROOT / "sectors").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("name", sorted(all_sectors()))
def test_a_sector_is_all_that_it_declares(name: str) -> None:
    sectors = all_sectors()
    checked = check_sector(sectors[name], sectors.values())
    assert [str(finding) for finding in checked.findings] == []
    assert {"journeys", "reports", "documentation"} <= checked.tried.keys() <= TRIED_ZH.keys()
    for suffix, zh in ((".md", False), (".zh.md", True)):
        page = sector_page(sectors[name], checked.played, zh=zh)
        committed = PAGES / f"{name}{suffix}"
        assert committed.is_file(), "run jinka sector docs --to docs/sectors"
        assert committed.read_text() == page, f"run jinka sector docs {name} --to docs/sectors"
        assert personal_of(sectors[name], list(sectors.values())).found_in(page) == []
    for played in checked.played:
        told = [(one.said.en, one.said.zh) for one in played.told]
        assert [text for both in told for text in both if CODE.search(text)] == []
        assert [zh for _, zh in told if LATIN.search(zh)] == []  # Sector.words says what it is in Chinese
        for reason in {one.by["reason"] for one in played.happenings if "reason" in one.by}:
            found = reason_text(reason, sectors.values())
            assert CHINESE.search(found.zh), reason
            assert found.en != reason


def test_every_sector_has_a_result_that_its_source_prints_or_says_why_not() -> None:
    for sector in SECTORS:
        printed = [case for case in sector.worked_cases if not case.derived]
        assert bool(printed) != bool(sector.no_worked_case), sector.name


def test_every_sector_of_the_tree_is_found() -> None:
    declared = {
        path.stem
        for path in FILES
        if isinstance(
            getattr(importlib.import_module(f"jinka.sectors.{path.stem}"), "SECTOR", None), jinka_sector()
        )
    }
    found = {sector.name for sector in SECTORS}
    assert len(declared) == len(SECTORS) == len(found)


def jinka_sector() -> type:
    from jinka.declaration import Sector

    return Sector


def sectors_imported(text: str) -> list[str]:
    """The sectors that a file of this room imports, or the room with all of them, however that is spelt."""
    sought = {f"jinka.sectors.{path.stem}" for path in FILES}
    found = set[str]()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = ("", "jinka.sectors", "jinka")[node.level]
            room = ".".join(part for part in (above, node.module) if part)
            found |= ({room} if room != "jinka.sectors" else set()) | {
                f"{room}.{one.name}" for one in node.names
            }
    whole = found & {"jinka.sectors", "jinka.sectors.SECTORS", "jinka.sectors.*"}
    return sorted(
        whole | {name for name in found & sought if hasattr(importlib.import_module(name), "SECTOR")}
    )


@pytest.mark.parametrize(
    "text",
    [
        "from jinka.sectors.campus import SECTOR",
        "from jinka.sectors import campus",
        "from .campus import SECTOR",
        "from . import campus",
        "from ..sectors import campus",
        "import jinka.sectors.campus",
        "import jinka.sectors",
        "from jinka import sectors",
        "from jinka.sectors import SECTORS",
        "from jinka.sectors import *",
    ],
)
def test_an_import_of_another_sector_is_seen_however_it_is_spelt(text: str) -> None:
    assert sectors_imported(text)
    assert sectors_imported("from .medical_records import PATIENT\nfrom jinka.sectors import tax_rules") == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_sector_file_is_short_and_knows_no_other(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LINES_MAX
    assert sectors_imported(text) == []
