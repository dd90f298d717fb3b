"""A network between two processes that a test can break: a TCP proxy with a fault for each line.

``HALF``: what is asked arrives, what is answered does not. ``DROP``: nothing arrives, and nobody is told. ``HOLD``: as
DROP, but what was asked lies somewhere and may arrive late, when its line is long gone. ``RESET``: the line is cut.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator
from contextlib import suppress
from enum import Enum


class Fault(Enum):
    """What a line does to bytes."""

    NONE = "none"
    HALF = "half"
    DROP = "drop"
    HOLD = "hold"
    RESET = "reset"


class Line:
    """One line through the network: ``near`` is who connected, ``far`` who listens."""

    def __init__(self, near: asyncio.StreamWriter, far: asyncio.StreamWriter, fault: Fault) -> None:
        self.near, self.far, self.fault = near, far, fault
        self.held: list[bytes] = []
        self.late = b""  # what the far side answered to what was let go
        self.let_go = False

    def outward(self, data: bytes) -> None:
        if self.fault in (Fault.NONE, Fault.HALF):
            self.far.write(data)
        elif self.fault is Fault.HOLD:
            self.held.append(data)

    def homeward(self, data: bytes) -> None:
        if self.let_go:
            self.late += data
        elif self.fault is Fault.NONE:
            self.near.write(data)

    def cut(self) -> None:
        for end in (self.near, self.far):
            end.transport.abort()


class Network:
    """Listens on ``port`` and leads to ``target``. Each new line gets the next of `fresh`."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.lines: list[Line] = []
        self.fresh: Iterator[Fault] = itertools.repeat(Fault.NONE)
        self.met: set[Fault] = set()  # the faults that a line has had
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> int:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    def part(self, standing: Iterable[Fault], fresh: Iterable[Fault]) -> None:
        """Break it: the lines that stand get one fault each, in turn, and so do those that come."""
        for line, fault in zip(self._standing(), itertools.cycle(standing), strict=False):
            line.fault = fault
            self.met.add(fault)
            if fault is Fault.RESET:
                line.cut()
        self.fresh = itertools.cycle(fresh)

    def heal(self) -> None:
        """New lines are good. Lines that lost bytes cannot go on; what is held is held."""
        self.fresh = itertools.repeat(Fault.NONE)
        for line in self._standing():
            if line.fault in (Fault.HALF, Fault.DROP):
                line.cut()

    def let_go(self) -> list[Line]:
        """What was held arrives after all."""
        lines = [line for line in self.lines if line.held]
        for line in lines:
            line.let_go = True
            line.far.write(b"".join(line.held))
        return lines

    async def stop(self) -> None:
        self._server.close()
        for line in self.lines:
            line.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _standing(self) -> list[Line]:
        return [line for line in self.lines if not line.near.is_closing()]

    async def _connected(self, reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        fault = next(self.fresh)
        self.met.add(fault)
        if fault is Fault.RESET:
            near.transport.abort()
            return
        answers, far = await asyncio.open_connection("127.0.0.1", self._target)
        line = Line(near, far, fault)
        self.lines.append(line)
        for work in (self._pump(line, reader, out=True), self._pump(line, answers, out=False)):
            task = asyncio.get_running_loop().create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _pump(self, line: Line, reader: asyncio.StreamReader, *, out: bool) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                (line.outward if out else line.homeward)(data)
        if not (out and line.held):  # the near side gave up; the far side hears of it when the rest has come
            line.cut()
