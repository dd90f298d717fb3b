"""Online loads of a purse (圈存): money held at its source, MAC2 made, the TAC confirmed, nothing credited twice.

JR/T 0025.1 (load, GET TRANSACTION PROVE). A load is held before MAC2 leaves and is posted by proof alone: the card's
TAC, a later MAC1 of the card with a higher online counter, or the clearing's verdict. It is given back by the card's
proof too: INITIALIZE FOR LOAD over a number that the host draws, as the terminal's number, which MAC1 binds. A counter
that has not moved shows then that the card was not credited, and its new session that MAC2 is void. A terminal's word
is not enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Protocol

from jinka.codec import Algorithm, TransactionType
from jinka.codec.clearing import ClearingRecord
from jinka.codec.iso8583.purse_load import load_id
from jinka.codec.load import LoadRequest
from jinka.codec.record import CounterKind
from jinka.issuer.authorisation import PinData
from jinka.issuer.hosts import LoadHost
from jinka.issuer.load_funds import LoadFunds
from jinka.keys import KeyService
from jinka.kit import Randomness, Refused

TAC_KEY_VERSION = 1
CHALLENGE_BYTES = 6  # the size of a terminal's number

_PURSE = TransactionType.EP_LOAD


class LoadState(Enum):
    """Where a load stands: (value, Chinese)."""

    ASKED = ("asked", "已申请")
    AUTHORISED = (
        "authorised",
        "已授权，待确认",
    )  # MAC2 may be out: whether the card is credited is not known
    CONFIRMED = ("confirmed", "已确认")
    VOIDED = ("voided", "已撤销")
    DECLINED = ("declined", "已拒绝")


class LoadStep(Enum):
    """What moves it."""

    AUTHORISE = "authorise"
    DECLINE = "decline"
    CONFIRM = "confirm"
    VOID = "void"


_L, _P = LoadState, LoadStep
LOAD_STEPS: Mapping[tuple[LoadState, LoadStep], LoadState] = MappingProxyType(
    {
        (_L.ASKED, _P.AUTHORISE): _L.AUTHORISED,
        (_L.ASKED, _P.DECLINE): _L.DECLINED,
        (_L.AUTHORISED, _P.CONFIRM): _L.CONFIRMED,
        (_L.AUTHORISED, _P.VOID): _L.VOIDED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadOrder:
    """What a terminal sends: the card's question, and who pays (``agent:NAME``, ``card:NUMBER``, ``city:NAME``)."""

    question: LoadRequest
    card_no: bytes
    txn_type: int
    terminal_id: bytes
    local_date: bytes
    local_time: bytes
    fund: str = field(repr=False)
    at_micros: int
    pin: PinData | None = None  # of the bank card that pays

    @property
    def id(self) -> bytes:
        """One INITIALIZE of one card is one load, however often it is sent."""
        q = self.question
        return load_id(
            card_no=self.card_no, txn_type=self.txn_type, counter=q.online_counter, rand4=q.rand4,
            mac1_data=q.mac1_data,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One load in the books. ``balance`` is the card's before it; ``challenge`` what a disproof has to bind, if any."""

    id: bytes
    card_no: bytes
    txn_type: int
    counter: int
    amount_fen: int
    balance: int
    terminal_id: bytes
    local_date: bytes
    local_time: bytes
    algorithm: Algorithm
    key_version: int
    rand4: bytes
    fund: str = field(repr=False)
    at_micros: int
    state: LoadState = LoadState.ASKED
    mac2: bytes = field(default=b"", repr=False)
    challenge: bytes = b""
    tac: bytes = b""

    @property
    def tac_data(self) -> bytes:
        """new balance 4 | counter 2 | amount 4 | type 1 | terminal 6 | date 4 | time 3: what the card's TAC binds."""
        after = (self.balance + self.amount_fen).to_bytes(4, "big") + self.counter.to_bytes(2, "big")
        head = self.amount_fen.to_bytes(4, "big") + bytes((self.txn_type,)) + self.terminal_id
        return after + head + self.local_date + self.local_time

    def stepped(self, step: LoadStep, **changes: bytes) -> Load:
        """After a step; raises `Refused`."""
        state = LOAD_STEPS.get((self.state, step))
        if state is None:
            raise Refused(f"{step.value} is not possible when {self.state.value[0]}", where="load")
        return replace(self, state=state, **changes)  # type: ignore[arg-type]


class LoadBooks(Protocol):
    """Where loads are kept; `write` is durable when it returns."""

    def get(self, load_id: bytes) -> Load | None: ...
    def of_card(self, card_no: bytes, txn_type: int) -> list[Load]: ...
    def in_state(self, state: LoadState) -> list[Load]: ...
    def write(self, rows: Sequence[Load], /) -> None: ...


class MemoryLoads:
    """The reference of `LoadBooks`."""

    def __init__(self) -> None:
        self._loads: dict[bytes, Load] = {}

    def get(self, load_id: bytes) -> Load | None:
        return self._loads.get(load_id)

    def of_card(self, card_no: bytes, txn_type: int) -> list[Load]:
        return [one for one in self._loads.values() if (one.card_no, one.txn_type) == (card_no, txn_type)]

    def in_state(self, state: LoadState) -> list[Load]:
        return [one for one in self._loads.values() if one.state is state]

    def write(self, loads: Sequence[Load]) -> None:
        self._loads.update({one.id: one for one in loads})


class LoadDesk(Protocol):
    """Who authorises loads and settles them: the card's issuer (`HomeLoads`), or a city before it (`RelayedLoads`)."""

    def authorise(self, order: LoadOrder) -> bytes:
        """MAC2; the same again for the same order. Raises `Refused`."""
        ...

    def confirm(self, load_id: bytes, tac: bytes) -> None:
        """The card's TAC, from its answer or its proof; again is harmless. Raises `Refused`."""
        ...

    def challenge(self, load_id: bytes) -> bytes:
        """6 bytes that the card has to be questioned with before a load is given back."""
        ...

    def disprove(self, load_id: bytes, answer16: bytes) -> LoadState:
        """The card's answer to INITIALIZE FOR LOAD of nothing at the challenge; how it ended. Raises `Refused`."""
        ...

    def state_of(self, load_id: bytes) -> LoadState | None:
        """Where a load stands; None when it never came."""
        ...


class HomeLoads:
    """The issuer of the purse.

    ``moved_elsewhere(card, type, counter)`` tells whether another online transaction used that counter (a grey lock's
    online release, a passbook's unload): then a counter that went on proves nothing, as it never does for a passbook
    without this.
    """

    def __init__(
        self,
        *,
        keys: KeyService,
        books: LoadBooks,
        funds: LoadFunds,
        randomness: Randomness,
        purse_limit: int,
        moved_elsewhere: Callable[[bytes, int, int], bool] | None = None,
    ) -> None:
        self._keys, self._books, self._funds = keys, books, funds
        self._randomness, self._moved_elsewhere = randomness, moved_elsewhere
        self._host = LoadHost(keys, purse_limit=purse_limit)

    def authorise(self, order: LoadOrder) -> bytes:
        known = self._books.get(order.id)
        if known is not None:
            if known.state is LoadState.AUTHORISED and known.fund == order.fund:
                return known.mac2  # the answer was lost on its way
            raise Refused(f"it is {known.state.value[0]}", where="load", fix="present the card again")
        if order.question.amount <= 0:
            raise Refused("nothing to load", where="load.amount", fix="load at least one fen")
        mac2 = self._host.authorise(order.question)  # MAC1 is right: the card itself says its counter
        self._settle_earlier(order)
        load = load_of(order)
        self._books.write([load])
        try:
            self._funds.hold(load, order.pin)
        except Refused:
            self._books.write([load.stepped(LoadStep.DECLINE)])
            raise
        self._books.write([load.stepped(LoadStep.AUTHORISE, mac2=mac2)])
        return mac2

    def confirm(self, load_id: bytes, tac: bytes) -> None:
        load = self._require(load_id)
        self._check_tac(load, tac)
        self._confirm(load, tac)

    def challenge(self, load_id: bytes) -> bytes:
        load = self._require(load_id)
        if load.state is not LoadState.AUTHORISED:
            raise Refused(f"it is {load.state.value[0]}", where="load")
        drawn = self._randomness.token_bytes(CHALLENGE_BYTES)
        self._books.write([replace(load, challenge=drawn)])
        return drawn

    def disprove(self, load_id: bytes, answer16: bytes) -> LoadState:
        load = self._require(load_id)
        if load.state is not LoadState.AUTHORISED:
            return load.state
        if not load.challenge or len(answer16) != 16:
            raise Refused("no challenge was given, or no answer to it", where="load.disproof")
        counter, rand4 = int.from_bytes(answer16[4:6], "big"), answer16[8:12]
        self._keys.check_load_mac1(
            algorithm=load.algorithm,
            version=answer16[6],
            factor8=load.card_no[2:],
            session_seed=(rand4, counter),
            data=answer16[:4] + bytes(4) + bytes((load.txn_type,)) + load.challenge,
            mac4=answer16[12:],
        )
        if counter > load.counter:
            self._went_on(load)
        elif counter == load.counter:
            self._funds.release(load)
            self._books.write([load.stepped(LoadStep.VOID, challenge=b"")])
        else:
            raise Refused("the card's counter went back", where="load.disproof", fix="ask the issuer")
        return self._require(load_id).state

    def state_of(self, load_id: bytes) -> LoadState | None:
        load = self._books.get(load_id)
        return load.state if load is not None else None

    def cleared(self, record: ClearingRecord, *, paid: bool) -> LoadState | None:
        """A load's record in the clearing: a TAC is checked here; without, ``paid`` is the verdict of the chain.

        Returns the load's state, None for a record that is no load from here. Again is harmless.
        """
        if record.counter_kind is not CounterKind.ONLINE:
            return None
        self._settle_by(record, paid=paid)
        for load in self._books.of_card(record.card_no, record.txn_type):
            if _is_record_of(load, record) and load.state is LoadState.AUTHORISED:
                if record.tac is not None:
                    self._check_tac(load, record.tac)
                    self._confirm(load, record.tac)
                elif paid:
                    self._confirm(load, b"")
            if _is_record_of(load, record):
                return self._require(load.id).state
        return None

    def recover(self) -> int:
        """After a crash: loads whose MAC2 never left are declined and their money given back; how many there were."""
        asked = self._books.in_state(LoadState.ASKED)
        for load in asked:
            self._funds.release(load)
            self._books.write([load.stepped(LoadStep.DECLINE)])
        for load in self._books.in_state(LoadState.CONFIRMED):
            self._funds.post(load)
        return len(asked)

    def _settle_earlier(self, order: LoadOrder) -> None:
        """What the card's counter says of its earlier loads. Raises `Refused` while one is not settled."""
        counter = order.question.online_counter
        earlier = self._books.of_card(order.card_no, order.txn_type)
        for load in earlier:
            if load.state is LoadState.AUTHORISED and load.counter < counter:
                self._went_on(load)
            elif load.state is LoadState.AUTHORISED:
                raise Refused(
                    "an earlier load of this card is not settled",
                    where="load",
                    fix="prove or disprove it first",
                )
            elif load.state is LoadState.CONFIRMED and load.counter >= counter:
                raise Refused("the card's counter was used", where="load", fix="present the card again")

    def _settle_by(self, record: ClearingRecord, *, paid: bool) -> None:
        """A later load of the card, with its TAC right or paid by the chain, shows what became of those before it."""
        open_ones = [
            load
            for load in self._books.of_card(record.card_no, record.txn_type)
            if load.state is LoadState.AUTHORISED and load.counter < record.counter
        ]
        if open_ones and paid:
            for load in open_ones:
                self._went_on(load)

    def _went_on(self, load: Load) -> None:
        """The card's counter is beyond the load's: only the load can have moved it."""
        elsewhere = self._moved_elsewhere
        if elsewhere(load.card_no, load.txn_type, load.counter) if elsewhere else load.txn_type != _PURSE:
            raise Refused("another transaction moved the counter", where="load", fix="prove it by its TAC")
        self._confirm(load, b"")

    def _confirm(self, load: Load, tac: bytes) -> None:
        if load.state is LoadState.CONFIRMED:
            self._funds.post(load)  # harmless again; after a crash it was not done
            return
        done = load.stepped(LoadStep.CONFIRM, tac=tac, challenge=b"")
        self._books.write([done])
        self._funds.post(done)

    def _check_tac(self, load: Load, tac: bytes) -> None:
        self._keys.check_tac(
            algorithm=load.algorithm,
            version=TAC_KEY_VERSION,
            factor8=load.card_no[2:],
            data=load.tac_data,
            mac4=tac,
        )

    def _require(self, load_id: bytes) -> Load:
        load = self._books.get(load_id)
        if load is None:
            raise Refused("no such load", where="load", fix="present the card again")
        return load


def load_of(order: LoadOrder) -> Load:
    """The row of an order."""
    q = order.question
    return Load(
        id=order.id,
        card_no=order.card_no,
        txn_type=order.txn_type,
        counter=q.online_counter,
        amount_fen=q.amount,
        balance=q.balance,
        terminal_id=order.terminal_id,
        local_date=order.local_date,
        local_time=order.local_time,
        algorithm=q.algorithm,
        key_version=q.key_version,
        rand4=q.rand4,
        fund=order.fund,
        at_micros=order.at_micros,
    )


def unsettled(loads: Iterable[Load], now_micros: int, older_than_s: int) -> list[Load]:
    """Authorised loads that nobody has confirmed for so long: what somebody has to look after."""
    before = now_micros - older_than_s * 1_000_000
    return [one for one in loads if one.state is LoadState.AUTHORISED and one.at_micros <= before]


def _is_record_of(load: Load, record: ClearingRecord) -> bool:
    return (load.counter, load.amount_fen, load.terminal_id, load.local_date, load.local_time) == (
        record.counter,
        record.amount,
        record.terminal_id,
        record.local_date,
        record.local_time,
    )
