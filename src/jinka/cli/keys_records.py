"""`jinka keys list`, `show` and `record verify`: the catalogue and the signed records, without opening the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, say

if TYPE_CHECKING:
    from jinka.keys.minutes import Minutes

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich")
record = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at the signed records. Example: [bold]jinka keys record verify out/keys[/bold]",
)
app.add_typer(record, name="record")

Folder = Annotated[Path, typer.Argument(help="The folder of the key store.", metavar="DIR")]
Name = Annotated[str, typer.Argument(help="purpose/algorithm/version[@owner], such as purchase/TDES/4.")]


@app.command("list")
@command
def list_(folder: Folder, as_json: Json = False) -> None:
    """List the catalogue: name, check value, state, dates. No value is read.

    Example: [bold]jinka keys list out/keys[/bold]
    """
    _catalogue(folder, "", as_json)


@app.command()
@command
def show(folder: Folder, name: Name, as_json: Json = False) -> None:
    """Show one line of the catalogue.

    Example: [bold]jinka keys show out/keys tac/TDES/1[/bold]
    """
    _catalogue(folder, name, as_json)


@record.callback()
def record_root() -> None:
    """Look at the signed records."""


@record.command()
@command
def verify(
    folder: Folder,
    first: Annotated[
        str, typer.Option(help="The first record's digest, from a form or your own notes.")
    ] = "",
    as_json: Json = False,
) -> None:
    """Check every record and signature, each key's steps, and that the store is the one last recorded.

    Example: [bold]jinka keys record verify out/keys --first 3f2a...[/bold]
    """
    from jinka.app.key_folder import KeyFolder

    room = KeyFolder(folder)
    room.mend()
    minutes = room.minutes(first)
    room.sealed(minutes)
    if as_json:
        put_json([facts(one) for one in minutes])
        return
    for one in minutes:
        names = ", ".join(key.name for key in one.present)
        touched = " ".join(map(str, one.touched))
        put(f"{one.number:4d}  {one.date}  {one.act.value:10}  {names}  {touched}".rstrip())
    put(f"{len(minutes)} records are in order; the store is that of the last, serial {minutes[-1].serial}")
    if not first:
        say("compare the first digest with a form, or name it with --first: " + minutes[0].digest)


def facts(minutes: Minutes) -> dict[str, object]:
    """A record as plain data."""
    return {
        "number": minutes.number,
        "date": minutes.date,
        "act": minutes.act.value,
        "present": [key.name for key in minutes.present],
        "custodians": [key.name for key in minutes.holders],
        "needed": minutes.needed,
        "touched": [str(name) for name in minutes.touched],
        "keys": {str(key.name): key.check for key in minutes.keys if key.name in minutes.touched},
        "serial": minutes.serial,
        "digest": minutes.digest,
        "simulated": minutes.simulated,
    }


def _catalogue(folder: Path, name: str, as_json: bool) -> None:
    from jinka.app.key_acts import catalogue
    from jinka.app.key_folder import KeyFolder
    from jinka.keys import KeyName

    rows = catalogue(KeyFolder(folder), KeyName.parse(name) if name else None)
    if as_json:
        put_json(rows)
        return
    for row in rows:
        dates = f"{row['valid_from'] or '-'} to {row['valid_to'] or '-'}"
        put(f"{row['name']:32} {row['check'].upper():8} {row['state']:12} {dates}")
