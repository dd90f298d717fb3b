"""`jinka fuzz switch`: hostile messages, faults and kills against the core of the switch, from one seed.

Rounds of some dozen events on one or two workers (`jinka.app.fuzz_world`). Promises: no event raises; what is sent can
be read; an approval is kept before it is told; an answer never changes; and when everything that waits was allowed to
happen, nothing is under way any more, and the bank took what the journal calls approved, once, and nothing else. In
some rounds the bank lies too: then the last promise is not asked for. What led to a state or a count that was not met
before is kept and changed again, so the generator goes where it has not been.
"""

from __future__ import annotations

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.fuzz_iso8583 import changed_bytes
from jinka.app.fuzz_world import ACQUIRERS, BANK, CODEC, Bank, Broken, Journal, Worker, config_of, place
from jinka.app.progress import Progress, Silent
from jinka.codec.iso8583 import Message
from jinka.node import write_durable
from jinka.switch import Entity, TxState
from jinka.switch.kinds import KINDS
from jinka.switch.states import ENDS, TX_STEPS

_EVENTS = 60  # in a round
_CORPUS = 400
_PANS = ("6228480000000000", "6228480000000001", "4000000000000002")
_CODES = ("000000", "010000", "200000", "210000", "310000", "470000", "030000", "990000")
_TYPES = ("0100", "0120", "0200", "0200", "0200", "0220", "0320", "0500", "0201")
_NETWORK = ("001", "002", "101", "201", "202", "301", "999")


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchFuzzResult:
    """What a run came to. ``steps`` are changes of a record's state; ``failure`` is empty when all promises held."""

    seed: int
    seconds: float
    rounds: int
    events: int
    steps: tuple[str, ...]
    states_missed: tuple[str, ...]
    counts: int
    failure: str = ""
    kept: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "rounds": self.rounds,
            "events": self.events,
            "events_per_second": round(self.events / self.seconds) if self.seconds else 0,
            "steps": list(self.steps),
            "states_missed": list(self.states_missed),
            "counts": self.counts,
            "failure": self.failure,
            "kept": self.kept,
        }


@dataclass(slots=True)
class _Run:
    dice: random.Random
    corpus: list[bytes] = field(default_factory=list)
    steps: set[tuple[str, str, str]] = field(default_factory=set)
    counts: set[tuple[str, str]] = field(default_factory=set)
    rounds: int = 0
    events: int = 0
    transcript: list[str] = field(default_factory=list)


def fuzz_switch(
    *, seconds: float, seed: int, directory: Path, progress: Progress | None = None
) -> SwitchFuzzResult:
    """Attack until the time is over or a promise is broken."""
    run, shown = _Run(random.Random(seed)), progress or Silent()  # noqa: S311 not for keys
    started, failure = time.monotonic(), ""
    shown.step("fuzz", 0, round(seconds))
    try:
        while time.monotonic() - started < seconds:
            run.rounds += 1
            run.transcript.clear()
            _round(run)
    except Exception as error:  # any of them breaks the first promise
        failure = f"{type(error).__name__}: {error}"
    shown.step("fuzz", round(seconds), round(seconds))
    kept = ""
    if failure:
        path = directory / f"fuzz-switch-{seed}.txt"
        text = "\n".join((f"seed: {seed}, round {run.rounds}", f"broken: {failure}", *run.transcript, ""))
        directory.mkdir(parents=True, exist_ok=True)
        write_durable(path, text.encode())
        kept = str(path)
    met = {after for entity, _, after in run.steps if entity == Entity.TRANSACTION.value}
    durable = {state.value for state in TX_STEPS.values()} - {
        TxState.FORWARDED.value
    }  # that one is never written
    return SwitchFuzzResult(
        seed=seed, seconds=time.monotonic() - started, rounds=run.rounds, events=run.events,
        steps=tuple(sorted(f"{entity}: {before or 'new'} -> {after}" for entity, before, after in run.steps)),
        states_missed=tuple(sorted(durable - met)), counts=len(run.counts), failure=failure, kept=kept,
    )  # fmt: skip


def _round(run: _Run) -> None:
    dice = run.dice
    journal, bank = Journal(), Bank()
    shape, workers = dice.getrandbits(32), dice.choice((1, 1, 2))
    team = [
        Worker(config_of(random.Random(shape), number, workers), journal, bank, dice)  # noqa: S311
        for number in range(workers)
    ]
    lies = dice.random() < 0.25
    sent: list[tuple[str, Message]] = []
    for _ in range(_EVENTS):
        worker = dice.choice(team)
        before = len(journal.seen) + len(worker.counted)
        raw = _event(run, worker, sent, lies=lies)
        run.events += 1
        if raw and len(journal.seen) + len(worker.counted) > before:
            _learn(run, raw, journal, worker)
    run.steps |= journal.seen
    if lies:
        return
    for _ in range(2):
        for worker in team:
            worker.come_to_rest()
    run.steps |= journal.seen
    for worker in team:
        run.counts |= worker.counted
    _books_agree(journal, bank)


def _learn(run: _Run, raw: bytes, journal: Journal, worker: Worker) -> None:
    """Keep a message that led where no run has been."""
    if journal.seen <= run.steps and worker.counted <= run.counts:
        return
    run.steps |= journal.seen
    run.counts |= worker.counted
    run.corpus.append(raw)
    if len(run.corpus) > _CORPUS:
        del run.corpus[run.dice.randrange(_CORPUS)]


