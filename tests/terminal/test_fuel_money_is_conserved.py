"""No fen appears or disappears at pumps and bank counters: grey lock, unload and overdraft limit against a model.

The machine locks, fills, pays, releases at other pumps and online, loads and unloads the passbook, moves its limit,
pulls the card anywhere, and cuts the pump's power so that only its kept state and its module's memory are left. The
model knows only what terminals and hosts recorded: confirmed records, and torn ones that nobody has seen again.
"""

from __future__ import annotations

import datetime as dt

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jinka.card import Psam
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import ATTESTED_DEBITS, RecordState, TransactionType
from jinka.issuer import LimitHost, LoadHost, ReleaseHost, UnloadHost
from jinka.kit import Refused
from jinka.sectors.fuel import PURSE_LIMIT_FEN
from jinka.terminal import CardRemoved, FuelState, FuelStatus, FuelTerminal, Unresolved
from tests.card.rig import Pull, Reader
from tests.terminal.fuel_rig import AT, CARD_NO, FAR_PUMP, PUMP_1, PUMP_2, Oil
from tests.terminal.passbook_rig import PIN, Bank

OPENING = 3_000
_pull = st.one_of(
    st.none(),
    st.builds(
        Pull, command=st.integers(0, 6), write=st.one_of(st.none(), st.integers(-1, 9)), torn=st.booleans()
    ),
)
_amount = st.integers(0, 1_500)
_pump = st.integers(0, 1)


