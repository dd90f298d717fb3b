"""Every status word of the purse's specifications has a command that provokes it. Method: a table and its walker."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jinka.card import Card
from jinka.card.access import decipher
from jinka.codec import Algorithm, StatusWord
from jinka.crypto.block import message_mac4
from tests.card import purse_rig
from tests.card.purse_rig import MAINTAIN, card_with, send, verify
from tests.card.rig import OK

TDES = Algorithm.TDES


def _worn(card: Card, fid: int) -> Card:
    file = card.folder.children[fid]
    card.nvm.worn = range(file.at, file.at + 1)
    return card


def _corrupted(card: Card) -> bytes:
    return send(_worn(card, 0x0015), "00B09500", le=8)


def _worn_out(card: Card) -> bytes:
    return purse_rig.load(_worn(card, 0x0002), 1, 2)


def _three_pins(card: Card) -> bytes:
    return [send(card, "00200000", bytes(3)) for _ in range(4)][-1]


def _secured(card: Card, head: str, spoil: int = 0) -> bytes:
    rand = card.transmit(bytes.fromhex("0084000004"))[:4]
    message = bytes.fromhex(head) + b"\x04"
    mac = message_mac4(TDES, MAINTAIN, rand, message)
    return card.transmit(message + bytes((mac[0] ^ spoil,)) + mac[1:])


def _locked_purse(card: Card) -> bytes:
    card.nvm.commit([(card.folder.children[2].at + 15, b"\x01")])  # one try left
    command = purse_rig.lock_command(card)
    return card.transmit(command[:-2] + bytes((command[-2] ^ 1,)) + command[-1:])


def _blocked(card: Card) -> bytes:
    assert _secured(card, "841E0000") == OK
    return send(card, "805C0002", le=4)


W = StatusWord
PROVOKED: dict[int, Callable[[Card], bytes]] = {
    W.OK: lambda c: send(c, "805C0002", le=4),
    W.RESPONSE_LEFT | 2: lambda c: send(c, "805C0002", le=2),
    W.CORRUPTED: _corrupted,
    W.PIN_WRONG | 2: lambda c: send(c, "00200000", bytes(3)),
    W.MEMORY_FAILURE: _worn_out,
    W.WRONG_LENGTH: lambda c: send(c, "80500102", bytes(5)),
    W.STATE_INVALID: lambda c: send(c, "80540100", bytes(15), 8),
    W.FILE_TYPE_WRONG: lambda c: send(c, "00B08000", le=1),
    W.SECURITY_NOT_SATISFIED: lambda c: send(c, "805C0001", le=4),
    W.AUTHENTICATION_BLOCKED: _three_pins,
    W.CONDITIONS_NOT_SATISFIED: lambda c: purse_rig.lock(c) and purse_rig.buy(c, 1, 2),
    W.SM_MISSING: lambda c: send(c, "00D69500", b"\x01"),
    W.SM_INCORRECT: lambda c: _secured(c, "841E0000", spoil=1),
    W.DATA_WRONG: lambda c: send(c, "805E0100", bytes.fromhex("123456FF12FF34")),
    W.FUNCTION_UNSUPPORTED: _blocked,
    W.FILE_NOT_FOUND: lambda c: send(c, "00A40000", bytes.fromhex("9999")),
    W.RECORD_NOT_FOUND: lambda c: send(c, "00B201C4", le=23),
    W.NO_SPACE: lambda c: send(card_with(seal=False), "80E00019", bytes.fromhex("287FFFF0F0FFFF")),
    W.P1P2_WRONG: lambda c: send(c, "80500902", bytes(11)),
    W.REFERENCE_NOT_FOUND: lambda c: send(c, "805E0109", bytes.fromhex("123456FF1234")),
    W.OFFSET_WRONG: lambda c: send(c, "00B09509", le=1),
    W.LE_WRONG | 8: lambda c: send(c, "00B09500", le=9),
    W.INS_UNSUPPORTED: lambda c: send(c, "00FE0000"),
    W.CLA_UNSUPPORTED: lambda c: send(c, "A0A40000"),
    W.MAC_INVALID: lambda c: purse_rig.lock(c) and c.transmit(purse_rig.debit_command(1, gmac=bytes(4))),
    W.APPLICATION_LOCKED: _locked_purse,
    W.BALANCE_INSUFFICIENT: lambda c: purse_rig.buy(c, 5001, 2),
    W.COUNTER_EXHAUSTED: lambda c: purse_rig.buy(card_with(counters="0000FFFF"), 1, 2),
    W.KEY_NOT_FOUND: lambda c: send(c, "80500102", b"\x09" + bytes(10), 15),
    W.PROOF_UNAVAILABLE: lambda c: send(c, "805A0006", bytes(2), 8),
}
# 6283 is of debit and credit applications (a blocked one answers SELECT so); a blocked purse answers 6A81.
ELSEWHERE = {W.FILE_INVALIDATED}


@pytest.mark.parametrize("sw", PROVOKED, ids=lambda sw: f"{sw:04X}")
def test_status_word(sw: int) -> None:
    answer = PROVOKED[sw](card_with())
    assert answer[-2:] == sw.to_bytes(2, "big"), answer.hex()


def test_no_status_word_is_left_out() -> None:
    families = {W.PIN_WRONG: 0xFFF0, W.RESPONSE_LEFT: 0xFF00, W.LE_WRONG: 0xFF00}
    found = {StatusWord(sw & families.get(base, 0xFFFF)) for sw in PROVOKED for base in W
             if sw & families.get(base, 0xFFFF) == base}  # fmt: skip
    assert set(StatusWord) - found == ELSEWHERE


def test_an_answer_is_fetched_in_pieces() -> None:
    card = card_with()
    assert send(card, "00C00000", le=4).hex() == "6985"
    assert send(card, "805C0002", le=1).hex() == "006103"
    assert send(card, "00C00000", le=4).hex() == "6c03"
    assert send(card, "00C00000", le=1).hex() == "006102"
    assert send(card, "00C00000", le=0).hex() == "13889000"
    assert send(card, "00C00000", le=1).hex() == "6985"
    send(card, "805C0002", le=1)
    send(card, "00840000", le=4)
    assert send(card, "00C00000", le=3).hex() == "6985", "the next command drops the rest"


def test_worn_cells_are_read_with_a_warning_and_never_written() -> None:
    card = card_with()
    before = bytes(card.nvm.memory)
    answer = _corrupted(card)
    assert (len(answer), answer[-2:].hex()) == (10, "6281")
    assert _worn_out(card).hex() == "6581"
    assert purse_rig.buy(card, 1, 2).hex() == "6581"
    assert bytes(card.nvm.memory) == before


@pytest.mark.parametrize(("sfi", "cipher"), [(0x95, False), (0x97, True)])
def test_a_secured_read_is_signed_and_in_cipher_where_the_file_asks_for_it(sfi: int, cipher: bool) -> None:
    card = card_with()
    rand = card.transmit(bytes.fromhex("0084000004"))[:4]
    message = bytes((0x04, 0xB0, sfi, 0, 4))
    answer = card.transmit(message + message_mac4(TDES, MAINTAIN, rand, message))
    assert answer[-2:] == OK
    body, mac = answer[:-6], answer[-6:-2]
    assert mac == message_mac4(TDES, MAINTAIN, rand, body)
    assert (decipher(TDES, MAINTAIN, body) if cipher else body) == bytes(8)
    assert _secured(card, f"04B0{sfi:02X}00", spoil=1).hex() == "6988"
    assert send(card, f"04B0{sfi:02X}00", bytes(4)).hex() == "6985"
    verify(card)
    assert purse_rig.buy(card, 1, 2)[-2:] == OK
    logged = _secured(card, "04B201C4")
    assert len(logged) == 23 + 4 + 2
