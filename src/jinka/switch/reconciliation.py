"""Totals of a business date compared with a peer: ours sent after a cut-over, a peer's answered when it sends them.

ISO 8583:1987, 4.1 (0500, 0510) and fields 15 (settlement date), 66 (settlement code: 1 in balance, 2 out of balance),
74, 76, 86 and 88. Whoever acquired sends: we to an issuer what we passed on to it, an acquirer to us what it asked. The
sums are the journal's, so they are those of all workers. What came out is in the journal as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress
from functools import partial

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message, Value
from jinka.kit import Usage, make_id
from jinka.switch import codes
from jinka.switch.board import Board, Line
from jinka.switch.config import Peer
from jinka.switch.messages import answer_to, match_key, mmdd, transmission
from jinka.switch.record import Entity, Record, kept
from jinka.switch.totals import PeerTotals, Totals

_TRIES = 3
_EQUAL, _DIFFER = "1", "2"
# Fields of counts and amounts, with their sizes.
_FIELDS = ((74, 10, "credits"), (76, 10, "debits"), (86, 16, "credit_fen"), (88, 16, "debit_fen"))


class Reconciliation:
    """Asks, answers, and writes down what came out."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._asked: dict[tuple[str, ...], tuple[Message, str, int]] = {}  # what was sent -> date, timer

    def send(self, peer: str, business_date: str) -> None:
        """Add up what we passed on to a peer and send it."""
        if peer not in self._board.peers:
            raise Usage(f"no peer {peer}", where="reconciliation", fix="one of the file's peers")
        self._board.sum_up(business_date, partial(self._summed, peer, business_date, _TRIES))

    def _summed(self, peer: str, business_date: str, tries: int, totals: Mapping[str, PeerTotals]) -> None:
        board, rules = self._board, self._board.peers[peer]
        fields: dict[int, Value] = {
            7: transmission(board.now), 11: board.next_trace(), 15: mmdd(business_date),
            32: board.config.institution, 33: board.config.institution,
            **_fields(totals.get(peer, PeerTotals()).issued),
        }  # fmt: skip
        known = rules.codec.spec.fields
        message = Message(mti="0500", fields={n: v for n, v in sorted(fields.items()) if n in known})
        self._try(rules, message, business_date, tries)

    def _try(self, peer: Peer, message: Message, business_date: str, tries: int) -> None:
        board, line = self._board, self._board.ready_line(peer.name)
        if not tries:
            board.count("reconciliation_unanswered", peer.name)
            self._write(peer.name, message, business_date, "unanswered", {})
            return
        timer = board.start(peer.timeout_ms, partial(self._again, peer, message, business_date, tries - 1))
        self._asked[match_key(peer.name, message)] = message, business_date, timer
        if line is not None:
            board.answer(board.peers[peer.name], line.number, None, message)

    def _again(self, peer: Peer, message: Message, business_date: str, tries: int) -> None:
        self._asked.pop(match_key(peer.name, message), None)
        self._try(peer, message, business_date, tries)

    def reply(self, peer: Peer, message: Message, raw: bytes) -> None:
        """A peer's 0510."""
        steps = self._board.check_steps(peer, message, raw)
        self._board.ask(steps, partial(self._replied, peer, message))

    def _replied(self, peer: Peer, message: Message, _: tuple[bytes, ...], refused: int) -> None:
        asked = self._asked.pop(match_key(peer.name, message), None) if refused < 0 else None
        if asked is None:
            self._board.count("unmatched" if refused < 0 else "mac_wrong", peer.name)
            return
        sent, business_date, timer = asked
        self._board.stop(timer)
        good = message.text(39) in ("", codes.APPROVED) and message.text(66) in ("", _EQUAL)
        self._count(good, peer.name)
        given = {n: message.fields[n] for n in (39, 66, *(n for n, *_ in _FIELDS)) if n in message.fields}
        self._write(peer.name, sent, business_date, "equal" if good else "differ", given)

    def request(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        """A peer's 0500 about a business date: field 15, or else ours."""
        steps = self._board.check_steps(peer, message, raw)
        self._board.ask(steps, partial(self._checked, line, peer, message, head))

    def _checked(
        self, line: Line, peer: Peer, message: Message, head: Frame | None, _: tuple[bytes, ...], refused: int
    ) -> None:
        claimed = _claimed(message)
        date = _date(message.text(15), self._board.business_date)
        code = ""
        if not line.signed_on:
            code = codes.SIGN_ON_FIRST
        elif refused >= 0:
            code = codes.MAC_WRONG
        elif claimed is None or not date:
            code = codes.BAD_FORMAT
        if code or claimed is None:
            self._board.answer(peer, line.number, head, answer_to(message, {39: code}, peer))
        else:
            self._board.sum_up(date, partial(self._compared, line.number, peer, message, head, claimed, date))

    def _compared(
        self,
        line: int,
        peer: Peer,
        message: Message,
        head: Frame | None,
        claimed: Totals,
        date: str,
        totals: Mapping[str, PeerTotals],
    ) -> None:
        ours = totals.get(peer.name, PeerTotals()).acquired
        good = ours == claimed
        self._count(good, peer.name)
        given: dict[int, Value] = {
            39: codes.APPROVED if good else codes.TOTALS_DIFFER, 66: _EQUAL if good else _DIFFER, **_fields(ours)
        }  # fmt: skip
        self._write(peer.name, message, date, "equal" if good else "differ", given)
        self._board.answer(peer, line, head, answer_to(message, given, peer))

    def _count(self, good: bool, peer: str) -> None:
        self._board.count("reconciled" if good else "reconciliation_differs", peer)

    def _write(
        self, peer: str, message: Message, business_date: str, state: str, given: Mapping[int, Value]
    ) -> None:
        board = self._board
        note = "sums " + " ".join(str(int(message.text(number) or "0")) for number, *_ in _FIELDS)
        facts = (peer, message.mti, message.text(7), message.text(11), business_date)
        record = Record(
            entity=Entity.TOTALS, id=make_id("switch.reconciliation", *facts), version=1, state=state,
            kind="business_date", source=peer, target="", at_micros=board.now, business_date=business_date,
            request=kept(message), answer=given, note=note,
        )  # fmt: skip
        board.write((record,), _written)


def _written(_: Mapping[bytes, Record]) -> None:
    """A repeat is written already."""


def _fields(totals: Totals) -> dict[int, Value]:
    return {number: f"{getattr(totals, name):0{size}d}" for number, size, name in _FIELDS}


def _claimed(message: Message) -> Totals | None:
    texts = {name: message.text(number) for number, _, name in _FIELDS}
    if not all(text.isascii() and text.isdigit() for text in texts.values()):
        return None
    return Totals(**{name: int(text) for name, text in texts.items()})


def _date(text: str, today: str) -> str:
    """The latest date of that month and day up to today, today without one; empty for what is none."""
    if not text:
        return today
    for year in (int(today[:4]), int(today[:4]) - 1):
        date = f"{year}-{text[:2]}-{text[2:]}"
        with suppress(ValueError):
            if dt.date.fromisoformat(date) <= dt.date.fromisoformat(today):
                return date
    return ""
