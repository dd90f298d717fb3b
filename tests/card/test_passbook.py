"""The passbook beside the purse: PIN first, load, purchase, cash. Method: each answer is made again by hand."""

from __future__ import annotations

import pytest

from jinka.codec import TransactionType
from jinka.crypto import load_session, mac4
from jinka.crypto.block import message_mac4
from tests.card.purse_rig import (
    LOAD,
    MOMENT,
    RAND,
    RELOAD,
    TDES,
    TERMINAL,
    UNBLOCK,
    balance,
    buy,
    card_with,
    load,
    send,
    tac,
    verify,
)
from tests.card.rig import OK, expect, reloaded, select


def test_without_the_pin_the_passbook_says_nothing_and_pays_nothing() -> None:
    card = card_with()
    for command in ("805C000104", "805000010B0100000001440300000001", "805001010B0100000001440300000001",
                    "805002010B0100000001440300000001", "805005010B0100000001440300000001",
                    "80500401070144030000000113", "E07A0801070144030000000100"):  # fmt: skip
        expect(card, command, "6982")
    verify(card)
    assert balance(card, 1) == 5000
    select(card, "3F01")
    expect(card, "805C000104", "6982")


def test_a_load_of_the_passbook_carries_its_own_type() -> None:
    card = card_with()
    verify(card)
    answer = load(card, 700, 1)
    bound = (5700).to_bytes(4, "big") + bytes(2) + (700).to_bytes(4, "big") + b"\x01" + TERMINAL + MOMENT
    assert answer == tac(bound) + OK
    assert (balance(card, 1), balance(card, 2)) == (5700, 5000)
    assert send(card, "805A0001", bytes.fromhex("0001"), 8)[4:] == answer


@pytest.mark.parametrize(
    ("p1", "kind", "other"),
    [(1, TransactionType.ED_PURCHASE, 2), (2, TransactionType.ED_CASH, 1)],
)
def test_purchase_and_cash_from_the_passbook(p1: int, kind: int, other: int) -> None:
    card = card_with()
    verify(card)
    answer = buy(card, 100, 1, p1=p1, kind=kind)
    bound = (100).to_bytes(4, "big") + bytes((kind,)) + TERMINAL + bytes.fromhex("00000007") + MOMENT
    assert answer[:4] == tac(bound)
    assert (balance(card, 1), balance(card, 2)) == (4900, 5000)
    logged = send(card, "00B201C4", le=23)
    assert logged[:-2] == bytes.fromhex("0000 000000 00000064") + bytes((kind,)) + TERMINAL + MOMENT
    opened = send(card, f"8050{p1:02X}01", b"\x01" + bytes(4) + TERMINAL, 15)
    assert opened[4:6] == bytes.fromhex("0001")
    assert send(card, f"8054{other:02X}00", bytes(15), 8).hex() == "6a86", "begun as the other one"


def test_cash_comes_from_the_passbook_only() -> None:
    card = card_with()
    verify(card)
    assert send(card, "80500202", b"\x01" + bytes(4) + TERMINAL, 15).hex() == "6a86"
    assert send(card, "80500501", b"\x01" + (5001).to_bytes(4, "big") + TERMINAL, 16).hex() == "9401"


def test_the_two_balances_do_not_mix() -> None:
    card = card_with(balance=100, passbook=200)
    verify(card)
    assert buy(card, 101, 2).hex() == "9401"
    assert buy(card, 101, 1)[-2:] == OK
    assert (balance(card, 1), balance(card, 2)) == (99, 100)


def test_a_mac_for_the_purse_does_not_load_the_passbook() -> None:
    card = card_with()
    verify(card)
    opened = send(card, "80500001", b"\x01" + bytes.fromhex("00000064") + TERMINAL, 16)
    session = load_session(TDES, LOAD, opened[8:12], 0)
    mac2 = mac4(TDES, session, bytes.fromhex("00000064 02") + TERMINAL + MOMENT)
    assert send(card, "80520000", MOMENT + mac2, 4).hex() == "9302"
    assert balance(card, 1) == 5000


def test_the_pin_is_changed_by_who_knows_it() -> None:
    card = card_with()
    assert send(card, "805E0100", bytes.fromhex("123457 FF 9999")).hex() == "63c2"
    assert send(card, "805E0100", bytes.fromhex("123456 FF 99887766")) == OK
    again = reloaded(card)
    select(again, "3F01")
    assert send(again, "00200000", bytes.fromhex("123456")).hex() == "63c2"
    assert send(again, "00200000", bytes.fromhex("99887766")) == OK


@pytest.mark.parametrize(
    ("data", "sw"),
    [
        ("123456", "6700"),  # nothing but an old PIN
        ("123456 FF", "6700"),
        ("123456 FF 12", "6700"),
        ("123456 FF 1122334455", "6700"),  # longer than its record
        ("FF 123456", "6700"),
        ("123456 FF 12FF34", "6A80"),
    ],
)
def test_a_pin_that_makes_no_sense_costs_no_try(data: str, sw: str) -> None:
    card = card_with()
    before = bytes(card.nvm.memory)
    assert send(card, "805E0100", bytes.fromhex(data)).hex().upper() == sw
    assert bytes(card.nvm.memory) == before


def test_three_wrong_old_pins_block_it_and_the_issuer_unblocks_or_reloads_it() -> None:
    card = card_with()
    wrong = bytes.fromhex("000000 FF 1111")
    assert [send(card, "805E0100", wrong).hex() for _ in range(4)] == ["63c2", "63c1", "6983", "6983"]
    assert send(card, "00200000", bytes.fromhex("123456")).hex() == "6983"
    assert unblock(card, "654321") == OK
    assert send(card, "00200000", bytes.fromhex("654321")) == OK
    for _ in range(3):
        send(card, "00200000", bytes.fromhex("000000"))
    mac = mac4(TDES, bytes(a ^ b for a, b in zip(RELOAD[:8], RELOAD[8:], strict=True)), bytes.fromhex("1234"))
    assert send(card, "805E0000", bytes.fromhex("1234") + mac) == OK
    assert send(card, "00200000", bytes.fromhex("1234")) == OK


def test_reload_and_unblock_need_their_macs_and_count_them() -> None:
    card = card_with()
    assert [send(card, "805E0000", bytes.fromhex("1234 00000000")).hex() for _ in range(4)] == [
        "6988",
        "6988",
        "6988",
        "6983",
    ]
    assert send(card, "84240000", bytes(12)).hex() == "6985", "no challenge"
    assert [unblock(card, "654321", spoil=1).hex() for _ in range(4)] == ["6988", "6988", "6988", "6983"]
    assert send(card, "00200000", bytes.fromhex("123456")) == OK


def test_a_pin_that_is_not_there() -> None:
    card = card_with()
    assert send(card, "805E0105", bytes.fromhex("123456 FF 1234")).hex() == "6a88"
    assert send(card, "84240500", bytes(12)).hex() == "6a88"
    assert send(card, "805E0200", bytes(8)).hex() == "6a86"


def unblock(card, pin: str, spoil: int = 0) -> bytes:
    from jinka.card.access import encipher

    send(card, "00840000", le=4)
    body = encipher(TDES, UNBLOCK, bytes.fromhex(pin))
    head = bytes.fromhex("84240000") + bytes((len(body) + 4,)) + body
    mac = message_mac4(TDES, UNBLOCK, bytes.fromhex(RAND), head)
    return card.transmit(head + bytes((mac[0] ^ spoil,)) + mac[1:])
