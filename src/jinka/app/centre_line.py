"""A centre's line to its neighbours, put together: papers, desk, the door for its children, the way to its parent.

::

    [line]                            # in centre.toml
    listen = "0.0.0.0:8444"           # where children come to; without it nobody can
    every_s = 5                       # from one round of the exchange with the parent to the next

`LineRoad` is the road that the rounds of a centre see (`jinka.app.centre_files.Road`). Which files travel in which
stream is the table `PARCEL_FILES`, so what a neighbour may send is known before it is opened.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.centre_caps import CAPS
from jinka.app.centre_files import Arrived
from jinka.app.centre_notices import NOTICES, heed, tell
from jinka.app.centre_papers import LinePapers
from jinka.app.centre_witness import CHECKPOINT, EDITIONS, STATEMENTS
from jinka.app.parts_file import host_port, only
from jinka.clearing.hearing import HEARD
from jinka.clearing.routing import CLAIMS, LISTED
from jinka.clearing.verdicts import CROSSING, DEEMED, VERDICTS
from jinka.codec.parcel import Kind
from jinka.codec.parcel_contents import FileSchema
from jinka.crypto.x509_keys import Signer
from jinka.kit import Clock, Finding, JinkaError, Randomness, Refused, Severity, Usage
from jinka.node import file_errors
from jinka.node.parcel_client import ParcelClient, Parent, Synced
from jinka.node.parcel_desk import Line, OutgoingFile, ParcelDesk, Signatory
from jinka.node.parcel_examiner import ParcelExaminer
from jinka.node.parcel_folder import ParcelFolder
from jinka.node.system import SystemClock, SystemRandomness
from jinka.reports.statistics import STATISTICS
from jinka.store import database_at
from jinka.store.faults import of_this_machine
from jinka.store.parcel_findings import PARKED
from jinka.store.parcels_sent import Outbox
from jinka.store.parcels_taken import Inbox, Taken

PAGE = "docs/federation.md"
_ENDING = ".parquet"
Heed = Callable[[ParcelDesk, Taken], None]  # takes a parcel of a stream beside the rounds, and marks it
# What may travel: stream and name of the file to what it is.
PARCEL_FILES: Mapping[tuple[Kind, str], FileSchema] = {
    (kind, name): FileSchema(
        name=f"jinka.{schema}/1",
        columns=columns,
        kinds=frozenset({kind}),
        amount="amount" if "amount" in columns.names else "",
    )
    for kind, name, schema, columns in (
        (Kind.RECORDS, "records", "crossing", CROSSING),
        (Kind.RECORDS, "heard", "heard", HEARD),
        (Kind.VERDICTS, "verdicts", "verdicts", VERDICTS),
        (Kind.VERDICTS, "listed", "listed", LISTED),
        (Kind.POSITIONS, "claims", "claims", CLAIMS),
        (Kind.POSITIONS, "deemed", "deemed", DEEMED),
        (Kind.STATISTICS, "cells", "statistics", STATISTICS),
        (Kind.LISTS, "caps", "caps", CAPS),
        (Kind.NOTICES, "notices", "notices", NOTICES),
        (Kind.STATEMENTS, "statements", "statements", STATEMENTS),
        (Kind.STATEMENTS, "editions", "editions", EDITIONS),
        (Kind.STATEMENTS, "checkpoint", "checkpoint", CHECKPOINT),
    )
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LineConfig:
    """The table ``[line]``; ``listen`` is None where no child is let in."""

    listen: tuple[str, int] | None
    every_s: float


def parse_line(found: Mapping[str, Any]) -> LineConfig:
    """The table of a file that was read; raises `Usage`."""
    table = found.get("line", {})
    only(table, {"listen", "every_s"}, "line", PAGE)
    every = table.get("every_s", 5)
    if type(every) not in (int, float) or not 0 < every <= 3600:
        raise Usage("not a number of seconds", where="line.every_s", fix="more than 0, up to 3600")
    listen = host_port(table["listen"], "line.listen") if "listen" in table else None
    return LineConfig(listen=listen, every_s=float(every))


@contextmanager
def open_desk(
    folder: Path,
    database: Path | str,
    *,
    centre: str,
    neighbours: frozenset[str],
    signer: Signer,
    clock: Clock | None = None,
) -> Iterator[ParcelDesk]:
    """The desk of the centre in ``folder``, over its own database; raises `Refused` when the key is not the papers'."""
    papers = LinePapers(folder)
    signing = papers.signing_certificates()
    if signing[0].common_name != centre or signing[0].public_der != signer.public_der:
        raise Refused("another centre's or another key's certificate", where=str(papers.sign))
    line = Line(
        centre=centre,
        neighbours=neighbours,
        signatory=Signatory(signer=signer, certificates=tuple(one.der for one in signing)),
        trust=papers.trust,
        schemas={schema.name: schema for schema in PARCEL_FILES.values()},
        look=(examiner := ParcelExaminer()).look,
    )
    place = ParcelFolder(folder / "parcels")
    with closing(examiner), database_at(database) as engine:
        yield ParcelDesk(line, Outbox(engine, centre), Inbox(engine, centre), place, clock or SystemClock())


