"""A city's days in its signed log: what it cleared at home, judged for others, and was told of what it sent.

A day is published when its round is in the books (`jinka.app.proof`), signed with the centre's own key. What later
rounds say of its records (a verdict that was awaited, a record that came late) is a further edition. The outcomes as
they were published lie in ``outcomes/DAY/``; a record of another centre's card is proven at both ends, at the centre
of the terminal with what was paid, at the card's with the verdict that it gave.

Provinces and the nation publish nothing: they hold no records, and what passes their books stands at both neighbours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.centre_files import RoundFiles, days_of
from jinka.app.proof import FOLDER, OUTCOMES, ProofFolder
from jinka.clearing.leaf import COLUMNS
from jinka.clearing.port import FIRST_INBOUND
from jinka.crypto.x509_keys import Signer
from jinka.kit import Finding, Randomness

Ids = npt.NDArray[np.int64]
_BATCH = 1 << 18
_LATER = ("paid", "home", "abroad")  # what a round says of an earlier day lies in KIND-DAY/


@dataclass(frozen=True, slots=True, kw_only=True)
class CityProof:
    """The log of one city's centre, and who signs it."""

    folder: Path
    centre: str
    signer: Signer
    randomness: Randomness

    def publish(self, date: dt.date) -> list[Finding]:
        """Put a round's day into the log, and what the round says of earlier ones. Again: nothing new."""
        log, findings = ProofFolder(self.folder / FOLDER), list[Finding]()
        for day in touched(self.folder, date):
            place = self.folder / OUTCOMES / day.isoformat()
            gather(self.folder, day, date, place / "outcomes.parquet")
            done = log.publish(self.centre, day, place, signer=self.signer, randomness=self.randomness)
            findings += done.findings
        return findings


def touched(folder: Path, date: dt.date) -> list[dt.date]:
    """The days whose records a round says something of, its own among them."""
    rounds, here = set(days_of(folder)), RoundFiles(folder, date).folder
    named = {path.name.partition("-")[2] for kind in _LATER for path in here.glob(f"{kind}-*/")}
    return sorted({date} | {day for day in map(dt.date.fromisoformat, named) if day in rounds and day < date})


def gather(folder: Path, day: dt.date, until: dt.date, out: Path) -> None:
    """Write the newest outcome of each record of a day, as the rounds up to ``until`` left it."""
    out.parent.mkdir(parents=True, exist_ok=True)
    half, writer = out.with_name(f".{out.name}.half"), None
    seen: Ids = np.empty(0, dtype=np.int64)
    for place, beside in _layers(folder, day, until):
        fresh: list[Ids] = [seen]
        others = _ids(beside) if beside is not None and place.is_dir() else seen
        for table in _slices(place):
            ids = table["record_id"].to_numpy()
            keep = ~(np.isin(ids, seen) | ((ids < FIRST_INBOUND) & np.isin(ids, others)))
            writer = writer or pq.ParquetWriter(half, table.schema, compression="zstd")
            writer.write_table(table.filter(pa.array(keep)))
            fresh.append(ids[keep])
        seen = np.concatenate(fresh)
    assert writer is not None, "a round has its home folder"
    writer.close()
    half.replace(out)


def _layers(folder: Path, day: dt.date, until: dt.date) -> Iterator[tuple[Path, Path | None]]:
    """Where outcomes of a day lie, the newest first; and whose own records there are another day's.

    What comes too late to be judged among its own day is judged beside the own records of the round.
    """
    rounds = set(days_of(folder))
    for date in sorted((date for date in rounds if day <= date <= until), reverse=True):
        files = RoundFiles(folder, date)
        yield files.path(f"paid-{day}"), None
        yield files.path(f"home-{day}"), files.path("home")
        yield files.path(f"abroad-{day}"), None
    here = RoundFiles(folder, day)
    yield here.path("home"), None
    yield here.path("abroad"), None
    for place in sorted(here.folder.glob("home-*/")):  # of days that were no rounds here
        if dt.date.fromisoformat(place.name.removeprefix("home-")) not in rounds:
            yield place, None


def _slices(place: Path) -> Iterator[pa.Table]:
    for path in sorted(place.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_BATCH, columns=list(COLUMNS)):
                yield pa.Table.from_batches([batch])
            if not file.metadata.num_rows:
                yield file.read(columns=list(COLUMNS))


def _ids(place: Path) -> Ids:
    parts = [table["record_id"].to_numpy() for table in _slices(place)]
    return np.concatenate([np.empty(0, dtype=np.int64), *parts])


__all__ = ["CityProof", "gather", "touched"]
