"""No fen appears or disappears: card, PSAM, terminal and load counter against a model of a few lines.

The machine taps and loads, cuts the power between and inside commands (at any write, with torn writes), lets cards come
back to this terminal or go to another one, saves cards and modules to bytes and reads them again. The model knows only
what the terminals recorded: a card must hold what it was given, less what was charged, give or take the one
transaction whose end nobody saw.
"""

from __future__ import annotations

import datetime as dt

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from jinka.card import Card, CardImage
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.codec.record import CounterKind, RecordState
from jinka.kit import Refused
from jinka.tariff import TapKind
from jinka.terminal import CardRemoved, PurseTerminal, TapStatus, Unresolved
from tests.card.rig import Pull, Reader
from tests.terminal.rig import AT, City, balance

OPENING = 1_000
CARDS = 2

_kinds = st.sampled_from(
    [(TapKind.ENTRY, "gate"), (TapKind.EXIT, "gate"), (TapKind.BOARD, "bus"), (TapKind.BOARD, "bus")]
)
_card = st.integers(0, CARDS - 1)
# Where the card is pulled: nowhere; at the command that moves money, before it, at one of its writes, or after it; at
# any other command by its number.
_pull = st.one_of(
    st.none(),
    st.builds(
        Pull, command=st.just("money"), write=st.one_of(st.none(), st.integers(-1, 18)), torn=st.booleans()
    ),
    st.builds(Pull, command=st.just("money"), write=st.integers(0, 6), torn=st.booleans()),
    st.builds(
        Pull, command=st.integers(0, 9), write=st.one_of(st.none(), st.integers(-1, 3)), torn=st.booleans()
    ),
)


class MoneyIsConserved(RuleBasedStateMachine):
    @initialize(algorithm=st.sampled_from(list(Algorithm)))
    def open_city(self, algorithm: Algorithm) -> None:
        self.city = City(algorithm, balance=OPENING, cards=CARDS)
        self.readers = [Reader(card) for card in self.city.cards]
        self.numbers: dict[bytes, int] = {}
        self.confirmed: list[list[ClearingRecord]] = [[] for _ in range(CARDS)]
        self.torn: list[list[ClearingRecord]] = [[] for _ in range(CARDS)]
        self.now = AT

    @rule(which=_card, tap=_kinds, fare=st.integers(0, 400), pull=_pull, seconds=st.integers(0, 3))
    def tap(
        self,
        which: int,
        tap: tuple[TapKind, str],
        fare: int,
        pull: Pull | None,
        seconds: int,
    ) -> None:
        self.now += dt.timedelta(seconds=seconds)
        kind, place = tap
        terminal: PurseTerminal = getattr(self.city, place)
        reader = self._inserted(which, pull)
        outcome = terminal.tap(reader, kind=kind, line=2, station=7, gross_fare=fare, at=self.now)
        if outcome.resolved is not None:
            self._settle(which, outcome.resolved)
        if outcome.void is not None:
            self._drop(which, outcome.void)
        if outcome.status is TapStatus.DONE and outcome.record is not outcome.resolved:
            assert outcome.record is not None
            self.confirmed[which].append(outcome.record)
        elif outcome.status is TapStatus.TORN:
            assert outcome.record is not None
            assert outcome.record.tac is None
            self.torn[which].append(outcome.record)
        elif outcome.status is TapStatus.NEEDS_LOAD:
            assert 0 < outcome.shortfall == fare - balance(self.city.cards[which])
        else:
            assert outcome.status in (TapStatus.DONE, TapStatus.REMOVED), outcome

    @rule(which=_card, amount=st.integers(1, 5_000), pull=_pull)
    def load(self, which: int, amount: int, pull: Pull | None) -> None:
        reader = self._inserted(which, pull)
        try:
            record = self.city.counter.load(reader, amount, self.now, self.city.issuer)
        except (CardRemoved, Refused):
            return
        target = self.confirmed if record.state is RecordState.CONFIRMED else self.torn
        target[which].append(record)

    @rule(which=_card)
    def resolve(self, which: int) -> None:
        """Present the card again where its last transaction was torn."""
        for record in list(self.torn[which]):
            reader = self._inserted(which, None)
            if record.counter_kind is CounterKind.ONLINE:
                found = self.city.counter.resolve(reader, record)
            else:
                place = self.city.bus if record.terminal_id == self.city.bus.terminal_id else self.city.gate
                found = place.resolve(reader, record)
            if isinstance(found, ClearingRecord):
                self._settle(which, found)
            elif found is Unresolved.NOT_DEBITED:
                self._drop(which, record)

    @rule(which=_card)
    def save_and_read_again(self, which: int) -> None:
        card = self.city.cards[which]
        card.nvm.cut_after(None)
        image = card.to_image()
        again = CardImage.from_bytes(image.to_bytes(), {image.template.id: image.template})
        self.city.cards[which] = Card.from_image(again, self.city.randomness)
        self.readers[which] = Reader(self.city.cards[which])

    @invariant()
    def every_card_holds_what_the_records_say(self) -> None:
        for which, card in enumerate(
            getattr(self, "city", City(cards=0)).cards if hasattr(self, "city") else ()
        ):
            card.nvm.cut_after(None)
            held = balance(card)
            certain = OPENING + sum(_effect(record) for record in self.confirmed[which])
            possible = {certain}
            for record in self.torn[which]:
                possible |= {value + _effect(record) for value in possible}
            assert held in possible, (held, sorted(possible))

    @invariant()
    def every_record_is_one_transaction_with_a_true_tac(self) -> None:
        if not hasattr(self, "city"):
            return
        for records in self.confirmed:
            counters = [(record.counter_kind, record.counter) for record in records]
            assert len(set(counters)) == len(counters), "one counter, two records"
            assert all(record.tac == self.city.issuer.tac(record) for record in records)

    def _inserted(self, which: int, pull: Pull | None) -> Reader:
        reader = self.readers[which]
        reader.insert()
        if pull is not None:
            reader.pull(pull)
        return reader

    def _settle(self, which: int, record: ClearingRecord) -> None:
        self._drop(which, record)
        self.confirmed[which].append(record)

    def _drop(self, which: int, record: ClearingRecord) -> None:
        kept = [r for r in self.torn[which] if _identity(r) != _identity(record)]
        assert len(kept) == len(self.torn[which]) - 1, "settled something that was not torn"
        self.torn[which] = kept


def _identity(record: ClearingRecord) -> tuple[object, ...]:
    return (
        record.terminal_id,
        record.terminal_serial,
        record.counter_kind,
        record.counter,
        record.local_time,
        record.amount,
    )


def _effect(record: ClearingRecord) -> int:
    return record.amount if record.counter_kind is CounterKind.ONLINE else -record.amount


TestMoneyIsConserved = MoneyIsConserved.TestCase
TestMoneyIsConserved.settings = settings(max_examples=80, stateful_step_count=30)
