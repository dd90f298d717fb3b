"""What was taken back of a sale, or done with a hold: so that nothing is taken back of it a second time.

One line of the journal for each original, named by its data elements (field 90 of ISO 8583:1987), has the sum of what
was voided, refunded or completed of it. Its next version is written together with the void, the refund or the
completion, and with a reversal of the original; so all workers agree on it as they agree on transactions, by the unique
pair of id and version, and a restart forgets nothing. What nobody voids or reverses has no line. A completion that was
voided leaves its hold as it was. Whether an original is good is the issuer's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from jinka.codec.iso8583.message import Message
from jinka.kit import make_id
from jinka.switch import codes
from jinka.switch.board import Board
from jinka.switch.kinds import (
    BILL,
    COMPLETION,
    COMPLETION_ADVICE,
    COMPLETION_VOID,
    OFFLINE,
    PRE_AUTH_VOID,
    PURCHASE,
    REFUND,
    VOID,
)
from jinka.switch.record import Entity, Record, account_of, amount_of
from jinka.switch.states import TxState
from jinka.switch.transaction import Transaction

TAKERS = frozenset({VOID, PRE_AUTH_VOID, COMPLETION_VOID, REFUND, COMPLETION, COMPLETION_ADVICE})
_COMPLETIONS = frozenset({COMPLETION, COMPLETION_ADVICE})
_REFUNDED = frozenset({PURCHASE, COMPLETION, COMPLETION_ADVICE, OFFLINE, BILL})
_UNDONE = frozenset({TxState.DECLINED, TxState.REVERSING, TxState.REVERSED})
_OPEN, _CLOSED = "open", "closed"

Name = tuple[str, str, str, str]  # peer, trace number, field 7 as the issuer has it, terminal


class Original:
    """The line of an original. ``up`` is the field 90 with which it took from another itself."""

    __slots__ = ("closed", "fen", "id", "name", "up", "version")

    def __init__(self, name: Name, record: Record | None = None) -> None:
        self.name, self.id = name, make_id("switch.taken", *name)
        self.version, self.fen, self.closed, self.up = 0, 0, False, ""
        if record is not None:
            self.follow(record)

    def follow(self, record: Record) -> None:
        """Stand where the journal says."""
        self.version, self.fen = record.version, amount_of(record.request)
        self.closed, self.up = record.state == _CLOSED, record.request.text(90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a step of a transaction does to a line: ``fen`` more is taken, or ``close``: the original is reversed."""

    line: Original
    fen: int = 0
    close: bool = False
    up: str = ""

    def record(self, tx: Transaction, now_micros: int) -> Record:
        """The line's next version."""
        line = self.line
        source, trace, moment, terminal = line.name
        fields = {
            4: f"{max(0, line.fen + self.fen):012d}", 7: moment, 11: trace, 41: terminal, 90: self.up or line.up
        }  # fmt: skip
        return Record(
            entity=Entity.TAKEN, id=line.id, version=line.version + 1,
            state=_CLOSED if self.close or line.closed else _OPEN, kind=tx.kind.name, source=source,
            target=tx.target, at_micros=now_micros, business_date=tx.business_date,
            request=Message(mti="0200", fields={n: v for n, v in fields.items() if v}), about=tx.id,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Taking:
    """What a transaction takes: from ``of``; and by the void of a completion ``hold`` is as it was before that."""

    of: Original | None = None
    hold: Original | None = None

    def approved(self, tx: Transaction) -> tuple[Change, ...]:
        """It is approved."""
        if self.of is None:
            return ()
        changes = _moved(self, tx.amount_fen)
        if tx.kind in _COMPLETIONS:  # who voids it finds the hold by this
            changes += (Change(line=Original(name_of(tx)), up=tx.sent.text(90)),)
        return _once(changes)

    def given_back(self, tx: Transaction, own: Original, stays_fen: int = 0) -> tuple[Change, ...]:
        """It is reversed itself, but for what stays."""
        return _once((Change(line=own, close=not stays_fen), *_moved(self, stays_fen - tx.amount_fen)))

    def refusal(self, refund: Message, original: Transaction) -> str:
        """The code when a refund cannot be of that sale."""
        taken = self.of
        other = account_of(original.sent) != account_of(refund)
        closed = taken is not None and taken.closed
        if original.kind not in _REFUNDED or original.state in _UNDONE or other or closed:
            return codes.INVALID_TRANSACTION
        asked = int(refund.text(4)) if refund.text(4).isdigit() else 0
        if (taken.fen if taken is not None else 0) + asked > original.amount_fen:
            return codes.ORIGINAL_AMOUNT_WRONG
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    """What the reversal of something approved has to change; ``again`` decides on it once more."""

    own: Original
    taking: Taking
    again: Callable[[], None]


def name_of(tx: Transaction) -> Name:
    """How what takes from it names it."""
    return tx.source, tx.sent.text(11), tx.sent.text(7).zfill(10), tx.sent.text(41)


def take_look(board: Board, tx: Transaction, then: Callable[[Taking], None]) -> None:
    """Find the lines of what a transaction takes from, if it takes anything."""
    name = _named(tx.source, tx.sent.text(90), tx.sent.text(41))
    told = 90 in board.peers[tx.target].codec.spec.fields if tx.target else False
    if tx.kind not in TAKERS or name is None or not told or name == name_of(tx):
        then(Taking())
    else:
        _look(board, name, partial(_of_found, board, tx, then))


def look(board: Board, tx: Transaction, then: Callable[[Original], None]) -> None:
    """Find the line of a transaction itself."""
    _look(board, name_of(tx), then)


def caught_up(changes: Sequence[Change], clashes: Mapping[bytes, Record]) -> bool:
    """Whether another was first with one of the lines; they then stand where the journal says."""
    behind = [change.line for change in changes if change.line.id in clashes]
    for line in behind:
        line.follow(clashes[line.id])
    return bool(behind)


def _look(board: Board, name: Name, then: Callable[[Original], None]) -> None:
    board.look_up(make_id("switch.taken", *name), lambda record: then(Original(name, record)))


def _of_found(board: Board, tx: Transaction, then: Callable[[Taking], None], of: Original) -> None:
    hold = _named(tx.source, of.up, tx.sent.text(41)) if tx.kind is COMPLETION_VOID else None
    if hold is None or hold == of.name:
        then(Taking(of=of))
    else:
        _look(board, hold, lambda found: then(Taking(of=of, hold=found)))


def _moved(taking: Taking, fen: int) -> tuple[Change, ...]:
    changes = () if taking.of is None else (Change(line=taking.of, fen=fen),)
    return changes if taking.hold is None else (*changes, Change(line=taking.hold, fen=-fen))


def _once(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Each line once: field 90 is the acquirer's, and may go in a circle."""
    return tuple({change.line.id: change for change in reversed(changes)}.values())


def _named(source: str, elements: str, terminal: str) -> Name | None:
    return (source, elements[4:10], elements[10:20], terminal) if len(elements) == 42 else None