class FuelMoneyIsConserved(RuleBasedStateMachine):
    @initialize(algorithm=st.sampled_from(list(Algorithm)))
    def open_station(self, algorithm: Algorithm) -> None:
        self.bank = Bank(algorithm, balance=OPENING, most=2_000)
        self.oil = Oil(algorithm=algorithm, balance=OPENING)
        self.card = self.oil.card = self.bank.card
        self.reader = Reader(self.card)
        self.host = ReleaseHost(self.oil.keys, AT.date())
        self.unloads, self.limits = UnloadHost(self.oil.keys), LimitHost(self.oil.keys, most={CARD_NO: 2_000})
        self.loads = LoadHost(self.oil.keys, purse_limit=PURSE_LIMIT_FEN)
        self.kept: dict[bytes, bytes] = {}
        self.modules = {number: self.oil.psam(number) for number in (PUMP_1, PUMP_2)}
        self.pumps = [self._started(PUMP_1), self._started(PUMP_2)]
        self.office = self.oil.pump(FAR_PUMP, "office")
        self.fuel: dict[tuple[object, ...], ClearingRecord] = {}
        self.book: dict[int, ClearingRecord] = {}  # by online counter
        self.torn: list[ClearingRecord] = []
        self.now = AT

    def _started(self, number: bytes) -> FuelTerminal:
        raw = self.kept.get(number)
        state = FuelState.from_bytes(raw) if raw is not None else None
        psam = Psam.from_bytes(self.modules[number].to_bytes(), self.oil.randomness)
        self.modules[number] = psam
        return self.oil.pump(
            number, psam=psam, state=state, keep=lambda raw: self.kept.__setitem__(number, raw)
        )

    @rule(which=_pump, pull=_pull)
    def lock(self, which: int, pull: Pull | None) -> None:
        self._take(self.pumps[which].lock(self._inserted(pull), self.now))

    @rule(which=_pump, amount=_amount)
    def settle(self, which: int, amount: int) -> None:
        pump = self.pumps[which]
        hold = pump.holds.get(CARD_NO)
        if hold is not None and hold.certain and CARD_NO not in pump.claims:
            pump.settle(CARD_NO, min(amount, hold.balance))

    @rule(which=_pump, amount=_amount)
    def fill(self, which: int, amount: int) -> None:
        """The usual way to a claim: locked without a fault, and filled."""
        self.lock(which, None)
        self.settle(which, amount)

    @rule(which=_pump, amount=_amount, pull=_pull, again=st.booleans())
    def fill_and_pay(self, which: int, amount: int, pull: Pull | None, again: bool) -> None:
        self.fill(which, amount)
        self.release(which, which, pull)
        if again:  # the card comes back at once
            self.lock(which, None)

    @rule(which=_pump, amount=_amount, pull=_pull)
    def fill_and_go_to_the_office(self, which: int, amount: int, pull: Pull | None) -> None:
        self.fill(which, amount)
        self.release_online(which, pull)

    @rule(which=_pump, at=_pump, pull=_pull)
    def release(self, which: int, at: int, pull: Pull | None) -> None:
        claim = self.pumps[which].claims.get(CARD_NO)
        if claim is not None:
            outcome = self.pumps[at].release(self._inserted(pull), claim, self.now)
            self._take(outcome)
            if outcome.status is FuelStatus.DONE and outcome.record is not None:
                self.pumps[which].settled(outcome.record)

    @rule(which=_pump, pull=_pull)
    def release_online(self, which: int, pull: Pull | None) -> None:
        claim = self.pumps[which].claims.get(CARD_NO)
        try:
            if claim is not None:
                self.host.take(claim)
            self.office.release_online(self._inserted(pull), self.now, self.host)
        except (CardRemoved, Refused):
            return

    @rule(which=_pump)
    def the_pump_loses_its_power(self, which: int) -> None:
        self.pumps[which] = self._started((PUMP_1, PUMP_2)[which])

    @rule(amount=st.integers(1, 4_000), passbook=st.booleans(), pull=_pull)
    def load(self, amount: int, passbook: bool, pull: Pull | None) -> None:
        till = self.bank.till if passbook else self.bank.purse_till
        try:
            record = till.load(
                self._inserted(pull), amount, self.now, self.loads, pin=PIN if passbook else b""
            )
        except (CardRemoved, Refused):
            return
        self._file(record)

    @rule(amount=st.integers(1, 4_000), pull=_pull)
    def unload(self, amount: int, pull: Pull | None) -> None:
        try:
            record = self.bank.desk.unload(self._inserted(pull), amount, self.now, self.unloads, pin=PIN)
        except (CardRemoved, Refused):
            return
        self._file(record)

    @rule(limit=st.integers(0, 2_100), pull=_pull)
    def change_limit(self, limit: int, pull: Pull | None) -> None:
        try:
            record = self.bank.desk.change_limit(self._inserted(pull), limit, self.now, self.limits, pin=PIN)
        except (CardRemoved, Refused):
            return
        self._file(record)

    @rule()
    def resolve(self) -> None:
        for record in list(self.torn):
            reader, desk = self._inserted(None), self.bank.desk
            if record.txn_type == TransactionType.UNLOAD:
                found = desk.resolve_unload(reader, record, self.unloads, pin=PIN)
            elif record.txn_type == TransactionType.OVERDRAFT_LIMIT:
                found = desk.resolve_limit(reader, record, self.limits, pin=PIN)
            else:
                passbook = record.txn_type == TransactionType.ED_LOAD
                till = self.bank.till if passbook else self.bank.purse_till
                found = till.resolve(reader, record, pin=PIN if passbook else b"")
            if found is not Unresolved.UNKNOWN:
                self.torn.remove(record)
            if isinstance(found, ClearingRecord):
                self._file(found)

    @invariant()
    def the_purse_holds_what_pumps_and_host_recorded(self) -> None:
        if not hasattr(self, "card"):
            return
        released = list(self.host.concluded.values())
        loaded = sum(r.amount for r in self.book.values() if r.txn_type == TransactionType.EP_LOAD)
        certain = OPENING + loaded - sum(r.amount for r in [*self.fuel.values(), *released])
        open_ = [r for r in self.torn if r.txn_type == TransactionType.EP_LOAD]
        possible = _subsets(certain, [r.amount for r in open_])
        # A debit that was torn: its claim is still there, at the pump or at the host.
        owed = {claim.amount for pump in self.pumps for claim in pump.claims.values()}
        owed |= {waiting.claim.amount for waiting in self.host.waiting.values()}
        held = self._held(2)[0]
        assert held in possible | {value - amount for value in possible for amount in owed}, (
            held,
            possible,
            owed,
        )

    @invariant()
    def the_passbook_holds_what_counters_and_hosts_recorded(self) -> None:
        if not hasattr(self, "card"):
            return
        spent, limit = self._held(1)
        own = sum(_effect(r) for r in self.book.values())
        assert spent - limit in _subsets(own, [_effect(r) for r in self.torn]), "what the holder owns"
        limits = [r for r in self.book.values() if r.txn_type == TransactionType.OVERDRAFT_LIMIT]
        limits += [r for r in self.torn if r.txn_type == TransactionType.OVERDRAFT_LIMIT]
        assert limit in {0, *(r.amount for r in limits)}

    @invariant()
    def nothing_is_recorded_twice(self) -> None:
        if not hasattr(self, "card"):
            return
        locks = [(r.terminal_id, r.terminal_serial) for r in self.fuel.values()]
        locks += [(r.terminal_id, r.terminal_serial) for r in self.host.concluded.values()]
        assert len(set(locks)) == len(locks), "one lock, two payments"
        assert all(r.tac == self.oil.tac(r) for r in self.fuel.values())
        cash = [r for r in self.book.values() if r.txn_type == TransactionType.UNLOAD]
        assert sorted(r.counter for r in cash) == sorted(counter for _, counter in self.unloads.concluded)

    def _held(self, which: int) -> tuple[int, int]:
        return self.bank.says(which)

    def _inserted(self, pull: Pull | None) -> Reader:
        self.now += dt.timedelta(seconds=1)
        self.reader.insert()
        if pull is not None:
            self.reader.pull(pull)
        return self.reader

    def _take(self, outcome: object) -> None:
        status, record = outcome.status, outcome.record
        if status is FuelStatus.DONE:
            key = (record.terminal_id, record.terminal_serial)
            assert self.fuel.setdefault(key, record).tac == record.tac, "one lock, two TACs"

    def _file(self, record: ClearingRecord) -> None:
        if record.state is RecordState.UNCONFIRMED:
            self.torn.append(record)
            return
        key = record.counter << 1 | (record.txn_type == TransactionType.EP_LOAD)
        assert key not in self.book, "one counter, two records"
        self.book[key] = record


def _effect(record: ClearingRecord) -> int:
    """What a record does to what the holder owns of the passbook."""
    if record.txn_type == TransactionType.ED_LOAD:
        return record.amount
    return -record.amount if record.txn_type in ATTESTED_DEBITS else 0


def _subsets(certain: int, amounts: list[int]) -> set[int]:
    possible = {certain}
    for amount in amounts:
        possible |= {value + amount for value in possible}
    return possible


TestFuelMoneyIsConserved = FuelMoneyIsConserved.TestCase
TestFuelMoneyIsConserved.settings = settings(max_examples=60, stateful_step_count=25)
