"""A purse is loaded online, and every message may get lost. Goal: what the card got is what somebody paid, once.

Method: real cards and a real key service; the reader pulls the card, and the line to the issuer loses requests and
answers, at every point there is. Afterwards the card comes back, alone or with a new load, or only its records do. The
card's own balance is compared with the ledger: prepaid cash, bank account, and the other city.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jinka.codec import Algorithm
from jinka.codec.record import RecordState
from jinka.issuer.online_load import LoadState
from jinka.kit import Refused, make_id
from jinka.store import SqlLoads, database_at
from jinka.terminal import LoadRequest
from tests.card.rig import Pull
from tests.issuer.host_rig import OPENING, vault
from tests.journeys.load_world import PREPAID, LineDown, World

ROADS = pytest.mark.parametrize("road", ["agent", "card", "city"])


@ROADS
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_a_load_is_paid_once(road: str, algorithm: Algorithm) -> None:
    world = World(road, algorithm)
    record = world.load(1_000)
    assert record is not None
    assert record.state is RecordState.CONFIRMED
    world.tell(record)  # told twice
    assert world.credited() == 1_000
    world.settled()


@ROADS
@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize("call", ["authorise", "confirm"])
@pytest.mark.parametrize("again", ["comes back", "loads again", "loads twice"])
def test_a_lost_message_credits_nobody_twice(road: str, lost: str, call: str, again: str) -> None:
    world = World(road)
    world.line.lose[call] = lost
    record = world.load(1_000)
    assert world.credited() == (1_000 if call == "confirm" else 0)
    if again == "comes back":
        world.come_back(record)
    else:
        for _ in range(2 if again == "loads twice" else 1):
            if world.load(500) is None:  # an earlier load is open: it is settled first
                world.orders.pop()
                world.come_back(None)
                assert world.load(500) is not None
    world.settled()


@pytest.mark.parametrize(
    ("road", "write"),
    # The card does not know who pays: every write for one road, a few for the others.
    [("agent", write) for write in (-1, *range(19), None)]
    + [(road, write) for road in ("card", "city") for write in (-1, 3, None)],
)
@pytest.mark.parametrize("again", ["comes back", "loads again"])
def test_a_card_that_is_pulled_at_any_write(road: str, write: int | None, again: str) -> None:
    world = World(road)
    record = world.load(1_000, Pull(command="money", write=write))
    assert record is not None
    if record.tac is None and again == "loads again" and world.credited():
        assert world.load(500) is not None, "its counter went on: the first load is proven by its MAC1"
        assert world.credited() == 1_500
    elif record.tac is None:
        world.come_back(record)
    world.settled()


@pytest.mark.parametrize("lost", ["request", "answer"])
@pytest.mark.parametrize("call", ["authorise", "confirm", "disprove", "challenge"])
def test_a_message_lost_between_the_cities(lost: str, call: str) -> None:
    world = World("city")
    world.between.lose[call] = lost
    if call in ("disprove", "challenge"):
        world.line.lose["authorise"] = "answer"
    record = world.load(1_000)
    for _ in range(2):
        try:
            world.come_back(record)
            break
        except LineDown:
            continue
    world.settled()


def test_the_same_question_again_gets_the_same_answer_while_the_card_waits() -> None:
    world = World()
    asked = world.authorise
    world.line.lose["authorise"] = "answer"

    def insist(request: LoadRequest) -> bytes:
        try:
            return asked(request)
        except LineDown:
            return asked(request)

    world.authorise = insist
    record = world.load(1_000)
    assert record is not None
    assert record.tac is not None
    world.settled()


def test_an_agent_loads_no_more_than_it_paid_in() -> None:
    world = World()
    assert world.load(PREPAID - 1) is not None
    assert world.load(2) is None
    assert world.load(1) is not None
    world.settled()


def test_a_bank_card_pays_with_its_pin_and_within_its_balance() -> None:
    world = World("card")
    assert world.bank.do(fen=OPENING - 500)[1].approved
    assert world.load(501) is None
    assert world.load(500) is not None
    assert world.bank.available() == 0
    assert world.credited() == 500
    with pytest.raises(Refused, match="PIN"):
        world.home._funds.hold(world.home_books.of_card(world.orders[-1].card_no, 2)[-1])


def test_the_terminals_word_gives_no_money_back() -> None:
    """An agent who loaded a card says that it did not: with old answers of the card, or with none."""
    world = World()
    world.reader.insert()
    before = world.counter.question(world.reader, bytes(6))  # kept from before the load
    assert world.load(1_000, Pull(command="money", write=None)) is not None  # credited, TAC held back
    load_id = world.orders[-1].id
    with pytest.raises(Refused, match="no challenge"):
        world.home.disprove(load_id, before)
    world.home.challenge(load_id)
    for answer in (before, bytes(16), b""):
        with pytest.raises(Refused):
            world.home.disprove(load_id, answer)
    with pytest.raises(Refused, match="TAC"):
        world.home.confirm(load_id, bytes(4))
    challenge = world.home.challenge(load_id)
    world.reader.insert()
    assert (
        world.home.disprove(load_id, world.counter.question(world.reader, challenge)) is LoadState.CONFIRMED
    )
    world.settled()


def test_an_answer_to_the_challenge_ends_the_load_on_the_card() -> None:
    """MAC2 is kept back until the load was disproved: then it no longer serves."""
    world = World()
    world.line.lose["authorise"] = "answer"
    assert world.load(1_000) is None
    order = world.orders[-1]
    mac2 = world.home.authorise(order)
    world.card.power_up()
    world.counter.question(world.reader, bytes(6))
    finish = b"\x80\x52\x00\x00\x0b" + order.local_date + order.local_time + mac2 + b"\x04"
    assert world.card.transmit(finish)[-2:] != b"\x90\x00"
    world.come_back(None)
    with pytest.raises(Refused, match="voided"):
        world.home.authorise(order)
    assert world.credited() == 0
    world.settled()


def test_the_clearing_settles_what_never_came_back() -> None:
    for paid, ends in ((True, LoadState.CONFIRMED), (False, LoadState.AUTHORISED)):
        world = World()
        record = world.load(1_000, Pull(command="money", write=None))
        assert record is not None
        assert record.tac is None
        assert world.home.cleared(record, paid=paid) is ends
        assert world.home.cleared(record, paid=paid) is ends
        if paid:
            world.settled()


def test_a_later_record_of_the_card_settles_the_earlier_load() -> None:
    world = World()
    assert world.load(1_000, Pull(command="money", write=None)) is not None
    first = world.orders[-1].id
    later = world.load(500)  # its MAC1 proves the first; here the first stays open in another issuer's books
    assert later is not None
    other = World()
    load = world.home_books.get(first)
    assert load is not None
    other.home_books.write([replace(load, state=LoadState.AUTHORISED)])
    other.home._funds.hold(load)
    assert other.home.cleared(later, paid=True) is None, "it is no load from there, and yet a proof"
    assert other.home.state_of(first) is LoadState.CONFIRMED
    assert other.paid() == (1_000, 0)


def test_a_crash_before_mac2_left_gives_the_money_back() -> None:
    world = World()
    world.load(1_000)
    world.load(700)
    asked = replace(
        world.home_books.of_card(world.orders[-1].card_no, 2)[-1], id=make_id("x"), state=LoadState.ASKED
    )
    world.home_books.write([asked])
    world.home._funds.hold(asked)
    assert world.paid() == (1_700, 700)
    assert world.home.recover() == 1
    world.settled()


def test_a_counter_that_something_else_moved_proves_nothing() -> None:
    world = World()
    world.home._moved_elsewhere = lambda _card, _type, counter: counter == 0
    record = world.load(1_000, Pull(command="money", write=None))
    assert world.load(500) is None
    world.orders.pop()
    world.come_back(record)
    assert world.load(500) is not None
    world.settled()


def test_loads_are_kept_in_sql(where: Path | str) -> None:
    with database_at(where) as database:
        world = World(books=SqlLoads(database, vault()))
        world.line.lose["authorise"] = "answer"
        assert world.load(1_000) is None
        world.come_back(None)
        record = world.load(700, Pull(command="money", write=None))
        assert world.load(300) is not None
        assert record is not None
        world.settled()
        kept = SqlLoads(database, vault())
        assert [load.state for load in kept.of_card(record.card_no, 2)] == [
            LoadState.VOIDED, LoadState.CONFIRMED, LoadState.CONFIRMED,
        ]  # fmt: skip
        assert kept.get(world.orders[-1].id) == world.home_books.get(world.orders[-1].id)
