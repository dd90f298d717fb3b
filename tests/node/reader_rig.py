"""What the tests of readers share: tags with their EPCs, and a wait for something to come true."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from jinka.node.reader_field import EmulatedTag, Visit
from jinka.node.reader_watch import Gap, ReadBuffer, ReaderSettings, ReaderWatch
from jinka.node.system import SystemClock

EPC = bytes.fromhex("3034257BF7194E4000001A85")  # urn:epc:id:sgtin:0614141.812345.6789
TID = bytes.fromhex("E28011050000000012345678")


def tag(serial: int, *visits: Visit, tid: bytes | None = None) -> EmulatedTag:
    """Of one product, by its serial number."""
    epc = EPC[:-4] + (serial & 0xFFFF_FFFF).to_bytes(4, "big")
    own = TID[:-4] + serial.to_bytes(4, "big") if tid is None else tid
    return EmulatedTag(epc=epc, visits=visits or (Visit(antenna=1, rate=1.0),), tid=own)


async def until(true: Callable[[], object], within_s: float = 8.0) -> None:
    """Wait until it is true; a test that waits in vain fails here."""
    async with asyncio.timeout(within_s):
        while not true():
            await asyncio.sleep(0.01)


class Watched:
    """A watch with all that it told."""

    def __init__(self, port: int, *, most: int = 50_000, **settings: object) -> None:
        self.buffer, self.gaps = ReadBuffer(most), list[Gap]()
        quick = {"turn_ms": 20, "retry_first_s": 0.02, "retry_most_s": 0.1, "answer_s": 5.0} | settings
        own = ReaderSettings(name="dock", host="127.0.0.1", port=port, **quick)  # type: ignore[arg-type]
        self.watch = ReaderWatch(own, self.buffer, SystemClock(), self.gaps.append)

    async def __aenter__(self) -> Watched:
        self._task = asyncio.create_task(self.watch.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
