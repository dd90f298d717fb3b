"""Plays payments from bank accounts: a till's request goes over the switch to the issuer's host, and the books move.

The same core, key desk, journal and host as behind the sockets, in this process and without them. The bank has books of
its own, as it has outside (its chart's codes are others' there); the sector's books have one account with the bank, and
the two must tell the same after each payment: then the sector's books can be cleared. ISO 8583:1987;
X9.19 MACs between till, switch and bank; PINs in ISO 9564 format 0, translated by the key service.
"""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from threading import RLock
from typing import Any

from jinka.app.sector_emv import CHIP_KEYS, EXPIRY, SEQUENCE, journey_key, pan_of
from jinka.app.sector_purse import expect_done, expect_refused
from jinka.app.sector_remembered import forget_payment, number_of, remember_payment
from jinka.app.sector_titles import account_title
from jinka.app.sector_world import ZONE, StepFailed, World
from jinka.codec import Algorithm
from jinka.codec.iso8583 import Message, Value, dialect
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.declaration import Counted, Step
from jinka.declaration.steps_bank import AccountHolds, OpenAccount, PayInto, PayOnline, ReportLost, TakeBack
from jinka.issuer import (
    CardAct,
    CardChecks,
    CardKeyNames,
    HolderAccount,
    IsoIssuer,
    IsoTerms,
    IssuedCard,
    IssuerHost,
    MemoryBooks,
    read_policy,
)
from jinka.issuer.chart import IssuerAccount, IssuerTransfer, office_account
from jinka.keys import SoftKeyService, hold_ceremony
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.keys.working import Working
from jinka.kit import NotFound, Unit, Usage, format_minor, make_id, utc_micros
from jinka.ledger import MemoryLedger, Transfer, TransferResult
from jinka.node.switch_keys import KeyDesk
from jinka.reports.day import Text
from jinka.settlement.chart import LEDGER_OF
from jinka.store import SwitchJournal
from jinka.switch import (
    AskKeys,
    Effect,
    Event,
    Found,
    LinkUp,
    LookUp,
    MacKind,
    MacRule,
    Peer,
    PinRule,
    Received,
    Send,
    SwitchConfig,
    SwitchCore,
    Write,
    Written,
)

