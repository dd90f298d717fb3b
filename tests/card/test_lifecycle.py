"""Blocking and unblocking, each under a MAC that is good once."""

from __future__ import annotations

import pytest

from jinka.card import Card, PowerCut
from jinka.codec import Algorithm
from jinka.crypto.block import message_mac4
from tests.card.rig import Scripted, application, expect, reloaded, select, send
from tests.card.test_power_cuts import CONTENT, FILES, KEY, KEYS


def issued() -> Card:
    return application(Scripted(), KEYS, files=FILES, content=CONTENT)


def secured(card: Card, head: str) -> str:
    rand = card.transmit(bytes.fromhex("0084000004"))[:-2]
    message = bytes.fromhex(head + "04")
    return (message + message_mac4(Algorithm.TDES, KEY, rand, message)).hex()


def test_a_blocked_application_serves_nothing_until_it_is_unblocked() -> None:
    card = issued()
    expect(card, secured(card, "841E0000"))
    for command in ("805C000204", "00B0950001", "805001020B0100000001440300000001", "0020000003123456"):
        expect(card, command, "6A81")
    again = reloaded(card)
    assert send(again, "00A40000023F01") == "6A81"
    expect(again, "805C000204", "6A81")
    expect(again, secured(again, "84180000"))
    select(again, "3F01")
    expect(again, "805C000204", "000013889000")
    expect(again, secured(again, "84180000"), "6985")


def test_a_block_for_good_is_for_good() -> None:
    card = issued()
    expect(card, secured(card, "841E0001"))
    expect(card, secured(card, "84180000"), "9303")
    assert send(reloaded(card), "00A40000023F01") == "6A81"


def test_a_blocked_card_answers_nothing_at_all() -> None:
    card = issued()
    expect(card, secured(card, "84160000"))
    for command in ("00A40000023F00", "0084000004", "805C000204"):
        expect(card, command, "6A81")
    expect(reloaded(card), "00A40000023F01", "6A81")


@pytest.mark.parametrize("head", ["841E0000", "84160000"])
def test_a_block_needs_its_own_mac(head: str) -> None:
    card = issued()
    expect(card, head + "0400000000", "6985")
    right = secured(card, head)
    expect(card, right[:-2] + "00" if right[-2:] != "00" else right[:-2] + "01", "6988")
    expect(card, right, "6985")  # the challenge is spent
    expect(card, head + "00", "6700")
    expect(card, "805C000204", "000013889000")


@pytest.mark.parametrize("head", ["841E0000", "84160000"])
def test_a_cut_leaves_it_blocked_or_not(head: str) -> None:
    for write in range(5):
        card = issued()
        before, command = bytes(card.nvm.memory), bytes.fromhex(secured(card, head))
        card.nvm.cut_after(write, torn=True)
        with pytest.raises(PowerCut):
            card.transmit(command)
        card.nvm.cut_after(None)
        card.power_up()
        changed = [at for at, byte in enumerate(before) if card.nvm.memory[at] != byte]
        assert len(changed) == (write >= 3), "the journal's mark is the third write"
