"""What others claim of a city's cards, held against what its centre said; and a child's word that nobody answered it.

An issuer's cards pay what its centre accepted. What is claimed beyond waits in suspense (`CLAIM_EXCEEDS`). Silence
counts as accepted; who says that there was silence is believed only when its parent, which carried the records up and
the verdicts down, has seen it too. Where a centre rejected a record after its days were over, the claim stands and the
loss is its issuer's own.

A round looks at its own parcels, and back over `LOOK_BACK_DAYS` only where silence was claimed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.centre_files import ArrivedFiles, RoundFiles, chained_note, days_of
from jinka.app.centre_silence import LOOK_BACK_DAYS, Name, named, proven, require_once, rows_of
from jinka.clearing import LineKind
from jinka.clearing.reasons import Reason
from jinka.clearing.tiers import Surroundings
from jinka.clearing.verdicts import CROSSING, DEEMED, VERDICTS, with_tac
from jinka.codec.parcel import Kind
from jinka.codec.record import CREDITS
from jinka.kit import Refused
from jinka.settlement.centre_posting import Excess

_NOTE = "claimed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What a round's claims on one issuer's cards come to."""

    excess: list[Excess]
    rejected_late: int


def hold_claims(folder: Path, date: dt.date, claims: pa.Table, *, issuer: str, parent: str) -> Held:
    """Hold a round's claims against the verdicts so far; what it comes to is noted down for the next round."""
    files, days = RoundFiles(folder, date), [day for day in days_of(folder) if day <= date]
    number, noted = chained_note(folder, _NOTE, date)
    before = noted or {"allowed": {}, "claimed": {}, "excess": {}}
    verdicts, deemed = files.read("verdicts", VERDICTS), _deemed(folder, parent, date)
    recent = [day for day in days if day < date and (date - day).days <= LOOK_BACK_DAYS]
    silent = proven(folder, parent, date, deemed)
    earlier = pa.concat_tables([DEEMED.empty_table(), *(_deemed(folder, parent, day) for day in recent)])
    silent_before = proven(folder, parent, date, earlier, back=2 * LOOK_BACK_DAYS)
    said = _said(verdicts)
    said_before: dict[Name, str] = {}
    asked = {*silent, *(said.keys() & silent_before.keys())}
    for day in reversed(recent) if asked else ():  # the first word on a record stands
        said_before |= _said(rows_of(RoundFiles(folder, day).read("verdicts", VERDICTS), asked))

    allowed, claimed = Counter(before["allowed"]), Counter(before["claimed"])
    for row in _debits(verdicts):
        if (row["centre"], row["ref"]) not in silent_before:
            allowed[row["centre"]] += row["amount"]
    for name, record in silent.items():
        if name in silent_before or record.load:
            continue
        if Reason.ACCEPTED.name not in (said.get(name), said_before.get(name)):
            allowed[name[0]] += record.amount
    for row in claims.to_pylist():
        if row["kind"] == LineKind.CHARGE.value and row["far"] == row["payer"] == issuer:
            claimed[row["centre"]] += row["amount"]
    posted, excess = Counter(before["excess"]), []
    for centre in sorted(claimed):
        over = claimed[centre] - allowed[centre] - posted[centre]
        if over > 0:
            posted[centre] += over
            excess.append(Excess(centre=centre, issuer=issuer, amount=over))
    sums = {"allowed": dict(allowed), "claimed": dict(claimed), "excess": dict(posted)}
    files.note(_NOTE, {"seq": number, **sums})
    known = said | said_before
    late = {
        name: record.amount
        for name, record in silent.items()
        if name not in silent_before and _rejected(known.get(name))
    }
    late |= {  # a record that is sent again gets another word, and its loss was booked with the first
        name: record.amount
        for name, record in silent_before.items()
        if name not in said_before and _rejected(said.get(name))
    }
    return Held(excess=excess, rejected_late=sum(late.values()))


def require_silence(
    folder: Path, around: Surroundings, sender: str, date: dt.date, deemed: pa.Table, *, where: str
) -> None:
    """Raise `Refused` when a child claims silence on what it did not send in time, or what was answered to it.

    A record without a TAC is none that silence could prove, so it counts as not sent; and a record counts once.
    The days count from the round that the records went on with, whatever day their parcel names.
    """
    if not deemed.num_rows:
        return
    require_once(deemed, where=where)
    asked, arrived = named(deemed), ArrivedFiles(folder)
    last = date - dt.timedelta(days=around.answer_days)
    for round_ in days_of(folder):
        if not date - dt.timedelta(days=LOOK_BACK_DAYS) <= round_ <= last:
            continue
        heard = (RoundFiles(folder, round_).noted("heard-records") or {}).get(sender, ())
        for day in map(dt.date.fromisoformat, heard):
            came = arrived.read(sender, Kind.RECORDS, day, "records", CROSSING)
            sent = named(with_tac(rows_of(came, asked)))
            asked = {name: found for name, found in asked.items() if sent.get(name) != found}
    if asked:
        (centre, ref), *_ = sorted(asked)
        raise Refused(
            f"silence is claimed on {centre} {ref}, which was not sent {around.answer_days} days before with a TAC",
            where=where,
            fix="the child has to wait for the verdict",
        )
    asked = named(deemed)
    for table in _sent_down(folder, around, date):
        if answered := sorted(named(rows_of(table, asked)).keys() & asked.keys()):
            raise Refused(
                f"silence is claimed on {answered[0][0]} {answered[0][1]}, which was answered",
                where=where,
                fix="the child has the verdict: it was sent down",
            )


def _sent_down(folder: Path, around: Surroundings, date: dt.date) -> Iterator[pa.Table]:
    """All verdicts that passed this centre on their way down, up to a round."""
    arrived = ArrivedFiles(folder)
    for day in days_of(folder):
        files = RoundFiles(folder, day)
        if (
            day <= date <= day + dt.timedelta(days=LOOK_BACK_DAYS)
            and files.noted("down-verdicts") is not None
        ):
            yield files.read("up-verdicts-verdicts", VERDICTS)
            if around.parent:
                yield arrived.read(around.parent, Kind.VERDICTS, day, "verdicts", VERDICTS)


def _deemed(folder: Path, parent: str, day: dt.date) -> pa.Table:
    return ArrivedFiles(folder).read(parent, Kind.POSITIONS, day, "deemed", DEEMED)


def _debits(verdicts: pa.Table) -> list[dict[str, Any]]:
    """The accepted records that the purses pay."""
    paid = pc.and_(pc.equal(verdicts["reason"], Reason.ACCEPTED.name), pc.invert(verdicts["at_risk"]))
    loads = pc.is_in(verdicts["txn_type"], pa.array([int(kind) for kind in CREDITS], pa.uint8()))
    found: list[dict[str, Any]] = (
        verdicts.filter(pc.and_(paid, pc.invert(loads))).select(["centre", "ref", "amount"]).to_pylist()
    )
    return found


def _said(verdicts: pa.Table) -> dict[Name, str]:
    """The reason that was given for each record; of several a yes."""
    said: dict[Name, str] = {}
    for row in verdicts.select(["centre", "ref", "reason"]).to_pylist():
        if said.get((row["centre"], row["ref"])) != Reason.ACCEPTED.name:
            said[row["centre"], row["ref"]] = row["reason"]
    return said


def _rejected(reason: str | None) -> bool:
    return reason is not None and reason != Reason.ACCEPTED.name
