"""What became of a parcel that could not be applied, told to its sender: parked, released or refused, and why.

A centre that parks a parcel lets its rounds go on without it; the sender would see only that its rows have no effect.
So each such event is a parcel of one row in a stream of its own (`NOTICES`), beside the rounds, which no round waits
for. A notice is the neighbour's word on a parcel that was sent to it, and no more: it moves nothing, it is kept as a
finding, and of what it says only printable text is kept. Notices of notices are not sent.

Officers decide here what becomes of a parked parcel, in the chained log ``audit-parcels.jsonl`` before it takes effect.
A released one is examined and taken as if it had come then (`jinka.app.centre_arrivals`); a refused one stays as
evidence. No standard describes this: it is Jinka's own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.centre_config import DATABASE, read_config
from jinka.codec.parcel import Kind, Manifest, StreamId
from jinka.keys import AuditEvent, Outcome
from jinka.kit import Finding, NotFound, Refused, Severity, Usage
from jinka.node import AuditLog, file_errors
from jinka.node.parcel_desk import OutgoingFile, ParcelDesk
from jinka.node.system import SystemClock
from jinka.store import database_at
from jinka.store.database import Database
from jinka.store.parcel_findings import PARKED, REFUSED, RELEASED, noted_in
from jinka.store.parcels_taken import Inbox, Taken, TakenState

LOG, ORIGIN = "audit-parcels.jsonl", "parcels"
FILE, SCHEMA = "notices.parquet", "jinka.notices/1"
NOTICES = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("manifest", pa.binary(32), nullable=False),
        pa.field("event", pa.string(), nullable=False),
        pa.field("what", pa.string(), nullable=False),
        pa.field("fix", pa.string(), nullable=False),
    ],
    metadata={b"jinka.notices": b"1"},
)
_WORDS = {PARKED: "parked", RELEASED: "released", REFUSED: "refused"}
_CODES = {word: code for code, word in _WORDS.items()}
_TEXT_MAX = 400


def tell(desk: ParcelDesk) -> int:
    """Put a notice into the outbox for each event that its parcel's sender was not told of; how many."""
    here, told = desk.line.centre, 0
    for noted in desk.inbox.noted(*_WORDS):
        peer, reference = noted.sender, noted.id.hex()
        if peer not in desk.line.neighbours or noted.kind == Kind.NOTICES.value:
            continue  # of this centre's own parcels others tell
        if desk.outbox.has(peer, Kind.NOTICES, reference):
            continue
        about = StreamId(sender=peer, receiver=here, kind=Kind(noted.kind))
        made = desk.inbox.taken(about, noted.number).manifest
        row = {
            "kind": noted.kind, "number": noted.number, "manifest": made.digest,
            "event": _WORDS[noted.finding.code], "what": noted.finding.what, "fix": noted.finding.fix,
        }  # fmt: skip
        table = pa.Table.from_pylist([row], schema=NOTICES)
        file = OutgoingFile(name=FILE, schema=SCHEMA, rows=table)
        desk.send(peer, Kind.NOTICES, reference, made.business_date, [file])
        told += 1
    return told


def heed(desk: ParcelDesk, parcel: Taken) -> None:
    """Keep what a neighbour says became of this centre's parcels; what it may not say is parked."""
    try:
        said = _said(desk, parcel.manifest, desk.rows(parcel))
    except (Refused, NotFound, Usage) as problem:
        finding = Finding(
            code=PARKED, severity=Severity.ERROR, where=parcel.manifest.label, what=problem.what,
            fix=f"ask {parcel.manifest.sender} what it means",
        )  # fmt: skip
        desk.parked(parcel, finding)
        return
    desk.applied(parcel, said)


