"""Other people's LLRP: the emulator of llrpkit under our client; the clients of pyllrp and llrpkit at our reader.

Goal: the reader side works with programs not written here. Method: real sockets on free ports; pyllrp's own inventory
program runs unchanged in a thread.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from llrpkit import Reader
from llrpkit.client import LLRPClient
from llrpkit.emulator import LLRPEmulator
from llrpkit.exceptions import LLRPConnectionError
from llrpkit.protocol import messages
from pyllrp import pyllrp
from pyllrp.LLRPConnector import LLRPConnector
from pyllrp.TagInventory import TagInventory

from jinka.node.reader_emulator import ReaderEmulator
from jinka.node.reader_field import TagField, Visit
from jinka.node.system import SystemClock
from tests.node.reader_rig import Watched, tag, until


def test_our_client_reads_llrpkits_emulator_with_tids() -> None:
    async def talk() -> None:
        async with LLRPEmulator(reads_per_sec=2000) as reader, Watched(reader.port, tid_words=6) as watched:
            await until(lambda: len(watched.buffer) >= 200)
            reads = watched.buffer.take(1000)
            assert {read.epc for read in reads} == {each.epc for each in reader.tags}
            assert all(read.tid is not None and len(read.tid) == 12 for read in reads)
            assert {read.antenna for read in reads} == {1, 2, 3, 4}
            assert watched.watch.figures.model.startswith("25882/700")
            await reader.send_keepalive()
            await reader.wait_keepalive_ack()

    asyncio.run(talk())


def test_llrpkits_emulator_is_killed_and_the_gap_is_told() -> None:
    async def talk() -> None:
        async with LLRPEmulator(reads_per_sec=500) as first:
            port = first.port
            watched = Watched(port)
            async with watched:
                await until(lambda: watched.watch.figures.reads)
                await first.stop()
                await until(lambda: watched.watch.figures.tries >= 2)
                seen = watched.watch.figures.reads
                async with LLRPEmulator(reads_per_sec=500, port=port):
                    await until(lambda: watched.watch.figures.reads > seen)
                    assert [gap.to_micros is None for gap in watched.gaps] == [True, False]

    asyncio.run(talk())


class _At(TagInventory):  # type: ignore[misc]
    """pyllrp's program, which knows one port only."""

    def __init__(self, port: int) -> None:
        super().__init__("127.0.0.1")
        self._port = port

    def Connect(self) -> None:
        self.connector = LLRPConnector()
        self.connector.connect("127.0.0.1", self._port)
        for asked in (
            pyllrp.SET_READER_CONFIG_Message(ResetToFactoryDefault=True),
            self._getReaderConfigMessage(),
        ):
            assert self.connector.transact(asked).success()


def test_pyllrps_inventory_finds_our_readers_tags() -> None:
    async def talk() -> None:
        reader = ReaderEmulator(
            TagField([tag(n, Visit(antenna=1 + n % 4, rate=1.0)) for n in range(20)]), SystemClock()
        )
        async with reader.serving():

            def run() -> tuple[set[str], list[Any]]:
                peer = _At(reader.port)
                peer.Connect()
                found, others = peer.GetTagInventory()
                detail = list(peer.tagDetail)
                peer.Disconnect()
                assert not [each for each in others if "ERROR" in type(each).__name__]
                return found, detail

            found, detail = await asyncio.to_thread(run)
        assert found == {f"3034257BF7194E40{n:08X}" for n in range(20)}
        assert {each["AntennaID"] for each in detail} == {1, 2, 3, 4}
        assert all(each["PeakRSSI"] < 0 for each in detail)

    asyncio.run(talk())


def test_llrpkits_client_finds_our_readers_tags_and_reads_a_tid() -> None:
    async def talk() -> None:
        tags = [tag(n, Visit(antenna=1, rate=1.0)) for n in range(5)]
        reader = ReaderEmulator(TagField(tags), SystemClock())
        async with reader.serving():
            async with LLRPClient("127.0.0.1", reader.port) as client:
                answer: Any = await client.transact(messages.GET_READER_CONFIG())
                assert len(answer.antenna_properties) == 4
                second = LLRPClient("127.0.0.1", reader.port)
                with pytest.raises(LLRPConnectionError):
                    await second.connect()
            async with Reader("127.0.0.1", reader.port) as peer:
                seen = set()
                async for report in peer.inventory(duration=0.5):
                    seen.add(report.epc)
                assert seen == {each.epc for each in tags}
                read = await peer.read_memory(bank="tid", target_epc=tags[3].epc)
                assert (read.epc, read.data) == (tags[3].epc, tags[3].tid)

    asyncio.run(talk())
