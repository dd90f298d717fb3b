"""`jinka bench switch`: authorisations a second end to end, over TCP, with MACs, PIN translation and a durable journal.

Two processes share the machine: the switch, and a driver that is acquirer and issuer at once. Every request and every
answer on both sides has a MAC (X9.19) that the receiver checks; every request has a PIN block that is translated; the
journal is flushed before a request goes out and before its answer does. The issuer here answers from a table: what an
issuer host costs is measured apart. Requests are made before the clock starts; what a part costs alone is timed too.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock
from typing import Any

from jinka.codec.framing import Frame, Framer, Framing, close_frame
from jinka.codec.iso8583 import Message, dialect
from jinka.crypto.pin_block import PinFormat
from jinka.keys import SoftKeyService, hold_ceremony
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.keys.working import Working
from jinka.kit import JinkaError
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address, SwitchRunner, tune_process
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import SwitchJournal, open_database
from jinka.switch import (
    AskKeys,
    CheckMac,
    MacKind,
    MacRule,
    MakeMac,
    Peer,
    PinRule,
    SwitchConfig,
    SwitchCore,
    TranslatePin,
)
from jinka.switch.messages import answer_to

CODEC = dialect("iso1987-binary")
FRAMING = Framing()
LINES = 4
_DATE = "2026-01-01"
_TILL_MAC = MacRule(kind=MacKind.ISO, key="zone_mac/TDES/1@till", field=128)
_BANK_MAC = MacRule(kind=MacKind.ISO, key="zone_mac/TDES/1@bank", field=128)
_TILL_PIN = PinRule(key="zone_pin/TDES/1@till", format=PinFormat.ISO_0)
_BANK_PIN = PinRule(key="zone_pin/TDES/1@bank", format=PinFormat.ISO_0)
_KEYS = {  # of this measurement alone: both processes have to have them
    _TILL_MAC.key: "0123456789ABCDEFFEDCBA9876543210",
    _BANK_MAC.key: "1122334455667788AABBCCDDEEFF0011",
    _TILL_PIN.key: "89ABCDEF012345670F1E2D3C4B5A6978",
    _BANK_PIN.key: "76543210FEDCBA9889674523EFCDAB01",
}


def _service() -> SoftKeyService:
    clock, dice = SystemClock(), SystemRandomness()
    ceremony = hold_ceremony(
        issuer="bench", date=_DATE, custodians=("a", "b", "c"), randomness=dice, simulated=True
    )
    working = Working(clock=clock, randomness=dice, lock=RLock())
    made = SoftKeyService.open(ceremony.sealed, list(ceremony.shares), region="440300", working=working)
    for text, value in _KEYS.items():
        key = made.holding.provider.load(KeyKind.TDES, bytes.fromhex(value))
        working.keys.add(KeyRecord(name=KeyName.parse(text), check=""), key)
    return made


def _config() -> SwitchConfig:
    till = Peer(name="till", codec=CODEC, institution="101", mac=_TILL_MAC, pin=_TILL_PIN)
    bank = Peer(name="bank", codec=CODEC, institution="202", mac=_BANK_MAC, pin=_BANK_PIN)
    return SwitchConfig(institution="88001", peers={"till": till, "bank": bank}, routes={"62": "bank"})


def _switch(folder: str, bank_port: int, pipe: Connection) -> None:
    """The switch's process; ends when something comes through the pipe, and says what its parts took."""
    asyncio.run(_serve(Path(folder), bank_port, pipe))


