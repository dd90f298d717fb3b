"""`jinka bench switch`: authorisations a second end to end, over TCP, with MACs, PIN translation and a durable journal.

Two processes share the machine: the switch, and a driver that is acquirer and issuer at once
(`jinka.app.bench_switch_load`). Every request and every answer on both sides has a MAC (X9.19) that its receiver
checks, and every request a PIN block that is translated; the journal is flushed before a request goes out and before
its answer does. The issuer here answers from a table, or is the issuer's host in a third process, with thousands of
cards and durable books (`jinka.app.bench_issuer_world`). More and more requests are kept in flight, and the best point
is the highest rate whose p99 stays under the bound. No switch in Python is there to compare with.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from threading import RLock
from typing import Any

from jinka.app.bench_issuer import IssuerProcess, requests_by_switch, start_issuer
from jinka.app.bench_switch_load import MAC_SIZE, Flow, Issuer, TillLine, framed, wrong_answers
from jinka.app.bench_switch_parts import Parts, flush_alone
from jinka.codec.framing import Framing
from jinka.codec.iso8583 import Message, dialect
from jinka.crypto.block_key import BlockCipher, BlockKey
from jinka.crypto.bulk_macs import prepare
from jinka.crypto.mac import MacAlgorithm
from jinka.crypto.pin_block import PinFormat, PinZone, encipher_pin
from jinka.keys import SoftKeyService, hold_ceremony
from jinka.keys.catalogue import KeyName, KeyRecord
from jinka.keys.provider import KeyKind
from jinka.keys.working import Working
from jinka.kit import Usage
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address, SwitchRunner, tune_process
from jinka.node.system import SystemClock, SystemRandomness
from jinka.store import SwitchJournal, open_database
from jinka.switch import MacKind, MacRule, Peer, PinRule, SwitchConfig, SwitchCore

CODEC = dialect("iso1987-binary")
LINES = 4
_NO_ECHO = 24 * 3_600_000  # the driver takes all that it gets for answers
IN_FLIGHT = (16, 32, 64, 96, 128, 192, 256)
P99_MS = 50.0
_RATE_MAX = 8_000  # for which requests are made before the clock starts
_HOST_RATE_MAX = 2_500  # likewise with an issuer's host
_HOST_CARDS = 5_000
_WARM_S = 1.0
_TRACES = 999_999  # numbers that field 11 has
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
    prepare()
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


def _config(worker: int = 0, workers: int = 1) -> SwitchConfig:
    till = Peer(name="till", codec=CODEC, institution="101", echo_ms=_NO_ECHO, mac=_TILL_MAC, pin=_TILL_PIN)
    bank = Peer(name="bank", codec=CODEC, institution="202", echo_ms=_NO_ECHO, mac=_BANK_MAC, pin=_BANK_PIN)
    peers = {"till": till, "bank": bank}
    return SwitchConfig(
        institution="88001", peers=peers, routes={"62": "bank"}, worker=str(worker), workers=workers
    )


def _switch(folder: str, bank_port: int, pipe: Connection, worker: tuple[int, int], port: int) -> None:
    """A worker's process: says what it has used whenever something comes through the pipe; ends with the pipe."""
    asyncio.run(_serve(Path(folder), bank_port, pipe, worker, port))


async def _serve(folder: Path, bank_port: int, pipe: Connection, worker: tuple[int, int], port: int) -> None:
    service, clock, loop = _service(), SystemClock(), asyncio.get_running_loop()
    database = open_database(folder / "switch.db")
    journal = SwitchJournal(database, service, worker=str(worker[0]), shared=worker[1] > 1)
    core = SwitchCore(_config(*worker), now_micros=clock.now_micros(), business_date=_DATE)
    failures: list[BaseException] = []
    runner = SwitchRunner(core, journal, KeyDesk(service, remote=False), clock, failed=failures.append)
    rules = LinkRules(framing=Framing(), rate=100_000, burst=100_000)
    bank = Address(
        peer="bank", host="127.0.0.1", port=bank_port, listen=False, rules=rules, connections=LINES
    )
    till = Address(peer="till", host="127.0.0.1", port=port, listen=True, rules=rules)
    await runner.start([till, bank])
    while len(core.board.lines["bank"]) < LINES:
        await asyncio.sleep(0.01)
    tune_process()
    ended = asyncio.Event()

    def tell() -> None:
        try:
            pipe.recv()
        except EOFError:
            loop.remove_reader(pipe.fileno())
            ended.set()
            return
        used = resource.getrusage(resource.RUSAGE_SELF)
        pipe.send(
            {
                "user": used.ru_utime, "system": used.ru_stime, "loop": time.thread_time(),
                "flushes": runner.disk.flushes, "writes": runner.disk.written, "flush_s": runner.disk.seconds,
                "failures": len(failures), "threads": threading.active_count(),
                "refused": sum(n for (what, _), n in core.board.counts.items() if "_" in what),
            }
        )  # fmt: skip

    pipe.send(runner.ports["till"])
    loop.add_reader(pipe.fileno(), tell)
    await ended.wait()
    await runner.stop()
    database.dispose()


