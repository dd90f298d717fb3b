"""The tables of a day, said once: the page, the terminal and the CSV files draw the same `Table` values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from jinka.kit import format_minor
from jinka.reports.day import DayReport, Text
from jinka.reports.words import OUTCOME_WORDS, ROLE_WORDS, SEVERITY_WORDS, WORDS

Cell = Text | str | int


class Kind(Enum):
    """How a column is shown: words to the left, whole numbers and yuan (kept in fen) to the right."""

    TEXT = "text"
    CODE = "code"
    COUNT = "count"
    MONEY = "money"


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` is a word of `WORDS` and the name of the column in CSV."""

    key: str
    kind: Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A caption (a word of `WORDS`), columns, rows of cells in their order, and the row of totals if it has one."""

    name: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    total: tuple[Cell, ...] = ()

    @property
    def caption(self) -> Text:
        return WORDS[self.name]


def shown(cell: Cell, column: Column) -> Text:
    """A cell as a person reads it, in both languages."""
    if isinstance(cell, Text):
        return cell
    if isinstance(cell, int):
        text = format_minor(cell) if column.kind is Kind.MONEY else f"{cell:,}"
        return Text(en=text, zh=text)
    return Text(en=cell, zh=cell)


def day_tables_of(report: DayReport) -> dict[str, Table]:
    """Every table that has something to say, by name, in the order of the report."""
    makers = (
        _operators,
        _products,
        _outcomes,
        _findings,
        _samples,
        _spoil,
        _positions,
        _orders,
        _hours,
        _inferred,
    )
    tables = (maker(report) for maker in makers)
    return {table.name: table for table in tables if table.rows}


def _columns(text: str) -> tuple[Column, ...]:
    """``"operator:text taps:count"`` as columns."""
    return tuple(Column(key, Kind(kind)) for key, kind in (part.split(":") for part in text.split()))


def _table(name: str, columns: str, rows: Iterable[tuple[Cell, ...]], *, total: bool = False) -> Table:
    made, listed = _columns(columns), tuple(rows)
    return Table(name=name, columns=made, rows=listed, total=_total(made, listed) if total and listed else ())


def _total(columns: Sequence[Column], rows: Sequence[tuple[Cell, ...]]) -> tuple[Cell, ...]:
    """The sums of counts and amounts under the word for them."""
    cells: list[Cell] = []
    for index, column in enumerate(columns):
        if column.kind in (Kind.COUNT, Kind.MONEY):
            cells.append(sum(cell for row in rows if isinstance(cell := row[index], int)))
        else:
            cells.append("" if index else WORDS["total"])
    return tuple(cells)


def _operators(report: DayReport) -> Table:
    return _table(
        "operators",
        "operator:text taps:count gross:money charged:money subsidy:money fees:money net:money",
        (
            (row.name, row.taps, row.gross_fen, row.charged_fen, row.subsidy_fen, row.fees_fen, row.net_fen)
            for row in report.by_operator
        ),
        total=True,
    )


def _products(report: DayReport) -> Table:
    return _table(
        "products",
        "product:text count:count gross:money charged:money discount:money",
        (
            (row.title, row.count, row.gross_fen, row.charged_fen, row.gross_fen - row.charged_fen)
            for row in report.by_product
        ),
        total=True,
    )


def _outcomes(report: DayReport) -> Table:
    return _table(
        "outcomes",
        "outcome:text reason:text count:count amount:money",
        (
            (OUTCOME_WORDS[row.outcome], row.title, row.count, row.amount_fen)
            for row in report.outcomes
            if row.count
        ),
    )


def _findings(report: DayReport) -> Table:
    return _table(
        "findings",
        "severity:text finding:text count:count",
        ((SEVERITY_WORDS[row.severity.value], row.title, row.count) for row in report.findings if row.count),
    )


def _samples(report: DayReport) -> Table:
    return _table(
        "samples",
        "place:code finding:text what:text",
        ((row.where, _title(row.code, report), row.what) for row in report.finding_samples),
    )


def _title(code: str, report: DayReport) -> Text:
    return next((row.title for row in report.findings if row.code == code), Text(en=code, zh=code))


def _spoil(report: DayReport) -> Table:
    return _table(
        "spoil",
        "kind:text injected:count right:count other:count missed:count",
        ((row.title, row.injected, row.right, row.other, row.missed) for row in report.spoil),
        total=True,
    )


def _positions(report: DayReport) -> Table:
    return _table(
        "positions",
        "participant:text role:text position:money",
        (
            (row.name, ROLE_WORDS.get(row.role, Text(en=row.role, zh=row.role)), row.position_fen)
            for row in report.positions
        ),
        total=True,
    )


def _orders(report: DayReport) -> Table:
    names = {row.code: row.name for row in report.positions}
    return _table(
        "orders",
        "order:code payer:text payee:text amount:money",
        (
            (row.number, _party(row.payer, names), _party(row.payee, names), row.amount_fen)
            for row in report.orders
        ),
        total=True,
    )


def _party(code: str, names: Mapping[str, Text]) -> Text:
    """A participant, or the account of an issuer that holds its customers' money (``issuer.float``)."""
    if name := names.get(code):
        return name
    if (owner := code.removesuffix(".float")) != code and owner in names:
        name, funds = names[owner], WORDS["customer_funds"]
        return Text(en=f"{name.en}: {funds.en}", zh=f"{name.zh}：{funds.zh}")
    return Text(en=code, zh=code)


def _hours(report: DayReport) -> Table:
    return _table(
        "hours",
        "hour:code boards:count exits:count entries:count charged:money",
        ((f"{row.hour:02d}:00", row.boards, row.exits, row.entries, row.charged_fen) for row in report.hours),
        total=True,
    )


def _inferred(report: DayReport) -> Table:
    return _table("notes", "fact:text count:count", ((row.title, row.count) for row in report.inferred))