ISSUER, ACQUIRER, SWITCH = "bank.issuer", "101", "88001"
_CODEC = dialect("iso1987-binary")
_MAC_SIZE = 8
_TILL_MAC = MacRule(kind=MacKind.ISO, key="zone_mac/TDES/1@till", field=128)
_TILL_PIN = PinRule(key="zone_pin/TDES/1@till", format=PinFormat.ISO_0)
_BANK_PIN = PinRule(key="zone_pin/TDES/1@bank", format=PinFormat.ISO_0)
_PIN_KEY, _VALUE_KEY = "pin_verify/TDES/9", "card_verify/TDES/9"
_BILL = "500000"
_LOST_ANSWER = "68"
_VAULT = office_account(IssuerAccount.VAULT, ISSUER).id


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment that was approved."""

    request: Message
    merchant: str
    amount: int
    names: tuple[str, ...] = ()  # what is remembered of it


class Town:
    """A bank with its ledger, a switch and a till."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.payers.add(ISSUER)
        self.payments: dict[str, Payment] = {}
        self.numbers: dict[str, str] = {}  # account -> card number
        self.stan = 0
        self._keys = _keys(world, self)
        self._answers: list[Message] = []
        self._events: deque[Event] = deque()
        names = {use: {Algorithm.TDES: name} for use, name in CHIP_KEYS.items()}
        self.checks = CardChecks(self._keys, CardKeyNames(pin=_PIN_KEY, card_value=_VALUE_KEY, **names))
        self.books, self.ledger = MemoryBooks(), MemoryLedger()
        self._funded = 0
        self.host = IssuerHost(
            issuer=ISSUER, books=self.books, ledger=self.ledger, checks=self.checks,
            policy=read_policy({"pin": {"kinds": ["bill"], "channels": ["atm"]}, "value": {"channels": []}}),
            acquirers=[ACQUIRER],
        )  # fmt: skip
        self._iso = IsoIssuer(self.host, IsoTerms(zone=_BANK_PIN.key))
        till = Peer(name="till", codec=_CODEC, institution=ACQUIRER, mac=_TILL_MAC, pin=_TILL_PIN)
        bank = Peer(name="bank", codec=_CODEC, institution="202", pin=_BANK_PIN)
        config = SwitchConfig(
            institution=SWITCH, peers={"till": till, "bank": bank}, routes={"62": "bank"}
        )  # fmt: skip
        self._core = SwitchCore(
            config, now_micros=self.now_micros(), business_date=world.now.date().isoformat()
        )
        self._desk = KeyDesk(self._keys, remote=False)
        self._journal = SwitchJournal(world.database("switch"), self._keys)
        for line, peer in enumerate(config.peers, 1):
            self._step(LinkUp(peer=peer, line=line))

    def now_micros(self) -> int:
        return utc_micros(self.world.now, ZONE)

    def ask(self, message: Message) -> Message | None:
        """Send a till's message with its MAC; the answer if one came."""
        fields: dict[int, Value] = {**message.fields, 128: bytes(_MAC_SIZE)}
        plain = _CODEC.encode(Message(mti=message.mti, fields=dict(sorted(fields.items()))))[:-_MAC_SIZE]
        [mac] = self._keys.generate_macs([plain], key=_TILL_MAC.key, algorithm=MacAlgorithm.RETAIL)
        self._answers.clear()
        self._step(Received(peer="till", line=1, raw=plain + mac))
        return self._answers[-1] if self._answers else None

    def request(self, account: str, amount: int, **more: Value) -> Message:
        """A request of 1987 with what every one has; ``more`` are fields by ``f``-number."""
        self.stan += 1
        at, utc = self.world.now, self.now_micros() // 1_000_000
        moment = _utc(utc)
        fields: dict[int, Value] = {
            2: self.number(account), 3: _BILL, 4: f"{amount:012d}", 7: moment, 11: f"{self.stan:06d}",
            12: f"{at:%H%M%S}", 13: f"{at:%m%d}", 22: "012", 25: "00", 32: ACQUIRER, 41: "80000001",
            42: "M00000000000001", 49: "156",
        }  # fmt: skip
        fields |= {int(name[1:]): value for name, value in more.items()}
        return Message(mti="0200", fields=dict(sorted(fields.items())))

    def number(self, account: str) -> str:
        if account not in self.numbers:
            raise NotFound(f"no account {account!r}", where="bank", fix="OpenAccount first")
        return self.numbers[account]

    def account_of(self, pan: str) -> str:
        """Whose card this is; `NotFound` for one without an account."""
        for account, number in self.numbers.items():
            if number == pan:
                return account
        raise NotFound("the card has no account", where="bank", fix="OpenAccount with card=")

    def pin_block(self, pin: str, pan: str) -> bytes:
        """As a PIN pad makes it."""
        zone = PinZone(
            key=BlockKey(cipher=BlockCipher.TDES, value=journey_key(_TILL_PIN.key)), format=PinFormat.ISO_0
        )
        return encipher_pin(zone, pin, pan, self.world.randomness)

    def reference(self, pin: str, pan: str) -> str:
        """The PVV that the issuer keeps of a PIN."""
        made: str = self._keys.make_pvv(
            self.pin_block(pin, pan), zone=_TILL_PIN.key, zone_format=PinFormat.ISO_0, pan=pan, key=_PIN_KEY,
            index=1,
        )  # fmt: skip
        return made

    def pay(self, debit: bytes, credit: bytes, amount: int, code: int, *about: str | int) -> None:
        """A transfer between accounts of the bank; `StepFailed` when its ledger refuses it."""
        made = Transfer(
            id=make_id("jinka.journey.bank", *about), debit_account=debit, credit_account=credit, amount=amount,
            ledger=LEDGER_OF[Unit.FEN], code=code,
        )  # fmt: skip
        [result] = self.ledger.create_transfers([made])
        if result is not TransferResult.CREATED:
            raise StepFailed(f"the ledger says {result.name}", where="bank")

    def settle(self, payment: Payment, *, back: bool = False) -> None:
        """The acquirer pays the merchant what the issuer owes it, or gets it back."""
        owed = office_account(IssuerAccount.ACQUIRER, ACQUIRER).id
        parties, sides = (ISSUER, payment.merchant), (owed, _VAULT)
        if back:
            parties, sides = (payment.merchant, ISSUER), (_VAULT, owed)
        self.world.move(*parties, payment.amount)
        self.pay(*sides, payment.amount, IssuerTransfer.FUNDING, payment.request.text(11), back)
        self.agree()

    def fund(self, holder: bytes, amount: int, account: str) -> None:
        """What an account begins with: the holder brought it, or it is his line of credit."""
        self.pay(_VAULT, holder, amount, IssuerTransfer.FUNDING, "opening", account)
        self._funded += amount

    def agree(self) -> None:
        """Raise `StepFailed` unless the bank's vault and the sector's account with the bank tell the same."""
        sums = self.ledger.balances([_VAULT])[_VAULT]
        held = sums.debits_posted - sums.credits_posted - self._funded
        there = self.world.stands_at(ISSUER)
        if held != there:
            raise StepFailed(f"the bank says {held}, the sector's books {there}", where="bank")

    def _step(self, event: Event) -> None:
        self._events.append(event)
        while self._events:
            for effect in self._core.step(self._events.popleft(), self.now_micros()):
                self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        match effect:
            case Send(peer="till"):
                self._answers.append(_CODEC.decode(effect.raw))
            case Send():
                answer = self._iso.handle(_CODEC.decode(effect.raw), self.now_micros())
                if answer is not None:
                    self._events.append(Received(peer="bank", line=2, raw=_CODEC.encode(answer)))
            case AskKeys():
                self._events.append(self._desk.do(effect))
            case Write():
                [clashes] = self._journal.write([effect.entries])
                self._events.append(Written(token=effect.token, clashes=clashes))
            case LookUp():
                self._events.append(Found(token=effect.token, record=self._journal.find(effect.tx)))
            case _:
                pass  # timers: everybody answers at once here


