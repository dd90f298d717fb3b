"""Tables that only the command line shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

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


def rates_table(rates: Mapping[str, Mapping[str, int]], ratios: Mapping[str, Mapping[str, float]]) -> Table:
    """Rates a second, a column for each service, with the ratio to the first one."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("a second")
    for name in rates:
        table.add_column(name, justify="right")
    for verb in next(iter(rates.values())):
        cells = [f"{found[verb]:,}" + _ratio(ratios, name, verb) for name, found in rates.items()]
        table.add_row(verb, *cells)
    return table


def _ratio(ratios: Mapping[str, Mapping[str, float]], name: str, verb: str) -> str:
    return f"  x{ratios[name][verb]:.2f}" if name in ratios else ""
