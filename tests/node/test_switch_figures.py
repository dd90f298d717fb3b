"""What `jinka status` says of a switch: that a peer refused what was stored for it, also after a restart.

Method: a switch on TCP whose bank takes no reversal; the figures of its runner, in the words that the command prints.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

from jinka.app.serve_status import PartStatus
from jinka.codec.iso8583 import Message
from jinka.node.switch_metrics import SwitchFigures
from jinka.switch.messages import answer_to
from tests.switch.ground import PANS, config, request, reversal
from tests.switch.tcp import Town, town


def _words(there: Town) -> tuple[int, list[str]]:
    said = json.loads(json.dumps(SwitchFigures(there.runner).status()))
    status = PartStatus(part="switch", up=True, said=said)
    return said["peers"]["bank"]["refused"], [line for line in status.words(0.0) if "refused" in line]


def test_what_a_peer_refused_is_told_until_the_date_is_over(tmp_path: Path) -> None:
    place = tmp_path / "switch.db"

    async def live() -> None:
        async with town(tmp_path, config(), where=place) as there:
            bank: Any = there.bank.bank
            right = bank.handle

            def stubborn(message: Message) -> Message | None:
                return answer_to(message, {39: "12"}, bank.peer) if message.mti[1] == "4" else right(message)

            bank.handle = stubborn
            till = await there.till()
            assert (await till.ask(request(1, pan=PANS[0]))).text(39) == "00"
            assert _words(there) == (0, [])
            assert (await till.ask(reversal(request(1, pan=PANS[0]), 2))).text(39) == "00"
            for _ in range(200):
                if _words(there)[0]:
                    break
                await asyncio.sleep(0.01)
            told = _words(there)
            assert told == (1, ["bank: refused 1, see jinka switch journal FILE --state refused"])
            await till.close()
        async with town(tmp_path, config(), where=place) as there:
            assert _words(there) == told

    asyncio.run(live())
