"""A blank card under its transport key becomes an application as issuers make it: CREATE FILE and WRITE KEY.

Method: lines of published personalisation logs go in as they are; the card answers 9000 where the real one did.
"""

from __future__ import annotations

import pytest

from jinka.card import Card, PowerCut
from jinka.card.access import encipher
from jinka.codec import Algorithm
from jinka.crypto import mac4, purchase_session
from jinka.crypto.block import message_mac4, tdes_encrypt
from tests.card.rig import OK, Scripted, expect, reloaded, select, send

TDES = Algorithm.TDES
TRANSPORT = bytes.fromhex("FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF")  # as blank cards are sold with
K = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
SCRIPTS = "published personalisation scripts for FM1208 cards"
LOG = "fmcos-python, 'FMCOS uses ciphertext with MAC to add_modify keys'"


def delivered() -> Card:
    """A card as it comes from the factory: the transport key in the root, for external authentication."""
    card = Card.blank(Scripted())
    expect(card, "80E00000073F005001F0FFFF")
    expect(card, "80D401001539F0F00133" + TRANSPORT.hex())
    select(card, "3F00")
    return card


def authenticate(card: Card, key: bytes = TRANSPORT) -> str:
    rand = card.transmit(bytes.fromhex("0084000008"))[:-2]
    return send(card, "0082000008" + tdes_encrypt(key, rand).hex())


def sealed_root(card: Card) -> Card:
    """Leave the root once, so that its rights hold."""
    assert authenticate(card) == "9000"
    expect(card, "80E0DF0F0D 38 0040 F0 F0 95 FFFF 5445535400".replace(" ", ""))
    select(card, "DF0F")
    select(card, "3F00")
    return card


def test_without_the_transport_key_nothing_is_made() -> None:
    card = sealed_root(delivered())
    before = bytes(card.nvm.memory)
    expect(card, "80E03F01113804F4F0F0957FFFA00000000386980701", "6982")
    assert authenticate(card, K) == "63C2"
    expect(card, "80E03F01113804F4F0F0957FFFA00000000386980701", "6982")
    assert authenticate(card) == "9000"
    expect(card, "80E03F01113804F4F0F0957FFFA00000000386980701")
    assert bytes(card.nvm.memory) != before


def test_three_wrong_transport_keys_end_it() -> None:
    card = sealed_root(delivered())
    assert [authenticate(card, K) for _ in range(4)] == ["63C2", "63C1", "6983", "6983"]
    assert authenticate(card) == "6983"


PUBLISHED = [
    ("the application", "80E03F01113804F4F0F0957FFFA00000000386980701"),
    ("select it", "00A40000023F01"),
    ("its key file", "80E00000073F010095F0FFFF"),
    ("the purse", "80E00002072F0208F0F0FF18"),
    ("its log", "80E00018072E0A17F1EFFFFF"),
]


def issued() -> Card:
    card = sealed_root(delivered())
    assert authenticate(card) == "9000"
    for what, command in PUBLISHED:
        assert send(card, command).endswith("9000"), f"{what} of {SCRIPTS}"
    for key in (
        f"80D401001536F0F0FF33{K.hex()}",
        f"80D40101153EF0F00100{K.hex()}",
        f"80D40101153FF0F00100{K.hex()}",
        f"80D401001534F0F00100{K.hex()}",
    ):
        expect(card, key)
    return card


def test_the_published_lines_make_a_card_that_pays() -> None:
    card = issued()
    expect(card, "00D6820008 00001388 0000 0000".replace(" ", ""))
    select(card, "3F00")
    again = reloaded(card)
    select(again, "3F01")
    opened = again.transmit(bytes.fromhex("805001020B 01 00000064 112233445566"))
    session = purchase_session(TDES, K, opened[11:15], 0, bytes(4))
    mac1 = mac4(TDES, session, bytes.fromhex("00000064 06 112233445566 20161216134600"))
    paid = again.transmit(bytes.fromhex("805401000F 00000000 20161216134600") + mac1)
    assert paid[4:8] == mac4(TDES, session, bytes.fromhex("00000064"))
    expect(again, "805C000204", "000013249000")
    expect(again, "00B201C417", "6982")  # F1: the log is read from security level 1 on


