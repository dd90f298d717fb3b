"""Records on which silence is claimed, each looked at itself: what it names, whether it could be answered, and once.

Only a record with a whole TAC is a claim that silence can prove: a torn tap has none, and its card's centre waits for
the chain to show what became of it. So a name, an issuer and an amount are not enough. Every centre that is told of
silence looks for the record among those that went through it, and counts what it does not find as nothing.

Reads the files of rounds. What follows for claims is in `jinka.app.centre_claims` and `jinka.app.centre_founded`. No
standard describes this exchange: it is Jinka's own.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.centre_files import ArrivedFiles, RoundFiles, days_of
from jinka.clearing.verdicts import CROSSING, with_tac
from jinka.codec.parcel import Kind
from jinka.codec.record import CREDITS
from jinka.kit import Refused

LOOK_BACK_DAYS = 60  # by which a record may be older than the silence that is claimed on it
_LATE_DAYS = 31  # by which the notice of silence may follow, on top of these
Name = tuple[str, int]  # the centre that took a record in, and its number there


@dataclass(frozen=True, slots=True, kw_only=True)
class Silent:
    """A record that silence counts as accepted."""

    issuer: str
    amount: int
    load: bool


def named(table: pa.Table) -> dict[Name, tuple[str, int]]:
    """Issuer and amount of each record of `CROSSING` or `DEEMED`."""
    names = ("centre", "ref", "issuer", "amount")
    return {
        (centre, ref): (issuer, amount)
        for centre, ref, issuer, amount in zip(*(table[name].to_pylist() for name in names), strict=True)
    }


def rows_of(table: pa.Table, names: Iterable[Name]) -> pa.Table:
    """The rows with the numbers of some records, and maybe a few more."""
    return table.filter(pc.is_in(table["ref"], pa.array([ref for _, ref in names], pa.int64())))


def require_once(deemed: pa.Table, *, where: str) -> None:
    """Raise `Refused` where silence is claimed twice on one record."""
    names = Counter(zip(deemed["centre"].to_pylist(), deemed["ref"].to_pylist(), strict=True))
    if twice := sorted(name for name, count in names.items() if count > 1):
        raise Refused(
            f"silence is claimed {names[twice[0]]} times on {twice[0][0]} {twice[0][1]}",
            where=where,
            fix="one row for each record",
        )


def proven(
    folder: Path, parent: str, date: dt.date, deemed: pa.Table, *, back: int = LOOK_BACK_DAYS
) -> dict[Name, Silent]:
    """The records of ``deemed`` that went through this centre with that issuer, that amount and a whole TAC, once."""
    asked, arrived, found = named(deemed), ArrivedFiles(folder), dict[Name, Silent]()
    if not asked:
        return found
    days = {*days_of(folder), *(arrived.days(parent, Kind.RECORDS) if parent else ())}
    since = date - dt.timedelta(days=back + _LATE_DAYS)
    for day in sorted((day for day in days if since <= day <= date), reverse=True):
        tables = [RoundFiles(folder, day).read("up-records-records", CROSSING)]
        if parent:
            tables.append(arrived.read(parent, Kind.RECORDS, day, "records", CROSSING))
        for table in tables:
            rows = with_tac(rows_of(table, asked)).select(["centre", "ref", "issuer", "amount", "txn_type"])
            for row in rows.to_pylist():
                name, (issuer, amount) = (row["centre"], row["ref"]), (row["issuer"], row["amount"])
                if asked.get(name) == (issuer, amount):
                    found[name] = Silent(issuer=issuer, amount=amount, load=row["txn_type"] in CREDITS)
                    del asked[name]
        if not asked:
            break
    return found


__all__ = ["LOOK_BACK_DAYS", "Name", "Silent", "named", "proven", "require_once", "rows_of"]
