"""`jinka trace rebuild`: the index of traces made again from the events."""

from __future__ import annotations

from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put_either, say
from jinka.cli.trace_lineage import At
from jinka.reports import Language

app = typer.Typer(rich_markup_mode="rich")
_SAID = 50_000  # events between two words


@app.command()
@command
def rebuild(
    at: At = "trace.toml",
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of what is said.")] = Language.EN,
) -> None:
    """Make the edges of all events again, after a newer Jinka asked for it. Killed, it goes on where it was.

    Example: [bold]jinka trace rebuild --at trace.toml[/bold]
    """
    from jinka.app.trace_lineage import trace_database
    from jinka.store.trace_rebuild import rebuild_edges

    def told(count: int) -> None:
        if count % _SAID == 0:
            say(f"{count:,}")

    with trace_database(at) as database:
        count = rebuild_edges(database, told)
    text = (
        f"从 {count} 个事件重建了追溯索引"
        if lang is Language.ZH
        else f"made the edges of {count} events again"
    )
    put_either({"events": count}, text, as_json=as_json)
