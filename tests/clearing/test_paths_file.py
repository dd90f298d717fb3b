"""Shares of paths as a file. Goal: what is read is what is written, and whatever else is refused at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.clearing.paths_file import read_paths
from jinka.kit import JinkaError, Usage

GOOD = """
[[line]]
line = "1"
owner = "op.a"

[[path]]
from = "A"
to = "B"
shares = { "op.a" = 7300, "op.b" = 4100 }

[[grant]]
product = "promotion"
shares = { "op.b" = 1 }
"""


def test_every_field_is_read() -> None:
    paths = read_paths(GOOD)
    assert paths.owner_of == {"1": "op.a"}
    assert paths.shares == {("A", "B"): {"op.a": 7300, "op.b": 4100}}
    assert paths.granted == {"promotion": {"op.b": 1}}
    assert read_paths("").shares == {}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('owner = "op.a"', "", "line 1.owner"),
        ('to = "B"', 'to = ""', "path 1.to"),
        ('{ "op.a" = 7300, "op.b" = 4100 }', "{}", "path 1.shares"),
        ("7300", "0", "path 1.shares.op.a"),
        ("7300", "7.3", "path 1.shares.op.a"),
        ("7300", "true", "path 1.shares.op.a"),
        ('product = "promotion"', 'product = "promotion"\nuntil = 2027-01-01', "grant 1: unknown: until"),
        ("[[grant]]", "[[line]]\nline = '1'\nowner = 'x'\n[[grant]]", "line 2: stands twice"),
        ("[[path]]", "[path]", "path: not a list"),
        ("[[path]]", "[[path]", "not TOML"),
    ],
)
def test_a_wrong_file_is_refused_at_its_place(old: str, new: str, place: str) -> None:
    assert old in GOOD
    with pytest.raises(Usage) as refused:
        read_paths(GOOD.replace(old, new, 1))
    assert place in str(refused.value)


@given(st.text(min_size=1, max_size=100).filter(lambda text: text.strip() and "#" not in text))
def test_a_strangers_text_ends_in_a_refusal(text: str) -> None:
    with pytest.raises(JinkaError):
        read_paths(text)
