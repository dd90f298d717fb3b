"""Terminals that sign in for working keys of their own, and what they may do before and after.

UnionPay's terminals (0800 with field 60: type, batch, network management code; 0810 with the keys in field 62), as
published terminals speak; no text of the specification is public. Which code asks for which layout is the peer's
setting. The keys are drawn by the key service and known here by name. Who has not signed in, and whose batch is
settled, gets 77. Track keys (code 004) are not given. A sign-in proves nothing of who sends it: what it gives is of
use only to who has the terminal's master key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from jinka.codec.framing import Frame
from jinka.codec.iso8583.message import Message, Value
from jinka.kit import make_id
from jinka.switch import codes
from jinka.switch.board import Board, Line
from jinka.switch.config import Peer, Terminal
from jinka.switch.keywork import FAULTED, DropKeys, GiveTerminalKeys
from jinka.switch.messages import answer_to
from jinka.switch.record import Entity, Record, kept
from jinka.switch.states import TERMINAL_STEPS, TerminalState, TerminalStep, may, take

Dispatch = Callable[[Line, Peer, Message, bytes, Frame | None], None]
SIGN_OFF, UPLOAD_ENDS = "002", ("202", "207")
_BATCH_MAX = 999_999


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A terminal as it stands, and the rules under which it is spoken to."""

    record: Record
    state: TerminalState
    pin: str
    mac: str
    batch: str
    rules: Peer


