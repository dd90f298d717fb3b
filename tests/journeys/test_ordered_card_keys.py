"""An issuer orders cards from a bureau that has none of its roots. Goal: the bureau's cards work with the issuer's key
service, and a bureau makes no card that was not ordered. Method: two folders and the commands; orders spoilt in turn.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app.card_files import ISSUER_NUMBER, open_card, open_key_folder, profile_named, template_of
from jinka.app.issue import open_letters
from jinka.app.key_scan import scan
from jinka.app.keyring import unlock_store
from jinka.app.workspace import Workspace
from jinka.card import Card
from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.codec.bcd import digits_to_bcd
from jinka.issuer.bureau import Holder
from jinka.issuer.production import CardOrder, make_cards
from jinka.keys import Purpose
from jinka.sectors import bank
from jinka.sectors.transit_shenzhen import PROFILE
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.emv import EmvTerminal
from jinka.terminal.emv_data import AidData, EmvDevice, EmvStatus, Sale
from tests.issuer.test_issue_applications import KeyServiceHost

FIRST, COUNT = 5180000001000000, 3
TRANSPORT = "transport/AES-256-GCM/1@bureau.sz"


def _jinka(*words: object, code: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done.stdout if not code else done.stderr


@pytest.fixture(scope="module")
def parties(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folders of an issuer and of its bureau; the transport key came to both in components."""
    base = tmp_path_factory.mktemp("ordered")
    for name, more in (("issuer", ()), ("bureau", ("--bureau",))):
        places = [word for who in "AB" for word in ("--custodian", f"{who}={base / name / who}")]
        _jinka("keys", "ceremony", base / name, "--issuer", "issuer.szt", *places, "--simulated", *more)
    brought = [f"{who}={base / 'transport' / who}" for who in "CD"]
    drawn = json.loads(
        _jinka("keys", "components", base / "issuer", TRANSPORT, *_each("--custodian", brought), "--json")
    )
    for name in ("issuer", "bureau"):
        present = [f"{who}={base / name / who}" for who in "AB"]
        _jinka(
            "keys", "add", base / name, TRANSPORT, *_each("--by", present), *_each("--component", brought),
            "--check", drawn["check"],
        )  # fmt: skip
        for who in "AB":  # where the commands find them
            shutil.copytree(base / name / who, base / name / "custodians" / who)
    for profile, number in ((PROFILE.name, FIRST), (bank.PROFILE.name, FIRST + COUNT)):
        _jinka(
            "keys", "order-cards", base / "issuer", base / profile, "--profile", profile, "--first", number,
            "--count", COUNT, "--bureau", "bureau.sz",
        )  # fmt: skip
    return base


@pytest.fixture
def bureau(parties: Path, tmp_path: Path) -> Path:
    """The bureau as it was before its first order."""
    shutil.copytree(parties / "bureau", tmp_path / "bureau")
    return tmp_path / "bureau"


def _each(option: str, values: list[str]) -> list[str]:
    return [word for value in values for word in (option, value)]


def _issue(bureau: Path, profile: str, order: Path, *more: object, code: int = 0) -> str:
    words = ("--profile", profile, "--cards", COUNT, "--dir", bureau, "--keys", order, "--oda", "none")
    return _jinka("issue", *words, *more, code=code)


def _cards(bureau: Path, order: str) -> list[Card]:
    keys = open_key_folder(bureau)
    chips = [open_card(path, keys).chip for path in sorted((bureau / "orders" / order).glob("cards/*/*.jcs"))]
    assert all(isinstance(chip, Card) for chip in chips)
    return [chip for chip in chips if isinstance(chip, Card)]


