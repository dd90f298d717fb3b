"""The page on registration. Goal: it shows the table of steps that runs, and every kind. Method: its diagram and its
rows, read back.
"""

from __future__ import annotations

import re
from pathlib import Path

from jinka.registry import ENTRY_STEPS, FEE_RULES, STEPS, Kind
from jinka.registry.words import KINDS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "registration.md").read_text(encoding="utf-8")
REGISTER = (DOCS / "register.md").read_text(encoding="utf-8")


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


def test_the_register_shows_the_states_of_entries_and_all_fee_rules() -> None:
    drawn = re.findall(r"^    (\S+) --> (\w+): (\w+)$", REGISTER, re.MULTILINE)
    wanted = [
        (source.name.lower(), step.target.name.lower(), step.act.name.lower())
        for step in ENTRY_STEPS
        for source in step.sources
    ]
    assert sorted(drawn) == sorted([*wanted, ("[*]", "in_use", "enter")])
    rows = re.findall(r"^\| `(cn-[a-z0-9-]+)` \| ([^|]+) \|", REGISTER, re.MULTILINE)
    assert [name for name, _ in rows] == list(FEE_RULES)
    assert all(FEE_RULES[name].source.startswith(source.strip()) for name, source in rows)
