"""`jinka keys report stolen-psam` and `jinka keys withdraw-psam`: from catalogue, orders and registry to the report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.key_folder import KeyFolder
from jinka.app.key_orders import keys_given
from jinka.codec import Algorithm
from jinka.keys import KeyName, KeyRecord, KeyState
from jinka.keys.hierarchy import chip_key_name
from jinka.keys.orders import SAM_USAGE
from jinka.kit import NotFound, Usage, parse_date
from jinka.node import file_errors
from jinka.registry import Registry
from jinka.reports.stolen_psam import Exposed, StolenPsam
from jinka.sectors import PROFILES
from jinka.store import load_registry, save_registry
from jinka.store.database import database_at

ACTIVE, WITHDRAWN = 1, 2  # of a PSAM in the registry


def stolen_psam(
    folder: KeyFolder,
    serial: str,
    *,
    registry: Registry | None = None,
    stolen_on: str = "",
    closed_on: str = "",
    last_expiry: str = "",
) -> StolenPsam:
    """What a stolen module exposes. Without a note of what it was given, all versions are taken as exposed."""
    psam_id = read_serial(serial)
    for date in (stolen_on, closed_on, last_expiry):
        if date:
            parse_date(date, where="report")
    records, simulated = _catalogue(folder)
    given = keys_given(folder, psam_id)
    held = given or [name for name in records if name.purpose in SAM_USAGE and not name.owner]
    row = _row(registry, psam_id)
    terminal = row["terminal_id"] if row else b""
    return StolenPsam(
        psam_id=psam_id.hex(),
        terminal=terminal.hex(),
        operator=_operator(registry, terminal),
        listed=row["status"] != ACTIVE if row else None,
        stolen_on=stolen_on,
        closed_on=closed_on,
        last_expiry=last_expiry,
        assumed=not given,
        simulated=simulated,
        exposed=tuple(
            Exposed(
                name=str(name),
                state=records[name].state.value if name in records else KeyState.ACTIVE.value,
                next_version=_next(name, held, records),
                cards=_carriers(registry, name),
            )
            for name in held
        ),
    )


def withdraw_psam(centre: Path, serial: str) -> None:
    """Put a module on the centre's list: no record of it is paid in the days that are cleared from now on."""
    psam_id = read_serial(serial)
    with database_at(centre_database(centre)) as database:
        registry = load_registry(database)
        if _row(registry, psam_id) is None:
            raise NotFound("no such module", where=f"psam:{psam_id.hex()}", fix="check the serial")
        save_registry(database, withdrawn(registry, psam_id))


def withdrawn(registry: Registry, psam_id: bytes) -> Registry:
    """The registry with a module taken out of use."""
    psams = registry.psams
    ours = pc.equal(psams["psam_id"], pa.scalar(psam_id, pa.binary(10)))
    status = pc.if_else(ours, pa.scalar(WITHDRAWN, pa.uint8()), psams["status"])
    at = psams.schema.get_field_index("status")
    return replace(registry, psams=psams.set_column(at, psams.schema.field("status"), status))


def read_registry(centre: Path) -> Registry:
    """The registry of a day's folder."""
    with database_at(centre_database(centre)) as database:
        return load_registry(database)


def centre_database(centre: Path) -> Path:
    """The centre's database in a day's folder; raises `NotFound`, because opening one would make it."""
    path = centre / "centre" / "centre.db"
    if not path.exists():
        raise NotFound("no centre is here", where=str(path), fix="name the --dir of a day")
    return path


def read_serial(text: str) -> bytes:
    """20 hex digits."""
    try:
        serial = bytes.fromhex(text)
    except ValueError:
        serial = b""
    if len(serial) != 10:
        raise Usage("not the serial of a PSAM", where="--psam", fix="20 hex digits")
    return serial


def _catalogue(folder: KeyFolder) -> tuple[dict[KeyName, KeyRecord], bool]:
    """The catalogue: of the signed records, or of a simulated ceremony that has none."""
    if folder.records.exists():
        last = folder.minutes()[-1]
        return {key.name: key for key in last.keys}, last.simulated
    path = folder.workspace.ceremony
    with file_errors(path):
        raw = json.loads(path.read_bytes())
    names = [(KeyName.parse(name), check) for name, check in raw["roots"].items()]
    return {name: KeyRecord(name=name, check=check) for name, check in names}, bool(raw["simulated"])


def _next(name: KeyName, held: Sequence[KeyName], records: dict[KeyName, KeyRecord]) -> str:
    """The version to switch to: in use, and not exposed; a later one before an earlier one."""
    good = [
        other
        for other, record in records.items()
        if replace(other, version=name.version) == name
        and other not in held
        and record.state is KeyState.ACTIVE
    ]
    later = sorted(good, key=lambda other: (other.version < name.version, other.version))
    return str(later[0]) if later else ""


def _row(registry: Registry | None, psam_id: bytes) -> dict[str, Any] | None:
    if registry is None:
        return None
    rows: list[dict[str, Any]] = registry.psams.filter(
        pc.equal(registry.psams["psam_id"], pa.scalar(psam_id, pa.binary(10)))
    ).to_pylist()
    return rows[0] if rows else None


def _operator(registry: Registry | None, terminal: object) -> str:
    if registry is None or not terminal:
        return ""
    found = registry.terminals.filter(
        pc.equal(registry.terminals["terminal_id"], pa.scalar(terminal, pa.binary(6)))
    )
    return str(found["operator"][0]) if found.num_rows else ""


def _carriers(registry: Registry | None, name: KeyName) -> int | None:
    """How many registered cards carry this version, by what their application declares."""
    if registry is None or name.algorithm not in Algorithm.__members__:
        return None
    carrying = [
        profile.name
        for profile in PROFILES
        if any(
            k.service_purpose == name.purpose.value
            and chip_key_name(profile, k, Algorithm[name.algorithm]) == name
            for k in profile.keys
        )
    ]
    cards = registry.cards
    ours = pc.and_(
        pc.is_in(cards["profile"], pa.array(carrying, pa.string())),
        pc.equal(cards["algorithm"], pa.scalar(int(Algorithm[name.algorithm]), pa.uint8())),
    )
    return int(pc.sum(pc.cast(ours, pa.int64())).as_py() or 0)