def test_the_bureaus_cards_are_the_issuers(parties: Path, bureau: Path) -> None:
    roots = {name.purpose for name in unlock_store(Workspace(bureau)).store.roots}
    assert roots == {Purpose.RECORD_SEAL, Purpose.TRANSPORT}
    _issue(bureau, PROFILE.name, parties / PROFILE.name)
    _issue(bureau, bank.PROFILE.name, parties / bank.PROFILE.name, "--order", "order-2")
    issuer = open_key_folder(parties / "issuer")
    wanted = make_cards(
        [
            CardOrder(card_no=digits_to_bcd(str(FIRST + row), 10), holder=Holder().holder_class, balance=0)
            for row in range(COUNT)
        ],
        template=template_of(profile_named(PROFILE.name), Algorithm.TDES), algorithm=Algorithm.TDES,
        issuer=ISSUER_NUMBER, keys=issuer,
    )  # fmt: skip
    made = _cards(bureau, "order-1")
    assert [bytes(card.nvm.memory) for card in made] == [
        bytes(Card.from_image(image, SeededRandomness("card")).nvm.memory) for image in wanted
    ]
    host, letters = KeyServiceHost(issuer), open_letters(bureau, "order-2")
    device = EmvDevice(aids=(AidData(aid=bank.AID_DEBIT[:7]),))
    for card, letter in zip(_cards(bureau, "order-2"), letters, strict=True):
        card.power_up()
        sale = Sale(
            amount_fen=1000, at=dt.datetime(2026, 9, 1, 8, 30), pin=lambda letter=letter: letter["pin"]
        )
        outcome = EmvTerminal(device, SeededRandomness("terminal")).purchase(card, sale, host)
        assert outcome.status is EmvStatus.APPROVED_ONLINE, outcome
    assert host.answered == COUNT
    shares = sorted((parties / "issuer/custodians").glob("*/share*.json"))
    orders = [parties / PROFILE.name, parties / bank.PROFILE.name]
    assert scan([parties / "issuer"], [bureau, *orders], shares=shares).findings == ()


def test_an_order_goes_on_after_a_kill_with_its_own_keys_alone(parties: Path, bureau: Path) -> None:
    order = parties / PROFILE.name
    _issue(bureau, PROFILE.name, order)
    log = bureau / "bureau.log.jsonl"
    log.write_text("".join(line + "\n" for line in log.read_text().splitlines() if '"reserved"' in line))
    before = [bytes(card.nvm.memory) for card in _cards(bureau, "order-1")]
    shutil.copytree(order, bureau.parent / "other")
    about = bureau.parent / "other/order.json"
    about.write_text(about.read_text() + " ")
    assert "card_keys" in _issue(bureau, PROFILE.name, bureau.parent / "other", code=2)
    _issue(bureau, PROFILE.name, order)
    assert [bytes(card.nvm.memory) for card in _cards(bureau, "order-1")] == before


def test_cards_that_were_not_ordered_are_not_made(parties: Path, bureau: Path) -> None:
    assert "not those of the order" in _issue(bureau, bank.PROFILE.name, parties / bank.PROFILE.name, code=4)
    words = ("issue", "--profile", PROFILE.name, "--dir", bureau)
    many = _jinka(*words, "--cards", COUNT + 1, "--keys", parties / PROFILE.name, code=4)
    assert "not those of the order" in many
    assert "an order for cn.bank" in _issue(bureau, PROFILE.name, parties / bank.PROFILE.name, code=2)
    assert "--keys" in _issue(bureau, "3gpp.usim", parties / PROFILE.name, code=2)
    assert not list(bureau.glob("orders/*/cards"))
    _issue(bureau, PROFILE.name, parties / PROFILE.name)  # and no number was lost
    assert "no such key" in _jinka(*words, "--cards", 1, "--order", "own", code=4)
    assert not list(bureau.glob("orders/own/cards"))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda order: (order / "tac-TDES-1.json").unlink(), "no such file"),
        (lambda order: (order / "order.json").unlink(), "no such file"),
        (lambda order: shutil.copy(order / "tac-TDES-1.json", order / "load-TDES-1.json"), "no load/TDES/1"),
        (lambda order: _change(order / "tac-TDES-1.json", key="load/TDES/1"), "changed, or sealed"),
        (lambda order: _change(order / "tac-TDES-1.json", bureau="bureau.x"), "no such key"),
        (lambda order: _change(order / "order.json", first="5180000001000001"), "for other cards"),
        (lambda order: _change(order / "order.json", count=COUNT + 1), "for other cards"),
        (lambda order: _change(order / "order.json", count=True), "not an order"),
        (lambda order: _change(order / "order.json", files=["../issuer/keys/store.sealed"]), "not an order"),
        (lambda order: _change(order / "order.json", files=[]), "not an order"),
        (lambda order: _change(order / "order.json", files="x"), "no such file"),
        (lambda order: _change(order / "order.json", more=1), "not an order"),
        (lambda order: (order / "order.json").write_text("[" * 9999), "not an order"),
    ],
)
def test_an_order_that_was_changed_makes_no_card(parties: Path, bureau: Path, spoil, said: str) -> None:
    order = bureau.parent / "order"
    shutil.copytree(parties / PROFILE.name, order)
    spoil(order)
    words = ("--profile", PROFILE.name, "--cards", COUNT, "--dir", bureau, "--keys", order)
    done = CliRunner().invoke(app, ["issue", *map(str, words)])
    assert done.exit_code in (3, 4), done.output
    assert said in done.stderr
    assert not list(bureau.glob("orders/*/cards"))


def _change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))
