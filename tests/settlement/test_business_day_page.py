"""The page about the business day says what tables and readers say. Method: its files are read, its rows looked for."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest

from jinka.app.fee_quote import quote_fees
from jinka.clearing import CHINA_2016, read_fees
from jinka.clearing.paths_file import read_paths
from jinka.settlement import CHINA, WINDOW_STEPS, WindowState, read_business_day
from jinka.settlement.business_day_file import BASES

PAGE = (Path(__file__).parents[2] / "docs" / "business-day.md").read_text(encoding="utf-8")
FILES = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


def test_the_page_draws_the_life_of_a_window() -> None:
    drawn = [text.strip() for text in PAGE.splitlines() if " --> " in text and "[*]" not in text]
    assert drawn == [
        f"{before.value[0]} --> {after.value[0]}: {event.value[0]}"
        for (before, event), after in WINDOW_STEPS.items()
    ]
    for state in WindowState:
        assert f"| {state.value[0]} | {state.value[1]} |" in PAGE


def test_the_page_s_files_are_read_whole() -> None:
    day, fees = read_business_day(FILES[0]), read_fees(FILES[1])
    assert [schedule.code for schedule in day.schedules] == ["taxi", "daily"]
    assert day.silence is not None
    assert day.lists is not None
    assert fees.lines[0].name == "service/metro"
    paths = read_paths(FILES[2])
    assert (len(paths.owner_of), len(paths.shares), len(paths.granted)) == (1, 1, 1)
    assert (
        ", ".join(sorted(BASES, key=list(BASES).index)).replace(
            "every-day, weekdays", "weekdays or every-day"
        )
        in PAGE
    )


def test_the_page_names_the_years_of_the_calendar() -> None:
    *years, last = sorted(CHINA.years)
    assert f"for {', '.join(map(str, years))} and {last}" in PAGE
    for source in CHINA.sources:
        for number in re.findall(r"〔\d+〕\d+号", source):
            assert number in PAGE


@pytest.mark.parametrize("product", ["debit", "credit"])
@pytest.mark.parametrize("yuan", [1_000, 10_000])
def test_the_page_s_amounts_are_the_list_s(product: str, yuan: int) -> None:
    fees = read_fees(CHINA_2016)
    rows = quote_fees(fees, date=dt.date(2026, 1, 1), amount=yuan * 100, product=product, operator="x").rows
    issuer, *halves = [row[5] for row in rows]
    cells = " | ".join(f"{amount / 100:.2f}" for amount in (issuer, sum(halves), *halves))
    assert f"| {product}, {yuan:,} | {cells} |" in PAGE
