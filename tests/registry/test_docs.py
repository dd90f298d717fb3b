"""The page on registration. Goal: it shows the table of steps that runs, and every kind. Method: its diagram and its
rows, read back.
"""

from __future__ import annotations

import re
from pathlib import Path

from jinka.registry import STEPS, Kind
from jinka.registry.words import KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "registration.md").read_text(encoding="utf-8")


def test_the_diagram_is_the_table() -> None:
    drawn = re.findall(r"^    (\S+) --> (\w+): (\w+)$", PAGE, re.MULTILINE)
    wanted = [
        (source.value, step.target.value, step.act.value) for step in STEPS for source in step.sources
    ] + [("[*]", step.target.value, step.act.value) for step in STEPS if not step.sources]
    assert sorted(drawn) == sorted(wanted)


def test_every_kind_has_a_row() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| (\S+) \|", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == [kind.value for kind in Kind]
    assert all(KINDS[Kind(name)][1].startswith(chinese) for name, chinese in rows)
