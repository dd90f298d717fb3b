"""Unload: money goes back to the bank, under the unload key, and never the bank's own credit."""

from __future__ import annotations

from jinka.crypto import load_session, mac4
from tests.card.purse_rig import (
    MOMENT,
    RAND,
    TDES,
    TERMINAL,
    UNLOAD,
    balance,
    card_with,
    send,
    unload_command,
    verify,
)
from tests.card.rig import OK, reloaded, select


def test_an_unload_answers_mac3_and_books_itself() -> None:
    card = card_with()
    verify(card)
    answer = card.transmit(unload_command(card, 1200))
    session = load_session(TDES, UNLOAD, bytes.fromhex(RAND), 0)
    head = (1200).to_bytes(4, "big") + b"\x03" + TERMINAL
    assert answer == mac4(TDES, session, (3800).to_bytes(4, "big") + bytes(2) + head + MOMENT) + OK
    assert balance(card, 1) == 3800
    assert send(card, "805A0003", bytes.fromhex("0001"), 8)[4:] == answer
    assert send(card, "00B201C4", le=23)[5:-2] == head + MOMENT
    again = reloaded(card)
    select(again, "3F01")
    verify(again)
    assert balance(again, 1) == 3800


def test_a_wrong_mac2_pays_nothing_out_and_the_right_one_only_once() -> None:
    card = card_with()
    verify(card)
    command = unload_command(card, 100)
    assert card.transmit(command[:-2] + bytes((command[-2] ^ 1,)) + command[-1:]).hex() == "9302"
    assert card.transmit(command).hex() == "6901", "an error ends the transaction"
    assert card.transmit(unload_command(card, 100))[-2:] == OK
    assert card.transmit(command).hex() == "6901"
    assert balance(card, 1) == 4900


def test_credit_cannot_be_unloaded() -> None:
    card = card_with(passbook=5000, overdraft=4000)
    verify(card)
    assert send(card, "80500501", b"\x01" + (1001).to_bytes(4, "big") + TERMINAL, 16).hex() == "9401"
    assert card.transmit(unload_command(card, 1000))[-2:] == OK
    assert balance(card, 1) == 4000


def test_the_purse_has_no_unload_and_lengths_are_checked() -> None:
    card = card_with()
    verify(card)
    assert send(card, "80500502", b"\x01" + bytes(4) + TERMINAL, 16).hex() == "6a86"
    unload_command(card, 1)
    assert send(card, "80540300", bytes(15), 4).hex() == "6700"
    unload_command(card, 1)
    assert send(card, "80520000", bytes(11), 4).hex() == "6901", "not a credit"
