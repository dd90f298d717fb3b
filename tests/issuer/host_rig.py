"""An issuer's host with keys of a real key service, three cards on two accounts, and requests made in one line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.number_vault import NumberVault
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.issuer import (
    AuthorisationRequest,
    CardAct,
    CardChecks,
    CardKeyNames,
    CardValue,
    Channel,
    Decision,
    Entry,
    HolderAccount,
    IssuedCard,
    IssuerBooks,
    IssuerHost,
    Kind,
    MemoryBooks,
    PinData,
    Policy,
    Trace,
    read_policy,
)
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.kit import make_id
from jinka.ledger import Balance, LedgerEngine, MemoryLedger, Transfer, TransferResult
from jinka.sim.randomness import SeededRandomness
from tests.keys import payments
from tests.keys.ground import Dice

PAN, OTHER, STRIPE_ONLY = "6225880123456782", "6225880123456790", "6225880123456808"
PIN, EXPIRY = "123456", "2812"
ZONE, PIN_KEY, VALUE_KEY = "zone_pin/TDES/1@bank", "pin_verify/TDES/1", "card_verify/TDES/1"
ACQUIRER, ISSUER = "acq.sz", "bank"
START = int(dt.datetime(2026, 11, 20, 2, 0, tzinfo=dt.UTC).timestamp()) * 1_000_000  # 10:00 in China
OPENING = 100_000


def vault() -> NumberVault:
    """What covers card numbers in the books."""
    return NumberVault(bytes(range(64)), SeededRandomness("vault"))


def pin_data(pin: str = PIN, pan: str = PAN) -> PinData:
    zone = PinZone(
        key=BlockKey(cipher=BlockCipher.TDES, value=payments.KEYS[ZONE][0]), format=PinFormat.ISO_0
    )
    return PinData(block=encipher_pin(zone, pin, pan, Dice()), zone=ZONE)


def in_memory() -> tuple[IssuerBooks, LedgerEngine]:
    return MemoryBooks(), MemoryLedger()


class Bank:
    """A host that can be stopped and started again over the same books and ledger.

    They are in memory unless they are given, or a test asks for `tests.issuer.engines.books_engine`.
    """

    make_books: Callable[[], tuple[IssuerBooks, LedgerEngine]] = staticmethod(in_memory)

    def __init__(
        self,
        books: IssuerBooks | None = None,
        ledger: LedgerEngine | None = None,
        policy: Policy | None = None,
    ) -> None:
        both = Bank.make_books() if books is None or ledger is None else (books, ledger)
        self.books, self.ledger = both
        self.policy = policy or read_policy(
            {"pin": {"kinds": [], "channels": ["atm"]}, "advice": {"unproven_fen": 10 * OPENING}}
        )
        self.keys = payments.rig()
        self.names = CardKeyNames(pin=PIN_KEY, card_value=VALUE_KEY)
        self.start()
        self.host.open_account(HolderAccount(number="A"))
        self.host.open_account(HolderAccount(number="B"))
        for pan, account, chip in ((PAN, "A", True), (OTHER, "B", True), (STRIPE_ONLY, "B", False)):
            self.host.add_card(self.card(pan, account, chip))
        for number in ("A", "B"):
            self.fund(number, OPENING)
        self.stan = 0
        self.now = START

    def start(self) -> IssuerHost:
        checks = CardChecks(self.keys.service, self.names)
        self.host = IssuerHost(
            issuer=ISSUER, books=self.books, ledger=self.ledger, checks=checks, policy=self.policy,
            acquirers=[ACQUIRER],
        )  # fmt: skip
        return self.host

    def card(self, pan: str, account: str, chip: bool = True) -> IssuedCard:
        given = pin_data(PIN, pan)
        pvv = self.keys.service.make_pvv(
            given.block, zone=ZONE, zone_format=PinFormat.ISO_0, pan=pan, key=PIN_KEY, index=1
        )
        made = IssuedCard(pan=pan, account=account, expiry4=EXPIRY, chip=chip, pin_reference=pvv)
        return made.act(CardAct.ACTIVATE)

    def fund(self, number: str, fen: int) -> None:
        made = Transfer(
            id=make_id("test.fund", number, fen), debit_account=office_account(IssuerAccount.VAULT, ISSUER).id,
            credit_account=make_id("jinka.issuer.account", number), amount=fen, ledger=156,
            code=IssuerTransfer.FUNDING,
        )  # fmt: skip
        assert self.ledger.create_transfers([made]) == [TransferResult.CREATED]

    def ask(self, kind: Kind = Kind.PURCHASE, fen: int = 1_000, **more: Any) -> AuthorisationRequest:
        """A request with the next stan; without a chip's cryptogram, so from a merchant's stored number."""
        self.stan += 1
        self.now += 60_000_000
        trace = Trace(acquirer=ACQUIRER, terminal="00000001", stan=f"{self.stan:06}", date4="1120")
        base = AuthorisationRequest(
            kind=kind, pan=more.pop("pan", PAN), amount_fen=fen, at_micros=more.pop("at_micros", self.now),
            trace=more.pop("trace", trace), entry=Entry.STORED, merchant="M1", category="5411",
            original=more.pop("original", None), receiver=more.pop("receiver", ""),
        )  # fmt: skip
        return replace(base, **more)

    def do(
        self, kind: Kind = Kind.PURCHASE, fen: int = 1_000, **more: Any
    ) -> tuple[AuthorisationRequest, Decision]:
        request = self.ask(kind, fen, **more)
        return request, self.host.decide(request)

    def back(self, of: AuthorisationRequest, kind: Kind = Kind.REVERSAL, fen: int | None = None) -> Decision:
        """Take something back, complete it, or refund a part."""
        amount = of.amount_fen if fen is None else fen
        return self.do(kind, amount, pan=of.pan, original=of.trace)[1]

    def value(self, service: str, pan: str = PAN) -> CardValue:
        made = self.keys.service.make_card_value(key=VALUE_KEY, pan=pan, date4=EXPIRY, service3=service)
        return CardValue(value=made, service3=service)

    def stripe(self, fen: int = 1_000, pan: str = STRIPE_ONLY, **more: Any) -> Decision:
        more.setdefault("card_value", self.value("101", pan))
        return self.do(Kind.PURCHASE, fen, pan=pan, entry=Entry.STRIPE, **more)[1]

    def sums(self, number: str = "A") -> Balance:
        id_ = make_id("jinka.issuer.account", number)
        return self.ledger.balances([id_])[id_]

    def available(self, number: str = "A") -> int:
        found = self.sums(number)
        return found.credits_posted - found.debits_posted - found.debits_pending

    def owed(self, code: IssuerAccount = IssuerAccount.ACQUIRER, owner: str = ACQUIRER) -> int:
        """Credits less debits, posted, of an office account."""
        id_ = office_account(code, owner).id
        found = self.ledger.balances([id_])[id_]
        return found.credits_posted - found.debits_posted


ATM: dict[str, Any] = {"channel": Channel.ATM}