@dataclass(slots=True)
class Switch:
    """The processes of the switch."""

    port: int
    pipes: list[Connection]
    processes: list[Any]

    async def told(self) -> dict[str, float]:
        """What all have used so far."""
        found: dict[str, float] = {}
        for pipe in self.pipes:
            pipe.send("tell")
            for name, value in (await _received(pipe)).items():
                found[name] = found.get(name, 0) + value
        return found

    def close(self) -> None:
        """End them."""
        for pipe in self.pipes:
            pipe.close()
        for process in self.processes:
            process.join(30)


async def _started(folder: str, bank_port: int, workers: int) -> Switch:
    context = multiprocessing.get_context("spawn")
    switch = Switch(port=0, pipes=[], processes=[])
    for worker in range(workers):
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_switch, args=(folder, bank_port, theirs, (worker, workers), switch.port)
        )
        process.start()
        theirs.close()
        switch.pipes.append(ours)
        switch.processes.append(process)
        switch.port = await _received(ours)
    return switch


async def _received(pipe: Connection) -> Any:
    while not pipe.poll():
        await asyncio.sleep(0.001)
    return pipe.recv()


def _requests(first: int, count: int, service: SoftKeyService, blocks: Sequence[bytes]) -> list[bytes]:
    """Messages with their MACs, all different."""
    plain = [CODEC.encode(_request(number, blocks))[:-MAC_SIZE] for number in range(first, first + count)]
    made: list[bytes] = []
    for start in range(0, count, 4_096):
        chunk = plain[start : start + 4_096]
        macs = service.generate_macs(chunk, key=_TILL_MAC.key, algorithm=MacAlgorithm.RETAIL)
        made += [raw + mac for raw, mac in zip(chunk, macs, strict=True)]
    return made


def _request(number: int, blocks: Sequence[bytes]) -> Message:
    return Message(
        mti="0200",
        fields={
            2: f"62{number % 1000:014d}", 3: "000000", 4: f"{100 + number % 900:012d}", 7: "0101120000",
            11: f"{number:06d}", 12: "120000", 13: "0101", 18: "5411", 22: "021", 25: "00", 32: "101",
            41: f"T{number % 100:07d}", 42: "M00000000000001", 49: "156", 52: blocks[number % 1000],
            128: bytes(MAC_SIZE),
        },
    )  # fmt: skip


def _pin_blocks() -> list[bytes]:
    value = bytes.fromhex(_KEYS[_TILL_PIN.key])
    zone = PinZone(key=BlockKey(cipher=BlockCipher.TDES, value=value), format=PinFormat.ISO_0)
    return [encipher_pin(zone, "1234", f"62{n:014d}", SystemRandomness()) for n in range(1000)]


def bench_switch(
    seconds: float, in_flight: Sequence[int] = IN_FLIGHT, *, workers: int = 1, host: bool = False
) -> dict[str, Any]:
    """Measure ``seconds`` for each number of requests in flight, in rising order; the figures.

    Several ``workers`` share one port and one journal; what they used is added up. ``host``: the issuer's host decides.
    """
    if (count := _count(seconds, in_flight)) > _TRACES:
        raise Usage(f"{count} requests", where="bench switch", fix="fewer seconds or fewer points")
    with tempfile.TemporaryDirectory(prefix="jinka-bench-") as folder:
        curve, wrong, checked = asyncio.run(_drive(folder, seconds, sorted(in_flight), workers, host=host))
        held = [point for point in curve if point["p99_ms"] < P99_MS]
        best = max(held or curve, key=lambda point: point["authorisations_per_s"])
        return {
            "authorisations_per_s": best["authorisations_per_s"],
            "p99_ms": best["p99_ms"],
            "workers": workers,
            "issuer": "host" if host else "table",
            "best": best | {"holds": f"p99 < {P99_MS:.0f} ms" if held else "nothing"},
            "answers_checked": checked,
            "answers_wrong": wrong,
            "curve": curve,
            "parts_cpu_us_each": _parts(Path(folder), max(4, min(256, round(best["writes_per_flush"])))),
            "disk_alone": flush_alone(Path(folder)),
        }


