"""Shared ground of the switch's tests: peers, keys, requests, and a world in memory that runs the core without I/O."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from jinka.codec.iso8583 import Codec, Message, dialect
from jinka.crypto.pin_block import PinFormat
from jinka.node.switch_keys import KeyDesk
from jinka.store import SwitchJournal
from jinka.switch import (
    JOURNAL_STATES,
    AskKeys,
    Close,
    Counted,
    Effect,
    Entity,
    Entry,
    Event,
    Found,
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
    Write,
    Written,
    peer_totals,
)
from tests.keys.payments import rig
from tests.switch.bank import Bank

CODEC: Codec = dialect("iso1987-binary")
START = 1_700_000_000_000_000
DATE = "2023-11-14"
OWN = "88001"
PANS = tuple(f"62284800000{n:05d}" for n in range(8))
MAC = MacRule(kind=MacKind.ISO, key="zone_mac/TDES/1@bank", field=128)
TILL_PIN = PinRule(key="zone_pin/TDES/1@bank", format=PinFormat.ISO_0)
BANK_PIN = PinRule(key="zone_pin/TDES/2@bank", format=PinFormat.ISO_0)


def peer(name: str, **changes: Any) -> Peer:
    return replace(
        Peer(name=name, codec=CODEC, institution="101" if name == "till" else "202", echo_ms=3_600_000),
        **changes,
    )


def config(*, till: Mapping[str, Any] = {}, bank: Mapping[str, Any] = {}, **changes: Any) -> SwitchConfig:
    made = SwitchConfig(
        institution=OWN,
        peers={"till": peer("till", **till), "bank": peer("bank", **bank)},
        routes={"622848": "bank"},
        stand_in={
            "bank": StandIn(
                kinds=frozenset({"purchase"}), each_fen=5_000, card_fen=8_000, card_count=3,
                blocked=frozenset({PANS[7]}),
            )
        },
    )  # fmt: skip
    return replace(made, **changes)


def request(trace: int, *, pan: str = PANS[0], fen: int = 1_000, mti: str = "0200", code: str = "000000",
            moment: str = "1114221320", **more: Any) -> Message:  # fmt: skip
    fields: dict[int, Any] = {
        2: pan, 3: code, 4: f"{fen:012d}", 7: moment, 11: f"{trace:06d}", 12: "221320", 13: "1114", 25: "00", 32: "101",
        41: "T0000001", 42: "M00000000000001", 49: "156",
    }  # fmt: skip
    fields |= {int(name[1:]): value for name, value in more.items()}
    return Message(mti=mti, fields=dict(sorted((n, v) for n, v in fields.items() if v is not None)))


def reversal(original: Message, trace: int) -> Message:
    data = f"{original.mti}{original.text(11)}{original.text(7)}{'101'.zfill(11)}{'0' * 11}"
    return original.changed({7: "1114221400", 11: f"{trace:06d}", 90: data, 52: None, 128: None}, "0400")


class Kept(dict[bytes, list[Record]]):
    """All versions of each record. The rules are those of the workers' `SwitchJournal`, where there is a ``disk``."""

    def __init__(self, disk: Callable[[str], SwitchJournal] | None = None) -> None:
        super().__init__()
        self._disk = disk
        self._owners: dict[bytes, str] = {}  # which worker wrote the newest version

    def write(self, entries: Sequence[Entry], worker: str = "0") -> Mapping[bytes, Record]:
        if self._disk is not None:
            [clashes] = self._disk(worker).write([entries])
        else:
            ids = [e.record.id for e in entries if len(self.get(e.record.id, ())) >= e.record.version]
            clashes = {id_: self[id_][-1] for id_ in ids}
        if not clashes:
            for entry in entries:
                assert entry.record.state in JOURNAL_STATES
                self.setdefault(entry.record.id, []).append(entry.record)
                self._owners[entry.record.id] = worker
        return clashes

    def find(self, id_: bytes) -> Record | None:
        if self._disk is not None:
            return self._disk("").find(id_)
        found = self.get(id_)
        return found[-1] if found else None

    def counted(self, business_date: str) -> list[Counted]:
        if self._disk is not None:
            return self._disk("").counted(business_date)
        last = [v[-1] for v in self.values() if v[-1].entity is Entity.TRANSACTION]
        return [
            Counted(source=r.source, target=r.target, kind=r.kind, count=1, amount_fen=r.amount_fen)
            for r in last
            if r.state == "approved" and r.business_date == business_date
        ]

    def newest(self, worker: str = "0") -> list[Record]:
        """What a new process of a worker takes up."""
        if self._disk is not None:
            return list(self._disk(worker).recover(lambda name: name == worker, DATE))
        return [versions[-1] for id_, versions in self.items() if self._owners.get(id_, "0") == worker]


