"""`jinka make-records`: valid clearing records in bulk as Parquet, with the registry that admits them and its keys.

A folder holds ``records/part-*.parquet`` in the order of intake, ``registry/*.parquet``, and the simulated key store
whose TAC roots they are valid under (``keys``). All follows from the seed: the same options give the same bytes. A
share of the TACs is wrong on purpose. Simulated: no chip was asked; chips' records come from `jinka day`.
"""

from __future__ import annotations

import datetime as dt
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow as pa

from jinka.app.keyring import make_keys, unlock_store
from jinka.app.workspace import Workspace
from jinka.codec import Algorithm
from jinka.crypto.bulk import warm_up
from jinka.keys import Purpose
from jinka.kit import Refused, Usage
from jinka.node import file_errors
from jinka.registry import Registry
from jinka.sim.records import RECORDS, RecordMaker
from jinka.store import ROW_GROUP_ROWS, publish, record_writer, write_records

DATE = dt.date(2018, 9, 1)
FILE_ROWS = 8 * ROW_GROUP_ROWS
RECORDS_MAX = 200_000_000
_VERSIONS = (1, 2, 3)
_BYTES_EACH = 24  # of a record and its share of the registry, as they are written


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordFolder:
    """Where the parts are."""

    path: Path

    @property
    def records(self) -> list[Path]:
        return sorted((self.path / "records").glob("part-*.parquet"))

    def registry(self, name: str) -> Path:
        return self.path / "registry" / f"{name}.parquet"


def make_record_files(
    folder: Path, *, records: int, cards: int, seed: int = 2018, bad: float = 0.01, date: dt.date = DATE
) -> dict[str, Any]:
    """Make the folder; returns figures. `Refused` for a folder that holds records already."""
    _check(folder, records, cards, bad)
    started = time.perf_counter()
    warm_up()
    with file_errors(folder):
        workspace = Workspace(folder)
        make_keys(workspace, seed=seed, date=date.isoformat())
        store = unlock_store(workspace).store
        roots = {(kind, v): store.root(Purpose.TAC, kind, v) for kind in Algorithm for v in _VERSIONS}
        maker = RecordMaker(records, cards=cards, seed=seed, roots=roots, date=date, wrong_share=bad)
        made = RecordFolder(path=folder)
        (folder / "records").mkdir(parents=True, exist_ok=True)
        (folder / "registry").mkdir(exist_ok=True)
        registry = maker.registry(with_cards=False)
        for name, schema in Registry.SCHEMAS.items():
            rows = maker.cards_in_parts(FILE_ROWS) if name == "cards" else iter([getattr(registry, name)])
            _write(made.registry(name), rows, schema)
        for number, start in enumerate(range(0, records, FILE_ROWS)):
            stop = min(start + FILE_ROWS, records)
            cuts = [*range(start, stop, ROW_GROUP_ROWS), stop]
            parts = (maker.records(low, high) for low, high in pairwise(cuts))
            _write(folder / "records" / f"part-{number:05}.parquet", parts, RECORDS)
    seconds = time.perf_counter() - started
    return {
        "folder": str(folder),
        "records": records,
        "cards": cards,
        "wrong_tacs": len(maker.wrong_ids),
        "bytes": sum(path.stat().st_size for path in made.records),
        "seconds": round(seconds, 3),
        "rate_per_s": round(records / seconds),
    }


def _check(folder: Path, records: int, cards: int, bad: float) -> None:
    if not 1 <= records <= RECORDS_MAX:
        raise Usage(f"{records} records", where="--records", fix=f"1 to {RECORDS_MAX:,}")
    if not 1 <= cards <= records:
        raise Usage(f"{cards} cards for {records} records", where="--cards", fix="1 to as many as records")
    if not 0 <= bad <= 1:
        raise Usage(f"a share of {bad}", where="--bad", fix="0 to 1")
    if (folder / "records").exists():
        raise Refused("holds records already", where=str(folder), fix="name another folder")
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free, needed = shutil.disk_usage(existing).free, records * _BYTES_EACH
    if free < needed:
        raise Refused(
            f"{needed >> 20} MiB are needed, {free >> 20} are free", where=str(existing), fix="make room"
        )


def _write(path: Path, tables: Iterator[pa.Table], schema: pa.Schema) -> None:
    temporary = path.with_suffix(".tmp")
    with record_writer(temporary, schema) as writer:
        for table in tables:
            write_records(writer, table)
    publish(temporary, path)
