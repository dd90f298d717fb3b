"""Who may come in at a port of the switch, and whose message is next: a flood is to harm its sender alone.

A line is a stranger's until its peer has proven itself on it: a right MAC, a certificate, or a sign-on where there is
no MAC. What a peer sends is counted for all its lines, what strangers send for their address, and both over the lines
that come and go. Peers and addresses take turns, so do the lines of each, a few messages at a time; while the work
behind has enough to do nobody has a turn. Nothing here reads a message. The limits are ours, no standard's.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Protocol

_PASS_S = 0.01  # of one turn of the loop: lines, timers and answers are to be heard in between
_RUN = 128  # messages of a line that is alone
_TURN = 32  # messages of a line while others wait
_BUSY_S = 0.001
_NAP_S = 0.005  # who has used up a rate does not wake the loop for each message
_STRANGERS_RATE, _STRANGERS_BURST = 100.0, 256.0  # of one address, at one port
_WAIT_S, _WAIT_MAX_S = 1.0, 32.0
_ADDRESSES_MAX = 4_096


class Share:
    """What may be sent in a while, and the lines that send it: a peer's, or those of strangers at an address."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens", "lines", "queued")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate, self._burst = rate, max(1.0, burst)
        self._tokens, self._at = self._burst, now
        self.lines: deque[Sender] = deque()
        self.queued = False

    def allow(self, now: float, wanted: int) -> int:
        """How many messages may go now; they are counted."""
        self._tokens = min(self._burst, self._tokens + max(0.0, now - self._at) * self._rate)
        self._at = now
        count = min(wanted, int(self._tokens))
        self._tokens -= count
        return count

    @property
    def nap_s(self) -> float:
        """Until another message may go."""
        return max(_NAP_S, (1 - self._tokens) / self._rate)


class Sender(Protocol):
    """A line, as its turns see it."""

    share: Share
    queued: bool

    @property
    def waiting(self) -> int:
        """Messages that have come and are not handed on."""

    def deliver(self, count: int) -> None:
        """Hand on so many."""

    def close(self, reason: str) -> None:
        """Cut it."""


class Turns:
    """Round robin over shares, and in each over its lines. ``busy``: whether the work behind has enough to do."""

    def __init__(self, busy: Callable[[], bool]) -> None:
        self._busy = busy
        self._loop = asyncio.get_running_loop()
        self._shares: deque[Share] = deque()
        self._next: asyncio.Handle | None = None

    def ready(self, line: Sender) -> None:
        """A line has messages."""
        if not line.queued:
            line.queued = True
            line.share.lines.append(line)
            if not line.share.queued:
                self._queue(line.share)

    def _queue(self, share: Share) -> None:
        share.queued = True
        self._shares.append(share)
        if self._next is None:
            self._next = self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._next = None
        if self._busy():
            self._next = self._loop.call_later(_BUSY_S, self._run)
            return
        now = self._loop.time()
        end = now + _PASS_S
        try:
            while self._shares and now < end:
                self._turn(self._shares.popleft(), now)
                now = self._loop.time()
        finally:
            if self._shares and self._next is None:
                self._next = self._loop.call_soon(self._run)

    def _turn(self, share: Share, now: float) -> None:
        line = share.lines.popleft()
        alone = not self._shares and not share.lines
        wanted = min(line.waiting, _RUN if alone else _TURN)
        count = share.allow(now, wanted)
        if wanted and not count:
            share.lines.appendleft(line)
            self._loop.call_later(share.nap_s, self._queue, share)  # it counts as queued while it sleeps
            return
        share.queued = line.queued = False
        try:
            line.deliver(count)
        except BaseException:
            line.close("fault")
            raise
        finally:
            if line.waiting:
                self.ready(line)
            if share.lines and not share.queued:
                self._queue(share)


class _Address:
    __slots__ = ("lines", "offences", "share", "until")

    def __init__(self, share: Share) -> None:
        self.share = share
        self.lines = self.offences = 0
        self.until = 0.0


class Door:
    """One peer's port: its share, and its addresses."""

    def __init__(
        self, turns: Turns, *, rate: float, burst: float, lines_max: int, address_lines: int
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.turns = turns
        self.share = Share(rate, burst, self._loop.time())
        self._rate, self._burst = min(rate, _STRANGERS_RATE), min(burst, _STRANGERS_BURST)
        self._lines_max, self._address_lines = lines_max, address_lines
        self._addresses: OrderedDict[str, _Address] = OrderedDict()
        self.lines = 0

    def enter(self, name: str) -> str:
        """Let a line of an address in; or the reason why not."""
        address = self._addresses.get(name)
        if address is None:
            self._forget()
            address = self._addresses[name] = _Address(Share(self._rate, self._burst, self._loop.time()))
        self._addresses.move_to_end(name)
        if self._loop.time() < address.until:
            return "has_to_wait"
        if self.lines >= self._lines_max or address.lines >= self._address_lines:
            return "too_many"
        self.lines += 1
        address.lines += 1
        return ""

    def leave(self, name: str) -> None:
        """One that was let in is gone."""
        self.lines -= 1
        self._addresses[name].lines -= 1

    def strangers(self, name: str) -> Share:
        """The share of those at an address who have proven nothing yet."""
        return self._addresses[name].share

    def blame(self, name: str) -> None:
        """Its line was closed for what it sent: the next has to wait, twice as long as the last time."""
        address = self._addresses[name]
        address.until = self._loop.time() + min(_WAIT_MAX_S, _WAIT_S * 2**address.offences)
        address.offences = min(address.offences + 1, 16)

    def praise(self, name: str) -> None:
        """A peer has proven itself from there."""
        self._addresses[name].offences = 0

    def _forget(self) -> None:
        """Of too many addresses those go that came least lately and have no line."""
        if len(self._addresses) >= _ADDRESSES_MAX:
            name = next((name for name, address in self._addresses.items() if not address.lines), None)
            if name is not None:
                del self._addresses[name]
