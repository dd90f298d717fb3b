"""A purse topped up at a terminal (圈存): the card's question goes to its issuer over the till's line, MAC2 comes back.

JR/T 0025.1 (INITIALIZE and CREDIT FOR LOAD); messages by `jinka.acquirer.PurseLoads`, whose dialects need field 103:
ISO 8583:1987 and its heirs, not UnionPay's terminals. A load is written down before it is asked. One that got no
answer, or whose card left at the credit, is open until the card is back: then its TAC, or its answer to the issuer's
challenge, says how it ended. Nothing is ever given back on the terminal's word.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

from jinka.acquirer import NoAnswer
from jinka.acquirer.purse_loads import PurseLoads, Way, id_of
from jinka.app.card_link import CardPlace, card_at
from jinka.app.card_script import ResettableLink
from jinka.app.pos_config import opened_till, read_pos_file
from jinka.codec.iso8583 import Message
from jinka.codec.iso8583.purse_load import CARD_FIELD
from jinka.kit import Clock, Refused, Usage
from jinka.node.system import SystemClock
from jinka.node.till_journal import SealedLog
from jinka.terminal import LoadRequest, LoadTerminal, Till, parse_track2
from jinka.terminal.reading import read_public, select

_OPEN = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingLoad:
    """One load as the terminal keeps it; ``ended`` is empty while it is open."""

    load: bytes
    card_no: bytes
    amount_fen: int
    at: dt.datetime
    tac: bytes = b""
    ended: str = _OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """What came of it. ``status``: confirmed, open, refused; ``balance_fen`` where the card credited itself."""

    status: str
    amount_fen: int
    load: str
    card: str  # masked
    balance_fen: int | None = None
    settled: dict[str, str] = field(default_factory=dict)  # earlier loads of the card: id -> how each ended


class TillWire:
    """Implements `jinka.acquirer.network.Wire` over a till's line."""

    def __init__(self, till: Till) -> None:
        self._till = till
        if CARD_FIELD not in till.messages.codec.spec.fields:
            raise Usage(
                "the dialect cannot name a purse",
                where="host.dialect",
                fix="one of ISO 8583:1987, with field 103",
            )

    def ask(self, message: Message) -> Message:
        """The answer; `NoAnswer` when none came that can be believed."""
        known = self._till.messages.codec.spec.fields
        answer = self._till.exchange(message.changed({n: None for n in message.fields if n not in known}))
        if answer is None:
            raise NoAnswer("no answer", where="host")
        return answer