def town(world: World) -> Town:
    """The journey's bank and switch, opened when they are first asked for."""
    return world.service("bank town", lambda: Town(world))


def play_open_account(step: OpenAccount, world: World) -> Text:
    found = town(world)
    pan = pan_of(world.card(step.card).number) if step.card else f"62284899{len(found.numbers) + 1:08d}"
    found.host.open_account(HolderAccount(number=step.account))
    card = IssuedCard(
        pan=pan, account=step.account, expiry4=f"{EXPIRY:%y%m}", chip=bool(step.card),
        sequence=f"{SEQUENCE:02d}" if step.card else "00", pin_reference=found.reference(step.pin, pan),
    )  # fmt: skip
    found.host.add_card(card.act(CardAct.ACTIVATE))
    found.numbers[step.account] = pan
    if step.amount:
        found.fund(HolderAccount(number=step.account).id, step.amount, step.account)
    shown = format_minor(step.amount)
    return Text(f"The bank opens the account {step.account} with {shown}",
                f"银行开户：{step.account}，可用{shown}")  # fmt: skip


def play_pay_online(step: PayOnline, world: World) -> Text:
    found, amount = town(world), number_of(world, step.amount)
    shown = format_minor(amount)
    pan = found.number(step.account)
    pin: dict[str, Value] = {"f52": found.pin_block(step.pin, pan)} if step.pin else {}
    category = next((one.category for one in world.sector.accounts if one.code == step.merchant), "")
    kind: dict[str, Value] = {"f18": category} if category else {}
    request = found.request(step.account, amount, **pin, **kind)
    answer = found.ask(request)
    payee = account_title(world, step.merchant)
    head = Text(f"{step.account} pays {shown} to {payee.en} through the switch",
                f"{step.account}经转接系统付{payee.zh}{shown}")  # fmt: skip
    code = answer.text(39) if answer is not None else _LOST_ANSWER
    if code != "00":
        expect_refused(step.refused, code, f"answer {code}")
        world.count(Counted.REFUSED, account=step.merchant, reason=code)
        return Text(f"{head.en}: refused, answer {code}", f"{head.zh}：拒绝，应答码{code}")
    expect_done(step.refused)
    payment = Payment(request, step.merchant, amount)
    if step.lost:
        back = _reversed(found, payment)
        if back != "00":
            raise StepFailed(f"the reversal is answered {back}", where=step.account)
        return Text(f"{head.en}: the answer is lost, the till reverses", f"{head.zh}：应答丢失，终端冲正")
    found.settle(payment)
    words: dict[str, int | str] = {"amount": amount, **({"category": request.text(18)} if category else {})}
    names = remember_payment(world, step.remembers, words)
    if step.as_:
        found.payments[step.as_] = replace(payment, names=names)
    world.count(Counted.MOVED, amount, account=step.merchant)
    return Text(f"{head.en}: approved and booked", f"{head.zh}：批准并记账")


