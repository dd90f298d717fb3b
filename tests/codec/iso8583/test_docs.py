"""The page about messages says what the program does. Method: run its example, look for every dialect and word."""

from __future__ import annotations

import re
from pathlib import Path

from jinka.codec.framing import framing_of
from jinka.codec.iso8583 import DIALECTS, Message
from jinka.codec.iso8583.nested import split

PAGE = (Path(__file__).parents[3] / "docs" / "messages.md").read_text(encoding="utf-8")


def test_every_dialect_is_on_the_page() -> None:
    named = set(re.findall(r"`((?:iso|unionpay)[a-z0-9-]+)`", PAGE))
    assert set(DIALECTS) == named


def test_every_word_of_a_framing_is_understood() -> None:
    table = PAGE.split("| word | meaning |")[1].split("\n\n")[0]
    words = re.findall(r"`([a-z-]+)`", table)
    assert len(words) >= 8
    for word in set(words) - {"binary", "ascii", "bcd", "uncounted"}:
        assert framing_of(f"2-binary-{word}")


def test_the_example_runs() -> None:
    space: dict[str, object] = {}
    exec(PAGE.split("```python\n")[1].split("```")[0], space)
    codec = space["codec"]
    message = Message(mti="0100", fields={48: "2603abc"})
    assert codec.decode(codec.encode(message)) == message
    assert [node.key for node in split(codec.spec.fields[48], "2603abc")] == ["26"]
