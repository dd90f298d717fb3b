"""`jinka centre up`: one process for one centre: it lets its children in, goes to its parent, and runs its rounds.

Threads serve the line (`jinka.app.centre_line`); the rounds run in the process's own thread, one step after another,
and look again every half second. After a kill it goes on where its files and its database stand.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from jinka.app.centre_caps import CapsAbove, cap_above
from jinka.app.centre_city import City, close_intake
from jinka.app.centre_config import DATABASE, FILE, CentreConfig, read_config
from jinka.app.centre_files import RoundFiles, days_of
from jinka.app.centre_folder import CentreKeys, centre_keys, closed_days, signer_of, summary, uploads_of
from jinka.app.centre_line import Heed, LineRoad, exchange_with, open_desk, open_door, parse_line
from jinka.app.centre_notices import own_parcels
from jinka.app.centre_papers import LinePapers, install_line
from jinka.app.centre_proof import CityProof
from jinka.app.centre_resend import with_resent
from jinka.app.centre_rounds import STOPPED, STREAMS, Centre
from jinka.app.centre_witness import Witness
from jinka.codec.parcel import Kind
from jinka.crypto.bulk import warm_up
from jinka.kit import Finding, Refused
from jinka.node import FolderLock, file_errors
from jinka.node.event_log import EventLog
from jinka.node.parcel_client import Parent, Synced
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import SqlLedger, SqlWindows, database_at, load_registry
from jinka.store.parcel_findings import findings_in, resume, suspend, suspended_in

_LOOK_S = 0.5


def serve_centre(folder: Path, *, ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or Ctrl-C; ``ready`` is told where once it can be reached."""
    config = read_config(folder)
    line = parse_line(tomllib.loads((folder / FILE).read_text(encoding="utf-8")))
    papers, stop = LinePapers(folder), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    around = config.around
    neighbours = frozenset({*around.children, *([around.parent] if around.parent else [])})
    if config.city is not None:
        warm_up()
    with file_errors(folder), FolderLock(folder), ExitStack() as stack:
        log = EventLog(folder / "log" / "centre.jsonl", SystemClock())
        keys = stack.enter_context(centre_keys(folder, config.region))
        desk = stack.enter_context(
            open_desk(
                folder, folder / DATABASE, centre=around.code, neighbours=neighbours, signer=signer_of(keys)
            )
        )
        road = LineRoad(desk, streams_beside(folder, around.parent))
        with opened_centre(folder, config, keys, road, told=_stop_teller(log)) as centre:
            facts: dict[str, Any] = summary(folder) | {"pid": os.getpid()}
            if line.listen is not None:
                facts["port"] = stack.enter_context(open_door(desk, papers, line.listen))
            if around.parent:
                way = Parent.at(around.parent, config.parent_url)
                stack.enter_context(exchange_with(desk, papers, way, line.every_s, _teller(log)))
            ready(facts)
            try:
                _rounds(centre, stop)
            finally:
                stack.close()  # the line first: nothing arrives while the database closes


def streams_beside(folder: Path, parent: str) -> dict[Kind, Heed]:
    """Who takes what travels beside the rounds."""
    return {
        Kind.STATEMENTS: Witness(folder=folder, parent=parent).heed,
        Kind.LISTS: CapsAbove(folder=folder, parent=parent).heed,
    }


@contextmanager
def opened_centre(
    folder: Path,
    config: CentreConfig,
    keys: CentreKeys,
    road: LineRoad,
    told: Callable[[Finding], object] = lambda _: None,
) -> Iterator[Centre]:
    """The centre of a folder over its own database."""
    with database_at(folder / DATABASE) as database:
        city = proof = None
        if config.city is not None:
            proof = CityProof(
                folder=folder,
                centre=config.around.code,
                signer=signer_of(keys),
                randomness=SystemRandomness(),
            )
            city = City(
                folder=folder, config=config, database=database, keys=keys, registry=load_registry(database)
            )

        def suspended() -> frozenset[str]:
            with database.connect() as connection:
                return frozenset(suspended_in(connection))

        yield Centre(
            folder=folder,
            config=config,
            road=road,
            ledger=SqlLedger(database),
            city=city,
            suspended=suspended,
            windows=SqlWindows(database),
            proof=proof,
            told=told,
        )