class Terminals:
    """``dispatch`` gets what a terminal sends once it has signed in, under that terminal's own rules."""

    def __init__(self, board: Board, dispatch: Dispatch) -> None:
        self._board, self._dispatch = board, dispatch
        self._known: dict[tuple[str, str], SignIn] = {}

    def receive(self, line: Line, peer: Peer, message: Message, raw: bytes, head: Frame | None) -> None:
        """A message of a peer that has terminals."""
        name = message.text(41).strip()
        declared = peer.terminals.get(name)
        if message.mti[2] in "13":
            self._board.count("unmatched", peer.name)  # a terminal is asked nothing
        elif declared is None or message.text(42).strip() not in ("", declared.merchant):
            self._board.count("unknown_terminal", peer.name)
            self._refuse(line, peer, message, head, codes.UNKNOWN_TERMINAL)
        elif (peer.name, name) in self._known:
            self._go_on(line, peer, declared, message, raw, head)
        else:
            then = partial(self._found, line, peer, declared, message, raw, head)
            self._board.look_up(_id(peer.name, name), then)

    def _found(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, raw: bytes, head: Frame | None,
        record: Record | None,
    ) -> None:  # fmt: skip
        if record is None or _signs_in(message):
            if record is not None:
                self._take(peer, declared.number, record)
            self._go_on(line, peer, declared, message, raw, head)
            return
        there = self._read(peer, record)
        steps = self._board.check_steps(there.rules, message, raw)
        self._board.ask(steps, partial(self._proven, line, peer, declared, message, raw, head, record))

    def _proven(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, raw: bytes, head: Frame | None,
        record: Record, _: tuple[bytes, ...], refused: int,
    ) -> None:  # fmt: skip
        """A sign-in of an earlier life of the switch holds if its keys do: the key service may have begun anew."""
        if refused < 0:
            self._take(peer, declared.number, record)
            self._go_on(line, peer, declared, message, raw, head)
            return
        self._board.count("sign_in_first", peer.name)
        self._refuse(line, peer, message, head, codes.FAULT if refused >= FAULTED else codes.SIGN_ON_FIRST)

    def _go_on(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, raw: bytes, head: Frame | None
    ) -> None:
        there = self._known.get((peer.name, declared.number))
        if _signs_in(message):
            self._sign_in(line, peer, declared, message, head, there)
        elif there is None or not _may_send(there, message):
            self._board.count("sign_in_first", peer.name)
            self._refuse(line, peer, message, head, codes.SIGN_ON_FIRST)
        elif self._board.config.workers > 1:  # it may have signed in elsewhere since
            steps = self._board.check_steps(there.rules, message, raw)
            self._board.ask(steps, partial(self._checked, line, peer, declared, message, raw, head, there))
        else:
            self._pass(line, there, message, raw, head)

    def _checked(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, raw: bytes, head: Frame | None,
        there: SignIn, _: tuple[bytes, ...], refused: int,
    ) -> None:  # fmt: skip
        if refused < 0:
            self._pass(line, there, message, raw, head)
            return
        then = partial(self._found_again, line, peer, declared, message, raw, head, there)
        self._board.look_up(_id(peer.name, declared.number), then)

    def _found_again(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, raw: bytes, head: Frame | None,
        there: SignIn, record: Record | None,
    ) -> None:  # fmt: skip
        if record is not None and record.version > there.record.version:
            there = self._take(peer, declared.number, record)
        if _may_send(there, message):
            self._pass(line, there, message, raw, head)
        else:
            self._refuse(line, peer, message, head, codes.SIGN_ON_FIRST)

    def _pass(self, line: Line, there: SignIn, message: Message, raw: bytes, head: Frame | None) -> None:
        if message.mti[1] == "8":
            then = partial(self._signed_off, line, there, message, head)
            self._board.ask(self._board.check_steps(there.rules, message, raw), then)
        else:
            self._dispatch(line, there.rules, message, raw, head)

    def _refuse(self, line: Line, peer: Peer, message: Message, head: Frame | None, code: str) -> None:
        bare = peer.bare()
        self._board.answer(bare, line.number, head, answer_to(message, {39: code}, bare))

    def _sign_in(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, head: Frame | None,
        there: SignIn | None,
    ) -> None:  # fmt: skip
        layout = peer.sign_ins.get(message.text(60)[8:11])
        if layout is None or peer.mac is None:
            self._refuse(line, peer, message, head, codes.INVALID_TRANSACTION)
            return
        number = self._board.now // 1000  # later than any before, on whatever worker
        owner = declared.master.partition("@")[2]
        pin = f"terminal_pin/{layout.pin_kind}/{number}@{owner}" if peer.pin else ""
        mac = f"terminal_mac/{layout.mac_kind}/{number}@{owner}"
        step = GiveTerminalKeys(master=declared.master, pin=pin, mac=mac, layout=layout)
        then = partial(self._drawn, line, peer, declared, message, head, there, pin, mac)
        self._board.ask((step,), then)

    def _drawn(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, head: Frame | None,
        there: SignIn | None, pin: str, mac: str, made: tuple[bytes, ...], refused: int,
    ) -> None:  # fmt: skip
        there = self._known.get((peer.name, declared.number), there)
        if refused >= 0:
            self._board.count("key_fault", peer.name)
            self._refuse(line, peer, message, head, codes.FAULT)
            return
        state = take(TERMINAL_STEPS, there.state if there else TerminalState.UNKNOWN, TerminalStep.SIGN_IN)
        record = self._record(peer, message, there, state, (pin, mac, _next_batch(there, message)))
        then = partial(self._signed_in, line, peer, declared, message, head, there, record, made[0])
        self._board.write((record,), then)

    def _signed_in(
        self, line: Line, peer: Peer, declared: Terminal, message: Message, head: Frame | None,
        there: SignIn | None, record: Record, keys: bytes, clashes: Mapping[bytes, Record],
    ) -> None:  # fmt: skip
        if clashes:  # it signed in at another worker in this moment: let it try again
            self._take(peer, declared.number, clashes[record.id])
            self._drop(record)
            self._refuse(line, peer, message, head, codes.FAULT)
            return
        new = self._take(peer, declared.number, record)
        self._board.count("signed_in", peer.name)
        if there is not None:
            self._drop(there.record)
        bare = peer.bare()
        custom = message.text(60)
        given: dict[int, Value] = {39: codes.APPROVED, 60: custom[:2] + new.batch + custom[8:], 62: keys}
        self._board.answer(bare, line.number, head, answer_to(message, given, bare))

    def _signed_off(
        self,
        line: Line,
        there: SignIn,
        message: Message,
        head: Frame | None,
        _: tuple[bytes, ...],
        refused: int,
    ) -> None:
        code = codes.APPROVED if refused < 0 else codes.MAC_WRONG
        self._board.answer(there.rules, line.number, head, answer_to(message, {39: code}, there.rules))
        if refused < 0:
            self._move(there, message, TerminalStep.SIGN_OFF)

    def settled(self, peer: str, message: Message) -> None:
        """A terminal's batch is closed: the next begins with a sign-in."""
        there = self._known.get((peer, message.text(41).strip()))
        if there is not None and there.batch == message.text(60)[2:8]:
            self._move(there, message, TerminalStep.SETTLE)

    def _move(self, there: SignIn, message: Message, step: TerminalStep) -> None:
        if not may(TERMINAL_STEPS, there.state, step):
            return
        state = take(TERMINAL_STEPS, there.state, step)
        record = self._record(there.rules, message, there, state, (there.pin, there.mac, there.batch))
        number = message.text(41).strip()
        self._take(there.rules, number, record)
        self._board.write((record,), partial(self._moved, there.rules, number))

    def _moved(self, peer: Peer, number: str, clashes: Mapping[bytes, Record]) -> None:
        for record in clashes.values():
            self._take(peer, number, record)

    def _record(
        self, peer: Peer, message: Message, there: SignIn | None, state: TerminalState,
        facts: tuple[str, str, str],
    ) -> Record:  # fmt: skip
        return Record(
            entity=Entity.TERMINAL, id=_id(peer.name, message.text(41).strip()), state=state.value,
            version=there.record.version + 1 if there else 1, kind="sign_in", source=peer.name, target="",
            at_micros=self._board.now, business_date=self._board.business_date, request=kept(message),
            note=" ".join(fact or "-" for fact in facts),
        )  # fmt: skip

    def _take(self, peer: Peer, number: str, record: Record) -> SignIn:
        made = self._read(peer, record)
        self._known[peer.name, number] = made
        self._board.at_terminals[peer.name, number] = made.rules
        return made

    def _read(self, peer: Peer, record: Record) -> SignIn:
        pin, mac, batch = record.note.split(" ")
        rules = self._board.peers[peer.name]
        if rules.mac is not None:
            rules = replace(rules, mac=replace(rules.mac, key=mac))
        if rules.pin is not None:
            rules = replace(rules, pin=replace(rules.pin, key=pin))
        return SignIn(
            record=record, state=TerminalState(record.state), pin=pin, mac=mac, batch=batch, rules=rules
        )

    def _drop(self, record: Record) -> None:
        names = tuple(name for name in record.note.split(" ")[:2] if name != "-")
        self._board.ask((DropKeys(names=names),), _dropped)


def _dropped(_: tuple[bytes, ...], refused: int) -> None:
    """Those of an earlier life of the key service are gone already."""


def _signs_in(message: Message) -> bool:
    return message.mti[1] == "8" and message.text(60)[8:11] != SIGN_OFF


def _may_send(there: SignIn, message: Message) -> bool:
    """Whether the terminal's state and batch let the message pass."""
    custom = message.text(60)
    if custom and custom[2:8] != there.batch:
        return False
    if there.state is TerminalState.SETTLED:
        return message.mti[1] in "358"  # a repeat of its totals, the end of its upload, its sign-off
    return there.state is TerminalState.SIGNED_IN


def _next_batch(there: SignIn | None, message: Message) -> str:
    """The batch of a sign-in: the terminal's own at first, later ours, and the next one after a settlement."""
    if there is None:
        claimed = message.text(60)[2:8]
        return claimed if claimed.strip("0") else "000001"
    if there.state is not TerminalState.SETTLED:
        return there.batch
    return f"{int(there.batch) % _BATCH_MAX + 1:06d}"


def _id(peer: str, number: str) -> bytes:
    return make_id("switch.terminal", peer, number)
