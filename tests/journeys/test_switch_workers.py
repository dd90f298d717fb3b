"""Two workers of `jinka switch serve` behind one port are killed at random under load, and three books agree.

Method: as `tests.journeys.test_switch_kill`, with several lines that meet either worker, whose tills come back to
whichever is there: so repeats and reversals meet the worker that knows nothing of their first.
"""

from __future__ import annotations

import asyncio
import json
import random
import signal
import socket
from pathlib import Path

from jinka.app.keyring import make_keys
from jinka.app.switch_serving import switch_status
from jinka.app.workspace import Workspace
from tests.journeys.test_switch_kill import FILE, Load, Process, compare, line_to
from tests.switch.bank import Bank
from tests.switch.ground import PANS, peer
from tests.switch.tcp import BankServing, Till

TILLS, KILLS = 5, 3


class Worker(Process):
    """One of two."""

    def __init__(self, file: Path, number: int) -> None:
        super().__init__(file, "switch", "--worker", str(number), "--workers", "2")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.facts['metrics']}"

    async def figures(self) -> dict[str, int]:
        status = await asyncio.to_thread(switch_status, self.address)
        return {**status["peers"]["bank"], **{f"till {k}": v for k, v in status["peers"]["till"].items()}}


class Driver:
    """A till that comes back until it is told to end, and then leaves nothing open."""

    def __init__(self, number: int, port: int) -> None:
        self.load, self.port = Load(random.Random(number), number * 20_000), port
        self.lines = 0

    async def run(self, ended: asyncio.Event) -> None:
        while not ended.is_set() or set(self.load.messages) - set(self.load.told):
            try:
                till = await Till().connect(self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            self.lines += 1
            try:
                await self.load.settle(till)
                if not ended.is_set():
                    await self.load.run(till, 10_000 if self.lines % 3 else 20, 0.1, ended)
            except (ConnectionError, TimeoutError):
                pass
            finally:
                await till.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_one_of_two_killed_at_random(tmp_path: Path, where: Path | str) -> None:
    make_keys(Workspace(tmp_path), seed=1, date="2018-09-01")
    file, port, dice = tmp_path / "switch.toml", free_port(), random.Random(8)

    async def live() -> None:
        bank = BankServing(Bank(peer("bank"), PANS, 10_000_000))
        await bank.start()
        file.write_text(FILE.format(listen=port, port=bank.port, database=json.dumps(str(where))))
        workers = [Worker(file, 0), Worker(file, 1)]
        for worker in workers:
            await worker.start()
            await (await line_to(port, worker.address)).close()
        drivers = [Driver(number, port) for number in range(TILLS)]
        ended = asyncio.Event()
        working = [asyncio.ensure_future(driver.run(ended)) for driver in drivers]
        for _ in range(KILLS):
            await asyncio.sleep(dice.uniform(0.2, 0.8))
            killed = dice.randrange(2)
            assert await workers[killed].end(signal.SIGKILL) == -signal.SIGKILL
            await workers[killed].start()
        ended.set()
        await asyncio.gather(*working)
        for worker in workers:
            while (await worker.figures())["stored"]:
                await asyncio.sleep(0.1)
        await asyncio.sleep(0.3)
        for worker in workers:
            assert await worker.end(signal.SIGTERM) == 0
        bank.stop()
        whole = Load(dice)
        for driver in drivers:
            assert driver.lines > 1
            whole.told |= driver.load.told
            whole.messages |= driver.load.messages
        compare(whole, bank.bank, tmp_path, where)
        assert "00" in whole.told.values()
        assert {"68", "reversed"} & set(whole.told.values()), "a kill met payments under way"

    asyncio.run(live())
