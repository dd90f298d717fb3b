"""One connection to a UHF reader over LLRP: requests with their answers, and what the reader says by itself.

Standard: EPCglobal LLRP 1.0.1, clauses 9 (connections; the client connects) and 15. Everything has a limit: the size of
a message, the wait for an answer, the silence of a reader. Keepalives are answered here. What a reader sends that is no
LLRP ends the connection with the reason; nothing is taken from it after that. TLS is not built: LLRP 1.0.1 over TLS is
hardly met, and a reader belongs on a network of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from jinka.codec.llrp import (
    HEADER,
    Attempt,
    LlrpError,
    Message,
    decode,
    encode,
    frame_length,
    message,
    require_success,
    status_words,
)
from jinka.kit import Fault, JinkaError

PORT = 5084
_ID_MAX = 0xFFFF_FFFF


class ReaderLost(JinkaError):
    """The connection is no more, or never was; ``what`` is why."""

    fault = Fault.PEER


async def read_message(stream: asyncio.StreamReader) -> Message:
    """The next whole message of a stream."""
    head = await stream.readexactly(HEADER)
    length = frame_length(head)
    return decode(head + await stream.readexactly(length - HEADER))


class ReaderLink:
    """Open it, `ask` it, and wait for its end in `ended`; ``hear`` is called for what was not asked for."""

    def __init__(
        self,
        host: str,
        port: int,
        hear: Callable[[Message], None],
        *,
        answer_s: float = 5.0,
        silence_s: float = 30.0,
    ) -> None:
        self._host, self._port, self._hear = host, port, hear
        self._answer_s, self._silence_s = answer_s, silence_s
        self._waiting: dict[int, asyncio.Future[Message]] = {}
        self._last_id = 0
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self.keepalives = 0
        self.unasked_errors: list[str] = []

    @property
    def _where(self) -> str:
        return f"{self._host}:{self._port}"

    async def open(self) -> Message:
        """Connect, and return the reader's first event, which says that it took the connection."""
        try:
            async with asyncio.timeout(self._answer_s):
                stream, self._writer = await asyncio.open_connection(self._host, self._port)
                first = await read_message(stream)
        except TimeoutError:
            await self._drop()
            raise ReaderLost(
                f"no word within {self._answer_s:g} s", where=self._where, fix="is it a reader?"
            ) from None
        except asyncio.IncompleteReadError:
            await self._drop()
            raise ReaderLost(
                "it closed at once", where=self._where, fix="see whether another client has it"
            ) from None
        except LlrpError as error:
            await self._drop()
            raise ReaderLost(f"no LLRP: {error}", where=self._where, fix="check the address") from None
        except (OSError, UnicodeError) as error:  # the second: a name that can be no host's
            await self._drop()
            words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            if isinstance(error, ConnectionRefusedError):  # asyncio's words for it name a function
                words = "nobody listens there"
            raise ReaderLost(words, where=self._where, fix="is it on?") from None
        try:
            self._require_taken(first)
        except ReaderLost:
            await self._drop()
            raise
        self._reading = asyncio.create_task(self._read(stream), name=f"reader {self._where}")
        return first

    def _require_taken(self, first: Message) -> None:
        for data in first.body.all("ReaderEventNotificationData"):
            attempt = data.first("ConnectionAttemptEvent")
            if attempt is None:
                continue
            if attempt["Status"] == Attempt.SUCCESS:
                return
            known = attempt["Status"] in Attempt.__members__.values()
            words = (
                Attempt(attempt["Status"]).name.lower().replace("_", " ") if known else str(attempt["Status"])
            )
            raise ReaderLost(f"it refused us: {words}", where=self._where, fix="end the other client")
        raise ReaderLost(
            f"its first word is {first.name}", where=self._where, fix="LLRP begins with an event"
        )

    async def ask(self, asked: Message) -> Message:
        """Send a request and return its answer, which says success; raises `LlrpError` or `ReaderLost`."""
        number = self._next_id()
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        try:
            async with asyncio.timeout(self._answer_s):
                await self._send(Message(id=number, body=asked.body))
                return require_success(await answer, asked.name)
        except TimeoutError:
            raise ReaderLost(
                f"no answer to {asked.name} in {self._answer_s:g} s", where=self._where
            ) from None
        finally:
            self._waiting.pop(number, None)

    async def tell(self, told: Message) -> None:
        """Send what has no answer."""
        await self._send(Message(id=self._next_id(), body=told.body))

    async def ended(self) -> None:
        """Wait for the end of the connection; raises `ReaderLost` with the reason."""
        assert self._reading is not None
        await self._reading

    async def close(self) -> None:
        """Say goodbye and end it."""
        if self._writer is not None and self._reading is not None and not self._reading.done():
            with contextlib.suppress(JinkaError):
                await self.ask(message("CLOSE_CONNECTION"))
        await self._drop()

    async def _drop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._writer.wait_closed()
            self._writer = None

    def _next_id(self) -> int:
        self._last_id = self._last_id % _ID_MAX + 1
        return self._last_id

    async def _send(self, told: Message) -> None:
        if self._writer is None or (self._reading is not None and self._reading.done()):
            raise ReaderLost("not connected", where=self._where)
        self._writer.write(encode(told))
        try:
            await self._writer.drain()
        except OSError as error:
            raise ReaderLost(error.strerror or "the connection broke", where=self._where) from None

    async def _read(self, stream: asyncio.StreamReader) -> None:
        try:
            while True:
                async with asyncio.timeout(self._silence_s):
                    heard = await read_message(stream)
                await self._take(heard)
        except TimeoutError:
            lost = ReaderLost(f"silent for {self._silence_s:g} s", where=self._where)
        except asyncio.IncompleteReadError:
            lost = ReaderLost("it closed the connection", where=self._where)
        except LlrpError as error:
            lost = ReaderLost(f"no LLRP: {error}", where=self._where, fix="see its firmware")
        except OSError as error:
            lost = ReaderLost(error.strerror or "the connection broke", where=self._where)
        except ReaderLost as error:
            lost = error
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(lost)
        raise lost

    async def _take(self, heard: Message) -> None:
        if heard.name == "KEEPALIVE":
            self.keepalives += 1
            await self._send(message("KEEPALIVE_ACK", id=heard.id))
            self._hear(heard)
            return
        answer = self._waiting.get(heard.id)
        if answer is not None and (heard.name.endswith("_RESPONSE") or heard.name == "ERROR_MESSAGE"):
            if not answer.done():
                answer.set_result(heard)
        elif heard.name == "ERROR_MESSAGE":
            self.unasked_errors = [
                *self.unasked_errors[-7:],
                *map(status_words, heard.body.all("LLRPStatus")),
            ]
        else:
            self._hear(heard)
