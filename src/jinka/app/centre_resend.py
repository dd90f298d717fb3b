"""Records of a refused parcel, sent once more: an officer's act at the sender, carried out by its next round.

What a parent refuses has no effect, and honest records in it would stay unpaid for good. So an officer of the sender
may say, with a reason, that they go up again (`resend_parcel`). They ride with the records of the next round that this
centre closes upwards, under their own names and dates, as late records do: a card's centre judges them among those of
their day while it takes any of that day. All rows of the parcel go, for which of them were wrong nobody here
knows: where what was wrong is wrong still, the parcel that they ride with is refused too. That one is then sent again
without them, and they may be sent again by their own name.

::

    resend/PARCEL.json             which of this centre's parcels to its parent, of which day, who said so
    rounds/DAY/resent.json         the days whose records went up again with this round

Not here: records that a parent sent down, and the other streams. Verdicts and claims of a refused parcel are settled by
officers of both sides. No standard describes this: it is Jinka's own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.centre_config import DATABASE, read_config
from jinka.app.centre_files import RoundFiles, days_of
from jinka.app.centre_notices import LOG, ORIGIN, own_parcels
from jinka.codec.parcel import Kind
from jinka.keys import AuditEvent, Outcome
from jinka.kit import NotFound, Refused, Usage
from jinka.node import AuditLog, file_errors, write_durable
from jinka.node.system import SystemClock
from jinka.store import database_at

FOLDER, NOTE = "resend", "resent"


def resend_parcel(folder: Path, parcel: str, *, officer: str, reason: str) -> dict[str, Any]:
    """Let the records of a refused parcel go up once more; it is in the audit log first.

    ``parcel`` is named as the status does. Raises `NotFound` where nobody told of such a parcel, `Refused` when it was
    not refused, was resent with a parcel that was not refused, or is not of this centre's records to its parent.
    """
    if not officer.strip() or not reason.strip():
        raise Usage("an officer and a reason are needed", where=f"parcel {parcel}")
    around = read_config(folder).around
    with (
        file_errors(folder),
        database_at(folder / DATABASE) as database,
        AuditLog(folder / LOG, origin=f"{ORIGIN}/{around.code}", clock=SystemClock()) as log,
    ):
        own = own_parcels(database, around.code)
        told = {each["parcel"].partition(" for ")[0]: each for each in own}
        if (found := told.get(parcel)) is None:
            raise NotFound(
                "nobody told of such a parcel", where=f"parcel {parcel}", fix="jinka centre status shows them"
            )
        stream = f"{around.code}>{around.parent}/{Kind.RECORDS.value}/"
        problem = _problem(folder, found, stream) or _on_its_way(folder, found, stream, own)
        log.record(
            AuditEvent(
                actor=officer,
                act="parcel.resent",
                subject=f"parcel:{parcel} {''.join(c if c.isprintable() else ' ' for c in reason)}",
                outcome=Outcome.REFUSED if problem else Outcome.OK,
            )
        )
        if problem is not None:
            raise problem
        order(folder, parcel, date := found["parcel"].partition(" for ")[2], officer)
    return {"parcel": parcel, "state": NOTE, "date": date, "officer": officer}


def order(folder: Path, parcel: str, date: str, officer: str) -> None:
    """Write down that the records of that day's parcel go up with the next round."""
    place = _place(folder, parcel)
    times = json.loads(place.read_bytes())["times"] + 1 if place.exists() else 1
    found = {
        "parcel": parcel,
        "date": dt.date.fromisoformat(date).isoformat(),
        "officer": officer,
        "times": times,
    }
    write_durable(place, json.dumps(found, ensure_ascii=False).encode())


def resent_days(folder: Path, date: dt.date) -> list[dt.date]:
    """The earlier days whose records go up again with a round; noted once, so that a kill changes nothing."""
    files = RoundFiles(folder, date)
    if (noted := files.noted(NOTE)) is None:
        gone = Counter(str(day) for _, day in rode_with(folder, days_of(folder)))
        noted = sorted(day for day in _wanted(folder) - gone if day < date.isoformat())
        files.note(NOTE, noted)
    return [dt.date.fromisoformat(day) for day in noted]


def rode_with(folder: Path, rounds: Iterable[dt.date]) -> list[tuple[dt.date, dt.date]]:
    """Pairs of a round and an earlier one whose records went up again with it, the newest first."""
    return [
        (date, dt.date.fromisoformat(day))
        for date in sorted(rounds, reverse=True)
        for day in RoundFiles(folder, date).noted(NOTE) or ()
    ]


def own_rows(folder: Path, date: dt.date, name: str, schema: pa.Schema) -> pa.Table:
    """A table that went up in a round, without what went up again with it."""
    table, before = RoundFiles(folder, date).read(name, schema), RoundFiles(folder, date).noted(NOTE)
    if not before:
        return table
    keys = schema.names[:2]  # a record's centre and number; a round's
    others = [RoundFiles(folder, dt.date.fromisoformat(day)).read(name, schema) for day in before]
    gone = {pair for other in others for pair in zip(*(other[key].to_pylist() for key in keys), strict=True)}
    pairs = zip(*(table[key].to_pylist() for key in keys), strict=True)
    return table.filter(pa.array([pair not in gone for pair in pairs], pa.bool_()))


def with_resent(folder: Path, parcels: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """This centre's parcels as `own_parcels` tells of them, and which of the refused ones were resent since."""
    labels = [one["parcel"].partition(" for ")[0] for one in parcels]
    return [
        one | {"state": NOTE} if _place(folder, label).exists() else one
        for one, label in zip(parcels, labels, strict=True)
    ]


def _problem(folder: Path, found: dict[str, Any], stream: str) -> Refused | None:
    label, _, date = found["parcel"].partition(" for ")
    if not label.startswith(stream):
        return Refused(
            "not this centre's records to its parent", where=label, fix="officers of both sides settle it"
        )
    if found["state"] != "refused":
        return Refused(f"it is {found['state']}, not refused", where=label, fix="its receiver decides first")
    if not RoundFiles(folder, dt.date.fromisoformat(date)).has("up-records-records.parquet"):
        return Refused(f"its round {date} is not here", where=label, fix="restore the round's files")
    return None


def _on_its_way(
    folder: Path, found: dict[str, Any], stream: str, own: Sequence[dict[str, Any]]
) -> Refused | None:
    """What was resent may go again where the parcel that it rode with was refused as well."""
    label, _, date = found["parcel"].partition(" for ")
    if not (place := _place(folder, label)).exists():
        return None
    rode = [str(with_) for with_, day in rode_with(folder, days_of(folder)) if str(day) == date]
    refused = {
        each["parcel"].partition(" for ")[2]
        for each in own
        if each["state"] == "refused" and each["parcel"].startswith(stream)
    }
    if len(rode) == json.loads(place.read_bytes())["times"] and rode[0] in refused:
        return None
    with_ = f"with the round of {rode[0]}" if rode else "and waits for the next round"
    return Refused(f"it was resent before, {with_}", where=label, fix="wait for what becomes of that")


def _place(folder: Path, label: str) -> Path:
    """Of a parcel of this centre's records to its parent; of others there is nothing."""
    _, _, rest = label.partition(">")
    return folder / FOLDER / f"{rest.replace('/', '-')}.json"


def _wanted(folder: Path) -> Counter[str]:
    """How often the records of a day are to go up again."""
    orders = [json.loads(path.read_bytes()) for path in (folder / FOLDER).glob("*.json")]
    return Counter({each["date"]: each["times"] for each in orders})


__all__ = ["order", "own_rows", "resend_parcel", "resent_days", "rode_with", "with_resent"]
