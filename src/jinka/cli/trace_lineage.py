"""`jinka trace back` and `forward`: where things come from, where they went, with the evidence and the breaks."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table, say
from jinka.kit import Usage
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

    from jinka.app.trace_lineage import Traced

app = typer.Typer(rich_markup_mode="rich")
_ROWS_MAX = 200
_FINDINGS = 6
Things = Annotated[
    list[str], typer.Argument(help="URNs, Digital Links, bits of tags or element strings.", metavar="THINGS")
]
At = Annotated[str, typer.Option(help="The repository's file (trace.toml) or its database.", metavar="PLACE")]
Svg = Annotated[Path | None, typer.Option(help="Draw the graph into this file.")]
Since = Annotated[str, typer.Option(help="What lay in a container from then on: 2026-05-01T08:00Z.")]
Until = Annotated[str, typer.Option(help="And until then.")]
Viewer = Annotated[str, typer.Option("--as", help="As this participant may see it (docs/trace.md).")]
Lang = Annotated[Language, typer.Option(help="Language of what is shown and drawn.")]
_HEADS = (("thing", "kind", "steps", "where"), ("物品", "类别", "步数", "位置"))


@app.command()
@command
def back(things: Things, at: At = "trace.toml", svg: Svg = None, since: Since = "", until: Until = "",
         viewer: Viewer = "", as_json: Json = False, lang: Lang = Language.EN) -> int:  # fmt: skip
    """Show what things were made of and where they came from. Code 6 where the chain is broken.

    Example: [bold]jinka trace back urn:epc:id:sgtin:4012345.077889.25 --at trace.toml --svg back.svg[/bold]
    """
    return _trace(things, at, svg, (since, until), lang, viewer, forward=False, as_json=as_json)


@app.command()
@command
def forward(things: Things, at: At = "trace.toml", svg: Svg = None, since: Since = "", until: Until = "",
            viewer: Viewer = "", as_json: Json = False, lang: Lang = Language.EN) -> int:  # fmt: skip
    """Show what was made of things, and where all of it is now. Code 6 where the chain is broken.

    Example: [bold]jinka trace forward urn:epc:class:lgtin:4012345.011111.4444 --at trace.toml --lang zh[/bold]
    """
    return _trace(things, at, svg, (since, until), lang, viewer, forward=True, as_json=as_json)


def moment(text: str, *, where: str) -> int | None:
    """A time with its zone as microseconds; None for an empty text."""
    if not text:
        return None
    try:
        at = dt.datetime.fromisoformat(text)
    except ValueError:
        raise Usage(f"not a time: {text!r}", where=where, fix="2026-05-01T08:00Z") from None
    if at.tzinfo is None:
        raise Usage("a time without a zone", where=where, fix="2026-05-01T08:00Z, or with +08:00")
    return int(at.timestamp()) * 1_000_000 + at.microsecond


def _trace(things: list[str], at: str, svg: Path | None, times: tuple[str, str], lang: Language, viewer: str, *,
           forward: bool, as_json: bool) -> int:  # fmt: skip
    from jinka.app.trace_lineage import trace
    from jinka.node import write_durable

    since, until = moment(times[0], where="--since"), moment(times[1], where="--until")
    found = trace(at, things, forward=forward, since_us=since, until_us=until, viewer=viewer)
    if svg is not None:
        write_durable(svg, found.svg(lang).encode())
        say(str(svg))
    if as_json:
        put_json(found.facts())
    else:
        _put(found, lang)
    return _FINDINGS if found.graph.breaks else 0


def _put(found: Traced, lang: Language) -> None:
    from jinka.reports.trace_graph import break_texts

    put_table(_table(found, lang))
    for text in break_texts(found.graph, lang):
        put(text)


def _table(found: Traced, lang: Language) -> Table:
    from rich.table import Table

    from jinka.reports.trace_graph import node_words

    table = Table(*_HEADS[lang is Language.ZH])
    nodes = found.graph.nodes
    for node in nodes[:_ROWS_MAX]:
        table.add_row(*node_words(node, found.graph.names, lang))
    if len(nodes) > _ROWS_MAX:
        table.add_row(f"… {len(nodes) - _ROWS_MAX:,}", "", "", "")
    return table
