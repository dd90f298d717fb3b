"""Store-and-forward: what an issuer has to know sooner or later, sent until it says that it knows.

Reversals and advices (ISO 8583:1987, 4.1: 04xx, x2xx, repeats with 1 at the end). An item is in the journal before it
is queued here. Messages about one transaction go out one after the other, so a reversal never overtakes the advice that
it undoes. There is no last try: waits grow up to a bound, and what is long in the queue shows in the metrics.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from jinka.codec.iso8583.message import Message, Value
from jinka.kit import make_id
from jinka.switch.board import Board
from jinka.switch.codes import APPROVED, TRY_AGAIN, UNKNOWN_ORIGINAL
from jinka.switch.config import Peer
from jinka.switch.messages import MatchKey, match_key, reversal_of
from jinka.switch.record import Entity, Record, kept
from jinka.switch.states import SAF_STEPS, SafState, SafStep, take
from jinka.switch.transaction import Transaction

REVERSAL, ADVICE, PARTIAL = "reversal", "advice", "partial"
_SETTLED = {
    REVERSAL: frozenset({APPROVED, UNKNOWN_ORIGINAL}),
    ADVICE: frozenset({APPROVED}),
    PARTIAL: frozenset({APPROVED}),
}


class Item:
    """A message in store-and-forward."""

    __slots__ = (
        "answer", "at", "business_date", "id", "kind", "message", "source", "state", "target", "timer", "tries", "tx",
        "version",
    )  # fmt: skip

    def __init__(
        self, *, kind: str, tx: bytes, source: str, target: str, message: Message, at: int, business_date: str
    ) -> None:
        self.id = make_id("switch.forward", kind, tx)
        self.kind, self.tx, self.source, self.target = kind, tx, source, target
        self.message = kept(message, chip=True)
        self.at, self.business_date = at, business_date
        self.state, self.version, self.tries, self.timer = SafState.QUEUED, 0, 0, 0
        self.answer: dict[int, Value] = {}

    def step(self, step: SafStep) -> None:
        """Take a step of the table."""
        self.state = take(SAF_STEPS, self.state, step)

    def record(self) -> Record:
        """The next version for the journal."""
        self.version += 1
        return Record(
            entity=Entity.FORWARD,
            id=self.id,
            version=self.version,
            state=self.state.value,
            kind=self.kind,
            source=self.source,
            target=self.target,
            at_micros=self.at,
            business_date=self.business_date,
            request=self.message,
            answer=self.answer,
            about=self.tx,
        )

    @classmethod
    def of(cls, record: Record) -> Item:
        """An item as the journal remembers it: whether it was sent is not known, so it is queued."""
        item = cls(
            kind=record.kind,
            tx=record.about,
            source=record.source,
            target=record.target,
            message=record.request,
            at=record.at_micros,
            business_date=record.business_date,
        )
        item.version, item.tries = record.version, 1
        return item


def item_of(kind: str, tx: Transaction, message: Message, now_micros: int) -> Item:
    """A message about a transaction, for store-and-forward."""
    item = Item(
        kind=kind, tx=tx.id, source=tx.source, target=tx.target, message=message, at=now_micros,
        business_date=tx.business_date,
    )  # fmt: skip
    tx.forward = item.id
    return item


def reversal_item(board: Board, tx: Transaction, reason: str, kind: str = REVERSAL) -> Item:
    """The reversal of a transaction; a partial one where its field 95 says what stays."""
    message = reversal_of(
        tx.sent, board.peers[tx.target], trace=board.next_trace(), now_micros=board.now, reason=reason
    )
    return item_of(kind, tx, message, board.now)


class Forwarding:
    """The queues, one for each peer. ``settled`` hears of each item that came to its end."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._queues: dict[str, deque[Item]] = {name: deque() for name in board.peers}
        self._out: dict[str, int] = dict.fromkeys(board.peers, 0)
        self._sent: dict[MatchKey, Item] = {}
        self._about: dict[bytes, deque[Item]] = {}
        self.settled: Callable[[Item], None] = _ignore

    def depth(self, peer: str) -> int:
        """How many items a peer has not yet answered."""
        return sum(1 for items in self._about.values() for item in items if item.target == peer)

    def refused(self, peer: str) -> int:
        """How many items a peer refused, since the start and on that date before it: someone must look."""
        return sum(self._board.counts.get((f"{kind}_refused", peer), 0) for kind in _SETTLED)

    def queue(self, item: Item) -> None:
        """Take over an item that the journal has."""
        line = self._about.setdefault(item.tx, deque())
        line.append(item)
        if len(line) == 1:
            self._queues[item.target].append(item)
            self.pump(item.target)

    def pump(self, peer: str) -> None:
        """Send what may be sent now."""
        queue, board = self._queues[peer], self._board
        rules = board.peers[peer]
        while queue and self._out[peer] < rules.forward_window and board.ready_line(peer) is not None:
            item = queue.popleft()
            if item.state is SafState.QUEUED:
                self._send(item, rules)

    def _send(self, item: Item, peer: Peer) -> None:
        item.step(SafStep.SEND)
        self._out[peer.name] += 1
        message = item.message
        if item.tries:
            message = Message(mti=message.mti[:3] + "1", fields=message.fields)
        self._sent[match_key(peer.name, message)] = item
        wait = min(peer.retry_ms << min(item.tries, 10), peer.retry_max_ms)
        item.tries += 1
        item.timer = self._board.start(wait, partial(self._retry, item))
        self._board.count("forwarded", peer.name)
        self._board.seal(peer, message, partial(self._sealed, peer.name))

    def _sealed(self, peer: str, raw: bytes) -> None:
        line = self._board.ready_line(peer)
        if line is not None:
            self._board.send(peer, line.number, raw)

    def _retry(self, item: Item) -> None:
        if item.state is not SafState.SENT:
            return
        item.step(SafStep.RETRY)
        self._out[item.target] -= 1
        self._board.count("forward_retries", item.target)
        self._queues[item.target].appendleft(item)
        self.pump(item.target)

    def reply(self, peer: Peer, message: Message, raw: bytes) -> None:
        """An answer to a stored message; one that matches none is counted."""
        item = self._sent.get(match_key(peer.name, message))
        if item is None:
            self._board.count("unmatched", peer.name)
            return
        self._board.ask(
            self._board.check_steps(peer, message, raw), partial(self._replied, item, message, peer.name)
        )

    def _replied(self, item: Item, message: Message, peer: str, _: tuple[bytes, ...], refused: int) -> None:
        if refused >= 0:
            self._board.count("mac_wrong", peer)
            return
        code = message.text(39)
        again = code in TRY_AGAIN or (
            item.kind == PARTIAL and code == UNKNOWN_ORIGINAL
        )  # its advice may be behind
        if item.state not in (SafState.SENT, SafState.QUEUED) or not code or again:
            return  # the timer sends it again
        if item.state is SafState.SENT:
            self._out[peer] -= 1
            self._board.stop(item.timer)
        good = code in _SETTLED[item.kind]
        item.step(SafStep.ACCEPT if good else SafStep.REFUSE)
        item.answer = {39: code}
        if not good:
            self._board.count(f"{item.kind}_refused", peer)
        self._sent.pop(match_key(peer, message), None)
        self._next(item)
        self.settled(item)
        self.pump(peer)

    def _next(self, item: Item) -> None:
        line = self._about.get(item.tx)
        if line and line[0] is item:
            line.popleft()
            if line:
                self._queues[line[0].target].append(line[0])
            else:
                del self._about[item.tx]


def _ignore(_: Item) -> None:
    """Nobody asked to hear of it."""
