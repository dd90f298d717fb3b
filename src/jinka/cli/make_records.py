"""`jinka make-records`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from jinka.cli.frame import json_command
from jinka.cli.numbers import number


@json_command
def make_records(
    out: Annotated[Path, typer.Option("--out", help="The folder to make.", metavar="DIR")],
    records: Annotated[
        int, typer.Option(parser=number, metavar="NUMBER", help="How many, such as 10M.")
    ] = 1_000_000,
    cards: Annotated[
        int | None,
        typer.Option(parser=number, metavar="NUMBER", help="Of how many cards; by default half as many."),
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same records.")] = 2018,
    bad: Annotated[float, typer.Option(min=0, max=1, help="The share of records with a wrong TAC.")] = 0.01,
) -> dict[str, Any]:
    """Make valid clearing records in bulk, 3DES and SM4, as Parquet, with registry and simulated keys.

    Example: [bold]jinka make-records --records 10M --cards 5M --out out/records[/bold]
    """
    from jinka.app.make_records import make_record_files

    return make_record_files(out, records=records, cards=cards or max(1, records // 2), seed=seed, bad=bad)