class PurseCounter:
    """``money``: way, bank card and PIN block of a payment by card; cash without it."""

    def __init__(
        self,
        loads: PurseLoads,
        terminal: LoadTerminal,
        log: SealedLog[PendingLoad],
        now: Callable[[], dt.datetime],
    ) -> None:
        self._loads, self._terminal, self._log, self._now = loads, terminal, log, now
        self._known = {load.load: load for load in log.entries()}

    @property
    def open_loads(self) -> list[PendingLoad]:
        """What is not known to have ended."""
        return [load for load in self._known.values() if load.ended == _OPEN]

    def top_up(
        self, link: ResettableLink, amount_fen: int, aid: bytes, *, pan: str = "", pin_block: bytes = b""
    ) -> TopUp:
        """Load a purse; earlier loads of this card are settled first. Raises what the card or the issuer refuse."""
        select(link, aid)
        card_no = read_public(link).card_no
        settled = self.settle(link, card_no)
        link.reset()
        turn = _Turn(self, Way.CARD if pan else Way.CASH, pan, pin_block)
        try:
            record = self._terminal.load(link, amount_fen, self._now(), turn)
        except NoAnswer:
            return self._told(turn, amount_fen, card_no, settled)
        if record.tac is not None and turn.load is not None:
            turn.load = self.note(replace(turn.load, tac=record.tac))
            self.tell(turn.load)
        told = self._told(turn, amount_fen, card_no, settled)
        return replace(told, balance_fen=record.balance if record.tac is not None else None)

    def settle(self, link: ResettableLink, card_no: bytes) -> dict[str, str]:
        """Let a card prove how its open loads ended."""
        ended: dict[str, str] = {}
        for load in [load for load in self.open_loads if load.card_no == card_no]:
            if load.tac:
                self.tell(load)
            else:
                state = self._loads.state(card_no, load.load)
                if state == "authorised":
                    link.reset()
                    answer = self._terminal.question(link, self._loads.challenge(card_no, load.load))
                    state = self._loads.disprove(card_no, load.load, answer)
                self.note(replace(load, ended=state or "never came"))
            ended[load.load.hex()] = self._known[load.load].ended or "open"
        return ended

    def tell(self, load: PendingLoad) -> None:
        """Bring the card's TAC to the issuer; without an answer it stays to be told."""
        try:
            self._loads.confirm(load.card_no, load.load, load.tac)
        except NoAnswer:
            return
        self.note(replace(load, ended="confirmed"))

    def tell_all(self) -> list[PendingLoad]:
        """Tell what has a TAC; what is left has to wait for its card."""
        for load in self.open_loads:
            if load.tac:
                self.tell(load)
        return self.open_loads

    def note(self, load: PendingLoad) -> PendingLoad:
        """Keep a load as it stands now; durable when it returns."""
        self._log.write(load)
        self._known[load.load] = load
        return load

    def ask(self, turn: _Turn, request: LoadRequest) -> bytes:
        """MAC2 of a load that is written down before it is asked."""
        now = self._now()
        turn.load = self.note(
            PendingLoad(load=id_of(request), card_no=request.card_no, amount_fen=request.amount, at=now)
        )
        try:
            return self._loads.authorise(request, turn.way, pan=turn.pan, pin_block=turn.pin_block)
        except Refused:
            turn.load = self.note(replace(turn.load, ended="refused"))
            raise

    def _told(self, turn: _Turn, amount_fen: int, card_no: bytes, settled: dict[str, str]) -> TopUp:
        load = self._known[turn.load.load] if turn.load is not None else None
        number = card_no.hex().lstrip("0")
        return TopUp(
            status="open" if load is None or load.ended == _OPEN else load.ended, amount_fen=amount_fen,
            load="" if load is None else load.load.hex(), card="*" * (len(number) - 4) + number[-4:],
            settled=settled,
        )  # fmt: skip


@dataclass(slots=True)
class _Turn:
    """One load on its way: stands between the load terminal and its authority."""

    counter: PurseCounter
    way: Way
    pan: str
    pin_block: bytes
    load: PendingLoad | None = None

    def authorise(self, request: LoadRequest) -> bytes:
        """The authority's MAC2 (`jinka.terminal.LoadAuthority`)."""
        return self.counter.ask(self, request)


def loads_of(till: Till, clock: Clock) -> PurseLoads:
    """The messages of loads over a till's line. Their numbers begin elsewhere after each start: none is kept."""
    facts = till.messages.facts
    return PurseLoads(
        TillWire(till), clock, count(clock.now_micros() // 1000), institution=facts.institution,
        terminal=facts.terminal, merchant=facts.merchant,
    )  # fmt: skip


def top_up(
    path: Path, place: CardPlace, amount_fen: int, *, track2: str = "", pin: str | None = None
) -> TopUp:
    """Load the purse of a card by the terminal of a file; cash, or a bank card's stripe data with its PIN."""
    file = read_pos_file(path)
    if file.purse is None:
        raise Usage("no table [purse]", where=str(path), fix="see docs/pos-atm.md")
    with opened_till(file) as till:
        till.make_ready()
        clock = SystemClock()
        log = SealedLog(
            file.folder / "loads",
            till.pad,
            PendingLoad,
            magic=b"JPL1",
            context=f"jinka.loads/1|{file.facts.terminal}",
        )
        counter = PurseCounter(
            loads_of(till, clock), LoadTerminal(file.purse, till.now().date()), log, till.now
        )
        counter.tell_all()
        pan = parse_track2(track2).pan if track2 else ""
        block = till.pad.pin_block(pin, pan) if pan and pin else b""
        with card_at(place, keep=True) as link:
            return counter.top_up(link, amount_fen, file.purse.aid, pan=pan, pin_block=block)
