"""`jinka fuzz iso8583`: hostile messages and streams for every dialect and framing, from one seed.

Messages that a specification allows are written, changed and read: by a codec whose shapes are warm and by the slow
road. Promises: a value or a `DecodeError`, both roads alike; what was read can be written and read again; describing
and JSON raise nothing and show no account number that was put in; a framer holds no more than one frame; each in
bounded time. The first broken promise is kept in a file with the bytes. The generator has no feedback from coverage.
"""

from __future__ import annotations

import json
import random
import string
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinka.app.progress import Progress, Silent
from jinka.codec.framing import FRAMINGS, Framer, Framing, framing_of
from jinka.codec.iso8583 import DIALECTS, Codec, DecodeError, EncodeError, Message, MessageSpec, compile_spec
from jinka.codec.iso8583.compile import HOT
from jinka.codec.iso8583.describe import describe
from jinka.codec.iso8583.json_form import from_json, to_json
from jinka.codec.iso8583.message import Value
from jinka.codec.iso8583.spec import Coding, Content, FieldSpec
from jinka.codec.iso8583.wire import decode_slowly, encode_slowly
from jinka.node import write_durable

_ROUND = 40  # changes of one message
_SLOW_S = 2.0
_SHAPES = 6  # fields at most, so that shapes come again and get warm
_CARD = "6222021234567890123"
_LETTERS = {
    Content.A: string.ascii_letters, Content.N: string.digits, Content.AN: string.ascii_letters + string.digits,
    Content.ANS: string.printable[:95], Content.Z: "0123456789=", Content.XN: string.digits,
}  # fmt: skip
_TELLING = b"\x00\x01\x09\x0f\x10\x1f\x20\x30\x39\x3a\x3d\x57\x5a\x7f\x80\x81\x82\x84\x99\x9f\xc1\xf0\xf9\xff"
_MORE_FRAMINGS = ("4-ascii", "2-bcd-tpdu", "4-binary-inclusive-tpdu-uncounted", "2-binary-pos")