def _event(run: _Run, worker: Worker, sent: list[tuple[str, Message]], *, lies: bool) -> bytes:
    """Something happens; returns the bytes if it was a message."""
    dice, kind = run.dice, run.dice.random()
    note = run.transcript.append
    if kind < 0.35:
        peer, raw = _message(run, sent)
        note(f"worker {worker.config.worker} hears from {peer}: {raw.hex()}")
        worker.receive(peer, raw)
        return raw
    if kind < 0.65 and worker.waiting:
        at = dice.randrange(len(worker.waiting))
        note(f"worker {worker.config.worker}: {type(worker.waiting[at]).__name__} is answered")
        worker.go_on(at, honest=False)
    elif kind < 0.8 and worker.to_bank:
        note(f"the bank hears worker {worker.config.worker}")
        worker.bank_works()
    elif kind < 0.83 and worker.to_bank:
        note("messages to the bank are lost")
        worker.to_bank.clear()
    elif kind < 0.86 and lies:
        raw = changed_bytes(CODEC.encode(_reply(run, sent)), dice)
        note(f"the bank says to worker {worker.config.worker}: {raw.hex()}")
        worker.receive(BANK, raw)
        return raw
    elif kind < 0.92 and worker.timers:
        token = dice.choice(sorted(worker.timers)[:6])
        note(f"worker {worker.config.worker}: timer {token}")
        worker.fire(token)
    elif kind < 0.98:
        name = dice.choice((*ACQUIRERS, BANK, BANK))
        note(f"worker {worker.config.worker}: the line to {name}")
        (worker.drop if name in worker.lines else worker.connect)(name)
    else:
        note(f"worker {worker.config.worker} is killed")
        worker.start()
    return b""


def _message(run: _Run, sent: list[tuple[str, Message]]) -> tuple[str, bytes]:
    """A message of an acquirer: new, again, a reversal, for the session, from the corpus; some of them changed."""
    dice = run.dice
    peer, kind = dice.choice(ACQUIRERS), dice.random()
    if kind < 0.4 or not sent:
        message = _request(dice, peer, len(sent) + 1)
        sent.append((peer, message))
    elif kind < 0.55:
        peer, message = dice.choice(sent)
        message = message.changed({}, message.mti[:3] + dice.choice("01"))
    elif kind < 0.75:
        peer, original = dice.choice(sent)
        data = f"{original.mti}{original.text(11).zfill(6)}{original.text(7).zfill(10)}{'0' * 22}"
        message = original.changed(
            {11: f"{900_000 + len(sent)}", 90: data, 52: None}, dice.choice(("0400", "0420"))
        )
    elif kind < 0.85:
        fields = {7: "1114221320", 11: f"{dice.randrange(999):06d}", 70: dice.choice(_NETWORK)}
        message = Message(mti="0800", fields=fields)
    elif kind < 0.9 and run.corpus:
        return peer, changed_bytes(dice.choice(run.corpus), dice)
    else:
        return peer, changed_bytes(CODEC.encode(dice.choice(sent)[1]), dice)
    return peer, CODEC.encode(message)


def _request(dice: random.Random, peer: str, trace: int) -> Message:
    fields: dict[int, str | bytes] = {
        2: dice.choice(_PANS), 3: dice.choice(_CODES), 4: f"{dice.choice((0, 1, 700, 4_000, 60_000)):012d}",
        7: "1114221320", 11: f"{trace:06d}", 12: "221320", 13: "1114", 25: dice.choice(("00", "06")),
        32: "101" if peer == "till" else "103", 41: dice.choice(("T0000001", "T0000002")), 49: "156",
    }  # fmt: skip
    if dice.random() < 0.2:
        fields[52] = bytes(8)
    if dice.random() < 0.2:
        fields[60] = dice.choice(("00000007202", "00000007001", "0"))
    if dice.random() < 0.1:
        del fields[dice.choice(sorted(fields))]
    if dice.random() < 0.5:
        fields[128] = bytes(8)
    return Message(mti=dice.choice(_TYPES), fields=dict(sorted(fields.items())))


def _reply(run: _Run, sent: list[tuple[str, Message]]) -> Message:
    dice = run.dice
    message = dice.choice(sent)[1] if sent else _request(dice, "till", 1)
    code = dice.choice(("00", "51", "25", "96", "A0"))
    return message.changed(
        {39: code, 33: "88001", 52: None}, dice.choice(("0210", "0230", "0410", "0430", "0810"))
    )


def _books_agree(journal: Journal, bank: Bank) -> None:
    newest = [v[-1] for v in journal.records.values() if v[-1].entity is Entity.TRANSACTION]
    places = Counter(place(record.request) for record in newest)
    refused = {
        v[-1].about for v in journal.records.values()
        if v[-1].entity is Entity.FORWARD and v[-1].state == "refused"
    }  # fmt: skip
    for record in newest:
        if TxState(record.state) not in ENDS:
            raise Broken(f"at rest a transaction is {record.state}")
        took = bank.took.get(place(record.request), False)
        if places[place(record.request)] > 1 or record.id in refused or not KINDS[record.kind].reversible:
            continue  # not one transaction there; on record for people to look at; or nothing can be undone
        if took != (record.state == TxState.APPROVED.value):
            raise Broken(
                f"{record.state} ({record.code}) here, {'taken' if took else 'not taken'} at the bank"
            )