async def _serve(folder: Path, bank_port: int, pipe: Connection) -> None:
    service, clock = _service(), SystemClock()
    database = open_database(folder / "switch.db")
    journal = SwitchJournal(database, service)
    core = SwitchCore(_config(), now_micros=clock.now_micros(), business_date=_DATE)
    failures: list[BaseException] = []
    runner = SwitchRunner(core, journal, KeyDesk(service, remote=False), clock, failed=failures.append)
    rules = LinkRules(framing=FRAMING, rate=100_000, burst=100_000)
    bank = Address(
        peer="bank", host="127.0.0.1", port=bank_port, listen=False, rules=rules, connections=LINES
    )
    till = Address(peer="till", host="127.0.0.1", port=0, listen=True, rules=rules)
    await runner.start([till, bank])
    while len(core.board.lines["bank"]) < LINES:
        await asyncio.sleep(0.01)
    tune_process()
    pipe.send(runner.ports["till"])
    before = time.process_time()
    while not pipe.poll():
        await asyncio.sleep(0.05)
    used = time.process_time() - before
    pipe.send(
        {
            "cpu_s": used, "flushes": runner.flushes, "writes": runner.flushed, "flush_s": runner.flush_seconds,
            "failures": [str(error) for error in failures],
            "refused": {f"{what}": n for (what, _), n in core.board.counts.items() if "_" in what},
        }
    )  # fmt: skip
    await runner.stop()
    database.dispose()


def _request(number: int, desk: KeyDesk, blocks: list[bytes]) -> bytes:
    pan = f"62{number % 1000:014d}"
    at = number // 1_000_000
    message = Message(
        mti="0200",
        fields={
            2: pan, 3: "000000", 4: f"{100 + number % 900:012d}", 7: f"01{1 + at:02d}120000",
            11: f"{number % 1_000_000:06d}",
            12: "120000", 13: "0101", 18: "5411", 22: "021", 25: "00", 32: "101", 41: f"T{number % 100:07d}",
            42: "M00000000000001", 49: "156", 52: blocks[number % 1000], 128: bytes(8),
        },
    )  # fmt: skip
    raw = CODEC.encode(message)[:-8]
    return raw + _mac(desk, _TILL_MAC, raw)


def _mac(desk: KeyDesk, rule: MacRule, raw: bytes) -> bytes:
    done = desk.do(AskKeys(token=0, steps=(MakeMac(rule=rule, data=raw),)))
    if done.refused >= 0:
        raise JinkaError("the key service made no MAC", where="bench switch")
    return done.results[0]


class _Issuer(asyncio.Protocol):
    """Checks the MAC, answers yes with a MAC."""

    def __init__(self, desk: KeyDesk, peer: Peer) -> None:
        self._desk, self._peer, self._framer = desk, peer, Framer(FRAMING)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        out = []
        for frame in self._framer.feed(data)[0]:
            raw = frame.message
            message = CODEC.decode(raw)
            if message.mti[1] != "8":
                check = CheckMac(rule=_BANK_MAC, data=raw[:-8], mac=raw[-8:])
                if self._desk.do(AskKeys(token=0, steps=(check,))).refused >= 0:
                    continue
            answer = answer_to(message, {38: "B12345", 39: "00", 128: bytes(8)}, self._peer)
            plain = CODEC.encode(answer)[:-8]
            out.append(close_frame(FRAMING, Frame(message=plain + _mac(self._desk, _BANK_MAC, plain))))
        self._transport.write(b"".join(out))


class _Acquirer(asyncio.Protocol):
    """Keeps a number of requests in flight on one line."""

    def __init__(self, take: Callable[[], bytes | None], desk: KeyDesk, times: list[float]) -> None:
        self._take, self._desk, self._times = take, desk, times
        self._framer = Framer(FRAMING)
        self._at: dict[str, float] = {}
        self.bad = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def fire(self, count: int) -> None:
        """Send some more."""
        out = []
        for _ in range(count):
            raw = self._take()
            if raw is None:
                break
            self._at[_trace(raw)] = time.perf_counter()
            out.append(close_frame(FRAMING, Frame(message=raw)))
        if out:
            self._transport.write(b"".join(out))

    def data_received(self, data: bytes) -> None:
        frames, _ = self._framer.feed(data)
        for frame in frames:
            raw = frame.message
            message = CODEC.decode(raw)
            check = CheckMac(rule=_TILL_MAC, data=raw[:-8], mac=raw[-8:])
            if message.text(39) != "00" or self._desk.do(AskKeys(token=0, steps=(check,))).refused >= 0:
                self.bad += 1
            began = self._at.pop(message.text(11), None)
            if began is not None:
                self._times.append(time.perf_counter() - began)
        self.fire(len(frames))


def _trace(raw: bytes) -> str:
    """Field 11 of a request as `_request` lays it out."""
    at = 4 + 16 + 2 + 16 + 6 + 12 + 10
    return raw[at : at + 6].decode("ascii")


