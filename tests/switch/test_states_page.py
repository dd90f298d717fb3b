"""The page of state machines is drawn from the tables: an edge that only one of them has is named here."""

from __future__ import annotations

from pathlib import Path

import pytest

from jinka.switch import states

PAGE = Path(__file__).parents[2] / "docs" / "switch-states.md"
TABLES = {
    "Session": states.SESSION_STEPS,
    "Transaction": states.TX_STEPS,
    "Store-and-forward": states.SAF_STEPS,
    "Transfer between two banks": states.TRANSFER_STEPS,
    "Terminal": states.TERMINAL_STEPS,
}


def drawn(title: str) -> list[str]:
    section = PAGE.read_text(encoding="utf-8").split(f"## {title}\n")[1].split("\n## ")[0]
    return [line.strip() for line in section.splitlines() if "-->" in line]


@pytest.mark.parametrize("title", TABLES)
def test_the_page_shows_the_table(title: str) -> None:
    wanted = [f"{a.value} --> {b.value}: {step.value}" for (a, step), b in TABLES[title].items()]
    assert drawn(title) == wanted
