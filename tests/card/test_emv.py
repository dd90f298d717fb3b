"""The bank application on the card: what it answers, what it refuses.

Goal: cryptograms, scripts and electronic cash are right, and nothing else changes the card. Method: commands written by
hand with an issuer's keys.
"""

from __future__ import annotations

import pytest

from jinka.card import Card
from jinka.card.emv import STAGES, EmvApplet
from jinka.card.emv_data import FLAGS, SCRIPTS, Flag
from jinka.codec import Algorithm, find, tlv
from jinka.codec.dol import fill_dol
from jinka.codec.emv_tags import Tag
from jinka.crypto import emv
from jinka.crypto.emv_oda import check_combined, recover_dynamic
from jinka.sectors import bank
from tests.card.emv_rig import (
    HOLDER,
    ICC,
    answer,
    arpc,
    card_keys,
    data,
    generate,
    gpo,
    issued,
    options,
    scripted,
    select,
    session,
    values,
)

TAP = {"terminal_qualifiers": bytes.fromhex("36000080")}
ONLINE_TAP = {"terminal_qualifiers": bytes.fromhex("36800080")}
OFFLINE_TAP = {"terminal_qualifiers": bytes.fromhex("2E000080")}
OK = b"\x90\x00"


def _online(card: Card, fen: int = 1000) -> dict[int, bytes]:
    """A transaction up to the card's ARQC."""
    assert options(card, values(fen))[-2:] == OK
    return answer(generate(card, 0x80, values(fen)))


def _state(card: Card, at: int) -> int:
    applet = card.applet
    assert isinstance(applet, EmvApplet)
    return applet.number(at)


def test_both_environments_list_the_application() -> None:
    card = issued()
    contactless = select(card, b"2PAY.SYS.DDF01")
    assert find(contactless[:-2], 0x6F, 0xA5, 0xBF0C, 0x61, 0x4F) == bank.AID_DEBIT
    contact = select(card, b"1PAY.SYS.DDF01")
    assert find(contact[:-2], 0x6F, 0xA5, 0x88) == b"\x01"
    record = card.transmit(bytes.fromhex("00B2010C00"))
    assert find(record[:-2], 0x70, 0x61, 0x4F) == bank.AID_DEBIT


def test_the_fci_is_that_of_cards_in_the_field() -> None:
    assert find(select(issued())[:-2], 0x6F, 0xA5, Tag.PDOL) == bank.SPEC.pdol


def test_options_in_both_formats() -> None:
    plain = options(issued())
    assert plain.hex() == "800a7d00080101001001050290 00".replace(" ", "")
    tagged = answer(options(issued(form=1)))
    assert tagged[Tag.AIP] == b"\x7d\x00"
    assert tagged[Tag.AFL].hex() == "0801010010010502"


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("form", [0, 2], ids=["format 1", "format 2"])
def test_an_online_purchase(algorithm: Algorithm, form: int) -> None:
    card = issued(algorithm=algorithm, form=form)
    first = _online(card)
    assert first[Tag.CID] == b"\x80"
    key = session("cryptogram", 1, algorithm)
    bound = bytes.fromhex("000000001000 000000000000 0156 0000000000 0156 180901 00 1E78EEBC 7D00 0001")
    assert first[Tag.CRYPTOGRAM] == emv.cryptogram(algorithm, key, bound + first[Tag.ISSUER_DATA][3:7])
    assert first[Tag.ISSUER_DATA][7:8] == (b"\x01" if algorithm is Algorithm.TDES else b"\x04")
    assert card.transmit(arpc(first, algorithm=algorithm)) == OK
    second = answer(generate(card, 0x40, second=True))
    assert second[Tag.CID] == b"\x40"
    assert data(card, Tag.LAST_ONLINE) == b"\x00\x01"
    log = card.transmit(bytes.fromhex("00B2015C00"))
    assert log[:29].hex() == "180901083000000000001000000000000000015601560000011e78eebc"


def test_a_wrong_answer_of_the_issuer() -> None:
    card = issued()
    first = _online(card)
    bad = bytearray(arpc(first))
    bad[5] ^= 1
    assert card.transmit(bytes(bad)) == b"\x63\x00"
    assert card.transmit(arpc(first)) == b"\x69\x85", "one attempt a transaction"
    assert answer(generate(card, 0x40, second=True))[Tag.CID] == b"\x00"
    assert data(card, Tag.LAST_ONLINE) == b"\x00\x00"
    options(card)
    after = answer(generate(card, 0x40))
    assert after[Tag.CID] == b"\x80", "the card goes online next time"
    assert after[Tag.ISSUER_DATA][5] & 0x08


def test_an_offline_purchase_within_limits_then_online() -> None:
    card = issued(offline_lower=2)
    kinds = []
    for _ in range(3):
        options(card)
        kinds.append(answer(generate(card, 0x40))[Tag.CID])
    assert kinds == [b"\x40", b"\x40", b"\x80"]


