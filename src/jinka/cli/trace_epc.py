"""`jinka trace epc`: a code of a tag, a URN, a link or a barcode in all its forms."""

from __future__ import annotations

from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put_either

app = typer.Typer(rich_markup_mode="rich")


@app.command()
@command
def epc(
    codes: Annotated[list[str], typer.Argument(help="An EPC URN or a GS1 Digital Link; several may follow.")],
    as_json: Json = False,
) -> None:
    """Show the one name that a thing has in every form of its code.

    Example: [bold]jinka trace epc urn:epc:id:sgtin:0614141.812345.6789[/bold]
    """
    from jinka.codec.tags import canonical_id

    found = [{"code": code, "canonical": canonical_id(code)} for code in codes]
    put_either(found, "\n".join(row["canonical"] for row in found), as_json=as_json)
