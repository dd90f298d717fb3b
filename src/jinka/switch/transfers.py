"""Transfers between two banks: one message of the acquirer, a debit at the payer's bank, a credit at the receiver's.

ISO 8583:1987, 4.3.3 (processing code 40; the legs go out as 46 and 47, which differ between networks) and field 103
for the receiver's account. The debit prepares, the credit commits, reversals abort: each leg is a transaction with a
table, timer and reversal of its own, and `TRANSFER_STEPS` ties the two. A credit is undone before its debit, so money
is never at both; what a bank has booked and cannot take back stays. After a kill the legs tell where a transfer
stands. A bank that puts its debit on hold instead does so on its own side of 46.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from jinka.codec.iso8583.message import Message, Value
from jinka.kit import make_id
from jinka.switch import codes
from jinka.switch.board import Board
from jinka.switch.keeping import STANDS
from jinka.switch.kinds import TRANSFER_CREDIT, TRANSFER_DEBIT, Kind
from jinka.switch.messages import passed_on, path_key
from jinka.switch.record import Record, account_of, kept
from jinka.switch.states import (
    LEG_SAYS,
    TRANSFER_STEPS,
    TransferState,
    TransferStep,
    TxState,
    TxStep,
    may,
    take,
)
from jinka.switch.transaction import Transaction
from jinka.switch.transactions import Transactions

_DEBIT, _CREDIT = "46", "47"
# What only the payer's bank may see: expiry, tracks, PIN, chip data.
_OF_THE_PAYER: dict[int, Value | None] = dict.fromkeys((14, 22, 23, 26, 35, 36, 45, 52, 53, 55))
_OF_THE_CREDIT = frozenset({TransferState.CREDITING, TransferState.TAKING_BACK})
_UNDOING = frozenset({TransferState.TAKING_BACK, TransferState.GIVING_BACK})
_TO_UNDO = frozenset({TxState.ROUTED, TxState.FORWARDED, TxState.APPROVED})


class Transfer:
    """One transfer under way: the acquirer's transaction, whose note is its state, and the legs that it has so far."""

    __slots__ = ("credit", "debit", "out", "parent")

    def __init__(
        self, parent: Transaction, debit: Transaction, credit: Transaction | None, out: Message | None
    ) -> None:
        self.parent, self.debit, self.credit, self.out = parent, debit, credit, out

    @property
    def state(self) -> TransferState:
        """Where it stands."""
        return TransferState(self.parent.note)

    def step(self, step: TransferStep) -> None:
        """Take a step of the table."""
        self.parent.note = take(TRANSFER_STEPS, self.state, step).value