def play_take_back(step: TakeBack, world: World) -> Text:
    found = town(world)
    if step.payment not in found.payments:
        raise NotFound(f"no payment {step.payment!r}", where=world.journey.name, fix="PayOnline with as_")
    payment = found.payments[step.payment]
    code = _reversed(found, payment)
    if code != "00":
        expect_refused(step.refused, code, f"answer {code}")
        return Text(
            f"{step.payment} cannot be taken back: answer {code}", f"{step.payment}冲正被拒绝，应答码{code}"
        )
    expect_done(step.refused)
    found.settle(payment, back=True)
    forget_payment(world, payment.names)
    del found.payments[step.payment]
    shown = format_minor(payment.amount)
    payee = account_title(world, payment.merchant)
    return Text(f"{step.payment} is reversed: {shown} back from {payee.en}",
                f"{step.payment}冲正：{payee.zh}退回{shown}")  # fmt: skip


def play_pay_into(step: PayInto, world: World) -> Text:
    found, amount = town(world), number_of(world, step.amount)
    shown = format_minor(amount)
    found.number(step.account)
    payer = account_title(world, step.payer)
    found.stan += 1
    try:
        world.move(step.payer, ISSUER, amount)
    except Usage as error:
        expect_refused(step.refused, "REFUSED", error)
        world.count(Counted.REFUSED, account=step.payer, reason="NO_MONEY")
        return Text(
            f"{payer.en} cannot pay {shown} into {step.account}",
            f"{payer.zh}不足以付{shown}入{step.account}",
        )
    expect_done(step.refused)
    holder = HolderAccount(number=step.account).id
    found.pay(_VAULT, holder, amount, IssuerTransfer.TRANSFER_IN, "into", found.stan)
    found.agree()
    world.count(Counted.MOVED, amount, account=step.account)
    return Text(f"{payer.en} pays {shown} into {step.account}", f"{payer.zh}付{shown}入{step.account}")


def play_account_holds(step: AccountHolds, world: World) -> Text:
    found = town(world)
    found.number(step.account)
    name = HolderAccount(number=step.account).id
    sums = found.ledger.balances([name])[name]
    left = sums.credits_posted - sums.debits_posted - sums.debits_pending
    if left != step.amount:
        raise StepFailed(f"{step.account} has {left}, not {step.amount}", where="bank")
    return Text(f"{step.account} has {format_minor(left)} left", f"{step.account}余额{format_minor(left)}")


def play_report_lost(step: ReportLost, world: World) -> Text:
    found = town(world)
    pan = found.number(step.account)
    found.host.add_card(found.books.cards([pan])[pan].act(CardAct.REPORT_LOST))
    return Text(f"The card of {step.account} is reported lost", f"{step.account}的卡挂失")


def _reversed(found: Town, payment: Payment) -> str:
    """The answer's code to a reversal of a payment (0400, field 90)."""
    sent = payment.request
    found.stan += 1
    original = f"{sent.mti}{sent.text(11)}{sent.text(7)}{ACQUIRER.zfill(11)}{'0' * 11}"
    moment = _utc(found.now_micros() // 1_000_000)
    changes = {7: moment, 11: f"{found.stan:06d}", 90: original, 52: None, 55: None}
    answer = found.ask(sent.changed(changes, "0400"))
    return answer.text(39) if answer is not None else _LOST_ANSWER


def _utc(seconds: int) -> str:
    """Field 7: MMDDhhmmss in UTC."""
    return f"{dt.datetime.fromtimestamp(seconds, dt.UTC):%m%d%H%M%S}"


def _keys(world: World, clock: Town) -> SoftKeyService:
    ceremony = hold_ceremony(
        issuer=ISSUER,
        date="2024-01-01",
        custodians=("1", "2", "3"),
        randomness=world.randomness,
        simulated=True,
    )
    working = Working(clock=clock, randomness=world.randomness, lock=RLock())
    made = SoftKeyService.open(
        ceremony.sealed, list(ceremony.shares[:2]), region=world.sector.region, working=working
    )
    for text in (_TILL_MAC.key, _TILL_PIN.key, _BANK_PIN.key, _PIN_KEY, _VALUE_KEY, *CHIP_KEYS.values()):
        name = KeyName.parse(text)
        key = made.holding.provider.load(KeyKind(name.algorithm), journey_key(text))
        working.keys.add(KeyRecord(name=name, check=""), key)
    return made


PLAYERS: Mapping[type[Step], Callable[[Any, World], Text]] = {
    OpenAccount: play_open_account,
    PayOnline: play_pay_online,
    TakeBack: play_take_back,
    PayInto: play_pay_into,
    AccountHolds: play_account_holds,
    ReportLost: play_report_lost,
}
