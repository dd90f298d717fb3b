"""`jinka switch serve` is told what to do by the commands, killed, and goes on with the day that it had.

Method: the real process with a key service in its own folder; a sale, a cut-over, the sums, a kill, a sale.
"""

from __future__ import annotations

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from jinka.app.keyring import make_keys
from jinka.app.workspace import Workspace
from jinka.cli.main import app
from tests.journeys.test_switch_kill import Process, line_to
from tests.switch.bank import Bank
from tests.switch.ground import PANS, peer, request
from tests.switch.tcp import BankServing

_FILE = """
[switch]
institution = "88001"
business_date = "2023-11-14"
metrics = "127.0.0.1:0"
cut_ms = 200
[keys]
folder = "."
[peers.till]
listen = "127.0.0.1:0"
institution = "101"
[peers.bank]
connect = "127.0.0.1:{port}"
institution = "202"
timeout_ms = 500
reconcile = true
[routes]
622848 = "bank"
"""


def _told(*words: str) -> Any:
    """What a command prints."""
    result = CliRunner().invoke(app, ["switch", *words])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_a_day_ends_and_a_killed_switch_knows_it(tmp_path: Path) -> None:
    async def live() -> None:
        make_keys(Workspace(tmp_path), seed=1, date="2018-09-01")
        bank = BankServing(Bank(peer("bank"), PANS, 100_000))
        await bank.start()
        file = tmp_path / "switch.toml"
        file.write_text(_FILE.format(port=bank.port))
        dates = []
        for trace in (1, 2):
            switch = Process(file)
            facts = await switch.start()
            till = await line_to(facts["ports"]["till"], f"127.0.0.1:{facts['metrics']}")
            answer = await till.ask(request(trace, fen=700))
            dates.append((facts["business_date"], answer.text(15), answer.text(39)))
            if trace == 1:
                told = await asyncio.to_thread(_told, "cut-over", str(file))
                assert told == [{"business_date": "2023-11-15"}]
                await till.close()
                await asyncio.sleep(0.5)  # 202, and the sums
                assert await switch.end(signal.SIGKILL) == -signal.SIGKILL
        assert dates == [("2023-11-14", "1114", "00"), ("2023-11-15", "1115", "00")]
        await till.close()
        assert await switch.end(signal.SIGTERM) == 0
        bank.stop()
        assert {m.text(70) for m in bank.bank.managed} >= {"201", "202"}
        [sums] = [m for m in bank.bank.seen if m.mti == "0500"][:1]
        assert (sums.text(15), sums.text(88)) == ("1114", f"{700:016d}")
        day = _told("totals", str(file), "--date", "2023-11-14")
        assert {name: found["net_fen"] for name, found in day["peers"].items()} == {"till": 700, "bank": -700}

    asyncio.run(live())
