"""A shop's terminal with a real chip, the switch and the issuer's host: money moves once, or not at all.

Method: the street of `tests.app.pos_rig` is started once; each test has a terminal of its own folder and looks at the
issuer's books.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.app.card_files import bank_template
from jinka.app.pos_config import opened_till, read_pos_file
from jinka.app.pos_counter import Counter, Slip, Tender
from jinka.card import Card
from jinka.card.emv_issue import contents
from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.node.system import SystemRandomness
from jinka.sectors.bank import SPEC
from jinka.terminal import VERBS, settle_batch
from tests.app.pos_rig import LATER, OPENING, STRIPE, Street, street
from tests.card.emv_rig import card_keys, issued
from tests.terminal.emv_rig import Tap


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    with street(tmp_path_factory.mktemp("street")) as there:
        yield there


@pytest.fixture(scope="module")
def card() -> Card:
    """The one card: its counter goes on from test to test, as the issuer's knowledge of it does."""
    return issued()


@contextmanager
def counter(file: Path, *, atm: bool = False) -> Iterator[Counter]:
    read = read_pos_file(file, atm=atm)
    with opened_till(read) as till:
        yield Counter(till, read.device, SystemRandomness())


def test_a_chip_sale_with_pin_is_one_of_all(town: Street, card: Card, tmp_path: Path) -> None:
    before = town.held
    with counter(town.toml(tmp_path)) as shop:
        slip = shop.serve(VERBS["sale"], 12_345, Tender(link=Tap(card), pin=lambda: "123456"))
        assert (slip.status, slip.code, slip.entry_mode) == ("done", "00", "05"), slip
        assert town.held == before - 12_345


def test_what_follows_a_sale_finds_it(town: Street, card: Card, tmp_path: Path) -> None:
    before = town.held
    with counter(town.toml(tmp_path, terminal="80000010")) as shop:

        def buy(name: str, fen: int) -> Slip:
            return shop.serve(VERBS[name], fen, Tender(link=Tap(card), pin=lambda: "123456"))

        sale = buy("sale", 10_000)
        void = shop.follow(VERBS["void"], shop.till.find(sale.trace))
        assert (void.status, void.code) == ("done", "00"), void
        assert town.held == before
        sale = buy("sale", 10_000)
        refund = shop.follow(VERBS["refund"], shop.till.find(sale.trace), 4_000)
        assert (refund.status, refund.code) == ("done", "00"), refund
        town.settle()
        assert town.held == before - 6_000
        hold = buy("preauth", 20_000)
        assert hold.approved
        assert town.held == before - 26_000
        done = shop.follow(VERBS["completion"], shop.till.find(hold.trace), 15_000)
        assert (done.status, done.code) == ("done", "00"), done
        assert town.held == before - 21_000
        back = shop.follow(VERBS["completion-void"], shop.till.find(done.trace))
        assert (back.status, back.code) == ("done", "00"), back
        gone = shop.follow(VERBS["preauth-cancel"], shop.till.find(hold.trace))
        assert (gone.status, gone.code) == ("done", "00"), gone
        assert town.held == before - 6_000
        asked = shop.serve(VERBS["balance"], 0, Tender(link=Tap(card), pin=lambda: "123456"))
        assert (asked.code, asked.balance_fen) == ("00", before - 6_000), asked
        closed = settle_batch(shop.till)
        assert closed.equal
        assert (closed.totals.debits, closed.totals.credits) == (3, 3)


