"""`jinka trace epc`: a code of a tag, a URN, a link or a barcode in all its forms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from jinka.cli.frame import Json, command, put, put_json, put_table
from jinka.reports import Language

if TYPE_CHECKING:
    from rich.table import Table

    from jinka.app.trace_epc import Forms

app = typer.Typer(rich_markup_mode="rich")


@app.command()
@command
def epc(
    codes: Annotated[
        list[str],
        typer.Argument(
            help="Hexadecimal, an EPC URN, a GS1 Digital Link, an element string, a Chinese code."
        ),
    ],
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            help="What the codes are: tag, urn, link, elements, barcode, bank, tid, drug, ecode; else it is told.",
        ),
    ] = "auto",
    prefix_digits: Annotated[
        int | None, typer.Option(min=6, max=12, help="Digits of the company prefix in a barcode or link.")
    ] = None,
    prefixes: Annotated[
        Path | None, typer.Option(help="GS1's list of company prefixes (GCP Length Table, JSON).")
    ] = None,
    scheme: Annotated[str, typer.Option(help="Only the bits of this encoding, such as sgtin-96.")] = "",
    filter_value: Annotated[
        int | None, typer.Option("--filter", min=0, max=63, help="The filter value to encode.")
    ] = None,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the table.")] = Language.EN,
) -> None:
    """Show a code in all its forms: bits, URN, Digital Link, element string, and the one name of the thing.

    Example: [bold]jinka trace epc 3074257BF7194E4000001A85 --lang zh[/bold]
    """
    from jinka.app.trace_epc import Asked, describe_codes, kind_of, load_prefixes

    asked = Asked(
        kind=kind_of(kind), prefix_digits=prefix_digits, prefixes=load_prefixes(prefixes), scheme=scheme,
        filter_value=filter_value,
    )  # fmt: skip
    found = describe_codes(codes, asked)
    if as_json:
        put_json([forms.data for forms in found])
        return
    for forms in found:
        put(forms.code)
        put_table(_table(forms, lang))


def _table(forms: Forms, lang: Language) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in forms.rows:
        shown = value if isinstance(value, str) else value[lang is Language.ZH]
        table.add_row(name[lang is Language.ZH], Text(shown))
    return table
