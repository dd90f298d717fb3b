"""`jinka statistics`: what was used, where and by whose cards, in figures that add up over the tiers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import Json, command, put_files, put_json, put_table, say
from jinka.kit import Usage
from jinka.reports import Language

MINIMUM = 10


@command
def statistics(
    sources: Annotated[
        list[Path],
        typer.Argument(help="Folders of days or of centres, and files of cells.", metavar="DIR..."),
    ],
    form: Annotated[
        str,
        typer.Option("--format", help="table, csv (a folder), xlsx, json, or cells (to be added up again)."),
    ] = "table",
    out: Annotated[Path | None, typer.Option(help="Where to write; a file, or a folder for csv.")] = None,
    minimum: Annotated[
        int, typer.Option(help="Counts below this are hidden; 1 hides nothing.", min=1)
    ] = MINIMUM,
    as_json: Json = False,
    lang: Annotated[Language, typer.Option(help="Language of the tables.")] = Language.EN,
) -> None:
    """Add up cards, volumes, success rates and travel between cities, by sector, region and year.

    Example: [bold]jinka statistics nation --format xlsx --out 2018.xlsx --lang zh[/bold]
    """
    from jinka.app.statistics import FORMATS, publish_tables, read_cells, tables_of
    from jinka.reports.spreadsheet import table_values
    from jinka.reports.terminal import drawn

    if form not in FORMATS:
        raise Usage(f"no format {form!r}", where="--format", fix=", ".join(FORMATS))
    if form != "table" and out is None:
        raise Usage("where to?", where=f"--format {form}", fix="name --out")
    cells = read_cells(sources)
    if not cells.num_rows:
        say("there is nothing to count yet" if lang is Language.EN else "尚无可统计的数据")
    if form == "table" or out is None:
        tables = tables_of(cells, minimum=minimum)
        if as_json:
            put_json(table_values(tables))
        for table in () if as_json else tables.values():
            put_table(drawn(table, lang))
        return
    put_files(publish_tables(cells, form, out, minimum=minimum, language=lang), as_json=as_json)
