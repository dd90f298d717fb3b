"""The day as one self-contained HTML page in Chinese and English.

No script, no font and no picture is fetched: the page works from a file, under its own Content-Security-Policy
(which allows nothing but its style sheet, by hash), on paper and in the dark. The language is switched by two radio
buttons and CSS alone. Escaping is Jinja2's; only `charts` makes markup, and it escapes what it is given.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from jinka import __version__
from jinka.kit import format_minor
from jinka.reports import charts
from jinka.reports.day import DayReport, Outcome, Text
from jinka.reports.tables import Kind, day_tables_of, shown
from jinka.reports.words import WORDS, Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One sentence at the top of the page, and whether it is good news."""

    good: bool
    text: Text


def render_page(report: DayReport, *, language: Language = Language.EN) -> str:
    """Return the page; ``language`` is the one shown first, the other is one click away."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("jinka.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    loader = environment.loader
    assert loader is not None
    style = loader.get_source(environment, "day.css")[0]
    context: dict[str, Any] = {
        "report": report,
        "language": language.value,
        "style": Markup(style),  # noqa: S704 our own file
        "style_hash": base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        "tables": day_tables_of(report),
        "verdicts": verdicts(report),
        "charts": _charts(report),
        "words": WORDS,
        "Kind": Kind,
        "shown": shown,
        "yuan": format_minor,
        "version": __version__,
        "subsidy_fen": sum(row.subsidy_fen for row in report.by_operator),
        "both": lambda text: charts.both(text, tag="span"),
    }
    return environment.get_template("day.html.j2").render(context)


def verdicts(report: DayReport) -> list[Verdict]:
    """What someone in a hurry has to know, the books first."""
    refused = sum(row.count for row in report.outcomes if row.outcome in (Outcome.REJECTED, Outcome.PARKED))
    said = [
        Verdict(good=report.books_balance, text=WORDS["balanced" if report.books_balance else "unbalanced"]),
        Verdict(
            good=not report.unexplained,
            text=WORDS["some_unexplained" if report.unexplained else "all_explained"],
        ),
    ]
    if report.spoil:
        found = not report.false_rejections and all(row.right == row.injected for row in report.spoil)
        said.append(Verdict(good=found, text=WORDS["all_found" if found else "some_missed"]))
    elif refused:
        text = Text(
            en=f"{refused:,} records were refused or set aside.", zh=f"{refused:,} 笔记录被拒付或搁置。"
        )
        said.append(Verdict(good=False, text=text))
    else:
        said.append(Verdict(good=True, text=WORDS["nothing_refused"]))
    return said


def _charts(report: DayReport) -> dict[str, Markup]:
    """The charts that have something to show, by the name of their section."""
    drawn = {}
    if report.hours:
        drawn["hours"] = _hours(report)
    if report.by_operator:
        drawn["operators"] = charts.bars(
            [
                charts.Bar(
                    label=row.name,
                    parts=(row.charged_fen, row.subsidy_fen),
                    figure=format_minor(row.charged_fen + row.subsidy_fen),
                )
                for row in sorted(
                    report.by_operator, key=lambda row: (-row.charged_fen - row.subsidy_fen, row.code)
                )
            ],
            name="chart-operators",
            title=WORDS["operators"],
            describe=Text(
                en="For each operator what cards were charged, and the subsidy on top, in yuan",
                zh="各运营方实扣金额与补贴，单位元",
            ),
        )
    if refused := _refused(report):
        drawn["refused"] = charts.bars(
            refused,
            name="chart-refused",
            title=WORDS["refused"],
            describe=Text(en="How many records were refused for each reason", zh="各原因拒付笔数"),
        )
    if report.positions:
        drawn["positions"] = charts.balances(
            [
                (row.name, row.position_fen)
                for row in sorted(report.positions, key=lambda row: -row.position_fen)
            ],
            name="chart-positions",
            title=WORDS["positions"],
            describe=Text(
                en="To the right those who receive, to the left those who pay, in yuan",
                zh="右侧为应收方，左侧为应付方，单位元",
            ),
        )
    return drawn


def _hours(report: DayReport) -> Markup:
    """From the first hour with a tap to the last one, the quiet hours between them included."""
    known = {row.hour: (row.boards, row.exits, row.entries) for row in report.hours}
    busy = [hour for hour, parts in known.items() if any(parts)] or [0]
    return charts.columns(
        [(f"{hour:02d}", known.get(hour, (0, 0, 0))) for hour in range(min(busy), max(busy) + 1)],
        name="chart-hours",
        title=WORDS["hours"],
        describe=Text(
            en="Bus boardings, metro exits and metro entries in each hour",
            zh="每小时公交上车、地铁出站与进站次数",
        ),
        axis=WORDS["taps_axis"],
    )


def _refused(report: DayReport) -> Sequence[charts.Bar]:
    rows = [
        row
        for row in report.outcomes
        if row.count and row.outcome not in (Outcome.PAID, Outcome.UNCONFIRMED, Outcome.VOID)
    ]
    rows.sort(key=lambda row: (-row.count, row.reason))
    return [charts.Bar(label=row.title, parts=(row.count,), figure=f"{row.count:,}") for row in rows]