def _rounds(centre: Centre, stop: threading.Event) -> None:
    while True:
        moved = close_days(centre)
        moved = centre.advance() or moved
        if stop.wait(0.0 if moved else _LOOK_S):
            return


def close_days(centre: Centre) -> bool:
    """Take in the days that were closed and are no rounds yet; True when there were any.

    A day that this city skipped (a holiday here) while others had it is taken in as empty once a later one is closed:
    its cards may have been used elsewhere.
    """
    if centre.city is None:
        return False
    closed = closed_days(centre.folder)
    asked = centre.arrived.days(centre.config.around.parent, Kind.RECORDS)
    skipped = [day for day in asked if closed and day < closed[-1]]
    fresh = [day for day in sorted({*closed, *skipped}) if centre.round(day).noted("intake") is None]
    done = [centre.attempt(day, partial(_close_day, centre, day, closed)) for day in fresh]
    return any(done)


def _close_day(centre: Centre, day: dt.date, closed: Sequence[dt.date]) -> bool:
    assert centre.city is not None
    close_intake(centre.city, day, uploads_of(centre.folder, day) if day in closed else [])
    return True


def _teller(log: EventLog) -> Callable[[Synced], None]:
    """Note what the line did when it did something, and its problems once."""
    last: list[tuple[str, ...]] = [()]

    def told(synced: Synced) -> None:
        if synced.sent or synced.taken or synced.problems != last[0]:
            last[0] = synced.problems
            log.note(
                "line", "synced", sent=synced.sent, taken=synced.taken, problems="; ".join(synced.problems)
            )

    return told


def _stop_teller(log: EventLog) -> Callable[[Finding], object]:
    return lambda found: log.note("rounds", "stopped", where=found.where, what=found.what)


def centre_status(folder: Path) -> dict[str, Any]:
    """What a centre's folder says: its rounds, its line, what was found. Also while it is up, and after its end."""
    config = read_config(folder)
    with database_at(folder / DATABASE) as database:
        with database.connect() as connection:
            halted = sorted(suspended_in(connection))
        findings = [finding.as_dict() for finding in findings_in(database)]
        elsewhere = with_resent(folder, own_parcels(database, config.around.code))
    rounds = []
    for day in days_of(folder):
        files = RoundFiles(folder, day)
        waits = [kind.value for kind in STREAMS if files.noted(f"down-{kind.value}") is None]
        row = files.noted("settled") or {"date": day.isoformat(), "waits_for": (waits or ["settlement"])[0]}
        if (stopped := files.noted(STOPPED)) is not None:
            row |= {"stopped": True}
            findings.append(stopped)
        rounds.append(row)
    return summary(folder) | {
        "rounds": rounds, "suspended": halted, "findings": findings, "zone": config.zone,
        "own_parcels": elsewhere, "cap_above": cap_above(folder),
    }  # fmt: skip


def suspend_neighbour(
    folder: Path, code: str, *, officer: str, reason: str, suspended: bool
) -> dict[str, Any]:
    """An officer's act on a neighbour; raises `Refused` for no neighbour, and as `jinka.store.parcel_findings` does."""
    around = read_config(folder).around
    if code != around.parent and code not in around.children:
        raise Refused("is no neighbour", where=f"centre {code}", fix="its parent can suspend it")
    act = suspend if suspended else resume
    with file_errors(folder), database_at(folder / DATABASE) as database:
        act(database, code, officer, reason, SystemClock().now_micros())
    return {"centre": code, "suspended": suspended}


def install_papers(folder: Path, *, tls: Path, sign: Path, above: Path, lists: Path | None) -> None:
    """`install_line` as of now."""
    read_config(folder)
    install_line(folder, tls=tls, sign=sign, above=above, lists=lists, at=dt.datetime.now(dt.UTC))
