"""`jinka bench issuer`: authorisations a second of the issuer's host, over TCP, with its MACs and its durable books.

Two processes: the host (`jinka.app.bench_issuer_world`), and a driver that keeps requests in flight on four lines. A
request is a purchase by stripe and PIN: MAC, card value, PIN, limits and a rule are checked, the money is booked, and
the answer leaves when that is on the disk. The fewer the cards, the more of the requests follow one another: each PIN
is counted on the disk before the next one of its card is compared. There is no other host in Python to compare with.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from jinka.app.bench_issuer_world import (
    BANK_MAC,
    BANK_PIN,
    CODEC,
    KEYS,
    key_service,
    pin_block,
    request,
    run_issuer,
    track2,
    with_macs,
)
from jinka.app.bench_switch_load import Flow, TillLine, framed, wrong_answers
from jinka.app.bench_switch_parts import flush_alone
from jinka.keys import SoftKeyService
from jinka.kit import JinkaError
from jinka.switch import MacKind, MacRule

CARDS = (1, 5, 1_000, 5_000)
_EACH = 200  # requests of a card: its past has an end, and the measurement has to stay below it
_RATE_MAX = 4_000  # for which requests are made before the clock starts
_LINES = 4
_WARM = 512
_WAIT_S = 0.01
_PATIENCE_S = 30.0


@dataclass(slots=True)
class IssuerProcess:
    """The host's process."""

    port: int
    pipe: Connection
    process: Any

    async def told(self) -> dict[str, float]:
        """What it has used so far."""
        self.pipe.send("tell")
        found: dict[str, float] = await _received(self.pipe)
        return found

    def close(self) -> None:
        """End it."""
        self.pipe.close()
        self.process.join(30)


async def start_issuer(folder: str, cards: int) -> IssuerProcess:
    """A host with so many cards that listens."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=run_issuer, args=(folder, cards, theirs))
    process.start()
    theirs.close()
    return IssuerProcess(port=await _received(ours), pipe=ours, process=process)


async def _received(pipe: Connection) -> Any:
    while not pipe.poll():
        await asyncio.sleep(_WAIT_S)
    return pipe.recv()


def bench_issuer(seconds: float, cards: Sequence[int] = CARDS, *, in_flight: int = 64) -> dict[str, Any]:
    """Measure for each number of cards; those of few cards end when each had its requests."""
    with tempfile.TemporaryDirectory(prefix="jinka-bench-") as folder:
        points, wrong, checked = asyncio.run(_drive(folder, seconds, sorted(cards), in_flight))
        best = max(points, key=lambda point: point["authorisations_per_s"])
        return {
            "authorisations_per_s": best["authorisations_per_s"],
            "cpu_us_each": best["issuer_cpu_us_each"],
            "in_flight": in_flight,
            "answers_checked": checked,
            "answers_wrong": wrong,
            "points": points,
            "disk_alone": flush_alone(Path(folder)),
        }


async def _drive(
    folder: str, seconds: float, cards: list[int], in_flight: int
) -> tuple[list[dict[str, Any]], int, int]:
    loop, service = asyncio.get_running_loop(), key_service(KEYS)
    issuer = await start_issuer(folder, sum(cards) + _WARM)
    points, wrong, checked, first = [], 0, 0, _WARM
    warm = Flow(_frames(service, "W", range(_WARM), _WARM))
    lines = [await _line(loop, warm, issuer.port) for _ in range(_LINES)]
    await _point(warm, lines, in_flight, _PATIENCE_S, issuer)
    for shop, several in enumerate(cards):
        count = min(several * _EACH, int(seconds * _RATE_MAX))
        flow = Flow(_frames(service, f"{shop % 10}", range(first, first + several), count))
        lines = [await _line(loop, flow, issuer.port) for _ in range(_LINES)]
        points.append({"cards": several} | await _point(flow, lines, in_flight, seconds, issuer))
        wrong += wrong_answers(flow, CODEC, service, MacRule(kind=MacKind.ISO, key=BANK_MAC, field=128))
        checked += len(flow.answers)
        first += several
    issuer.close()
    return points, wrong, checked


def _frames(service: SoftKeyService, shop: str, cards: range, count: int) -> list[bytes]:
    known = {card: (track2(card, service), pin_block(card, KEYS[BANK_PIN])) for card in cards}
    asked = []
    for number in range(count):
        card = cards[number % len(cards)]
        asked.append(request(number, card, *known[card], shop=shop))
    return [framed(raw) for raw in with_macs(asked, service)]


def requests_by_switch(
    count: int, cards: int, service: SoftKeyService, mac: str, zone_key: str
) -> list[bytes]:
    """Requests as a till sends them to the switch, with its own MAC and zone key, of cards that a host has."""
    own = key_service(KEYS)
    known = [(track2(card, own), pin_block(card, zone_key)) for card in range(cards)]
    return with_macs(
        [request(number, number % cards, *known[number % cards]) for number in range(count)], service, mac
    )


async def _line(loop: asyncio.AbstractEventLoop, flow: Flow, port: int) -> TillLine:
    return (await loop.create_connection(lambda: TillLine(flow), "127.0.0.1", port))[1]


async def _point(
    flow: Flow, lines: Sequence[TillLine], in_flight: int, seconds: float, issuer: IssuerProcess
) -> dict[str, Any]:
    before = await issuer.told()
    began = time.perf_counter()
    for line in lines:
        line.fire(min(in_flight, len(flow.frames)) // len(lines))
    while time.perf_counter() - began < seconds and len(flow.answers) < flow.next:
        await asyncio.sleep(_WAIT_S)
    flow.stopped = True
    patience = time.perf_counter() + _PATIENCE_S
    while flow.sent_at and time.perf_counter() < patience:
        await asyncio.sleep(_WAIT_S)
    took = time.perf_counter() - began
    after = await issuer.told()
    for line in lines:
        line.transport.close()
    used = {name: after[name] - before[name] for name in after}
    ordered = sorted(flow.times)
    if not ordered:
        raise JinkaError("the issuer's host answers nothing", where="bench issuer")
    each = 1e6 / max(1, len(ordered))
    return {
        "authorisations": len(ordered),
        "authorisations_per_s": round(len(ordered) / took),
        "p50_ms": round(1000 * statistics.median(ordered), 1),
        "p99_ms": round(1000 * ordered[int(len(ordered) * 0.99)], 1),
        "issuer_cpu_us_each": round(each * (used["user"] + used["system"])),
        "of_it_system": round(each * used["system"]),
        "in_a_group": round(len(ordered) / max(1, used["groups"]), 1),
    }