def _count(seconds: float, in_flight: Sequence[int]) -> int:
    """How many requests are made before the clock starts."""
    return int((seconds + 2 * _WARM_S) * _RATE_MAX) * len(in_flight)


async def _drive(
    folder: str, seconds: float, in_flight: list[int], workers: int, *, host: bool
) -> tuple[list[dict[str, Any]], int, int]:
    loop = asyncio.get_running_loop()
    service, blocks, config = _service(), _pin_blocks(), _config()
    issuer = Issuer(CODEC, config.peers["bank"], service, _BANK_MAC)
    server = await loop.create_server(issuer.line, "127.0.0.1", 0)
    count = _count(seconds, in_flight)
    bank = await start_issuer(folder, _HOST_CARDS) if host else None
    switch = await _started(folder, bank.port if bank else server.sockets[0].getsockname()[1], workers)
    if bank:
        raws = requests_by_switch(count, _HOST_CARDS, service, _TILL_MAC.key, _KEYS[_TILL_PIN.key])
    else:
        raws = _requests(0, count, service, blocks)
    flow = Flow([framed(raw) for raw in raws])
    lines = [
        (await loop.create_connection(lambda: TillLine(flow), "127.0.0.1", switch.port))[1]
        for _ in range(LINES * workers)
    ]
    tune_process()
    curve, flying = [], 0
    for wanted in in_flight:
        for line in lines:
            line.fire((wanted - flying) // len(lines))
        flying += (wanted - flying) // len(lines) * len(lines)
        await asyncio.sleep(_WARM_S)  # what is compiled on the way is compiled by now
        curve.append({"in_flight": flying} | await _point(flow, seconds, switch, bank))
    flow.stopped = True
    await asyncio.sleep(0.5)
    switch.close()
    if bank:
        bank.close()
    server.close()
    wrong = wrong_answers(flow, CODEC, service, _TILL_MAC) + issuer.wrong
    return curve, wrong, len(flow.answers)


async def _point(flow: Flow, seconds: float, switch: Switch, bank: IssuerProcess | None) -> dict[str, Any]:
    """One point of the curve."""
    before, bank_before = await switch.told(), await bank.told() if bank else {}
    done, began, cpu = len(flow.times), time.perf_counter(), time.process_time()
    await asyncio.sleep(seconds)
    took, spent = time.perf_counter() - began, time.process_time() - cpu
    after, bank_after = await switch.told(), await bank.told() if bank else {}
    ordered = sorted(flow.times[done:])
    each = 1e6 / max(1, len(ordered))
    used = {name: after[name] - before[name] for name in after}
    flushes = max(1, used["flushes"])
    return {
        "authorisations_per_s": round(len(ordered) / took),
        "p50_ms": round(1000 * statistics.median(ordered), 1),
        "p99_ms": round(1000 * ordered[int(len(ordered) * 0.99)], 1),
        "max_ms": round(1000 * ordered[-1], 1),
        "switch_cpu_us_each": round(each * (used["user"] + used["system"])),
        "of_it_system": round(each * used["system"]),
        "of_it_journal_thread": round(each * (used["user"] + used["system"] - used["loop"])),
        "driver_and_issuer_cpu_us_each": round(each * spent),
        "writes_per_flush": round(used["writes"] / flushes, 1),
        "flush_ms": round(1000 * used["flush_s"] / flushes, 2),
        "flushing_part_of_time": round(used["flush_s"] / took, 2),
        "refused": used["refused"],
    } | {f"issuer_{name}": round(value, 1) for name, value in _of_bank(bank_before, bank_after).items()}


def _of_bank(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """What the issuer's host used for each that it decided, in microseconds, and how many shared its flushes."""
    if not after:
        return {}
    used = {name: after[name] - before[name] for name in after}
    each = 1e6 / max(1, used["answered"])
    return {
        "cpu_us_each": each * (used["user"] + used["system"]),
        "in_a_group": used["answered"] / max(1, used["groups"]),
    }


def _parts(folder: Path, at_once: int) -> dict[str, float]:
    """What each part costs by itself, for as many messages at once as a flush had."""
    service, clock, config = _service(), SystemClock(), _config()
    desk = KeyDesk(service, remote=False)
    issuer = Issuer(CODEC, config.peers["bank"], service, _BANK_MAC)
    database = open_database(folder / "parts.db")
    core = SwitchCore(config, now_micros=clock.now_micros(), business_date=_DATE)
    parts = Parts(core, desk, SwitchJournal(database, service), clock, issuer.answers)
    found = parts.run(_requests(0, 60 * at_once, service, _pin_blocks()), at_once)
    database.dispose()
    return {"at_once": at_once} | found
