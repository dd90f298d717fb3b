"""`jinka records serve`: departments in other houses look over HTTPS."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from jinka.cli.frame import command, put_json

app = typer.Typer(rich_markup_mode="rich")


@app.command()
@command
def serve(
    file: Annotated[Path, typer.Argument(help="The door's file (docs/base-records.md).", metavar="FILE")],
) -> None:
    """Let departments in other houses look, over mutual TLS, until SIGTERM or Ctrl-C. JSON on stdout says where.

    Example: [bold]jinka records serve out/records/door.toml[/bold]
    """
    from jinka.app.records_serving import serve_records

    serve_records(file, listening=lambda facts: put_json({"file": str(file), **facts}))
