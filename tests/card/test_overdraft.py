"""The overdraft limit: the balance that can be spent moves with it, and it is never the holder's own money."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.card.purse_rig import (
    MOMENT,
    TERMINAL,
    balance,
    buy,
    card_with,
    limit_command,
    load,
    send,
    tac,
    unload_command,
    verify,
)
from tests.card.rig import OK


def parts(card, which: int = 1) -> tuple[int, int, int]:
    """(limit, how much of it is used, what the holder owns)."""
    return tuple(int.from_bytes(send(card, f"805C{p1:02X}{which:02X}", le=4)[:4], "big") for p1 in (1, 2, 3))


def test_a_new_limit_raises_what_can_be_spent() -> None:
    card = card_with(passbook=300)
    verify(card)
    answer = card.transmit(limit_command(card, 1000))
    new3 = (1000).to_bytes(3, "big")
    assert answer == tac((1300).to_bytes(4, "big") + bytes(2) + new3 + b"\x07" + TERMINAL + MOMENT) + OK
    assert (balance(card, 1), parts(card)) == (1300, (1000, 0, 300))
    logged = send(card, "00B201C4", le=23)
    assert logged[:-2] == bytes(2) + new3 + b"\x00" + new3 + b"\x07" + TERMINAL + MOMENT
    assert send(card, "805A0007", bytes.fromhex("0001"), 8)[4:] == answer


def test_purchases_go_down_to_the_limit_and_say_it() -> None:
    card = card_with(passbook=1300, overdraft=1000)
    verify(card)
    opened = send(card, "80500101", b"\x01" + bytes(4) + TERMINAL, 15)
    assert opened[6:9] == (1000).to_bytes(3, "big")
    assert buy(card, 1200, 1)[-2:] == OK
    assert (balance(card, 1), parts(card)) == (100, (1000, 900, 0))
    assert buy(card, 101, 1).hex() == "9401"
    assert load(card, 950, 1)[-2:] == OK
    assert parts(card) == (1000, 0, 50)


def test_a_limit_that_is_used_cannot_be_taken_away() -> None:
    card = card_with(passbook=100, overdraft=1000)
    verify(card)
    assert card.transmit(limit_command(card, 899)).hex() == "9401"
    assert card.transmit(limit_command(card, 900))[-2:] == OK
    assert (balance(card, 1), parts(card)) == (0, (900, 900, 0))


def test_a_wrong_mac_changes_no_limit() -> None:
    card = card_with()
    verify(card)
    command = limit_command(card, 1000)
    assert card.transmit(command[:-2] + bytes((command[-2] ^ 1,)) + command[-1:]).hex() == "9302"
    raised = bytearray(limit_command(card, 1000))
    raised[5] = 1  # 65536 more
    assert card.transmit(bytes(raised)).hex() == "9302"
    assert (balance(card, 1), parts(card)) == (5000, (0, 0, 5000))


@pytest.mark.parametrize("data", ["01", "01" + "00" * 5, "01" + "00" * 10])
def test_lengths(data: str) -> None:
    card = card_with()
    verify(card)
    assert send(card, "80500401", bytes.fromhex(data), 19).hex() == "6700"
    limit_command(card, 5)
    assert send(card, "80580000", bytes(13), 4).hex() == "6700"
    assert send(card, "80580000", bytes(14), 4).hex() == "6901"


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["limit", "buy", "load", "unload"]), st.integers(0, 3000)), max_size=8)
)
def test_owned_money_is_conserved_whatever_the_limit_does(steps: list[tuple[str, int]]) -> None:
    card = card_with(passbook=1000)
    verify(card)
    owned, limit = 1000, 0  # owned may be negative: a debt
    for what, amount in steps:
        if what == "limit":
            command = limit_command(card, amount)
            done = card.transmit(command)[-2:] == OK
            assert done == (owned + amount >= 0)
            limit = amount if done else limit
        elif what == "unload":
            if amount > owned:
                assert (
                    send(card, "80500501", b"\x01" + amount.to_bytes(4, "big") + TERMINAL, 16).hex() == "9401"
                )
            else:
                assert card.transmit(unload_command(card, amount))[-2:] == OK
                owned -= amount
        elif what == "buy":
            done = buy(card, amount, 1)[-2:] == OK
            assert done == (amount <= owned + limit)
            owned -= amount if done else 0
        else:
            assert load(card, amount, 1)[-2:] == OK
            owned += amount
        assert balance(card, 1) == owned + limit
        assert parts(card) == (limit, max(0, -owned), max(0, owned))
