"""``disputes.toml``: the page's example is read, and a mistake is named with its place."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from jinka.app.dispute_terms import FILE, read_dispute_rules
from jinka.clearing.dispute_words import Event, Machine, State
from jinka.kit import NotFound, Usage

PAGE = Path(__file__).parents[2] / "docs" / "disputes.md"
DAY = 'machine = "bank"\nstate = "charged-back"\ndays = 45\n'


def test_the_example_of_the_page(tmp_path: Path) -> None:
    text = PAGE.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    (tmp_path / FILE).write_text(text, encoding="utf-8")
    with pytest.raises(NotFound, match=r"business-day\.toml"):
        read_dispute_rules(tmp_path)
    (tmp_path / "business-day.toml").write_text(
        '[calendar]\nbase = "weekdays"\n[[calendar.year]]\nyear = 2030\noff = [2030-01-01]\nwork = []\nsource = "own"\n'
        '[[schedule]]\ncode = "all"\ntitle_en = "all"\ntitle_zh = "全部"\nzone = "Asia/Shanghai"\n'
    )
    rules = read_dispute_rules(tmp_path)
    assert (rules.terms.retrieval_fee, rules.terms.arbitration_fee) == (500, 100_000)
    assert rules.terms.days == {
        (Machine.BANK, State.CHARGED_BACK, Event.DEADLINE): 45,
        (Machine.BANK, State.START, Event.CHARGE_BACK): 360,
    }
    assert not rules.is_open(dt.date(2030, 1, 1))
    assert rules.is_open(dt.date(2026, 10, 1))


def test_without_a_file_the_published_calendar_counts(tmp_path: Path) -> None:
    rules = read_dispute_rules(tmp_path)
    assert not rules.is_open(dt.date(2026, 10, 1))
    assert rules.is_open(dt.date(2026, 10, 10)), "a Saturday on which work is made up"
    assert rules.is_open(dt.date(2031, 10, 1)), "nothing is published: Monday to Friday"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[fees", "not TOML"), ("typo = 1", "unknown: typo"), ("[fees]\nlunch_fen = 1", "unknown: lunch_fen"),
        ("[fees]\nretrieval_fen = -1", "fees.retrieval_fen"), ("[fees]\nretrieval_fen = 1.5", "not a number"),
        ("[days]\na = 1", "days: not a list"), (f"[[days]]\n{DAY}x = 1", "unknown: x"),
        (f"[[days]]\n{DAY}".replace("45", "0"), "1 to 1000"),
        (f"[[days]]\n{DAY}".replace("bank", "zoo"), "no such machine"),
        (f"[[days]]\n{DAY}".replace("charged-back", "upheld"), "upheld has no days"),
        (f'[[days]]\n{DAY}event = "accept"', "charged-back has no days for accept"),
    ],
)  # fmt: skip
def test_a_mistake_is_named(tmp_path: Path, text: str, what: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(Usage) as caught:
        read_dispute_rules(tmp_path)
    assert what in str(caught.value)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(Usage, match="not UTF-8"):
        read_dispute_rules(tmp_path)
