"""A switch without sockets for `jinka fuzz switch`: cores over one journal in memory, a bank, and time that is told.

What a core asks for is answered in an order that the dice choose; a worker may be killed at any moment. The bank takes
each transaction once and undoes what is reversed (ISO 8583:1987, 4.1); it holds no accounts. MACs and PINs are answered
for by the dice as well: no key is here. Promises that can be seen at once are checked here, `Broken` says which failed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field

from jinka.codec.iso8583 import Codec, DecodeError, Message, dialect
from jinka.crypto.pin_block import PinFormat
from jinka.switch import (
    FAULTED,
    AskKeys,
    CheckMac,
    Close,
    Effect,
    Entity,
    Event,
    Found,
    KeysAnswered,
    LinkDown,
    LinkUp,
    LookUp,
    MacKind,
    MacRule,
    Peer,
    PinRule,
    Received,
    Record,
    Send,
    SignOn,
    StandIn,
    StartTimer,
    StopTimer,
    Summed,
    SumUp,
    SwitchConfig,
    SwitchCore,
    TimerFired,
    Trust,
    Write,
    Written,
    write_record,
)

CODEC: Codec = dialect("iso1987-binary")
BANK, ACQUIRERS = "bank", ("till", "other")
DATE = "2023-11-14"
_KEPT = f"{1:012d}"
_START = 1_700_000_000_000_000
_MAC = MacRule(kind=MacKind.ISO, key="zone_mac/TDES/1@fuzz", field=128)
_PIN = PinRule(key="zone_pin/TDES/1@fuzz", format=PinFormat.ISO_0)
_FAULTY = 0.03

Place = tuple[str, str, str, str]


class Broken(Exception):
    """A promise was broken."""


def place(message: Message) -> Place:
    """What a transaction is known by at the bank: trace number, moment, terminal, acquirer."""
    return message.text(11), message.text(7), message.text(41), message.text(32)


@dataclass
class Bank:
    """Approves, declines, keeps silent, and gives one amount never back. ``took`` leads to whether it stands."""

    took: dict[Place, bool] = field(default_factory=dict)
    codes: dict[Place, str] = field(default_factory=dict)

    def answer(self, message: Message, dice: random.Random) -> Message | None:
        """What it says; None to what is an answer itself."""
        kind, way = message.mti[1], message.mti[2]
        if way not in "02":
            return None
        code = "00"
        if kind == "4":
            code = self._undo(message)
        elif kind in "12":
            code = self._take(message, fact=way == "2", refuses=dice.random() < 0.2)
        given = {n: v for n, v in message.fields.items() if n in (3, 4, 7, 11, 32, 33, 37, 41, 49, 70)}
        mti = f"{message.mti[:2]}{int(way) + 1}0"
        return Message(mti=mti, fields=dict(sorted((given | {39: code}).items())))

    def _take(self, message: Message, *, fact: bool, refuses: bool) -> str:
        key = place(message)
        if key not in self.codes or (fact and self.codes[key] != "00"):
            undone = self.took.get(key) is False
            self.codes[key] = "94" if undone else "51" if refuses and not fact else "00"
            if self.codes[key] == "00":
                self.took[key] = True
        return self.codes[key]

    def _undo(self, message: Message) -> str:
        if 95 in message.fields:
            return "00"  # a part goes back: the transaction stands
        if message.text(4) == _KEPT:
            return "12"
        data = message.text(90)
        key = (data[4:10], data[10:20], message.text(41), message.text(32))
        known = key in self.took
        self.took[key] = False
        return "00" if known else "25"


@dataclass
class Journal:
    """All versions of each record, and who wrote the newest. ``seen`` are the steps of states that were met."""

    records: dict[bytes, list[Record]] = field(default_factory=dict)
    owners: dict[bytes, str] = field(default_factory=dict)
    seen: set[tuple[str, str, str]] = field(default_factory=set)

    def write(self, effect: Write, worker: str) -> dict[bytes, Record]:
        """The clashes; or none, and all entries are kept."""
        records = [entry.record for entry in effect.entries]
        clashes = {
            r.id: self.records[r.id][-1] for r in records if len(self.records.get(r.id, ())) >= r.version
        }
        for record in records if not clashes else ():
            versions = self.records.setdefault(record.id, [])
            before = versions[-1] if versions else None
            if record.version != len(versions) + 1:
                raise Broken("a version is left out")
            said = before.code if before is not None and record.entity is Entity.TRANSACTION else ""
            if said and record.code != said:
                raise Broken(f"the answer {said} became {record.code}")
            write_record(record)
            versions.append(record)
            self.owners[record.id] = worker
            self.seen.add((record.entity.value, before.state if before else "", record.state))
        return clashes


class Worker:
    """One core, and what it waits for. ``bank_lines`` and others are the numbers of its lines."""

    def __init__(self, config: SwitchConfig, journal: Journal, bank: Bank, dice: random.Random) -> None:
        self.config, self.journal, self.bank, self.dice = config, journal, bank, dice
        self.now = _START
        self.counted: set[tuple[str, str]] = set()
        self.told: list[tuple[str, Message]] = []
        self.start()

    def start(self) -> None:
        """A new process on the same journal."""
        self.lines: dict[str, int] = {}
        self.waiting: list[Effect] = []  # for the disk and for keys
        self.timers: dict[int, int] = {}
        self.to_bank: list[bytes] = []
        self._line = 0
        self.core = SwitchCore(
            self.config, now_micros=self.now, business_date=DATE, start_trace=len(self.journal.records)
        )
        mine = [v[-1] for id_, v in self.journal.records.items()
                if self.journal.owners[id_] == self.config.worker]  # fmt: skip
        self.carry_out(self.core.recover(mine, self.now))
        for name in (*ACQUIRERS, BANK):
            self.connect(name)

    def connect(self, name: str) -> None:
        """A line to a peer that has none."""
        if name not in self.lines:
            self._line += 1
            self.lines[name] = self._line
            self.step(LinkUp(peer=name, line=self._line))

    def drop(self, name: str) -> None:
        """The line is gone."""
        if name in self.lines:
            self.step(LinkDown(peer=name, line=self.lines.pop(name)))

    def receive(self, name: str, raw: bytes) -> None:
        """A message on a peer's line, if it has one."""
        if name in self.lines:
            self.step(Received(peer=name, line=self.lines[name], raw=raw))

    def step(self, event: Event) -> None:
        """Let the core take an event."""
        self.now += 1_000
        before = self.core.transactions.memory.open
        self.carry_out(self.core.step(event, self.now))
        self.counted.update((what, peer) for what, peer in self.core.board.counts)
        if self.core.transactions.memory.open > max(before, self.config.open_max):
            raise Broken("more is under way than may be")

    def carry_out(self, effects: list[Effect]) -> None:
        """What is asked of the disk and of the keys waits; the rest is done."""
        for effect in effects:
            if isinstance(effect, Send):
                self._sent(effect)
            elif isinstance(effect, StartTimer):
                self.timers[effect.token] = self.now + effect.after_ms * 1_000
            elif isinstance(effect, StopTimer):
                self.timers.pop(effect.token, None)
            elif isinstance(effect, Close):
                if self.lines.get(effect.peer) == effect.line:
                    self.waiting.append(effect)
            elif not isinstance(effect, Trust):
                self.waiting.append(effect)

    def _sent(self, effect: Send) -> None:
        try:
            message = CODEC.decode(effect.raw)
        except DecodeError as error:
            raise Broken(f"what was sent cannot be read: {error}") from None
        if effect.peer == BANK:
            if self.lines.get(BANK) == effect.line:
                self.to_bank.append(effect.raw)
            return
        self.told.append((effect.peer, message))
        if (
            message.mti[1:3] in ("11", "13", "21", "23")
            and message.text(39) == "00"
            and not self._kept(effect.peer, message)
        ):
            raise Broken("an approval was told that is not kept")

    def _kept(self, peer: str, answer: Message) -> bool:
        return any(
            v[-1].source == peer and v[-1].request.text(11) == answer.text(11) and v[-1].code == "00"
            for v in self.journal.records.values()
        )

    def go_on(self, at: int, *, honest: bool) -> None:
        """Answer one of the things that are waited for. The disk keeps its order."""
        effect = self.waiting.pop(at)
        if isinstance(effect, Write):
            first = next((e for e in self.waiting[:at] if isinstance(e, Write)), None)
            if first is not None:  # it was asked for before
                self.waiting[self.waiting.index(first)] = effect
                effect = first
            clashes: Mapping[bytes, Record] = self.journal.write(effect, self.config.worker)
            self.step(Written(token=effect.token, clashes=clashes))
        elif isinstance(effect, LookUp):
            found = self.journal.records.get(effect.tx)
            self.step(Found(token=effect.token, record=found[-1] if found else None))
        elif isinstance(effect, SumUp):
            self.step(Summed(token=effect.token, totals={}))
        elif isinstance(effect, AskKeys):
            self._keys(effect, honest=honest)
        elif isinstance(effect, Close) and self.lines.get(effect.peer) == effect.line:
            self.drop(effect.peer)

    def _keys(self, effect: AskKeys, *, honest: bool) -> None:
        results = tuple(b"" if isinstance(step, CheckMac) else bytes(8) for step in effect.steps)
        refused = -1
        if not honest and self.dice.random() < _FAULTY:
            refused = self.dice.randrange(len(effect.steps)) + self.dice.choice((0, FAULTED))
        self.step(KeysAnswered(token=effect.token, results=results, refused=refused))

    def bank_works(self) -> None:
        """The bank takes one message that lies before it, and answers."""
        if self.to_bank:
            answer = self.bank.answer(CODEC.decode(self.to_bank.pop(0)), self.dice)
            if answer is not None:
                self.receive(BANK, CODEC.encode(answer))

    def fire(self, token: int) -> None:
        """A timer runs out: it is that late by now."""
        self.now = max(self.now, self.timers.pop(token))
        self.step(TimerFired(token=token))

    def come_to_rest(self) -> None:
        """Everything that waits is allowed to happen."""
        for _ in range(4_000):
            for name in (*ACQUIRERS, BANK):
                self.connect(name)
            if self.waiting:
                self.go_on(0, honest=True)
            elif self.to_bank:
                self.bank_works()
            elif self.core.forwarding.depth(BANK) or self.core.transactions.memory.open:
                if not self.timers:
                    raise Broken("something is under way and nothing would end it")
                self.fire(min(self.timers, key=lambda token: self.timers[token]))
            else:
                return
        raise Broken("it does not come to rest")


def config_of(dice: random.Random, worker: int, workers: int) -> SwitchConfig:
    """A switch with two acquirers and a bank; what may differ between networks differs."""
    mac = _MAC if dice.random() < 0.3 else None

    def peer(name: str, number: str, sign_on: SignOn) -> Peer:
        return Peer(
            name=name, codec=CODEC, institution=number, sign_on=sign_on, mac=mac, pin=_PIN, timeout_ms=5_000,
            retry_ms=1_000, retry_max_ms=8_000, echo_ms=60_000, forward_window=dice.choice((1, 32)),
        )  # fmt: skip

    till = dice.choice((SignOn.NONE, SignOn.PEER))
    return SwitchConfig(
        institution="88001",
        peers={
            "till": peer("till", "101", till),
            "other": peer("other", "103", SignOn.NONE),
            BANK: peer(BANK, "202", dice.choice((SignOn.NONE, SignOn.WE))),
        },
        routes={"622848": BANK},
        stand_in={BANK: StandIn(kinds=frozenset({"purchase"}), each_fen=5_000, card_fen=8_000, card_count=3)},
        closed_kept=dice.choice((2, 50)),
        open_max=dice.choice((5, 1_000)),
        worker=str(worker),
        workers=workers,
    )