def _said(desk: ParcelDesk, manifest: Manifest, files: dict[str, pa.Table]) -> list[tuple[Manifest, Finding]]:
    if set(files) != {FILE} or files[FILE].num_rows != 1:
        raise Refused("not one notice", where=manifest.label)
    row = files[FILE].to_pylist()[0]
    if row["event"] not in _CODES or row["kind"] not in {kind.value for kind in Kind}:
        raise Refused("no such event", where=manifest.label)
    sent = desk.outbox.sent(manifest.sender, Kind(row["kind"]), row["number"]).manifest
    if sent.digest != row["manifest"]:
        raise Refused("that is not the parcel that was sent", where=sent.label)
    finding = Finding(
        code=_CODES[row["event"]],
        severity=Severity.INFO if row["event"] == _WORDS[RELEASED] else Severity.ERROR,
        where=f"{sent.label} for {sent.business_date}",
        what=f"{manifest.sender} says: {_printable(row['what'])}",
        fix=_printable(row["fix"]),
    )
    return [(sent, finding)]


def own_parcels(database: Database, centre: str) -> list[dict[str, Any]]:
    """What became of this centre's parcels elsewhere, as its neighbours told it: the newest word on each."""
    newest = {
        (noted.kind, noted.finding.where): noted
        for noted in noted_in(database, *_WORDS)
        if noted.sender == centre
    }
    return [
        {
            "parcel": noted.finding.where, "state": _WORDS[noted.finding.code], "what": noted.finding.what,
            "fix": noted.finding.fix,
        }
        for noted in newest.values()
    ]  # fmt: skip


def decide_parcel(folder: Path, parcel: str, *, officer: str, reason: str, release: bool) -> dict[str, Any]:
    """An officer's word on a parked parcel, named as SENDER>RECEIVER/KIND/NUMBER; it is in the audit log first.

    Raises `NotFound` for no parcel of this centre, `Refused` when it is not parked.
    """
    if not officer.strip() or not reason.strip():
        raise Usage("an officer and a reason are needed", where=f"parcel {parcel}")
    here, clock = read_config(folder).around.code, SystemClock()
    stream, number = _stream_of(parcel, here)
    code = RELEASED if release else REFUSED
    finding = Finding(
        code=code,
        severity=Severity.INFO if release else Severity.ERROR,
        where=parcel,
        what=f"{_WORDS[code]} by {_printable(officer)}: {_printable(reason)}",
        fix=""
        if release
        else "its rows never have an effect; records can go up again: jinka centre resend at its sender",
    )
    with (
        file_errors(folder),
        database_at(folder / DATABASE) as database,
        AuditLog(folder / LOG, origin=f"{ORIGIN}/{here}", clock=clock) as log,
    ):
        inbox = Inbox(database, here)
        found = inbox.taken(stream, number)
        parked = found.state is TakenState.PARKED
        log.record(
            AuditEvent(
                actor=officer,
                act=f"parcel.{_WORDS[code]}",
                subject=f"parcel:{parcel} {_printable(reason)}",
                outcome=Outcome.OK if parked else Outcome.REFUSED,
                detail=found.manifest.digest,
            )
        )
        decide = inbox.release if release else inbox.refuse
        decide(stream, number, clock.now_micros(), finding)
    return {"parcel": parcel, "state": _WORDS[code], "officer": officer}


def _stream_of(parcel: str, here: str) -> tuple[StreamId, int]:
    sender, found, rest = parcel.partition(">")
    receiver, kind, number = [*rest.split("/"), "", ""][:3]
    kinds = {each.value: each for each in Kind}
    if not found or kind not in kinds or not number.isascii() or not number.isdigit() or receiver != here:
        raise NotFound(
            "no parcel of this centre", where=f"parcel {parcel}", fix="name it as jinka centre parcels does"
        )
    return StreamId(sender=sender, receiver=receiver, kind=kinds[kind]), int(number)


def _printable(text: str) -> str:
    """What a neighbour wrote, for terminals and logs."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:_TEXT_MAX])


__all__ = ["NOTICES", "decide_parcel", "heed", "own_parcels", "tell"]
