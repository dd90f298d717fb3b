"""`jinka window`: windows over a folder. Goal: what waits and why is seen, and what the rules forbid ends with 4.

Method: two windows of a folder from claims in a file to posted orders, at moments that the options name.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from jinka.app.windows import read_claims
from jinka.cli.main import app
from jinka.kit import Usage
from jinka.settlement import trial_balance
from jinka.store import SqlLedger, database_at

RULES = """
[calendar]
base = "china"

[[schedule]]
code = "daily"
zone = "Asia/Shanghai"
cut_over = "24:00"
grace_minutes = 120

[[cap]]
participant = "issuer.sz"
limit_minor = 100000

[[cap]]
participant = "gov.sz"
limit_minor = 500
on_breach = "officer"
"""
CLAIMS = """reference,kind,payer,payee,amount_minor
a1,charge,issuer.sz,op.sz.bus,90000
a2,subsidy,gov.sz,op.sz.bus,700
a3,charge,issuer.sz,op.sz.[red]metro,20000
"""
OFFICER = ("--officer", "李", "--reason", "as told by phone")


@pytest.fixture
def folder(tmp_path: Path, fresh_sqlite: Callable[[], Path]) -> Path:
    fresh_sqlite().rename(tmp_path / "windows.db")
    (tmp_path / "business-day.toml").write_text(RULES, encoding="utf-8")
    (tmp_path / "claims.csv").write_text(CLAIMS, encoding="utf-8")
    return tmp_path


def window(folder: Path, act: str, *words: str) -> Result:
    return CliRunner().invoke(app, ["window", act, str(folder), *words])


def seen(done: Result, code: int = 0) -> dict[str, Any]:
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def test_two_windows_from_claims_to_posted_orders(folder: Path) -> None:
    opened = seen(window(folder, "open", "--at", "2026-11-20T09:00", "--json"))
    assert (opened["state"], opened["business_date"], opened["settles_on"]) == (
        "open",
        "2026-11-20",
        "2026-11-23",
    )
    taken = window(folder, "take", str(folder / "claims.csv"), "--at", "2026-11-21T01:00", "--json")
    assert seen(taken)["claims"] == 3
    again = window(folder, "take", str(folder / "claims.csv"), "--at", "2026-11-21T01:30", "--json")
    assert seen(again)["claims"] == 3
    late = window(folder, "take", str(folder / "claims.csv"), "--at", "2026-11-21T02:00")
    assert (late.exit_code, "open the next one" in late.output) == (4, True)
    early = window(folder, "close", "--at", "2026-11-21T01:59")
    assert (early.exit_code, "--early" in early.output) == (4, True)
    closed = seen(window(folder, "close", "--at", "2026-11-21T02:00", "--json"), 6)
    assert [(row["payee"], row["reason"]) for row in closed["waiting"]] == [("op.sz.[red]metro", "cap")]
    assert closed["breaches"] == [
        {"participant": "gov.sz", "owed_minor": 700, "limit_minor": 500, "approved": False}
    ]
    assert closed["positions"] == {"gov.sz": -700, "issuer.sz": -90_000, "op.sz.bus": 90_700}
    assert seen(window(folder, "hold", "--json"))["state"] == "pending"
    refused = window(folder, "settle")
    assert (refused.exit_code, "gov.sz is breached" in refused.output) == (4, True)
    seen(window(folder, "approve", "--participant", "gov.sz", *OFFICER, "--json"))
    settled = seen(window(folder, "settle", "--json"))
    assert settled["state"] == "settled"
    assert {(order["debtor"], order["amount"]) for order in settled["orders"]} == {
        ("gov.sz", 700), ("centre.float", 90_700)
    }  # fmt: skip
    following = seen(window(folder, "open", "--at", "2026-11-21T09:00", "--json"))
    assert (following["window"], following["claims"]) == ("centre/daily/2", 1)
    with database_at(folder / "windows.db") as database:
        trial = trial_balance(SqlLedger(database))
    assert trial.balances
    assert trial.pending_debits == 20_000


def test_a_window_is_shown_in_both_languages_and_says_what_waits(folder: Path) -> None:
    window(folder, "open", "--at", "2026-11-20T09:00")
    window(folder, "take", str(folder / "claims.csv"), "--at", "2026-11-20T10:00")
    window(folder, "suspend", "--participant", "op.sz.bus", *OFFICER)
    closed = window(folder, "close", "--early")
    assert (closed.exit_code, "CLAIMS_WAIT_SUSPENDED" in closed.stdout) == (6, True)
    english, chinese = window(folder, "show"), window(folder, "show", "--lang", "zh")
    assert (english.exit_code, chinese.exit_code) == (0, 0)
    assert "waits issuer.sz > op.sz.bus 900.00 (suspended: op.sz.bus)" in english.stdout
    assert "op.sz.[red]metro" in english.stdout
    assert "已关闭" in chinese.stdout
    assert "待下一窗口 issuer.sz > op.sz.bus 900.00 (已暂停: op.sz.bus)" in chinese.stdout
    resumed = seen(window(folder, "resume", "--participant", "op.sz.bus", *OFFICER, "--json"), 6)
    assert resumed["suspended"] == []
    assert seen(window(folder, "abort", *OFFICER, "--json"))["state"] == "aborted"
    same = window(folder, "open", "--at", "2026-11-20T11:00")
    assert same.exit_code == 2
    assert (
        seen(window(folder, "open", "--at", "2026-11-20T11:00", "--cycle", "9001", "--json"))["claims"] == 3
    )


def test_in_a_centres_folder_it_is_the_centres_own_chain_and_books(folder: Path) -> None:
    (folder / "windows.db").rename(folder / "centre.db")
    (folder / "centre.toml").write_text(
        '[centre]\ntier = "nation"\ncode = "00"\nregion = "110000"\nzone = "Asia/Shanghai"\n'
        'first_date = "2018-09-03"\nparticipants = []\n',
        encoding="utf-8",
    )
    window(folder, "open", "--at", "2026-11-20T09:00", "--centre", "another")
    assert seen(window(folder, "show", "--json"))["window"] == "00/daily/1"
    assert not (folder / "windows.db").exists()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("reference,kind", "id,kind", "claims.csv:1"),
        ("a2,subsidy", "a2,gift", "claims.csv:3: no kind"),
        ("a2,subsidy", "a1,subsidy", "each reference once"),
        ("gov.sz", "", "payer and payee"),
        ("700", "-700", "claims.csv:3: no amount"),
        ("700", "9" * 30, "claims.csv:3: no amount"),
        ("700", "9223372036854775808", "claims.csv:3"),
        ("700", "0", "amount 0"),
        (",700", "", "4 fields"),
        ("a3,", 'a3"x","', "claims.csv:4"),
    ],
)
def test_a_wrong_table_of_claims_is_refused_at_its_line(
    tmp_path: Path, old: str, new: str, place: str
) -> None:
    path = tmp_path / "claims.csv"
    path.write_text(CLAIMS.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Usage) as refused:
        read_claims(path, centre="c", at_micros=1)
    assert place in str(refused.value)


def test_what_is_missing_is_said(folder: Path, tmp_path: Path) -> None:
    assert window(folder, "show").exit_code == 4
    assert window(folder, "open", "--chain", "taxi").exit_code == 3
    assert window(folder / "nowhere", "open").exit_code == 3
    assert window(folder, "open", "--at", "noon").exit_code == 2
    assert window(folder, "open", "--at", "2026-11-20T09:00+08:00").exit_code == 2
    window(folder, "open", "--at", "2026-11-20T09:00")
    (folder / "wrong.csv").write_text(CLAIMS.replace("700", "-700"), encoding="utf-8")
    wrong = window(folder, "take", str(folder / "wrong.csv"), "--at", "2026-11-20T10:00")
    assert (wrong.exit_code, "wrong.csv:3" in wrong.output.replace("\n", "")) == (2, True)
    assert seen(window(folder, "show", "--json"))["claims"] == 0
    assert window(folder, "take", str(tmp_path / "none.csv")).exit_code in (3, 4)
    assert window(folder, "abort", "--officer", "", "--reason", "x").exit_code == 4