class _Broken(Exception):
    """A promise was broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IsoFuzzResult:
    """What a run came to. ``failure`` is empty when every promise held."""

    seed: int
    seconds: float
    messages: int
    read: int  # changed messages that were still messages
    streams: int
    by_dialect: dict[str, int]
    failure: str = ""
    kept: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "seed": self.seed,
            "seconds": round(self.seconds, 1),
            "messages": self.messages,
            "messages_per_second": round(self.messages / self.seconds) if self.seconds else 0,
            "read": self.read,
            "streams": self.streams,
            "by_dialect": self.by_dialect,
            "failure": self.failure,
            "kept": self.kept,
        }


@dataclass(slots=True)
class _Run:
    dice: random.Random
    codecs: dict[str, Codec] = field(
        default_factory=lambda: {n: compile_spec(s) for n, s in DIALECTS.items()}
    )
    sent: dict[str, int] = field(default_factory=lambda: dict.fromkeys(DIALECTS, 0))
    read: int = 0
    streams: int = 0
    last: bytes = b""
    place: str = ""


def fuzz_iso8583(
    *, seconds: float, seed: int, directory: Path, progress: Progress | None = None
) -> IsoFuzzResult:
    """Attack until the time is over or a promise is broken."""
    run, shown = _Run(random.Random(seed)), progress or Silent()  # noqa: S311 not for keys
    framings = list(FRAMINGS.values()) + [framing_of(words) for words in _MORE_FRAMINGS]
    started, failure = time.monotonic(), ""
    shown.step("fuzz", 0, round(seconds))
    try:
        while time.monotonic() - started < seconds:
            for name in DIALECTS:
                run.place = name
                _attack(run, run.codecs[name])
            run.place = "framing"
            _attack_framing(run, run.dice.choice(framings))
    except Exception as error:
        failure = f"{run.place}: {type(error).__name__}: {error}"
    shown.step("fuzz", round(seconds), round(seconds))
    kept = ""
    if failure:
        path = directory / f"fuzz-iso8583-{seed}.txt"
        text = f"seed: {seed}\nplace: {run.place}\nbroken: {failure}\nbytes: {run.last.hex().upper()}\n"
        directory.mkdir(parents=True, exist_ok=True)
        write_durable(path, text.encode())
        kept = str(path)
    return IsoFuzzResult(
        seed=seed, seconds=time.monotonic() - started, messages=sum(run.sent.values()), read=run.read,
        streams=run.streams, by_dialect=dict(run.sent), failure=failure, kept=kept,
    )  # fmt: skip


def _attack(run: _Run, codec: Codec) -> None:
    message = _message(codec.spec, run.dice)
    raw = codec.encode(message)
    for _ in range(HOT + 1):  # afterwards the shape has functions of its own
        if codec.encode(message) != raw or codec.decode(raw) != message:
            run.last = raw
            raise _Broken("an honest message does not come back")
    if raw != encode_slowly(codec.spec, message):
        run.last = raw
        raise _Broken("the two roads write differently")
    for _ in range(_ROUND):
        run.last = changed_bytes(raw, run.dice)
        started = time.monotonic()
        _promise(run, codec, run.last)
        if time.monotonic() - started > _SLOW_S:
            raise _Broken("too slow")
        run.sent[codec.spec.name] += 1


def _promise(run: _Run, codec: Codec, raw: bytes) -> None:
    try:
        slow, fault = decode_slowly(codec.spec, raw), ""
    except DecodeError as error:
        slow, fault = None, str(error)
    try:
        fast = codec.decode(raw)
    except DecodeError as error:
        if str(error) != fault:
            raise _Broken("the two roads differ in their fault") from error
        if _CARD[:8] in fault:
            raise _Broken("a fault shows what a field holds") from None
        return
    if fast != slow:
        raise _Broken("the two roads differ")
    run.read += 1
    try:
        if codec.decode(codec.encode(fast)) != fast:
            raise _Broken("what was read is not what is written")
    except EncodeError as error:
        raise _Broken("what was read cannot be written") from error
    shown = [line.value for line in describe(codec.spec, fast)] + [
        json.dumps(to_json(codec.spec, fast)),
        repr(fast),
    ]
    if fast.fields.get(2) == _CARD and len(fast.fields) == 1 and any(_CARD in text for text in shown):
        raise _Broken("an account number is shown")
    if from_json(codec.spec, to_json(codec.spec, fast, unmask=True)) != fast:
        raise _Broken("JSON does not restore the message")


def _attack_framing(run: _Run, framing: Framing) -> None:
    framer = Framer(framing)
    for _ in range(run.dice.randrange(1, 12)):
        size = run.dice.choice((0, 1, 2, 7, 60, 300))
        chunk = (
            bytes(run.dice.choices(_TELLING, k=size)) if run.dice.random() < 0.5 else run.dice.randbytes(size)
        )
        run.last += chunk
        framer.feed(chunk)
        if framer.held > framing.size_max + framing.width:
            raise _Broken("a framer holds more than a frame")
    framer.end()
    run.streams += 1


def _message(spec: MessageSpec, dice: random.Random) -> Message:
    numbers = dice.sample(sorted(spec.fields), dice.randrange(1, _SHAPES))
    return Message(mti="0200", fields={n: _value(spec.fields[n], dice) for n in sorted(numbers)})


def _value(field_spec: FieldSpec, dice: random.Random) -> Value:
    most = min(field_spec.size, 40) if field_spec.prefix else field_spec.size
    size = dice.randrange(most + 1) if field_spec.prefix else most
    if field_spec.number == 2:
        return _CARD
    if field_spec.is_bytes:
        return bytes(dice.choices(_TELLING, k=size))
    text = "".join(dice.choices(_LETTERS[field_spec.content], k=size))
    if field_spec.coding is Coding.GB18030 and field_spec.prefix:
        return text[: size // 4] + "金卡"[: size // 4]
    return dice.choice("CD") + text if field_spec.content is Content.XN else text


def changed_bytes(raw: bytes, dice: random.Random) -> bytes:
    """A message with a few bytes changed, taken out or put in."""
    found = bytearray(raw)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        at, kind = (dice.randrange(len(found)) if found else 0), dice.randrange(6)
        if kind == 0 and found:
            found[at] ^= 1 << dice.randrange(8)
        elif kind in (1, 2) and found:
            found[at] = dice.choice(_TELLING)
        elif kind == 3:
            del found[at : at + dice.randrange(1, 9)]
        elif kind == 4:
            found[at:at] = dice.randbytes(dice.randrange(1, 9))
        else:
            found += dice.randbytes(dice.choice((1, 8, 300)))
    return bytes(found)
