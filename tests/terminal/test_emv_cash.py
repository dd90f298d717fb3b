"""Electronic cash over the contacts: the card pays once, the agreed amount, and only a terminal that asked for it.

Goal: an approval is a debit and a debit is an approval or is found in the log. Method: the real card with the terminal,
hostile commands by hand, and a cut at every write of the paying command.
"""

from __future__ import annotations

import contextlib

import pytest

from jinka.card import Card, PowerCut
from jinka.codec import Algorithm
from jinka.codec.dol import fill_dol
from jinka.codec.emv_tags import Tag
from jinka.issuer.emv import EmvIssuer, Question
from jinka.sectors import bank
from jinka.terminal import EmvStatus, Torn, Tvr, settle
from jinka.terminal.emv_data import Capability
from jinka.terminal.link import CardRemoved
from tests.card.emv_rig import (
    SM2_CA_KEY,
    SM2_ICC,
    answer,
    data,
    generate,
    issued,
    select,
    sm2_authority,
    values,
)
from tests.terminal.emv_rig import DEVICE, Nobody, Tap, issuer, sale, terminal, with_application

SHOP = with_application(ecash_limit_fen=60_000, floor_limit_fen=0)  # without cash, everything would go online
OK = b"\x90\x00"
PDOL = bank.SPEC_CASH.pdol


def _card(**more: object) -> Card:
    return issued(**{"spec": bank.SPEC_CASH} | more)


def _cash(card: Card) -> int:
    select(card)
    return int(data(card, Tag.ECASH_BALANCE).hex())


def _options(card: Card, fen: int = 1000, offered: bytes = b"\x01") -> bytes:
    select(card)
    body = fill_dol(PDOL, values(fen, ecash_terminal=offered))
    return card.transmit(bytes((0x80, 0xA8, 0, 0, len(body) + 2, 0x83, len(body))) + body + b"\x00")


