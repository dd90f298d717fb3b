"""Sessions: sign-on, echo, key exchange, cut-over, sign-off, by the table in `jinka.switch.states`.

ISO 8583:1987, 4.1 (08xx) and field 70: 001 and 002, 301, 101, 201 and 202. Between UnionPay's members the key lies in
fields 48 or 96 under a master key by itself; here it comes as a key block (ANSI X9.143) in field 48, bound to its use,
and field 53 begins with 1 for the PIN key, 2 for the MAC key. Terminals with keys of
their own are `jinka.switch.terminals`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message, Value
from jinka.kit import Usage, make_id
from jinka.switch import codes
from jinka.switch.board import Board, Line
from jinka.switch.config import KeyExchange, Peer, SignOn
from jinka.switch.keywork import FAULTED, DropKeys, UnwrapKey, WrapNewKey
from jinka.switch.messages import answer_to, network
from jinka.switch.record import Entity, Record
from jinka.switch.states import SESSION_STEPS, SessionState, SessionStep, may

SIGN_ON, SIGN_OFF, NEW_KEY, CUT_BEGIN, CUT_END, ECHO = "001", "002", "101", "201", "202", "301"
_PIN_KEY, _MAC_KEY = "1", "2"
_PIN_RECORD, _MAC_RECORD = "pin_key", "mac_key"
_APART_MS = 30_000
_NAMES_TRIED = 8


class Sessions:
    """``ready`` hears of each peer on whose line transactions may pass from now on."""

    def __init__(self, board: Board, ready: Callable[[str], None]) -> None:
        self._board, self._ready = board, ready
        self._asked: dict[tuple[str, int, str], tuple[str, Callable[[], None]]] = {}
        self._aging: set[tuple[str, bool]] = set()
        self._skipped: Counter[tuple[str, bool]] = Counter()  # names of keys that were taken
        self._exchanges: Counter[tuple[str, bool]] = Counter()  # versions in the journal

    def up(self, peer: str, number: int) -> None:
        """A line stands."""
        line = self._board.lines[peer][number] = Line(peer, number)
        line.step(SessionStep.CONNECT)
        rules = self._board.peers[peer]
        if rules.sign_on is SignOn.NONE:
            self._signed_on(line)
        elif rules.sign_on is SignOn.WE:
            self._ask_sign_on(line)
        line.echo = self._board.start(rules.echo_ms, partial(self._echo, line))

    def down(self, peer: str, number: int) -> None:
        """A line is gone."""
        line = self._board.lines[peer].pop(number, None)
        if line is not None:
            line.step(SessionStep.DISCONNECT)
            self._board.stop(line.echo)
            for key in [key for key in self._asked if key[:2] == (peer, number)]:
                del self._asked[key]

    def receive(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        """A message of network management; its MAC is checked where it has one."""
        has_mac = peer.mac is not None and peer.mac.field in message.fields
        steps = self._board.check_steps(peer, message, raw) if has_mac else ()
        self._board.ask(steps, partial(self._checked, line, peer, message, head))

    def _checked(
        self, line: Line, peer: Peer, message: Message, head: Frame | None, _: tuple[bytes, ...], refused: int
    ) -> None:
        if refused >= 0:
            self._board.count("mac_wrong", peer.name)
            if message.mti[2] in "02":
                self._answer(line, peer, message, head, codes.MAC_WRONG)
        elif message.mti[2] in "13":
            self._replied(line, message)
        else:
            self._asked_of_us(line, peer, message, head)

    def _asked_of_us(self, line: Line, peer: Peer, message: Message, head: Frame | None) -> None:
        code = message.text(70) or message.text(60)[8:11]
        if code == SIGN_ON:
            self._answer(line, peer, message, head, codes.APPROVED)
            self._signed_on(line)
        elif code == SIGN_OFF:
            self._answer(line, peer, message, head, codes.APPROVED)
            line.step(SessionStep.SIGN_OFF)
        elif code == NEW_KEY:
            self._take_key(line, peer, message, head)
        elif code in (ECHO, CUT_BEGIN, CUT_END):
            line.step(SessionStep.ECHO if code == ECHO else SessionStep.CUT_OVER)
            self._answer(line, peer, message, head, codes.APPROVED)
        else:
            self._answer(line, peer, message, head, codes.INVALID_TRANSACTION)

    def _signed_on(self, line: Line) -> None:
        line.step(SessionStep.SIGN_ON)
        if self._board.peers[line.peer].mac is None:
            self._board.trust(line)
        self._ready(line.peer)
        self._grow_old(line.peer)

    def _answer(self, line: Line, peer: Peer, message: Message, head: Frame | None, code: str) -> None:
        self._board.answer(peer, line.number, head, answer_to(message, {39: code}, peer))

    def _ask(
        self, line: Line, code: str, then: Callable[[], None], extra: dict[int, Value] | None = None
    ) -> None:
        board = self._board
        peer, trace = board.peers[line.peer], board.next_trace()
        message = network(
            peer,
            own=board.config.institution,
            trace=trace,
            now_micros=board.now,
            code=code,
            extra=extra or {},
        )
        self._asked[line.peer, line.number, trace] = code, then
        board.answer(peer, line.number, None, message)

    def _replied(self, line: Line, message: Message) -> None:
        asked = self._asked.pop((line.peer, line.number, message.text(11)), None)
        if asked is None:
            self._board.count("unmatched", line.peer)
        elif message.text(39) == codes.APPROVED:
            asked[1]()
        else:
            self._board.count(f"network_{asked[0]}_refused", line.peer)

    def _ask_sign_on(self, line: Line) -> None:
        line.step(SessionStep.ASK)
        self._ask(line, SIGN_ON, partial(self._signed_on, line))

    def _echo(self, line: Line) -> None:
        """A line that stays silent is no line; one that was not signed on is asked again."""
        board = self._board
        if line.state is SessionState.DOWN:
            return
        rules = board.peers[line.peer]
        if line.misses >= rules.echo_misses:
            board.close(line, "silent")
            return
        line.echo = board.start(rules.echo_ms, partial(self._echo, line))
        if rules.sign_on is SignOn.WE and may(SESSION_STEPS, line.state, SessionStep.ASK):
            line.misses += 1
            self._ask_sign_on(line)
        elif rules.terminals:
            line.misses += 1  # a terminal is asked nothing: who says nothing for long is gone
        elif line.signed_on and rules.sign_on is not SignOn.PEER:
            line.misses += 1
            self._ask(line, ECHO, partial(line.step, SessionStep.ECHO))

    def cut_over(self, code: str, business_date: str) -> None:
        """The business date changes (201), or has changed (202): say so to all who are signed on."""
        extra: dict[int, Value] = {15: business_date[5:7] + business_date[8:10]}
        for name, lines in self._board.lines.items():
            if self._board.peers[name].terminals:
                continue
            for line in [line for line in lines.values() if line.signed_on]:
                self._ask(line, code, partial(line.step, SessionStep.CUT_OVER), extra)

    def _grow_old(self, peer: str) -> None:
        """From the first line on, let a peer's keys be exchanged by age, the PIN key half a minute later."""
        rules = self._board.peers[peer]
        if rules.exchange is None or not rules.exchange.every_s:
            return
        for pin in [pin for pin in (False, True) if (rules.pin if pin else rules.mac) is not None]:
            if (peer, pin) not in self._aging:
                self._aging.add((peer, pin))
                after_ms = rules.exchange.every_s * 1000 + pin * _APART_MS
                self._board.start(after_ms, partial(self._too_old, peer, pin, after_ms))

    def _too_old(self, peer: str, pin: bool, after_ms: int) -> None:
        try:
            self.offer_key(peer, pin=pin)
        except Usage:  # no line, or an exchange is under way
            after_ms = min(after_ms, _APART_MS)
        rules = self._board.peers[peer].exchange
        if rules is not None:
            again_ms = after_ms if after_ms <= _APART_MS else rules.every_s * 1000
            self._board.start(again_ms, partial(self._too_old, peer, pin, rules.every_s * 1000))

    def offer_key(self, peer: str, *, pin: bool) -> None:
        """Draw a new key for a peer and send it, wrapped; it is used from the peer's yes on."""
        if peer not in self._board.peers:
            raise Usage(f"no peer {peer}", where="exchange of keys", fix="one of the file's peers")
        rules, line = self._board.peers[peer], self._board.ready_line(peer)
        old = rules.pin if pin else rules.mac
        if line is None or rules.exchange is None or old is None:
            raise Usage("no key to exchange, or no line", where=f"peers.{peer}", fix="configure exchange")
        if not may(SESSION_STEPS, line.state, SessionStep.OFFER_KEY):
            raise Usage("an exchange is under way", where=f"peers.{peer}", fix="wait for its end")
        line.step(SessionStep.OFFER_KEY)
        self._draw(line, rules.exchange, old.key, pin, _NAMES_TRIED)

    def _draw(self, line: Line, exchange: KeyExchange, old: str, pin: bool, tries: int) -> None:
        self._skipped[line.peer, pin] += 1  # a name serves once, whatever becomes of it
        name = next_key(old, self._skipped[line.peer, pin])
        step = WrapNewKey(name=name, under=exchange.under, size=exchange.size)
        self._board.ask((step,), partial(self._drawn, line, exchange, old, name, pin, tries))

    def _drawn(
        self,
        line: Line,
        exchange: KeyExchange,
        old: str,
        name: str,
        pin: bool,
        tries: int,
        made: tuple[bytes, ...],
        refused: int,
    ) -> None:
        if refused >= 0:
            if tries > 1 and refused < FAULTED:  # the name may be of an earlier life of the switch
                self._draw(line, exchange, old, pin, tries - 1)
                return
            self._board.count("key_fault", line.peer)
            self._exchanged(line)
            return
        which = _PIN_KEY if pin else _MAC_KEY
        extra: dict[int, Value] = {48: made[0].decode(), 53: which + "6" + "0" * 14}
        self._ask(line, NEW_KEY, partial(self._taken, line, name, pin, made[0].decode()), extra)
        self._board.start(self._board.peers[line.peer].timeout_ms, partial(self._exchanged, line))

    def _taken(self, line: Line, name: str, pin: bool, block: str) -> None:
        self._exchanged(line)
        self._switch_key(line.peer, name, pin=pin, block=block)

    def _exchanged(self, line: Line) -> None:
        if line.state is SessionState.EXCHANGING:  # it may have signed off meanwhile
            line.step(SessionStep.TAKE_KEY)

    def _take_key(self, line: Line, peer: Peer, message: Message, head: Frame | None) -> None:
        pin = message.text(53)[:1] == _PIN_KEY
        old = peer.pin if pin else peer.mac
        if peer.exchange is None or old is None or message.text(53)[:1] not in (_PIN_KEY, _MAC_KEY):
            self._answer(line, peer, message, head, codes.INVALID_TRANSACTION)
            return
        name = next_key(old.key, 1 + self._skipped[line.peer, pin])
        step = UnwrapKey(block=message.text(48), under=peer.exchange.under, name=name)
        self._board.ask((step,), partial(self._unwrapped, line, message, head, name, pin))

    def _unwrapped(
        self,
        line: Line,
        message: Message,
        head: Frame | None,
        name: str,
        pin: bool,
        _: tuple[bytes, ...],
        refused: int,
    ) -> None:
        if refused >= 0:
            self._skipped[line.peer, pin] += 1
        if refused < 0 and may(SESSION_STEPS, line.state, SessionStep.TAKE_KEY):
            line.step(SessionStep.TAKE_KEY)
            self._switch_key(line.peer, name, pin=pin, block=message.text(48))
        peer = self._board.peers[line.peer]
        self._answer(line, peer, message, head, codes.APPROVED if refused < 0 else codes.FAULT)

    def _switch_key(self, peer: str, name: str, *, pin: bool, block: str) -> None:
        board = self._board
        rules = board.peers[peer]
        former = rules.pin.key if pin and rules.pin is not None else rules.mac.key if rules.mac else ""
        board.count("keys_exchanged", peer)
        self._skipped[peer, pin] = 0
        self._use_key(peer, name, pin=pin)
        (board.former_pins if pin else board.former_keys)[peer] = former
        if rules.exchange is not None:
            board.start(rules.exchange.overlap_ms, partial(self._forget_key, peer, former, pin))
        self._exchanges[peer, pin] += 1
        board.write((key_record(board, peer, name, pin, self._exchanges[peer, pin], block),), _written)

    def _use_key(self, peer: str, name: str, *, pin: bool) -> None:
        rules = self._board.peers[peer]
        if pin and rules.pin is not None:
            self._board.peers[peer] = replace(rules, pin=replace(rules.pin, key=name))
        elif not pin and rules.mac is not None:
            self._board.peers[peer] = replace(rules, mac=replace(rules.mac, key=name))

    def recall_key(self, record: Record) -> None:
        """After a restart: the key that was agreed last, where the key service still has it."""
        pin = record.kind == _PIN_RECORD
        if record.source in self._board.peers:
            self._exchanges[record.source, pin] = record.version
            self._use_key(record.source, record.note, pin=pin)

    def _forget_key(self, peer: str, former: str, pin: bool) -> None:
        held = self._board.former_pins if pin else self._board.former_keys
        if held.get(peer) == former:
            del held[peer]
        rules = self._board.peers.values()
        if former not in {rule.key for one in rules for rule in (one.mac, one.pin) if rule is not None}:
            self._board.ask((DropKeys(names=(former,)),), _dropped)


