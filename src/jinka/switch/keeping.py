"""Versions of a transaction on their way to the disk: kept, and only then told; and what another worker kept first.

ISO 8583:1987 has no word for it; the rule is that nothing is answered which the journal does not have. While a version
is being written nothing else is decided about its transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from jinka.codec.iso8583.message import Message, Value
from jinka.switch import codes
from jinka.switch.batches import Batches
from jinka.switch.board import Board
from jinka.switch.forwarding import REVERSAL, Forwarding, Item
from jinka.switch.kinds import TRANSFER_CREDIT
from jinka.switch.memory import Memory
from jinka.switch.messages import answer_to, match_key
from jinka.switch.record import Record
from jinka.switch.standin import NOTE, StandInBook
from jinka.switch.states import SafState, TxState, TxStep
from jinka.switch.taken import Change, caught_up
from jinka.switch.transaction import Stand, Transaction

STANDS = "not given back"


class TransferDesk(Protocol):
    """What this part asks of `jinka.switch.transfers`."""

    def begin(self, tx: Transaction, message: Message, pin: bytes) -> None: ...
    def cancel(self, tx: Transaction, step: TxStep, then: Callable[[], None] | None) -> None: ...
    def go_on(self, transfer: bytes) -> None: ...


class Keeping:
    """``watched`` names open transfers and their legs, and leads to the transfer."""

    def __init__(self, board: Board, forwarding: Forwarding, batches: Batches) -> None:
        self._board, self._forwarding, self._batches = board, forwarding, batches
        self.book = StandInBook()
        self.memory = Memory(board.config.closed_kept)
        self.transfers: TransferDesk  # set by whoever puts the parts together
        self.watched: dict[bytes, bytes] = {}
        forwarding.settled = self._settled

    def again(self, before: Transaction, tx: Transaction) -> None:
        """A repeat: the first answer once it is kept, or wait for it on the newer line."""
        before = self.memory.known.get(tx.id, before)
        if before.busy:
            before.waiting.append(partial(self.again, before, tx))
            return
        if before.theirs:
            self._board.look_up(tx.id, partial(self._asked_after, before, tx))
            return
        self._board.count("repeats", tx.source)
        peer = self._board.rules(tx.source, tx.request)
        given: Mapping[int, Value] = before.answer
        if before.digest and before.digest != tx.digest:
            given = {39: codes.DUPLICATE}
        if given:
            self._board.answer(peer, tx.line, tx.head, answer_to(tx.request, dict(given), peer))
        else:
            before.line, before.head = tx.line, tx.head

    def _asked_after(self, before: Transaction, tx: Transaction, found: Record | None) -> None:
        """A repeat of what another worker has under way: its answer, if it is there by now.

        If it is not, nobody answers: the acquirer asks again, as it does when an answer was lost.
        """
        if before.theirs and found is not None and found.version >= before.version:
            before.follow(found)
        if self.memory.known.get(tx.id, before) is not before or not before.theirs:
            self.again(before, tx)
        elif before.answer:
            peer = self._board.rules(tx.source, tx.request)
            given = before.answer if before.digest in (b"", tx.digest) else {39: codes.DUPLICATE}
            self._board.answer(peer, tx.line, tx.head, answer_to(tx.request, dict(given), peer))
        else:
            self._board.count("elsewhere", tx.source)

    def end_with(
        self,
        tx: Transaction,
        item: Item | None = None,
        then: Callable[[], None] | None = None,
        *,
        changes: Sequence[Change] = (),
        again: Callable[[], None] | None = None,
    ) -> None:
        """Keep where it stands now, then answer the acquirer, or do what ``then`` says.

        ``changes`` of originals are kept with it. Where another was first with one of those, ``again``
        decides once more; without it nothing is left to decide.
        """
        kept = partial(self._ended_with, tx, item, tx.state, then)
        if changes:
            tx.busy, tx.theirs = True, False
            records = (tx.record(),) if item is None else (tx.record(), item.record())
            self._keep_taken(tx, records, changes, again, kept)
        else:
            self.keep(tx, item, kept)

    def _keep_taken(
        self,
        tx: Transaction,
        records: tuple[Record, ...],
        changes: Sequence[Change],
        again: Callable[[], None] | None,
        then: Callable[[Mapping[bytes, Record]], None],
    ) -> None:
        lines = [change.record(tx, self._board.now) for change in changes]

        def written(clashes: Mapping[bytes, Record]) -> None:
            if tx.id in clashes or not caught_up(changes, clashes):
                self._free(tx, then, clashes)
                return
            self._board.count("taken_meanwhile", tx.source)
            if again is None:
                self._keep_taken(tx, records, changes, again, then)
            else:
                tx.version -= 1  # that one was not written
                again()

        self._board.write((*records, *lines), written)

    def keep(
        self, tx: Transaction, item: Item | None, then: Callable[[Mapping[bytes, Record]], None]
    ) -> None:
        """Write the next version, with an item of store-and-forward. One at a time: each builds on one that is kept."""
        tx.busy = True
        tx.theirs = False  # who writes the newest version sees to what follows from it
        records = (tx.record(),) if item is None else (tx.record(), item.record())
        self._board.write(records, partial(self._free, tx, then))

    def keep_with_leg(self, tx: Transaction, leg: Transaction, out: Message, go: Callable[[], None]) -> None:
        """Write a transfer's next version together with a leg of it, then ``go``."""
        tx.busy = leg.busy = True
        self.memory.known[leg.id] = leg
        self.memory.sent[match_key(leg.target, out)] = leg
        leg.step(TxStep.ROUTE)
        records = (tx.record(), leg.record())
        self._board.write(records, partial(self._free, tx, partial(self._leg_kept, tx, leg, out, go)))

    def _leg_kept(
        self,
        tx: Transaction,
        leg: Transaction,
        out: Message,
        go: Callable[[], None],
        clashes: Mapping[bytes, Record],
    ) -> None:
        leg.busy = False
        if clashes:
            del self.memory.known[leg.id]
            self.memory.sent.pop(match_key(leg.target, out), None)
            self.adopt(tx, clashes)
            return
        if tx.state is TxState.ROUTED:
            tx.step(TxStep.FORWARD)
        go()

    def _free(
        self, tx: Transaction, then: Callable[[Mapping[bytes, Record]], None], clashes: Mapping[bytes, Record]
    ) -> None:
        tx.busy = False
        then(clashes)
        if tx.waiting:
            self.release(tx)
        if self.watched and tx.id in self.watched:
            self.transfers.go_on(self.watched[tx.id])

    def _ended_with(
        self,
        tx: Transaction,
        item: Item | None,
        state: TxState,
        then: Callable[[], None] | None,
        clashes: Mapping[bytes, Record],
    ) -> None:
        if clashes:
            self.adopt(tx, clashes)
            return
        if tx.ended:
            self.memory.rest(tx)
        if item is not None:
            self._forwarding.queue(item)
        if then is not None:
            then()
        elif tx.line >= 0 and tx.state is state:
            peer = self._board.rules(tx.source, tx.request)
            self._board.answer(peer, tx.line, tx.head, answer_to(tx.request, dict(tx.answer), peer))

    def go_back(self, tx: Transaction, stand: Stand) -> None:
        """Undo a step that was not written."""
        if tx.state is TxState.APPROVED:
            self.count_approval(tx, back=True)
        tx.go_back(stand)
        if tx.state is TxState.APPROVED:
            self.count_approval(tx)

    def release(self, tx: Transaction) -> None:
        """Nothing of it is on its way to the disk: go on with what waited for that."""
        tx.busy = False
        waiting, tx.waiting = tx.waiting, []
        for call in waiting:
            call()

    def adopt(self, tx: Transaction, clashes: Mapping[bytes, Record]) -> None:
        """Another worker was first: what it wrote is what counts."""
        if not clashes:
            return
        self._board.count("clashes", tx.source)
        found = clashes.get(tx.id)
        if found is None:
            return
        if tx.state is TxState.APPROVED:
            self.count_approval(tx, back=True)
        self._board.stop(tx.timer)
        first = tx.version <= 1 and tx.line >= 0  # a repeat that was not in memory
        if tx.resting:
            tx.follow(found)
            return
        theirs = self.memory.known[tx.id] = Transaction.of(found)
        theirs.theirs = not theirs.ended
        self.memory.rest(theirs)  # what another has under way is not counted here
        if first:
            self.again(theirs, tx)

    def _settled(self, item: Item) -> None:
        """Store-and-forward has an answer: keep it, and with a reversal end its transaction."""
        tx = self.memory.known.get(item.tx)
        if tx is None or item.kind != REVERSAL:
            self._board.write((item.record(),), _written)
        elif tx.busy:
            tx.waiting.append(partial(self._settled, item))
        elif tx.state is TxState.REVERSING:
            if _stands(tx, item):
                tx.step(TxStep.STAND)
                tx.note = STANDS
            else:
                tx.step(TxStep.CONFIRM if item.state is SafState.DONE else TxStep.REFUSE)
            self.keep(tx, item, partial(self.adopt, tx))
            self.memory.rest(tx)
        else:
            self._board.write((item.record(),), _written)

    def refused_before(self, tx: Transaction) -> None:
        """End what a version of ours left reversing whose reversal had been refused."""
        tx.step(TxStep.REFUSE)
        self.keep(tx, None, partial(self.adopt, tx))
        self.memory.rest(tx)

    def count_approval(self, tx: Transaction, *, back: bool = False) -> None:
        """Count it in its batch and, where the issuer was stood in for, in the card's limits; or take it back."""
        self._batches.add(tx, back=back)
        if tx.note == NOTE:
            change = self.book.take_back if back else self.book.add
            change(tx.target, tx.request.text(2), tx.business_date, tx.amount_fen)


def _stands(tx: Transaction, item: Item) -> bool:
    """Whether the receiver's bank says that a transfer's credit is booked, and spent."""
    refused = item.state is SafState.REFUSED
    return refused and tx.kind is TRANSFER_CREDIT and item.answer.get(39) == codes.NO_MONEY


def _written(_: Mapping[bytes, Record]) -> None:
    """Nobody waits for it."""