@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_purchase_is_paid_from_the_balance(algorithm: Algorithm) -> None:
    card = _card(algorithm=algorithm)
    found = terminal(**SHOP).purchase(Tap(card), sale(1234), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE, found
    assert found.data[Tag.ECASH_CODE] == b"EC0001"
    assert found.data[Tag.ARC] == b"Y1"
    assert found.data[Tag.ISSUER_DATA][10:15].hex() == "0000048766"
    assert not found.tvr & (Tvr.FLOOR_LIMIT | Tvr.RANDOM)
    assert _cash(card) == 50_000 - 1234


@pytest.mark.parametrize(
    ("fen", "device", "card", "paid"),
    [
        (50_000, {}, {}, True),
        (50_001, {}, {}, False),
        (60_001, {}, {}, False),
        (1000, {"ecash_limit_fen": 0}, {}, False),
        (1000, {"ecash_limit_fen": 999}, {}, False),
        (1000, {}, {"ecash_single_fen": 999}, False),
        (1000, {}, {"ecash_reset_fen": 49_000}, True),
        (1000, {}, {"ecash_reset_fen": 49_001}, False),
        (1000, {}, {"currency": b"\x03\x44"}, False),
        (1000, {}, {"ecash_code": ""}, False),
        (1000, {}, {"spent_lower_fen": 1, "spent_upper_fen": 1, "offline_lower": 1}, True),
    ],
)
def test_what_is_paid_from_the_balance(
    fen: int, device: dict[str, object], card: dict[str, object], paid: bool
) -> None:
    made = _card(**card)
    shop = with_application(**{"ecash_limit_fen": 60_000, "floor_limit_fen": 0} | device)
    found = terminal(**shop).purchase(Tap(made), sale(fen), issuer())
    assert found.status is (EmvStatus.APPROVED_OFFLINE if paid else EmvStatus.APPROVED_ONLINE), found
    assert _cash(made) == 50_000 - (fen if paid else 0)


def test_many_small_purchases_until_a_load() -> None:
    card = _card(ecash_reset_fen=10_000)

    def load(host: EmvIssuer, question: Question) -> list[bytes]:
        return [host.load(question, 50_000)]

    ends = [
        terminal(str(number), **SHOP).purchase(Tap(card), sale(15_000), issuer(scripts=load)).status
        for number in range(4)
    ]
    assert ends == [*[EmvStatus.APPROVED_OFFLINE] * 2, EmvStatus.APPROVED_ONLINE, EmvStatus.APPROVED_OFFLINE]
    assert _cash(card) == 35_000


def test_with_sm2() -> None:
    card = _card(
        sm2=(sm2_authority(), SM2_ICC),
        pdol=PDOL + bytes.fromhex("DF6901"),
        algorithm=Algorithm.SM4,
        signed=False,
    )
    found = terminal(ca_keys=(SM2_CA_KEY,), **SHOP).purchase(Tap(card), sale(1234), Nobody())
    assert found.status is EmvStatus.APPROVED_OFFLINE, found
    assert _cash(card) == 50_000 - 1234


@pytest.mark.parametrize("fen", [999, 1001, 50_000, 0])
def test_another_amount_than_was_agreed_pays_nothing(fen: int) -> None:
    card = _card()
    assert _options(card, 1000)[-2:] == OK
    assert answer(generate(card, 0x40, values(fen)))[Tag.CID] == b"\x80"
    assert _cash(card) == 50_000


@pytest.mark.parametrize(
    "given",
    [{"amount": bytes.fromhex("00000000100A")}, {"currency": b"\x03\x44"}],
    ids=["not decimal", "another currency"],
)
def test_a_false_amount_pays_nothing(given: dict[str, bytes]) -> None:
    card = _card()
    assert _options(card, 1000)[-2:] == OK
    assert answer(generate(card, 0x40, values(1000) | values(1000, **given)))[Tag.CID] == b"\x80"
    assert _cash(card) == 50_000


@pytest.mark.parametrize("wanted", [0x00, 0x80])
def test_only_an_approval_pays(wanted: int) -> None:
    card = _card()
    _options(card)
    assert answer(generate(card, wanted))[Tag.CID] == bytes((wanted,))
    if wanted:
        assert answer(generate(card, 0x40, values(1000, arc=b"Y3"), second=True))[Tag.CID] == b"\x40"
    assert _cash(card) == 50_000


@pytest.mark.parametrize("offered", [b"\x00", b"\x02", b"\xff"])
def test_a_terminal_that_did_not_ask_is_shown_nothing(offered: bytes) -> None:
    card = _card()
    shown, plain = _options(card, offered=b"\x01"), _options(card, offered=offered)
    assert len(shown) == len(plain) + 4
    generate(card, 0x40)
    assert _cash(card) == 50_000


def test_a_blocked_card_pays_nothing() -> None:
    card = _card()

    def block(host: EmvIssuer, question: Question) -> list[bytes]:
        return [host.script(question, bytes.fromhex("841E0000"))]

    assert terminal(**SHOP).purchase(Tap(card), sale(60_001), issuer(scripts=block)).approved
    body = fill_dol(PDOL, values(1000, ecash_terminal=b"\x01"))
    select(card)
    options = card.transmit(bytes((0x80, 0xA8, 0, 0, len(body) + 2, 0x83, len(body))) + body)
    assert options[-2:] == OK
    assert answer(generate(card, 0x40))[Tag.CID] == b"\x00"
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == 50_000


class Cut(Tap):
    """Takes the power away in the paying command, after some writes; None: after all of them, before the answer."""

    write: int | None = 0

    def transmit(self, command: bytes) -> bytes:
        if command[1] != 0xAE:
            return super().transmit(command)
        self.card.nvm.cut_after(self.write)
        with contextlib.suppress(PowerCut):
            super().transmit(command)
        self.card.nvm.cut_after(None)
        raise CardRemoved("pulled", where="generate AC")


@pytest.mark.parametrize("write", [*range(14), None])
def test_a_torn_purchase_is_settled_by_the_log(write: int | None) -> None:
    card = _card()
    link = Cut(card)
    link.write = write
    torn = terminal(**SHOP).purchase(link, sale(1234), Nobody())
    assert torn.status is EmvStatus.REMOVED
    card.power_up()
    told = settle(Tap(card), torn)
    assert told is (Torn.PAID if _cash(card) == 50_000 - 1234 else Torn.NOT_PAID)
    assert (write is None) <= (told is Torn.PAID)
    assert write != 0 or told is Torn.NOT_PAID


def test_the_signature_still_decides() -> None:
    """A code that is shown does not replace the card's authentication."""
    device = SHOP | {"ca_keys": (), "capabilities": DEVICE.capabilities & ~Capability.ONLINE_PIN}
    card = _card()
    found = terminal(**device).purchase(Tap(card), sale(1000), Nobody())
    assert not found.approved
    assert _cash(card) == 50_000
