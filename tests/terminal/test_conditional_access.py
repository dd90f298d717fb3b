"""The access card against whoever wants a picture unpaid. Goal: no control word without pairing and the period's key.

Method: a real card of the sector's profile; APDUs of somebody who has no keys, messages made for another card.
"""

from __future__ import annotations

import pytest

from jinka.card import Card, Personal, personalised
from jinka.crypto.cissa import scramble
from jinka.profile import KeyUse
from jinka.sectors.broadcasting import FACTORY, VIEWER
from jinka.sim.field import Reader
from jinka.sim.randomness import SeededRandomness
from jinka.terminal.conditional_access import AccessRefused, EmmMaker, Receiver, make_ecm
from jinka.terminal.link import ChipRefused

OWN, SERVICE, WORD, MAINTENANCE = b"receiver's own k", b"key of the month", b"the control word", b"m" * 16
PICTURE = b"A picture. " * 16


def card(maintenance: bytes = MAINTENANCE) -> Reader:
    keys = tuple(
        b"" if key.initial else maintenance if key.use is KeyUse.MAINTENANCE else b"s" * 16
        for key in VIEWER.keys
    )
    made: Card = personalised(VIEWER, Personal(card_no=bytes(10), keys=keys), SeededRandomness("viewer"))
    return Reader(made)


def paired() -> tuple[Reader, Receiver]:
    link, emms, box = card(), EmmMaker(MAINTENANCE), Receiver(VIEWER.aid, OWN)
    Receiver(VIEWER.aid, FACTORY).pass_on(link, lambda rand4: emms.pairing_key(rand4, OWN))
    box.pass_on(link, lambda rand4: emms.service_key(rand4, 1, SERVICE))
    return link, box


def watch(
    box: Receiver, link: Reader, *, channel: str = "basic", key: bytes = SERVICE, slot: int = 1
) -> bytes:
    return box.watch(link, slot, channel, make_ecm(key, WORD, "basic"), scramble(WORD, PICTURE))


def test_a_paired_and_entitled_card_gives_the_picture() -> None:
    link, box = paired()
    assert watch(box, link) == PICTURE


def test_no_entitlement_no_word() -> None:
    link, box = paired()
    for wrong in ({"key": b"key of the other"}, {"slot": 2}, {"slot": 9}, {"channel": "film"}):
        with pytest.raises(AccessRefused, match="NO_ENTITLEMENT"):
            watch(box, link, **wrong)  # type: ignore[arg-type]
    with pytest.raises(AccessRefused, match="NO_ENTITLEMENT"):
        box.watch(link, 1, "basic", make_ecm(SERVICE, WORD, "basic")[:16], scramble(WORD, PICTURE))


def test_the_card_deciphers_nothing_for_somebody_unpaired_and_the_factory_key_is_gone() -> None:
    link, box = paired()
    link.transmit(bytes((0, 0xA4, 4, 0, len(VIEWER.aid))) + VIEWER.aid)
    ecm = make_ecm(SERVICE, WORD, "basic")
    assert link.transmit(bytes((0x00, 0x88, 0x01, 1, len(ecm))) + ecm) == bytes.fromhex("6982")
    plain = bytes((KeyUse.DECRYPT, 1)), bytes((0xF0, 0xF0, 1, 4)) + SERVICE
    assert link.transmit(b"\x80\xd4" + plain[0] + bytes((len(plain[1]),)) + plain[1]) == bytes.fromhex("6982")
    with pytest.raises(AccessRefused, match="NOT_PAIRED"):
        watch(Receiver(VIEWER.aid, FACTORY), link)
    assert watch(box, link) == PICTURE


def test_guessing_the_pairing_ends_after_three() -> None:
    link, box = paired()
    for _ in range(3):
        with pytest.raises(AccessRefused, match="NOT_PAIRED"):
            watch(Receiver(VIEWER.aid, bytes(16)), link)
    with pytest.raises(AccessRefused, match="NOT_PAIRED"):
        watch(box, link)


def test_a_message_for_another_card_or_another_challenge_changes_nothing() -> None:
    link, box = paired()
    others = EmmMaker(b"another card's k")
    kept: list[bytes] = []

    def taken(rand4: bytes) -> bytes:
        kept.append(EmmMaker(MAINTENANCE).service_key(rand4, 1, b"key of last month"[:16]))
        return kept[0]

    with pytest.raises(ChipRefused, match="6988"):
        box.pass_on(link, lambda rand4: others.service_key(rand4, 1, bytes(16)))
    assert watch(box, link) == PICTURE
    box.pass_on(link, taken)
    box.pass_on(link, lambda rand4: EmmMaker(MAINTENANCE).service_key(rand4, 1, SERVICE))
    with pytest.raises(ChipRefused, match="6988"):
        box.pass_on(link, taken)
    assert watch(box, link) == PICTURE
