"""`jinka bin`: which bank a card is of."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table, say
from jinka.kit import Severity
from jinka.reports import Language

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Bank identification numbers. Example: [bold]jinka bin lookup 6222021234567890123[/bold]",
)
Directory = Annotated[Path, typer.Option("--dir", help="The folder of the table.")]
Lang = Annotated[Language, typer.Option(help="Language of the table.")]
_FOLDER = Path("out/bins")


@app.command("import")
@command
def import_(
    file: Annotated[Path, typer.Argument(help="CSV: bin,bank,type,length.")],
    directory: Directory = _FOLDER,
    names: Annotated[Path | None, typer.Option(help="CSV: bank,name.")] = None,
    source: Annotated[str, typer.Option(help="Where the table comes from.")] = "",
    as_json: Json = False,
) -> int:
    """Take a table in. Bad rows are left out and shown (exit code 6); ambiguous ones keep their first meaning.

    Example: [bold]jinka bin import bin.csv --names name.csv --dir out/bins[/bold]
    """
    from jinka.app.bins import import_bins

    done = import_bins(file, directory, names=names, source=source)
    if as_json:
        put_json(
            {
                "file": str(done.path),
                "source": done.table.source,
                "rows": len(done.table.bins),
                "banks": len({row.bank for row in done.table.bins}),
                "findings": [finding.as_dict() for finding in done.findings],
            }
        )
    else:
        from rich.table import Table

        put(f"{len(done.table.bins):,} prefixes from {done.table.source}: {done.path}")
        if done.findings:
            table = Table(box=None, pad_edge=False, header_style="bold")
            for heading in ("finding", "where", "what", "kept"):
                table.add_column(heading, overflow="fold")
            for finding in done.findings:
                table.add_row(finding.code, finding.where, finding.what, finding.fix)
            put_table(table)
    bad = sum(finding.severity is Severity.ERROR for finding in done.findings)
    if bad:
        say(f"{bad:,} rows were left out")
    return 6 if bad else 0


@app.command()
@command
def lookup(
    card: Annotated[str, typer.Argument(help="A card number.")],
    directory: Directory = _FOLDER,
    as_json: Json = False,
    lang: Lang = Language.EN,
) -> None:
    """Tell the bank of a card by its longest prefix.

    Example: [bold]jinka bin lookup 6222021234567890123 --json[/bold]
    """
    from jinka.app.bins import as_plain, look_up

    table, row = look_up(directory, card)
    if as_json:
        put_json(as_plain(table, row))
        return
    kind = row.kind.title[lang is Language.ZH]
    put(f"{row.bank}  {table.name_of(row.bank)}  {kind}  {row.prefix}  ({table.source})")
