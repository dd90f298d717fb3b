"""Charts as inline SVG, drawn here: no script, no font, no network, readable on paper and in the dark.

Colours come from the page's style by class. Every chart has a title and a description for those who cannot see
it, and the page has the same figures as a table. Text inside a chart stands twice, once for each language.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from jinka.kit import format_minor
from jinka.reports.day import Text

_WIDTH = 960
_LABEL = 250  # room for names left of horizontal bars
_FIGURE = 130  # room for figures right of them
_ROW = 34


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One horizontal bar: its parts are stacked, its figure stands at the end."""

    label: Text
    parts: tuple[int, ...]
    figure: str


def both(text: Text, *, tag: str = "tspan") -> Markup:
    """A wording in both languages; the page's style shows one of them."""
    return Markup("<{0} lang='en'>{1}</{0}><{0} lang='zh-CN'>{2}</{0}>").format(tag, text.en, text.zh)


def columns(
    rows: Sequence[tuple[str, tuple[int, ...]]], *, name: str, title: Text, describe: Text, axis: Text
) -> Markup:
    """Stacked columns, one for each (label, parts); the axis begins at zero."""
    top, bottom, left, height = 26, 30, 64, 300
    peak = max((sum(parts) for _, parts in rows), default=0)
    step = _round_step(peak)
    ceiling = max(step, -(-peak // step) * step)
    plot = height - top - bottom
    slot = (_WIDTH - left) / max(len(rows), 1)
    drawn = []
    for tick in range(0, ceiling + 1, step):
        y = _n(height - bottom - plot * tick / ceiling)
        drawn.append(f"<line class='grid' x1='{left}' x2='{_WIDTH}' y1='{y}' y2='{y}'/>")
        drawn.append(f"<text class='tick end' x='{left - 10}' y='{y}' dy='.32em'>{tick:,}</text>")
    for index, (label, parts) in enumerate(rows):
        x, edge = left + slot * (index + 0.16), float(height - bottom)
        for number, part in enumerate(parts):
            tall = plot * part / ceiling
            edge -= tall
            if part:
                place = f"x='{_n(x)}' y='{_n(edge)}' width='{_n(slot * 0.68)}' height='{_n(tall)}'"
                drawn.append(f"<rect class='s{number}' {place}/>")
        drawn.append(
            f"<text class='tick mid' x='{_n(x + slot * 0.34)}' y='{height - bottom + 19}'>{escape(label)}</text>"
        )
    drawn.append(f"<text class='tick' x='0' y='11'>{both(axis)}</text>")
    return _svg(drawn, height, name=name, title=title, describe=describe)


def bars(rows: Sequence[Bar], *, name: str, title: Text, describe: Text) -> Markup:
    """Horizontal bars of stacked parts, longest first as given."""
    peak = max((sum(row.parts) for row in rows), default=0) or 1
    width = _WIDTH - _LABEL - _FIGURE
    drawn = []
    for index, row in enumerate(rows):
        y = index * _ROW
        drawn.append(_name(row.label, _LABEL - 14, y))
        x = float(_LABEL)
        for number, part in enumerate(row.parts):
            long = width * part / peak
            if part:
                place = f"x='{_n(x)}' y='{y + 6}' width='{_n(max(long, 1))}' height='{_ROW - 14}'"
                drawn.append(f"<rect class='s{number}' {place}/>")
            x += long
        drawn.append(
            f"<text class='figure' x='{_n(x + 8)}' y='{y + _ROW / 2 - 1}' dy='.35em'>{escape(row.figure)}</text>"
        )
    return _svg(drawn, max(len(rows), 1) * _ROW, name=name, title=title, describe=describe)


def balances(rows: Sequence[tuple[Text, int]], *, name: str, title: Text, describe: Text) -> Markup:
    """Bars to the right of the middle for those who receive, to the left for those who pay (amounts in fen)."""
    peak = max((abs(amount) for _, amount in rows), default=0) or 1
    middle = _LABEL + (_WIDTH - _LABEL) / 2
    half = (_WIDTH - _LABEL) / 2 - _FIGURE
    height = max(len(rows), 1) * _ROW
    drawn = [f"<line class='axis' x1='{_n(middle)}' x2='{_n(middle)}' y1='0' y2='{height}'/>"]
    for index, (label, amount) in enumerate(rows):
        y, long = index * _ROW, half * abs(amount) / peak
        x = middle if amount >= 0 else middle - long
        side, anchor = (x + long + 8, "") if amount >= 0 else (x - 8, " end")
        drawn.append(_name(label, _LABEL - 14, y))
        drawn.append(
            f"<rect class='{'in' if amount >= 0 else 'out'}' x='{_n(x)}' y='{y + 6}'"
            f" width='{_n(long)}' height='{_ROW - 14}'/>"
        )
        figure = format_minor(amount)
        drawn.append(
            f"<text class='figure{anchor}' x='{_n(side)}' y='{y + _ROW / 2 - 1}' dy='.35em'>{figure}</text>"
        )
    return _svg(drawn, height, name=name, title=title, describe=describe)


def _svg(drawn: Sequence[str], height: float, *, name: str, title: Text, describe: Text) -> Markup:
    """Wrap shapes; ``name`` is the chart's id within the page. Reading programs get both languages."""
    head = Markup(
        "<svg viewBox='0 0 {w} {h}' role='img' aria-labelledby='{n}-t {n}-d'>"
        "<title id='{n}-t'>{t} / {tz}</title><desc id='{n}-d'>{d} / {dz}</desc>"
    ).format(w=_WIDTH, h=height, n=name, t=title.en, tz=title.zh, d=describe.en, dz=describe.zh)
    return head + Markup("".join(drawn)) + Markup("</svg>")  # noqa: S704 every text in it was escaped above


def _name(label: Text, x: float, y: float) -> str:
    return f"<text class='name end' x='{x}' y='{y + _ROW / 2 - 1}' dy='.35em'>{both(_short(label))}</text>"


def _short(label: Text) -> Text:
    """Names must fit beside the bars; a Chinese character is about two letters wide."""
    return Text(en=_cut(label.en, 29), zh=_cut(label.zh, 16))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _round_step(peak: int) -> int:
    """A step of 1, 2 or 5 times a power of ten that gives at most five lines."""
    step = 1
    while True:
        for factor in (1, 2, 5):
            if step * factor * 5 >= peak:
                return step * factor
        step *= 10


def _n(value: float) -> str:
    """A coordinate, short and the same on every machine."""
    return f"{value:.1f}".removesuffix(".0")
