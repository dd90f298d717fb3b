"""The day's report as values, JSON, CSV and terminal tables: stable keys, same bytes, figures that add up."""

from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest
from rich.console import Console

from jinka.kit import Severity
from jinka.reports import (
    FindingRow,
    Language,
    Outcome,
    OutcomeRow,
    SpoilRow,
    Text,
    TrialBalance,
    day_files,
    day_tables,
)
from jinka.reports.files import to_csv
from jinka.reports.tables import day_tables_of
from jinka.reports.words import WORDS
from tests.sample_day import sample_day

_TEXT = Text(en="x", zh="甲")


def test_the_keys_that_others_rely_on() -> None:
    day = json.loads(sample_day().to_json())
    assert day["rows_read"] == 27_379
    assert day["duplicates_dropped"] == 1
    assert day["charged_fen"] == 6_355_425
    assert day["gross_fen"] == 7_780_550
    assert day["false_rejections"] == 0
    assert day["findings"]["unexplained_charge"] == 0
    assert day["findings"]["counter_gap"] == 14
    assert day["finding_samples"][0] == {
        "code": "COUNTER_GAP",
        "severity": "warning",
        "where": "taps.csv:7",
        "what": "a <gap> of 2",
        "fix": "",
    }
    assert day["books_balance"] is True
    assert day["exit_code"] == 0


def test_what_differs_from_run_to_run_is_left_out_unless_asked_for() -> None:
    slow = replace(sample_day(), timings=(), engines=())
    assert slow.to_json() == sample_day().to_json()
    assert day_files(slow) == day_files(sample_day())
    assert json.loads(sample_day().to_json(with_run=True))["run"]["seconds"]["taps"] == 12.346


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"unexplained": 1}, 6),
        (
            {"findings": (FindingRow(code="UNREADABLE_ROW", severity=Severity.ERROR, title=_TEXT, count=1),)},
            6,
        ),
        (
            {"findings": (FindingRow(code="UNREADABLE_ROW", severity=Severity.ERROR, title=_TEXT, count=0),)},
            0,
        ),
        (
            {
                "outcomes": (
                    OutcomeRow(outcome=Outcome.PARKED, reason="R", title=_TEXT, count=1, amount_fen=0),
                )
            },
            6,
        ),
        (
            {
                "outcomes": (
                    OutcomeRow(outcome=Outcome.DUPLICATE, reason="R", title=_TEXT, count=1, amount_fen=0),
                )
            },
            0,
        ),
        ({"spoil": (SpoilRow(kind="K", title=_TEXT, injected=1, right=0, other=0, missed=1),)}, 1),
        ({"false_rejections": 1, "unexplained": 1}, 1),
        ({"trial_balance": TrialBalance(debits_fen=1, credits_fen=2)}, 1),
        ({"positions": sample_day().positions[:-1]}, 1),
    ],
)
def test_exit_codes(change: dict[str, object], code: int) -> None:
    assert replace(sample_day(), **change).exit_code == code


def test_a_float_that_is_off_by_one_fen_is_a_failure() -> None:
    day = sample_day(balanced=False)
    assert day.float_proof.difference_fen == -1
    assert (day.books_balance, day.exit_code) == (False, 1)


def test_totals_add_up_and_every_word_exists() -> None:
    tables = day_tables_of(sample_day(spoiled=True))
    assert tables["operators"].total[3] == 6_355_425
    assert tables["positions"].total[2] == 0
    for table in tables.values():
        assert table.caption
        assert all(column.key in WORDS for column in table.columns)
        assert all(len(row) == len(table.columns) for row in table.rows)


def test_every_wording_stands_in_both_languages() -> None:
    for name, text in WORDS.items():
        assert text.en.isascii(), name
        assert any("\u4e00" <= character <= "\u9fff" for character in text.zh), name


def test_csv_reads_back_and_computes_nothing_in_a_spreadsheet() -> None:
    day = sample_day()
    evil = replace(day.by_operator[0], name=Text(en='=HYPERLINK("x")', zh="@甲,乙"))
    raw = to_csv(day_tables_of(replace(day, by_operator=(evil, *day.by_operator[1:])))["operators"])
    rows = list(csv.DictReader(raw.decode("utf-8-sig").splitlines()))
    assert rows[0]["operator_en"] == '\'=HYPERLINK("x")'
    assert rows[0]["operator_zh"] == "'@甲,乙"
    assert sum(int(row["charged_fen"]) for row in rows) == day.charged_fen
    positions = to_csv(day_tables_of(day)["positions"]).decode("utf-8-sig").splitlines()
    assert positions[5].endswith(",-6355425")  # a negative number stays a number


@pytest.mark.parametrize(("language", "word"), [(Language.EN, "Shenzhen Metro"), (Language.ZH, "深圳地铁")])
def test_the_terminal_tables(language: Language, word: str) -> None:
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(day_tables(sample_day(), language))
    shown = captured.get()
    assert word in shown
    assert "47,023.50" in shown
    assert "Eastern Bus <East & Co>" in shown or language is Language.ZH


def test_a_name_is_never_taken_for_markup() -> None:
    day = sample_day()
    odd = replace(day.by_operator[0], name=Text(en="[red]Bus[/red] [/]", zh="[甲]"))
    console = Console(width=120, no_color=True)
    with console.capture() as captured:
        console.print(day_tables(replace(day, by_operator=(odd,)), Language.EN))
    assert "[red]Bus[/red] [/]" in captured.get()
