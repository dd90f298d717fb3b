"""`jinka issue` for every declared application. Goal: what the bureau hands out works at the other side, with nothing
but the sealed letters and the bureau's secret. Method: the real terminals and hosts on the cards of an order.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from stdnum import luhn
from typer.testing import CliRunner, Result

from jinka.app.card_files import declared_profiles, open_card, open_key_folder
from jinka.app.card_read import read_card
from jinka.app.issue import IssueOptions, issue, open_letters
from jinka.app.issue_bank import OfflineAuth
from jinka.app.registrar import Registrar
from jinka.card import Card
from jinka.cli.main import app
from jinka.codec import Algorithm, tlv
from jinka.codec.emv_tags import Tag, amount
from jinka.issuer import CardChecks, CardKeyNames, IssuedCard, Question, Reason
from jinka.issuer.card_checks import ScriptOrder
from jinka.issuer.emv import APPROVED, read_question
from jinka.keys import SoftKeyService
from jinka.keys.cryptograms import SessionKey
from jinka.kit import NotFound, Refused
from jinka.sectors import bank
from jinka.sectors.social_security import AID as AID_SOCIAL
from jinka.sim.parties import ISSUER
from jinka.sim.randomness import SeededRandomness
from jinka.store import load_registry, open_database
from jinka.terminal.emv import EmvTerminal
from jinka.terminal.emv_data import AidData, EmvDevice, EmvStatus, Sale
from jinka.terminal.usim_auth import AttachStatus, AuthenticationCentre, NetworkTerminal, Subscriber

RANGE = "5180000007000000-5180000007000099"
HOLDERS = "name,identity_number,balance\nZhang San,11010519491231002X,0\nLi Si,,0\n"
CASH_FEN = 43_210
AT = dt.datetime(2026, 9, 1, 8, 30)


class KeyServiceHost:
    """An issuer's checks over names of keys alone: the key service checks the card, answers it, and loads its cash."""

    def __init__(self, keys: SoftKeyService) -> None:
        names = {
            use: {algorithm: f"{use}/{algorithm.name}/1" for algorithm in Algorithm}
            for use in ("cryptogram", "script_mac", "script_data")
        }
        load = ScriptOrder(head4=bytes.fromhex("04DA9F79"), body=amount(CASH_FEN))
        self._checks = CardChecks(
            keys, CardKeyNames(pin="", card_value="", **names), scripts=lambda _card, _reason: [load]
        )
        self.answered = 0
        self.question: Question

    def authorise(self, request: bytes) -> bytes:
        asked = self.question = read_question(request)
        asked.check_pin_claim()
        card = IssuedCard(pan=asked.pan, account="A", expiry4="4012", sequence=asked.sequence)
        field55 = self._checks.answer(asked, card, Reason.APPROVED)
        self.answered += bool(field55)
        return tlv(Tag.ARC, APPROVED) + field55


def _jinka(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["issue", *arguments])


def _order(folder: Path, profile: str, **more: object) -> list[Card]:
    holders = folder.with_suffix(".csv")
    holders.write_text(HOLDERS, encoding="utf-8")
    with Registrar(folder) as registrar:
        registrar.grant_simulated(*RANGE.split("-"), holder=ISSUER)
    options = {"directory": folder, "profile": profile, "holders": holders, "numbers": RANGE} | more
    assert issue(IssueOptions(**options)).made == 2
    keys = open_key_folder(folder)
    found = []
    for path in sorted(folder.glob("orders/*/cards/*/*.jcs")):
        chip = open_card(path, keys).chip
        assert isinstance(chip, Card)
        chip.power_up()
        found.append(chip)
    return found


@pytest.mark.parametrize("name", list(declared_profiles()))
def test_every_application_is_made_or_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    made = _jinka("--profile", name, "--cards", "2", "--dir", str(tmp_path / "b"))
    if name == "icao.passport":
        assert made.exit_code == 2
        assert "photograph" in made.stderr
        assert "document_data" in made.stderr
        assert not (tmp_path / "b").exists()
        return
    assert made.exit_code == 0, made.stderr
    engine = open_database(tmp_path / "b" / "registry.sqlite")
    cards = load_registry(engine).cards
    engine.dispose()
    assert cards["profile"].to_pylist() == [name, name]
    scripts = _jinka(
        "--profile", name, "--cards", "2", "--dir", str(tmp_path / "b"), "--order", "s", "--script"
    )
    assert scripts.exit_code == 0, scripts.stderr


