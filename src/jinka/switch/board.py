"""What the parts of the core share: the time, the lines, who waits for which answer, and the effects of one step.

A part that asks for something outside gives a continuation; the board hands it the answer. So no part keeps half a
thought anywhere else, and what is waiting can be counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import EncodeError, Message
from jinka.codec.iso8583.spec import Coding
from jinka.switch.codes import MAC_WRONG, SIGN_ON_FIRST
from jinka.switch.config import Peer, SwitchConfig
from jinka.switch.events import (
    AskKeys,
    Close,
    Effect,
    LookUp,
    Send,
    StartTimer,
    StopTimer,
    SumUp,
    Trust,
    Write,
)
from jinka.switch.keywork import FAULTED, CheckMac, KeyStep, MakeMac, mac_data
from jinka.switch.record import Record, entry_of
from jinka.switch.states import SESSION_STEPS, SessionState, SessionStep, take
from jinka.switch.totals import PeerTotals

_SIGNED = frozenset({SessionState.READY, SessionState.EXCHANGING})
_BLANK8 = bytes(8)
_REFUSALS = {SIGN_ON_FIRST: "not_signed_on", MAC_WRONG: "mac_wrong"}  # and why the line is closed in the end


def _nothing() -> None:
    """What most do when a message cannot be sealed: the peer repeats, or a timer runs out."""


class Line:
    """One line to a peer, and the session on it."""

    __slots__ = ("echo", "garbage", "misses", "number", "peer", "proven", "refused", "state")

    def __init__(self, peer: str, number: int) -> None:
        self.peer, self.number = peer, number
        self.state = SessionState.DOWN
        self.garbage = self.misses = self.echo = self.refused = 0
        self.proven = False

    def step(self, step: SessionStep) -> None:
        """Take a step of the session's table."""
        self.state = take(SESSION_STEPS, self.state, step)

    @property
    def signed_on(self) -> bool:
        """Whether transactions may pass."""
        return self.state in _SIGNED


