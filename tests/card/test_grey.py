"""The grey lock on the card: locked before fuel flows, released by amount and GMAC, or by the issuer.

Method: every answer is computed again from the lists of the standards; the lock is attacked in every state.
"""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jinka.card import Card
from jinka.codec import Algorithm
from jinka.crypto import load_session, mac4
from jinka.crypto.block import message_mac4
from jinka.profile import GreySpec
from tests.card.purse_rig import (
    MAINTAIN,
    MOMENT,
    PASSBOOK_LOCK,
    PURSE_LOCK,
    RAND,
    SERIAL,
    TDES,
    TERMINAL,
    UNLOAD,
    balance,
    buy,
    card_with,
    debit_command,
    load,
    lock,
    lock_command,
    lock_session,
    release_command,
    send,
    tac,
    verify,
)
from tests.card.rig import OK, application, expect, reloaded, select

READ_PROOF = bytes.fromhex("E0CA00001E")


def repowered(card: Card) -> Card:
    again = reloaded(card)
    select(again, "3F01")
    return again


@pytest.mark.parametrize(("label", "algorithm"), [(0, Algorithm.TDES), (4, Algorithm.SM4)])
def test_lock_then_debit(label: int, algorithm: Algorithm) -> None:
    card = card_with(label=label)
    gtac, mac2 = (answer := lock(card, algorithm=algorithm))[:4], answer[4:8]
    seen = (5000).to_bytes(4, "big") + bytes(2)
    assert answer[-2:] == OK
    assert mac2 == mac4(algorithm, lock_session(algorithm), seen)
    assert gtac == tac(seen + b"\x92" + TERMINAL + SERIAL + MOMENT, algorithm)
    paid = repowered(card).transmit(debit_command(1234, algorithm=algorithm))
    amount4 = (1234).to_bytes(4, "big")
    assert paid == tac(amount4 + b"\x94" + TERMINAL + SERIAL + MOMENT, algorithm) + OK


def test_a_grey_purse_refuses_everything_else_whatever_happens_to_the_power() -> None:
    card = card_with()
    lock(card)
    for state in (card, repowered(card)):
        for command in ("805000020B0100000001440300000001", "805001020B0100000001440300000001",
                        "805003020B0100000001440300000001", "E07A08020701440300000001"):  # fmt: skip
            expect(state, command, "6985")
        assert balance(state) == 5000
        verify(state)
        assert load(state, 1, 1)[-2:] == OK, "the passbook beside it is not locked"


def test_after_the_release_life_goes_on() -> None:
    card = card_with()
    lock(card)
    assert card.transmit(debit_command(1000))[-2:] == OK
    assert balance(card) == 4000
    assert (
        send(card, "00B201C4", le=23)[:-2]
        == bytes(5) + (1000).to_bytes(4, "big") + b"\x94" + TERMINAL + MOMENT
    )
    assert buy(card, 1, 2)[-2:] == OK
    assert load(card, 5, 2)[-2:] == OK
    lock(card)
    assert card.transmit(debit_command(1, counter=1)).hex() == "9406"
    assert card.transmit(debit_command(1, counter=2))[-2:] == OK


def test_amount_zero_only_releases() -> None:
    card = card_with()
    lock(card)
    assert card.transmit(debit_command(0)) == tac(bytes(4) + b"\x94" + TERMINAL + SERIAL + MOMENT) + OK
    assert balance(card) == 5000
    assert buy(card, 1, 2)[-2:] == OK


def test_a_debit_comes_once_and_only_for_a_lock() -> None:
    card = card_with()
    assert card.transmit(debit_command(1)).hex() == "6985"
    lock(card)
    assert card.transmit(debit_command(100))[-2:] == OK
    assert card.transmit(debit_command(100)).hex() == "6985"
    assert balance(card) == 4900


def test_the_order_of_refusals_of_a_debit() -> None:
    card = card_with()
    lock(card)
    assert card.transmit(debit_command(5001, counter=1)).hex() == "9406"
    assert card.transmit(debit_command(5001)).hex() == "9401"
    assert card.transmit(debit_command(1, gmac=bytes(4))).hex() == "9302"
    assert send(card, "E07E0802", bytes(26), 4).hex() == "6700"
    assert send(card, "E07E0803", bytes(27), 4).hex() == "6a86"
    assert send(card, "E07E0702", bytes(27), 4).hex() == "6a86"
    assert card.transmit(debit_command(5000))[-2:] == OK
    assert balance(card) == 0


def test_three_wrong_gmacs_in_a_row_block_the_application_for_a_time() -> None:
    card = card_with()
    lock(card)
    wrong = debit_command(1, gmac=bytes(4))
    assert [card.transmit(wrong).hex() for _ in range(4)] == ["9302", "9302", "9302", "6a81"]
    assert card.transmit(debit_command(1)).hex() == "6a81"
    rand = card.transmit(bytes.fromhex("0084000004"))[:-2]
    message = bytes.fromhex("8418000004")
    assert card.transmit(message + message_mac4(TDES, MAINTAIN, rand, message)) == OK
    select(card, "3F00")
    select(card, "3F01")
    expect(card, "805001020B0100000001440300000001", "6985")  # still grey
    assert card.transmit(wrong).hex() == "9302"
    assert card.transmit(debit_command(7))[-2:] == OK
    lock(card)
    again = debit_command(1, counter=1, gmac=bytes(4))
    assert [card.transmit(again).hex() for _ in range(3)] == ["9302"] * 3, "a right one gave the tries back"


def test_a_wrong_mac1_locks_nothing() -> None:
    card = card_with()
    command = lock_command(card)
    assert card.transmit(command[:-2] + bytes((command[-2] ^ 1,)) + command[-1:]).hex() == "9302"
    assert card.transmit(command).hex() == "6901"
    assert buy(card, 1, 2)[-2:] == OK