@pytest.mark.parametrize("name", ["cn.bank.debit", "jinka.identity", "3gpp.usim", "cn.social-security"])
def test_the_scripts_make_the_same_cards(name: str, tmp_path: Path) -> None:
    """An order is finished under its own secret: the same numbers get the same keys and PINs."""
    # An RSA key follows from nothing and leaves the bureau with its card: test_issue_bank kills such orders.
    more = {"oda": OfflineAuth.NONE} if name == bank.PROFILE.name else {}
    [first, _] = _order(tmp_path / "b", name, **more)
    folder = tmp_path / "b" / "orders" / "order-1"
    log = tmp_path / "b" / "bureau.log.jsonl"
    before = open_letters(tmp_path / "b", "order-1")
    kept = [line for line in log.read_text().splitlines() if '"reserved"' in line]
    log.write_text("\n".join(kept) + "\n")  # as if the run had been killed before the slice counted
    for path in folder.glob("*/*.csv"):
        path.unlink()
    [again, _] = _order(tmp_path / "b", name, **more)
    assert open_letters(tmp_path / "b", "order-1") == before
    assert bytes(again.nvm.memory) == bytes(first.nvm.memory)


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_bank_card_pays_online_at_the_key_service_that_made_it(
    algorithm: Algorithm, tmp_path: Path
) -> None:
    cards = _order(tmp_path / "b", "cn.bank.debit", algorithm=algorithm, oda=OfflineAuth.NONE)
    keys = open_key_folder(tmp_path / "b")
    host = KeyServiceHost(keys)
    letters = open_letters(tmp_path / "b", "order-1")
    device = EmvDevice(aids=(AidData(aid=bank.AID_DEBIT[:7]),))
    for card, letter in zip(cards, letters, strict=True):
        terminal = EmvTerminal(device, SeededRandomness("terminal"))
        outcome = terminal.purchase(
            card, Sale(amount_fen=1000, at=AT, pin=lambda letter=letter: letter["pin"]), host
        )
        assert outcome.status is EmvStatus.APPROVED_ONLINE, outcome
        assert (
            card.transmit(bytes.fromhex("80CA9F7900"))
            == bytes.fromhex("9F7906") + amount(CASH_FEN) + b"\x90\x00"
        )
        [reading] = read_card(card).readings
        assert reading.number == letter["number"]
    assert host.answered == len(cards)
    with pytest.raises(Refused):
        keys.check_cryptogram(
            host.question.signed, bytes(8), key=f"cryptogram/{algorithm.name}/1", pan=host.question.pan,
            sequence="00", counter=host.question.counter, session=SessionKey.PBOC,
        )  # fmt: skip
    assert all(luhn.is_valid(letter["number"]) for letter in letters)
    assert letters[0]["pin"] != letters[1]["pin"]
    assert "pin" not in str((tmp_path / "b" / "orders/order-1/letters/0000.jcs").read_bytes())


def test_a_subscriber_is_authenticated_by_what_the_letter_says(tmp_path: Path) -> None:
    cards = _order(tmp_path / "b", "3gpp.usim")
    letters = open_letters(tmp_path / "b", "order-1")
    known = {
        one["imsi"]: Subscriber(k=bytes.fromhex(one["k"]), opc=bytes.fromhex(one["opc"])) for one in letters
    }
    assert len(known) == 2
    centre = AuthenticationCentre(known, SeededRandomness("home"))
    for card, letter in zip(cards, letters, strict=True):
        aid = declared_profiles()["3gpp.usim"].aid
        attached = NetworkTerminal(aid, centre).attach(card, letter["pin"].encode())
        assert (attached.status, attached.imsi) == (AttachStatus.DONE, letter["imsi"])


def test_a_social_security_card_names_its_holder(tmp_path: Path) -> None:
    [card, _] = _order(tmp_path / "b", "cn.social-security")
    [reading] = read_card(card).readings
    assert (reading.number, reading.holder, reading.holder_class_en) == (
        "007000000",
        "Zhang San",
        "card class 1",
    )
    pin = open_letters(tmp_path / "b", "order-1")[0]["pin"]
    card.transmit(bytes((0, 0xA4, 4, 0, len(AID_SOCIAL))) + AID_SOCIAL)
    assert card.transmit(bytes.fromhex("0020000003" + pin)) == b"\x90\x00"


def test_an_identity_card_knows_the_pin_of_its_letter(tmp_path: Path) -> None:
    [card, _] = _order(tmp_path / "b", "jinka.identity")
    aid = declared_profiles()["jinka.identity"].aid
    card.transmit(bytes((0, 0xA4, 4, 0, len(aid))) + aid)
    pin = open_letters(tmp_path / "b", "order-1")[0]["pin"]
    wrong = f"{(int(pin) + 1) % 10**6:06d}"
    assert card.transmit(bytes.fromhex("0020000103" + wrong)) == b"\x63\xc2"
    assert card.transmit(bytes.fromhex("0020000103" + pin)) == b"\x90\x00"


def test_holders_that_one_application_cannot_take_stop_the_order(tmp_path: Path) -> None:
    holders = tmp_path / "holders.csv"
    holders.write_text("name,balance\n张三,0\nLi Si,100001\n", encoding="utf-8")
    bank_order = _jinka("--profile", "cn.bank.debit", "--cards", str(holders), "--dir", str(tmp_path / "b"))
    assert bank_order.exit_code == 6
    assert "holder 1: NAME: not a name for a bank card" in bank_order.stdout
    assert "holders.csv:3: BALANCE" in bank_order.stdout
    holders.write_text("name,balance\n张三,5\n", encoding="utf-8")
    social = _jinka("--profile", "cn.social-security", "--cards", str(holders), "--dir", str(tmp_path / "b"))
    assert "BALANCE" in social.stdout, "no money goes onto a card without a purse"
    assert not (tmp_path / "b").exists()


def test_letters_are_printed_for_those_who_hold_the_keys(tmp_path: Path) -> None:
    _order(tmp_path / "b", "jinka.identity")
    same = ["--profile", "jinka.identity", "--cards", "2", "--dir", str(tmp_path / "b"), "--letters"]
    printed = _jinka(*same)
    assert [line["number"][-4:] for line in json.loads(printed.stdout)] == ["0000", "0001"]
    assert _jinka(*same, "--order", "none").exit_code == 3
    with pytest.raises(NotFound):
        open_letters(tmp_path / "nowhere", "order-1")


def test_what_the_machine_or_the_card_cannot_do_is_said_in_a_sentence(tmp_path: Path) -> None:
    sm4 = _jinka("--profile", "3gpp.usim", "--sm4", "--cards", "2", "--dir", str(tmp_path / "b"))
    assert (sm4.exit_code, "not SM4" in sm4.stderr) == (2, True), sm4.stderr
    (tmp_path / "file").touch()
    inside = _jinka("--profile", "cn.fuel", "--cards", "2", "--dir", str(tmp_path / "file" / "b"))
    assert inside.exit_code == 2
    assert "a file stands where a folder is needed" in inside.stderr