class Board:
    """``now`` is the time of the step, microseconds UTC."""

    def __init__(self, config: SwitchConfig, *, now_micros: int, business_date: str) -> None:
        self.config, self.now, self.business_date = config, now_micros, business_date
        self.lines: dict[str, dict[int, Line]] = {name: {} for name in config.peers}
        self.counts: Counter[tuple[str, str]] = Counter()  # (what, peer)
        self.effects: list[Effect] = []
        self.reading: Line | None = None  # whose message this step is about
        self._waiting: dict[int, Callable[..., None]] = {}
        self._token = 0
        self._turn = 0
        self._trace = self._reference = 0
        self.mac_widths = {
            name: 16 if peer.codec.spec.fields[peer.mac.field].coding is Coding.HEX else 8
            for name, peer in config.peers.items()
            if peer.mac
        }
        self.former_keys: dict[str, str] = {}  # of MACs, just after an exchange
        self.former_pins: dict[str, str] = {}
        self.peers = dict(config.peers)  # a key exchange replaces a peer's rules
        self.at_terminals: dict[tuple[str, str], Peer] = {}  # rules with the keys of one terminal

    @property
    def waiting(self) -> int:
        """How many answers are awaited, timers included."""
        return len(self._waiting)

    def rules(self, peer: str, message: Message) -> Peer:
        """The rules for whoever sent a message: a peer's, or with terminals those of the terminal."""
        rules = self.peers[peer]
        if not rules.terminals:
            return rules
        return self.at_terminals.get((peer, message.text(41).strip())) or rules.bare()

    def next_trace(self) -> str:
        """A trace number of the switch's own, field 11: workers have residues of their own."""
        self._trace += 1
        return f"{self._own(self._trace, 999_999) + 1:06d}"

    def next_reference(self) -> int:
        """The running number in field 37, six digits: workers have residues of their own."""
        self._reference += 1
        return self._own(self._reference, 1_000_000)

    def start_trace(self, number: int) -> None:
        """Begin where nobody is likely to have been."""
        self._trace = self._reference = number

    def _own(self, count: int, most: int) -> int:
        """The ``count``-th number below ``most`` that is this worker's."""
        workers = self.config.workers
        return count % (most // workers) * workers + self.config.number

    def ready_line(self, peer: str) -> Line | None:
        """A line on which transactions may pass, each in turn."""
        lines = self.lines[peer]
        if len(lines) == 1:
            line = next(iter(lines.values()))
            return line if line.signed_on else None
        ready = [line for line in lines.values() if line.signed_on]
        self._turn += 1
        return ready[self._turn % len(ready)] if ready else None

    def count(self, what: str, peer: str = "") -> None:
        """Count for the metrics."""
        self.counts[what, peer] += 1

    def answered(self, token: int, *answer: Any) -> None:
        """Go on with whoever waits; an answer that nobody waits for any more is dropped."""
        then = self._waiting.pop(token, None)
        if then is not None:
            then(*answer)

    def _await(self, then: Callable[..., None]) -> int:
        self._token += 1
        self._waiting[self._token] = then
        return self._token

    def write(self, records: Sequence[Record], then: Callable[[Mapping[bytes, Record]], None]) -> None:
        """Make records durable, then go on with the clashes."""
        self.effects.append(Write(token=self._await(then), entries=tuple(map(entry_of, records))))

    def look_up(self, tx: bytes, then: Callable[[Record | None], None]) -> None:
        """Find a record in the journal."""
        self.effects.append(LookUp(token=self._await(then), tx=tx))

    def sum_up(self, business_date: str, then: Callable[[Mapping[str, PeerTotals]], None]) -> None:
        """Add up a business date."""
        self.effects.append(SumUp(token=self._await(then), business_date=business_date))

    def ask(self, steps: tuple[KeyStep, ...], then: Callable[[tuple[bytes, ...], int], None]) -> None:
        """Ask the key service; without steps go on at once."""
        if not steps:
            then((), -1)
            return
        line = self.reading
        if line is not None and (line.refused or not line.proven) and isinstance(steps[0], CheckMac):
            then = partial(self._checked, line, then)
        self.effects.append(AskKeys(token=self._await(then), steps=steps))

    def _checked(
        self,
        line: Line,
        then: Callable[[tuple[bytes, ...], int], None],
        made: tuple[bytes, ...],
        refused: int,
    ) -> None:
        if refused not in (0, FAULTED):  # the first step was the MAC
            self.trust(line)
        then(made, refused)

    def trust(self, line: Line) -> None:
        """The peer has proven itself on a line."""
        line.refused = 0
        if not line.proven:
            line.proven = True
            self.effects.append(Trust(peer=line.peer, line=line.number))

    def _complain(self, peer: str, number: int, reason: str) -> None:
        """One more refusal: who sends nothing else is heard no longer."""
        line = self.lines[peer].get(number)
        if line is None or (reason == "not_signed_on" and self.peers[peer].terminals):
            return  # many terminals share a line, and all of them may have to sign in again
        line.refused += 1
        if line.refused == self.peers[peer].refusals_max:
            self.close(line, reason)

    def start(self, after_ms: int, then: Callable[[], None]) -> int:
        """Start a timer; returns what `stop` takes."""
        token = self._await(then)
        self.effects.append(StartTimer(token=token, after_ms=after_ms))
        return token

    def stop(self, token: int) -> None:
        """Stop a timer, if it runs."""
        if self._waiting.pop(token, None) is not None:
            self.effects.append(StopTimer(token=token))

    def close(self, line: Line, reason: str) -> None:
        """Close a line."""
        self.count(f"closed_{reason}", line.peer)
        self.effects.append(Close(peer=line.peer, line=line.number, reason=reason))

    def check_steps(self, peer: Peer, message: Message, raw: bytes) -> tuple[KeyStep, ...]:
        """The check of a message's MAC, where its peer has one; a message without one is as bad as a wrong one."""
        if peer.mac is None:
            return ()
        value = message.fields.get(peer.mac.field, b"")
        mac = value if isinstance(value, bytes) else value.encode()
        data = mac_data(peer.mac, message, raw, self.mac_widths[peer.name])
        return (CheckMac(rule=peer.mac, data=data, mac=mac, former=self.former_keys.get(peer.name, "")),)

    def seal(
        self,
        peer: Peer,
        message: Message,
        then: Callable[[bytes], None],
        otherwise: Callable[[], None] = _nothing,
    ) -> None:
        """Write a message with its MAC, then go on with its bytes; ``otherwise`` when that cannot be done."""
        try:
            if peer.mac is None:
                raw = peer.codec.encode(message)
            else:
                blank = {**message.fields, peer.mac.field: _BLANK8}  # the codec puts them in order
                raw = peer.codec.encode(Message(mti=message.mti, fields=blank))
        except EncodeError:
            self.count("unwritable", peer.name)
            otherwise()
            return
        if peer.mac is None:
            then(raw)
            return
        width = self.mac_widths[peer.name]
        step = MakeMac(rule=peer.mac, data=mac_data(peer.mac, message, raw, width))
        self.ask((step,), partial(self._sealed, raw[:-width], width, then, otherwise))

    def _sealed(
        self,
        raw: bytes,
        width: int,
        then: Callable[[bytes], None],
        otherwise: Callable[[], None],
        made: tuple[bytes, ...],
        refused: int,
    ) -> None:
        if refused >= 0:
            self.count("key_fault")
            otherwise()
            return
        then(raw + (made[0] if width == 8 else made[0].hex().upper().encode()))

    def answer(self, peer: Peer, line: int, head: Frame | None, message: Message) -> None:
        """Seal and send an answer."""
        code = message.fields.get(39)
        if code in _REFUSALS:
            self._complain(peer.name, line, _REFUSALS[str(code)])
        self.seal(peer, message, partial(self.send, peer.name, line, head=head))

    def send(self, peer: str, line: int, raw: bytes, head: Frame | None = None) -> None:
        """Send on a line, if it is there still."""
        if line in self.lines[peer]:
            self.effects.append(Send(peer=peer, line=line, raw=raw, head=head))
        else:
            self.count("undelivered", peer)
