"""`jinka switch`: serve, ask a running switch how it is, read its journal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import command, json_command, put_json

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Route and keep card payments. Example: [bold]jinka switch serve switch.toml[/bold]",
)
File = Annotated[Path, typer.Argument(help="The switch's file (docs/switch.md).", metavar="FILE")]


@app.callback()
def root() -> None:
    """Route and keep card payments."""


@app.command()
@command
def serve(
    file: File,
    worker: Annotated[int, typer.Option(min=0, max=255, help="The number of this process.")] = 0,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="How many processes share the ports and the journal.")
    ] = 1,
) -> None:
    """Serve until SIGTERM or Ctrl-C. One line of JSON on standard output says that it listens.

    Several processes may share one file: give each its --worker, and the same --workers.

    Example: [bold]jinka switch serve switch.toml[/bold]
    """
    from jinka.app.switch_serving import serve_switch

    serve_switch(file, worker=worker, workers=workers, listening=put_json)


@app.command()
@json_command
def status(
    address: Annotated[str, typer.Argument(help="Where its metrics are: HOST:PORT.")],
) -> dict[str, Any]:
    """Lines, sessions, what is stored for whom, and counts of a running switch.

    Example: [bold]jinka switch status 127.0.0.1:9108[/bold]
    """
    from jinka.app.switch_serving import switch_status

    return switch_status(address)


@app.command()
@json_command
def journal(
    file: File,
    state: Annotated[
        list[str] | None, typer.Option(help="Only these states, such as refused or reversing.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 20,
) -> list[dict[str, Any]]:
    """The newest lines of the journal, card numbers masked.

    Example: [bold]jinka switch journal switch.toml --state refused[/bold]
    """
    from jinka.app.switch_serving import journal_lines

    return [asdict(line) for line in journal_lines(file, states=tuple(state or ()), limit=limit)]
