"""Somebody between card and terminal: what he can say in the card's name, and where it is noticed.

Goal: a PIN that the card never saw, a number that is not the card's, a verification that the card did not choose, and a
request that was answered before buy nothing. Method: the real card behind a link that lies.
"""

from __future__ import annotations

import pytest

from jinka.codec import tlv
from jinka.codec.emv_tags import Tag, leaves
from jinka.issuer.emv import EmvIssuer
from jinka.kit import Refused
from jinka.terminal import EmvStatus, Tvr
from jinka.terminal.emv_data import Capability
from tests.card.emv_rig import HOLDER, PAN, answer, arpc, data, generate, issued, options, scripted, values
from tests.card.rig import OK
from tests.terminal.emv_rig import DEVICE, KEYS, Nobody, Tap, issuer, reader, sale, terminal, with_application

PLAIN = DEVICE.capabilities & ~(Capability.ENCIPHERED_PIN | Capability.ONLINE_PIN)
ONLINE = with_application(floor_limit_fen=0)


class Wedge(Tap):
    """Says that any PIN is right and tells the card nothing of it."""

    def transmit(self, command: bytes) -> bytes:
        return b"\x90\x00" if command[1] == 0x20 else super().transmit(command)


@pytest.mark.parametrize("device", [{}, ONLINE], ids=["offline", "online"])
def test_a_pin_that_the_card_never_saw(device: dict[str, object]) -> None:
    found = terminal(capabilities=PLAIN, **device).purchase(Wedge(issued()), sale(1000, "999999"), issuer())
    assert not found.approved
    assert found.tvr & Tvr.CVM_FAILED
    assert found.step == "the card knows of no PIN"
    honest = terminal(capabilities=PLAIN, **device).purchase(Tap(issued()), sale(1000), issuer())
    assert honest.approved


def test_the_issuer_sees_the_wedge_as_well() -> None:
    """The terminal's results say that the card checked a PIN, the card's own that it did not."""
    kept: list[bytes] = []

    class Keeping:
        def authorise(self, request: bytes) -> bytes | None:
            kept.append(request)
            return None

    terminal(capabilities=PLAIN, **ONLINE).purchase(Tap(issued()), sale(1000), Keeping())
    no_pin = DEVICE.capabilities & ~(Capability.ENCIPHERED_PIN | Capability.ONLINE_PIN | Capability.PLAIN_PIN)
    terminal(capabilities=no_pin, **ONLINE).purchase(Tap(issued()), sale(1000), Keeping())
    with_pin, without = kept
    EmvIssuer(KEYS).check(with_pin)
    EmvIssuer(KEYS).check(without)
    claimed = b"".join(
        tlv(tag, bytes.fromhex("410302") if tag == Tag.CVM_RESULTS else value)
        for tag, value in leaves(without)
    )
    with pytest.raises(Refused, match="PIN"):
        EmvIssuer(KEYS).check(claimed)


def test_a_request_is_answered_once() -> None:
    kept: list[bytes] = []
    host = issuer()

    class Keeping:
        def authorise(self, request: bytes) -> bytes | None:
            kept.append(request)
            return host.authorise(request)

    card = issued()
    device = terminal(**ONLINE)
    assert device.purchase(Tap(card), sale(1000), Keeping()).approved
    assert host.authorise(kept[0]) == tlv(Tag.ARC, b"05")
    assert device.purchase(Tap(card), sale(1000), Keeping()).approved
    assert host.authorise(kept[0]) == host.authorise(kept[1]) == tlv(Tag.ARC, b"05")


def test_two_numbers_in_one_request() -> None:
    kept: list[bytes] = []

    class Keeping:
        def authorise(self, request: bytes) -> bytes | None:
            kept.append(request)
            return None

    terminal(**ONLINE).purchase(Tap(issued()), sale(1000), Keeping())
    other = b"".join(
        tlv(tag, bytes.fromhex("6228000100009999") + value[8:] if tag == Tag.TRACK2 else value)
        for tag, value in leaves(kept[0])
    )
    with pytest.raises(Refused, match="two numbers"):
        EmvIssuer(KEYS).check(other)


