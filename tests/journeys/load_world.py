"""A card, a load counter, lines that lose messages, and the desks behind them: the world of the online loads."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from jinka.app.bench_purchase import ISSUER, KeyRoots
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.issuer.load_funds import AllFunds, CardFunds, LedgerFunds
from jinka.issuer.online_load import HomeLoads, LoadBooks, LoadDesk, LoadOrder, LoadState, MemoryLoads
from jinka.issuer.relayed_load import RelayedLoads
from jinka.keys import Purpose, card_factor
from jinka.kit import JinkaError, Refused, make_id
from jinka.ledger import MemoryLedger, Transfer, TransferResult
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import CardRemoved, LoadRequest, Unresolved
from tests.card.rig import Pull, Reader
from tests.issuer.host_rig import ACQUIRER, PAN, Bank, pin_data
from tests.keys.ground import service
from tests.terminal.rig import AT, City, balance

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
        return self.line.authorise(order)

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
