"""A purse is loaded online, and every message may get lost. Goal: what the card got is what somebody paid, once.

Method: real cards and a real key service; the reader pulls the card, and the line to the issuer loses requests and
answers, at every point there is. Afterwards the card comes back, alone or with a new load, or only its records do. The
card's own balance is compared with the ledger: prepaid cash, bank account, and the other city.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from jinka.app.bench_purchase import ISSUER, KeyRoots
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import RecordState
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.issuer.load_funds import AllFunds, CardFunds, LedgerFunds
from jinka.issuer.online_load import HomeLoads, LoadBooks, LoadDesk, LoadOrder, LoadState, MemoryLoads
from jinka.issuer.relayed_load import RelayedLoads
from jinka.keys import Purpose, card_factor
from jinka.kit import JinkaError, Refused, make_id
from jinka.ledger import MemoryLedger, Transfer, TransferResult
from jinka.sim.randomness import SeededRandomness
from jinka.store import SqlLoads, database_at
from jinka.terminal import CardRemoved, LoadRequest, Unresolved
from tests.card.rig import Pull, Reader
from tests.issuer.host_rig import ACQUIRER, OPENING, PAN, Bank, pin_data
from tests.keys.ground import service
from tests.postgres import fresh_postgres, postgres
from tests.terminal.rig import AT, City, balance

__all__ = ["fresh_postgres", "postgres"]

PREPAID, START = 10_000, 5_000
KEYS = service()


class LineDown(JinkaError):
    """No answer: whether the other side heard is not known."""


@dataclass
class Line:
    """Between a terminal or a city and a desk: loses requests or answers of chosen calls."""

    desk: LoadDesk
    lose: dict[str, str] = field(default_factory=dict)  # call -> "request" or "answer", once

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            lost = self.lose.pop(name, "")
            if lost == "request":
                raise LineDown("no answer")
            answer = getattr(self.desk, name)(*args)
            if lost == "answer":
                raise LineDown("no answer")
            return answer

        return call


class World:
    """A card, a load counter, its line, and the desks behind it."""

    def __init__(
        self, road: str = "agent", algorithm: Algorithm = Algorithm.TDES, *, books: LoadBooks | None = None
    ) -> None:
        self.city = City(algorithm, cards=0)
        number = bytes.fromhex("00005180000000000001")
        factors = np.frombuffer(card_factor(number), np.uint8).reshape(1, 8)
        own = {p: KEYS.chip_keys(p, algorithm=algorithm, version=1, factors8=factors)[0].tobytes()
               for p in (Purpose.LOAD, Purpose.TAC)}  # fmt: skip
        self.card = _card(self.city.roots, own, self.city.randomness)
        self.reader = Reader(self.card)
        self.counter = self.city.counter
        self.bank = Bank()
        self.ledger, self.home_books = MemoryLedger(), books or MemoryLoads()
        home_funds = LedgerFunds(self.ledger, "iss.sz")
        self.road, self.fund = road, {"card": f"card:{PAN}"}.get(road, "agent:kiosk")
        by_scheme = {"agent": home_funds, "city": home_funds, "card": CardFunds(self.bank.host, ACQUIRER)}
        self.home = HomeLoads(
            keys=KEYS, books=self.home_books, funds=AllFunds(by_scheme),
            randomness=SeededRandomness("challenge"), purse_limit=100_000,
        )  # fmt: skip
        self.payer = self.ledger
        self.between = Line(self.home)
        desk: LoadDesk = self.home
        if road == "city":
            home_funds.open("city:gz")
            self.payer = MemoryLedger()
            self.away_books = MemoryLoads()
            away_funds = LedgerFunds(self.payer, "iss.gz")
            self.away = RelayedLoads(city="gz", home=self.between, books=self.away_books, funds=away_funds)
            desk = self.away
        funds = LedgerFunds(self.payer, "iss.gz" if road == "city" else "iss.sz")
        _pay_in(self.payer, funds.open("agent:kiosk"))
        self.line = Line(desk)
        self.orders: list[LoadOrder] = []
        self.minute = 0

    def authorise(self, request: LoadRequest) -> bytes:
        """What the counter asks: once, and once more when no answer came."""
        order = LoadOrder(
            question=request, card_no=request.card_no, txn_type=request.txn_type, terminal_id=request.terminal_id,
            local_date=request.local_date, local_time=request.local_time, fund=self.fund,
            at_micros=self.bank.now + self.minute, pin=pin_data() if self.road == "card" else None,
        )  # fmt: skip
        self.orders.append(order)
        return self.line.authorise(order)  # type: ignore[no-any-return]

    def load(self, fen: int = 1_000, pull: Pull | None = None) -> ClearingRecord | None:
        """A load at the counter; None when nothing came of it there."""
        self.minute += 60_000_000
        self.reader.insert()
        if pull is not None:
            self.reader.pull(pull)
        try:
            record = self.counter.load(self.reader, fen, AT.replace(minute=self.minute // 60_000_000), self)
        except (CardRemoved, LineDown, Refused):
            return None
        if record.tac is not None:
            self.tell(record)
        return record

    def tell(self, record: ClearingRecord) -> None:
        assert record.tac is not None
        with suppress(LineDown):
            self.line.confirm(self.orders[-1].id, record.tac)

    def come_back(self, record: ClearingRecord | None) -> None:
        """The card is presented again: it proves the load, or that there was none."""
        load_id = self.orders[-1].id
        self.reader.insert()
        if record is not None:
            found = self.counter.resolve(self.reader, record)
            if isinstance(found, ClearingRecord):
                self.tell(found)
                return
            assert found is Unresolved.NOT_DEBITED
        if self.home.state_of(load_id) is LoadState.AUTHORISED:
            challenge = self.line.challenge(load_id)
            self.line.disprove(load_id, self.counter.question(self.reader, challenge))

    def paid(self) -> tuple[int, int]:
        """(posted, held) of who pays: agent or bank account."""
        if self.road == "card":
            sums = self.bank.sums()
            return sums.debits_posted, sums.debits_pending
        id_ = office_account(IssuerAccount.AGENT_PREPAID, "kiosk").id
        found = self.payer.balances([id_])[id_]
        return found.debits_posted, found.debits_pending

    def credited(self) -> int:
        self.reader.insert()
        return balance(self.card) - START

    def settled(self) -> None:
        """All is known: what the card got was paid, and nothing is held."""
        if self.road == "city":
            self.away.settle()
        assert self.paid() == (self.credited(), 0)
        if self.road == "city":
            id_ = office_account(IssuerAccount.CITY, "gz").id
            owed = self.ledger.balances([id_])[id_]
            assert (owed.debits_posted, owed.debits_pending) == (self.credited(), 0)


def _card(roots: KeyRoots, own: dict[Purpose, bytes], randomness: SeededRandomness) -> Any:
    """A card of the bench's make whose load and TAC keys are the key service's."""
    from jinka.card import Card, CardTemplate, Personal
    from jinka.profile import KeyUse
    from jinka.sectors.transit_shenzhen import PROFILE, PROFILE_SM4

    number = bytes.fromhex("00005180000000000001")
    profile = PROFILE_SM4 if roots.algorithm is Algorithm.SM4 else PROFILE
    replaced = {KeyUse.LOAD: own[Purpose.LOAD], KeyUse.TAC: own[Purpose.TAC]}
    keys = tuple(
        replaced.get(spec.use, key) for spec, key in zip(profile.keys, roots.card_keys(number), strict=True)
    )
    personal = Personal(card_no=number, keys=keys, issuer=ISSUER, balance=START)
    return Card.from_image(CardTemplate(profile).clone(personal), randomness)


def _pay_in(ledger: MemoryLedger, agent: bytes) -> None:
    vault = office_account(IssuerAccount.VAULT, "test")
    ledger.create_accounts([vault])
    made = Transfer(id=make_id("test.prepay"), debit_account=vault.id, credit_account=agent, amount=PREPAID,
                    ledger=156, code=IssuerTransfer.FUNDING)  # fmt: skip
    assert ledger.create_transfers([made]) == [TransferResult.CREATED]


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

    world.authorise = insist  # type: ignore[method-assign]
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


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_loads_are_kept_in_sql(engine: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    where = tmp_path / "l.db" if engine == "sqlite" else request.getfixturevalue("fresh_postgres")()
    with database_at(where) as database:
        world = World(books=SqlLoads(database))
        world.line.lose["authorise"] = "answer"
        assert world.load(1_000) is None
        world.come_back(None)
        record = world.load(700, Pull(command="money", write=None))
        assert world.load(300) is not None
        assert record is not None
        world.settled()
        kept = SqlLoads(database)
        assert [load.state for load in kept.of_card(record.card_no, 2)] == [
            LoadState.VOIDED, LoadState.CONFIRMED, LoadState.CONFIRMED,
        ]  # fmt: skip
        assert kept.get(world.orders[-1].id) == world.home_books.get(world.orders[-1].id)
