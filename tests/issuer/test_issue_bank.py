"""`jinka issue` of bank cards that prove themselves offline. Goal: a terminal that holds nothing but the public keys
which the bureau wrote out takes the bureau's cards without a network, and no other's; no key is on two cards, whatever
is killed. Method: both terminal kernels on the cards of an order, and an order that is killed at each step in turn.
"""

from __future__ import annotations

import itertools
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from jinka.app.bank_authority import CardKeyRack, fingerprint, open_authority, read_ca_keys
from jinka.app.card_files import make_test_keys, open_card, open_key_folder, read_opened
from jinka.app.card_script import read_script, replay
from jinka.app.issue import IssueOptions, issue, open_letters
from jinka.app.issue_bank import OfflineAuth, common_beginning
from jinka.app.progress import Silent
from jinka.card import Card
from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.codec.emv_tags import Tag
from jinka.crypto.rsa_sign import draw_private_key
from jinka.issuer import NumberRange
from jinka.kit import NotFound, Refused, Usage
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import EmvDevice, EmvTerminal, QpbocTerminal
from jinka.terminal.emv_data import Capability, EmvStatus, Tvr
from tests.terminal.emv_rig import APPLICATION, Nobody, sale

BANK = "cn.bank.debit"
NO_ODA = Tvr.ODA_NOT_DONE | Tvr.SDA_FAILED | Tvr.DDA_FAILED | Tvr.CDA_FAILED
CA_KEYS = Path("keys/bank/ca-keys.json")
SLICE, COUNT = 2, 6


def _order(folder: Path, oda: OfflineAuth, *, cards: int = 2, **more: object) -> list[Card]:
    holders = folder.with_suffix(".csv")
    holders.write_text("name,balance\n" + "A,50000\n" * cards, encoding="utf-8")
    order = str(more.pop("order", "order-1"))
    options = {"directory": folder, "profile": BANK, "holders": holders, "oda": oda, "order": order} | more
    assert issue(IssueOptions(**options)).made == cards
    return _cards(folder, order)


def _cards(folder: Path, order: str = "order-1") -> list[Card]:
    keys, found = open_key_folder(folder), []
    for path in sorted((folder / "orders" / order).glob("cards/*/*.jcs")):
        chip = open_card(path, keys).chip
        assert isinstance(chip, Card)
        chip.power_up()
        found.append(chip)
    return found


def _device(folder: Path, *, sm2: bool = True) -> EmvDevice:
    keys = read_ca_keys(folder / CA_KEYS)
    assert len(keys) == 2
    return EmvDevice(aids=(APPLICATION,), ca_keys=keys if sm2 else keys[:1])


