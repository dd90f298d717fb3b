"""`jinka issue`. Goal: an order is made once, whatever happens: each card has its own number, and image, embossing
line and registration agree. Method: runs that are killed at random moments, and cards that are then used.
"""

from __future__ import annotations

import csv
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app.audit import show
from jinka.app.card_files import open_card, open_key_folder, read_opened
from jinka.app.card_read import read_card
from jinka.app.card_script import read_script, replay
from jinka.app.issue import IssueOptions, issue
from jinka.app.registrar import AUDIT, Registrar
from jinka.card import Card
from jinka.cli.main import app
from jinka.kit import Refused, Usage
from jinka.registry import Act
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.parties import ISSUER
from jinka.sim.randomness import SeededRandomness
from jinka.store import load_registry, open_database

TRANSIT = PROFILE.name
KILLS = 8


def _jinka(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["issue", "--profile", TRANSIT, *arguments])


def _options(folder: Path, **changes: object) -> IssueOptions:
    return IssueOptions(
        **({"directory": folder, "profile": TRANSIT, "cards": 30, "slice_size": 10} | changes)
    )


def _embossed(folder: Path, order: str = "order-1") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for path in sorted((folder / "orders" / order / "emboss").glob("*.csv")):
        rows += csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return rows


def _registered(folder: Path) -> list[str]:
    engine = open_database(folder / "registry.sqlite")
    numbers = [raw.hex()[4:] for raw in load_registry(engine).cards["card_no"].to_pylist()]
    engine.dispose()
    return numbers


def _numbers_of_cards(folder: Path) -> list[str]:
    keys = open_key_folder(folder)
    found = []
    for path in sorted(folder.glob("orders/*/cards/*/*.jcs")):
        held = open_card(path, keys)
        [purse] = read_card(held.chip).readings
        found.append(purse.number)
    return found


def test_holders_become_cards(tmp_path: Path) -> None:
    holders = tmp_path / "holders.csv"
    holders.write_text(
        "name,holder_class,balance,valid_to\nZhang San,half_fare,500,2030-12-31\n李四,,,\n", encoding="utf-8"
    )
    folder = tmp_path / "bureau"
    made = json.loads(_jinka("--cards", str(holders), "--dir", str(folder), "--json").stdout)
    assert (made["made"], made["before"], made["first"]) == (2, 0, "************0000")
    again = json.loads(_jinka("--cards", str(holders), "--dir", str(folder), "--json").stdout)
    assert (again["made"], again["before"]) == (0, 2)
    path = folder / "orders/order-1/cards/0000/0000001.jcs"
    [purse] = read_card(open_card(path, open_key_folder(folder)).chip).readings
    assert (purse.balance, purse.holder_class_zh, purse.valid_to) == (500, "半价", "2030-12-31")
    assert [row["name"] for row in _embossed(folder)] == ["Zhang San", "李四"]
    with pytest.raises(Refused, match="sealed"):
        open_card(path)
    for log in folder.glob("*.jsonl"):
        assert "518000000" not in log.read_text(), "numbers in logs are masked"
    for private in (*folder.glob("orders/*/*/*.csv"), path):
        assert private.stat().st_mode & 0o077 == 0


def test_findings_stop_the_order(tmp_path: Path) -> None:
    holders = tmp_path / "holders.csv"
    holders.write_text("name,balance\nA,1\nB,x\nC,-2\n")
    result = _jinka("--cards", str(holders), "--dir", str(tmp_path / "b"))
    assert result.exit_code == 6
    assert "holders.csv:3: BALANCE" in result.stdout
    assert "holders.csv:4: BALANCE" in result.stdout
    assert not (tmp_path / "b").exists()
    holders.write_bytes(b"name\n\xff\n")
    assert _jinka("--cards", str(holders), "--dir", str(tmp_path / "b")).exit_code == 2
    assert _jinka("--cards", "none.csv", "--dir", str(tmp_path / "b")).exit_code == 3
    assert _jinka("--cards", "0", "--dir", str(tmp_path / "b")).exit_code == 2
    assert _jinka("--cards", "5", "--dir", str(tmp_path / "b"), "--order", "../x").exit_code == 2


def test_orders_share_the_range_and_keep_their_own_numbers(tmp_path: Path) -> None:
    numbers = "5180000009000000-5180000009000034"
    with pytest.raises(Refused, match="granted and in force"):
        issue(_options(tmp_path, numbers=numbers))
    assert not (tmp_path / "bureau.json").exists()
    with Registrar(tmp_path) as registrar:
        registrar.grant_simulated(*numbers.split("-"), holder=ISSUER)
    issue(_options(tmp_path, numbers=numbers))
    issue(_options(tmp_path, order="two", cards=5))
    with pytest.raises(Refused, match="0 numbers are left"):
        issue(_options(tmp_path, order="three", cards=1))
    with pytest.raises(Usage, match="different: cards, holders"):
        issue(_options(tmp_path, cards=31))
    with pytest.raises(Usage, match="has the range"):
        issue(_options(tmp_path, order="four", numbers="5180000008000000-5180000008000001"))
    registered = _registered(tmp_path)
    assert sorted(registered) == [f"{5180000009000000 + row:016d}" for row in range(35)]


