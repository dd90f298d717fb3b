"""`jinka float`: what people see. Goal: figures in both languages, the custodian's statement, and fit exit codes.

Method: a small cleared day, and a bank's statement with the right balance and with one fen too little.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from typer.testing import CliRunner

from jinka.app.settle_file import invented_details
from jinka.cli.float import app
from jinka.registry import Participant, Role
from jinka.store import database_at, load_registry
from tests.journeys.float_case import make_city

STATEMENT = Path(__file__).parents[1] / "settlement" / "data" / "camt.053.xml"


def run(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, (done.exit_code, done.output)
    return done.stdout


def test_a_float_is_shown_asked_for_and_held_against_the_bank(tmp_path: Path) -> None:
    city, _ = make_city(tmp_path, {0: 2}, cards=4)
    run("take", tmp_path)
    assert "cards hold" in run("show", tmp_path)
    assert "核对相符" in run("show", tmp_path, "--lang", "zh")
    assert "催收" in run("gaps", tmp_path, "--on", "2018-09-09", "--lang", "zh", code=6)
    assert "终端" in run("gaps", tmp_path, "--on", "2018-09-09", "--ask", "--lang", "zh", code=6)
    run("take", tmp_path, "--outcomes", tmp_path / "nowhere", code=3)
    run("gaps", tmp_path, "--on", "tomorrow", code=2)
    assert run("refund", "list", tmp_path, "--lang", "zh").startswith("退款")
    run("refund", "pay", tmp_path, "abcd", "--on", "2018-09-09", "--actor", "li", code=3)

    owed = json.loads(run("show", tmp_path, "--json"))["issuers"][0]["liability_fen"]
    account = _bank_details(city.folder)
    paper = tmp_path / "bank.xml"
    for missing, code in ((0, 0), (1, 6)):
        text = STATEMENT.read_text().replace("4000020100000001", account)
        paper.write_text(text.replace("107700.00", f"{(owed - missing) // 100}.{(owed - missing) % 100:02}"))
        found = json.loads(run("custody", tmp_path, paper, "--json", code=code))
        assert (found["owed_fen"], found["short_fen"]) == (owed, missing)


def _bank_details(folder: Path) -> str:
    """Invented details, as a simulated day has them; returns the account of the funds."""
    with database_at(folder / "centre" / "centre.db") as database:
        rows = load_registry(database).participants.to_pylist()
    text = invented_details(Participant(**row | {"role": Role(row["role"])}) for row in rows)
    (folder / "settle.toml").write_text(text)
    return str(tomllib.loads(text)["party"][0]["account"])