def test_the_published_cipher_and_mac_of_a_key() -> None:
    """The log's cipher text and MAC, byte for byte; 13 is the length byte, 22 the usage of a PSAM's key."""
    published = bytes.fromhex("84D400001CDCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD8A9D4ADB")
    rand = bytes.fromhex("5D72B3FD")
    plain = bytes.fromhex("13220000") + K + bytes.fromhex("80000000")
    assert published[5:29] == tdes_encrypt(K, plain), LOG
    assert published[29:] == message_mac4(TDES, K, rand, published[:29]), LOG


def secured_key(card: Card, p1: int, kid: int, data: bytes, spoil: int = 0) -> bytes:
    rand = card.transmit(bytes.fromhex("0084000004"))[:4]
    body = encipher(TDES, K, data)
    message = bytes((0x84, 0xD4, p1, kid, len(body) + 4)) + body
    mac = message_mac4(TDES, K, rand, message)
    return card.transmit(message + bytes((mac[0] ^ spoil,)) + mac[1:])


def test_keys_are_added_and_replaced_in_cipher_after_issue() -> None:
    card = issued()
    select(card, "3F00")
    select(card, "3F01")
    other = bytes(reversed(K))
    assert secured_key(card, 0x01, 2, bytes.fromhex("3EF0F00200") + other) == OK
    assert secured_key(card, 0x3E, 1, bytes.fromhex("F0F00300") + other) == OK
    assert secured_key(card, 0x3E, 1, bytes.fromhex("F0F00400") + other, spoil=1).hex() == "6988"
    opened = card.transmit(bytes.fromhex("805001020B 01 00000000 112233445566"))
    assert opened[9] == 3
    session = purchase_session(TDES, other, opened[11:15], 0, bytes(4))
    mac1 = mac4(TDES, session, bytes.fromhex("00000000 06 112233445566 20161216134600"))
    assert card.transmit(bytes.fromhex("805401000F 00000000 20161216134600") + mac1)[-2:] == OK


def test_an_application_is_erased_and_made_again() -> None:
    card = issued()
    expect(card, "800E000001AA", "6A86")
    assert send(card, "800E000000") == "9000"
    assert K not in bytes(card.nvm.memory), "the keys are wiped, not forgotten"
    expect(card, "805C000204", "6A82")
    size = len(card.nvm.memory)
    for _, command in PUBLISHED[2:]:
        assert send(card, command).endswith("9000")
    assert len(card.nvm.memory) == size, "the room is used again"
    expect(card, "805C000204", "000000009000")


def test_erasing_asks_for_its_right() -> None:
    card = sealed_root(delivered())
    assert authenticate(card) == "9000"
    expect(card, "80E0DF020D 38 0100 F0 EF 95 FFFF 4142434445".replace(" ", ""))
    select(card, "DF02")
    expect(card, "80E0001507280008F0F0FFFF")
    select(card, "3F00")
    select(card, "DF02")
    expect(card, "800E000000", "6982")
    select(card, "3F00")
    before = bytes(card.nvm.memory)
    expect(card, "800E000000", "6982")
    assert bytes(card.nvm.memory) == before
    assert authenticate(card) == "9000"
    expect(card, "800E000000")
    assert not card.directory.root.children


@pytest.mark.parametrize("torn", [False, True])
def test_a_cut_while_erasing_leaves_all_or_nothing(torn: bool) -> None:
    whole = issued()
    before = bytes(whole.nvm.memory)
    whole.nvm.cut_after(10_000)
    expect(whole, "800E000000")
    count, after = whole.nvm.writes, bytes(whole.nvm.memory)
    for write in range(count):
        card = issued()
        card.nvm.cut_after(write, torn=torn)
        with pytest.raises(PowerCut):
            card.transmit(bytes.fromhex("800E000000"))
        card.nvm.cut_after(None)
        card.power_up()
        assert bytes(card.nvm.memory) in (before, after)
