"""The shell around `jinka.switch.SwitchCore`: lines, timers, group commit and the key service, on one asyncio loop.

Messages that arrive while the journal flushes (`jinka.node.switch_disk`) are written together in the next flush, so one
fsync serves many. Effects are carried out in the core's order; what leaves in answer to `Written` leaves after the
flush. One loop, one core.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
import sys
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from jinka.codec.framing import Frame
from jinka.kit import Clock, JinkaError
from jinka.node.switch_disk import JournalThread
from jinka.node.switch_door import Door, Turns
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import Link, LinkRules
from jinka.node.switch_timers import Timers
from jinka.store import SwitchJournal
from jinka.switch import (
    AskKeys,
    Close,
    Effect,
    Event,
    KeysAnswered,
    LinkDown,
    LinkUp,
    LookUp,
    Received,
    Send,
    StartTimer,
    StopTimer,
    Summed,
    SumUp,
    SwitchCore,
    TimerFired,
    Trust,
    Write,
    peer_totals,
)

_CONNECT_S = 10.0
_TURN_S = 0.0001  # the journal's thread waits that long for the interpreter, at each of its many statements
_BUSY = 2_048  # effects that wait for the keys or the disk: with so many no more messages are taken
_FAULTS = {"not_signed_on", "mac_wrong"}  # of a peer whose line the core closes: its address has to wait
_GARBAGE = (20_000, 50, 100)  # transactions are no circles: looking for some stops all of them


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
        self.core, self._keys, self._clock, self._journal = core, keys, clock, journal
        self._failed = failed
        self._links: dict[tuple[str, int], Link] = {}
        self._doors: dict[str, Door] = {}
        self._timers = Timers(lambda token: self.post(TimerFired(token=token)))
        self._dead = False
        self.disk = JournalThread(journal, clock, answered=self._flushed, failed=self._die)
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._events: deque[Event] = deque()
        self._stepping = False
        self.closed: Counter[tuple[str, str]] = Counter()  # (reason, peer)
        self.ports: dict[str, int] = {}
        self._do: Mapping[type, Callable[[Any], None]] = {
            Send: self._send,
            Write: self.disk.ask,
            AskKeys: lambda effect: self._keys.ask(effect, self._keys_answered),
            StartTimer: lambda effect: self._timers.start(effect.token, effect.after_ms),
            StopTimer: lambda effect: self._timers.stop(effect.token),
            LookUp: self.disk.ask,
            SumUp: self._sum_up,
            Close: self._close,
            Trust: self._trust,
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
        loop, turns = asyncio.get_running_loop(), Turns(self._is_busy)
        for address in addresses:
            make = partial(self._make_link, address)
            self._doors[address.peer] = address.rules.door(turns)
            if address.listen:
                tls = address.rules.tls
                server = await loop.create_server(
                    make, address.host, address.port, reuse_port=hasattr(socket, "SO_REUSEPORT"), backlog=256,
                    ssl=tls.server() if tls else None, ssl_handshake_timeout=_CONNECT_S if tls else None,
                )  # fmt: skip
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
        await self.disk.stop()
        self._timers.close()
        self._keys.close()

    def _make_link(self, address: Address, gone: asyncio.Future[None] | None = None) -> Link:
        return Link(
            address.rules,
            opened=partial(self._opened, address),
            arrived=partial(self._arrived, address.peer),
            closed=partial(self._line_closed, address.peer, gone),
            door=self._doors[address.peer],
            guest=address.listen,
        )

    def _is_busy(self) -> bool:
        return self._keys.waiting > _BUSY or self.disk.waiting > _BUSY

    async def _keep_connected(self, address: Address) -> None:
        loop = asyncio.get_running_loop()
        while not self._dead:
            gone: asyncio.Future[None] = loop.create_future()
            make = partial(self._make_link, address, gone)
            with contextlib.suppress(OSError, JinkaError):  # or the certificate's file is being replaced
                tls = address.rules.tls
                connecting = loop.create_connection(
                    make, address.host, address.port, ssl=tls.client() if tls else None,
                    server_hostname=tls.name if tls else None,
                )  # fmt: skip
                await asyncio.wait_for(connecting, _CONNECT_S)
                await gone
            await asyncio.sleep(address.again_s)

    def _opened(self, address: Address, link: Link) -> bool:
        if self._dead:
            return False
        self._number += 1
        link.number = self._number
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
            self.post(LinkDown(peer=peer, line=link.number))

    def _send(self, effect: Send) -> None:
        link = self._links.get((effect.peer, effect.line))
        if link is not None:
            link.send(effect.raw, effect.head)

    def _close(self, effect: Close) -> None:
        link = self._links.get((effect.peer, effect.line))
        if link is not None:
            if effect.reason in _FAULTS:
                link.blame()
            link.close(effect.reason)

    def _trust(self, effect: Trust) -> None:
        link = self._links.get((effect.peer, effect.line))
        if link is not None:
            link.trust()

    def _sum_up(self, effect: SumUp) -> None:
        task = asyncio.get_running_loop().create_task(self._add_up(effect))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _add_up(self, effect: SumUp) -> None:
        try:
            lines = await asyncio.to_thread(self._journal.counted, effect.business_date)
        except Exception as error:  # whatever the engine raises
            self._die(error)
        else:
            self.post(Summed(token=effect.token, totals=peer_totals(lines)))

    def _keys_answered(self, answer: KeysAnswered) -> None:
        self.post(answer)

    def _flushed(self, events: list[Event]) -> None:
        for event in events:
            self.post(event)

    def _die(self, error: BaseException) -> None:
        self._dead = True
        for link in list(self._links.values()):
            link.close("journal")
        self._failed(error)
