"""Numbers on the command line: what people type, and what is no number."""

from __future__ import annotations

import pytest
import typer

from jinka.cli.numbers import number


@pytest.mark.parametrize(
    ("text", "value"),
    [("0", 0), ("1500", 1500), ("20k", 20_000), ("10M", 10_000_000), ("1_000", 1000), ("1,000", 1000)],
)
def test_numbers_are_read(text: str, value: int) -> None:
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "M", "-1", "1.5M", "10m", "1G", "0x10", "٣", "1" * 13, "1 M"])
def test_what_is_none_is_an_error_of_usage(text: str) -> None:
    with pytest.raises(typer.BadParameter):
        number(text)
