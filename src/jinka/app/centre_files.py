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
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.codec.parcel import Kind
from jinka.kit import make_id
from jinka.node import write_durable
from jinka.store.durable import publish_folder
from jinka.store.parquet_bytes import parquet_bytes

_WHOLE, _RELEASED, _RIDES = "whole", "released", "rides"


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A parcel that may be applied: all before it in its stream were. ``files`` by their names."""

    sender: str
    kind: Kind
    date: dt.date
    files: Mapping[str, Path]
    label: str
    released: bool = False  # it was parked, and an officer said that it is to be taken after all


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

    def drop(self, name: str) -> None:
        """Take a note back."""
        self.path(f"{name}.json").unlink(missing_ok=True)


class ArrivedFiles:
    """Parcels that were applied, as the rounds read them: ``arrived/<sender>/<kind>/<day>/``."""

    def __init__(self, centre: Path) -> None:
        self.folder = centre / "arrived"

    def place(self, sender: str, kind: Kind, date: dt.date) -> Path:
        return self.folder / sender / kind.value / date.isoformat()

    def days(self, sender: str, kind: Kind) -> list[dt.date]:
        """The days of a stream that are here, in order."""
        found = self.folder / sender / kind.value
        return sorted(dt.date.fromisoformat(path.parent.name) for path in found.glob(f"????-??-??/{_WHOLE}"))

    def read(self, sender: str, kind: Kind, date: dt.date, name: str, schema: pa.Schema) -> pa.Table:
        if not self.kept(sender, kind, date, name):  # also for what a kill left of a parcel
            return schema.empty_table()
        return pq.read_table(self.place(sender, kind, date) / f"{name}.parquet")

    def kept(self, sender: str, kind: Kind, date: dt.date, name: str) -> bool:
        """Whether a file of the parcel was taken in; False for one that was parked."""
        place = self.place(sender, kind, date)
        return (place / _WHOLE).exists() and (place / f"{name}.parquet").exists()

    def keep(
        self, sender: str, kind: Kind, date: dt.date, tables: Mapping[str, pa.Table], *, label: str = ""
    ) -> None:
        """Write them down, with what was released since the parcel before; `has` says so afterwards.

        All or nothing: what an earlier try left of the day is gone, also where ``tables`` is empty, for a parcel that
        was parked.
        """
        place = self.place(sender, kind, date)
        half = place.with_name(f".{place.name}.new")
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        riding = self._riding(sender, kind, date) if tables else []
        for name, table in tables.items():
            parts = [
                table,
                *(pq.read_table(ride / f"{name}.parquet", schema=table.schema) for ride in riding),
            ]
            (half / f"{name}.parquet").write_bytes(parquet_bytes(pa.concat_tables(parts)))
        (half / _WHOLE).write_bytes(label.encode())
        (place / _WHOLE).unlink(missing_ok=True)  # first, so that nobody reads a folder that is half gone
        publish_folder(half, place)
        for ride in riding:
            write_durable(ride / _RIDES, date.isoformat().encode())

    def keep_released(
        self, sender: str, kind: Kind, date: dt.date, tables: Mapping[str, pa.Table], *, label: str
    ) -> None:
        """Write down what waits for the next parcel of its stream, to ride with it."""
        place = self._released_place(sender, kind, date, label)
        for file, table in tables.items():
            write_durable(place / f"{file}.parquet", parquet_bytes(table))
        write_durable(place / _WHOLE, label.encode())

    def drop_released(self, sender: str, kind: Kind, date: dt.date, *, label: str) -> None:
        """Take back what a try before a kill left of a released parcel, if it rode with none yet."""
        place = self._released_place(sender, kind, date, label)
        if self._rode_with(sender, kind, place) is None:
            (place / _WHOLE).unlink(missing_ok=True)

    def _released_place(self, sender: str, kind: Kind, date: dt.date, label: str) -> Path:
        name = f"{date.isoformat()}-{make_id('released parcel', label).hex()[:8]}"
        return self.folder / sender / kind.value / _RELEASED / name

    def released(self, sender: str, kind: Kind, date: dt.date | None) -> list[tuple[dt.date, Path]]:
        """The released parcels that rode with the one of a day, or with none yet: their own days and places."""
        found = []
        for path in sorted((self.folder / sender / kind.value / _RELEASED).glob(f"*/{_WHOLE}")):
            if self._rode_with(sender, kind, path.parent) == date:
                found.append((dt.date.fromisoformat(path.parent.name[:10]), path.parent))
        return found

    def has(self, sender: str, kind: Kind, date: dt.date) -> bool:
        return (self.place(sender, kind, date) / _WHOLE).exists()

    def label(self, sender: str, kind: Kind, date: dt.date) -> str | None:
        """Which parcel it was; None for a day that is not here."""
        path = self.place(sender, kind, date) / _WHOLE
        return path.read_text(encoding="utf-8") if path.exists() else None

    def _riding(self, sender: str, kind: Kind, date: dt.date) -> list[Path]:
        """What rides with the parcel of a day: what waits, and, after a kill, what did before."""
        both = [*self.released(sender, kind, None), *self.released(sender, kind, date)]
        return sorted(path for _, path in both)

    def _rode_with(self, sender: str, kind: Kind, ride: Path) -> dt.date | None:
        if not (ride / _RIDES).exists():
            return None
        date = dt.date.fromisoformat((ride / _RIDES).read_text(encoding="utf-8"))
        # A parcel that was parked at the second try, after a kill, took nothing with it.
        place = self.place(sender, kind, date)
        return date if (place / _WHOLE).exists() and any(place.glob("*.parquet")) else None


def days_of(centre: Path) -> list[dt.date]:
    """The rounds that have begun here."""
    return sorted(dt.date.fromisoformat(path.name) for path in (centre / "rounds").glob("????-??-??"))


def chained_note(centre: Path, name: str, date: dt.date) -> tuple[int, Any]:
    """Of notes that each go on from the one before: this round's number, and the note that it goes on from, or None.

    They are chained in the order in which they were made, which need not be that of the days: a day that others had
    may be heard of when later ones are in the books. A round that is done again goes on from the same note as before.
    """
    found = {day: RoundFiles(centre, day).noted(name) for day in days_of(centre)}
    notes = {(note.get("seq", 0), day): note for day, note in found.items() if note is not None}
    own = next((place for place in notes if place[1] == date), None)
    before = [place for place in notes if place != own and (own is None or place < own)]
    number = own[0] if own else max((seq for seq, _ in notes), default=0) + 1
    return number, notes[max(before)] if before else None
