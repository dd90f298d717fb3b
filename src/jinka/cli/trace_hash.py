"""`jinka trace hash`: the hash that identifies an event, whatever it was written in."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, say
from jinka.reports import Language

app = typer.Typer(rich_markup_mode="rich")
_FINDINGS = 6
_DIFFERS = {
    Language.EN: "event {number} of {file} bears another hash: {event_id}",
    Language.ZH: "{file} 的第 {number} 个事件所带的哈希不同：{event_id}",
}


@app.command("hash")
@command
def hash_(
    files: Annotated[
        list[str], typer.Argument(help="EPCIS documents, JSON or XML; - is standard input.", metavar="FILES")
    ],
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="An extension that does not count, as {namespace}name; may be repeated."),
    ] = None,
    pre_hash: Annotated[
        bool, typer.Option("--pre-hash", help="Show the string that is hashed instead.")
    ] = False,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of what is said.")] = Language.EN,
) -> int:
    """Print the hash of every event (CBV 2.0, 8.9), one a line. Code 6 where an event bears another one.

    Example: [bold]jinka trace hash events.json[/bold]
    """
    from jinka.app.trace_hash import hash_events

    found = hash_events(files, ignore=ignore or ())
    if as_json:
        put_json([asdict(one) for one in found])
    elif found:
        put("\n".join(one.pre_hash if pre_hash else one.hash for one in found))
    wrong = [one for one in found if one.matches is False]
    for one in wrong:
        say(_DIFFERS[lang].format(**asdict(one)))
    return _FINDINGS if wrong else 0
