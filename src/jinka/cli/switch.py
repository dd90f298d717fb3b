"""`jinka switch`: serve, ask a running switch how it is and tell it what to do, read its journal."""

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
        int,
        typer.Option(
            min=0,
            max=256,
            help="How many processes share the ports and the journal; as the file says without it.",
        ),
    ] = 0,
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


@app.command("cut-over")
@json_command
def cut_over(
    file: File,
    date: Annotated[str, typer.Option(help="The date that begins, YYYY-MM-DD; without it the next.")] = "",
) -> list[dict[str, Any]]:
    """End the business date of a running switch, in all its workers.

    Example: [bold]jinka switch cut-over switch.toml[/bold]
    """
    from jinka.app.switch_control import cut_over as tell

    return tell(file, date)


@app.command("exchange-keys")
@json_command
def exchange_keys(
    file: File,
    peer: Annotated[str, typer.Option(help="The peer that gets a new key.")],
    pin: Annotated[bool, typer.Option("--pin", help="Its PIN key; without it the MAC key.")] = False,
) -> dict[str, Any]:
    """Let a running switch offer a peer a new key. The status counts keys_exchanged when the peer took it.

    Example: [bold]jinka switch exchange-keys switch.toml --peer bank[/bold]
    """
    from jinka.app.switch_control import exchange_keys as tell

    return tell(file, peer, pin=pin)


@app.command()
@json_command
def reconcile(
    file: File,
    peer: Annotated[str, typer.Option(help="The peer that gets our sums.")],
    date: Annotated[str, typer.Option(help="The business date, YYYY-MM-DD; without it the open one.")] = "",
) -> dict[str, Any]:
    """Let a running switch send a peer the sums of a business date (0500). What comes back is in the journal.

    Example: [bold]jinka switch reconcile switch.toml --peer bank --date 2026-01-05[/bold]
    """
    from jinka.app.switch_control import reconcile as tell

    return tell(file, peer, date)


@app.command()
@json_command
def totals(
    file: File,
    date: Annotated[str, typer.Option(help="The business date, YYYY-MM-DD.")],
) -> dict[str, Any]:
    """What passed between the switch and each peer on a business date, and what each is owed.

    Example: [bold]jinka switch totals switch.toml --date 2026-01-05[/bold]
    """
    from jinka.app.switch_control import day_totals

    return day_totals(file, date)
