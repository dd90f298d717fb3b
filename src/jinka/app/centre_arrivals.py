"""Parcels that arrived, on their way into the rounds: each examined, believed to be its sender's to say, and kept.

What is wrong with a parcel is wrong with it alone: it is parked, counts as heard with nothing in it, and the rounds go
on. An officer may release it (`jinka.app.centre_notices`). Then it is examined again, as of now, and its rows ride with
the next parcel of its stream, so that they fall into the round that is taken in then, as those of a late child do.

A sender has one parcel for each stream and day; a second one for a day that is taken in already is parked, and changes
nothing of what the first one said. No standard describes this exchange: it is Jinka's own.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.centre_claims import require_silence
from jinka.app.centre_files import Arrived, ArrivedFiles, Road, days_of
from jinka.app.centre_founded import require_bounds, require_dates, require_grounds
from jinka.app.centre_statistics import require_cells, route_cells
from jinka.clearing.hearing import HEARD, require_heard
from jinka.clearing.routing import (
    CLAIMS,
    LISTED,
    require_claims,
    require_own,
    route_claims,
    route_heard,
    route_lists,
    route_records,
    route_verdicts,
)
from jinka.clearing.tiers import Surroundings
from jinka.clearing.verdicts import CROSSING, DEEMED, VERDICTS
from jinka.codec.parcel import FILE_ROWS_MAX, Kind
from jinka.codec.record import require_schema
from jinka.kit import Refused
from jinka.reports.statistics import STATISTICS
from jinka.store.faults import of_this_machine

Tables = Mapping[str, pa.Table]
Route = Callable[[Sequence[pa.Table], Surroundings], dict[str, pa.Table]]

# The files of each stream's parcels, their schemas, and how their rows find their way.
FILES: Mapping[Kind, Mapping[str, tuple[pa.Schema, Route]]] = {
    Kind.RECORDS: {"records": (CROSSING, route_records), "heard": (HEARD, route_heard)},
    Kind.VERDICTS: {"verdicts": (VERDICTS, route_verdicts), "listed": (LISTED, route_lists)},
    Kind.POSITIONS: {"claims": (CLAIMS, route_claims), "deemed": (DEEMED, route_records)},
    Kind.STATISTICS: {"cells": (STATISTICS, route_cells)},
}


DAYS_BACK_MAX = 31  # by which a day that is no round yet may lie before the newest one
# Rows that a parcel may have where they are looked at one by one: what an honest nation sends is far below.
ROWS_MAX = {"claims": 100_000, "heard": 100_000, "listed": 500_000, "cells": 500_000}


def take_arrivals(
    folder: Path, around: Surroundings, road: Road, *, first_date: dt.date = dt.date.min
) -> bool:
    """Take in what may be applied now; True when there was anything. Idempotent: a kill leads to the same again.

    ``first_date`` is this centre's first business day.
    """
    arrived, parcels = ArrivedFiles(folder), road.ready()
    for parcel in parcels:
        place = (parcel.sender, parcel.kind, parcel.date)
        first = arrived.label(*place) in (None, "", parcel.label)  # "" was written by an earlier version
        dated = False
        try:
            _require_day(folder, around, parcel, first_date)
            dated = True
            if not first and not parcel.released:
                raise Refused(
                    "a parcel of this day is here already", where=parcel.label,
                    fix="send what is to be added with a later day",
                )  # fmt: skip
            tables = _checked(folder, around, parcel)
        except Exception as problem:  # whatever a parcel breaks, it breaks its own
            if of_this_machine(problem):  # parked for that, an honest sender would never be paid
                raise
            if dated and first and not parcel.released:
                arrived.keep(*place, {}, label=parcel.label)  # heard, with nothing in it
            if parcel.released:
                arrived.drop_released(*place, label=parcel.label)
            road.parked(parcel, problem)
            continue
        if tables is not None and parcel.released:
            arrived.keep_released(*place, tables, label=parcel.label)
        elif tables is not None:
            arrived.keep(*place, tables, label=parcel.label)
        road.applied(parcel)
    return bool(parcels)


def _require_day(folder: Path, around: Surroundings, parcel: Arrived, first_date: dt.date) -> None:
    """Raise `Refused` for a day that would open a round of the past: it is nobody's, and all below would follow."""
    if parcel.date < first_date:
        raise Refused(
            f"{parcel.date} is before the first business day here, {first_date}", where=parcel.label,
            fix="begin with the same day at both ends",
        )  # fmt: skip
    rounds = days_of(folder)
    if parcel.sender == around.parent or not rounds or parcel.date in rounds:
        return
    if (late := (rounds[-1] - parcel.date).days) > DAYS_BACK_MAX:
        raise Refused(
            f"nobody had {parcel.date} as a business day, {late} days ago", where=parcel.label,
            fix="send what is late with a day that is a round",
        )  # fmt: skip


