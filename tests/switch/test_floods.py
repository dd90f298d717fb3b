"""Who floods a port of the switch or the issuer's harms nobody but himself.

Method: the switch behind sockets with two ports, tills that pay on one of them and count their answers, and lines that
send without end on the other, by hand. Turns and rates without sockets are in tests/node/test_switch_door.py.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from jinka.codec.framing import Frame, Framer, close_frame
from jinka.codec.iso8583 import Message
from jinka.issuer import IsoIssuer, IsoTerms
from jinka.node.issuer_server import IssuerServer, LineMac
from jinka.node.switch_links import LinkRules
from jinka.node.system import SystemClock
from jinka.switch import SignOn, SwitchConfig
from tests.issuer.host_rig import Bank as IssuerBank
from tests.keys.payments import rig
from tests.switch.ground import CODEC, MAC, PANS, config, peer, request
from tests.switch.tcp import FRAMING, Till, Town, town

FLOOD_S, PAYMENTS = 0.6, 21
UNKNOWN = "4000000000000002"


def framed(raw: bytes) -> bytes:
    return close_frame(FRAMING, Frame(message=raw))


def sealed(message: Message) -> bytes:
    raw = CODEC.encode(message.changed({128: bytes(8)}))[:-8]
    return raw + rig().service.generate_mac(raw, key=MAC.key, algorithm=MAC.algorithm)


def two_ports(**other: Any) -> SwitchConfig:
    """The till, the bank, and a second acquirer."""
    peers = {"till": peer("till"), "bank": peer("bank"), "other": peer("other", institution="101", **other)}
    return config(peers=peers)


class Flood:
    """Lines that send without end, and come again when they are cut."""

    def __init__(self, port: int, data: bytes, lines: int, first: bytes = b"") -> None:
        self.port, self.data, self.first = port, data, first
        self.told: Counter[str] = Counter()
        self.cut, self._going = 0, True
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks = [asyncio.ensure_future(self._run()) for _ in range(lines)]

    async def _run(self) -> None:
        while self._going:
            with suppress(OSError):
                await self._line()
            self.cut += 1
            await asyncio.sleep(0.01)

    async def _line(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers.add(writer)
        reading = asyncio.ensure_future(self._read(reader))
        try:
            writer.write(self.first)
            while self._going and not reading.done():
                writer.write(self.data)
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()
            await asyncio.gather(reading, writer.wait_closed(), return_exceptions=True)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        framer = Framer(FRAMING)
        with suppress(OSError):
            while data := await reader.read(65_536):
                for frame in framer.feed(data)[0]:
                    self.told[CODEC.decode(frame.message).text(39)] += 1

    async def stop(self) -> None:
        self._going = False
        for writer in list(self._writers):
            writer.transport.abort()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def pays(till: Till, first: int) -> Counter[str]:
    """What a till is told that pays one by one, `PAYMENTS` times at least and for a while at least."""
    told: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    end = loop.time() + FLOOD_S
    for trace in itertools.count(first):
        told[(await till.ask(request(trace, pan=PANS[trace % 7], fen=1))).text(39)] += 1
        if loop.time() > end and told.total() >= PAYMENTS:
            return told
    raise AssertionError


def of_other(there: Town, what: str) -> int:
    return there.runner.core.board.counts[what, "other"]


WRONG = framed(CODEC.encode(request(900_000, pan=UNKNOWN, f128=bytes(8)))) * 200


def test_lines_that_never_sign_on_are_closed_and_their_address_waits(tmp_path: Path) -> None:
    async def live() -> None:
        async with town(tmp_path, two_ports(mac=MAC, sign_on=SignOn.PEER)) as there:
            till = await there.till()
            flood = Flood(there.runner.ports["other"], WRONG, 2)
            told = await pays(till, 1)
            await flood.stop()
            assert set(told) == {"00"}
            assert there.runner.closed["not_signed_on", "other"] >= 1
            assert there.runner.closed["has_to_wait", "other"] >= 1
            assert of_other(there, "requests") < 600, "a stranger is heard for a moment only"
            await till.close()

    asyncio.run(live())


def test_wrong_macs_close_a_line_and_leave_the_honest_ones_of_the_same_port(tmp_path: Path) -> None:
    async def live() -> None:
        async with town(tmp_path, two_ports(mac=MAC)) as there:
            honest = await Till().connect(there.runner.ports["other"])
            first = await asyncio.wait_for(honest.send(request(1, fen=1), sealed), 20)
            assert first.text(39) == "00"
            flood = Flood(there.runner.ports["other"], WRONG, 2)
            codes: Counter[str] = Counter()
            for trace in range(2, 40):
                answer = await asyncio.wait_for(
                    honest.send(request(trace, pan=PANS[trace % 7], fen=1), sealed), 20
                )
                codes[answer.text(39)] += 1
            await asyncio.sleep(0.1)
            await flood.stop()
            assert codes == {"00": 38}
            assert there.runner.closed["mac_wrong", "other"] >= 1
            assert flood.told.keys() <= {"A0"}
            await honest.close()

    asyncio.run(live())


def test_a_right_mac_now_and_then_keeps_a_line(tmp_path: Path) -> None:
    async def live() -> None:
        async with town(tmp_path, two_ports(mac=MAC, refusals_max=3)) as there:
            line = await Till().connect(there.runner.ports["other"])
            codes = []
            for trace in range(1, 13):
                encode = sealed if trace % 3 == 0 else CODEC.encode
                codes.append((await asyncio.wait_for(line.send(request(trace, fen=1), encode), 20)).text(39))
            assert codes == ["A0", "A0", "00"] * 4
            await line.close()

    asyncio.run(live())


def test_a_rate_is_of_all_lines_of_a_peer_and_of_those_that_come_again(tmp_path: Path) -> None:
    rate, burst = 200.0, 100

    async def live() -> None:
        link = {"rate": rate, "burst": burst}
        async with town(tmp_path, two_ports(), other_link=link) as there:
            till, loop = await there.till(), asyncio.get_running_loop()
            began = loop.time()
            data = framed(CODEC.encode(request(900_000, pan=UNKNOWN))) * 300
            flood = Flood(there.runner.ports["other"], data, 20)
            told = await pays(till, 1)
            taken, spent = of_other(there, "requests"), loop.time() - began
            await flood.stop()
            assert set(told) == {"00"}
            assert burst <= taken <= burst + rate * spent + 1
            await till.close()

    asyncio.run(live())


def test_who_has_the_right_to_send_much_leaves_turns_to_others(tmp_path: Path) -> None:
    """A peer with right MACs and no rate to speak of: more than the switch can do."""

    async def live() -> None:
        link = {"rate": 1e6, "burst": 1_000_000}
        async with town(tmp_path, two_ports(mac=MAC), other_link=link) as there:
            till = await there.till()
            data = framed(sealed(request(900_000, pan=UNKNOWN))) * 300
            flood = Flood(there.runner.ports["other"], data, 4)
            while of_other(there, "requests") < 1_000:
                await asyncio.sleep(0.01)
            before = of_other(there, "requests")
            told = [(await till.ask(request(trace, fen=1))).text(39) for trace in range(1, 4)]
            taken = of_other(there, "requests") - before
            await flood.stop()
            assert told == ["00"] * 3
            assert taken > 0, "the flood went on, and the payments did not wait for its end"
            await till.close()

    asyncio.run(live())


def test_wrong_macs_at_the_issuers_door(tmp_path: Path) -> None:
    async def live() -> None:
        failures: list[BaseException] = []
        mac = LineMac(keys=rig().service, key=MAC.key, algorithm=MAC.algorithm)
        server = IssuerServer(
            IsoIssuer(IssuerBank().host, IsoTerms()), CODEC, LinkRules(framing=FRAMING), SystemClock(), mac=mac,
            failed=failures.append,
        )  # fmt: skip
        await server.start("127.0.0.1", 0)
        switch = await Till().connect(server.port)
        echo = Message(mti="0800", fields={7: "1114221320", 11: "000001", 70: "301"})
        assert (await asyncio.wait_for(switch.send(echo, sealed), 20)).text(39) == "00"
        flood = Flood(server.port, WRONG, 12)
        codes: Counter[str] = Counter()
        for trace in range(2, 60):
            answer = await asyncio.wait_for(switch.send(echo.changed({11: f"{trace:06d}"}), sealed), 20)
            codes[answer.text(39)] += 1
            await asyncio.sleep(0.005)
        await flood.stop()
        assert codes == {"00": 58}
        assert flood.told.keys() <= {"A0"}
        assert flood.cut > 12, "lines were closed, and those that came again as well"
        assert server.codes["0210", "A0"] < 1_000
        assert not failures
        await switch.close()
        await server.stop()

    asyncio.run(live())