def test_a_lock_needs_its_own_initialize() -> None:
    card = card_with()
    send(card, "80500102", b"\x01" + bytes(4) + TERMINAL, 15)
    assert send(card, "E07C0800", bytes(19), 8).hex() == "6901"
    lock_command(card)
    assert send(card, "80540100", bytes(15), 8).hex() == "6901"
    lock_command(card)
    assert send(card, "E07C0800", bytes(11), 8).hex() == "6700", "the length that one manual misprints"
    assert send(card, "E07C0801", bytes(19), 8).hex() == "6a86"
    assert send(card, "E07A0A02", bytes(7), 8).hex() == "6a86"
    assert send(card, "E07A0802", bytes(6), 8).hex() == "6700"


def test_the_issuer_releases_online_with_the_unload_key() -> None:
    card = card_with()
    lock(card)
    card = repowered(card)
    answer = card.transmit(release_command(card, 300))
    session = load_session(TDES, UNLOAD, bytes.fromhex(RAND), 0)
    head = (300).to_bytes(4, "big") + b"\x96" + TERMINAL + MOMENT
    assert answer == mac4(TDES, session, (4700).to_bytes(4, "big") + bytes(2) + head) + OK
    assert balance(card) == 4700
    assert card.transmit(debit_command(300)).hex() == "6985", "the pump's GMAC comes too late"
    lock(card)
    assert card.transmit(debit_command(300, gmac=bytes(4))).hex() == "9302"
    assert send(card, "805A0096", bytes.fromhex("0001"), 8)[4:] == answer


def test_online_refusals() -> None:
    card = card_with()
    expect(card, "E07A0902070144030000000112", "6985")
    lock(card)
    assert card.transmit(release_command(card, 5001)).hex() == "9401"
    command = release_command(card, 100)
    assert card.transmit(command[:-2] + bytes((command[-2] ^ 1,)) + command[-1:]).hex() == "9302"
    assert card.transmit(command).hex() == "6901"
    assert card.transmit(bytes.fromhex("E07C") + release_command(card, 1)[2:]).hex() == "6a86"
    assert balance(card) == 5000
    assert card.transmit(debit_command(1))[-2:] == OK


def test_the_choices_of_a_profile() -> None:
    """CJ/T 304 names the release 93; one manual counts one byte of the counter in MAC2; 7C releases online."""
    spec = GreySpec(
        lock_type=0x91, unlock_type=0x93, online_type=0x95, mac2_binds_low_byte=True, online_unlock_is_7c=True
    )
    card = card_with(purse_lock=spec)
    answer = lock(card, spec=spec)
    assert answer[4:8] == mac4(TDES, lock_session(), (5000).to_bytes(4, "big") + bytes(1))
    assert (
        card.transmit(debit_command(1))
        == tac((1).to_bytes(4, "big") + b"\x93" + TERMINAL + SERIAL + MOMENT) + OK
    )
    lock(card, spec=spec)
    command = release_command(card, 0, spec)
    assert card.transmit(bytes.fromhex("E07C") + command[2:])[-2:] == OK


def test_the_passbook_has_a_lock_of_its_own() -> None:
    card = card_with()
    verify(card)
    assert lock(card, 1, PASSBOOK_LOCK)[-2:] == OK
    assert buy(card, 1, 2)[-2:] == OK
    assert buy(card, 1, 1).hex() == "6985"
    assert card.transmit(debit_command(10, which=2)).hex() == "6985"
    answer = card.transmit(debit_command(10, which=1))
    assert answer == tac((10).to_bytes(4, "big") + b"\x93" + TERMINAL + SERIAL + MOMENT) + OK


def test_the_lock_proof_tells_what_happened_last() -> None:
    card = card_with()
    assert card.transmit(READ_PROOF)[0] == 0
    answer = lock(card)
    seen = (5000).to_bytes(4, "big") + bytes(2) + TERMINAL + MOMENT
    assert card.transmit(READ_PROOF) == b"\x01\x92\x02" + seen + answer[4:8] + answer[:4] + OK
    paid = card.transmit(debit_command(1000))
    proof = b"\x94\x02" + (4000).to_bytes(4, "big") + bytes(2) + TERMINAL + MOMENT + (1000).to_bytes(4, "big")
    again = repowered(card)
    assert again.transmit(READ_PROOF) == b"\x10" + proof + paid
    assert again.transmit(bytes.fromhex("E0CA01001E")) == b"\x00" + proof + paid
    assert again.transmit(READ_PROOF) == b"\x00" + proof + paid


def test_a_purse_without_a_lock_has_no_such_commands() -> None:
    from tests.card.rig import Scripted

    card = application(Scripted(), [])
    for command in ("E07A08020701440300000001", "E07E08021B" + "00" * 27, "E0CA00001E"):
        expect(card, command, "6A82")


_BYTES = st.binary(min_size=1, max_size=30)


@settings(max_examples=150)
@given(
    st.lists(
        st.tuples(st.sampled_from([0x7A, 0x7C, 0x7E, 0xCA]), st.integers(7, 10), st.integers(0, 3), _BYTES),
        max_size=10,
    )
)
def test_no_guess_moves_money(attack: list[tuple[int, int, int, bytes]]) -> None:
    card = card_with(purse_lock=PURSE_LOCK)
    lock(card)
    for ins, p1, p2, data in attack:
        answer = card.transmit(bytes((0xE0, ins, p1, p2, len(data))) + data)
        assert 2 <= len(answer) <= 258
    again = repowered(card)
    at = again.folder.children[2].at
    assert int.from_bytes(again.nvm.memory[at : at + 4], "big") == 5000
