"""What verdicts and silence allow to be claimed: sums over all rounds, noted down with each one that was settled.

A record counts once: a verdict that comes twice is one, and so are silence and the yes that comes after it. What the
sums are held against is in `jinka.app.centre_founded`. No standard describes this exchange: it is Jinka's own.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.centre_files import ArrivedFiles, RoundFiles, chained_note, days_of
from jinka.app.centre_silence import LOOK_BACK_DAYS, Name, named, proven
from jinka.clearing import LineKind
from jinka.clearing.reasons import Reason
from jinka.clearing.tiers import Surroundings
from jinka.clearing.verdicts import DEEMED, VERDICTS
from jinka.codec.parcel import Kind
from jinka.codec.record import CREDITS

LATE_DAYS = 31  # by which a claim may follow its record, on top of the days looked back
NOTE = "founded"
SUMS = (
    "claimed", "excess", "charges", "risks", "volumes", "counts", "outside", "loads", "given"
)  # fmt: skip


def noted_sums(folder: Path, date: dt.date) -> tuple[int, dict[str, Counter[str]]]:
    """The sums as the round that was settled before left them, and the number of this one's."""
    number, found = chained_note(folder, NOTE, date)
    found = found or {}
    if "outside" not in found:  # written by an earlier version
        found["outside"] = found.get("volumes", {})
    return number, {name: Counter(found.get(name, {})) for name in SUMS}


def key_of(*names: str) -> str:
    return json.dumps(names)


def is_of(key: str, kind: str, centre: str) -> bool:
    """Whether a key of what is claimed is of that kind and centre."""
    return tuple(json.loads(key)[:2]) == (kind, centre)


def payer_of(key: str) -> str:
    return str(json.loads(key)[2])


def of_scheme(payer: str, around: Surroundings) -> bool:
    """Whether risk may be this party's: at the topmost centre its own, below it one on the way there."""
    return around.hop_to_party(payer) == (around.parent or around.code)


def settled_days(folder: Path, number: int, date: dt.date) -> list[dt.date]:
    """The rounds that were settled before the one of that number, as far back as silence goes."""
    since = date - dt.timedelta(days=LOOK_BACK_DAYS + LATE_DAYS)
    notes = {day: RoundFiles(folder, day).noted(NOTE) for day in days_of(folder) if since <= day}
    return [day for day, note in notes.items() if note is not None and note.get("seq", 0) < number]


def silent_in(folder: Path, around: Surroundings, days: Iterable[dt.date]) -> set[Name]:
    """The records on which silence was told of in some rounds: it counts once, and so does what is said later."""
    return {name for day in days for name in named(deemed_in(folder, around, day))}


def deemed_in(folder: Path, around: Surroundings, date: dt.date) -> pa.Table:
    """The silence of which a round was told, from below and from above."""
    parts = [RoundFiles(folder, date).read("up-positions-deemed", DEEMED)]
    if around.parent:
        parts.append(ArrivedFiles(folder).read(around.parent, Kind.POSITIONS, date, "deemed", DEEMED))
    return pa.concat_tables(parts)


def add_silent(
    sums: dict[str, Counter[str]],
    folder: Path,
    date: dt.date,
    around: Surroundings,
    deemed: pa.Table,
    told: set[Name],
) -> None:
    """Add what silence allows: for each record that passed here with its TAC, once."""
    for (centre, ref), record in proven(folder, around.parent, date, deemed).items():
        if (centre, ref) in told:
            continue
        if record.load:
            sums["loads"][key_of(centre, record.issuer)] += record.amount
        else:
            if of_scheme(record.issuer, around):
                sums["outside"][centre] += record.amount
            sums["volumes"][centre] += record.amount
            sums["counts"][centre] += 1
            sums["charges"][key_of(centre, record.issuer)] += record.amount


def add_grounds(
    sums: dict[str, Counter[str]],
    folder: Path,
    date: dt.date,
    around: Surroundings,
    issuer: str,
    told: set[Name],
) -> None:
    """Add what the verdicts of a round, and the silence of which it was told, allow each centre to claim.

    ``told`` are the records on which silence counted before; those of this round are added to it.
    """
    files, arrived = RoundFiles(folder, date), ArrivedFiles(folder)
    said = [files.read("verdicts" if issuer else "up-verdicts-verdicts", VERDICTS)]
    if around.parent and not issuer:
        said.append(arrived.read(around.parent, Kind.VERDICTS, date, "verdicts", VERDICTS))
    verdicts = pa.concat_tables(said)
    paid = verdicts.filter(pc.equal(verdicts["reason"], Reason.ACCEPTED.name))
    names = set(told)
    for row in paid.select(["centre", "ref", "issuer", "txn_type", "amount", "at_risk"]).to_pylist():
        if (row["centre"], row["ref"]) in names:  # the same verdict twice is one, and so is one after silence
            continue
        names.add((row["centre"], row["ref"]))
        if row["txn_type"] in CREDITS:
            if not row["at_risk"]:
                sums["loads"][key_of(row["centre"], row["issuer"])] += row["amount"]
            continue
        if of_scheme(row["issuer"], around):
            sums["outside"][row["centre"]] += row["amount"]
        sums["volumes"][row["centre"]] += row["amount"]
        sums["counts"][row["centre"]] += 1
        if row["at_risk"]:
            sums["risks"][row["centre"]] += row["amount"]
        else:
            sums["charges"][key_of(row["centre"], row["issuer"])] += row["amount"]
    silent = deemed_in(folder, around, date)
    add_silent(sums, folder, date, around, silent, names)
    told |= named(silent).keys()


def given_away(claims: pa.Table, around: Surroundings) -> Counter[str]:
    """What is owed for loads to an issuer elsewhere, and by an issuer's cards to others, by kind, centre and issuer.

    The last word of the key says whether it goes beyond this centre and all below it.
    """
    sums: Counter[str] = Counter()
    for row in claims.to_pylist():
        party = {LineKind.LOAD.value: row["payee"], LineKind.CHARGE.value: row["payer"]}.get(row["kind"])
        if party is not None and row["far"] == row["payee"]:
            out = around.hop_to_party(row["far"]) == around.parent
            sums[key_of(row["kind"], row["centre"], party, "out" if out else "")] += row["amount"]
    return sums


def may_give(sums: dict[str, Counter[str]], key: str, around: Surroundings) -> int:
    """What verdicts allow: loads that the issuer accepted there, or records elsewhere that the cards' issuer did."""
    kind, centre, party, out = json.loads(key)
    if kind == LineKind.LOAD.value:
        return sums["loads"][key_of(centre, party)]
    accepted = {tuple(json.loads(each)): amount for each, amount in sums["charges"].items()}
    return sum(
        amount
        for (taker, issuer), amount in accepted.items()
        if issuer == party and taker != centre and (not out or around.hop_to_centre(taker) == around.parent)
    )


__all__ = [
    "LATE_DAYS",
    "NOTE",
    "add_grounds",
    "add_silent",
    "given_away",
    "is_of",
    "key_of",
    "may_give",
    "noted_sums",
    "of_scheme",
    "payer_of",
    "settled_days",
    "silent_in",
]
