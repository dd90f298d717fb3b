"""`jinka serve` and `jinka status`: the whole network from one file, and how it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import command, put_json, put_table, say

_FOLDER = Path("out/serve")
Json = Annotated[bool, typer.Option("--json", help="Print the data as JSON.")]


@command
def serve(
    file: Annotated[
        Path | None,
        typer.Argument(help="jinka.toml (docs/serve.md); without it that of --dir, made when there is none."),
    ] = None,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help=f"Where a small network is, or is made; {_FOLDER} without it."),
    ] = None,
    first_port: Annotated[
        int,
        typer.Option(
            help="Of a network that is made: the first of eight ports in a row; the usual ones without it."
        ),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Serve switch, issuer's host, gateway and key service until SIGTERM or Ctrl-C.

    Without a file it makes a simulated bank with cards, a merchant and a terminal first. One line a part on standard
    error says where it is reached; with --json all of it as data, once all are ready.

    Example: [bold]jinka serve --dir out/serve[/bold]
    """
    from jinka.app.new_network import open_network
    from jinka.app.serving import serve as serve_parts

    path, made = open_network(file, directory, _FOLDER, first_port)
    if made:
        say(f"made {path}: a simulated bank. Its cards, with their PINs: {path.parent / 'holders.csv'}")
        if "merchant" in made and not as_json:
            told = made["merchant"]
            say(f"merchant {told['merchant']}: API key {told['key']} (shown once)")

    def ready(facts: dict[str, Any]) -> None:
        if as_json:
            put_json({"file": str(path), **made, "parts": facts})

    serve_parts(path, tell=_tell, ready=ready)


def _tell(part: str, event: str, facts: Mapping[str, Any]) -> None:
    if event == "ready":
        from jinka.app.serving import address_line

        say(f"{part:8} {address_line(part, facts)}")
    elif event == "said":
        say(f"{part:8} {facts['text']}")
    elif event == "died":
        say(f"{part:8} {facts['how']}" + ("; it is started again" if facts["again"] else ""))
    elif event in ("taken along", "killed"):
        say(f"{part:8} {event}: {next(iter(facts.values()))}")


@command
def status(
    file: Annotated[
        Path | None, typer.Argument(help="jinka.toml (docs/serve.md); without it that of --dir.")
    ] = None,
    directory: Annotated[
        Path | None, typer.Option("--dir", help=f"Where a small network is; {_FOLDER} without it.")
    ] = None,
    as_json: Json = False,
) -> int:
    """Say which parts are up, which lines are signed on, and what is stored. Exit code 6 when a part is down.

    Example: [bold]jinka status --dir out/serve[/bold]
    """
    from rich.table import Table

    from jinka.app.new_network import FILE
    from jinka.app.serve_status import network_status

    found = network_status(file or (directory or _FOLDER) / FILE)
    if as_json:
        put_json([part.as_dict() for part in found])
    else:
        table = Table("part", "up", "")
        for part in found:
            table.add_row(part.part, {True: "yes", False: "no", None: "?"}[part.up], "\n".join(part.words()))
        put_table(table)
    return 6 if any(part.up is False for part in found) else 0
