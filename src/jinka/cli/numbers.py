"""Numbers as people type them on a command line: 1500, 20k, 10M."""

from __future__ import annotations

import re

import typer

_TIMES = {"": 1, "k": 1_000, "M": 1_000_000}


def number(text: str) -> int:
    """A whole number with ``k`` or ``M``; what is none is an error of usage."""
    found = re.fullmatch(r"([0-9]{1,12})([kM]?)", str(text).replace("_", "").replace(",", ""))
    if found is None:
        raise typer.BadParameter(f"no such number: {text} (write 1500, 20k or 10M)")
    return int(found[1]) * _TIMES[found[2]]
