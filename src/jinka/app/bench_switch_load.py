"""The load of `jinka bench switch`: an acquirer that keeps requests in flight, and an issuer that says yes.

Both share two cores with the switch, so they are lean: requests are made before the clock starts, the acquirer keeps
each answer and checks its MAC and its code after the clock has stopped, and the issuer, which checks the MAC of every
request before it answers, cuts its answers out of the requests by offsets that the codec gave for the first one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jinka.codec.iso8583 import Codec, Message, Value
from jinka.keys.payment_port import PaymentService
from jinka.kit import JinkaError, Refused
from jinka.switch import MacRule, Peer
from jinka.switch.messages import answer_to

MAC_SIZE = 8
_LENGTH = 2  # bytes before each message
_TRACE = 4 + 16 + 2 + 16 + 6 + 12 + 10  # where field 11 begins behind a number of 16 digits
_GIVEN: dict[int, Value] = {38: "B12345", 39: "00", 128: bytes(MAC_SIZE)}


def framed(raw: bytes) -> bytes:
    """A message behind its length, 2 bytes."""
    return len(raw).to_bytes(_LENGTH, "big") + raw


def trace(raw: bytes) -> int:
    """Field 11 of a message as the bench lays it out."""
    return int(raw[_TRACE : _TRACE + 6])


class _Lines(asyncio.Protocol):
    """Whole messages of one line."""

    def __init__(self) -> None:
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        data = self._held + data if self._held else data
        at, size, messages = 0, len(data), list[bytes]()
        while size - at >= _LENGTH:
            end = at + _LENGTH + (data[at] << 8 | data[at + 1])
            if end > size:
                break
            messages.append(data[at + _LENGTH : end])
            at = end
        self._held = data[at:]
        if messages:
            self.take(messages)

    def take(self, messages: list[bytes]) -> None:
        """What came."""
        raise NotImplementedError


@dataclass(slots=True)
class Flow:
    """What all lines of the acquirer share: the requests by trace number, and what became of them."""

    frames: list[bytes]
    next: int = 0
    stopped: bool = False
    sent_at: dict[int, float] = field(default_factory=dict)
    times: list[float] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)


class TillLine(_Lines):
    """Sends another request for each answer."""

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self._flow = flow

    def fire(self, count: int) -> None:
        """Send some more."""
        flow = self._flow
        first = flow.next
        if flow.stopped or first + count > len(flow.frames):
            return
        flow.next = first + count
        now = time.perf_counter()
        flow.sent_at.update(dict.fromkeys(range(first, first + count), now))
        self.transport.write(b"".join(flow.frames[first : first + count]))

    def take(self, messages: list[bytes]) -> None:
        flow, now = self._flow, time.perf_counter()
        flow.answers += messages
        for raw in messages:
            began = flow.sent_at.pop(trace(raw), None)
            if began is not None:
                flow.times.append(now - began)
        self.fire(len(messages))


def wrong_answers(flow: Flow, codec: Codec, service: PaymentService, rule: MacRule) -> int:
    """How many answers had a wrong MAC, another code than 00 or another number: all are looked at."""
    wrong = 0
    for start in range(0, len(flow.answers), 4_096):
        chunk = flow.answers[start : start + 4_096]
        right = service.check_macs(
            [raw[:-MAC_SIZE] for raw in chunk], [raw[-MAC_SIZE:] for raw in chunk], key=rule.key,
            algorithm=rule.algorithm,
        )  # fmt: skip
        for raw, good in zip(chunk, right, strict=True):
            message = codec.decode(raw)
            wrong += not (good and message.text(39) == "00" and int(message.text(11)) == trace(raw))
    return wrong


class Cutter:
    """Answers to requests of one size, cut out of them: what repeats lies where it lay in the first."""

    def __init__(self, raw: bytes, codec: Codec, peer: Peer) -> None:
        request = codec.decode(raw)
        answer = answer_to(request, dict(_GIVEN), peer)
        whole = codec.encode(answer)
        self.size = len(raw)
        self._parts: list[bytes | slice] = [whole[: _at(codec, answer, 0)]]
        for number in answer.fields:
            if number == max(answer.fields):
                break  # the MAC
            first, last = _at(codec, answer, number), _at(codec, answer, number + 1)
            part: bytes | slice = whole[first:last]
            if number in request.fields and number not in _GIVEN:
                part = slice(_at(codec, request, number), _at(codec, request, number + 1))
            before = self._parts[-1]
            if isinstance(part, slice) and isinstance(before, slice) and before.stop == part.start:
                self._parts[-1] = slice(before.start, part.stop)
            elif isinstance(part, bytes) and isinstance(before, bytes):
                self._parts[-1] = before + part
            else:
                self._parts.append(part)
        if self.cut(raw) != whole[:-MAC_SIZE]:
            raise JinkaError("an answer that the codec writes in another way", where="bench switch")

    def cut(self, raw: bytes) -> bytes:
        """The answer without its MAC."""
        return b"".join([part if isinstance(part, bytes) else raw[part] for part in self._parts])


def _at(codec: Codec, message: Message, number: int) -> int:
    """Where a field begins, or would."""
    before = {n: v for n, v in message.fields.items() if n < number or n == 128}
    return len(codec.encode(Message(mti=message.mti, fields=before))) - MAC_SIZE


class Issuer:
    """Answers what all lines have brought in one turn of the loop; a wrong MAC ends the measurement."""

    def __init__(self, codec: Codec, peer: Peer, service: PaymentService, rule: MacRule) -> None:
        self._codec, self._peer, self._service, self._rule = codec, peer, service, rule
        self._waiting: list[tuple[Any, list[bytes]]] = []
        self._cutters: dict[int, Cutter] = {}
        self.wrong = 0

    def line(self) -> IssuerLine:
        """A line to it."""
        return IssuerLine(self)

    def take(self, transport: Any, messages: list[bytes]) -> None:
        """Answer soon."""
        if not self._waiting:
            asyncio.get_running_loop().call_soon(self._answer)
        self._waiting.append((transport, messages))

    def _answer(self) -> None:
        waiting, self._waiting = self._waiting, []
        answers = self.answers([raw for _, messages in waiting for raw in messages])
        at = 0
        for transport, messages in waiting:
            end = at + len(messages)
            transport.write(b"".join([framed(raw) for raw in answers[at:end]]))
            at = end

    def answers(self, raws: Sequence[bytes]) -> list[bytes]:
        """The answers to messages, in their order."""
        key, algorithm = self._rule.key, self._rule.algorithm
        plain, macs = [raw[:-MAC_SIZE] for raw in raws], [raw[-MAC_SIZE:] for raw in raws]
        right = self._service.check_macs(plain, macs, key=key, algorithm=algorithm)
        if not right.all():
            self.wrong += int((~right).sum())
            raise Refused("a request with a wrong MAC", where="bench switch")
        made = [self._cut(raw) if raw[:4] != b"0800" else self._written(raw) for raw in raws]
        macs = self._service.generate_macs(made, key=key, algorithm=algorithm)
        return [raw + mac for raw, mac in zip(made, macs, strict=True)]

    def _cut(self, raw: bytes) -> bytes:
        cutter = self._cutters.get(len(raw))
        if cutter is None:
            cutter = self._cutters[len(raw)] = Cutter(raw, self._codec, self._peer)
        return cutter.cut(raw)

    def _written(self, raw: bytes) -> bytes:
        answer = answer_to(self._codec.decode(raw), {39: "00", 128: bytes(MAC_SIZE)}, self._peer)
        return self._codec.encode(answer)[:-MAC_SIZE]


class IssuerLine(_Lines):
    """One line to the issuer."""

    def __init__(self, issuer: Issuer) -> None:
        super().__init__()
        self._issuer = issuer

    def take(self, messages: list[bytes]) -> None:
        self._issuer.take(self.transport, messages)