def _checked(folder: Path, around: Surroundings, parcel: Arrived) -> Tables | None:
    """The tables of a parcel, believed to be the sender's to say; None where the stream is not of the rounds."""
    wanted = FILES.get(parcel.kind)
    if wanted is None:
        return None
    if parcel.sender != around.parent:
        around.below(parcel.sender)
    if set(parcel.files) != set(wanted):
        raise Refused(f"files {sorted(parcel.files)}", where=parcel.label, fix=f"{sorted(wanted)}")
    tables = {}
    for name, (schema, _) in wanted.items():
        most = ROWS_MAX.get(name, FILE_ROWS_MAX)
        with parcel.files[name].open("rb") as file:  # so that a lost file's error has the system's number
            if (count := pq.read_metadata(file).num_rows) > most:  # before a value is decoded
                raise Refused(f"{count} rows", where=f"{parcel.label}.{name}", fix=f"at most {most}")
            file.seek(0)
            table = pq.read_table(file)
        require_schema(table.schema, schema, where=f"{parcel.label}.{name}")
        if any(table[f.name].null_count for f in schema if not f.nullable):
            raise Refused("a value is missing", where=f"{parcel.label}.{name}")
        tables[name] = table.cast(schema)
    _require_sayable(folder, around, parcel, tables)
    return tables


def _require_sayable(folder: Path, around: Surroundings, parcel: Arrived, tables: Tables) -> None:
    """Raise `Refused` for rows that are not the sender's to say, or not at this time."""
    now = parcel.date
    if parcel.released:  # what was taken in since counts against it
        now = max([now, *ArrivedFiles(folder).days(parcel.sender, parcel.kind)])
    match parcel.kind:
        case Kind.RECORDS:
            for table in tables.values():
                require_own(table, around, parcel.sender, column="centre", where=parcel.label)
            if parcel.sender != around.parent:
                day = parcel.date.toordinal()
                require_heard(tables["heard"], parcel.sender, day, where=parcel.label)
            require_dates(tables["records"], parcel.date, where=parcel.label)
        case Kind.VERDICTS:
            require_own(tables["verdicts"], around, parcel.sender, column="issuer", where=parcel.label)
            for column in ("centre", "issuer"):
                require_own(tables["listed"], around, parcel.sender, column=column, where=parcel.label)
        case Kind.STATISTICS:
            require_cells(tables["cells"], around, parcel.sender, where=parcel.label)
        case _:
            require_claims(tables["claims"], around, parcel.sender, where=parcel.label)
            until = now + dt.timedelta(days=1) if parcel.released else now
            require_bounds(folder, around, parcel.sender, until, tables["claims"], where=parcel.label)
            require_own(tables["deemed"], around, parcel.sender, column="centre", where=parcel.label)
            if parcel.sender != around.parent:
                require_silence(folder, around, parcel.sender, now, tables["deemed"], where=parcel.label)
            require_grounds(
                folder, around, parcel.sender, until, tables["claims"], tables["deemed"], where=parcel.label
            )


__all__ = ["FILES", "Tables", "take_arrivals"]