def test_amount_limits_count_what_was_spent_offline() -> None:
    card = issued(offline_lower=0, spent_lower_fen=2500)
    kinds = []
    for _ in range(3):
        options(card)
        kinds.append(answer(generate(card, 0x40))[Tag.CID])
    assert kinds == [b"\x40", b"\x40", b"\x80"]
    other = issued(offline_lower=0, spent_lower_fen=2500)
    for _ in range(4):
        foreign = values(5000, currency=b"\x08\x40")
        options(other, foreign)
        assert answer(generate(other, 0x40, foreign))[Tag.CID] == b"\x40", "another currency is not counted"


def test_unable_to_go_online() -> None:
    card = issued(offline_upper=1)
    _online(card)
    assert answer(generate(card, 0x40, values(arc=b"Y3"), second=True))[Tag.CID] == b"\x40"
    _online(card)
    assert answer(generate(card, 0x40, values(arc=b"Y3"), second=True))[Tag.CID] == b"\x00"


def test_a_refusal_stays_a_refusal() -> None:
    card = issued()
    options(card)
    assert answer(generate(card, 0x00))[Tag.CID] == b"\x00"
    assert generate(card, 0x40) == b"\x69\x85"


@pytest.mark.parametrize(("name", "stages"), STAGES.items(), ids=lambda v: str(v)[:14])
def test_commands_out_of_order(name: tuple[int, int], stages: object) -> None:
    card = issued()
    select(card)
    before = bytes(card.nvm.memory)
    if name == (0x80, 0xA8):
        gpo(card)
        before = bytes(card.nvm.memory)
        assert gpo(card) == b"\x69\x85"
    else:
        assert card.transmit(bytes((*name, 0, 0, 8)) + bytes(8)) == b"\x69\x85"
    assert bytes(card.nvm.memory) == before


def test_offline_pin() -> None:
    card = issued()
    options(card)
    good, bad = emv.pin_block("123456"), emv.pin_block("123457")
    head = b"\x00\x20\x00\x80\x08"
    assert data(card, Tag.PIN_TRIES) == b"\x03"
    assert card.transmit(head + bad) == b"\x63\xc2"
    assert card.transmit(head + good) == OK
    assert [card.transmit(head + bad) for _ in range(4)] == [
        b"\x63\xc2",
        b"\x63\xc1",
        b"\x63\xc0",
        b"\x69\x83",
    ]
    assert card.transmit(head + good) == b"\x69\x83"
    first = answer(generate(card, 0x80))
    assert first[Tag.CID] == b"\x00", "the default action declines when the tries are used up"
    assert first[Tag.ISSUER_DATA][4] & 0x06 == 0x06
    assert first[Tag.ISSUER_DATA][5] & 0x40


def test_the_pin_command_of_the_purse_world_is_not_here() -> None:
    card = issued()
    options(card)
    assert card.transmit(bytes.fromhex("805E010009 12345612FF1234561F")) == b"\x6d\x00"


def test_enciphered_pin() -> None:
    card = issued()
    options(card)
    challenge = card.transmit(bytes.fromhex("0084000008"))[:8]
    plain = b"\x7f" + emv.pin_block("123456") + challenge + bytes(ICC.public.size - 17)
    block = pow(int.from_bytes(plain, "big"), 3, ICC.public.modulus).to_bytes(ICC.public.size, "big")
    command = b"\x00\x20\x00\x88" + bytes((len(block),)) + block
    assert card.transmit(command) == OK
    assert card.transmit(command) == b"\x69\x85", "the challenge was used"


def test_dynamic_signatures() -> None:
    card = issued()
    options(card)
    signed = card.transmit(bytes.fromhex("0088000004 AABBCCDD 00"))
    assert recover_dynamic(ICC.public, signed[3:-2], bytes.fromhex("AABBCCDD"))[0] == 8
    raw = generate(card, 0x50)
    found = answer(raw)
    dynamic = recover_dynamic(ICC.public, found[Tag.DYNAMIC_SIGNATURE], bytes.fromhex("1E78EEBC"))
    asked = fill_dol(bank.SPEC.pdol, values()) + fill_dol(bank.SPEC.cdol1, values())
    objects = [(tag, found[tag]) for tag in (Tag.CID, Tag.COUNTER, Tag.ISSUER_DATA)]
    cid, cryptogram = check_combined(dynamic, asked + b"".join(tlv(tag, value) for tag, value in objects))
    assert cid == 0x40
    assert len(cryptogram) == 8


def test_a_card_without_keys_signs_nothing() -> None:
    card = issued(key=None)
    assert answer(options(issued(key=None, form=1)))[Tag.AIP] == b"\x5c\x00"
    options(card)
    assert card.transmit(bytes.fromhex("0088000004AABBCCDD00")) == b"\x69\x85"
    assert generate(card, 0x50) == b"\x69\x85"


# ---- scripts

CASH = "000000090000"


