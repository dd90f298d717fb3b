"""A purse is loaded through the switch, and every message may get lost: what the card got is what somebody paid, once.

Method: real cards, the switch's core with its journal, the issuer's desk, and messages written and read as bytes; lost
before the switch, behind it, and at the issuer. The processes and sockets are in test_load_kill.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jinka.acquirer import NoAnswer
from jinka.acquirer.purse_loads import id_of
from jinka.codec.iso8583 import Message, dialect
from jinka.codec.iso8583.purse_load import LAYOUTS, STATES, Word, read_load, write_load
from jinka.codec.record import RecordState
from jinka.issuer.online_load import LoadState
from jinka.kit import Refused, Usage
from tests.card.rig import Pull
from tests.journeys.load_lines import GUANGZHOU, between_cities, wired
from tests.journeys.load_world import PREPAID, LineDown, World

ROADS = pytest.mark.parametrize("road", ["agent", "card"])


@ROADS
def test_a_load_is_paid_once(road: str) -> None:
    world, line = wired(road)
    record = world.load(1_000)
    assert record is not None
    assert record.state is RecordState.CONFIRMED
    world.tell(record)  # told twice
    assert world.credited() == 1_000
    world.settled()
    assert {message.mti for message in line.desk.seen} == {"0200", "0220"}
    assert world.orders[0].id == id_of(world.orders[0].question)


@ROADS
@pytest.mark.parametrize("lost", ["request", "answer", "desk"])
@pytest.mark.parametrize("call", ["authorise", "confirm"])
@pytest.mark.parametrize("again", ["comes back", "loads again"])
def test_a_lost_message_credits_nobody_twice(road: str, lost: str, call: str, again: str) -> None:
    world, line = wired(road)
    line.lose[call] = lost
    record = world.load(1_000)
    assert world.credited() == (1_000 if call == "confirm" else 0)
    if again == "comes back":
        if world.home.state_of(world.orders[-1].id) is not None:
            world.come_back(record)
    elif world.load(500) is None:  # an earlier load is open: it is settled first
        world.orders.pop()
        world.come_back(None)
        assert world.load(500) is not None
    line.switch.wait(300)
    world.settled()
    assert not [message for message in line.desk.seen if message.mti[1] == "4"], "no switch may undo a load"


@pytest.mark.parametrize("call", ["challenge", "disprove"])
@pytest.mark.parametrize("lost", ["request", "answer", "desk"])
def test_a_proof_that_got_lost_is_asked_for_again(call: str, lost: str) -> None:
    world, line = wired()
    line.lose["authorise"] = "answer"
    assert world.load(1_000) is None
    line.lose[call] = lost
    with pytest.raises(Exception, match="no answer"):
        world.come_back(None)
    world.come_back(None)
    assert world.home.state_of(world.orders[-1].id) is LoadState.VOIDED
    assert world.credited() == 0
    world.settled()


def test_a_card_pulled_after_the_credit_is_proven_by_its_return() -> None:
    world, _ = wired()
    record = world.load(1_000, Pull(command="money", write=None))
    assert record is not None
    assert record.tac is None
    assert world.paid() == (0, 1_000)
    world.come_back(record)
    assert world.credited() == 1_000
    world.settled()


def test_a_proof_outlives_the_switch() -> None:
    """Killed with the card's proof in its store: it brings it when it is back."""
    world, line = wired()
    line.lose["confirm"] = "desk"
    assert world.load(1_000) is not None
    before = len(line.desk.seen)
    line.switch.restart()
    line.switch.wait(300)
    again = line.desk.seen[before:]
    assert [message.mti for message in again] == ["0221"]
    world.settled()


def test_the_same_message_again_gets_the_same_mac2() -> None:
    world, line = wired()
    world.load(1_000)
    asked, heard = line.wire.asked[0], len(line.desk.seen)
    first = [found for found in line.switch.sent if found.text(11) == asked.text(11)]
    again = line.switch.pay(Message(mti="0201", fields=asked.fields))
    assert again is not None
    assert again.text(58) == first[0].text(58) != ""
    assert len(line.desk.seen) == heard


def test_an_agent_loads_no_more_than_it_paid_in_and_a_stranger_nothing() -> None:
    world, line = wired()
    assert world.load(PREPAID + 1) is None
    assert code_of(line) == "51"
    line.loads._merchant = "M00000000000009"
    assert world.load(1) is None
    assert code_of(line) == "03"
    assert world.credited() == 0


def code_of(line: Any) -> str:
    found: str = line.switch.sent[-1].text(39)
    return found


def changed(world: World, line: Any, **more: Any) -> str:
    """The answer to a counter's message that somebody changed on its way."""
    fields = {int(name[1:]): value for name, value in more.items() if name[0] == "f"}
    real = line.wire.ask

    def ask(message: Message) -> Message:
        answer: Message = real(message.changed(fields, more.get("mti", "")))
        return answer

    line.wire.ask = ask
    try:
        assert world.load(1_000) is None
    finally:
        line.wire.ask = real
    return code_of(line)


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"f4": "000000000999"}, "30"),  # not the amount that the card signed
        ({"f103": "00005180000000000002"}, "30"),  # another card's number
        ({"f103": None}, "15"),
        ({"f32": GUANGZHOU}, "03"),  # another's agent, another city's money
        ({"f3": "600000"}, "57"),
        ({"f3": "620000"}, "57"),  # from a card that is not named
        ({"f58": None}, "30"),
        ({"f58": "1A00"}, "30"),
        ({"f58": "2A" + "00" * 44}, "30"),
        ({"f58": "1S" + "00" * 16}, "12"),  # a question that is none of this type's
        ({"f58": "1A" + "00" * 44}, "30"),
        ({"mti": "0100"}, "12"),
    ],
)
def test_a_message_that_contradicts_itself_moves_nothing(more: dict[str, Any], code: str) -> None:
    world, line = wired()
    assert changed(world, line, **more) == code
    assert (world.paid(), world.credited()) == ((0, 0), 0)


