"""Tables that only the command line shows."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from jinka.app.doctor import Part


def doctor_table(parts: Sequence[Part]) -> Table:
    """What this machine has, and what adds the rest."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("kind", "name", "state", "version or place", "used for", "to add it"):
        table.add_column(heading, overflow="fold")
    kind = ""
    for part in parts:
        table.add_row(
            part.kind if part.kind != kind else "",
            part.name,
            "[green]present[/green]" if part.present else "[yellow]absent[/yellow]",
            part.version,
            part.used_for,
            part.add,
        )
        kind = part.kind
    return table
