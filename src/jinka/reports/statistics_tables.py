"""Cells of statistics as tables that may be published: by sector, region and year, with what is too small hidden.

A hidden number is a star; a hidden success rate goes with its row. The region of a party that one centre did not know
is taken from the cells of another that did, so a nation's table names every city; where nobody knows it, the party's
code stands.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from jinka.clearing.reasons import Outcome
from jinka.reports.day import Text
from jinka.reports.statistics import Use
from jinka.reports.suppress import suppressed
from jinka.reports.tables import Cell, Column, Kind, Table
from jinka.reports.words import WORDS

MINIMUM = 10
HIDDEN = "*"
_USES = {
    Use.PURCHASE.value: Text(en="Purchase", zh="消费"),
    Use.LOAD.value: Text(en="Load", zh="充值"),
    Use.CASH.value: Text(en="Cash", zh="取现"),
    Use.OTHER.value: Text(en="Other", zh="其他"),
}
_UNKNOWN = Text(en="unknown", zh="不详")


@dataclass(slots=True)
class _Row:
    """Sums of one line of a table: all records, the paid ones, and what those moved."""

    count: int = 0
    paid: int = 0
    amount: int = 0

    def add(self, cell: dict[str, Any]) -> None:
        self.count += cell["count"]
        if cell["outcome"] in ("", Outcome.PAID.value):
            self.paid += cell["count"]
            self.amount += cell["amount"]


def statistics_tables(cells: pa.Table, *, minimum: int = MINIMUM) -> dict[str, Table]:
    """All tables that have something to say, by name. Nothing is hidden with a ``minimum`` of 1."""
    rows = _with_regions(cells.to_pylist())
    new = [row for row in rows if row["use"] == Use.CARDS.value]
    used = [row for row in rows if row["use"] != Use.CARDS.value]
    tables = (_cards(new, minimum), _volumes(used, minimum), _travel(used, minimum), _results(used, minimum))
    return {table.name: table for table in tables if table.rows}


def _with_regions(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = {
        row[party]: row[f"{party}_region"]
        for row in rows
        for party in ("issuer", "acquirer")
        if row[f"{party}_region"]
    }
    for row in rows:
        for party in ("issuer", "acquirer"):
            row[f"{party}_region"] = row[f"{party}_region"] or known.get(row[party], row[party])
    return rows


def _sums(rows: Iterable[dict[str, Any]], *names: str) -> dict[tuple[Any, ...], _Row]:
    made: dict[tuple[Any, ...], _Row] = {}
    for row in rows:
        place = tuple(row["date"].year if name == "year" else row[name] for name in names)
        made.setdefault(place, _Row()).add(row)
    return dict(sorted(made.items()))


def _cards(rows: list[dict[str, Any]], minimum: int) -> Table:
    sums = _sums(rows, "year", "sector", "issuer_region")
    shown = _Lines(sums, minimum, within=(0, 1, 2))
    lines = [
        (str(year), _named(sector), _named(region), shown[year, sector, region].cards)
        for year, sector, region in sums
    ]
    total = shown.total
    return _table(
        "stat_cards", "year:code sector:code issuer_region:code cards:count", lines, ("", "", total.cards)
    )


def _volumes(rows: list[dict[str, Any]], minimum: int) -> Table:
    sums = _sums(rows, "year", "sector", "acquirer_region", "use")
    shown = _Lines(sums, minimum, within=(0, 1, 2, 3))
    lines = [
        (str(year), _named(sector), _named(region), _USES[use], *shown[year, sector, region, use].figures)
        for year, sector, region, use in sums
    ]
    columns = (
        "year:code sector:code acquirer_region:code use:text count:count paid:count rate:code amount:money"
    )
    return _table("stat_volumes", columns, lines, ("", "", "", *shown.total.figures))


def _travel(rows: list[dict[str, Any]], minimum: int) -> Table:
    """Where cards of one region are used: issuer's region by acquirer's."""
    sums = _sums(rows, "year", "issuer_region", "acquirer_region")
    shown = _Lines(sums, minimum, within=(0, 1, 2))
    lines = [
        (str(year), _named(home), _named(far), *shown[year, home, far].figures) for year, home, far in sums
    ]
    columns = (
        "year:code issuer_region:code acquirer_region:code count:count paid:count rate:code amount:money"
    )
    return _table("stat_travel", columns, lines, ("", "", *shown.total.figures))


def _results(rows: list[dict[str, Any]], minimum: int) -> Table:
    counts = Counter[tuple[int, str, str]]()
    for row in rows:
        counts[row["date"].year, row["sector"], row["outcome"]] += row["count"]
    places = sorted(counts)
    totals: list[tuple[Hashable, ...]] = [("all", ("sector", sector)) for _, sector, _ in places]
    hidden, gone = suppressed([counts[place] for place in places], totals, minimum)
    lines = [
        (str(year), _named(sector), outcome, HIDDEN if index in hidden else counts[year, sector, outcome])
        for index, (year, sector, outcome) in enumerate(places)
    ]
    total = HIDDEN if "all" in gone else sum(counts.values())
    return _table("stat_results", "year:code sector:code outcome:code count:count", lines, ("", "", total))


@dataclass(frozen=True, slots=True)
class _Figures:
    """What a line shows; all of it is hidden together."""

    row: _Row
    hidden: bool

    @property
    def cards(self) -> Cell:
        return HIDDEN if self.hidden else self.row.count

    @property
    def figures(self) -> tuple[Cell, ...]:
        if self.hidden:
            return (HIDDEN,) * 4
        thousandths = (self.row.paid * 1000 + self.row.count // 2) // self.row.count if self.row.count else 0
        return self.row.count, self.row.paid, f"{thousandths // 10}.{thousandths % 10} %", self.row.amount


class _Lines:
    """The lines of a table as they may be shown, and their total."""

    def __init__(self, sums: dict[tuple[Any, ...], _Row], minimum: int, *, within: tuple[int, ...]) -> None:
        """``within`` are the places of a key by which other tables add up too; such sums count as shown."""
        totals: list[tuple[Hashable, ...]] = [("all", *((at, place[at]) for at in within)) for place in sums]
        hidden, gone = suppressed([row.paid or row.count for row in sums.values()], totals, minimum)
        self._lines = {
            place: _Figures(row, index in hidden) for index, (place, row) in enumerate(sums.items())
        }
        whole = _Row()
        for row in sums.values():
            whole = _Row(whole.count + row.count, whole.paid + row.paid, whole.amount + row.amount)
        self.total = _Figures(whole, "all" in gone)

    def __getitem__(self, place: tuple[Any, ...]) -> _Figures:
        return self._lines[place]


def _named(word: str) -> Cell:
    return word or _UNKNOWN


def _table(name: str, columns: str, lines: Iterable[tuple[Cell, ...]], total: tuple[Cell, ...]) -> Table:
    made = tuple(Column(key, Kind(kind)) for key, kind in (part.split(":") for part in columns.split()))
    rows = tuple(lines)
    return Table(name=name, columns=made, rows=rows, total=(WORDS["total"], *total) if rows else ())


__all__ = ["HIDDEN", "MINIMUM", "statistics_tables"]