@contextmanager
def open_door(
    desk: ParcelDesk, papers: LinePapers, listen: tuple[str, int], *, clock: Clock | None = None
) -> Iterator[int]:
    """Let children in for as long as the block lasts; the port."""
    # A city has no children, and needs nothing of HTTP's serving side: a fifth of a second of imports.
    from jinka.api.centre import centre_app
    from jinka.api.peer_tls import tls_server

    runner = tls_server(centre_app(desk, clock or SystemClock()), papers.line_tls().server())
    with file_errors(papers.folder), socket.create_server(listen) as place:
        thread = threading.Thread(target=runner.run, kwargs={"sockets": [place]}, name="door")
        thread.start()
        try:
            yield int(place.getsockname()[1])
        finally:
            runner.should_exit = True
            thread.join()


@contextmanager
def exchange_with(
    desk: ParcelDesk,
    papers: LinePapers,
    parent: Parent,
    every_s: float,
    told: Callable[[Synced], None] = lambda _: None,
    randomness: Randomness | None = None,
) -> Iterator[None]:
    """Exchange parcels with the parent, round after round, for as long as the block lasts."""
    client = ParcelClient(desk, parent, papers.line_tls().client)
    stop = threading.Event()
    work = (stop, every_s, randomness or SystemRandomness(), told)

    def run() -> None:
        try:
            client.run(*work)
        finally:
            if not stop.is_set():  # a fault of ours: end the process, whoever watches it starts it again
                os.kill(os.getpid(), signal.SIGTERM)

    thread = threading.Thread(target=run, name="exchange")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        client.give_up()
        thread.join()


class LineRoad:
    """Implements `jinka.app.centre_files.Road` over a desk."""

    def __init__(self, desk: ParcelDesk, beside: Mapping[Kind, Heed] | None = None) -> None:
        self._desk = desk
        self._beside = {Kind.NOTICES: heed, **(beside or {})}  # streams that no round waits for
        self._ready: dict[str, Taken] = {}

    def send(self, receiver: str, kind: Kind, date: dt.date, tables: Mapping[str, pa.Table]) -> None:
        """One parcel for each receiver, stream and day."""
        files = []
        for name, table in sorted(tables.items()):
            schema = PARCEL_FILES.get((kind, name))
            if schema is None:
                raise Usage(f"no file {name} in the stream {kind.value}", where="parcel")
            files.append(OutgoingFile(name=name + _ENDING, schema=schema.name, rows=table))
        self._desk.send(receiver, kind, f"day {date.isoformat()}", date, files)

    def ready(self) -> list[Arrived]:
        """What may be applied now in the rounds' streams; what goes beside them is seen to here."""
        tell(self._desk)
        found = self._desk.ready()
        for parcel in found:
            if (take := self._beside.get(parcel.manifest.kind)) is not None:
                try:
                    take(self._desk, parcel)
                except Exception as problem:  # as in the rounds: it breaks its own
                    if of_this_machine(problem):
                        raise
                    self._desk.parked(parcel, _finding(parcel.manifest.label, problem))
        rest = (parcel for parcel in found if parcel.manifest.kind not in self._beside)
        self._ready = {parcel.manifest.label: parcel for parcel in rest}
        return [self._arrived(parcel) for parcel in self._ready.values()]

    def applied(self, parcel: Arrived) -> None:
        """Mark it."""
        self._desk.applied(self._ready.pop(parcel.label))

    def parked(self, parcel: Arrived, problem: Exception) -> None:
        """Keep it as it is, with a finding."""
        self._desk.parked(self._ready.pop(parcel.label), _finding(parcel.label, problem))

    def _arrived(self, parcel: Taken) -> Arrived:
        made = parcel.manifest
        files = {
            one.name.removesuffix(_ENDING): self._desk.folder.taken(made.sender, one.sha256)
            for one in made.files
        }
        return Arrived(
            sender=made.sender, kind=made.kind, date=made.business_date, files=files, label=made.label,
            released=parcel.released,
        )  # fmt: skip


def _finding(label: str, problem: Exception) -> Finding:
    known = problem if isinstance(problem, JinkaError) else None
    reason = f"{known.fix}; " if known and known.fix else ""
    return Finding(
        code=PARKED,
        severity=Severity.ERROR,
        where=f"{label} {known.where}".strip() if known else label,
        what=known.what if known else type(problem).__name__,
        fix=f"{reason}its rows are in no round: jinka centre release or refuse it",
    )