class World:
    """The core with a journal, timers in its own time, and a bank at the other end.

    ``sent`` is what left for the acquirer. With ``hold`` effects of the journal wait until `release`. The journal is in
    memory unless a test asks for `tests.switch.engines.engine`.
    """

    make_journal: Callable[[], Kept] = Kept

    def __init__(
        self, rules: SwitchConfig | None = None, *, keys: KeyDesk | None = None, journal: Any = None
    ) -> None:
        self.config = rules or config()
        self.keys = keys
        self.till_codec = self.config.peers["till"].codec
        self.now = START
        self.journal: Kept = World.make_journal() if journal is None else journal
        self.bank = Bank(self.config.peers["bank"], PANS, 100_000)
        self.bank_up = self.bank_answers = True
        self.hold = False
        self.held: list[Write] = []
        self.sent: list[Message] = []
        self.closed: list[Close] = []
        self.to_bank: list[bytes] = []
        self.restart()

    def restart(self) -> None:
        """A new process on the same journal: the old one was killed."""
        self.timers: list[tuple[int, int]] = []
        self.stopped: set[int] = set()
        self.held.clear()
        self.events: deque[Event] = deque()
        self.busy = False
        self.lines = 0
        self.core = SwitchCore(self.config, now_micros=self.now, business_date=DATE,
                               start_trace=len(self.journal))  # fmt: skip
        self.carry_out(self.core.recover(self.journal.newest(self.config.worker), self.now))
        self.till_line = self.link("till")
        self.bank_line = 0
        if self.bank_up:
            self.link("bank")

    def link(self, name: str) -> int:
        self.lines += 1
        if name == "bank":
            self.bank_line = self.lines
        self.step(LinkUp(peer=name, line=self.lines))
        return self.lines

    def bank_down(self) -> None:
        self.bank_up = False
        self.step(LinkDown(peer="bank", line=self.bank_line))

    def bank_back(self) -> None:
        self.bank_up = True
        self.link("bank")

    def step(self, event: Event) -> None:
        """One event after the other, as the shell does it."""
        self.events.append(event)
        if not self.busy:
            self.drain()

    def drain(self) -> None:
        self.busy = True
        try:
            while self.events:
                self.carry_out(self.core.step(self.events.popleft(), self.now))
        finally:
            self.busy = False

    def carry_out(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._deliver(effect)
            elif isinstance(effect, Write):
                if self.hold:
                    self.held.append(effect)
                else:
                    self.write(effect)
            elif isinstance(effect, StartTimer):
                heapq.heappush(self.timers, (self.now + effect.after_ms * 1000, effect.token))
            elif isinstance(effect, StopTimer):
                self.stopped.add(effect.token)
            elif isinstance(effect, LookUp):
                self.step(Found(token=effect.token, record=self.journal.find(effect.tx)))
            elif isinstance(effect, SumUp):
                lines = self.journal.counted(effect.business_date)
                self.step(Summed(token=effect.token, totals=peer_totals(lines)))
            elif isinstance(effect, AskKeys):
                assert self.keys is not None
                self.step(self.keys.do(effect))
            elif isinstance(effect, Close):
                self.closed.append(effect)

    def write(self, effect: Write) -> None:
        self.step(Written(token=effect.token, clashes=self.journal.write(effect.entries, self.config.worker)))

    def release(self) -> None:
        self.hold = False
        held, self.held = self.held, []
        self.busy = True
        for effect in held:
            self.write(effect)
        self.drain()

    def _deliver(self, effect: Send) -> None:
        if effect.peer == "till":
            self.sent.append(self.till_codec.decode(effect.raw))
        elif self.bank_up and effect.peer == "bank":
            self.to_bank.append(effect.raw)
            if self.bank_answers:
                self.bank_works()

    def bank_works(self) -> None:
        """The bank takes what lies before it."""
        waiting, self.to_bank = self.to_bank, []
        for raw in waiting:
            answer = self.bank.handle(CODEC.decode(raw))
            if answer is not None:
                self.step(Received(peer="bank", line=self.bank_line, raw=CODEC.encode(answer)))

    def pay(self, message: Message, raw: Callable[[Message], bytes] | None = None) -> Message | None:
        """Send a message as the acquirer; the answer if it came at once."""
        before, raw = len(self.sent), raw or self.till_codec.encode
        self.step(Received(peer="till", line=self.till_line, raw=raw(message)))
        return self.sent[-1] if len(self.sent) > before else None

    def wait(self, seconds: float) -> None:
        """Let time pass, and timers run out."""
        until = self.now + int(seconds * 1_000_000)
        while self.timers and self.timers[0][0] <= until:
            at, token = heapq.heappop(self.timers)
            self.now = max(self.now, at)
            if token not in self.stopped:
                self.step(TimerFired(token=token))
        self.now = until

    def states(self) -> dict[str, int]:
        """How many transactions the journal has in each state."""
        counted: dict[str, int] = {}
        for versions in self.journal.values():
            if versions[-1].entity.value == "transaction":
                counted[versions[-1].state] = counted.get(versions[-1].state, 0) + 1
        return counted


def key_desk() -> KeyDesk:
    """The test's payment keys in process."""
    return KeyDesk(rig().service, remote=False)


def two_workers(**changes: Any) -> tuple[World, World]:
    """Two processes over one journal, and one bank behind both."""
    first = World(config(worker="0", workers=2, **changes))
    second = World(config(worker="1", workers=2, **changes), journal=first.journal)
    second.bank = first.bank
    return first, second


WE = {"sign_on": SignOn.WE}
