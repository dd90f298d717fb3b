"""`jinka trace`: tagged things. The commands stand in files of their own (`trace_*.py`) and meet here."""

from __future__ import annotations

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Tags, events, provenance and recall. Example: [bold]jinka trace epc 3074257BF7194E4000001A85[/bold]",
)
