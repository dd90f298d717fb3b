"""Attacks on the management of a card: what stands between host and card changes, cuts and reorders commands.

Goal: a change that the channel's MAC does not cover gains nothing, and no authority reaches the whole card or undoes
another's lock. Method: real cards of four authorities, driven by APDUs.
"""

from __future__ import annotations

import pytest

from jinka.card import Card, Nvm
from jinka.card.domains import Life
from jinka.card.files import CARD_BLOCKED, CARD_STATE, ISSUER_AID
from jinka.codec import Algorithm, Command, tlv
from jinka.crypto.block import message_mac4
from jinka.crypto.scp import Channel
from jinka.issuer.field_update import DomainRefused, FieldUpdate, package_aid
from jinka.profile import ApplicationProfile, KeyUse
from jinka.profile.package import encode
from jinka.sim.randomness import SeededRandomness
from tests.card.domain_rig import (
    AUTHORITIES,
    PROFILES,
    authority,
    card_of_authorities,
    person,
    put_on,
    session,
)

TRANSIT = PROFILES["transit"]
SELECT_ISSUER = Command(0x00, 0xA4, 0x04, 0, ISSUER_AID).build()


@pytest.fixture
def card() -> Card:
    card = card_of_authorities("transit", "fuel")
    put_on(card, "transit")
    return card


def _channel(update: FieldUpdate) -> Channel:
    assert update._channel is not None
    return update._channel


def _fields(*values: bytes) -> bytes:
    return b"".join(bytes((len(value),)) + value for value in values)


@pytest.mark.parametrize("le", [1, 16])
def test_a_shorter_le_brings_nothing_out_of_the_channel(card: Card, le: int) -> None:
    """Le is outside of the C-MAC; an answer cut by it would go on in the clear, by GET RESPONSE."""
    update = authority(card, "transit")
    channel = _channel(update)
    status = bytearray(channel.wrap(Command(0x80, 0xF2, 0x40, 0x02, tlv(0x4F), 256)).build())
    status[-1] = le
    answer = card.transmit(bytes(status))
    assert AUTHORITIES["transit"][0] not in answer
    assert AUTHORITIES["transit"][0] in channel.read(answer)  # whole, enciphered and with its MAC
    assert card.transmit(bytes.fromhex("00C0000000")) == bytes.fromhex("6985")


def _block_command(card: Card, profile: ApplicationProfile, name: str) -> bytes:
    """CARD BLOCK under the maintenance key of an application."""
    keys = person(name, profile).keys
    key = next(raw for spec, raw in zip(profile.keys, keys, strict=True) if spec.use is KeyUse.MAINTENANCE)
    card.transmit(Command(0x00, 0xA4, 0x04, 0, profile.aid).build())
    challenge = card.transmit(bytes.fromhex("0084000004"))[:4]
    head = bytes.fromhex("8416000004")
    return head + message_mac4(Algorithm.TDES, key, challenge, head)


def test_no_authority_blocks_the_whole_card(card: Card) -> None:
    before = bytes(card.nvm.memory)
    assert card.transmit(_block_command(card, TRANSIT, "transit")) == bytes.fromhex("6982")
    assert card.nvm.memory == before
    assert card.transmit(SELECT_ISSUER)[-2:] == b"\x90\x00"


def test_an_application_of_the_issuer_blocks_it() -> None:
    card = card_of_authorities("fuel")
    update = session(card)
    update.load(TRANSIT)
    update.install(TRANSIT)
    update.personalise(TRANSIT, person("transit", TRANSIT))
    assert card.transmit(_block_command(card, TRANSIT, "transit")) == b"\x90\x00"
    assert card.nvm.memory[CARD_STATE] == CARD_BLOCKED
    assert card.transmit(SELECT_ISSUER) == bytes.fromhex("6A81")


