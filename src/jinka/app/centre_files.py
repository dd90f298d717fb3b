"""Where the rounds of a centre lie, and its roads: what a step has made is a file, and the file says that it is done.

::

    rounds/2018-09-03/
      intake.json           which deliveries belong to the round; written when the day is closed
      abroad/               outcomes of foreign cards' records on this side; abroad-DAY of those of an earlier day
      sent.parquet          those of them that went to their cards' centre
      home/                 outcomes of this centre's cards, wherever they were used
      late-DAY/             outcomes of an earlier day's records of this centre's cards that came with this round
      inbound.parquet       what came from others to be judged, of whatever day
      verdicts.parquet      what this centre said of records that came from others
      answers.parquet       what was said of records that it sent, and where silence was the answer
      up-records.json       how far each child had been heard when the round was closed upwards (and for each stream)
      up-records.parquet    what was there to go anywhere then
      settled.json          positions and balances; the round is over

Every file is written beside its place and renamed, and depends on nothing but what came in: a step that was cut off is
done again with the same bytes.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.codec.parcel import Kind
from jinka.node import write_durable
from jinka.store.parquet_bytes import parquet_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A parcel that may be applied: all before it in its stream were. ``files`` by their names."""

    sender: str
    kind: Kind
    date: dt.date
    files: Mapping[str, Path]
    label: str


class Road(Protocol):
    """The parcels of one centre; `jinka.app.centre_line` has the real one."""

    def send(self, receiver: str, kind: Kind, date: dt.date, tables: Mapping[str, pa.Table]) -> None:
        """Put a parcel into the outbox, once for each receiver, kind and day."""
        ...

    def ready(self) -> list[Arrived]:
        """What may be applied now, in order within each stream."""
        ...

    def applied(self, parcel: Arrived) -> None:
        """Its effect is durable."""
        ...

    def parked(self, parcel: Arrived, problem: Exception) -> None:
        """It is kept as it is, with a finding."""
        ...


class RoundFiles:
    """The files of one round."""

    def __init__(self, centre: Path, date: dt.date) -> None:
        self.date = date
        self.folder = centre / "rounds" / date.isoformat()

    def path(self, name: str) -> Path:
        return self.folder / name

    def has(self, name: str) -> bool:
        return self.path(name).exists()

    def parts(self, name: str) -> list[Path]:
        """The Parquet files in a folder of the round, or in those of a pattern."""
        return sorted(self.folder.glob(f"{name}/*.parquet"))

    def write(self, name: str, table: pa.Table) -> None:
        """``name`` without its ending."""
        write_durable(self.path(f"{name}.parquet"), parquet_bytes(table))

    def read(self, name: str, schema: pa.Schema) -> pa.Table:
        """The table, or an empty one where the file is not there."""
        path = self.path(f"{name}.parquet")
        return pq.read_table(path) if path.exists() else schema.empty_table()

    def note(self, name: str, value: Any) -> None:
        write_durable(
            self.path(f"{name}.json"), json.dumps(value, ensure_ascii=False, indent=1).encode() + b"\n"
        )

    def noted(self, name: str) -> Any:
        """The value, or None."""
        path = self.path(f"{name}.json")
        return json.loads(path.read_bytes()) if path.exists() else None


class ArrivedFiles:
    """Parcels that were applied, as the rounds read them: ``arrived/<sender>/<kind>/<day>/``."""

    def __init__(self, centre: Path) -> None:
        self.folder = centre / "arrived"

    def place(self, sender: str, kind: Kind, date: dt.date) -> Path:
        return self.folder / sender / kind.value / date.isoformat()

    def days(self, sender: str, kind: Kind) -> list[dt.date]:
        """The days of a stream that are here, in order."""
        found = self.folder / sender / kind.value
        return sorted(dt.date.fromisoformat(path.parent.name) for path in found.glob("????-??-??/whole"))

    def read(self, sender: str, kind: Kind, date: dt.date, name: str, schema: pa.Schema) -> pa.Table:
        path = self.place(sender, kind, date) / f"{name}.parquet"
        return pq.read_table(path) if path.exists() else schema.empty_table()

    def kept(self, sender: str, kind: Kind, date: dt.date, name: str) -> bool:
        """Whether a file of the parcel was taken in; False for one that was parked."""
        return (self.place(sender, kind, date) / f"{name}.parquet").exists()

    def keep(self, sender: str, kind: Kind, date: dt.date, tables: Mapping[str, pa.Table]) -> None:
        """Write them down; `has` says so afterwards."""
        place = self.place(sender, kind, date)
        for name, table in tables.items():
            write_durable(place / f"{name}.parquet", parquet_bytes(table))
        write_durable(place / "whole", b"")

    def has(self, sender: str, kind: Kind, date: dt.date) -> bool:
        return (self.place(sender, kind, date) / "whole").exists()


def days_of(centre: Path) -> list[dt.date]:
    """The rounds that have begun here."""
    return sorted(dt.date.fromisoformat(path.name) for path in (centre / "rounds").glob("????-??-??"))
