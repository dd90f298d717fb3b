"""`jinka fees`: price lists checked, shown and asked. Goal: what it says is what the clearing charges."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.cli.main import app


def fees(*words: object) -> Result:
    return CliRunner().invoke(app, ["fees", *map(str, words)])


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    path = tmp_path / "fees.toml"
    path.write_text(fees("example").stdout, encoding="utf-8")
    return path


def test_the_example_is_a_price_list(prices: Path) -> None:
    english, chinese = fees("check", prices), fees("check", prices, "--lang", "zh")
    assert (english.exit_code, chinese.exit_code) == (0, 0)
    assert "0.35%" in english.stdout
    assert "13.00" in english.stdout
    assert "发卡行服务费（借记卡）" in chinese.stdout.replace("\n", "") or "借记卡" in chinese.stdout
    lines = json.loads(fees("check", prices, "--json").stdout)
    assert [line["line"] for line in lines][:2] == ["issuer/exempt", "issuer/debit"]
    assert json.loads(fees("example", "--json").stdout)["toml"] == prices.read_text(encoding="utf-8")


def test_a_quote_says_who_pays_whom(prices: Path) -> None:
    asked = ("quote", prices, "--amount", 1_000_000, "--product", "debit", "--date", "2026-11-20")
    rows = json.loads(fees(*asked, "--json").stdout)
    assert [(row["line"], row["payer"], row["payee"], row["amount_minor"]) for row in rows] == [
        ("issuer", "acquirer", "issuer", 1_300),
        ("network", "acquirer", "switch", 325),
        ("network", "issuer", "switch", 325),
    ]
    shown = fees(*asked, "--lang", "zh").stdout
    assert "13.00" in shown
    assert "网络服务费" in shown
    assert "no fee" in fees("quote", prices, "--amount", 100, "--date", "2016-09-05").stdout
    assert fees("quote", prices, "--amount", 1_000_000, "--product", "debit", "--json").exit_code == 0


def test_what_is_wrong_has_its_exit_code(prices: Path, tmp_path: Path) -> None:
    missing = fees("check", tmp_path / "none.toml")
    assert (missing.exit_code, "no such file" in missing.output) == (3, True)
    prices.write_text(prices.read_text(encoding="utf-8").replace('"0.35%"', "0.35"), encoding="utf-8")
    wrong = fees("check", prices)
    assert (wrong.exit_code, "line 2 (issuer).rate" in wrong.output) == (2, True)
    prices.write_bytes(b"\xff")
    assert fees("check", prices).exit_code == 2
    assert fees("quote", prices, "--amount", -1).exit_code == 2