def next_key(name: str, steps: int = 1) -> str:
    """The name of a key's next version: ``zone_mac/TDES/1@bank`` becomes ``zone_mac/TDES/2@bank``."""
    body, at, owner = name.partition("@")
    purpose, algorithm, version = body.split("/")
    return f"{purpose}/{algorithm}/{int(version) + steps}{at}{owner}"


def key_id(peer: str, *, pin: bool) -> bytes:
    """Under what the journal keeps the name of a key that was exchanged."""
    return make_id("switch.key", peer, _PIN_RECORD if pin else _MAC_RECORD)


def key_record(board: Board, peer: str, name: str, pin: bool, version: int, block: str) -> Record:
    """That a key is in use: its name, and the block that it came in, should the key service begin anew."""
    return Record(
        entity=Entity.KEY, id=key_id(peer, pin=pin), version=version, state="in_use", source=peer, target="",
        kind=_PIN_RECORD if pin else _MAC_RECORD, at_micros=board.now, business_date=board.business_date,
        request=Message(mti="0800", fields={48: block}), note=name,
    )  # fmt: skip


def _dropped(_: tuple[bytes, ...], refused: int) -> None:
    """A key of a ceremony stays."""


def _written(_: Mapping[bytes, Record]) -> None:
    """Nobody waits for it."""
