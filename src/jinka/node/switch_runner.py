"""The shell around `jinka.switch.SwitchCore`: lines, timers, group commit and the key service, on one asyncio loop.

Messages that arrive while the journal flushes are written together in the next flush, so one fsync serves many. Effects
are carried out in the core's order; what leaves in answer to `Written` leaves after the flush. One loop, one core.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from jinka.codec.framing import Frame
from jinka.kit import Clock, JinkaError
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import Link, LinkRules
from jinka.store import SwitchJournal
from jinka.switch import (
    AskKeys,
    Close,
    Effect,
    Event,
    Found,
    KeysAnswered,
    LinkDown,
    LinkUp,
    LookUp,
    Received,
    Send,
    StartTimer,
    StopTimer,
    SwitchCore,
    TimerFired,
    Write,
    Written,
)

_CONNECT_S = 10.0
_TURN_S = 0.0002  # the journal's thread waits that long for the interpreter, at each of its many statements
_GARBAGE = (100_000, 20, 100)  # transactions are no circles: looking for some stops all of them
_GROUP_MAX = 4_096  # effects in one flush


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a peer is met: we listen for it, or connect to it."""

    peer: str
    host: str
    port: int
    listen: bool
    rules: LinkRules
    connections: int = 1
    again_s: float = 1.0


def tune_process() -> None:
    """Set the interpreter up for a process that does nothing else than run a switch."""
    sys.setswitchinterval(_TURN_S)
    gc.freeze()
    gc.set_threshold(*_GARBAGE)


