"""Purse loads over TCP with real processes: answers lost, issuer and switch killed, and no purse is credited twice.

Method: a virtual card at a counter, `jinka switch serve`, `jinka issuer serve`, a network between them that a test can
break, and kill -9. The card's balance, the agent's prepaid money and the issuer's books of loads are compared.
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from jinka.acquirer import NoAnswer
from jinka.acquirer.purse_loads import PurseLoads, id_of
from jinka.app.issuer_host import agent_pays_in
from jinka.app.keyring import make_keys, open_keys
from jinka.app.switch_config import read_own_line
from jinka.app.workspace import Workspace
from jinka.codec import Algorithm
from jinka.codec.clearing import ClearingRecord
from jinka.issuer.chart import IssuerAccount, office_account
from jinka.keys import Purpose, card_factor
from jinka.node.switch_client import SwitchClient
from jinka.node.switch_keys import KeyDesk
from jinka.node.system import SystemClock
from jinka.store import SqlLedger, database_at
from jinka.terminal import LoadRequest
from tests.card.rig import Pull, Reader
from tests.cli.test_gateway import free_ports
from tests.journeys.load_world import START, _card
from tests.journeys.test_switch_kill import Process
from tests.switch.partition import Fault, Network
from tests.terminal.rig import AT, City, balance

T = TypeVar("T")
PREPAID = 100_000
SWITCH = """
[switch]
institution = "88001"
[keys]
folder = "."
[peers.till]
listen = "127.0.0.1:{switch}"
institution = "101"
sign_on = "peer"
[peers.home]
connect = "127.0.0.1:{network}"
institution = "202"
timeout_ms = 3000
retry_ms = 200
retry_max_ms = 400
[routes]
00005180 = "home"
"""
ISSUER = """
[issuer]
name = "iss.sz"
acquirers = ["101"]
[peer]
listen = "127.0.0.1:{issuer}"
[names]
pin = "pin_verify/TDES/1"
card_value = "card_verify/TDES/1"
[loads]
purse_limit_fen = 100000
agents.101 = {{ M00000000000001 = "kiosk" }}
[keys]
folder = "."
"""


class Counter:
    """A load counter with its line to the switch, and a card."""

    def __init__(self, folder: Path, port: int) -> None:
        keys = open_keys(Workspace(folder), "440300")
        number = bytes.fromhex("00005180000000000001")
        factors = np.frombuffer(card_factor(number), np.uint8).reshape(1, 8)
        city = City(Algorithm.TDES, cards=0)
        own = {
            p: keys.chip_keys(p, algorithm=Algorithm.TDES, version=1, factors8=factors)[0].tobytes()
            for p in (Purpose.LOAD, Purpose.TAC)
        }
        self.card = _card(city.roots, own, city.randomness)
        self.reader, self.terminal = Reader(self.card), city.counter
        given = {"connect": f"127.0.0.1:{port}", "timeout_ms": 8_000, "echo_ms": 5_000}
        peer, address = read_own_line(folder, given, "test", own="101")
        self.line = SwitchClient(peer, address, KeyDesk(keys, remote=False), SystemClock(), own="101")
        self.loads = PurseLoads(
            self.line,
            SystemClock(),
            count(1),
            institution="101",
            terminal="T0000001",
            merchant="M00000000000001",
        )
        self.asked: list[LoadRequest] = []
        self.minute = 0

    def authorise(self, request: LoadRequest) -> bytes:
        self.asked.append(request)
        return self.loads.authorise(request)

    def load(self, fen: int, pull: Pull | None = None) -> ClearingRecord:
        self.minute += 1
        self.reader.insert()
        if pull is not None:
            self.reader.pull(pull)
        return self.terminal.load(self.reader, fen, AT.replace(minute=self.minute), self)

    def tell(self, record: ClearingRecord) -> None:
        assert record.tac is not None
        self.loads.confirm(record.card_no, id_of(self.asked[-1]), record.tac)

    def disprove(self) -> str:
        """The card answers the issuer's challenge, unless an answer that got lost had settled it."""
        request, found = self.asked[-1], self.state()
        if found != "authorised":
            return found
        challenge = self.loads.challenge(request.card_no, id_of(request))
        self.reader.insert()
        answer = self.terminal.question(self.reader, challenge)
        return self.loads.disprove(request.card_no, id_of(request), answer)

    def state(self) -> str:
        return self.loads.state(self.asked[-1].card_no, id_of(self.asked[-1]))


