"""`jinka fuzz apdu`: hostile commands for every application, from one seed.

Five sources take turns: the personalisation script and reading commands of an application, mutated; every name of its
command tables with data of telling lengths; bytes that are no command; for the purse, an honest terminal with
somebody between it and the card; and sessions opened with the test keys (`jinka.app.fuzz_sessions`). After each
command: an answer with a status word, no exception, no money that moved without the right MAC (electronic cash may
fall by its own offline purchase, and never rise), no transaction counter that fell, no journal left, an end in bounded
time. The first failure is kept as a transcript that `jinka card script` replays.
The generator is its own and knows the commands; it has no feedback from coverage.
"""

from __future__ import annotations

import contextlib
import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.card_script import write_script
from jinka.app.fuzz_targets import Chip, Target, honest_session
from jinka.app.fuzz_targets import targets as all_targets
from jinka.app.progress import Progress, Silent
from jinka.card import Psam
from jinka.card.emv_data import ATC, ECASH, STATE_FILE
from jinka.card.files import BALANCE, OFFLINE, ONLINE
from jinka.card.psam_keys import COUNTERS
from jinka.kit import JinkaError, Usage
from jinka.node import write_durable
from jinka.profile import FileKind
from jinka.sim.randomness import SeededRandomness

_SESSION = 200  # commands until the card starts anew from its snapshot
_HISTORY = 4 * _SESSION
_BATCH_S = 30.0  # one session takes milliseconds; the longest single command, an RSA key pair, a few seconds
_LENGTHS = (
    0,
    1,
    2,
    3,
    4,
    5,
    7,
    8,
    9,
    10,
    11,
    14,
    15,
    16,
    17,
    18,
    19,
    20,
    24,
    27,
    28,
    32,
    40,
    64,
    128,
    254,
    255,
)
_P1P2 = (0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x08, 0x09, 0x80, 0x81, 0x84, 0x95, 0x96, 0x98, 0xC4, 0xFF)
_MONEY = frozenset({0x52, 0x54, 0x58, 0x7E, 0x7C})
_DEBIT, _DEBIT_SIZE = 0x54, 5 + 15  # DEBIT FOR PURCHASE; the shorter form takes back an unload
_ANSWER_MAX = 258
_SW_FIRST = (0x60, 0x90)


class Broken(JinkaError):
    """A promise of the card was broken."""


