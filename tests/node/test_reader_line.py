"""What may go wrong on the line between a reader and its watch once they are at work.

Goal: a message that is cut in its middle, noise between good messages, and whatever else is well-formed end in a gap
with its reason or in nothing; the watch lives on, and no read of a broken message is taken. Method: a relay between the
watch and the emulated reader that spoils what it was told to.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from jinka.codec.llrp import HEADER, decode, encode, frame_length, tag_reports
from jinka.codec.llrp.messages import MESSAGES_BY_NAME
from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import TagField
from jinka.node.system import SystemClock
from tests.codec.llrp.random_messages import random_message
from tests.node.reader_rig import Watched, tag, until

_REPORT = "RO_ACCESS_REPORT"


class Relay:
    """``spoil`` gets each message of the reader with its name, and says what goes on; None: that, and the end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.spoil: Callable[[str, bytes], tuple[bytes, bool]] = lambda _, raw: (raw, True)
        self.port = self.lives = 0
        self._lines: set[asyncio.Task[None]] = set()
        self._far: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[Relay]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for far_writer in self._far:
                far_writer.transport.abort()  # the line then ends by itself
            await asyncio.gather(*self._lines)

    async def _serve(self, stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.lives += 1
        line = asyncio.current_task()
        assert line is not None
        self._lines.add(line)
        far, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._far.add(far_writer)
        asking = asyncio.create_task(_copy(stream, far_writer))
        try:
            goes_on = True
            while goes_on:
                head = await far.readexactly(HEADER)
                raw = head + await far.readexactly(frame_length(head) - HEADER)
                shown, goes_on = self.spoil(decode(raw).name, raw)
                writer.write(shown)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            pass
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            for each in (writer, far_writer):
                each.close()


async def _copy(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await stream.read(4096):
        writer.write(data)
        await writer.drain()


def spoiled(spoil: Callable[[str, bytes], tuple[bytes, bool]], *tags: int) -> Watched:
    """A watch whose reader's reports are spoiled once; it has to be at work again when this returns."""
    watches: list[Watched] = []

    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(number) for number in tags]), SystemClock())
        async with reader.serving(), Relay(reader.port).serving() as relay, Watched(relay.port) as watched:
            watches.append(watched)
            await until(lambda: watched.watch.figures.reports >= 2)

            def once(name: str, raw: bytes) -> tuple[bytes, bool]:
                if name != _REPORT:
                    return raw, True
                relay.spoil = lambda _, raw: (raw, True)
                return spoil(name, raw)

            relay.spoil = once
            await until(lambda: relay.lives == 2)
            seen = watched.watch.figures.reports
            await until(
                lambda: watched.watch.figures.reports > seen and watched.watch.figures.state == "reading"
            )
            assert watched.watch.gaps == ()

    asyncio.run(talk())
    return watches[0]


def test_a_report_that_is_cut_in_its_middle_is_a_gap_and_no_reads() -> None:
    whole: list[int] = []

    def half(_: str, raw: bytes) -> tuple[bytes, bool]:
        whole.append(sum(1 for _ in tag_reports(decode(raw))))
        return raw[: len(raw) // 2], False

    watched = spoiled(half, *range(1, 9))
    begun, ended = watched.gaps
    assert whole == [8]
    assert "closed the connection" in begun.reason
    assert begun.to_micros is None
    assert ended.to_micros is not None
    assert len(watched.buffer) % 8 == 0  # reports are whole or not there


def test_noise_between_messages_ends_the_connection_with_the_reason() -> None:
    chance = random.Random(5084)
    for noise in (b"\0" * 12, b"HTTP/1.1 200 OK\r\n\r\n", chance.randbytes(64)):
        watched = spoiled(lambda _, raw, noise=noise: (raw + noise, True), 1)  # type: ignore[misc]
        assert "no LLRP" in watched.gaps[0].reason
        assert watched.gaps[0].to_micros is None
        assert len(watched.gaps) == 2


def test_whatever_is_well_formed_does_not_end_the_watch() -> None:
    """Messages of every kind with drawn contents, among a working reader's own: answers to nothing, a reader's
    requests, tags at impossible times, antennas that are none."""
    chance = random.Random(1014)
    kinds = [kind for kind in MESSAGES_BY_NAME.values() if kind.name != "CLOSE_CONNECTION_RESPONSE"]

    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(1)]), SystemClock())
        async with reader.serving(), Relay(reader.port).serving() as relay, Watched(relay.port) as watched:
            await until(lambda: watched.watch.figures.reports >= 1)
            sent = 0

            def among(name: str, raw: bytes) -> tuple[bytes, bool]:
                nonlocal sent
                sent += 20
                return b"".join(
                    encode(random_message(chance.choice(kinds), chance)) for _ in range(20)
                ) + raw, True

            relay.spoil = among
            await until(lambda: sent >= 400)
            relay.spoil = lambda _, raw: (raw, True)
            seen = watched.watch.figures.reports
            await until(lambda: watched.watch.figures.reports > seen + 2)
            assert watched.watch.figures.state == "reading"
            assert not watched._task.done()
            assert len(watched.buffer) <= 50_000
            now = SystemClock().now_micros()
            assert all(
                0 < read.first_micros <= read.last_micros <= now for read in watched.buffer.take(50_000)
            )

    asyncio.run(talk())