async def until(act: Callable[[], T], *, seconds: float = 60) -> T:
    """Ask again until there is an answer, as a counter does."""
    for _ in range(int(seconds / 0.1)):
        try:
            return await asyncio.to_thread(act)
        except NoAnswer:
            await asyncio.sleep(0.1)
    raise AssertionError("no answer in time")


def agent(folder: Path) -> tuple[int, int]:
    """What the agent paid for loads, and what is held of its money."""
    with database_at(folder / "issuer.db") as database:
        account = office_account(IssuerAccount.AGENT_PREPAID, "kiosk").id
        found = SqlLedger(database).balances([account])[account]
    return found.debits_posted, found.debits_pending


async def becomes(folder: Path, wanted: tuple[int, int]) -> None:
    """Wait for what is on its way."""
    for _ in range(300):
        if agent(folder / "issuer") == wanted:
            return
        await asyncio.sleep(0.1)
    assert agent(folder / "issuer") == wanted


async def live(folder: Path, ports: dict[str, int]) -> int:
    network = Network(ports["issuer"])
    parts: dict[str, Process] = {}
    (folder / "switch" / "switch.toml").write_text(
        SWITCH.format(switch=ports["switch"], network=await network.start())
    )
    counter = Counter(folder / "issuer", ports["switch"])
    try:
        for part in ("issuer", "switch"):
            process = Process(folder / part / f"{part}.toml", part)
            await process.start()
            parts[part] = process
        assert await asyncio.to_thread(counter.line.start, 30)
        await story(folder, counter, network, parts)
        return balance(counter.card) - START
    finally:
        await asyncio.to_thread(counter.line.stop)
        await network.stop()
        ends = [await part.end(signal.SIGTERM) for part in parts.values()]
        assert ends == [0, 0]


async def story(folder: Path, counter: Counter, network: Network, parts: dict[str, Process]) -> None:
    record = await until(lambda: counter.load(1_000))
    await until(lambda: counter.tell(record))
    await becomes(folder, (1_000, 0))

    # The issuer holds the money and its answer is lost; then it is killed. The card proves that it got nothing.
    network.part([Fault.HALF], itertools.repeat(Fault.HALF))
    with pytest.raises(NoAnswer):
        await asyncio.to_thread(counter.load, 2_000)
    await becomes(folder, (1_000, 2_000))
    await parts["issuer"].end(signal.SIGKILL)
    network.heal()
    await parts["issuer"].start()
    assert await until(counter.disprove) == "voided"
    assert agent(folder / "issuer") == (1_000, 0)

    # The card is credited and leaves without an answer; its proof is in the switch when that is killed.
    torn = await until(lambda: counter.load(4_000, Pull(command="money", write=None)))
    assert torn.tac is None
    network.part([Fault.DROP], itertools.repeat(Fault.DROP))
    counter.reader.insert()
    proven = counter.terminal.resolve(counter.reader, torn)  # GET TRANSACTION PROVE
    assert isinstance(proven, ClearingRecord)
    await until(lambda: counter.tell(proven))
    assert agent(folder / "issuer") == (1_000, 4_000)
    await parts["switch"].end(signal.SIGKILL)
    network.heal()
    await parts["switch"].start()
    await becomes(folder, (5_000, 0))
    assert await until(counter.state) == "confirmed"

    # A next load proves one that nobody told of.
    assert (await until(lambda: counter.load(100, Pull(command="money", write=None)))).tac is None
    last = await until(lambda: counter.load(200))
    assert agent(folder / "issuer") == (5_100, 200)
    await until(lambda: counter.tell(last))
    await becomes(folder, (5_300, 0))


def test_answers_are_lost_and_parts_are_killed_and_each_load_is_paid_once(tmp_path: Path) -> None:
    ports: dict[str, Any] = dict(zip(("issuer", "switch"), free_ports(2), strict=True))
    for part in ("issuer", "switch"):
        (tmp_path / part).mkdir()
        make_keys(Workspace(tmp_path / part), seed=1, date="2018-09-01")
    file = tmp_path / "issuer" / "issuer.toml"
    file.write_text(ISSUER.format(**ports))
    assert agent_pays_in(file, "kiosk", PREPAID, "T1") == {"available_fen": PREPAID}
    assert agent_pays_in(file, "kiosk", PREPAID, "T1") == {"available_fen": PREPAID}, "the same payment"
    credited = asyncio.run(live(tmp_path, ports))
    assert credited == 5_300
    assert agent(tmp_path / "issuer") == (credited, 0)
    held = b"".join(path.read_bytes() for path in tmp_path.glob("*/*.db*"))
    assert bytes.fromhex("00005180000000000001") not in held
    assert b"00005180000000000001" not in held