class _TooSlow(BaseException):
    """The watchdog's; no handler of the card may swallow it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FuzzResult:
    """What a run came to. ``failure`` is empty when every promise held."""

    seed: int
    commands: int
    seconds: float
    by_target: dict[str, int]
    inside: int  # commands in sessions that the keys had opened
    kinds: int  # different (application, class, instruction of its tables, status word)
    failure: str = ""
    transcript: str = ""

    @property
    def rate(self) -> int:
        """Commands a second."""
        return round(self.commands / self.seconds) if self.seconds else 0

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "seed": self.seed,
            "commands": self.commands,
            "seconds": round(self.seconds, 1),
            "commands_per_second": self.rate,
            "commands_inside_sessions": self.inside,
            "different_answers": self.kinds,
            "by_application": self.by_target,
            "failure": self.failure,
            "transcript": self.transcript,
        }


@dataclass(slots=True)
class _Run:
    """One card under attack: sends, checks, and remembers for the transcript."""

    target: Target
    dice: random.Random
    chip: Chip
    places: list[tuple[int, int, bool]]  # offset, size, may fall by itself
    counters: list[tuple[int, int]] = field(default_factory=list)  # offset, size; none may ever fall
    inside: int = 0  # commands sent in sessions
    counts: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    history: list[tuple[bytes, bytes]] = field(default_factory=list)
    sent: int = 0
    known: frozenset[bytes] = frozenset()

    def send(self, command: bytes, honest: bytes | None = None) -> bytes:
        """One command and all checks; ``honest`` is what the terminal meant, when there is one."""
        chip = self.chip
        counted = [int.from_bytes(chip.nvm.memory[at : at + size], "big") for at, size in self.counters]
        before = [int.from_bytes(chip.nvm.memory[at : at + size], "big") for at, size, _ in self.places]
        self.history.append((command, b""))
        self.sent += 1
        answer = chip.transmit(command)
        self.history[-1] = (command, answer)
        if not 2 <= len(answer) <= _ANSWER_MAX or answer[-2] & 0xF0 not in _SW_FIRST:
            raise Broken(f"an answer without a status word: {answer.hex()}")
        if chip.nvm.journal:
            raise Broken("a journal was left behind")
        if len(chip.nvm.memory) > chip.nvm.capacity:
            raise Broken("the memory outgrew the chip")
        for (at, size, may_fall), old in zip(self.places, before, strict=True):
            now = int.from_bytes(chip.nvm.memory[at : at + size], "big")
            if now != old and not (may_fall and now < old) and not _was_signed(command, honest):
                raise Broken(f"money moved from {old} to {now}")
        for (at, size), old in zip(self.counters, counted, strict=True):
            if int.from_bytes(chip.nvm.memory[at : at + size], "big") < old:
                raise Broken(f"a transaction counter fell from {old}")
        if command[:2] in self.known:  # what the tables name: noise would count every class and instruction
            self.counts[command[0], command[1], int.from_bytes(answer[-2:], "big")] += 1
        return answer

    def reset(self) -> None:
        """Power off and on."""
        self.history.append((b"", b""))
        self.chip.power_up()

    def anew(self) -> None:
        """Back to the snapshot."""
        self.chip = self.target.restore(SeededRandomness(str(self.dice.random())))
        self.history.clear()


def _was_signed(command: bytes, honest: bytes | None) -> bool:
    """Whether a terminal that holds the keys made this MAC for this step.

    The session of a purchase takes the low two bytes of the terminal's serial (JR/T 0025.1), and MAC1 binds none of it:
    a changed upper half passes at the card. Only the TAC binds it, so clearing refuses such a record.
    """
    if honest is None or honest[1] not in _MONEY or command[1] != honest[1]:
        return False
    unbound = 2 if honest[1] == _DEBIT and len(honest) >= _DEBIT_SIZE else 0
    end = 5 + honest[4]
    return command[5 + unbound : end] == honest[5 + unbound : end]


def fuzz(
    *,
    seconds: float,
    seed: int,
    directory: Path,
    only: str = "",
    targets: Sequence[Target] | None = None,
    progress: Progress | None = None,
) -> FuzzResult:
    """Attack the applications in turn until the time is over or a promise is broken."""
    known = targets or all_targets()
    chosen = [target for target in known if not only or target.name == only]
    if not chosen:
        names = ", ".join(target.name for target in known)
        raise Usage(f"no application {only!r}", where="--only", fix=f"one of {names}")
    progress = progress or Silent()
    dice = random.Random(seed)  # noqa: S311 a fuzzer's choices, repeatable
    runs = [_begin(target, dice) for target in chosen]
    begin = time.monotonic()
    failure = transcript = ""
    while not failure and (spent := time.monotonic() - begin) < seconds:
        progress.step("fuzz", int(spent), int(seconds) + 1)
        for run in runs:
            failure = _session(run)
            if failure:
                transcript = _keep(run, failure, seed, directory)
                break
    progress.step("fuzz", int(seconds) + 1, int(seconds) + 1)
    return FuzzResult(
        seed=seed,
        commands=sum(run.sent for run in runs),
        seconds=time.monotonic() - begin,
        by_target={run.target.name: run.sent for run in runs},
        inside=sum(run.inside for run in runs),
        kinds=sum(len(run.counts) for run in runs),
        failure=failure,
        transcript=transcript,
    )


def _begin(target: Target, dice: random.Random) -> _Run:
    chip = target.restore(SeededRandomness(target.name))
    places, counters = [], []
    for folder in chip.directory.folders.values():
        for file in folder.children.values():
            if file.kind is FileKind.PURSE:
                places.append((file.at + BALANCE, 4, False))
                counters += [(file.at + ONLINE, 2), (file.at + OFFLINE, 2)]
            elif file.kind is FileKind.SECRET and file.fid == STATE_FILE and target.has_ecash:
                places.append((file.at + ECASH, 6, True))
                counters.append((file.at + ATC, 2))
            elif isinstance(chip, Psam) and file.fid == COUNTERS:
                counters.append((file.at, 4))
    return _Run(target, dice, chip, places, counters, known=frozenset(bytes(name) for name in target.names))


def _session(run: _Run) -> str:
    """One card from its snapshot on; returns what was broken, empty for nothing."""
    run.anew()
    try:
        with _watchdog():
            for make in _sources(run):
                make(run)
                if len(run.history) > _SESSION:
                    break
    except Broken as broken:
        return broken.what
    except _TooSlow:
        return f"a command did not end within {_BATCH_S:g} s"
    except Exception as error:  # exactly what must not come out of a card
        return f"{type(error).__name__}: {error}"
    return ""


def _sources(run: _Run) -> Iterator[Callable[[_Run], None]]:
    dice = run.dice
    for _ in range(_SESSION):
        draw = dice.random()
        if draw < 0.03:
            yield _Run.reset
        elif draw < 0.05 and run.target.honest:
            yield _between
        elif draw < 0.12 and run.target.sessions:
            yield _inside
        elif draw < 0.40:
            yield _mutated_walk
        elif draw < 0.92:
            yield _from_tables
        else:
            yield _noise


def _mutated_walk(run: _Run) -> None:
    """A stretch of commands that make sense in this order, some of them changed."""
    corpus = run.dice.choice(run.target.corpus)
    start = run.dice.randrange(len(corpus))
    for command in corpus[start : start + 8]:
        run.send(_mutated(command, run.dice) if run.dice.random() < 0.3 else command)


def _from_tables(run: _Run) -> None:
    dice = run.dice
    cla, ins = dice.choice(run.target.names)
    if dice.random() < 0.05:
        cla ^= 1 << dice.randrange(8)
    p1, p2 = (dice.choice(_P1P2) if dice.random() < 0.7 else dice.randrange(256) for _ in range(2))
    size = dice.choice(_LENGTHS)
    data = dice.randbytes(size) if dice.random() < 0.6 else bytes(size)
    body = bytes((size,)) + data if size else b""
    tail = b"" if dice.random() < 0.5 else bytes((dice.choice((0, 4, 8, 15, 16, 23, 255)),))
    run.send(bytes((cla, ins, p1, p2)) + body + tail)


def _noise(run: _Run) -> None:
    run.send(run.dice.randbytes(run.dice.choice((0, 1, 2, 3, 4, 5, 6, 20, 261, 262, 300, 4000))))


def _between(run: _Run) -> None:
    """An honest load and purchase whose commands somebody changes on the way."""

    class Link:
        def transmit(self, command: bytes) -> bytes:
            changed = _mutated(command, run.dice) if run.dice.random() < 0.15 else command
            answer = run.send(changed, honest=command)
            if run.dice.random() < 0.05:
                run.send(changed)  # and sends it a second time
            return _mutated(answer, run.dice) if run.dice.random() < 0.05 else answer

    try:
        honest_session(Link(), run.dice.randrange(1, 5000))
    except Broken:
        raise
    except JinkaError:  # an honest terminal gives up on a card that lies
        return


def _inside(run: _Run) -> None:
    """A session that the keys open, on a wire that changes and repeats commands."""

    class Wire:
        def transmit(self, command: bytes) -> bytes:
            changed = _mutated(command, run.dice) if run.dice.random() < 0.06 else command
            answer = run.send(changed)
            run.inside += 1
            if run.dice.random() < 0.03:
                answer = run.send(changed)
            return _mutated(answer, run.dice) if run.dice.random() < 0.02 else answer

    session = run.dice.choice(run.target.sessions)
    try:
        session(Wire(), run.dice, lambda command: _mutated(command, run.dice))
    except Broken:
        raise
    except JinkaError:  # the honest side gives up
        return


def _mutated(command: bytes, dice: random.Random) -> bytes:
    raw = bytearray(command)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        where = dice.randrange(len(raw)) if raw else 0
        kind = dice.randrange(7)
        if kind == 0 and raw:
            raw[where] ^= 1 << dice.randrange(8)
        elif kind == 1 and raw:
            raw[where] = dice.choice((0x00, 0x01, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xFF))
        elif kind == 2 and raw:
            raw[where] = dice.randrange(256)
        elif kind == 3:
            del raw[where : where + dice.randrange(1, 5)]
        elif kind == 4:
            raw[where:where] = dice.randbytes(dice.randrange(1, 5))
        elif kind == 5 and len(raw) > 4:
            raw[4] = (raw[4] + dice.choice((-1, 1, 4, 128))) & 0xFF  # a false length
        else:
            raw += dice.randbytes(dice.choice((1, 2, 255)))
    return bytes(raw)


@contextlib.contextmanager
def _watchdog() -> Iterator[None]:
    """Raise inside whatever runs too long; only the main thread has signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_number: int, _frame: object) -> None:
        raise _TooSlow

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _BATCH_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def _keep(run: _Run, failure: str, seed: int, directory: Path) -> str:
    title = f"application: {run.target.name}\nseed: {seed}\nbroken: {failure}\nthe last command did it"
    path = directory / f"fuzz-{run.target.name}-{seed}.txt"
    # The answers before the last depend on the card's random numbers: the transcript asks for none of them.
    steps = [(command, b"") for command, _ in run.history[-_HISTORY:]]
    write_durable(path, write_script(steps, title=title).encode())
    return str(path)
