"""The day as tables for a terminal, in one language; Rich draws them, and leaves colours out where it should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.kit import format_minor
from jinka.reports.day import DayReport
from jinka.reports.page import verdicts
from jinka.reports.tables import Kind, Table, day_tables_of, shown
from jinka.reports.words import WORDS, Language, in_language

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table as RichTable


def day_tables(report: DayReport, language: Language) -> Group:
    """The whole day, the verdicts last so that they are what remains on the screen."""
    from rich.console import Group
    from rich.text import Text as RichText

    parts: list[RichText | RichTable] = [RichText()]
    head = in_language(report.source.city, language)
    parts += [RichText(f"{head}  {report.source.business_date}", style="bold"), _figures(report, language)]
    parts += [
        drawn(table, language)
        for name, table in day_tables_of(report).items()
        if name not in ("hours", "orders")
    ]
    parts.append(_books(report, language))
    for verdict in verdicts(report):
        sign, style = ("✓", "green") if verdict.good else ("!", "bold red")
        parts.append(RichText(f"{sign} {in_language(verdict.text, language)}", style=style))
    for note in report.source.simulated:
        parts.append(RichText(f"· {in_language(note, language)}", style="dim"))
    parts.append(RichText(_run(report, language), style="dim"))
    return Group(*parts)


def _run(report: DayReport, language: Language) -> str:
    """How long this run took, stage by stage, and with which engines."""
    stages = [f"{row.stage} {row.seconds:.1f} s" for row in report.timings]
    engines = [f"{row.name} {row.version}" for row in report.engines]
    return f"{in_language(WORDS['run'], language)}: {', '.join(stages + engines)}"


def _figures(report: DayReport, language: Language) -> RichTable:
    counts = {
        "charged": format_minor(report.charged_fen),
        "gross": format_minor(report.gross_fen),
        "taps": f"{report.taps:,}",
        "debits": f"{report.debits:,}",
        "loads": f"{report.loads:,}",
        "cards": f"{report.cards:,}",
        "terminals": f"{report.terminals:,}",
        "rows_read": f"{report.rows_read:,}",
        "duplicates": f"{report.duplicates_dropped:,}",
    }
    return _pairs(counts, language)


def _books(report: DayReport, language: Language) -> RichTable:
    proof, trial = report.float_proof, report.trial_balance
    amounts = {
        "cards_hold": proof.cards_fen,
        "in_transit": proof.transit_fen,
        "in_suspense": proof.suspense_fen,
        "liability": proof.liability_fen,
        "difference": proof.difference_fen,
        "still_open": report.settlement_proof.open_fen,
        "operators_short": report.settlement_proof.operators_short_fen,
        "debit_side": trial.debits_fen,
        "credit_side": trial.credits_fen,
    }
    table = _pairs({name: format_minor(amount) for name, amount in amounts.items()}, language)
    table.title = in_language(WORDS["books"], language)
    return table


def _pairs(values: dict[str, str], language: Language) -> RichTable:
    table = _frame()
    table.show_header = False
    table.add_column()
    table.add_column(justify="right")
    for name, value in values.items():
        table.add_row(in_language(WORDS[name], language), value)
    return table


def drawn(spec: Table, language: Language) -> RichTable:
    """One table."""
    from rich.text import Text as RichText

    table = _frame()
    table.title = in_language(spec.caption, language)
    table.show_footer = bool(spec.total)
    for index, column in enumerate(spec.columns):
        foot = in_language(shown(spec.total[index], column), language) if spec.total else ""
        right = column.kind in (Kind.COUNT, Kind.MONEY)
        head = in_language(WORDS[column.key], language)
        table.add_column(head, RichText(foot), justify="right" if right else "left", no_wrap=right)
    for row in spec.rows:
        cells = (
            in_language(shown(cell, column), language) for cell, column in zip(row, spec.columns, strict=True)
        )
        table.add_row(*(RichText(cell) for cell in cells))  # names are text, never Rich's markup
    return table


def _frame() -> RichTable:
    from rich.box import SIMPLE_HEAD
    from rich.table import Table as RichTable

    return RichTable(
        box=SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False, header_style="bold"
    )
