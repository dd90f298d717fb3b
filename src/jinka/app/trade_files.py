"""`jinka files`: a cleared day as a file of the trade, such a file as a table.

Files are streamed, and appear under their name when all of them is written and right: a trailer that does not fit
leaves nothing behind. The same day gives the same bytes.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from jinka.app.centre_files import days_of
from jinka.app.day_facts import read_facts
from jinka.app.trade_rows import CLEARED, com_rows, records_of, union_rows
from jinka.app.workspace import Workspace
from jinka.clearing.reasons import Outcome
from jinka.codec import RECORD_SCHEMA
from jinka.codec.trade_files import CITY_UNION, LAYOUTS, UNIONPAY_COM, Layout, TradeFile, written
from jinka.kit import NotFound, Usage, parse_date
from jinka.node import file_errors
from jinka.store import publish
from jinka.store.arrow_shapes import shaped

_READ_ROWS = 1 << 16
_OUTCOMES = ("home", "abroad", "abroad-*", "late-*", "paid-*")  # folders of a round


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSums:
    """A file that was written or read."""

    path: Path
    layout: str
    records: int
    total_minor: int

    def as_dict(self) -> dict[str, str | int]:
        return {
            "file": str(self.path), "layout": self.layout, "records": self.records,
            "total_minor": self.total_minor,
        }  # fmt: skip


def layout_named(name: str) -> Layout:
    """The layout of that name; raises `NotFound`."""
    if name not in LAYOUTS:
        raise NotFound(f"no layout {name!r}", where="--layout", fix=", ".join(LAYOUTS))
    return LAYOUTS[name]


def describe(layout: Layout) -> dict[str, Any]:
    """A layout as plain values: every field with its place, and where it comes from."""
    parts = {"header": layout.header, "record": layout.fields, "trailer": layout.trailer}
    return {
        "layout": layout.name, "title_en": layout.en, "title_zh": layout.zh,
        "separator": layout.separator.decode(), "key": list(layout.key),
        "lines": {
            name: [
                {
                    "field": f.name, "width": f.width, "coding": f.coding.title, "title_zh": f.zh,
                    "origin": f.origin.value, "source": f.source, "optional": f.optional,
                }
                for f in fields
            ]
            for name, fields in parts.items() if fields
        },
    }  # fmt: skip


def export_day(
    folder: Path,
    layout: Layout,
    out: Path,
    *,
    date: str | None = None,
    acquirer: str | None = None,
    issuer: str | None = None,
    institutions: Path | None = None,
) -> FileSums:
    """Write the cleared records of a day's folder, or of a centre's round, that these parties took in and issued.

    A centre's are those whose outcome it knows: its own cards' wherever they were used, and others' that it took in. So
    two cities write the same records of one's cards at the other's terminals.
    """
    outcomes, day = _outcomes(folder, date)
    names = _institutions(institutions)
    wanted = [(name, code) for name, code in (("acquirer", acquirer), ("issuer", issuer)) if code is not None]
    sums = [0, 0]

    def rows() -> Iterator[pa.RecordBatch]:
        known = pc.field("outcome") != Outcome.AWAITED.value
        for batch in outcomes.to_batches(batch_size=_READ_ROWS, filter=known):
            for name, code in wanted:
                batch = batch.filter(pc.equal(batch.column(name).cast(pa.string()), code))
            made = _lines(shaped(batch, RECORD_SCHEMA), layout, names)
            sums[0] += made.num_rows
            sums[1] += sum(made.column(layout.amount).to_pylist())
            yield made

    header = {"sender": acquirer or "", "receiver": issuer or "", "date": day}
    with file_errors(out), _written_beside(out) as file:
        for piece in written(rows(), layout, header):
            file.write(piece)
    return FileSums(path=out, layout=layout.name, records=sums[0], total_minor=sums[1])


def import_file(path: Path, layout: Layout, out: Path) -> FileSums:
    """A file as Parquet: clearing records with their outcomes where it has them, its own fields otherwise."""
    total, schema = 0, CLEARED if layout is CITY_UNION else layout.schema
    with file_errors(path), path.open("rb") as raw, file_errors(out), _written_beside(out) as file:
        read = TradeFile(raw, layout, where=path.name)
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for batch in read.batches():
                total += sum(batch.column(layout.amount).to_pylist())
                if layout is CITY_UNION:
                    batch = records_of(batch, where=path.name)
                writer.write_batch(batch)
    return FileSums(path=out, layout=layout.name, records=read.records, total_minor=total)


def _lines(batch: pa.RecordBatch, layout: Layout, institutions: Mapping[str, str]) -> pa.RecordBatch:
    if layout is CITY_UNION:
        return union_rows(batch)
    if layout is UNIONPAY_COM:
        return com_rows(batch, institutions)
    raise Usage(
        "a cleared day holds no such records", where=f"--layout {layout.name}",
        fix=f"{CITY_UNION.name} or {UNIONPAY_COM.name}",
    )  # fmt: skip


def _outcomes(folder: Path, date: str | None) -> tuple[Any, Any]:
    """The outcomes of a folder's own records, as a dataset, and their business date."""
    if not folder.is_dir():
        raise NotFound("no such folder", where=str(folder), fix="run jinka day first")
    if (folder / "rounds").is_dir():
        days = days_of(folder)
        day = parse_date(date, where="--date") if date else (days[-1] if days else None)
        place = folder / "rounds" / f"{day}"
        found = [path for name in _OUTCOMES for path in sorted(place.glob(f"{name}/*.parquet"))]
        if not found:
            raise NotFound("no such round has been cleared", where=str(place), fix="name another --date")
        return ds.dataset(found, format="parquet"), day
    facts = read_facts(Workspace(folder))
    place = Workspace(folder).centre / "outcomes.parquet"
    if facts is None or not place.exists():
        raise NotFound("holds no cleared day", where=str(folder), fix="run jinka day first")
    return ds.dataset(place, format="parquet"), parse_date(facts.first_date, where=str(folder))


def _institutions(path: Path | None) -> dict[str, str]:
    """Participant to institution code, from a TOML file of such lines."""
    if path is None:
        return {}
    with file_errors(path):
        raw = path.read_bytes()
    try:
        found = tomllib.loads(raw.decode())
    except ValueError as problem:
        raise Usage(f"is no TOML: {problem}", where=str(path)) from None
    if any(not isinstance(code, str) for code in found.values()):
        raise Usage("a code is a text", where=str(path), fix='"issuer.szt" = "01045840"')
    return found


@contextmanager
def _written_beside(path: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when the body ends without an error; its owner's alone, for it names cards."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            yield file
        publish(beside, path)
    finally:
        beside.unlink(missing_ok=True)


__all__ = ["FileSums", "describe", "export_day", "import_file", "layout_named"]