class Transfers:
    """Implements `jinka.switch.keeping.TransferDesk`."""

    def __init__(self, board: Board, transactions: Transactions) -> None:
        self._board, self._transactions = board, transactions
        self._memory = transactions.memory
        self._open: dict[bytes, Transfer] = {}

    def begin(self, tx: Transaction, message: Message, pin: bytes) -> None:
        """A new transfer: keep it together with its debit, then send that."""
        board, receiver = self._board, self._receiver(message)
        target, tx.target = board.peers[tx.target], ""
        out = passed_on(
            message, board.peers[tx.source], target, own=board.config.institution, now_micros=board.now,
            number=board.next_reference(), settled=tx.business_date,
        )  # fmt: skip
        tx.sent = kept(out)
        if self._memory.paths.setdefault(path_key(out), tx.id) != tx.id:
            board.count("loops", tx.source)
            self._transactions.decline(tx, codes.NO_ROUTE)
        elif board.ready_line(target.name) is None or board.ready_line(receiver) is None:
            self._transactions.decline(tx, codes.ISSUER_DOWN)
        else:
            more: dict[int, Value | None] = {3: _DEBIT + out.text(3)[2:], 52: pin or None}
            first = out.changed(more)
            debit = self._leg(tx, TRANSFER_DEBIT, target.name, first)
            tx.step(TxStep.ROUTE)
            tx.note = TransferState.PREPARING.value
            self._watch(Transfer(tx, debit, None, out))
            self._send_leg(tx, debit, first)

    def _receiver(self, message: Message) -> str:
        return self._transactions.routes.find(message.text(103))

    def _leg(self, tx: Transaction, kind: Kind, target: str, out: Message) -> Transaction:
        leg = Transaction(
            id_=_leg_id(tx.id, kind), source=tx.source, kind=kind, request=kept(out), at=self._board.now,
            business_date=tx.business_date,
        )  # fmt: skip
        leg.target, leg.sent = target, kept(out)
        return leg

    def _send_leg(self, tx: Transaction, leg: Transaction, out: Message) -> None:
        go = partial(self._transactions.go_out, leg, out, {})
        self._transactions.keep_with_leg(tx, leg, out, go)

    def _watch(self, transfer: Transfer) -> None:
        id_ = transfer.parent.id
        self._open[id_] = transfer
        for one in (id_, _leg_id(id_, TRANSFER_DEBIT), _leg_id(id_, TRANSFER_CREDIT)):
            self._transactions.watched[one] = id_

    def _close(self, id_: bytes) -> None:
        del self._open[id_]
        for one in (id_, _leg_id(id_, TRANSFER_DEBIT), _leg_id(id_, TRANSFER_CREDIT)):
            self._transactions.watched.pop(one, None)

    def go_on(self, transfer: bytes) -> None:
        """Something about it is kept: see what follows. It is told by states alone, so it may be asked at any time."""
        found = self._open.get(transfer)
        if found is None:
            return
        known = self._memory.known  # where another worker was first, its versions are here
        if known.get(transfer, found.parent) is not found.parent:
            self._close(transfer)  # and it sees to the rest
            return
        found.debit = known.get(found.debit.id, found.debit)
        if found.credit is not None:
            found.credit = known.get(found.credit.id, found.credit)
        if any(one is not None and one.busy for one in (found.parent, found.debit, found.credit)):
            return
        if found.parent.ended:
            self._close(transfer)
            return
        leg = found.credit if found.state in _OF_THE_CREDIT else found.debit
        step = self._said(found, leg)
        if step is not None:
            self._take(found, step)
        elif leg is not None and found.state in _UNDOING and leg.state in _TO_UNDO:
            known.setdefault(leg.id, leg)
            self._transactions.reverse(leg, TxStep.REVERSE, codes.REASON_OTHER)

    def _said(self, found: Transfer, leg: Transaction | None) -> TransferStep | None:
        if leg is None:
            return TransferStep.CREDIT_UNDONE  # it was never asked for
        if found.state is TransferState.TAKING_BACK and leg.note == STANDS:
            return TransferStep.CREDIT_STAYS
        return LEG_SAYS.get((found.state, leg.state))

    def _take(self, found: Transfer, step: TransferStep) -> None:
        tx, out = found.parent, found.out
        if step is TransferStep.PREPARED:
            self._credit(found, out)
            return
        leg = found.credit if found.state in _OF_THE_CREDIT else found.debit
        before = found.state
        found.step(step)
        state = found.state
        self._board.count(f"transfer_{state.value}", tx.source)
        if step is TransferStep.CREDITED:
            tx.answer = {**found.debit.answer, 39: codes.APPROVED}
            tx.step(TxStep.APPROVE)
            self._transactions.count_approval(tx)
        elif state is TransferState.REFUSED:
            tx.answer = found.debit.answer
            tx.step(TxStep.DECLINE)
        elif step is TransferStep.DEBIT_UNDONE:
            tx.step(TxStep.CONFIRM)
        elif step is TransferStep.UNDO_REFUSED:
            tx.step(TxStep.REFUSE)
        elif step is TransferStep.CREDIT_STAYS:
            tx.step(TxStep.STAND)
            self._transactions.count_approval(tx)
        elif before not in _UNDOING:
            refused = leg is not None and step is TransferStep.REFUSE
            tx.answer = {39: _code(leg) if refused and leg is not None else codes.TIMED_OUT}
            tx.step(TxStep.REVERSE if refused else TxStep.TIME_OUT)
        if before in _UNDOING:
            self._transactions.keep(tx, None, partial(self._kept, tx))
        else:
            self._transactions.end_with(tx)

    def _kept(self, tx: Transaction, clashes: Mapping[bytes, Record]) -> None:
        self._transactions.adopt(tx, clashes)
        if not clashes and tx.ended:
            self._memory.rest(tx)

    def _credit(self, found: Transfer, out: Message | None) -> None:
        tx = found.parent
        receiver = "" if out is None else self._receiver(out)
        if out is None or self._board.ready_line(receiver) is None:
            found.step(TransferStep.CANCEL)
            tx.answer = {39: codes.ISSUER_DOWN}
            tx.step(TxStep.REVERSE)
            self._transactions.end_with(tx)
            return
        target = self._board.peers[receiver]
        known = target.codec.spec.fields
        more: dict[int, Value | None] = {
            **_OF_THE_PAYER, 2: out.text(103), 3: _CREDIT + out.text(3)[2:], 102: account_of(out),
        }  # fmt: skip
        second = out.changed({n: v for n, v in more.items() if v is None or n in known})
        found.credit = self._leg(tx, TRANSFER_CREDIT, receiver, second)
        found.step(TransferStep.PREPARED)
        self._send_leg(tx, found.credit, second)

    def cancel(self, tx: Transaction, step: TxStep, then: Callable[[], None] | None) -> None:
        """Undo a transfer as far as it came; ``then`` when that is kept."""
        there = self._open.get(tx.id)
        if there is not None and there.parent is tx:
            self._cancel(tx, step, then)
        else:
            if there is not None:  # a repeat that met the first: its legs never were
                self._close(tx.id)
            self._load(tx, partial(self._cancel, tx, step, then))

    def _cancel(self, tx: Transaction, step: TxStep, then: Callable[[], None] | None) -> None:
        tx = self._memory.known.get(tx.id, tx)
        found = self._open.get(tx.id)
        if found is None or tx.busy or not may(TRANSFER_STEPS, found.state, TransferStep.CANCEL):
            if then is not None:  # it is being undone, or a version is on its way: ask again
                (tx.waiting.append(partial(self.cancel, tx, step, then)) if tx.busy else then())
            return
        self._memory.known.setdefault(tx.id, tx)  # finding the legs may have pushed it out
        if tx.state is TxState.APPROVED:
            self._transactions.count_approval(tx, back=True)
        found.step(TransferStep.CANCEL)
        self._board.count("transfer_cancelled", tx.source)
        tx.step(step)
        if not tx.answer:
            tx.answer = {39: codes.TIMED_OUT}
        self._transactions.end_with(tx, None, then)

    def resume(self, tx: Transaction) -> None:
        """After a kill: what was not debited for sure is undone, all else goes on from where its legs stand."""
        self._load(tx, partial(self._resumed, tx))

    def _resumed(self, tx: Transaction) -> None:
        found = self._open.get(tx.id)
        if found is not None and found.state is TransferState.PREPARING:
            self._cancel(tx, TxStep.TIME_OUT, None)
        else:
            self.go_on(tx.id)

    def _load(self, tx: Transaction, then: Callable[[], None]) -> None:
        """Find the legs in memory or in the journal."""
        self._find(_leg_id(tx.id, TRANSFER_DEBIT), partial(self._debit_found, tx, then))

    def _debit_found(self, tx: Transaction, then: Callable[[], None], debit: Transaction | None) -> None:
        found = partial(self._credit_found, tx, then, debit)
        self._find(_leg_id(tx.id, TRANSFER_CREDIT), found)

    def _credit_found(
        self, tx: Transaction, then: Callable[[], None], debit: Transaction | None, credit: Transaction | None
    ) -> None:
        if debit is not None and tx.id not in self._open:
            self._watch(Transfer(self._memory.known.get(tx.id, tx), debit, credit, None))
        then()

    def _find(self, leg: bytes, then: Callable[[Transaction | None], None]) -> None:
        known = self._memory.known.get(leg)
        if known is not None:
            then(known)
        else:
            self._board.look_up(leg, partial(self._found, leg, then))

    def _found(self, leg: bytes, then: Callable[[Transaction | None], None], record: Record | None) -> None:
        if record is not None and leg not in self._memory.known:
            tx = Transaction.of(record)
            self._memory.remember(tx)
            if tx.ended:
                self._memory.rest(tx)
        then(self._memory.known.get(leg))


def _leg_id(transfer: bytes, kind: Kind) -> bytes:
    return make_id("switch.leg", transfer, kind.name)


def _code(leg: Transaction) -> str:
    code = leg.answer.get(39, "")
    return code if isinstance(code, str) and code else codes.FAULT