@pytest.fixture(scope="module")
def bureau(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bureau with an order whose cards have keys of their own; tests take its images, and do not write to it."""
    folder = tmp_path_factory.mktemp("bank") / "b"
    _order(folder, OfflineAuth.DDA)
    return folder


@pytest.mark.parametrize(
    "capabilities",
    [EmvDevice(aids=()).capabilities, EmvDevice(aids=()).capabilities & ~Capability.CDA],
    ids=["CDA", "DDA"],
)
def test_an_issued_card_pays_offline_by_contact(bureau: Path, capabilities: Capability) -> None:
    pins = [letter["pin"] for letter in open_letters(bureau, "order-1")]
    for card, pin in zip(_cards(bureau), pins, strict=True):
        terminal = EmvTerminal(replace(_device(bureau), capabilities=capabilities), SeededRandomness("t"))
        outcome = terminal.purchase(card, sale(1000, pin), Nobody())
        assert outcome.status is EmvStatus.APPROVED_OFFLINE, outcome
        assert not outcome.tvr & NO_ODA, outcome.tvr


def test_an_issued_card_pays_by_qpboc(bureau: Path) -> None:
    for card in _cards(bureau):
        outcome = QpbocTerminal(_device(bureau), SeededRandomness("r")).tap(card, sale(1234), Nobody())
        assert outcome.approved, outcome
        assert not outcome.tvr & NO_ODA
        assert outcome.data[Tag.PAN].hex().rstrip("f").startswith("51800000010")


def test_another_bureaus_card_is_not_taken(bureau: Path, tmp_path: Path) -> None:
    other = tmp_path / "b"
    other.mkdir()
    open_authority(other / "keys/bank", make_test_keys(), "518000")
    [card, _] = _cards(bureau)
    outcome = EmvTerminal(_device(other), SeededRandomness("t")).purchase(card, sale(1000), Nobody())
    assert (outcome.approved, bool(outcome.tvr & Tvr.CDA_FAILED)) == (False, True)
    [card, _] = _cards(bureau)
    assert not QpbocTerminal(_device(other), SeededRandomness("r")).tap(card, sale(1234), Nobody()).approved


def test_an_sm4_order_has_both_chains(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    cards = _order(folder, OfflineAuth.SM2, algorithm=Algorithm.SM4)
    for card in cards:
        sm2 = QpbocTerminal(_device(folder), SeededRandomness("r")).tap(card, sale(1000), Nobody())
        assert sm2.approved, sm2
        card.power_up()
        rsa = QpbocTerminal(_device(folder, sm2=False), SeededRandomness("r")).tap(card, sale(1000), Nobody())
        assert rsa.approved, rsa
        assert len(sm2.data[Tag.ICC_CERTIFICATE]) != len(rsa.data[Tag.ICC_CERTIFICATE])


def test_a_card_without_a_key_shows_its_data_alone(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    [card] = _order(folder, OfflineAuth.SDA, cards=1)
    pin = open_letters(folder, "order-1")[0]["pin"]
    outcome = EmvTerminal(_device(folder), SeededRandomness("t")).purchase(card, sale(1000, pin), Nobody())
    assert (outcome.status, bool(outcome.tvr & NO_ODA)) == (EmvStatus.APPROVED_OFFLINE, False)
    [plain] = _order(folder, OfflineAuth.NONE, cards=1, order="two")
    outcome = EmvTerminal(_device(folder), SeededRandomness("t")).purchase(plain, sale(1000), Nobody())
    assert (outcome.approved, bool(outcome.tvr & Tvr.ODA_NOT_DONE)) == (False, True)
    assert not (folder / "keys/bank/spent.txt").exists()


def test_the_script_of_a_bank_card_makes_a_card_that_pays(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    _order(folder, OfflineAuth.DDA, cards=1, scripts=True)
    [path] = folder.glob("orders/*/scripts/*/*.jcs")
    text, _ = read_opened(path, open_key_folder(folder))

    class Link:
        def __init__(self) -> None:
            self.card = Card.blank(SeededRandomness("blank"))
            self.transmit = self.card.transmit

        def reset(self) -> None:
            self.card.power_up()

    link = Link()
    assert replay(read_script(text.decode(), where="s"), link).deviation is None
    link.reset()
    assert QpbocTerminal(_device(folder), SeededRandomness("r")).tap(link.card, sale(1234), Nobody()).approved


def _spent(folder: Path) -> list[str]:
    return (folder / "keys/bank/spent.txt").read_text().splitlines()


def _certified(folder: Path) -> list[bytes]:
    """The certificate of each card's key: what is signed under the issuer's key differs when the keys do."""
    found = []
    for card in _cards(folder):
        outcome = QpbocTerminal(_device(folder), SeededRandomness("r")).tap(card, sale(1), Nobody())
        assert outcome.approved, "each card answers to the key that is certified on it"
        found.append(outcome.data[Tag.ICC_CERTIFICATE])
    return found


class Killed(BaseException):
    """The program ends here."""


@contextmanager
def _killed_at(step: int) -> Iterator[None]:
    """Whoever flushes or renames something for the ``step``-th time is killed before or behind it, by turns."""
    left = [step]
    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "fsync"), (Path, "rename"), (shutil, "rmtree")):
            real = getattr(owner, name)

            def cut(*arguments: object, _real: Any = real, **named: object) -> Any:
                left[0] -= 1
                if left[0] == 0 and step % 2:
                    raise Killed
                done = _real(*arguments, **named)
                if left[0] == 0:
                    raise Killed
                return done

            patch.setattr(owner, name, cut)
        yield


def test_an_order_that_is_killed_at_any_step_puts_no_key_on_two_cards(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    drawn = _jinka("--cards", "3", "--draw", "--dir", str(folder))
    assert (drawn.exit_code, len(list((folder / "keys/bank/pool").glob("*.jcs")))) == (0, 3), drawn.stderr
    holders = tmp_path / "h.csv"
    holders.write_text("name,balance\n" + "A,50000\n" * COUNT)
    options = IssueOptions(directory=folder, profile=BANK, holders=holders, slice_size=SLICE)
    for step in itertools.count(1):
        try:
            with _killed_at(step):
                done = issue(options)
        except Killed:
            continue
        break
    assert step > 15, "one slice flushes and renames at least so often"
    assert done.made + done.before == COUNT
    certificates = _certified(folder)
    assert len(set(certificates)) == len(certificates) == COUNT
    assert len(set(_spent(folder))) == len(_spent(folder)) == COUNT
    assert not list(folder.glob("orders/*/keys/*/*")), "a key that is on a card stays nowhere else"
    assert not list((folder / "keys/bank/pool").glob("*.jcs"))


def test_a_pool_that_comes_back_from_a_copy_is_noticed(tmp_path: Path) -> None:
    keys, bank = make_test_keys(), tmp_path / "bank"
    rack = CardKeyRack(bank, tmp_path / "one", keys)
    assert rack.draw(2, Silent()) == 2
    assert rack.draw(2, Silent()) == 0
    shutil.copytree(bank / "pool", tmp_path / "copy")
    first = rack.claim(0, 2)
    assert [fingerprint(key.public) for key in rack.claim(0, 2)] == [fingerprint(key.public) for key in first]
    rack.spend(first)
    rack.spend(first)
    rack.forget(0)
    assert len((bank / "spent.txt").read_text().splitlines()) == 2
    shutil.copytree(tmp_path / "copy", bank / "pool", dirs_exist_ok=True)
    with pytest.raises(Refused, match="carries this key already"):
        CardKeyRack(bank, tmp_path / "two", keys).claim(0, 1)
    for bad in (0, 10**9):
        with pytest.raises(Usage, match="a pool of"):
            rack.draw(bad, Silent())


def test_the_private_halves_are_sealed_and_each_file_is_for_one_thing(bureau: Path, tmp_path: Path) -> None:
    keys = open_key_folder(bureau)
    for name in ("ca.jcs", "issuer.jcs"):
        path = bureau / "keys/bank" / name
        prime = json.loads(read_opened(path, keys)[0])["rsa"]["p"]
        assert prime.encode() not in path.read_bytes()
        assert bytes.fromhex(prime.zfill(len(prime) + len(prime) % 2)) not in path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0
    rack = CardKeyRack(tmp_path, tmp_path / "o", keys)
    (tmp_path / "pool").mkdir()
    shutil.copy(bureau / "keys/bank/issuer.jcs", tmp_path / "pool/0000001.jcs")
    with pytest.raises(Refused, match="not a card's key"):
        rack.claim(0, 1)
    with pytest.raises(Refused, match="begin with 518000"):
        open_authority(bureau / "keys/bank", keys, "622800")


def test_without_the_cas_key_the_bureau_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "b"
    _order(folder, OfflineAuth.SDA, cards=1)
    (folder / "keys/bank/ca.jcs").unlink()
    [card] = _order(folder, OfflineAuth.DDA, cards=1, order="two")
    assert QpbocTerminal(_device(folder), SeededRandomness("r")).tap(card, sale(1), Nobody()).approved


def test_a_file_of_ca_keys_that_is_wrong_is_refused(bureau: Path, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    with pytest.raises(NotFound):
        read_ca_keys(path)
    body = json.loads((bureau / CA_KEYS).read_text())
    body["keys"][0]["modulus"] = f"{draw_private_key(1024).public.modulus:X}"
    path.write_text(json.dumps(body))
    with pytest.raises(Refused, match="check value of key F1"):
        read_ca_keys(path)
    for wrong in (
        "",
        "[]",
        '{"keys": 5}',
        '{"keys": [5]}',
        '{"keys": [{"rid": "zz"}]}',
        '{"keys": [null]}',
        "\x00",
    ):
        path.write_text(wrong)
        with pytest.raises(Usage, match="not a file of CA keys"):
            read_ca_keys(path)


def _jinka(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["issue", "--profile", BANK, *arguments])


def test_what_makes_no_sense_is_said_before_anything_is_made(tmp_path: Path) -> None:
    where = ("--dir", str(tmp_path / "b"))
    assert "one of none, sda, dda, sm2" in _jinka("--cards", "1", "--oda", "best", *where).stderr
    assert "add --sm4" in _jinka("--cards", "1", "--oda", "sm2", *where).stderr
    fuel = CliRunner().invoke(app, ["issue", "--profile", "cn.fuel", "--cards", "5", "--draw", *where])
    assert (fuel.exit_code, "for bank cards' keys" in fuel.stderr) == (2, True)
    late = tmp_path / "late.csv"
    late.write_text("name,valid_to\nA,2050-01-31\n")
    assert "two digits of the year" in _jinka("--cards", str(late), *where).stdout
    assert not (tmp_path / "b").exists()
    with pytest.raises(Usage, match="beginning in common"):
        common_beginning(NumberRange.parse("5180000000000000-5190000000000000"))
    assert common_beginning(NumberRange.parse("5180000001000000-5180000001999999")) == "51800000"
