"""`jinka files diff`: two parties' files of one day held against each other, record by record.

Both are read and checked whole, streamed into columns on the disk, and joined by their layout's key in the engine that
clears, so neither has to fit into memory. A key that one file has twice tells nothing apart: such records are counted
for themselves and compared with nobody's. Card numbers are masked in what is shown.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.codec.trade_files import Layout, TradeFile
from jinka.kit import Usage
from jinka.node import file_errors
from jinka.store import DuckEngine

Table = Any
_NUMBER = "record_number"
_SHOWN_MAX = 48
_SUM = "decimal(38, 0)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One record that is not the same: where it stands in either file (from 1), and what differs."""

    kind: str  # only_a, only_b, differs, doubled_a, doubled_b
    key: dict[str, str]
    record_a: int | None
    record_b: int | None
    fields: dict[str, tuple[str, str]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind, "key": self.key, "record_a": self.record_a, "record_b": self.record_b,
            "fields": {name: list(values) for name, values in self.fields.items()},
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The whole comparison: records and totals (minor units) of each part, and the first differences."""

    layout: str
    sums: dict[str, tuple[int, int]]  # a, b, same, differs, only_a, only_b, doubled_a, doubled_b
    fields: dict[str, int]  # how many records differ in each
    amount_difference: int  # of b over a, among the records that both have
    first: tuple[Difference, ...]

    @property
    def equal(self) -> bool:
        return not any(self.sums[kind][0] for kind in _ODD)

    def as_dict(self) -> dict[str, Any]:
        return {
            "layout": self.layout, "equal": self.equal,
            "sums": {name: {"records": n, "total_minor": total} for name, (n, total) in self.sums.items()},
            "fields": self.fields, "amount_difference_minor": self.amount_difference,
            "first": [each.as_dict() for each in self.first],
        }  # fmt: skip


_ODD = ("only_a", "only_b", "differs", "doubled_a", "doubled_b")


def compare_files(
    a: Path, b: Path, layout: Layout, *, ignore: Sequence[str] = (), first: int = 20
) -> Compared:
    """Compare two files; ``ignore`` names fields that may differ. Raises `Refused` for a file that is not right."""
    names = [f.name for f in layout.fields if not f.constant]
    if unknown := sorted(set(ignore) - set(names)) or sorted(set(ignore) & set(layout.key)):
        raise Usage(f"cannot be ignored: {unknown[0]}", where="--ignore", fix="a field that is no key")
    compared = [name for name in names if name not in layout.key and name not in ignore]
    folder = Path(tempfile.mkdtemp(prefix="jinka-files-"))
    try:
        for name, path in (("a", a), ("b", b)):
            _columns(path, layout, folder / f"{name}.parquet")
        with DuckEngine(spill=folder / "spill") as engine:
            sides = [engine.parquet([folder / f"{name}.parquet"]) for name in "ab"]
            return _compared(engine, sides, layout, compared, first)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _columns(path: Path, layout: Layout, out: Path) -> None:
    schema = layout.schema.append(pa.field(_NUMBER, pa.int64()))
    with (
        file_errors(path),
        path.open("rb") as raw,
        pq.ParquetWriter(out, schema, compression="lz4") as writer,
    ):
        done = 0
        for batch in TradeFile(raw, layout, where=path.name).batches():
            numbers = pa.array(range(done + 1, done + batch.num_rows + 1), pa.int64())
            writer.write_batch(pa.RecordBatch.from_arrays([*batch.columns, numbers], schema=schema))
            done += batch.num_rows


def _compared(
    engine: DuckEngine, sides: list[Table], layout: Layout, compared: list[str], first: int
) -> Compared:
    key, amount = list(layout.key), layout.amount
    twice = [side.group_by(key).having(side.count() > 1).agg() for side in sides]
    doubled = engine.keep("doubled", ibis.union(*twice, distinct=True))
    sums: dict[str, tuple[int, int]] = {}
    single = []
    for name, side in zip("ab", sides, strict=True):
        sums[name] = _sum(engine, side, amount)
        sums[f"doubled_{name}"] = _sum(engine, side.semi_join(doubled, key), amount)
        single.append(side.anti_join(doubled, key))
    left, right = single[0], single[1].rename(lambda name: f"b_{name}")
    on = [left[name] == right[f"b_{name}"] for name in key]
    odd = [ibis.or_(*(~left[n].identical_to(right[f"b_{n}"]) for n in compared))] if compared else []
    both = left.inner_join(right, on)
    differ = engine.keep("differ", left.inner_join(right, [*on, *odd])) if odd else both.limit(0)
    total = _sum(engine, both, amount)
    sums["differs"] = _sum(engine, differ, amount)
    sums["same"] = (total[0] - sums["differs"][0], total[1] - sums["differs"][1])
    only_a = left.anti_join(right, on)
    only_b = single[1].anti_join(single[0], key)
    sums["only_a"], sums["only_b"] = _sum(engine, only_a, amount), _sum(engine, only_b, amount)
    counts = {n: (~differ[n].identical_to(differ[f"b_{n}"])).sum() for n in compared}
    over = (differ[f"b_{amount}"].cast(_SUM) - differ[amount].cast(_SUM)).sum()
    found = engine.collect(differ.aggregate(over=over.cast(_SUM), **counts)).to_pylist()[0]
    shown = _first(engine, layout, compared, differ, first)
    for kind, side in (("only_a", only_a), ("only_b", only_b)):
        shown += _alone(engine, layout, kind, side, first - len(shown))
    for name, side in zip("ab", sides, strict=True):
        shown += _alone(engine, layout, f"doubled_{name}", side.semi_join(doubled, key), first - len(shown))
    return Compared(
        layout=layout.name, sums=sums, fields={n: int(found[n]) for n in compared if found[n]},
        amount_difference=int(found["over"] or 0), first=tuple(shown),
    )  # fmt: skip


def _sum(engine: DuckEngine, side: Table, amount: str) -> tuple[int, int]:
    row = engine.collect(
        side.aggregate(n=side.count(), s=side[amount].cast(_SUM).sum().cast(_SUM))
    ).to_pylist()[0]
    return int(row["n"]), int(row["s"] or 0)


def _first(
    engine: DuckEngine, layout: Layout, compared: list[str], differ: Table, limit: int
) -> list[Difference]:
    rows = engine.collect(differ.order_by(_NUMBER).limit(limit)).to_pylist()
    return [
        Difference(
            kind="differs", key=_key(layout, row), record_a=row[_NUMBER], record_b=row[f"b_{_NUMBER}"],
            fields={
                name: (_shown(layout, name, row[name]), _shown(layout, name, row[f"b_{name}"]))
                for name in compared if row[name] != row[f"b_{name}"]
            },
        )
        for row in rows
    ]  # fmt: skip


def _alone(engine: DuckEngine, layout: Layout, kind: str, side: Table, limit: int) -> list[Difference]:
    if limit <= 0:
        return []
    rows = engine.collect(side.order_by(_NUMBER).limit(limit)).to_pylist()
    return [
        Difference(
            kind=kind, key=_key(layout, row),
            record_a=row[_NUMBER] if kind.endswith("a") else None,
            record_b=row[_NUMBER] if kind.endswith("b") else None,
        )
        for row in rows
    ]  # fmt: skip


def _key(layout: Layout, row: dict[str, Any]) -> dict[str, str]:
    return {name: _shown(layout, name, row[name]) for name in layout.key}


def _shown(layout: Layout, name: str, value: Any) -> str:
    """A value as it may be shown: of what is personal only the end."""
    text = "" if value is None else bytes(value).hex() if isinstance(value, bytes) else str(value)
    if name in layout.personal:
        return f"******{text[-4:]}"
    return text if len(text) <= _SHOWN_MAX else f"{text[:_SHOWN_MAX]}..."


__all__ = ["Compared", "Difference", "compare_files"]
