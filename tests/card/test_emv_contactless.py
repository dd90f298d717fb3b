"""Contactless purchases at the card: what a tap becomes, and when it is paid.

Goal: the card is debited once, by the reading of the last record and by nothing else. Method: commands written by hand,
one after another, with the electronic cash looked at after each.
"""

from __future__ import annotations

import pytest

from jinka.codec.emv_tags import Tag
from jinka.crypto.emv_oda import recover_dynamic
from tests.card.emv_rig import (
    ICC,
    ICC_1984,
    answer,
    data,
    gpo,
    issued,
    options,
    reading,
    scripted,
    tapped,
    values,
)

TAP = {"terminal_qualifiers": bytes.fromhex("36000080")}
ONLINE_TAP = {"terminal_qualifiers": bytes.fromhex("36800080")}
OFFLINE_TAP = {"terminal_qualifiers": bytes.fromhex("2E000080")}
OK = b"\x90\x00"
CASH = "000000090000"


def test_an_offline_tap_debits_once() -> None:
    card = issued()
    found = tapped(card, values(1234, **TAP))
    assert found[Tag.AVAILABLE].hex() == "000000048766"
    assert found[Tag.ISSUER_DATA][4] & 0x30 == 0x10
    assert data(card, Tag.ECASH_BALANCE).hex() == "000000048766"
    assert gpo(card, values(1234, **TAP)) == b"\x69\x85"
    bound = bytes.fromhex("1E78EEBC 000000001234 0156") + found[Tag.CARD_AUTHENTICATION]
    assert recover_dynamic(ICC.public, found[Tag.DYNAMIC_SIGNATURE], bound) == b"\x02\x00\x01"


@pytest.mark.parametrize(
    ("fen", "tap", "changes", "kind"),
    [
        (1234, ONLINE_TAP, {}, 0x20),
        (50_000, TAP, {}, 0x10),
        (50_001, TAP, {}, 0x20),
        (50_001, OFFLINE_TAP, {}, 0x00),
        (1000, TAP, {"ecash_single_fen": 999}, 0x20),
        (1000, OFFLINE_TAP, {"ecash_single_fen": 999}, 0x00),
        (1000, TAP, {"ecash_reset_fen": 49_001}, 0x20),
        (1000, OFFLINE_TAP, {"ecash_reset_fen": 49_001}, 0x10),
        (1000, TAP, {"currency": b"\x03\x44"}, 0x20),
        (1000, OFFLINE_TAP, {"currency": b"\x03\x44"}, 0x00),
        (0, TAP, {}, 0x00),
    ],
)
def test_what_a_tap_becomes(fen: int, tap: dict[str, bytes], changes: dict[str, object], kind: int) -> None:
    card = issued(**changes)
    found = tapped(card, values(fen, **tap))
    assert found[Tag.ISSUER_DATA][4] & 0x30 == kind
    left = 50_000 - fen if kind == 0x10 else 50_000
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == left


@pytest.mark.parametrize("form", [4, 12], ids=["with the last record", "with the options"])
def test_when_the_card_is_debited(form: int) -> None:
    card = issued(form=form)
    found = answer(options(card, values(1234, **TAP)))
    commands = reading(found[Tag.AFL])
    at_once = form == 12
    assert (Tag.DYNAMIC_SIGNATURE in found) is at_once
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == (48_766 if at_once else 50_000)
    for number, command in enumerate(commands, 1):
        found |= answer(card.transmit(command))
        paid = at_once or number == len(commands)
        assert (Tag.DYNAMIC_SIGNATURE in found) is paid
        assert int(data(card, Tag.ECASH_BALANCE).hex()) == (48_766 if paid else 50_000)
    once = card.transmit(commands[-1])
    assert answer(once)  # asked again, for instance over a bad line
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == 48_766
    assert len(reading(found[Tag.AFL])) == (7 if form == 4 else 6)


def test_a_card_that_signs_nothing_pays_with_the_last_record_of_its_files() -> None:
    card = issued(signed=False)
    *before, last = reading(answer(options(card, values(1234, **TAP)))[Tag.AFL])
    for command in (*before, *before):
        assert card.transmit(command)[-2:] == OK
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == 50_000
    assert card.transmit(last)[-2:] == OK
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == 48_766


def test_a_long_key_signs_in_a_record() -> None:
    card = issued(key=ICC_1984)
    found = tapped(card, values(1234, **TAP))
    assert len(found[Tag.DYNAMIC_SIGNATURE]) == 248
    bound = bytes.fromhex("1E78EEBC 000000001234 0156") + found[Tag.CARD_AUTHENTICATION]
    assert recover_dynamic(ICC_1984.public, found[Tag.DYNAMIC_SIGNATURE], bound) == b"\x02\x00\x01"
    refused = issued(key=ICC_1984, form=12)
    assert options(refused, values(1234, **TAP)) == b"\x69\x85"
    assert int(data(refused, Tag.ECASH_BALANCE).hex()) == 50_000


@pytest.mark.parametrize(
    "between",
    [
        ["00A4040008A000000333010101", "00B2015400"],
        ["80A80000020000", "00B2015C00", "00B2025400"],
        ["04DA9F790A00000009000011223344", "84160000041122334455"],
        ["00200080082412345FFFFFFFFF", "0088000004AABBCCDD00", "80AE4000251234"],
    ],
    ids=["select", "options", "scripts", "the contact commands"],
)
def test_nothing_but_the_record_pays(between: list[str]) -> None:
    card = issued()
    options(card, values(1234, **TAP))
    for command in between:
        assert card.transmit(bytes.fromhex(command))[-2:] != OK or command.startswith("00A4")
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == 50_000


def test_a_false_amount_pays_nothing() -> None:
    card = issued()
    found = answer(options(card, values(amount=bytes.fromhex("00000000100A"), **TAP)))
    assert found[Tag.ISSUER_DATA][4] & 0x30 == 0
    assert int(data(card, Tag.ECASH_BALANCE).hex()) == 50_000


def test_an_online_tap_takes_a_load() -> None:
    card = issued()
    found = answer(options(card, values(1000, **ONLINE_TAP)))
    assert card.transmit(scripted(found, "04DA9F79", bytes.fromhex(CASH))) == OK
    assert data(card, Tag.ECASH_BALANCE).hex() == CASH