@pytest.mark.parametrize("privileges", ["FF", "10", "800000", "000001"])
def test_no_authority_gives_its_application_privileges(card: Card, privileges: str) -> None:
    profile = PROFILES["fuel"]
    update = authority(card, "fuel")
    update.load(profile)
    parts = (package_aid(profile), profile.aid, profile.aid, bytes.fromhex(privileges), tlv(0xC9), b"")
    before = bytes(card.nvm.memory)
    with pytest.raises(DomainRefused, match="6985"):
        update._send("install", Command(0x80, 0xE6, 0x0C, 0, _fields(*parts), 256))
    assert card.nvm.memory == before


def _life(card: Card) -> int:
    return next(line.life for line in session(card).content() if line.aid == TRANSIT.aid)


def test_the_issuer_does_not_undo_an_authoritys_own_lock(card: Card) -> None:
    domain = AUTHORITIES["transit"][0]
    authority(card, "transit").lock(TRANSIT.aid)
    session(card).lock(domain, with_all=True)
    session(card).unlock(domain, with_all=True)
    assert _life(card) == Life.LOCKED
    authority(card, "transit").unlock(TRANSIT.aid)
    assert _life(card) == Life.PERSONALISED
    # and what was locked with its domain alone comes back with it, as often as that happens
    for _ in range(2):
        session(card).lock(domain, with_all=True)
        assert _life(card) == Life.LOCKED
        session(card).unlock(domain, with_all=True)
        assert _life(card) == Life.PERSONALISED


@pytest.mark.parametrize("numbers", [[1], [0, 2], [0, 0], [0, 1, 0], [0xFF]])
def test_store_data_out_of_order_is_refused_and_ends_it(card: Card, numbers: list[int]) -> None:
    """Blocks are numbered from 00 (GlobalPlatform 2.3.1, 11.11.2.2)."""
    update = authority(card, "transit")
    update._send("install", Command(0x80, 0xE6, 0x20, 0, _fields(b"", b"", TRANSIT.aid, b"", b"", b""), 256))
    record = b"\x8f\x01\x07" + bytes.fromhex("00A40000020007")
    *right, wrong = numbers
    for number in right:
        update._send("store data", Command(0x80, 0xE2, 0x08, number, record))
    before = bytes(card.nvm.memory)
    with pytest.raises(DomainRefused, match="6A86"):
        update._send("store data", Command(0x80, 0xE2, 0x08, wrong, record))
    assert card.nvm.memory == before
    with pytest.raises(DomainRefused, match="6985"):
        update._send("store data", Command(0x80, 0xE2, 0x88, len(right), record))


def test_a_card_with_less_memory_says_that_it_is_full() -> None:
    """A status word at every step, whatever the size at which the room ends."""
    memory = bytes(card_of_authorities("transit").nvm.memory)
    for more in (0, 10, 100, 300, 500, 687):
        small = Card(Nvm(memory, capacity=len(memory) + more), SeededRandomness("small"))
        with pytest.raises(DomainRefused, match="6A84"):
            put_on(small, "transit")


def test_no_authority_fills_the_registry() -> None:
    """However many packages one loads, the others find room for an application each."""
    card = card_of_authorities()
    update = authority(card, "transit")
    raw = tlv(0xC4, encode(TRANSIT))
    blocks = [raw[at : at + 223] for at in range(0, len(raw), 223)]
    with pytest.raises(DomainRefused, match="6A84"):
        for number in range(40):
            aid = TRANSIT.aid + bytes((number,))
            head = _fields(aid, AUTHORITIES["transit"][0], b"", b"", b"")
            update._send("load", Command(0x80, 0xE6, 0x02, 0, head, 256))
            for index, block in enumerate(blocks):
                last = 0x80 if index == len(blocks) - 1 else 0
                update._send("load", Command(0x80, 0xE8, last, index, block, 256))
    assert len(update.content()) > 5
    for name in ("fuel", "social", "bank"):
        put_on(card, name)
