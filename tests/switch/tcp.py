"""The switch behind real sockets, for tests: a bank that listens, tills that connect, and a runner on a folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jinka.codec.framing import Frame, Framer, Framing, close_frame
from jinka.codec.iso8583 import Message
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address, SwitchRunner
from jinka.node.system import SystemClock
from jinka.store import SwitchJournal, open_database
from jinka.switch import SwitchConfig, SwitchCore
from tests.keys.ground import service
from tests.keys.payments import rig
from tests.switch.bank import Bank
from tests.switch.ground import CODEC, DATE, PANS

FRAMING = Framing()


class BankLine(asyncio.Protocol):
    """One line to the bank. ``mute`` swallows what comes, as a partition does."""

    def __init__(self, serving: BankServing) -> None:
        self.serving, self.framer = serving, Framer(FRAMING)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self.serving.lines.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.serving.lines.discard(self)

    def data_received(self, data: bytes) -> None:
        frames, _ = self.framer.feed(data)
        for frame in frames:
            if self.serving.mute:
                continue
            answer = self.serving.bank.handle(CODEC.decode(frame.message))
            if answer is not None and not self.serving.deaf:
                self.transport.write(close_frame(FRAMING, Frame(message=CODEC.encode(answer))))


class BankServing:
    """``mute``: nothing is heard; ``deaf``: everything is heard and done, and no answer leaves."""

    def __init__(self, bank: Bank) -> None:
        self.bank, self.mute, self.deaf = bank, False, False
        self.lines: set[BankLine] = set()
        self.port = 0

    async def start(self, port: int = 0, tls: Any = None) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: BankLine(self), "127.0.0.1", port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        self._server.close()
        for line in list(self.lines):
            line.transport.abort()


class Till:
    """An acquirer: sends, waits for the answer of the same trace number."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[str, str], asyncio.Future[Message]] = {}
        self.framer = Framer(FRAMING)

    async def connect(self, port: int) -> Till:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", port)
        self._task = asyncio.get_running_loop().create_task(self._read())
        return self

    async def _read(self) -> None:
        while data := await self.reader.read(65536):
            for frame in self.framer.feed(data)[0]:
                message = CODEC.decode(frame.message)
                found = self.waiting.pop((message.mti[1], message.text(11)), None)
                if found is not None and not found.done():
                    found.set_result(message)
        for found in self.waiting.values():
            if not found.done():
                found.set_exception(ConnectionError())

    def send(
        self, message: Message, encode: Callable[[Message], bytes] = CODEC.encode
    ) -> asyncio.Future[Message]:
        answer: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self.waiting[message.mti[1], message.text(11)] = answer
        self.writer.write(close_frame(FRAMING, Frame(message=encode(message))))
        return answer

    async def ask(self, message: Message, seconds: float = 20) -> Message:
        return await asyncio.wait_for(self.send(message), seconds)

    async def close(self) -> None:
        self.writer.close()
        await asyncio.gather(self.writer.wait_closed(), return_exceptions=True)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


@dataclass
class Town:
    """A switch, a bank, and where the till finds the switch."""

    runner: SwitchRunner
    bank: BankServing
    port: int
    failures: list[BaseException]

    async def till(self) -> Till:
        return await Till().connect(self.port)


@asynccontextmanager
async def town(
    folder: Path, rules: SwitchConfig, *, link: dict[str, Any] | None = None, where: Any = None,
    till_link: dict[str, Any] | None = None, bank_link: dict[str, Any] | None = None, bank_tls: Any = None,
    other_link: dict[str, Any] | None = None,
) -> AsyncIterator[Town]:  # fmt: skip
    bank = BankServing(Bank(rules.peers["bank"], PANS, 10_000_000))
    await bank.start(tls=bank_tls)
    database = open_database(where or folder / "switch.db")
    journal = SwitchJournal(database, service())
    clock, failures = SystemClock(), list[BaseException]()
    core = SwitchCore(rules, now_micros=clock.now_micros(), business_date=DATE)
    runner = SwitchRunner(core, journal, KeyDesk(rig().service, remote=False), clock, failed=failures.append)
    runner.run(core.recover(journal.recover(lambda _: True, DATE), clock.now_micros()))
    wires = LinkRules(framing=FRAMING, **(link or {}))
    till_wires, bank_wires = (replace(wires, **(more or {})) for more in (till_link, bank_link))
    await runner.start(
        [
            Address(peer="till", host="127.0.0.1", port=0, listen=True, rules=till_wires),
            *(
                Address(
                    peer=name,
                    host="127.0.0.1",
                    port=0,
                    listen=True,
                    rules=replace(wires, **(other_link or {})),
                )
                for name in rules.peers
                if name not in ("till", "bank")
            ),
            Address(
                peer="bank", host="127.0.0.1", port=bank.port, listen=False, rules=bank_wires, again_s=0.05
            ),
        ]
    )
    while core.board.ready_line("bank") is None and bank_tls is None:
        assert not failures, failures
        await asyncio.sleep(0.005)
    try:
        yield Town(runner, bank, runner.ports["till"], failures)
    finally:
        await runner.stop()
        bank.stop()
        database.dispose()
