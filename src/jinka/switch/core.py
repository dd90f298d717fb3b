"""`SwitchCore`: the switch without I/O. One event in, the effects out, in the order in which they are to happen.

The same core runs behind sockets (`jinka.node`), in the tests' state machines and in the simulator. It reads no clock:
each step is told the time. `recover` takes up what a killed switch left: in-flight requests are reversed, stored
messages queued again, answers kept for repeats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import DecodeError, Message
from jinka.kit import JinkaError, make_id
from jinka.switch import codes
from jinka.switch.batches import Batches
from jinka.switch.board import Board, Line
from jinka.switch.config import Peer, SwitchConfig
from jinka.switch.events import (
    CutOver,
    Effect,
    Event,
    ExchangeKey,
    Found,
    KeysAnswered,
    LinkDown,
    LinkUp,
    Received,
    Reconcile,
    Summed,
    TimerFired,
    Written,
)
from jinka.switch.forwarding import REVERSAL, Forwarding, Item
from jinka.switch.kinds import TRANSFER_BANKS
from jinka.switch.messages import answer_to
from jinka.switch.originals import Originals
from jinka.switch.reconciliation import Reconciliation
from jinka.switch.record import Entity, Record
from jinka.switch.reversals import Reversals
from jinka.switch.sessions import CUT_BEGIN, CUT_END, Sessions
from jinka.switch.states import SafState, TxState, TxStep
from jinka.switch.terminals import Terminals
from jinka.switch.transaction import Transaction
from jinka.switch.transactions import Transactions
from jinka.switch.transfers import Transfers


class SwitchCore:
    """``start_trace`` is where the switch's own trace numbers begin; take another after each start."""

    def __init__(
        self, config: SwitchConfig, *, now_micros: int, business_date: str, start_trace: int = 0
    ) -> None:
        self.config = config
        self.board = Board(config, now_micros=now_micros, business_date=business_date)
        self.board.start_trace(start_trace)
        self.forwarding = Forwarding(self.board)
        self.batches = Batches(self.board)
        self.transactions = Transactions(self.board, self.forwarding, self.batches)
        self.transfers = self.transactions.transfers = Transfers(self.board, self.transactions)
        self.batches.known = self.transactions.memory.known
        self.reversals = Reversals(self.board, self.transactions)
        self.originals = Originals(self.board, self.transactions.memory)
        self.sessions = Sessions(self.board, self.forwarding.pump)
        self.terminals = Terminals(self.board, self._dispatch)
        self.reconciliation = Reconciliation(self.board)
        self.batches.settled = self.terminals.settled
        self._take: dict[type, Callable[[Any], None]] = {
            Received: self._received,
            Written: lambda event: self.board.answered(event.token, event.clashes),
            KeysAnswered: lambda event: self.board.answered(event.token, event.results, event.refused),
            TimerFired: lambda event: self.board.answered(event.token),
            Found: lambda event: self.board.answered(event.token, event.record),
            LinkUp: lambda event: self.sessions.up(event.peer, event.line),
            LinkDown: lambda event: self.sessions.down(event.peer, event.line),
            Summed: lambda event: self.board.answered(event.token, event.totals),
            CutOver: self._cut_over,
            Reconcile: lambda event: self.reconciliation.send(event.peer, event.business_date),
            ExchangeKey: lambda event: self.sessions.offer_key(event.peer, pin=event.pin),
        }

    def step(self, event: Event, now_micros: int) -> list[Effect]:
        """Take one event; returns what is to be done."""
        board = self.board
        board.now = now_micros
        board.effects = effects = list[Effect]()
        board.reading = None
        self._take[type(event)](event)
        return effects

    def recover(self, records: Iterable[Record], now_micros: int) -> list[Effect]:
        """Take up the newest record of each transaction and stored message of this worker, before any line stands."""
        self.board.now = now_micros
        self.board.effects = effects = list[Effect]()
        items: list[Item] = []
        open_: list[Transaction] = []
        transfers: list[Transaction] = []
        refused = set[bytes]()
        for record in records:
            if record.entity is Entity.FORWARD and record.state in (
                SafState.QUEUED.value,
                SafState.SENT.value,
            ):
                items.append(Item.of(record))
            elif record.entity is Entity.FORWARD and record.state == SafState.REFUSED.value:
                self.board.count(f"{record.kind}_refused", record.target)
                if record.kind == REVERSAL:
                    refused.add(record.about)
            elif record.entity is Entity.KEY:
                self.sessions.recall_key(record)
            elif record.entity is Entity.TRANSACTION:
                self._remember(Transaction.of(record), open_)
        for item in items:
            self.forwarding.queue(item)
        for tx in [tx for tx in self.transactions.memory.known.values() if tx.state is TxState.REVERSING]:
            if tx.id in refused:
                self.transactions.refused_before(tx)
        for tx in open_:
            self.board.count("recovered", tx.source)
            if tx.kind is TRANSFER_BANKS:
                transfers.append(tx)
            elif tx.kind.reversible:
                self.transactions.reverse(tx, TxStep.TIME_OUT, codes.REASON_TIMEOUT)
            else:
                tx.state = TxState.FORWARDED
                self.transactions.decline(tx, codes.TIMED_OUT)
        for tx in transfers:
            self.transfers.resume(tx)
        return effects

    def _remember(self, tx: Transaction, open_: list[Transaction]) -> None:
        self.transactions.memory.remember(tx)
        if tx.state is TxState.APPROVED:
            self.transactions.count_approval(tx)
        if tx.ended:
            self.transactions.memory.rest(tx)
        elif tx.state in (TxState.ROUTED, TxState.FORWARDED) or tx.kind is TRANSFER_BANKS:
            open_.append(tx)

    def _received(self, event: Received) -> None:
        line = self.board.lines[event.peer].get(event.line)
        if line is None:
            return  # it was closed while this was on its way
        peer = self.board.peers[event.peer]
        try:
            message = peer.codec.decode(event.raw)
        except DecodeError as error:
            if error.begun is not None:
                self._refuse(line, peer, error.begun, event.head, codes.BAD_FORMAT)
            self._garbage(line, peer.garbage_max)
            return
        line.garbage = line.misses = 0
        self.board.reading = line
        if peer.terminals:
            self.terminals.receive(line, peer, message, event.raw, event.head)
        else:
            self._dispatch(line, peer, message, event.raw, event.head)

    def _dispatch(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        what, way = message.mti[1], message.mti[2]
        if way not in "0123":
            self.board.count("unknown_type", peer.name)
            self._garbage(line, peer.garbage_max)
        elif what == "8":
            self.sessions.receive(line, peer, message, raw, head)
        elif way == "3" or (way == "1" and what == "4"):
            self.forwarding.reply(peer, message, raw)
        elif way == "1" and what == "5":
            self.reconciliation.reply(peer, message, raw)
        elif way == "1":
            self.transactions.reply(peer, message, raw)
        elif what in "12" and 61 in message.fields:
            self.originals.name(peer, message, partial(self._named, line, peer, raw, head))
        elif what in "12":
            self.transactions.request(line, peer, message, raw, head)
        elif what == "4":
            self.reversals.request(line, peer, message, raw, head)
        elif what == "5" and 41 not in message.fields:
            self.reconciliation.request(line, peer, message, raw, head)
        elif what in "35":
            self.batches.request(line, peer, message, raw, head)
        else:
            self.board.count("unknown_type", peer.name)
            self._refuse(line, peer, message, head, codes.INVALID_TRANSACTION)
            self._garbage(line, peer.garbage_max)

    def _named(self, line: Line, peer: Peer, raw: bytes, head: Frame | None, message: Message) -> None:
        self.board.reading = line
        self.transactions.request(line, peer, message, raw, head)

    def _refuse(self, line: Line, peer: Peer, message: Message, head: Frame | None, code: str) -> None:
        """Tell who asked that it cannot be done, where there is enough of a message to answer; nobody waits in vain."""
        if message.mti[2] in "02" and message.mti[3] in "01" and message.fields.get(11):
            given = answer_to(message, {39: code}, peer)
            self.board.answer(peer.bare() if peer.terminals else peer, line.number, head, given)

    def _garbage(self, line: Line, most: int) -> None:
        self.board.count("garbage", line.peer)
        line.garbage += 1
        if line.garbage >= most:
            self.board.close(line, "garbage")

    def _cut_over(self, event: CutOver) -> None:
        if event.business_date <= self.board.business_date:
            raise JinkaError(
                f"{event.business_date} does not follow {self.board.business_date}", where="cut-over"
            )
        board, former = self.board, self.board.business_date
        self.batches.forget(former)
        board.business_date = event.business_date
        board.write((day_record(event.business_date, board.now),), _kept)
        self.sessions.cut_over(CUT_BEGIN, event.business_date)
        board.start(board.config.cut_ms, partial(self._cut_over_ended, former))

    def _cut_over_ended(self, former: str) -> None:
        self.sessions.cut_over(CUT_END, self.board.business_date)
        for name, peer in self.board.peers.items():
            if peer.reconcile and self.board.config.number == 0:  # one worker for all
                self.reconciliation.send(name, former)


def day_id(business_date: str) -> bytes:
    """Under what the journal keeps that a business date began."""
    return make_id("switch.day", business_date)


def day_record(business_date: str, now_micros: int) -> Record:
    """That it began."""
    return Record(
        entity=Entity.DAY, id=day_id(business_date), version=1, state="begun", kind="cut_over", source="",
        target="", at_micros=now_micros, business_date=business_date, request=Message(mti="0800", fields={}),
    )  # fmt: skip


def _kept(_: Mapping[bytes, Record]) -> None:
    """Another worker may have been first: the date is the same."""
