"""`jinka tariff`: fares as data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import command, put, put_json

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at fares. Example: [bold]jinka tariff fit taps.csv[/bold]",
)


@app.callback()
def root() -> None:
    """Look at fares."""


@app.command()
@command
def fit(
    taps: Annotated[Path, typer.Argument(help="Real taps (CSV or JSON pages).", metavar="TAPS")],
    seed: Annotated[int, typer.Option(help="Which half is which.")] = 1,
    as_json: Annotated[bool, typer.Option("--json", help="Print the data as JSON.")] = False,
) -> None:
    """Find the fare rules on one half of a file and try them on the other half."""
    from jinka.app.fit_tariff import fit_tariff

    found = fit_tariff(taps, seed=seed)
    if as_json:
        put_json(found)
        return
    for mode, rules in found["rules"].items():
        put(f"{mode}: " + "; ".join(rules))
    put(f"explained of the other half: {found['explained_share_of_other_half']:.2%}")
    put(f"explained by {found['declared_tariff']} as declared: {found['declared_explains_share']:.2%}")
