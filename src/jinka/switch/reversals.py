"""Reversals that an acquirer sends: kept, answered at once, and brought to the issuer by store-and-forward.

ISO 8583:1987, 4.1 (04xx) and field 90. A reversal whose original never came is remembered, so that the original is
refused should it come after all. Field 95 of 1987 says what stays of an amount of which a part was given out, as by a
cash machine that ran empty: once, and only of what was approved.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message
from jinka.switch import codes
from jinka.switch.board import Board, Line
from jinka.switch.config import Peer
from jinka.switch.keywork import FAULTED
from jinka.switch.kinds import BILL, CASH, COMPLETION, PURCHASE, TRANSFER_OUT
from jinka.switch.messages import answer_to, original_id
from jinka.switch.record import Record, kept
from jinka.switch.states import TxState, TxStep
from jinka.switch.taken import Back, Original, Taking, look, take_look
from jinka.switch.transaction import Transaction
from jinka.switch.transactions import Transactions

# Of what a part may stay; a transfer within a bank has another account in it, which had the whole.
_PARTS = frozenset({PURCHASE, COMPLETION, CASH, BILL, TRANSFER_OUT})
_BURIED = "reversed before it came"


class Reversals:
    """Works on what `Transactions` knows."""

    def __init__(self, board: Board, transactions: Transactions) -> None:
        self._board, self._transactions = board, transactions

    def request(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        """A reversal."""
        self._board.count("reversals", peer.name)
        steps = self._board.check_steps(peer, message, raw)
        asked = _Asked(line.number, peer, message, head)
        if not line.signed_on:
            self._answer(asked, codes.SIGN_ON_FIRST)
        elif 11 not in message.fields or 41 not in message.fields:
            self._answer(asked, codes.BAD_FORMAT)
        else:
            self._board.ask(steps, partial(self._checked, asked))

    def _checked(self, asked: _Asked, _: tuple[bytes, ...], refused: int) -> None:
        if refused >= FAULTED:
            self._answer(asked, codes.FAULT)
            return
        if refused >= 0:
            self._board.count("mac_wrong", asked.peer.name)
            self._answer(asked, codes.MAC_WRONG)
            return
        id_ = original_id(asked.peer.name, asked.message)
        tx = self._transactions.memory.known.get(id_)
        if tx is not None and tx.busy:
            tx.waiting.append(partial(self._checked, asked, (), -1))
        elif tx is None:
            self._board.look_up(id_, partial(self._found, asked, id_))
        else:
            self._weigh(asked, tx)

    def _found(self, asked: _Asked, id_: bytes, record: Record | None) -> None:
        known = self._transactions.memory.known.get(id_)  # it may have come meanwhile
        if known is None and record is not None:
            known = self._transactions.memory.known[id_] = Transaction.of(record)
            known.theirs = not known.ended
            self._transactions.memory.rest(known)
        if known is not None and known.busy:
            known.waiting.append(partial(self._checked, asked, (), -1))
        elif known is None:
            self._bury(asked, id_)
        else:
            self._weigh(asked, known)

    def _weigh(self, asked: _Asked, tx: Transaction) -> None:
        """See what was taken of it already, and what it took from, where money moved."""
        if tx.state is TxState.APPROVED:
            look(self._board, tx, partial(self._own_found, asked, tx))
        else:
            self._reverse(asked, tx, None)

    def _own_found(self, asked: _Asked, tx: Transaction, own: Original) -> None:
        take_look(self._board, tx, partial(self._weighed, asked, tx, own))

    def _weighed(self, asked: _Asked, tx: Transaction, own: Original, taking: Taking) -> None:
        again = partial(self._checked, asked, (), -1)
        memory = self._transactions.memory
        now = memory.known.setdefault(tx.id, tx)  # it may be forgotten by now, and is settled from there
        if not now.busy and now.ended:
            memory.rest(now)
        if now.busy:
            now.waiting.append(again)
        else:
            approved = now.state is TxState.APPROVED
            self._reverse(asked, now, Back(own=own, taking=taking, again=again) if approved else None)

    def _reverse(self, asked: _Asked, tx: Transaction, back: Back | None) -> None:
        amount, stays = asked.message.text(4), _stays(asked.message)
        if tx.note == _BURIED:
            self._answer(asked, codes.UNKNOWN_ORIGINAL)
        elif amount and amount != tx.sent.text(4):
            self._answer(asked, codes.ORIGINAL_AMOUNT_WRONG)
        elif stays is None:
            self._answer(asked, codes.BAD_FORMAT)
        elif stays or tx.sent.text(95):
            self._reverse_part(asked, tx, stays, back)
        elif tx.state in (TxState.DECLINED, TxState.REVERSED, TxState.REVERSING, TxState.REFUSED):
            self._answer(asked, codes.APPROVED)
        elif not tx.kind.reversible or (back is not None and back.own.fen):
            self._answer(asked, codes.INVALID_TRANSACTION)
        else:
            reason = asked.message.text(39) or codes.REASON_OTHER
            tx.line = -1  # the acquirer has given up waiting for it
            self._transactions.reverse(
                tx, TxStep.REVERSE, reason, then=partial(self._answer, asked, codes.APPROVED), back=back
            )

    def _reverse_part(self, asked: _Asked, tx: Transaction, stays_fen: int, back: Back | None) -> None:
        before = tx.sent.text(95)[:12]
        fields = self._board.peers[tx.target].codec.spec.fields if tx.target else {}
        if before:  # once, and nothing on top of it
            same = int(before) == stays_fen
            self._answer(asked, codes.APPROVED if same else codes.INVALID_TRANSACTION)
        elif (
            back is None  # nothing moved
            or tx.state is not TxState.APPROVED
            or tx.kind not in _PARTS
            or back.own.fen
            or 95 not in fields
        ):
            self._answer(asked, codes.INVALID_TRANSACTION)
        elif stays_fen >= tx.amount_fen:
            self._answer(asked, codes.ORIGINAL_AMOUNT_WRONG)
        else:
            reason = asked.message.text(39) or codes.REASON_OTHER
            told = partial(self._answer, asked, codes.APPROVED)
            self._transactions.adjust(
                tx, f"{stays_fen:012d}{'0' * 12}C{'0' * 8}C{'0' * 8}", reason, back, told
            )

    def _bury(self, asked: _Asked, id_: bytes) -> None:
        peer = asked.peer.name
        tx = Transaction(
            id_=id_, source=peer, kind=PURCHASE, request=kept(asked.message), at=self._board.now,
            business_date=self._board.business_date,
        )  # fmt: skip
        tx.step(TxStep.BURY)
        tx.note, tx.answer = _BURIED, {39: codes.DUPLICATE}
        self._transactions.memory.known[id_] = tx
        self._transactions.memory.rest(tx)
        self._board.count("buried", peer)
        self._transactions.keep(tx, None, partial(self._buried, asked, tx))

    def _buried(self, asked: _Asked, tx: Transaction, clashes: Mapping[bytes, Record]) -> None:
        self._transactions.adopt(tx, clashes)
        known = self._transactions.memory.known.get(tx.id)
        if clashes and known is not None:
            self._weigh(asked, known)
        else:
            self._answer(asked, codes.UNKNOWN_ORIGINAL)

    def _answer(self, asked: _Asked, code: str) -> None:
        message = answer_to(asked.message, {39: code}, asked.peer)
        self._board.answer(asked.peer, asked.line, asked.head, message)


def _stays(message: Message) -> int | None:
    """What stays of the amount: 0 when all is taken back, None for a field 95 that is none."""
    text = message.text(95)
    if not text or message.mti[0] != "0":
        return 0
    return int(text[:12]) if len(text) == 42 and text[:12].isascii() and text[:12].isdigit() else None


class _Asked:
    """Who asked for a reversal, and how to answer."""

    __slots__ = ("head", "line", "message", "peer")

    def __init__(self, line: int, peer: Peer, message: Message, head: Frame | None) -> None:
        self.line, self.peer, self.message, self.head = line, peer, message, head
