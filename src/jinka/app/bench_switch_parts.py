"""What each part of the switch costs for one authorisation, without sockets: part of `jinka bench switch`.

The same core, key service and journal as behind the sockets, called for a number of messages at once, as a turn of the
loop does; processor time by the process's clock. What the loop, the sockets and the waiting cost is the rest.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from jinka.codec.framing import Frame, Framer, Framing, close_frame
from jinka.kit import Clock
from jinka.node.switch_keys import KeyDesk
from jinka.store import SwitchJournal
from jinka.switch import (
    AskKeys,
    Effect,
    Event,
    LinkUp,
    Received,
    Send,
    SwitchCore,
    Write,
    Written,
)

T = TypeVar("T")


class Parts:
    """``issuer`` makes the answers to what goes out to the bank."""

    def __init__(
        self,
        core: SwitchCore,
        desk: KeyDesk,
        journal: SwitchJournal,
        clock: Clock,
        issuer: Callable[[Sequence[bytes]], list[bytes]],
    ) -> None:
        self._core, self._desk, self._journal, self._clock, self._issuer = core, desk, journal, clock, issuer
        self._spent: dict[str, list[float]] = {}
        self._waited: list[float] = []
        self._framing = Framing()
        self._framers = {"till": Framer(self._framing), "bank": Framer(self._framing)}
        for line, peer in enumerate(self._framers):
            self._steps([LinkUp(peer=peer, line=line)])

    def run(self, requests: Sequence[bytes], at_once: int) -> dict[str, float]:
        """Microseconds of processor time for one authorisation by part; of the flush the time it takes, by itself."""
        for start in range(0, len(requests) - at_once + 1, at_once):
            sent = self._way("till", "bank", requests[start : start + at_once])
            self._way("bank", "till", self._issuer(sent))
        found = {name: 1e6 * statistics.median(spent) / at_once for name, spent in self._spent.items()}
        found["sum"] = sum(found.values())
        found["flush_takes"] = 1e6 * statistics.median(self._waited)
        return {name: round(value, 1) for name, value in found.items()}

    def _way(self, source: str, target: str, raws: Sequence[bytes]) -> list[bytes]:
        """From the bytes of one side to the bytes for the other; each part's time for both ways is added up."""
        line = list(self._framers).index(source)
        wire = b"".join([close_frame(self._framing, Frame(message=raw)) for raw in raws])
        first = source == "till"
        spent: dict[str, float] = {}
        frames = _timed(spent, "framing", lambda: self._framers[source].feed(wire)[0])
        events = [Received(peer=source, line=line, raw=frame.message, head=frame) for frame in frames]
        name = "core_and_codec"
        asked = _of(_timed(spent, name, lambda: self._steps(events)), AskKeys)
        known = _timed(spent, "check_mac_and_pin" if first else "check_mac", lambda: self._desk.do_all(asked))
        writes = _of(_timed(spent, name, lambda: self._steps(known)), Write)
        began = time.perf_counter()
        clashes = _timed(spent, "journal", lambda: self._journal.write([write.entries for write in writes]))
        self._waited.append(time.perf_counter() - began)
        written = [Written(token=w.token, clashes=c) for w, c in zip(writes, clashes, strict=True)]
        asked = _of(_timed(spent, name, lambda: self._steps(written)), AskKeys)
        made = _timed(spent, "make_mac", lambda: self._desk.do_all(asked))
        sends = [
            send for send in _of(_timed(spent, name, lambda: self._steps(made)), Send) if send.peer == target
        ]
        _timed(spent, "framing", lambda: [close_frame(self._framing, Frame(message=s.raw)) for s in sends])
        for part, seconds in spent.items():
            self._spent.setdefault(f"{part}_{'request' if first else 'answer'}", []).append(seconds)
        return [send.raw for send in sends]

    def _steps(self, events: Sequence[Event]) -> list[Effect]:
        effects: list[Effect] = []
        for event in events:
            effects += self._core.step(event, self._clock.now_micros())
        return effects


def _timed(spent: dict[str, float], part: str, work: Callable[[], T]) -> T:
    began = time.process_time()
    found = work()
    spent[part] = spent.get(part, 0.0) + time.process_time() - began
    return found


def _of(effects: Sequence[Effect], kind: type[T]) -> list[T]:
    return [effect for effect in effects if isinstance(effect, kind)]


def flush_alone(folder: Path, size: int = 32_768, times: int = 60) -> dict[str, Any]:
    """What the disk asks for one append and one fdatasync, as a write-ahead log does it, in milliseconds."""
    took = []
    with (folder / "flush.probe").open("wb", buffering=0) as file:
        for _ in range(times):
            file.write(os.urandom(size))
            began = time.perf_counter()
            os.fdatasync(file.fileno()) if hasattr(os, "fdatasync") else os.fsync(file.fileno())
            took.append(1000 * (time.perf_counter() - began))
    took.sort()
    return {"bytes": size, "p50_ms": round(took[times // 2], 2), "p99_ms": round(took[-1], 2)}
