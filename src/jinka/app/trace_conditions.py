"""`jinka trace conditions` and `storage`: things held to limits by their sensors' reports, goods to a place's zones.

A thing's reports are those of the events that name it, and of what it lay in while it did. An event without any place
is not found by this road. Files are TOML (docs/recall.md).
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from jinka.app.parts_file import only
from jinka.app.trace_lineage import NODES_MAX, thing_name, trace_database, walk
from jinka.codec.epcis import Event
from jinka.kit import NotFound, Usage
from jinka.store.trace_edges import SqlLinks
from jinka.trace.conditions import MINUTE_US, Course, Limit, SealFault, judge_limit, judge_seals
from jinka.trace.spread import Seed, Spread
from jinka.trace.storage import Goods, Segregation, StorageFault, Zone, judge_storage

_PAGE = "docs/recall.md"
_VOC = "https://gs1.org/voc/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """How a thing was kept, limit by limit, and its seals."""

    thing: str
    courses: tuple[Course, ...]
    seals: tuple[SealFault, ...]

    @property
    def good(self) -> bool:
        return all(course.kept for course in self.courses) and not self.seals


def conditions_of(at: str, name: str, limits: Path) -> Conditions:
    """Hold one thing to the limits of a file."""
    wanted = read_limits(limits)
    with trace_database(at) as database, SqlLinks(database) as links:
        return held_to(links, thing_name(name), wanted)


def held_to(links: SqlLinks, thing: str, wanted: Iterable[Limit]) -> Conditions:
    """Hold a thing of an open index to limits, by its canonical id."""
    node = links.number(thing)
    found = walk(links, [Seed(node)], forward=False, nodes_max=NODES_MAX)
    events = sorted(links.events(_events_of(found, node)).items())
    own = sorted(links.events(row[4] for row in found.rows[node]).items())
    valid = [(number, event) for number, event in events if event.error is None]
    return Conditions(
        thing=thing,
        courses=tuple(judge_limit(limit, valid) for limit in wanted),
        seals=tuple(judge_seals(own)) if _is_sealed(own) else (),
    )


def _is_sealed(events: list[tuple[int, Event]]) -> bool:
    return any(sensor.reports for _, event in events for sensor in event.sensors)


def _events_of(found: Spread, node: int) -> set[int]:
    """The events of a thing, and of its containers while it lay in them."""
    numbers = {row[4] for row in found.rows[node]}
    for carrier, windows in found.carriers.items():
        for row in found.rows.get(carrier, ()):
            if any(since <= row[2] <= until for since, until in windows):
                numbers.add(row[4])
    return numbers


def read_limits(path: Path) -> list[Limit]:
    """Read a file of limits; `Usage` names the place of a mistake."""
    made = []
    for n, table in enumerate(_tables(path, "limit", {"limit"}), 1):
        where = f"limit {n}"
        only(table, {"name", "type", "low", "high", "uom", "outside_minutes", "gap_minutes"}, where, _PAGE)
        kind = str(table.get("type", "Temperature"))
        made.append(
            Limit(
                name=str(table.get("name", where)),
                type=kind if "://" in kind else _VOC + kind,
                low=_decimal(table, "low", where),
                high=_decimal(table, "high", where),
                uom=str(table.get("uom", "CEL")),
                outside_us=int(_decimal(table, "outside_minutes", where) or 0) * MINUTE_US,
                gap_us=int(_decimal(table, "gap_minutes", where) or 60) * MINUTE_US,
            )
        )
    return made


def check_storage(path: Path) -> list[StorageFault]:
    """Hold the goods of a file to its zones."""
    zones, goods = [], []
    for n, table in enumerate(_tables(path, "zone", {"zone", "goods"}), 1):
        only(table, {"name", "apart", "most"}, f"zone {n}", _PAGE)
        apart = str(table.get("apart", "away")).upper()
        if apart not in Segregation.__members__:
            raise Usage(
                f"{apart.lower()!r}", where=f"zone {n}.apart", fix=", ".join(Segregation.__members__).lower()
            )
        most = {str(kind): Decimal(amount) for kind, amount in table.get("most", {}).items()}
        zones.append(Zone(name=str(table.get("name", "")), most=most, apart=Segregation[apart]))
    names = {zone.name for zone in zones}
    for n, table in enumerate(_tables(path, "goods", {"zone", "goods"}), 1):
        where = f"goods {n}"
        only(table, {"name", "classes", "amount", "zone"}, where, _PAGE)
        if table.get("zone") not in names:
            raise Usage(f"no such zone: {table.get('zone')!r}", where=where, fix=", ".join(sorted(names)))
        classes = tuple(str(each) for each in table.get("classes", ()))
        if not classes:
            raise Usage("no class", where=where, fix='classes = ["3"]')
        amount = _decimal(table, "amount", where) or Decimal(0)
        goods.append(
            Goods(name=str(table.get("name", where)), classes=classes, amount=amount, zone=table["zone"])
        )
    return judge_storage(goods, zones)


def _tables(path: Path, name: str, known: set[str]) -> list[Mapping[str, Any]]:
    if not path.exists():
        raise NotFound("no such file", where=str(path), fix=f"see {_PAGE}")
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Usage(f"not TOML: {error}", where=str(path), fix="correct the file") from None
    only(raw, known, str(path), _PAGE)
    found = raw.get(name, [])
    if not isinstance(found, list):
        raise Usage(f"[{name}] is one table", where=str(path), fix=f"[[{name}]]")
    return found


def _decimal(table: Mapping[str, Any], name: str, where: str) -> Decimal | None:
    value = table.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise Usage(f"no number: {value!r}", where=f"{where}.{name}")
    return Decimal(value)
