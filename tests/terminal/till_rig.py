"""A host in memory with books of its own, and everything that can go wrong between it and a till."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from jinka.codec.iso8583 import Message, dialect
from jinka.sim.randomness import SeededRandomness
from jinka.terminal import (
    CardFacts,
    HostGone,
    HostMessages,
    PadKeys,
    PadMac,
    PadTerms,
    PinPad,
    TerminalFacts,
    Till,
    TillEntry,
    TillRules,
)

PAN = "6228000100001117"
CARD = CardFacts(pan=PAN, expiry4="2812", sequence="001")
KEYS = PadKeys(storage=bytes(32), pin=bytes(range(16)), mac=bytes(range(32, 48)))
FACTS = TerminalFacts(terminal="80000001", merchant="M00000000000001", institution="101")


class Killed(Exception):
    """The terminal loses its power."""


class Stopwatch:
    """A clock that a test moves."""

    micros = 1_700_000_000_000_000

    def now_micros(self) -> int:
        self.micros += 1_000_000
        return self.micros


@dataclass
class Paper:
    """A journal in memory. ``power`` counts writes down: at 0 the terminal dies, before or after the write."""

    lines: list[TillEntry] = field(default_factory=list)
    power: int = -1
    after: bool = False

    def entries(self) -> Sequence[TillEntry]:
        return list(self.lines)

    def write(self, entry: TillEntry) -> None:
        self.power -= 1
        if self.power == 0 and not self.after:
            raise Killed
        self.lines.append(entry)
        if self.power == 0:
            raise Killed


def messages(name: str = "unionpay-pos") -> HostMessages:
    return HostMessages(dialect(name), FACTS, 64 if name == "unionpay-pos" else 128)


def pad(mac: PadMac = PadMac.POS, keys: PadKeys = KEYS) -> PinPad:
    return PinPad(keys, PadTerms(mac=mac), SeededRandomness("pad"))


class Host:
    """Charges once, takes back once, answers with a MAC; it is a line as well. ``faults`` are used up one by one.

    ``gone``: no line; ``deaf``: the message is lost; ``mute``: it is done, the answer is lost; ``garbage``,
    ``forged`` (a wrong MAC on its true answer), ``no_mac``, ``decline`` (somebody's own refusal, with a wrong MAC, on
    the way back), ``stray`` (an answer to something else comes first), ``amount`` (it approves another amount).
    """

    def __init__(self, name: str = "unionpay-pos", codes: dict[str, str] | None = None) -> None:
        self.messages, self.name = messages(name), name
        self.pad = pad(PadMac.POS if name == "unionpay-pos" else PadMac.ISO)
        self.books: dict[tuple[str, str], int] = {}
        self.back: set[tuple[str, str]] = set()
        self.faults: list[str] = []
        self.seen: list[Message] = []
        self.codes = codes or {}
        self.out: list[bytes] = []

    @property
    def charged(self) -> int:
        return sum(fen for key, fen in self.books.items() if key not in self.back)

    def open(self) -> bool:
        if self.faults[:1] == ["gone"]:
            self.faults.pop(0)
            raise HostGone("nobody there", where="host")
        return False

    def close(self) -> None:
        self.out.clear()

    def receive(self) -> bytes | None:
        return self.out.pop(0) if self.out else None

    def send(self, raw: bytes) -> None:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "die":
            raise Killed
        if fault == "deaf":
            return
        message = self.messages.codec.decode(raw)
        self.messages.check(raw, message, self.pad)
        self.seen.append(message)
        answer = self.answer(message)
        if fault == "mute":
            return
        if fault == "die after":
            raise Killed
        if fault == "amount":
            answer = answer.changed({4: "000000000001"})
        if fault == "decline":
            answer = answer.changed({39: "05"})
        given = self.messages.seal(answer, self.pad)
        if fault == "stray":
            self.out.append(self.messages.seal(answer.changed({11: "999999"}), self.pad))
        if fault in ("forged", "decline"):
            given = given[:-8] + b"00000000"
        if fault == "no_mac":
            given = self.messages.codec.encode(answer)
        self.out.append(b"\xff" * 40 if fault == "garbage" else given)

    def answer(self, message: Message) -> Message:
        key, code = self._key(message), self.codes.get(message.mti, "00")
        if message.mti == "0400":
            code = self.codes.get("0400", "00" if key in self.books else "25")
            self.back.add(key)
        elif code == "00" and message.mti in ("0200", "0220") and key not in self.back:
            self.books[key] = int(message.text(4) or 0)
        elif key in self.back:
            code = "94"
        fields = {n: message.fields[n] for n in (3, 4, 7, 11, 41, 42, 60) if n in message.fields}
        mti = f"{message.mti[:2]}{int(message.mti[2]) + 1}0"
        return Message(mti=mti, fields=fields | {37: "123456789012", 38: "654321", 39: code})

    def _key(self, message: Message) -> tuple[str, str]:
        elements = message.text(90)
        return message.text(60)[2:8], elements[4:10] if elements else message.text(11)


def till(host: Host, paper: Paper, clock: Stopwatch | None = None) -> Till:
    iso = host.name != "unionpay-pos"
    return Till(
        messages(host.name), pad(PadMac.ISO if iso else PadMac.POS), host, paper, clock or Stopwatch(),
        TillRules(tries=2),
    )  # fmt: skip


def reread(paper: Paper) -> Paper:
    """The journal as it is found after a kill."""
    return replace(paper, power=-1)
