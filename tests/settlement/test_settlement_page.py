"""The page about settlement says what the tables say. Method: each row of the tables is looked for in the text."""

from __future__ import annotations

from pathlib import Path

from jinka.app.settle import CSV, FORMATS
from jinka.settlement import ORDER_STEPS
from jinka.settlement.iso20022 import BreakKind, Transfer
from jinka.settlement.iso20022.xml_read import DEPTH_MAX, ELEMENTS_MAX, SIZE_MAX

PAGE = (Path(__file__).parents[2] / "docs" / "settlement.md").read_text(encoding="utf-8")


def test_the_page_draws_the_life_of_an_order() -> None:
    drawn = [text.strip() for text in PAGE.splitlines() if " --> " in text and "[*]" not in text]
    assert drawn == [
        f"{before.name.lower()} --> {after.name.lower()}: {event.value}"
        for (before, event), after in ORDER_STEPS.items()
    ]


def test_the_page_lists_every_break_and_every_format() -> None:
    for kind in BreakKind:
        assert f"| `{kind.name}` | {kind.title} | {kind.title_zh} | {kind.fix} |" in PAGE
    for name in (*FORMATS, CSV):
        assert f"| `{name}` |" in PAGE
    for transfer in Transfer:
        assert transfer.message_name in PAGE


def test_the_page_s_limits_are_the_reader_s() -> None:
    assert (SIZE_MAX, DEPTH_MAX, ELEMENTS_MAX) == (64 * 1024 * 1024, 40, 2_500_000)
    assert "more than 64 MiB,\n40 levels or 2.5 million elements" in PAGE
