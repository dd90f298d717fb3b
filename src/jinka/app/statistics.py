"""`jinka statistics`: the cells of days, of a centre's rounds, or of files of cells, added up and published.

A centre above the cities has what its children sent; see `jinka.app.centre_statistics`.
"""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.centre_files import RoundFiles, days_of
from jinka.app.centre_statistics import outcome_parts, round_cells
from jinka.app.day_facts import read_facts
from jinka.app.workspace import Workspace
from jinka.codec.parcel_contents import FileSchema, ParquetLimits, examine
from jinka.kit import NotFound, Usage
from jinka.node import file_errors, write_durable
from jinka.registry import Registry
from jinka.reports import Language
from jinka.reports.files import to_csv
from jinka.reports.spreadsheet import table_values, write_workbook
from jinka.reports.statistics import STATISTICS, add_up, require_statistics, statistics_of
from jinka.reports.statistics_tables import statistics_tables
from jinka.reports.tables import Table
from jinka.store import database_at, load_registry
from jinka.store.parquet_bytes import parquet_bytes

_CELLS = FileSchema(name="jinka.statistics/1", columns=STATISTICS, amount="amount")
_SENT = "up-statistics-cells"
FORMATS = ("table", "csv", "xlsx", "json", "cells")


def read_cells(sources: Sequence[Path]) -> pa.Table:
    """The sum of the cells of folders (a day's or a centre's) and of files of cells."""
    if len({path.resolve() for path in sources}) != len(sources):
        raise Usage("is named twice, and would count twice", where="DIR", fix="name each source once")
    return add_up([_cells_of(path) for path in sources])


def publish_tables(cells: pa.Table, form: str, out: Path, *, minimum: int, language: Language) -> list[Path]:
    """Write the published tables, or the cells themselves; the files, in order."""
    if form == "cells":
        write_durable(out, parquet_bytes(cells))
        return [out]
    tables = statistics_tables(cells, minimum=minimum)
    if form == "csv":
        for name, table in tables.items():
            write_durable(out / f"{name}.csv", to_csv(table))
        return [out / f"{name}.csv" for name in tables]
    if form == "xlsx":
        content = io.BytesIO()
        write_workbook(tables, content, language)
        write_durable(out, content.getvalue())
        return [out]
    if form == "json":
        text = json.dumps(table_values(tables), ensure_ascii=False, indent=1)
        write_durable(out, text.encode() + b"\n")
        return [out]
    raise Usage(f"no format {form!r}", where="--format", fix=", ".join(FORMATS))


def tables_of(cells: pa.Table, *, minimum: int) -> Mapping[str, Table]:
    """The published tables themselves."""
    return statistics_tables(cells, minimum=minimum)


def _round(folder: Path, date: dt.date, registry: Registry) -> pa.Table:
    """What went up from a centre in a round, or would go up from a city's."""
    files = RoundFiles(folder, date)
    if files.has(f"{_SENT}.parquet"):
        return files.read(_SENT, STATISTICS)
    return round_cells(folder, date, registry)


def _cells_of(path: Path) -> pa.Table:
    with file_errors(path):
        if path.is_file():
            with path.open("rb") as file:
                examine(file, _CELLS, ParquetLimits(), where=str(path))
                return require_statistics(pq.read_table(file), where=str(path))
        if (path / "rounds").is_dir():
            with database_at(path / "centre.db") as database:
                registry = load_registry(database)
            return add_up(_round(path, date, registry) for date in days_of(path))
        if not path.is_dir():
            raise NotFound("no such file or folder", where=str(path), fix="run jinka day first")
        workspace = Workspace(path)
        facts = read_facts(workspace)
        if facts is None or not (workspace.centre / "outcomes.parquet").exists():
            raise NotFound("holds no cleared day", where=str(path), fix="run jinka day first")
        with database_at(workspace.centre / "centre.db") as database:
            registry = load_registry(database)
        date = dt.date.fromisoformat(facts.first_date)
        return statistics_of(outcome_parts([workspace.centre / "outcomes.parquet"]), registry, date=date)


__all__ = ["FORMATS", "publish_tables", "read_cells", "tables_of"]