def test_a_listed_card_cannot_hide_behind_its_track() -> None:
    """The number in the first answer is not signed; the one in the records is."""

    def hide(command: bytes, answer: bytes) -> bytes:
        return (
            answer.replace(bytes.fromhex(PAN), bytes.fromhex("6228000100009999"))
            if command[1] == 0xA8
            else answer
        )

    found = reader(exceptions=frozenset({PAN})).tap(Tap(issued(), change=hide), sale(1000), Nobody())
    assert found.status is not EmvStatus.APPROVED_OFFLINE
    found = reader().tap(Tap(issued(), change=hide), sale(1000), Nobody())
    assert not found.approved


def test_the_cards_wish_for_a_verification_is_signed() -> None:
    """From online PIN to signature: 9F6C alone is not signed, its copy in 9F69 is."""
    device = with_application(contactless_cvm_fen=500)

    def weaker(command: bytes, answer: bytes) -> bytes:
        return (
            answer.replace(bytes.fromhex("9F6C02A000"), bytes.fromhex("9F6C026000"))
            if command[1] == 0xA8
            else answer
        )

    assert reader(**device).tap(Tap(issued()), sale(1000), Nobody()).approved
    found = reader(**device).tap(Tap(issued(), change=weaker), sale(1000), Nobody())
    assert not found.approved
    assert found.tvr & Tvr.DDA_FAILED


def test_a_pin_that_was_bypassed_is_not_asked_for_again() -> None:
    asked: list[int] = []

    def none() -> None:
        asked.append(1)

    found = terminal(**ONLINE).purchase(Tap(issued()), sale(1000, pin=none), issuer())
    assert asked == [1]
    assert found.tvr & Tvr.PIN_NOT_ENTERED


def test_a_card_without_a_pin_takes_none() -> None:
    card = issued(
        holder=type(HOLDER)(pan=PAN, sequence=1, effective=HOLDER.effective, expiry=HOLDER.expiry, pin="")
    )
    options(card)
    for block in ("24FFFFFFFFFFFFFF", "0000000000000000", "20FFFFFFFFFFFFFF"):
        assert card.transmit(bytes.fromhex("0020008008" + block))[-2:] != OK


def test_a_script_is_carried_out_once() -> None:
    card = issued()
    options(card)
    first = answer(generate(card, 0x80))
    one, two = (scripted(first, "04DA9F79", bytes.fromhex(f"{fen:012d}")) for fen in (90_000, 10_000))
    assert card.transmit(one) == OK
    assert card.transmit(two) == OK
    assert card.transmit(one) == b"\x69\x85"
    assert data(card, Tag.ECASH_BALANCE).hex() == "000000010000"


def test_the_issuer_learns_how_many_scripts_were_carried_out() -> None:
    card = issued()
    options(card)
    first = answer(generate(card, 0x80))
    assert card.transmit(arpc(first)) == OK
    assert generate(card, 0x40, second=True)[-2:] == OK
    for fen in (1000, 2000, 3000):
        assert card.transmit(scripted(first, "04DA9F79", bytes.fromhex(f"{fen:012d}"))) == OK
    options(card)
    assert answer(generate(card, 0x80))[Tag.ISSUER_DATA][6] >> 4 == 3


def test_the_last_transaction_that_a_card_counts() -> None:
    card = issued()
    options(card)
    applet = card.applet
    at = applet.place(0)
    card.nvm.memory[at : at + 2] = b"\xff\xfe"
    assert options(card)[-2:] == OK
    assert answer(generate(card, 0x40))[Tag.COUNTER] == b"\xff\xff"
    before = bytes(card.nvm.memory)
    for given in (values(), values(1000, terminal_qualifiers=bytes.fromhex("36000080"))):
        assert options(card, given) == b"\x69\x85"
        assert generate(card, 0x40)[-2:] == b"\x69\x85"
    assert bytes(card.nvm.memory) == before
