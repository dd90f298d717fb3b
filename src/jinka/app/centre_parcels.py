"""`jinka centre parcels`: what is on a centre's line, as its database says it, also while the centre is up.

What waits for a receipt, what waits for its turn or is parked, which numbers are missing since when, and of which
number a neighbour has signed more than one parcel. Nothing is decided here; with ``evidence`` the envelopes of such
parcels are written out, and whoever has the line's certificates can check both signatures.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

from jinka.app.centre_config import DATABASE, read_config
from jinka.codec.parcel import read_envelope, read_manifest
from jinka.kit import NotFound
from jinka.node import write_durable
from jinka.store import database_at
from jinka.store.parcels_sent import Outbox
from jinka.store.parcels_taken import Conflict, Inbox, TakenState

_MOST = 1000


def parcels_of(folder: Path, evidence: Path | None = None) -> dict[str, Any]:
    """The line of a centre; ``evidence`` is a folder for envelopes that contradict one another."""
    around = read_config(folder).around
    neighbours = sorted({*around.children, *([around.parent] if around.parent else [])})
    with database_at(folder / DATABASE) as database:
        outbox, inbox = Outbox(database, around.code), Inbox(database, around.code)
        unsent = [sent for code in neighbours for sent in outbox.waiting_for(code, _MOST)]
        held = inbox.held(TakenState.WAITING, TakenState.PARKED)
        gaps, conflicts = inbox.gaps(), inbox.conflicts()
        files = [name for one in conflicts for name in _show(one, inbox, evidence)] if evidence else []
    return {
        "centre": around.code,
        "unreceipted": [
            {"parcel": one.manifest.label, "made": _time(one.manifest.made_micros)} for one in unsent
        ],
        "held": [
            {"parcel": one.manifest.label, "state": one.state.value, "taken": _time(one.taken_micros)}
            for one in held
        ],
        "missing": [
            {
                "stream": str(gap.stream),
                "first": gap.first,
                "last": gap.last,
                "since": _time(gap.since_micros),
            }
            for gap in gaps
        ],
        "contradictions": [
            {
                "parcel": f"{one.stream}/{one.number}",
                "digest": one.digest.hex(),
                "seen": _time(one.seen_micros),
            }
            for one in conflicts
        ],
        "files": files,
    }


def _show(conflict: Conflict, inbox: Inbox, folder: Path) -> list[str]:
    """Write the refused envelope, and the one that was taken in under its number where there is one."""
    found, names = [conflict.envelope], list[str]()
    with contextlib.suppress(NotFound):
        found.append(inbox.taken(conflict.stream, conflict.number).envelope)
    for envelope in found:
        made = read_manifest(read_envelope(envelope).body)
        path = folder / f"{made.sender}-{made.kind.value}-{made.number}-{made.digest.hex()[:8]}.json"
        write_durable(path, envelope)
        names.append(str(path))
    return names


def _time(micros: int) -> str:
    return dt.datetime.fromtimestamp(micros // 1_000_000, dt.UTC).isoformat()