def test_electronic_cash_is_loaded_by_script() -> None:
    card = issued()
    first = _online(card)
    answer(generate(card, 0x40, second=True))
    assert card.transmit(scripted(first, "04DA9F79", bytes.fromhex(CASH))) == OK
    assert data(card, Tag.ECASH_BALANCE).hex() == CASH
    assert _state(card, SCRIPTS) == 1


@pytest.mark.parametrize(
    ("head", "plain", "sw"),
    [
        ("04DA9F79", "000000100001", "6a80"),
        ("04DA9F79", "00000009000A", "6a80"),
        ("04DA9F79", "0000090000", "6700"),
        ("04DA9F36", "0001", "6a88"),
        ("04DA0000", "0001", "6a88"),
        ("04DC010C", "7000", "6700"),
        ("04DC0114", "00", "6a80"),
        ("04DC015C", "7000", "6981"),
        ("84240003", "", "6a86"),
        ("84240002", "AABB", "6988"),
        ("84240000", "AABB", "6700"),
        ("841E0000", "AA", "6700"),
        ("841E0001", "", "6a86"),
        ("84180000", "", "6985"),
    ],
)
def test_a_script_that_makes_no_sense_changes_nothing(head: str, plain: str, sw: str) -> None:
    card = issued()
    first = _online(card)
    before = bytes(card.nvm.memory)
    assert card.transmit(scripted(first, head, bytes.fromhex(plain))).hex() in (sw, "6982")
    assert bytes(card.nvm.memory) == before


def test_a_script_of_another_transaction_is_refused() -> None:
    card = issued()
    old = scripted(_online(card), "04DA9F79", bytes.fromhex(CASH))
    assert card.transmit(old) == OK
    _online(card)
    assert card.transmit(old) == b"\x69\x88"
    assert _state(card, FLAGS) & Flag.SCRIPT_FAILED
    for _ in range(20):
        last = card.transmit(old)
    assert last == b"\x69\x83", "the key locks before anybody has guessed four bytes"


def test_a_script_needs_an_arqc() -> None:
    card = issued()
    options(card)
    first = answer(generate(card, 0x40))
    assert card.transmit(scripted(first, "04DA9F79", bytes.fromhex(CASH))) == b"\x69\x85"


def test_block_and_unblock() -> None:
    card = issued()
    first = _online(card)
    assert card.transmit(scripted(first, "841E0000")) == OK
    assert select(card)[-2:] == b"\x62\x83"
    assert gpo(card, values(**TAP)) == b"\x69\x85", "no contactless purchase"
    assert gpo(card)[-2:] == OK
    refused = answer(generate(card, 0x80))
    assert refused[Tag.CID] == b"\x00"
    assert card.transmit(scripted(refused, "84180000")) == OK
    assert select(card)[-2:] == OK


def test_card_block_is_for_good() -> None:
    card = issued()
    assert card.transmit(scripted(_online(card), "84160000")) == OK
    card.power_up()
    assert select(card) == b"\x6a\x81"


@pytest.mark.parametrize("old", [None, "123456"], ids=["new PIN alone", "with the old PIN"])
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_pin_change(old: str | None, algorithm: Algorithm) -> None:
    card = issued(algorithm=algorithm)
    options(card)
    for _ in range(3):
        card.transmit(b"\x00\x20\x00\x80\x08" + emv.pin_block("9999"))
    first = _online(card) if algorithm is Algorithm.SM4 else answer(generate(card, 0x80))
    assert first[Tag.CID] == b"\x00"
    card = issued(algorithm=algorithm)
    first = _online(card)
    block = emv.pin_change_block(card_keys(algorithm)[0], "87654321", old)
    plain = emv.script_encipher(algorithm, session("script_cipher", 1, algorithm), block)
    head = "84240002" if old is None else "84240001"
    assert card.transmit(scripted(first, head, plain, algorithm)) == OK
    options(card)
    assert card.transmit(b"\x00\x20\x00\x80\x08" + emv.pin_block("123456")) == b"\x63\xc2"
    assert card.transmit(b"\x00\x20\x00\x80\x08" + emv.pin_block("87654321")) == OK


def test_pin_unblock() -> None:
    card = issued(default_action=0)
    options(card)
    for _ in range(3):
        card.transmit(b"\x00\x20\x00\x80\x08" + emv.pin_block("9999"))
    assert data(card, Tag.PIN_TRIES) == b"\x00"
    first = answer(generate(card, 0x80))
    assert card.transmit(scripted(first, "84240000")) == OK
    assert data(card, Tag.PIN_TRIES) == b"\x03"


def test_update_record_by_script() -> None:
    card = issued()
    options(card)
    old = card.transmit(bytes.fromhex("00B2010C00"))[:-2]
    first = _online(card)
    new = old[:-1] + b"X"
    assert card.transmit(scripted(first, "04DC010C", new)) == OK
    assert card.transmit(bytes.fromhex("00B2010C00"))[:-2] == new


def test_the_holder_is_masked() -> None:
    assert HOLDER.pan not in repr(HOLDER)
    assert HOLDER.pin not in repr(HOLDER)