def test_a_city_asks_the_cards_own_city() -> None:
    world, wire, desk = between_cities()
    record = world.load(1_000)
    assert record is not None
    assert record.tac is not None
    wire.world.wait(1)
    world.settled()
    assert {message.text(32) for message in desk.seen} == {GUANGZHOU}


@pytest.mark.parametrize("lost", ["before", "after", "desk"])
@pytest.mark.parametrize("at", range(6))
@pytest.mark.parametrize("torn", [False, True])
def test_a_message_lost_between_the_cities(lost: str, at: int, torn: bool) -> None:
    """Whichever of the messages it is: in the end both cities and the card say the same."""
    world, wire, desk = between_cities()
    real, number = wire.ask, count()

    def ask(message: Message) -> Message:
        hit = next(number) == at
        wire.lost, desk.deaf = lost if hit and lost != "desk" else "", hit and lost == "desk"
        try:
            return real(message)
        finally:
            desk.deaf = False
            wire.world.wait(1)

    wire.ask = ask
    record = None
    with suppress(NoAnswer):
        record = world.load(1_000, Pull(command="money", write=None) if torn else None)
    for _ in range(3):
        if world.away.state_of(world.orders[-1].id) in (
            LoadState.CONFIRMED,
            LoadState.VOIDED,
            LoadState.DECLINED,
        ):
            break
        with suppress(NoAnswer, LineDown):
            world.come_back(record)
        wire.world.wait(60)
        world.away.settle()
    wire.world.wait(60)
    world.settled()


def test_a_wrong_proof_is_refused_and_kept_for_people() -> None:
    world, line = wired()
    record = world.load(1_000, Pull(command="money", write=None))
    assert record is not None
    order = world.orders[-1]
    line.confirm(order.id, bytes(4))  # the switch takes it, and the issuer does not
    states = [v[-1].state for v in line.switch.journal.values() if v[-1].kind == "advice"]
    assert states == ["refused"]
    assert world.paid() == (0, 1_000)
    with pytest.raises(Refused):
        line.loads.challenge(order.card_no, bytes(16))
    assert line.loads.state(order.card_no, bytes(16)) == ""
    assert line.loads.state(order.card_no, order.id) == "authorised"
    world.come_back(record)
    assert line.loads.state(order.card_no, order.id) == "confirmed"
    world.settled()


def test_a_reversal_of_a_load_is_refused_by_switch_and_issuer() -> None:
    world, line = wired()
    world.load(1_000)
    sent = line.wire.asked[0]
    data = f"{sent.mti}{sent.text(11)}{sent.text(7)}{'101'.zfill(11)}{'0' * 11}"
    back = sent.changed({58: None, 90: data, 11: "900001"}, "0420")
    answer = line.switch.pay(back)
    assert answer is not None
    assert answer.text(39) == "12"
    told = line.desk.issuer.handle(back, line.switch.now)
    assert told is not None
    assert told.text(39) == "30"
    world.settled()


def test_what_the_switch_keeps_of_a_load_is_no_secret_of_the_card() -> None:
    world, line = wired()
    world.load(1_000)
    kept = [record for versions in line.switch.journal.values() for record in versions]
    assert [r for r in kept if r.entity.value == "forward" and 58 in r.request.fields], "the proof that waits"
    assert not [r for r in kept if r.entity.value == "transaction" and 58 in r.request.fields]
    assert "58: …" in repr(line.wire.asked[0])


@pytest.mark.parametrize("name", ["iso1987-ascii", "iso1987-binary", "iso1987-bcd", "unionpay-pos"])
def test_the_longest_word_fits_into_every_dialect(name: str) -> None:
    text = max((write_load(*example(*key), answer=key[1]) for key in LAYOUTS), key=len)
    codec = dialect(name)
    message = Message(mti="0200", fields={3: "630000", 58: text})
    assert codec.decode(codec.encode(message)).text(58) == text


def example(word: Word, answer: bool) -> tuple[Word, dict[str, bytes]]:
    return word, {part: bytes(range(size)) for part, size in LAYOUTS[word, answer]}


@pytest.mark.parametrize("key", list(LAYOUTS))
def test_a_word_comes_back_as_it_was(key: tuple[Word, bool]) -> None:
    made = example(*key)
    assert read_load(write_load(*made, answer=key[1]), answer=key[1]) == made
    with pytest.raises(Usage):
        write_load(key[0], {}, answer=key[1])


@given(st.text(max_size=100) | st.builds("1A{}".format, st.text("0123456789abcdefABCDEF ", max_size=98)))
def test_anything_else_is_refused(text: str) -> None:
    for answer in (False, True):
        try:
            word, parts = read_load(text, answer=answer)
        except Usage:
            continue
        assert write_load(word, parts, answer=answer) == text.upper()


def test_states_have_the_desks_names() -> None:
    assert set(STATES) - {""} == {state.value[0] for state in LoadState}
