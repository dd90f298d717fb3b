"""`jinka switch serve` is killed at random under load, and three books agree: the till's, the switch's and the bank's.

Method: the real process on SQLite and on PostgreSQL; a till that, like any acquirer, repeats what got no answer or
reverses it; a bank with a ledger. Each payment must be settled once or not at all, and all three must say so.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import sys
from pathlib import Path
from typing import Any

from jinka.app.keyring import make_keys, open_keys
from jinka.app.switch_serving import switch_status
from jinka.app.workspace import Workspace
from jinka.codec.iso8583 import Message
from jinka.store import SwitchJournal, open_database
from tests.switch.bank import Bank
from tests.switch.ground import PANS, peer, request, reversal
from tests.switch.tcp import BankServing, Till

FILE = """
[switch]
institution = "88001"
business_date = "2023-11-14"
metrics = "127.0.0.1:0"
database = {database}
[keys]
folder = "."
[peers.till]
listen = "127.0.0.1:{listen}"
institution = "101"
[peers.bank]
connect = "127.0.0.1:{port}"
institution = "202"
timeout_ms = 2000
retry_ms = 200
retry_max_ms = 500
[routes]
622848 = "bank"
"""


class Process:
    """One life of the switch, or of another server of ours."""

    def __init__(self, file: Path, noun: str = "switch", *options: str) -> None:
        self.file, self.noun, self.options = file, noun, options

    async def start(self) -> dict[str, Any]:
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "from jinka.cli import main; main()", self.noun, "serve",
            str(self.file), *self.options,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env=os.environ | {"NO_COLOR": "1"},
        )  # fmt: skip
        assert self.process.stdout is not None
        text = b""
        while not text.endswith(b"}\n"):
            line = await asyncio.wait_for(self.process.stdout.readline(), 60)
            assert line, (await self.process.stderr.read()).decode()
            text += line
        self.facts: dict[str, Any] = json.loads(text)
        return self.facts

    async def end(self, number: int) -> int:
        self.process.send_signal(number)
        await self.process.communicate()
        return self.process.returncode or 0


class Load:
    """A till under load, which repeats what was not answered; every fourth it reverses instead."""

    def __init__(self, dice: random.Random, first: int = 0) -> None:
        self.dice, self.told, self.reversed = dice, dict[str, str](), set[str]()
        self.messages: dict[str, Message] = {}
        self.trace = first

    async def pay(self, till: Till, message: Message) -> None:
        answer = await till.ask(message, 10)
        before = self.told.setdefault(message.text(11), answer.text(39))
        assert before == answer.text(39)

    async def run(
        self, till: Till, count: int, pause_s: float = 0, ended: asyncio.Event | None = None
    ) -> None:
        """Pay until it is enough, or over, or the line breaks."""
        for _ in range(count):
            if ended is not None and ended.is_set():
                return
            burst = []
            for _ in range(8):
                self.trace += 1
                message = request(self.trace, pan=self.dice.choice(PANS), fen=self.dice.randrange(1, 500))
                self.messages[message.text(11)] = message
                burst.append(self.pay(till, message))
            done = await asyncio.gather(*burst, return_exceptions=True)
            if any(isinstance(one, BaseException) for one in done):
                return
            await asyncio.sleep(pause_s)

    async def settle(self, till: Till) -> None:
        """Ask again, or reverse, for everything that has no answer."""
        for trace in [trace for trace in self.messages if trace not in self.told]:
            if self.dice.random() < 0.25:
                answer = await till.ask(reversal(self.messages[trace], 900_000 + int(trace)))
                assert answer.text(39) in ("00", "25")
                self.reversed.add(trace)
                self.told[trace] = "reversed"
            else:
                await self.pay(till, self.messages[trace])


def _live(folder: Path, where: Path | str) -> None:
    async def live() -> None:
        make_keys(Workspace(folder), seed=1, date="2018-09-01")
        dice = random.Random(5)
        bank = BankServing(Bank(peer("bank"), PANS, 10_000_000))
        await bank.start()
        file = folder / "switch.toml"
        file.write_text(FILE.format(listen=0, port=bank.port, database=json.dumps(str(where))))
        load = Load(dice)
        for kill in range(10):  # three at least, and more until one has met a payment under way
            if kill > 2 and "68" in load.told.values():
                break
            switch = Process(file)
            facts = await switch.start()
            till = await line_to(facts["ports"]["till"], f"127.0.0.1:{facts['metrics']}")
            await load.settle(till)
            working = asyncio.ensure_future(load.run(till, 10_000))
            await asyncio.sleep(dice.uniform(0.3, 1.2))
            assert await switch.end(signal.SIGKILL) == -signal.SIGKILL
            await working
            await till.close()
        switch = Process(file)
        facts = await switch.start()
        address = f"127.0.0.1:{facts['metrics']}"
        till = await line_to(facts["ports"]["till"], address)
        await load.settle(till)
        while (await asyncio.to_thread(switch_status, address))["peers"]["bank"]["stored"]:
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        await till.close()
        assert await switch.end(signal.SIGTERM) == 0
        bank.stop()
        compare(load, bank.bank, folder, where)
        assert {"00", "68"} <= set(load.told.values())

    asyncio.run(live())


async def line_to(port: int, metrics: str) -> Till:
    while not (await asyncio.to_thread(switch_status, metrics))["peers"]["bank"]["ready"]:
        await asyncio.sleep(0.05)
    return await Till().connect(port)


def compare(load: Load, bank: Bank, folder: Path, where: Path | str) -> None:
    keys = open_keys(Workspace(folder), "440300")
    engine = open_database(where)
    states = {
        f"{int(record.request.text(11)) % 900_000:06d}": record.state  # what never came has its reversal's
        for record in SwitchJournal(engine, keys).all_newest()
        if record.entity.value == "transaction"
    }
    engine.dispose()
    keys.close()
    assert len(load.told) == len(load.messages) > 100
    paid = dict.fromkeys(PANS, 0)
    ends = {"00": "approved", "68": "reversed", "reversed": "reversed"}
    for trace, code in load.told.items():
        assert states[trace] == ends[code], (trace, code, states[trace])
        if code == "00":
            paid[load.messages[trace].text(2)] += int(load.messages[trace].text(4))
    for pan, fen in paid.items():
        assert bank.balance(pan) == 10_000_000 - fen, pan


def test_killed_at_random(tmp_path: Path, where: Path | str) -> None:
    _live(tmp_path, where)