def test_a_suspended_range_makes_no_card(tmp_path: Path) -> None:
    """Also in the middle of an order: the slices that were made stay, and the order goes on when it is resumed."""
    folder = tmp_path / "b"

    class Officer:
        def step(self, name: str, done: int, total: int) -> None:
            if done == 10:
                with Registrar(folder) as registrar:
                    registrar.act(2, Act.SUSPEND, officer="wang-wu", reason="numbers leaked")

    with pytest.raises(Refused, match="granted and in force"):
        issue(_options(folder), Officer())
    assert len(_registered(folder)) == 10
    with pytest.raises(Refused, match="granted and in force"):
        issue(_options(folder))
    with Registrar(folder) as registrar:
        registrar.act(2, Act.RESUME, officer="li-si", reason="found")
    assert issue(_options(folder)).made == 20
    acts = [(row["actor"], row["act"], row["outcome"]) for row in show(folder / AUDIT)]
    assert (
        acts[1:7]
        == [
            ("custodian-1", "registry.apply", "ok"),
            ("custodian-2", "registry.review", "ok"),
            ("custodian-2", "registry.grant", "ok"),
        ]
        * 2
    )
    assert acts[7:] == [
        ("wang-wu", "registry.suspend", "ok"),
        ("jinka", "registry.use", "refused"),
        ("li-si", "registry.resume", "ok"),
    ]


def test_another_holders_range_makes_no_card(tmp_path: Path) -> None:
    numbers = "5180000009000000-5180000009000034"
    with Registrar(tmp_path) as registrar:
        registrar.grant_simulated(*numbers.split("-"), holder="issuer.other")
    with pytest.raises(Refused, match="granted and in force"):
        issue(_options(tmp_path, numbers=numbers))


def test_scripts_turn_blank_cards_into_the_same_cards(tmp_path: Path) -> None:
    issue(_options(tmp_path, cards=3, scripts=True))
    keys = open_key_folder(tmp_path)
    numbers = []
    for path in sorted(tmp_path.glob("orders/*/scripts/*/*.jcs")):
        text, context = read_opened(path, keys)
        assert context
        assert b"80D4" not in path.read_bytes(), "keys in the clear leave the process sealed only"

        class Link:
            def __init__(self) -> None:
                self.card = Card.blank(SeededRandomness("blank"))
                self.transmit = self.card.transmit

            def reset(self) -> None:
                self.card.power_up()

        link = Link()
        assert replay(read_script(text.decode(), where="s"), link).deviation is None
        [purse] = read_card(link).readings
        numbers.append(purse.number)
    assert numbers == _registered(tmp_path)


def test_killed_runs_are_finished_and_no_number_is_issued_twice(tmp_path: Path) -> None:
    folder, count = tmp_path / "bureau", 480
    dice = random.Random(3)
    code = (
        "import sys\nfrom pathlib import Path\nfrom jinka.app.issue import IssueOptions, issue\n"
        f"issue(IssueOptions(directory=Path(sys.argv[1]), profile={TRANSIT!r}, cards={count}, slice_size=5))\n"
    )
    killed = 0
    for _ in range(KILLS):
        process = subprocess.Popen([sys.executable, "-c", code, str(folder)])
        log = folder / "bureau.log.jsonl"
        lines = log.read_text().count("\n") if log.exists() else 0
        until = time.monotonic() + 30
        # killed at once after something became durable, or in the middle of what follows
        while process.poll() is None and time.monotonic() < until:
            if log.exists() and log.read_text().count("\n") > lines + dice.randrange(3):
                break
            time.sleep(0.002)
        time.sleep(dice.random() * 0.02)
        process.kill()
        killed += process.wait() == -9
    assert killed >= 4, "the runs must be interrupted for this to say anything"
    done = issue(IssueOptions(directory=folder, profile=TRANSIT, cards=count, slice_size=5))
    assert done.made + done.before == count
    wanted = [f"{5180000001000000 + row:016d}" for row in range(count)]
    assert sorted(_registered(folder)) == wanted
    assert [row["number"].replace(" ", "") for row in _embossed(folder)] == wanted
    assert _numbers_of_cards(folder) == wanted
    assert [row["row"] for row in _embossed(folder)] == [str(row + 1) for row in range(count)]
