"""Records that come after their day: into which round they fall, and what they are compared with.

A record of an earlier day falls into the round that it came with, is judged among its day's, and is paid in that round
or never. What was known of its day before, at home and from others, stands first: what the TAC binds is paid once over
all rounds. A record that another centre could not send, because nobody heard it, is no later than it was then
(`jinka.clearing.hearing`), within a bound of its own.

Reads the files of rounds; what is done with the records is in `jinka.app.centre_city`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from jinka.app.centre_files import ArrivedFiles, RoundFiles, days_of
from jinka.app.centre_resend import rode_with
from jinka.clearing.hearing import HEARD, lateness, rounds_of
from jinka.clearing.reasons import Outcome
from jinka.clearing.tiers import Surroundings
from jinka.clearing.verdicts import INBOUND
from jinka.codec.parcel import Kind
from jinka.codec.record import IDENTITY


def open_days(folder: Path, date: dt.date, within: int) -> list[dt.date]:
    """The earlier rounds of which a round still takes records."""
    return [
        day
        for day in days_of(folder)
        if 0 < (date - day).days <= within and RoundFiles(folder, day).noted("intake") is not None
    ]


def inbound_before(folder: Path, day: dt.date, date: dt.date) -> pa.Table:
    """What had come from others of a day before a round, `INBOUND`: with the day itself, and late."""
    found = [
        table.filter(pc.equal(table["business_date"], pa.scalar(day)))
        for round_ in days_of(folder)
        if day <= round_ < date
        for table in [RoundFiles(folder, round_).read("inbound", INBOUND)]
    ]
    return pa.concat_tables([INBOUND.empty_table(), *found])


def in_time(
    folder: Path, parent: str, date: dt.date, inbound: pa.Table, within: int, late: int
) -> dict[dt.date, pa.Table]:
    """The inbound records of a round by the day among whose records each is judged.

    A day that this centre closed and that is ``late`` days old at most, or that its records' centre could not send
    before (``within`` days). All others are the round's own, where they are out of the window.
    """
    heard = ArrivedFiles(folder).read(parent, Kind.RECORDS, date, "heard", HEARD)
    pairs = inbound.group_by(["centre", "business_date"]).aggregate([]).to_pylist()
    judged = []
    for pair in pairs:
        day = pair["business_date"]
        closed = day < date and RoundFiles(folder, day).noted("home") is not None
        rounds = rounds_of(heard, pair["centre"])
        by = lateness(rounds, day.toordinal(), date.toordinal())
        good = closed and (date - day).days <= max(within, late) and by <= late
        judged.append({"centre": pair["centre"], "business_date": day, "judged": day if good else date})
    schema = pa.schema([INBOUND.field("centre"), INBOUND.field("business_date"), ("judged", pa.date32())])
    where = inbound.join(pa.Table.from_pylist(judged, schema=schema), ["centre", "business_date"])
    where = where.sort_by("record_id")
    found = {
        day: where.filter(pc.equal(where["judged"], pa.scalar(day))).select(INBOUND.names).cast(INBOUND)
        for day in where["judged"].unique().to_pylist()
    }
    return {date: INBOUND.empty_table()} | found


def fresh_of(outcomes: pa.Table, fresh: pa.Table, known: pa.Table) -> pa.Table:
    """Of a day that was judged again, the outcomes of the records that came to this centre now.

    Their numbers are below those of ``known``, which came from others before, and so they are judged to be the first:
    one that is the same as what was known is left out, for that was paid.
    """
    rows = outcomes.filter(pc.is_in(outcomes["record_id"], fresh["record_id"].combine_chunks()))
    there = set(zip(*(known[name].to_pylist() for name in IDENTITY), strict=True))
    paid = [outcome == Outcome.PAID.value for outcome in rows["outcome"].to_pylist()]
    names = zip(*(rows[name].to_pylist() for name in IDENTITY), strict=True)
    keep = [not (good and name in there) for good, name in zip(paid, names, strict=True)]
    return rows.filter(pa.array(keep, pa.bool_()))


def heard_rounds(folder: Path, around: Surroundings, days: Iterable[dt.date]) -> Mapping[int, int]:
    """This centre's rounds whose records went on, and in which round each did."""
    arrived, found, days = ArrivedFiles(folder), dict[int, int](), sorted(days)
    for day in days:
        heard = arrived.read(around.parent, Kind.RECORDS, day, "heard", HEARD)
        for round_ in rounds_of(heard, around.code):
            found.setdefault(round_, day.toordinal())
    again = {  # records of a refused parcel, that went up again
        before.toordinal(): found[day.toordinal()]
        for day, before in rode_with(folder, days)
        if day.toordinal() in found
    }
    return again | found


__all__ = ["fresh_of", "heard_rounds", "in_time", "inbound_before", "open_days"]
