"""Requests and their answers: check, route, keep, pass on, match, answer. Every end is kept before it is told.

ISO 8583:1987, 4.1 (message flows). A repeat gets the first answer; the same numbers with another content are refused. A
request that gets no answer in time is declined, and its reversal goes into store-and-forward in the same entry; an
answer that comes then is matched and kept. Reversals that come from an acquirer are `jinka.switch.reversals`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message, Value
from jinka.switch import codes
from jinka.switch.batches import Batches
from jinka.switch.board import Board, Line
from jinka.switch.config import Peer
from jinka.switch.forwarding import ADVICE, PARTIAL, Forwarding, item_of, reversal_item
from jinka.switch.keeping import Keeping
from jinka.switch.keywork import FAULTED, KeyStep, TranslatePin
from jinka.switch.kinds import REFUND, TRANSFER, TRANSFER_BANKS, kind_of
from jinka.switch.messages import (
    advice_of,
    answer_fields,
    answer_to,
    content_digest,
    match_key,
    misdated,
    mmdd,
    original_id,
    passed_on,
    path_key,
    transaction_id,
)
from jinka.switch.originals import place_id
from jinka.switch.record import Record, account_of, kept
from jinka.switch.routing import Routes, trail_of, trail_text
from jinka.switch.standin import NOTE, approval_code
from jinka.switch.states import TX_STEPS, TxState, TxStep, may
from jinka.switch.taken import TAKERS, Back, Taking, take_look
from jinka.switch.transaction import Stand, Transaction

APPROVALS = frozenset({"00", "08", "11", "16", "A2", "A4", "A5", "A6"})
_NEEDED = (3, 4, 11, 41)


class Transactions(Keeping):
    """What happens to requests, step by step."""

    def __init__(self, board: Board, forwarding: Forwarding, batches: Batches) -> None:
        super().__init__(board, forwarding, batches)
        self.routes = Routes(board.config.routes, board.config.bins, board.config.banks)

    def request(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        """A request or an advice of an acquirer."""
        board = self._board
        board.count("requests", peer.name)
        refuse = partial(self._refuse, line, peer, message, head)
        kind = kind_of(message)
        if not line.signed_on:
            return refuse(codes.SIGN_ON_FIRST)
        if kind is None:
            return refuse(codes.INVALID_TRANSACTION)
        if any(n not in message.fields for n in _NEEDED if n != 4 or kind.name != "balance") or (
            95 in message.fields or misdated(message)  # 95: the switch's own book of what was taken back
        ):
            return refuse(codes.BAD_FORMAT)
        if not peer.speaks_for(message.text(32)):
            return refuse(codes.INVALID_ACQUIRER)
        if self.memory.open >= board.config.open_max:
            return refuse(codes.FAULT)
        tx = Transaction(
            id_=transaction_id(peer.name, message), source=peer.name, kind=kind, request=message, at=board.now,
            business_date=board.business_date,
        )  # fmt: skip
        tx.line, tx.head, tx.digest = line.number, head, content_digest(message)
        code = self._route(tx, peer, message)
        steps: tuple[KeyStep, ...] = board.check_steps(peer, message, raw)
        checks = len(steps)
        if not code and tx.id not in self.memory.known:
            steps += self._pin_steps(peer, board.peers[tx.target], message)
        return board.ask(steps, partial(self._checked, tx, code, checks))

    def _refuse(self, line: Line, peer: Peer, message: Message, head: Frame | None, code: str) -> None:
        """Answer what never became a transaction."""
        self._board.count(f"refused_{code}", peer.name)
        self._board.answer(peer, line.number, head, answer_to(message, {39: code}, peer))

    def _route(self, tx: Transaction, peer: Peer, message: Message) -> str:
        """Set the target; the code when there is none."""
        config = self._board.config
        by = tx.kind.routed_by
        target = self.routes.find(account_of(message) if by == 2 else message.text(by))
        if not target:
            return codes.UNKNOWN_ISSUER
        trail = trail_of(message, peer)
        if target == peer.name or config.institution in trail or len(trail) >= config.hops_max:
            self._board.count("loops", peer.name)
            return codes.NO_ROUTE
        tx.target = target
        if tx.kind is TRANSFER and 103 in message.fields:
            receiver = self.routes.find(message.text(103))
            if receiver not in ("", target):
                tx.kind = TRANSFER_BANKS
        return ""

    def _pin_steps(self, peer: Peer, target: Peer, message: Message) -> tuple[KeyStep, ...]:
        block = message.fields.get(52)
        if not isinstance(block, bytes) or peer.pin is None or target.pin is None:
            return ()
        return (
            TranslatePin(
                source=peer.pin, target=target.pin, block=block, pan=account_of(message),
                former=self._board.former_pins.get(peer.name, ""),
            ),
        )  # fmt: skip

    def _checked(
        self, tx: Transaction, code: str, checks: int, results: tuple[bytes, ...], refused: int
    ) -> None:
        board = self._board
        peer = board.rules(tx.source, tx.request)
        if FAULTED <= refused < FAULTED + checks:
            board.answer(peer, tx.line, tx.head, answer_to(tx.request, {39: codes.FAULT}, peer))
            return
        if 0 <= refused < checks:
            board.count("mac_wrong", peer.name)
            board.answer(peer, tx.line, tx.head, answer_to(tx.request, {39: codes.MAC_WRONG}, peer))
            return
        before = self.memory.known.get(tx.id)
        if before is not None:
            self.again(before, tx)
            return
        if self.memory.open >= board.config.open_max:  # others came while the keys were asked
            board.count(f"refused_{codes.FAULT}", peer.name)
            board.answer(peer, tx.line, tx.head, answer_to(tx.request, {39: codes.FAULT}, peer))
            return
        self.memory.known[tx.id] = tx
        message = tx.request
        pin = results[-1] if len(results) > checks else b""
        tx.request = tx.sent = kept(message)
        if not code and refused >= 0:
            code = codes.FAULT if refused >= FAULTED else codes.PIN_FORMAT
        if not code and 52 in message.fields and not pin:
            code = codes.PIN_FORMAT  # a PIN that nobody could read at the other side
        if code:
            self.decline(tx, code)
        elif tx.kind is TRANSFER_BANKS:
            self.transfers.begin(tx, message, pin)
        elif tx.kind in TAKERS and len(message.text(90)) == 42:
            tx.busy = True  # what it takes from is looked up, and nothing else is decided
            take_look(board, tx, partial(self._go_on, tx, message, pin))
        else:
            self._go_on(tx, message, pin, None)

    def _go_on(self, tx: Transaction, message: Message, pin: bytes, taking: Taking | None) -> None:
        tx.taking = taking
        if tx.kind is REFUND and taking is not None:
            self._refund(tx, message)
        elif tx.kind.stored:
            self._store(tx, message)
        else:
            self._pass_on(tx, message, pin)

    def _pass_on(self, tx: Transaction, message: Message, pin: bytes) -> None:
        board, peers = self._board, self._board.peers
        target = peers[tx.target]
        out = passed_on(
            message, peers[tx.source], target, own=board.config.institution, now_micros=board.now,
            number=board.next_reference(), settled=tx.business_date,
        )  # fmt: skip
        tx.sent = kept(out)
        path, key = path_key(out), match_key(target.name, out)
        if self.memory.paths.setdefault(path, tx.id) != tx.id:
            board.count("loops", tx.source)
            self.decline(tx, codes.NO_ROUTE)
            return
        if key in self.memory.sent:
            self.decline(tx, codes.DUPLICATE)
            return
        if board.ready_line(target.name) is None:
            self._stand_in(tx, message)
            return
        more: dict[int, Value] = {52: pin} if pin else {}
        if target.trail_field:
            stops = trail_of(message, peers[tx.source])
            more[target.trail_field] = trail_text(stops, board.config.institution)
        if more:
            out = Message(mti=out.mti, fields={**out.fields, **more})
        tx.step(TxStep.ROUTE)
        self.memory.sent[key] = tx
        self.keep(tx, None, partial(self.go_out, tx, out))

    def go_out(self, tx: Transaction, out: Message, clashes: Mapping[bytes, Record]) -> None:
        if clashes:
            self.memory.sent.pop(match_key(tx.target, out), None)
            self.adopt(tx, clashes)
        elif tx.state is TxState.ROUTED:
            tx.step(TxStep.FORWARD)
            target = self._board.peers[tx.target]
            tx.timer = self._board.start(target.timeout_ms, partial(self._timed_out, tx))
            self._board.seal(target, out, partial(self._out, tx), partial(self._not_sent, tx))

    def _out(self, tx: Transaction, raw: bytes) -> None:
        if tx.state is not TxState.FORWARDED:
            return  # reversed while the key service was at it
        line = self._board.ready_line(tx.target)
        if line is None:
            self._not_sent(tx)
        else:
            self._board.send(tx.target, line.number, raw)

    def _not_sent(self, tx: Transaction) -> None:
        if tx.state is TxState.FORWARDED:
            self._board.stop(tx.timer)
            self.decline(tx, codes.ISSUER_DOWN)

    def _stand_in(self, tx: Transaction, message: Message) -> None:
        rules = self._board.config.stand_in.get(tx.target)
        code = self.book.decide(tx.target, rules, tx.kind, message, tx.business_date)
        if code != codes.APPROVED:
            self.decline(tx, code)
            return
        approval = approval_code(tx.id)
        tx.step(TxStep.STAND_IN)
        tx.note, tx.answer = NOTE, {15: mmdd(tx.business_date), 38: approval, 39: code}
        self._board.count("stood_in", tx.target)
        self.count_approval(tx)
        full = Message(mti=tx.sent.mti, fields=dict(message.fields) | dict(tx.sent.fields))
        advice = advice_of(full, self._board.peers[tx.target], code=code, approval=approval)
        self.end_with(tx, item_of(ADVICE, tx, advice, self._board.now))

    def _refund(self, tx: Transaction, message: Message) -> None:
        """A refund is a fact, but not above its sale: see what is known of that."""
        id_ = place_id(tx.source, message) or original_id(tx.source, message)
        sale = self.memory.known.get(id_)
        if sale is not None and not sale.theirs and self._board.config.workers == 1:
            self._refund_of(tx, message, sale)
        else:
            self._board.look_up(id_, partial(self._refund_found, tx, message))

    def _refund_found(self, tx: Transaction, message: Message, record: Record | None) -> None:
        self._refund_of(tx, message, None if record is None else Transaction.of(record))

    def _refund_of(self, tx: Transaction, message: Message, sale: Transaction | None) -> None:
        code = tx.taking.refusal(message, sale) if sale is not None and tx.taking is not None else ""
        if code:
            self.decline(tx, code)
        else:
            self._store(tx, message)

    def _store(self, tx: Transaction, message: Message) -> None:
        board = self._board
        out = passed_on(
            message, board.peers[tx.source], board.peers[tx.target], own=board.config.institution,
            now_micros=board.now, number=board.next_reference(), settled=tx.business_date,
        )  # fmt: skip
        stand = tx.stand
        tx.sent = kept(out)
        tx.step(TxStep.STORE)
        tx.answer = {15: mmdd(tx.business_date), 39: codes.APPROVED}
        self.count_approval(tx)
        again = partial(self._refund_again, tx, message, stand) if tx.kind is REFUND else None
        changes = tx.taking.approved(tx) if tx.taking is not None else ()
        self.end_with(tx, item_of(ADVICE, tx, out, board.now), changes=changes, again=again)

    def _refund_again(self, tx: Transaction, message: Message, stand: Stand) -> None:
        self.go_back(tx, stand)
        self._refund(tx, message)

    def decline(self, tx: Transaction, code: str) -> None:
        """End it with a code of ours."""
        tx.step(TxStep.DECLINE)
        tx.answer = {39: code}
        self._board.count(f"declined_{code}", tx.source)
        self.end_with(tx)

    def reply(self, peer: Peer, message: Message, raw: bytes) -> None:
        """An issuer's answer; one that matches nothing is counted."""
        tx = self.memory.sent.get(match_key(peer.name, message))
        if tx is None:
            self._board.count("unmatched", peer.name)
            return
        self._board.ask(self._board.check_steps(peer, message, raw), partial(self._replied, tx, message))

    def _replied(self, tx: Transaction, message: Message, _: tuple[bytes, ...], refused: int) -> None:
        tx = self.memory.known.get(tx.id, tx)
        if tx.busy:
            tx.waiting.append(partial(self._replied, tx, message, (), refused))
            return
        code = message.text(39)
        if tx.theirs:  # another worker reversed it, and has the last word
            self._board.count("late", tx.target)
            return
        if refused >= 0 or not code:
            self._board.count("mac_wrong" if refused >= 0 else "unmatched", tx.target)
            return  # as if nothing had come: the timer decides
        if tx.state is TxState.FORWARDED:
            self._board.stop(tx.timer)
            tx.answer = answer_fields(message, tx.business_date)
            approved = code in APPROVALS
            tx.step(TxStep.APPROVE if approved else TxStep.DECLINE)
            if approved:
                self.count_approval(tx)
            taking = tx.taking if approved else None
            self.end_with(tx, changes=taking.approved(tx) if taking is not None else ())
        elif tx.state is not TxState.APPROVED and not tx.note and may(TX_STEPS, tx.state, TxStep.LATE):
            tx.step(TxStep.LATE)
            tx.note = f"late {code}"
            self._board.count("late", tx.target)
            self.keep(tx, None, partial(self.adopt, tx))
        else:
            self._board.count("repeated_replies", tx.target)

    def adjust(
        self, tx: Transaction, replacement: str, reason: str, back: Back, then: Callable[[], None]
    ) -> None:
        """Take back a part of what was approved: ``replacement`` is field 95, which says what stays."""
        stand, changes = tx.stand, back.taking.given_back(tx, back.own, int(replacement[:12]))
        self.count_approval(tx, back=True)
        tx.step(TxStep.ADJUST)
        tx.request, tx.sent = tx.request.changed({95: replacement}), tx.sent.changed({95: replacement})
        self.count_approval(tx)
        self._board.count("partial_reversals", tx.source)
        self.end_with(
            tx, reversal_item(self._board, tx, reason, PARTIAL), then, changes=changes,
            again=partial(self._back_again, tx, stand, back),
        )  # fmt: skip

    def _timed_out(self, tx: Transaction) -> None:
        if tx.state is not TxState.FORWARDED:
            return
        self._board.count("timeouts", tx.target)
        if tx.kind.reversible:
            self.reverse(tx, TxStep.TIME_OUT, codes.REASON_TIMEOUT)
        else:
            self.decline(tx, codes.TIMED_OUT)

    def _back_again(self, tx: Transaction, stand: Stand, back: Back) -> None:
        self.go_back(tx, stand)
        tx.waiting.insert(0, back.again)
        self.release(tx)

    def reverse(
        self,
        tx: Transaction,
        step: TxStep,
        reason: str,
        then: Callable[[], None] | None = None,
        back: Back | None = None,
    ) -> None:
        """Undo it at the issuer, whatever the issuer has made of it; ``then`` when that is kept.

        Without ``then`` the acquirer is told that it timed out. Of what was approved ``back`` says what it took from.
        """
        if tx.kind is TRANSFER_BANKS:
            self.transfers.cancel(tx, step, then)
            return
        stand = tx.stand
        changes = back.taking.given_back(tx, back.own) if back is not None else ()
        if tx.state is TxState.APPROVED:
            self.count_approval(tx, back=True)
        tx.step(step)
        if not tx.answer:
            tx.answer = {39: codes.TIMED_OUT}
        self._board.stop(tx.timer)
        again = partial(self._back_again, tx, stand, back) if back is not None else None
        self.end_with(tx, reversal_item(self._board, tx, reason), then, changes=changes, again=again)