class SwitchRunner:
    """Runs a core until `stop`. ``failed`` hears of a journal that fails; from then on nothing is answered."""

    def __init__(
        self,
        core: SwitchCore,
        journal: SwitchJournal,
        keys: KeyDesk,
        clock: Clock,
        *,
        failed: Callable[[BaseException], object],
    ) -> None:
        self.core, self._journal, self._keys, self._clock = core, journal, keys, clock
        self._failed = failed
        self._links: dict[tuple[str, int], Link] = {}
        self._per_peer: Counter[str] = Counter()
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._group: list[Write] = []
        self._look_ups: list[LookUp] = []
        self._flushing = False
        self._dead = False
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._events: deque[Event] = deque()
        self._stepping = False
        self.flushes = self.flushed = 0
        self.flush_seconds = 0.0
        self.flushed_at_micros = 0  # the end of the last flush, UTC
        self.closed: Counter[tuple[str, str]] = Counter()  # (reason, peer)
        self.ports: dict[str, int] = {}
        self._do: Mapping[type, Callable[[Any], None]] = {
            Send: self._send,
            Write: self._write,
            AskKeys: lambda effect: self._keys.ask(effect, self._keys_answered),
            StartTimer: self._start_timer,
            StopTimer: self._stop_timer,
            LookUp: self._look_up,
            Close: self._close,
        }

    @property
    def links(self) -> int:
        """How many lines stand."""
        return len(self._links)

    def post(self, event: Event) -> None:
        """Let the core take an event, and carry out what follows from it."""
        self._events.append(event)
        if self._stepping:
            return
        self._stepping = True
        try:
            while self._events and not self._dead:
                self.run(self.core.step(self._events.popleft(), self._clock.now_micros()))
        finally:
            self._stepping = False

    def run(self, effects: list[Effect]) -> None:
        """Carry out effects."""
        for effect in effects:
            self._do[type(effect)](effect)

    async def start(self, addresses: list[Address]) -> None:
        """Listen and connect."""
        loop = asyncio.get_running_loop()
        for address in addresses:
            make = partial(self._make_link, address)
            if address.listen:
                server = await loop.create_server(
                    make, address.host, address.port, reuse_port=hasattr(socket, "SO_REUSEPORT"), backlog=256
                )
                self._servers.append(server)
                self.ports[address.peer] = server.sockets[0].getsockname()[1]
            else:
                for _ in range(address.connections):
                    task = loop.create_task(self._keep_connected(address))
                    self._tasks.add(task)

    async def stop(self) -> None:
        """Close all lines, flush what is waiting, end the threads."""
        for task in self._tasks:
            task.cancel()
        for server in self._servers:
            server.close()
        for link in list(self._links.values()):
            link.close("stopping")
        await asyncio.sleep(0)
        while self._flushing:
            await asyncio.sleep(0.001)
        for timer in self._timers.values():
            timer.cancel()
        self._disk.shutdown()
        self._keys.close()

    def _make_link(self, address: Address, gone: asyncio.Future[None] | None = None) -> Link:
        return Link(
            address.rules,
            opened=partial(self._opened, address),
            arrived=partial(self._arrived, address.peer),
            closed=partial(self._line_closed, address.peer, gone),
        )

    async def _keep_connected(self, address: Address) -> None:
        loop = asyncio.get_running_loop()
        while not self._dead:
            gone: asyncio.Future[None] = loop.create_future()
            make = partial(self._make_link, address, gone)
            with contextlib.suppress(OSError):
                await asyncio.wait_for(loop.create_connection(make, address.host, address.port), _CONNECT_S)
                await gone
            await asyncio.sleep(address.again_s)

    def _opened(self, address: Address, link: Link) -> bool:
        if self._dead or self._per_peer[address.peer] >= address.rules.lines_max:
            return False
        self._number += 1
        link.number = self._number
        self._per_peer[address.peer] += 1
        self._links[address.peer, link.number] = link
        self.post(LinkUp(peer=address.peer, line=link.number))
        return True

    def _arrived(self, peer: str, link: Link, frame: Frame) -> None:
        self.post(Received(peer=peer, line=link.number, raw=frame.message, head=frame))

    def _line_closed(self, peer: str, gone: asyncio.Future[None] | None, link: Link) -> None:
        if gone is not None and not gone.done():
            gone.set_result(None)
        self.closed[link.reason or "by_peer", peer] += 1
        if self._links.pop((peer, link.number), None) is not None:
            self._per_peer[peer] -= 1
            self.post(LinkDown(peer=peer, line=link.number))

    def _send(self, effect: Send) -> None:
        link = self._links.get((effect.peer, effect.line))
        if link is not None:
            link.send(effect.raw, effect.head)

    def _close(self, effect: Close) -> None:
        link = self._links.get((effect.peer, effect.line))
        if link is not None:
            link.close(effect.reason)

    def _keys_answered(self, answer: KeysAnswered) -> None:
        self.post(answer)

    def _start_timer(self, effect: StartTimer) -> None:
        loop = asyncio.get_running_loop()
        self._timers[effect.token] = loop.call_later(effect.after_ms / 1000, self._fired, effect.token)

    def _stop_timer(self, effect: StopTimer) -> None:
        timer = self._timers.pop(effect.token, None)
        if timer is not None:
            timer.cancel()

    def _fired(self, token: int) -> None:
        self._timers.pop(token, None)
        self.post(TimerFired(token=token))

    def _write(self, effect: Write) -> None:
        self._group.append(effect)
        self._flush()

    def _look_up(self, effect: LookUp) -> None:
        self._look_ups.append(effect)
        self._flush()

    def _flush(self) -> None:
        if not self._flushing and not self._dead:
            self._flushing = True
            task = asyncio.get_running_loop().create_task(self._keep_flushing())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _keep_flushing(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._group or self._look_ups:
                group, self._group = self._group[:_GROUP_MAX], self._group[_GROUP_MAX:]
                asked, self._look_ups = self._look_ups, []
                clashes, found = await asyncio.shield(
                    loop.run_in_executor(self._disk, self._on_disk, group, asked)
                )
                self.flushes += 1
                self.flushed += len(group)
                for effect, clash in zip(group, clashes, strict=True):
                    self.post(Written(token=effect.token, clashes=clash))
                for asking, record in zip(asked, found, strict=True):
                    self.post(Found(token=asking.token, record=record))
        except JinkaError as error:
            self._die(error)
        except Exception as error:  # whatever the engine raises: what is not kept must not be answered
            self._die(error)
        finally:
            self._flushing = False

    def _on_disk(self, group: list[Write], asked: list[LookUp]) -> tuple[list[Any], list[Any]]:
        began = time.perf_counter()
        clashes = self._journal.write([effect.entries for effect in group]) if group else []
        self.flush_seconds += time.perf_counter() - began
        self.flushed_at_micros = self._clock.now_micros()
        return clashes, [self._journal.find(effect.tx) for effect in asked]

    def _die(self, error: BaseException) -> None:
        self._dead = True
        for link in list(self._links.values()):
            link.close("journal")
        self._failed(error)
