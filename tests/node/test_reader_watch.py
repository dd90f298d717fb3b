"""A reader's watch against our emulated reader, over real sockets.

Goal: reads come with our times and the TID, a lost reader is found again and the gap is told, a flood and hostile bytes
end in counts and words. Method: asyncio in this process, free ports, the emulator cut, stopped and pulled.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from jinka.codec.llrp import LlrpError, element, encode, message
from jinka.node.reader_clock import OLDEST_MICROS, ReaderClock
from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import TagField, Visit
from jinka.node.reader_link import ReaderLink, ReaderLost
from jinka.node.reader_watch import ReadBuffer, ReaderRead
from jinka.node.system import SystemClock
from tests.node.reader_rig import TID, Watched, tag, until


def _now() -> int:
    return time.time_ns() // 1000


@pytest.mark.parametrize(("uptime", "ahead_s"), [(False, 0), (True, 0), (False, 3600), (False, -3600)])
def test_reads_come_with_tid_and_in_our_time_whatever_the_readers_clock_says(
    uptime: bool, ahead_s: int
) -> None:
    async def talk() -> None:
        field = TagField([tag(1), tag(2, Visit(antenna=2, rate=1.0))])
        reader = ReaderEmulator(field, SystemClock(), uptime=uptime, ahead_micros=ahead_s * 1_000_000)
        began = _now()
        async with reader.serving(), Watched(reader.port, tid_words=6) as watched:
            await until(lambda: len(watched.buffer) >= 4)
            reads = watched.buffer.take(100)
            assert {(read.antenna, read.epc[-1]) for read in reads} == {(1, 1), (2, 2)}
            assert {read.tid for read in reads} == {TID[:-4] + b"\0\0\0\1", TID[:-4] + b"\0\0\0\2"}
            assert all(began - 50_000 <= read.first_micros <= read.last_micros <= _now() for read in reads)
            assert all(read.pc is not None and read.rssi_dbm is not None for read in reads)
            wrong = watched.watch.figures.clock_wrong_micros
            assert abs(wrong + ahead_s * 1_000_000) < 2_000_000
            assert watched.watch.figures.state == "reading"
            assert not watched.gaps

    asyncio.run(talk())


def test_a_lost_reader_is_found_again_and_the_gap_is_told() -> None:
    async def talk() -> None:
        field = TagField([tag(1)])
        first = ReaderEmulator(field, SystemClock())
        async with first.serving():
            port = first.port
            watched = Watched(port)
            async with watched:
                await until(lambda: watched.watch.figures.reads)
                await first.stop()
                await until(lambda: watched.watch.figures.tries >= 3)
                (gap,) = watched.gaps
                assert gap.reader == "dock"
                assert gap.to_micros is None
                assert "closed the connection" in gap.reason or "reset" in gap.reason
                assert watched.watch.gaps == (gap,)
                seen = watched.watch.figures.reads
                async with ReaderEmulator(field, SystemClock()).serving(port):
                    await until(lambda: watched.watch.figures.reads > seen)
                    begun, ended = watched.gaps
                    assert (begun.from_micros, begun.reason) == (ended.from_micros, ended.reason)
                    assert ended.to_micros is not None
                    assert ended.to_micros > ended.from_micros
                    assert watched.watch.gaps == ()

    asyncio.run(talk())


def test_what_a_reader_held_while_the_line_was_cut_comes_afterwards() -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(1)]), SystemClock())
        async with reader.serving(), Watched(reader.port, retry_first_s=0.3) as watched:
            await until(lambda: watched.watch.figures.connections)
            await until(lambda: len(watched.buffer))
            reader.cut()
            await until(lambda: watched.gaps)
            watched.buffer.take(10_000)
            await until(lambda: watched.watch.figures.connections == 2)
            await until(lambda: len(watched.buffer))
            gap = watched.gaps[-1]
            assert gap.held
            assert gap.to_micros is not None
            late = [
                read
                for read in watched.buffer.take(10_000)
                if gap.from_micros < read.last_micros < gap.to_micros
            ]
            assert len(late) >= 5  # of about fifteen turns of 20 ms

    asyncio.run(talk())


def test_an_antenna_that_is_pulled_is_a_gap_of_its_own() -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(1)]), SystemClock())
        async with reader.serving(), Watched(reader.port) as watched:
            await until(lambda: watched.watch.figures.reads)
            await reader.antenna(1, connected=False)
            await until(lambda: watched.gaps)
            assert (watched.gaps[0].antenna, watched.gaps[0].reason) == (1, "the antenna is disconnected")
            await reader.antenna(1, connected=True)
            await until(lambda: len(watched.gaps) == 2)
            assert watched.gaps[1].to_micros is not None

    asyncio.run(talk())


def test_keepalives_are_answered_and_a_silent_reader_is_given_up() -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([]), SystemClock())
        async with reader.serving(), Watched(reader.port, keepalive_ms=60) as watched:
            await until(lambda: reader.acknowledged >= 3)
            reader._keepalive_ms = 0
            await until(lambda: watched.gaps)
            assert "silent for 0.18 s" in watched.gaps[0].reason

    asyncio.run(talk())


def test_a_flood_is_bounded_and_counted() -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([tag(n) for n in range(300)]), SystemClock())
        async with reader.serving(), Watched(reader.port, most=100) as watched:
            await until(lambda: watched.watch.figures.reports >= 3)
            assert len(watched.buffer) == 100
            (gap,) = watched.buffer.lost()
            assert gap.dropped >= 700
            assert gap.reason == "more reads than can be looked at"
            assert gap.to_micros is not None
            assert gap.from_micros <= gap.to_micros

    asyncio.run(talk())


def test_the_buffer_counts_by_reader_once() -> None:
    def read(reader: str, at: int) -> ReaderRead:
        return ReaderRead(
            reader=reader, antenna=1, epc=b"", epc_bits=0, first_micros=at, last_micros=at, count=1, rssi_dbm=None,
            pc=None,
        )  # fmt: skip

    buffer = ReadBuffer(1)
    for at, name in enumerate(("a", "a", "b", "a")):
        buffer.put(read(name, at))
    lost = {gap.reader: (gap.dropped, gap.from_micros, gap.to_micros) for gap in buffer.lost()}
    assert lost == {"a": (2, 1, 3), "b": (1, 2, 2)}
    assert list(buffer.lost()) == []


_EVENT = encode(
    message(
        "READER_EVENT_NOTIFICATION",
        element(
            "ReaderEventNotificationData", element("UTCTimestamp", Microseconds=1), element("ConnectionAttemptEvent")
        ),
    )
)  # fmt: skip
_REFUSED = encode(
    message(
        "READER_EVENT_NOTIFICATION",
        element(
            "ReaderEventNotificationData",
            element("UTCTimestamp", Microseconds=1),
            element("ConnectionAttemptEvent", Status=2),
        ),
    )
)


@pytest.mark.parametrize(
    ("says", "told"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "no LLRP is spoken there"),
        (b"", "it closed at once"),
        (_EVENT[:20], "it closed at once"),
        (_REFUSED, "it refused us: client initiated exists"),
        (encode(message("KEEPALIVE")), "its first word is KEEPALIVE"),
        (b"\x04\x3f\xff\xff\xff\xff\0\0\0\0", "a length of 4294967295"),
        (_EVENT + b"\x04\x3d\x00\x00\x00\x0e\0\0\0\1\x00\xf0\x00\x04", "EPCParameter is missing"),
        (_EVENT + b"\x00" * 10, "no LLRP is spoken there"),
        (_EVENT, "it closed the connection"),
    ],
)
def test_hostile_first_words_end_with_the_reason(says: bytes, told: str) -> None:
    async def talk() -> str:
        async def serve(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(says)
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        link = ReaderLink("127.0.0.1", server.sockets[0].getsockname()[1], lambda _: None, answer_s=2.0)
        try:
            await link.open()
            await link.ended()
        except ReaderLost as lost:
            return str(lost)
        finally:
            await link.close()
            server.close()
        raise AssertionError("it must not be taken for a reader")

    assert told in asyncio.run(talk())


def test_a_mute_reader_and_one_that_is_not_there_end_in_time() -> None:
    async def talk() -> None:
        held: list[asyncio.StreamWriter] = []

        async def serve(stream: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            held.append(writer)
            await stream.read()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        link = ReaderLink("127.0.0.1", port, lambda _: None, answer_s=0.1)
        with pytest.raises(ReaderLost, match=r"no word within 0\.1 s"):
            await link.open()
        with pytest.raises(ReaderLost, match="is it on"):
            await ReaderLink("a" * 70 + ".example", port, lambda _: None, answer_s=1.0).open()
        server.close()
        for writer in held:
            writer.close()
        with pytest.raises(ReaderLost, match="nobody listens there"):
            await ReaderLink("127.0.0.1", port, lambda _: None, answer_s=1.0).open()

    asyncio.run(talk())


def test_a_refusal_of_the_reader_is_told_in_its_words() -> None:
    async def talk() -> None:
        reader = ReaderEmulator(TagField([]), SystemClock())
        async with reader.serving():
            link = ReaderLink("127.0.0.1", reader.port, lambda _: None)
            await link.open()
            with pytest.raises(LlrpError, match="START_ROSPEC: the reader says field error: no ROSpec 9"):
                await link.ask(message("START_ROSPEC", ROSpecID=9))
            other = ReaderLink("127.0.0.1", reader.port, lambda _: None)
            with pytest.raises(ReaderLost, match="client initiated exists"):
                await other.open()
            await link.close()

    asyncio.run(talk())


def test_the_clock_follows_the_smallest_difference_and_forgets_old_ones() -> None:
    times = ReaderClock()
    assert times.ours(5, 100, utc=True) == 100  # nothing known
    times.heard(1_000, 51_000, utc=True)
    times.heard(2_000, 50_000, utc=True)  # took 2 ms less
    assert times.ahead_micros(utc=True) == 48_000
    assert times.ours(2_000, 60_000, utc=True) == 50_000
    assert times.ours(99_000, 60_000, utc=True) == 60_000  # never after it was heard
    assert times.ahead_micros(utc=False) is None
    assert times.ours(-(2**64), 60_000, utc=True) == 60_000  # nonsense is not believed
    assert times.ours(2_000 - OLDEST_MICROS, 50_000, utc=True) == 50_000 - OLDEST_MICROS
    for minute in range(1, 30):  # it drifts: a second slower a minute
        at = minute * 61_000_000
        times.heard(at - 48_000 - minute * 1_000_000, at, utc=True)
    ahead = times.ahead_micros(utc=True)
    assert ahead is not None
    assert ahead > 19_000_000
    assert times.wrong_by_micros == ahead