def bench_switch(seconds: float, in_flight: int) -> dict[str, Any]:
    """Measure; the figures."""
    with tempfile.TemporaryDirectory(prefix="jinka-bench-") as folder:
        return asyncio.run(_drive(folder, seconds, in_flight))


async def _drive(folder: str, seconds: float, in_flight: int) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    desk = KeyDesk(_service(), remote=False)
    blocks = _pin_blocks()
    peer = _config().peers["bank"]
    issuer = await loop.create_server(lambda: _Issuer(desk, peer), "127.0.0.1", 0)
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_switch, args=(folder, issuer.sockets[0].getsockname()[1], theirs)
    )
    process.start()
    requests = iter([_request(n, desk, blocks) for n in range(int(seconds * 6000) + 2000)])
    while not ours.poll():
        await asyncio.sleep(0.05)
    port = ours.recv()
    times: list[float] = []
    stopping = False

    def take() -> bytes | None:
        return None if stopping else next(requests, None)

    lines = []
    for _ in range(LINES):
        _, line = await loop.create_connection(lambda: _Acquirer(take, desk, times), "127.0.0.1", port)
        lines.append(line)
    for line in lines:
        line.fire(in_flight // LINES)
    await asyncio.sleep(min(2.0, seconds / 4))  # what is compiled on the way is compiled by now
    done, began, cpu = len(times), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    measured = times[done:]
    stopping = True
    await asyncio.sleep(0.5)
    ours.send("stop")
    while not ours.poll():
        await asyncio.sleep(0.05)
    switch = ours.recv()
    process.join(30)
    issuer.close()
    ordered = sorted(measured)
    return {
        "authorisations_per_s": round(len(measured) / took),
        "p50_ms": round(1000 * statistics.median(ordered), 2),
        "p99_ms": round(1000 * ordered[int(len(ordered) * 0.99)], 2),
        "in_flight": in_flight,
        "answers_wrong": sum(line.bad for line in lines),
        "driver_and_issuer_cpu_us_each": round(1e6 * spent / len(measured)),
        "switch_cpu_us_each": round(1e6 * switch["cpu_s"] / max(1, len(times))),
        "writes_per_flush": round(switch["writes"] / max(1, switch["flushes"]), 1),
        "flush_ms": round(1000 * switch["flush_s"] / max(1, switch["flushes"]), 2),
        "journal_us_each": round(1e6 * switch["flush_s"] / max(1, len(times))),
        "alone_us": _alone(desk, blocks),
        "switch": switch,
    }


def _pin_blocks() -> list[bytes]:
    from jinka.crypto.block_key import BlockCipher, BlockKey
    from jinka.crypto.pin_block import PinZone, encipher_pin

    value = bytes.fromhex(_KEYS[_TILL_PIN.key])
    zone = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=value), format=PinFormat.ISO_0)
    return [encipher_pin(zone, "1234", f"62{n:014d}", SystemRandomness()) for n in range(1000)]


def _alone(desk: KeyDesk, blocks: list[bytes]) -> dict[str, float]:
    """Microseconds of one part by itself."""
    raws = [_request(n, desk, blocks) for n in range(500)]
    messages = [CODEC.decode(raw) for raw in raws]
    mac = AskKeys(token=0, steps=(MakeMac(rule=_TILL_MAC, data=raws[0][:-8]),))
    pin = AskKeys(
        token=0,
        steps=(TranslatePin(source=_TILL_PIN, target=_BANK_PIN, block=blocks[0], pan=messages[0].text(2)),),
    )
    return {
        "decode": _time(lambda: [CODEC.decode(raw) for raw in raws]) / len(raws),
        "encode": _time(lambda: [CODEC.encode(message) for message in messages]) / len(messages),
        "mac": _time(lambda: [desk.do(mac) for _ in range(500)]) / 500,
        "pin_translation": _time(lambda: [desk.do(pin) for _ in range(500)]) / 500,
    }


def _time(work: Callable[[], object]) -> float:
    best = 1e9
    for _ in range(3):
        began = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - began)
    return round(1e6 * best, 1)
