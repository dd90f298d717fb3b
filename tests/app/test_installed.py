"""Packages from outside: one that fails, or takes what is another's, is left out and named; the rest goes on.

Goal: no installed package ends, silences or stops a command that has nothing to do with it, and none takes a name, an
application or a register over. Method: packages as pip lays them down, each wrong in one way, asked in
this process.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from typer.main import get_command

from jinka.app import sector_catalogue
from jinka.app.options import TARIFF_DEFAULT
from jinka.app.records import catalogue
from jinka.app.sector_catalogue import all_applications, all_sectors, find_sector, known_sectors, left_out
from jinka.app.sector_new import begin_sector
from jinka.app.sector_run import play
from jinka.app.sector_world import StepFailed
from jinka.app.tariffs import prices_named
from jinka.cli.main import app as commands
from jinka.declaration import JourneyCard, Write
from jinka.kit import Usage
from jinka.sectors import SECTORS
from jinka.sectors.campus import SECTOR as CAMPUS
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018

Install = Callable[..., None]
BEGINS = """\
from dataclasses import replace
from jinka.declaration import Party
from jinka.declaration.sector import Role
from jinka.identity.base_records import Clause, Law, Named, Part, ViewRule
from jinka.sectors.campus import PURSE, SECTOR as CAMPUS
from jinka.sectors.shenzhen_tariff import SHENZHEN_2018
SKI = replace(CAMPUS, name="com.example.ski", profiles=(), records={}, tariffs={}, part=None)
MINE = replace(PURSE, name="com.example.ski.card", aid=b"F.EXAMPLE.1")
OPENS = Part(
    departments=(Named(code="ski-club", title=("ski club", "雪会")),), laws=(Law(code="house", title=("H", "规")),),
    rules=(ViewRule(department="ski-club", purpose="card-service", kind="person", fields=("name",),
                    clause=Clause(law="house", article="1")),),
)
"""
WRONG = {
    "raise SystemExit(0)": "SystemExit: 0 (pack_a.py, line 14)",
    "raise RuntimeError('boom')": "RuntimeError: boom (pack_a.py, line 14)",
    "import nowhere_at_all": "ModuleNotFoundError: No module named 'nowhere_at_all' (pack_a.py, line 14)",
    "SECTOR = 7": "TypeError: pack_a:SECTOR is no Sector",
    "SECTOR = replace(SKI, journeys=7)": "TypeError: ",
    "SECTOR = replace(SKI, profiles=(7,))": "AttributeError: ",
    "SECTOR = replace(SKI, name='campus')": "its name 'campus' is that of sector campus",
    "SECTOR = replace(SKI, profiles=(replace(MINE, name='cn.health.card'),))":
        "its application 'cn.health.card' is that of sector medical",
    "SECTOR = replace(SKI, profiles=(replace(MINE, name='cn.fuel'),))": "its application 'cn.fuel' is that of",
    "SECTOR = replace(SKI, profiles=(replace(MINE, aid=PURSE.aid),))": "is also that of cn.campus.purse",
    "SECTOR = replace(SKI, profiles=(replace(MINE, aid=PURSE.aid[:6]),))": "is also that of ",
    "SECTOR = replace(SKI, tariffs={'a': SHENZHEN_2018})": "its tariff 'shenzhen.2018' is that of sector transit",
    "SECTOR = replace(SKI, parties=(Party('issuer.medical', 'M', '医', Role.ISSUER),))":
        "its issuer 'issuer.medical' is that of sector medical",
    "SECTOR = replace(SKI, part=OPENS)": "it opens person by a law of its own, house 1",
    "SECTOR = replace(SKI, part=Part(departments=(Named(code='bank', title=('b', '行')),)))": "declared twice",
}  # fmt: skip


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    def lay(name: str, module: str, *, group: str = "jinka.sectors", value: str = "SECTOR") -> None:
        info = tmp_path / f"{name}-1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\ncom.example.{name} = {name}:{value}\n")
        (tmp_path / f"{name}.py").write_text(BEGINS + module)
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)

    monkeypatch.syspath_prepend(str(tmp_path))
    prices_named.cache_clear()
    return lay


@pytest.mark.parametrize("module", WRONG)
def test_a_package_that_is_wrong_is_left_out_and_named(module: str, install: Install) -> None:
    install("pack_a", module)
    sectors, refused = known_sectors()
    assert list(sectors) == [one.name for one in SECTORS]
    (one,) = refused
    assert WRONG[module] in one.finding.what
    assert one.finding.where == "pack_a 1, entry point com.example.pack_a = pack_a:SECTOR"
    assert "pip uninstall pack_a" in one.finding.fix
    assert prices_named(TARIFF_DEFAULT).tariff is SHENZHEN_2018
    assert all_applications()["cn.health.card"] in sectors["medical"].profiles
    assert "person" in catalogue().kinds
    with pytest.raises(Usage, match=re.escape(WRONG[module])):
        find_sector("com.example.pack_a")


def test_a_sound_package_is_there_whatever_stands_beside_it(install: Install) -> None:
    install("pack_b", "print('said while loading')\nSECTOR = replace(SKI, profiles=(MINE,))")
    install("pack_a", "raise SystemExit(0)")
    install("pack_c", "SECTOR = replace(SKI, name='com.example.later', profiles=(MINE,))")
    assert "com.example.ski" in all_sectors()
    assert [(one.distribution, one.name) for one in left_out()] == [
        ("pack_a", "com.example.pack_a"), ("pack_c", "com.example.pack_c"),
    ]  # fmt: skip
    assert "that of sector com.example.ski" in left_out()[1].finding.what


def test_a_part_alone_opens_no_kind_of_the_states_by_a_law_of_its_own(install: Install) -> None:
    install("part_a", "", group="jinka.base_records", value="OPENS")
    install("part_b", "raise SystemExit(0)", group="jinka.base_records", value="OPENS")
    assert "ski-club" not in catalogue().departments
    assert [one.finding.what.partition(",")[0] for one in left_out()] == [
        "rule ski-club/card-service/person: it opens person by a law of its own", "SystemExit: 0 (part_b.py",
    ]  # fmt: skip


def test_what_is_left_out_is_listed_and_checked(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("pack_a", "raise SystemExit(0)")
    monkeypatch.setattr(sector_catalogue, "SECTORS", ())
    for arguments, code in (("list", 0), ("check --all", 6), ("check com.example.pack_a", 6)):
        found = CliRunner().invoke(get_command(commands), ["sector", *arguments.split()])
        assert (found.exit_code, found.stderr.count("PACKAGE pack_a 1")) == (code, 1)


@pytest.mark.parametrize("declares", [{"also": ("cn.health.card",)}, {"application": "cn.health.card"}])
def test_no_sector_lends_itself_anothers_key(declares: dict[str, Any]) -> None:
    """The kitchen's hatch declares the health card as its own too, and still does not write onto it."""
    sectors = all_sectors()
    wears = next(
        start for one in sectors["medical"].journeys for card in one.cards for start in card.starts
        if start.application == "cn.health.card"
    )  # fmt: skip
    devices = tuple(replace(one, **declares) if one.name == "hatch" else one for one in CAMPUS.devices)
    grab = Write("p", "hatch", {"registered": "x"}, application="cn.health.card")
    story = replace(CAMPUS.journeys[0], cards=(JourneyCard("p", "p", "病人卡", (wears,)),), steps=(grab,))
    thief = replace(CAMPUS, composes=("cn.health.card",), devices=devices, journeys=(story,))
    with pytest.raises(StepFailed):
        play(thief, story, sectors.values())
    desk = replace(story, steps=(replace(grab, device="medical:registration"),))
    assert play(thief, desk, sectors.values()).happenings


def test_packages_that_are_begun_have_each_an_aid_of_its_own(tmp_path: Path) -> None:
    """Proprietary, ISO/IEC 7816-4: first half-byte F. Long names of one domain do not meet any more."""
    aids, fids = set(), set()
    for name in ("com.example.skate", "com.example.skiing", "com.example.skis-and-more"):
        text = begin_sector(name, tmp_path / name)[1].read_text()
        aids.add(re.findall(r'aid=bytes\.fromhex\("(F[0-9A-F]{31})"\)', text)[0])
        fids.add(re.findall("fid=0x(4[0-9A-F]{3}),", text)[0])
        assert f'full_price("{name}.sale"' in text
    assert (len(aids), len(fids)) == (3, 3)


@pytest.mark.parametrize("name", ["json", "class", "test", "jinka", "x-", "a.-b", "parking"])
def test_a_name_that_is_another_module_s_or_sector_s_is_not_begun(name: str, tmp_path: Path) -> None:
    with pytest.raises(Usage):
        begin_sector(name, tmp_path / "new")
    assert not (tmp_path / "new").exists()
