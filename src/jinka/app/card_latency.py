"""How long one command takes through pcscd: pyscard, the resource manager, vpcd, TCP, the card, and back."""

from __future__ import annotations

import statistics
import threading
import time

from jinka.app.card_samples import sample_card
from jinka.kit import JinkaError
from jinka.node.pcsc import PcscLink
from jinka.node.pcscd import PcscService
from jinka.node.vpcd import VpcdSlot
from jinka.sectors.transit_shenzhen import PROFILE

_GET_BALANCE = bytes.fromhex("805C000204")
_WAIT_S = 10.0


def bench_pcsc(count: int = 2_000) -> dict[str, object]:
    """Start a pcscd of its own with a card in the virtual reader, and time GET BALANCE."""
    with PcscService() as service:
        spent = sorted(time_card(service, count))
    return {
        "bench": "pcsc",
        "apdus": count,
        "median_ms": round(statistics.median(spent) * 1000, 4),
        "p99_ms": round(spent[int(count * 0.99)] * 1000, 4),
        "apdus_per_second": round(count / sum(spent)),
        "aim_median_ms": 0.5,
    }


def time_card(service: PcscService, count: int) -> list[float]:
    """Seconds of each command to a card in the first slot."""
    slot, stop = VpcdSlot(sample_card(PROFILE.name), port=service.port), threading.Event()
    thread = threading.Thread(target=slot.serve, args=(stop,), daemon=True)
    thread.start()
    try:
        return _measure(service.readers[0], count)
    finally:
        stop.set()
        thread.join(_WAIT_S)


def _measure(reader: str, count: int) -> list[float]:
    with _card_in(reader) as link:
        link.transmit(b"\x00\xa4\x04\x00\x08" + PROFILE.aid)
        spent = []
        for _ in range(count):
            begin = time.perf_counter()
            answer = link.transmit(_GET_BALANCE)
            spent.append(time.perf_counter() - begin)
            if answer != bytes(4) + b"\x90\x00":
                raise JinkaError(f"an answer of {len(answer)} bytes", where="bench pcsc")
    return spent


def _card_in(reader: str) -> PcscLink:
    """The card, as soon as the resource manager has seen it."""
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            return PcscLink(reader)
        except JinkaError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
