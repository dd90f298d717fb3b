"""A UHF reader without a radio: serves LLRP 1.0.1 over TCP, so that clients of any make can be tried without hardware.

It has the life of ROSpecs and AccessSpecs (clauses 10 and 11), reports by the content that is asked for, reads the TID
of tags, sends keepalives, holds its reports while nobody is there if it was told to, serves one client at a time, and
answers what it does not have with the standard's errors. Only duration and null triggers run by themselves; GPI
triggers, RF surveys, writing, locking and killing tags, and vendors' extensions are not built.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from jinka.codec.llrp import (
    HEADER,
    Attempt,
    Element,
    LlrpError,
    Message,
    Status,
    decode,
    element,
    encode,
    frame_length,
)
from jinka.codec.llrp import message as llrp
from jinka.kit import Clock
from jinka.node.reader_field import TagField
from jinka.node.reader_specs import ReaderSpecs, SpecError

HELD_MAX = 2_000  # reports
_UNSENT_MAX = 8 << 20  # bytes that a client has not taken; then it is cut off
_TICK_S = 0.02


class ReaderEmulator:
    """`start` it, and `stop` it. ``ahead_micros`` makes its clock wrong, ``uptime`` takes its clock away."""

    def __init__(
        self, field: TagField, clock: Clock, *, antennas: int = 4, uptime: bool = False, ahead_micros: int = 0
    ) -> None:
        self._clock, self._uptime, self._ahead = clock, uptime, ahead_micros
        self._began = clock.now_micros()
        self.antennas = antennas
        self.specs = ReaderSpecs(field, self._stamp, antennas=antennas, uptime=uptime)
        self._server: asyncio.Server | None = None
        self._running: asyncio.Task[None] | None = None
        self._client: asyncio.StreamWriter | None = None
        self._released = True  # of what was held
        self._held: deque[Message] = deque()
        self._overflow = False
        self._keepalive_ms, self._keepalive_due = 0, 0.0
        self._number = 0
        self.host, self.port = "", 0
        self.acknowledged = 0

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, host, port)
        self.host, self.port = self._server.sockets[0].getsockname()[:2]
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """As if its power were cut."""
        for task in [self._running] if self._running else []:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if self._server is not None:
            self._server.close()
        self.cut()
        await asyncio.sleep(0)

    def cut(self) -> None:
        """Let the line to the client break; the reader goes on."""
        if self._client is not None:
            self._client.transport.abort()

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[ReaderEmulator]:
        """It listens inside, and not any more outside."""
        await self.start(port=port)
        try:
            yield self
        finally:
            await self.stop()

    def _stamp(self, since_s: float | None = None) -> int:
        """A moment by the reader's clock: now, or so many seconds after its start."""
        at = self._clock.now_micros() if since_s is None else self._began + round(since_s * 1_000_000)
        return at - self._began if self._uptime else at + self._ahead

    def _event(self, *inner: Element) -> Message:
        stamp = element("Uptime" if self._uptime else "UTCTimestamp", Microseconds=self._stamp())
        return llrp("READER_EVENT_NOTIFICATION", element("ReaderEventNotificationData", stamp, *inner))

    async def antenna(self, number: int, *, connected: bool) -> None:
        """Plug an antenna in, or pull it out."""
        self.specs.connect(number, connected=connected)
        self._say(self._event(element("AntennaEvent", EventType=int(connected), AntennaID=number)))

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._client is not None:
            taken = element("ConnectionAttemptEvent", Status=Attempt.CLIENT_INITIATED_EXISTS)
            writer.write(encode(self._event(taken)))
            writer.close()
            return
        self._client, self._released = writer, not self.specs.holds
        writer.write(encode(self._event(element("ConnectionAttemptEvent", Status=Attempt.SUCCESS))))
        try:
            while not writer.is_closing():
                head = await stream.readexactly(HEADER)
                raw = head + await stream.readexactly(frame_length(head) - HEADER)
                await self._take(raw, writer)
        except (LlrpError, OSError, asyncio.IncompleteReadError):
            pass  # it speaks something else, or went away
        finally:
            self._client, self._keepalive_ms = None, 0
            writer.close()

    async def _take(self, raw: bytes, writer: asyncio.StreamWriter) -> None:
        number = int.from_bytes(raw[6:HEADER], "big")
        try:
            asked = decode(raw)
        except LlrpError as error:
            code = Status.UNSUPPORTED_VERSION if error.what.startswith("version") else Status.PARAMETER_ERROR
            self._say(_refusal("ERROR_MESSAGE", number, code, str(error)))
            return
        for report in self.specs.work(self._seconds()):  # what was seen before it was asked
            self._say(report)
        answer = self._answer(asked)
        if answer is not None:
            self._say(answer)
            with contextlib.suppress(OSError):
                await writer.drain()
        if asked.name == "CLOSE_CONNECTION":
            writer.close()

    def _answer(self, asked: Message) -> Message | None:
        """What the reader says to a request; None where it says nothing."""
        if asked.name == "KEEPALIVE_ACK":
            self.acknowledged += 1
            return None
        if asked.name == "ENABLE_EVENTS_AND_REPORTS":
            self._release()
            return None
        if asked.name == "GET_REPORT":
            self._say(self.specs.report_now())
            return None
        answers: dict[str, Callable[[Message], tuple[Element, ...]]] = {
            "CLOSE_CONNECTION": lambda _: (),
            "SET_READER_CONFIG": self._configured,
            **self.specs.answers,
        }
        work = answers.get(asked.name)
        if work is None:
            return _refusal("ERROR_MESSAGE", asked.id, Status.UNSUPPORTED_MESSAGE, f"no {asked.name} here")
        name = f"{asked.name}_RESPONSE"
        try:
            inside = work(asked)
        except SpecError as error:
            return _refusal(name, asked.id, error.code, str(error))
        for report in self.specs.finished():  # what the order put an end to
            self._say(report)
        return llrp(name, element("LLRPStatus"), *inside, id=asked.id)

    def _configured(self, asked: Message) -> tuple[Element, ...]:
        self.specs.configure(asked)
        for spec in asked.body.all("KeepaliveSpec"):
            self._keepalive_ms = spec["PeriodicTriggerValue"] if spec["KeepaliveTriggerType"] else 0
            self._keepalive_due = self._seconds() + self._keepalive_ms / 1000
        return ()

    def _seconds(self) -> float:
        return (self._clock.now_micros() - self._began) / 1_000_000

    async def _run(self) -> None:
        """The reader's own time: turns of the inventory, and keepalives."""
        while True:
            await asyncio.sleep(_TICK_S)
            now = self._seconds()
            for report in self.specs.work(now):
                self._say(report)
            if self._keepalive_ms and now >= self._keepalive_due and self._client is not None:
                self._keepalive_due = now + self._keepalive_ms / 1000
                self._say(llrp("KEEPALIVE"))

    def _say(self, told: Message) -> None:
        """To the client; a report that nobody hears is held or lost."""
        waits = told.name == "RO_ACCESS_REPORT" and (self._client is None or not self._released)
        if waits and self.specs.holds:
            self._overflow = self._overflow or len(self._held) >= HELD_MAX
            if len(self._held) < HELD_MAX:
                self._held.append(told)
            return
        if waits or self._client is None or self._client.is_closing():
            return
        number = told.id
        if not told.name.endswith("_RESPONSE") and told.name != "ERROR_MESSAGE":
            self._number = number = self._number % 0xFFFF_FFFF + 1
        self._client.write(encode(Message(id=number, body=told.body)))
        if self._client.transport.get_write_buffer_size() > _UNSENT_MAX:
            self.cut()

    def _release(self) -> None:
        self._released = True
        if self._overflow:
            self._say(self._event(element("ReportBufferOverflowErrorEvent")))
        held, self._held, self._overflow = self._held, deque(), False
        for report in held:
            self._say(report)


def _refusal(name: str, number: int, code: int, text: str) -> Message:
    return llrp(name, element("LLRPStatus", StatusCode=code, ErrorDescription=text[:200]), id=number)
