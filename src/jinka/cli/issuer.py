"""`jinka issuer`: serve the issuer's host, take cards in, and report the migration to the chip."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import command, json_command, put_json, put_table

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Decide payments for the cards of one issuer. Example: [bold]jinka issuer serve issuer.toml[/bold]",
)
File = Annotated[Path, typer.Argument(help="The issuer's file (docs/issuer-host.md).", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def root() -> None:
    """Decide payments for the cards of one issuer."""


@app.command()
@command
def serve(file: File) -> None:
    """Serve until SIGTERM or Ctrl-C. One line of JSON on standard output says that it listens.

    Example: [bold]jinka issuer serve issuer.toml[/bold]
    """
    from jinka.app.issuer_host import serve_issuer

    serve_issuer(file, listening=put_json)


@app.command()
@json_command
def cards(
    file: File,
    rows: Annotated[Path, typer.Argument(help="CSV of cards and accounts.", metavar="CSV", exists=True)],
) -> dict[str, Any]:
    """Take cards and accounts in; what is known already stays as it is.

    Example: [bold]jinka issuer cards issuer.toml cards.csv[/bold]
    """
    from jinka.app.issuer_host import import_cards

    return import_cards(file, rows)


@app.command()
@json_command
def journal(
    file: File,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Only these states or reasons, such as lapsed or disputed; differ: totals of a day."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of the newest.")] = 20,
) -> list[dict[str, Any]]:
    """The newest transactions in the books, without card numbers.

    Example: [bold]jinka issuer journal issuer.toml --state disputed[/bold]
    """
    from jinka.app.issuer_journal import issuer_journal

    return issuer_journal(file, states=tuple(state or ()), limit=limit)


@app.command("agent-pays-in")
@json_command
def agent_pays_in(
    file: File,
    agent: Annotated[
        str, typer.Argument(help="The agent's name in the table loads.agents.", metavar="AGENT")
    ],
    fen: Annotated[int, typer.Option(help="How much, in fen.", min=1)],
    reference: Annotated[str, typer.Option(help="The payment's own number; the same again pays nothing in.")],
) -> dict[str, Any]:
    """Book an agent's prepaid money, which bounds the purse loads that it sells. Prints what it has.

    Example: [bold]jinka issuer agent-pays-in issuer.toml kiosk --fen 1000000 --reference T20260105[/bold]
    """
    from jinka.app.issuer_host import agent_pays_in as pay

    return pay(file, agent, fen, reference)


@app.command()
@command
def migration(
    file: File,
    language: Annotated[str, typer.Option("--lang", help="en or zh.")] = "en",
    as_json: Json = False,
) -> None:
    """How cards were read, chip or stripe, whose risk it is, and where terminals fall back.

    Example: [bold]jinka issuer migration issuer.toml --lang zh[/bold]
    """
    from rich.table import Table

    from jinka.app.issuer_host import chip_migration

    report = chip_migration(file)
    head, rows = report.table(language)
    if as_json:
        watched = [asdict(line) | {"permille": line.permille} for line in report.watched]
        lines = [dict(zip(report.table("en")[0], row, strict=True)) for row in report.table("en")[1]]
        months = {str(month): share for month, share in report.months.items()}
        put_json({"lines": lines, "fallbacks": watched, "chip_permille": months,
                  "cards": report.cards, "chip_cards": report.chip_cards})  # fmt: skip
        return
    table = Table(*head)
    for row in rows:
        table.add_row(*row)
    put_table(table)
