"""What the switch looks at first: the number on a stripe, moments that are none, and a card's end in the bank's place.

Method: messages with the stripe alone, also with a PIN, in the bank's place and reversed; times that no clock shows.
"""

from __future__ import annotations

from typing import Any

import pytest

from jinka.codec.iso8583 import Message
from tests.switch.ground import PANS, World, request, reversal

pytestmark = pytest.mark.usefixtures("engine")


def code(world: World, message: Message) -> str:
    answer = world.pay(message)
    assert answer is not None
    return answer.text(39)


def stripe(trace: int, pan: str = PANS[0], after: str = "=30122010000", **more: Any) -> Message:
    return request(trace, **{"f2": None, "f35": pan + after, **more})


@pytest.mark.parametrize("after", ["=30122010000", "D30122010000"])
def test_a_stripe_alone_finds_its_bank(after: str) -> None:
    world = World()
    world.pay(stripe(1, after=after))
    assert [m.text(35) for m in world.bank.seen] == [PANS[0] + after]
    assert code(world, stripe(2, "4111111111111111", after)) == "15"
    assert code(world, request(3, f2=None)) == "15"


def test_it_is_passed_on_as_it_came_and_reversed_by_its_number() -> None:
    world = World()
    world.bank_answers = False
    world.pay(stripe(1))
    [raw] = world.to_bank
    sent = world.config.peers["bank"].codec.decode(raw)
    assert 2 not in sent.fields
    assert sent.text(35) == PANS[0] + "=30122010000"
    world.pay(reversal(request(1), 2))
    back = world.config.peers["bank"].codec.decode(world.to_bank[-1])
    assert (back.mti, back.text(2)) == ("0420", PANS[0])
    assert 35 not in back.fields
    kept = [v[-1].request for v in world.journal.values() if v[-1].entity.value == "transaction"]
    assert [(m.text(2), m.text(35)) for m in kept] == [(PANS[0], "")]


def test_a_repeat_with_another_stripe_is_no_repeat() -> None:
    world = World()
    world.pay(stripe(1))
    assert code(world, stripe(1, PANS[1])) == "94"


def test_a_stripe_is_held_to_the_card_s_limits_in_the_bank_s_place() -> None:
    world = World()
    world.bank_down()
    assert code(world, stripe(1, PANS[7])) == "91"  # blocked
    assert code(world, stripe(2, fen=5_000)) == "00"
    assert code(world, request(3, fen=5_000)) == "61"  # 8,000 for a card, however it was read
    world.bank_back()
    assert [(m.mti, m.text(2)) for m in world.bank.seen] == [("0220", PANS[0])]


@pytest.mark.parametrize(
    ("message", "wanted"),
    [
        (request(1, f14="2310"), "54"),
        (request(1, f14="2311"), "00"),
        (stripe(1, after="=23102010000"), "54"),
        (stripe(1, after="=23112010000"), "00"),
    ],
)
def test_an_expired_card_gets_nothing_in_the_bank_s_place(message: Message, wanted: str) -> None:
    world = World()
    world.bank_down()
    assert code(world, message) == wanted


@pytest.mark.parametrize(
    "wrong",
    [
        {"f7": "9999999999"}, {"f7": "1399999999"}, {"f7": "0230120000"}, {"f7": "0431120000"},
        {"f7": "1114240000"}, {"f7": "1114236000"}, {"f12": "999999"}, {"f13": "0000"}, {"f13": "1131"},
        {"f90": "0" * 42},
    ],
)  # fmt: skip
def test_a_moment_that_is_none_is_refused_and_nothing_kept(wrong: dict[str, Any]) -> None:
    world = World()
    before = len(world.journal)
    for mti, what in (("0200", "000000"), ("0220", "200000"), ("0100", "000000")):
        assert code(world, request(1, mti=mti, code=what, **wrong)) == "30"
    assert (len(world.journal), world.bank.seen) == (before, [])


@pytest.mark.parametrize("right", [{"f7": "0229235959"}, {"f7": "1231000000"}, {"f13": "0229"}, {"f7": None}])
def test_the_ends_of_the_calendar_are_days(right: dict[str, Any]) -> None:
    assert code(World(), request(1, **right)) == "00"