def test_the_command_line_is_a_terminal(town: Street, card: Card, tmp_path: Path) -> None:
    """Receipts in both languages, a card file that is written back, and a cash terminal beside it."""
    before, image = town.held, tmp_path / "card.jci"
    image.write_bytes(
        bank_template(Algorithm.TDES)
        .clone(card_keys(Algorithm.TDES, LATER), contents(SPEC, LATER))
        .to_bytes()
    )
    pin = tmp_path / "pin"
    pin.write_text("123456\n")
    shop = town.toml(tmp_path, terminal="80000020")

    def jinka(*words: object) -> Result:
        return CliRunner().invoke(app, [str(word) for word in words])

    held = ("--config", shop, "--card", image, "--pin-file", pin)
    told = jinka("pos", "sale", *held, "--amount", 1234, "--lang", "zh")
    assert told.exit_code == 0, told.stderr
    assert "RMB 12.34" in told.stdout
    assert "交易成功" in told.stdout
    assert LATER.pan not in told.stdout
    assert f"{LATER.pan[:6]}******{LATER.pan[-4:]}" in told.stdout
    void = json.loads(jinka("pos", "void", "--config", shop, "--trace", "1", "--json").stdout)
    assert (void["status"], void["original_trace"]) == ("done", "000001")
    tiny = jinka("pos", "sale", *held, "--amount", 10**9)
    assert (tiny.exit_code, "51 not enough money" in tiny.stdout) == (4, True)
    closed = json.loads(jinka("pos", "settle", "--config", shop).stdout)
    assert (closed["equal"], closed["totals"]["debits"], closed["totals"]["credits"]) == (True, 1, 1)
    assert json.loads(jinka("pos", "status", "--config", shop).stdout)["batch"] == "000002"
    bank = town.toml(tmp_path / "b", "atm", "90000020")
    cash = jinka("atm", "cash", "--config", bank, "--card", image, "--pin-file", pin, "--amount", 20_000)
    assert cash.exit_code == 0, cash.stdout + cash.stderr
    assert "CASH WITHDRAWAL" in cash.stdout
    assert town.bank.available("L") == OPENING - 20_000
    assert town.held == before
    secrets = [tmp_path / "terminal-80000020" / "journal", tmp_path / "b" / "terminal-90000020" / "journal"]
    assert not any(LATER.pan.encode() in path.read_bytes() for path in secrets)


def test_a_script_of_steps(town: Street, tmp_path: Path) -> None:
    file, steps = town.toml(tmp_path, terminal="80000025"), tmp_path / "steps.toml"
    value = town.bank.value("101", STRIPE).value
    show = f'track2 = "{STRIPE}=281210100000{value}"\npin = "123456"\n'
    steps.write_text(
        f'[[step]]\nverb = "sale"\namount = 300\n{show}[[step]]\nverb = "refund"\ntrace = "-1"\namount = 100\n'
        f'[[step]]\nverb = "balance"\n{show}[[step]]\nverb = "settle"\n',
        encoding="utf-8",
    )
    told = CliRunner().invoke(app, ["pos", "script", str(steps), "--config", str(file)])
    assert told.exit_code == 0, told.stderr
    done = json.loads(told.stdout)
    assert [step["verb"] for step in done] == ["sale", "refund", "balance", "settle"]
    assert (done[1]["status"], done[1]["original_trace"]) == ("done", done[0]["trace"])
    assert (done[3]["equal"], done[3]["totals"]["debit_fen"], done[3]["totals"]["credit_fen"]) == (
        True,
        300,
        100,
    )
    town.settle()
    assert town.bank.available("S") == OPENING - 200
    track, pin = tmp_path / "track", tmp_path / "pin"
    track.write_text(f"{STRIPE}=281210100000{value}\n")
    pin.write_text("123456\n")
    words = ["pos", "sale", "--config", str(file), "--amount", "5", "--pin-file", str(pin), "--track2"]
    assert CliRunner().invoke(app, [*words, f"@{track}"]).exit_code == 0
    assert CliRunner().invoke(app, [*words, "@nothing"]).exit_code == 2
    for bad, code in (
        ('[[step]]\nverb = "fly"', 3),
        ("[[step]]\ncolour = 1", 2),
        ("step = 1", 2),
        ('[[step]]\nverb = "cash"\namount = 1', 3),
    ):
        steps.write_text(bad, encoding="utf-8")
        assert CliRunner().invoke(app, ["pos", "script", str(steps), "--config", str(file)]).exit_code == code
