"""Totals of a terminal's batch, and its comparison: 0500 with totals, 0320 with single items where they differ.

ISO 8583:1987, 4.1 (05xx, 03xx) and fields 66, 74, 76, 86 and 88: counts and amounts of credits and debits. Reversed
transactions are taken out instead of being counted apart. UnionPay's terminals put their totals into field 48 in a
layout of which no text is public; `POS_TOTALS` is what published terminals send, so check it with the peer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message, Value
from jinka.kit import make_id
from jinka.switch import codes
from jinka.switch.board import Board, Line
from jinka.switch.config import Peer
from jinka.switch.kinds import Side
from jinka.switch.messages import answer_to, transaction_id
from jinka.switch.record import Entity, Record, amount_of, kept
from jinka.switch.states import TxState
from jinka.switch.totals import Totals
from jinka.switch.transaction import Transaction

POS_TOTALS = (12, 3, 12, 3)  # debit amount and count, credit amount and count, then one digit: the answer
_ERROR = "3"  # nothing was compared: upload the batch, each item of which is
BatchKey = tuple[str, str, str]


class Batches:
    """The running totals. ``known`` finds a transaction that is in memory."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._totals: dict[BatchKey, Totals] = {}
        self.known: Mapping[bytes, Transaction] = {}
        self.settled: Callable[[str, Message], None] = _ignore  # hears of a terminal's batch that is closed

    def add(self, tx: Transaction, *, back: bool = False) -> None:
        """Count an approved transaction, or take it out again."""
        if tx.kind.side is Side.NONE:
            return
        key = _key(tx.source, tx.request, tx.business_date)
        now, sign = self._totals.get(key, Totals()), -1 if back else 1
        amount = sign * tx.amount_fen
        if tx.kind.side is Side.DEBIT:
            changed = Totals(
                debit_fen=now.debit_fen + amount, debits=now.debits + sign,
                credit_fen=now.credit_fen, credits=now.credits,
            )  # fmt: skip
        else:
            changed = Totals(
                debit_fen=now.debit_fen, debits=now.debits,
                credit_fen=now.credit_fen + amount, credits=now.credits + sign,
            )  # fmt: skip
        self._totals[key] = changed

    def totals(self, source: str, terminal: str, batch: str) -> Totals:
        """What was counted for one batch."""
        return self._totals.get((source, terminal, batch), Totals())

    def forget(self, before_date: str) -> None:
        """Forget batches that are named by a date before."""
        for key in [key for key in self._totals if len(key[2]) == 10 and key[2] < before_date]:
            del self._totals[key]

    def request(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        """Totals, or an item of an upload."""
        steps = self._board.check_steps(peer, message, raw)
        self._board.ask(steps, partial(self._checked, line, peer, message, head))

    def _checked(
        self, line: Line, peer: Peer, message: Message, head: Frame | None, _: tuple[bytes, ...], refused: int
    ) -> None:
        if refused >= 0:
            self._board.count("mac_wrong", peer.name)
            self._tell(line, peer, message, head, {39: codes.MAC_WRONG}, {})
        elif message.mti[1] == "5":
            self._compare(line, peer, message, head)
        else:
            self._upload(line, peer, message, head)

    def _compare(self, line: Line, peer: Peer, message: Message, head: Frame | None) -> None:
        ours = self._totals.get(_key(peer.name, message, self._board.business_date), Totals())
        theirs = _claimed(message)
        if theirs is None:
            self._tell(line, peer, message, head, {39: codes.BAD_FORMAT}, {})
            return
        if self._board.config.workers > 1:  # the batch may have come in at several
            self._not_compared(line, peer, message, head)
            return
        same = ours == theirs
        self._board.count("batches_equal" if same else "batches_differ", peer.name)
        given: dict[int, Value] = {39: codes.APPROVED if same else codes.TOTALS_DIFFER}
        if 48 in message.fields:
            given |= {39: codes.APPROVED, 48: message.text(48)[: sum(POS_TOTALS)] + ("1" if same else "2")}
        else:
            given[66] = "1" if same else "2"
        note = f"ours {ours.debit_fen}/{ours.debits} {ours.credit_fen}/{ours.credits}"
        record = self._record(Entity.TOTALS, peer, message, "equal" if same else "differ", note, given)
        if same:
            self.settled(peer.name, message)
        self._board.write((record,), partial(self._tell, line, peer, message, head, given))

    def _not_compared(self, line: Line, peer: Peer, message: Message, head: Frame | None) -> None:
        given: dict[int, Value] = {39: codes.APPROVED}
        if 48 in message.fields:
            given[48] = message.text(48)[: sum(POS_TOTALS)] + _ERROR
        else:
            given[66] = _ERROR
        self._board.count("batches_not_compared", peer.name)
        self._tell(line, peer, message, head, given, {})

    def _upload(self, line: Line, peer: Peer, message: Message, head: Frame | None) -> None:
        if message.text(60)[8:11] in ("202", "207"):  # the end of an upload
            self.settled(peer.name, message)
            self._tell(line, peer, message, head, {39: codes.APPROVED}, {})
            return
        tx = self.known.get(transaction_id(peer.name, message))
        if tx is None:
            self._board.look_up(
                transaction_id(peer.name, message), partial(self._uploaded, line, peer, message, head)
            )
        else:
            self._judge(line, peer, message, head, tx)

    def _uploaded(
        self, line: Line, peer: Peer, message: Message, head: Frame | None, record: Record | None
    ) -> None:
        self._judge(line, peer, message, head, None if record is None else Transaction.of(record))

    def _judge(
        self, line: Line, peer: Peer, message: Message, head: Frame | None, tx: Transaction | None
    ) -> None:
        state = "unknown"
        if tx is not None:
            good = tx.state is TxState.APPROVED and tx.amount_fen == amount_of(message)
            state = "same" if good else "differs"
        self._board.count(f"upload_{state}", peer.name)
        given: dict[int, Value] = {39: codes.APPROVED}
        note = "" if tx is None else f"ours {tx.state.value} {tx.amount_fen}"
        record = self._record(Entity.UPLOAD, peer, message, state, note, given)
        self._board.write((record,), partial(self._tell, line, peer, message, head, given))

    def _record(
        self, entity: Entity, peer: Peer, message: Message, state: str, note: str, given: Mapping[int, Value]
    ) -> Record:
        board = self._board
        facts = (
            *_key(peer.name, message, board.business_date),
            message.text(11),
            message.text(4),
            message.text(48),
        )
        return Record(
            entity=entity, id=make_id(f"switch.{entity.value}", *facts), version=1, state=state, kind="batch",
            source=peer.name, target="", at_micros=board.now, business_date=board.business_date,
            request=kept(message), answer=given, note=note,
        )  # fmt: skip

    def _tell(
        self,
        line: Line,
        peer: Peer,
        message: Message,
        head: Frame | None,
        given: dict[int, Value],
        clashes: Mapping[bytes, Record],
    ) -> None:
        first = next(iter(clashes.values()), None)  # sent again: the first answer
        given = given if first is None else dict(first.answer)
        self._board.answer(peer, line.number, head, answer_to(message, given, peer))


def _ignore(_peer: str, _message: Message) -> None:
    """Nobody asked to hear of it."""


def _key(source: str, message: Message, business_date: str) -> BatchKey:
    return source, message.text(41), message.text(60)[2:8] or business_date


def _claimed(message: Message) -> Totals | None:
    """The totals that a message claims; None when they are no numbers."""
    text = message.text(48)
    if text:
        cuts, at = [], 0
        for size in POS_TOTALS:
            cuts.append(text[at : at + size])
            at += size
    else:
        cuts = [message.text(88), message.text(76), message.text(86), message.text(74)]
    if not all(cut.isascii() and cut.isdigit() for cut in cuts):
        return None
    debit_fen, debits, credit_fen, credits_ = map(int, cuts)
    return Totals(debit_fen=debit_fen, debits=debits, credit_fen=credit_fen, credits=credits_)
