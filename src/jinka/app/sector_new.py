"""`jinka sector new`: a package with one sector to begin from. It is installed with pip and found by its entry
point.

Its AID is proprietary (ISO/IEC 7816-4, 8.2.1.2: first half-byte F) and follows from the sector's name, as does the file
identifier, so that two packages do not meet on one card. A registered AID is a matter for ISO/IEC 7816-5.
"""

from __future__ import annotations

import hashlib
import keyword
import re
import sys
from pathlib import Path

from jinka.app.sector_catalogue import ENTRY_POINTS, all_sectors
from jinka.kit import Refused, Usage
from jinka.node import file_errors, write_durable

_NAME = re.compile(r"[a-z]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
_PROJECT = """\
[build-system]
requires = ["setuptools>=68"]
build-backend = "setuptools.build_meta"

[project]
name = "{distribution}"
version = "1.0.0"
dependencies = ["jinka"]

# Jinka finds a sector by this entry point; the value is the module and the name of the `Sector` in it.
[project.entry-points."{group}"]
"{name}" = "{module}:SECTOR"

[tool.setuptools]
py-modules = ["{module}"]
"""
_DECLARATION = '''\
"""{name}: a day pass with a wallet. Change it into your own sector; `jinka sector check {name}` walks over it."""

from __future__ import annotations

import datetime as dt

from jinka.codec.fields import Coding
from jinka.declaration import (
    Admit, Archetype, Clear, Counted, Device, DeviceKind, Holds, Journey, JourneyCard, Load, Party, Report, Sector,
    Start, Tap, Write,
)
from jinka.profile.applications import purse_application, record
from jinka.profile.entitlement import Change, Condition, Entitlement, Fact, Test
from jinka.tariff import full_price

# What the card carries besides its purse: one record for each fact, with its number, coding, bytes and an example.
RECORDS = (
    record(1, "pass until", Coding.DATE, 4, "20260101", "Pass valid until", "通票有效期至"),
    record(2, "rides left", Coding.NUMBER, 1, "3", "Rides left", "剩余次数"),
)
# The application. The AID is 5 to 16 bytes of your own, here made from the name; the unit is the fen unless you say.
CARD = purse_application(
    name="{name}.card", aid=bytes.fromhex("{aid}"), fid=0x{fid},
    title_en="Day pass with a purse", title_zh="带钱包的通票",
    authority="Your authority 主管单位", standards=("JR/T 0025.2",), limit=100_000, records=RECORDS,
)
# A right: its conditions in the order in which a gate judges them, each with its reason; then what a use writes.
RIDE = Entitlement(
    name="ride", title_en="One ride", title_zh="乘坐一次", application=CARD.name,
    conditions=(
        Condition("pass until", Test.NOT_BEFORE, Fact("date"), "EXPIRED"),
        Condition("rides left", Test.AT_LEAST, 1, "NO_RIDES_LEFT"),
    ),
    changes=(Change("rides left", take=1),),
)
# A story: documentation and test at once. Each step says what must come of it.
VISIT = Journey(
    name="visit", title_en="A visit", title_zh="一次游玩", date=dt.date(2026, 1, 10),
    cards=(
        JourneyCard("guest", "the guest's card", "游客的卡", (
            Start(application=CARD.name, balance=2_000, records={{"pass until": "20260101", "rides left": "0"}}),
        )),
    ),
    steps=(
        Load("guest", "counter", 5_000, at="09:00"),
        Admit("guest", "gate", "ride", refused="EXPIRED"),
        Write("guest", "desk", {{"pass until": "20260110", "rides left": "1"}}),
        Admit("guest", "gate", "ride"),
        Admit("guest", "gate", "ride", refused="NO_RIDES_LEFT"),
        Tap("guest", "kiosk", 1_800, gross=1_800, at="12:00"),
        Holds("guest", 5_200),
        Clear({{"{short}.kiosk": 1_800}}, {{"loads.{name}": 5_000}}, at="22:00"),
    ),
)
SECTOR = Sector(
    name="{name}", title_en="{name}", title_zh="{name}（示例）",
    about_en="A day pass with a wallet; begun with jinka sector new.",
    about_zh="带钱包的通票；由 jinka sector new 生成。",
    authority="Your authority 主管单位", standards=("JR/T 0025.2",),
    archetypes=(Archetype.PURSE, Archetype.RECORD),
    profiles=(CARD,), records={{CARD.name: RECORDS}},
    parties=(Party("{short}.kiosk", "Kiosk", "小卖部"),),
    devices=(
        Device("counter", "the load counter", "充值点", DeviceKind.LOAD),
        Device("desk", "the ticket desk", "售票处", DeviceKind.CHECK),
        Device("gate", "the gate", "检票口", DeviceKind.CHECK),
        Device("kiosk", "the kiosk", "小卖部", DeviceKind.PURSE, operator="{short}.kiosk"),
    ),
    tariffs={{CARD.name: full_price("{name}.sale", title_en="Sale", title_zh="消费", gross_max_fen=50_000)}},
    entitlements=(RIDE,),
    reports=(
        Report(name="sales", title_en="Sales", title_zh="消费", counts=Counted.PAID, by="operator"),
        Report(name="rides", title_en="Rides", title_zh="乘坐", counts=Counted.ADMITTED, by="entitlement"),
    ),
    journeys=(VISIT,),
    no_worked_case="an invented example; cite the public rule behind yours, with the result that it publishes",
)
'''


def begin_sector(name: str, to: Path) -> tuple[Path, Path]:
    """Write the package; `Refused` where something lies already, `Usage` for a name that is none."""
    if not _NAME.fullmatch(name) or len(name) > 60:
        raise Usage(f"{name!r} is no name", where="NAME", fix="small letters, digits, hyphens and dots")
    if name in all_sectors():
        raise Usage(f"there is a sector {name!r}", where="NAME", fix=f"com.example.{name}, with your domain")
    module = re.sub(r"[^a-z0-9]", "_", name)
    if module in sys.stdlib_module_names or keyword.iskeyword(module) or module in ("jinka", "test"):
        raise Usage(
            f"a module {module!r} is Python's own", where="NAME", fix=f"com.example.{name}, your domain"
        )
    digest = hashlib.sha256(name.encode()).digest()
    words = {
        "name": name, "module": module, "distribution": f"jinka-sector-{name.replace('.', '-')}",
        "group": ENTRY_POINTS, "short": name.rpartition(".")[2], "aid": f"F{digest.hex().upper()[:31]}",
        "fid": f"{0x4000 + int.from_bytes(digest[-2:]) % 0x1000:04X}",
    }  # fmt: skip
    with file_errors(to):
        if to.exists() and (not to.is_dir() or any(to.iterdir())):
            raise Refused("is not empty", where=str(to), fix="name another folder with --to")
        to.mkdir(parents=True, exist_ok=True)
        project, declaration = to / "pyproject.toml", to / f"{module}.py"
        write_durable(project, _PROJECT.format(**words).encode())
        write_durable(declaration, _DECLARATION.format(**words).encode())
    return project, declaration
