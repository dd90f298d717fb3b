"""TCP lines of the switch: framing, turns, and time limits, so that no peer can hurt another.

A line whose messages wait for their turn (`jinka.node.switch_door`) is not read from; half a frame has a time to come
to its end; false lengths end the line; a peer that does not take what it is sent is cut off once its buffer is full, a
stranger much sooner. Nothing here knows what a message means. RFC 9293 for what a closed line is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from jinka.codec.framing import (
    Frame,
    Framer,
    Framing,
    Head,
    InterbankHeader,
    Tpdu,
    close_bare,
    close_frame,
    read_interbank,
)
from jinka.kit import Refused
from jinka.node.switch_door import Door, Share, Turns
from jinka.node.switch_tls import LineTls

_TPDU = bytes.fromhex("6000000000")
_POS_HEAD = bytes(6)
_HELD = 256  # messages that wait for their turn on a line that is read from
_STRANGERS_WRITE = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """How lines to one peer behave. ``own`` and ``peer`` are institutions, for the headers of UnionPay's members."""

    framing: Framing = field(default_factory=Framing)
    rate: float = 10_000.0  # messages a second of all lines together
    burst: int = 2_000
    frame_s: float = 10.0  # for a frame to come to its end
    write_max: int = 1 << 20  # bytes that may wait for a peer that reads slowly
    lines_max: int = 256
    address_lines: int = 64  # of one address
    own: str = ""
    peer: str = ""
    tls: LineTls | None = None

    def door(self, turns: Turns) -> Door:
        """Where such lines come in; one for all of them."""
        return Door(
            turns,
            rate=self.rate,
            burst=self.burst,
            lines_max=self.lines_max,
            address_lines=self.address_lines,
        )


class Link(asyncio.Protocol):
    """One line. ``arrived`` gets each message with its frame; ``closed`` is called once.

    ``guest``: the peer came to us, and is a stranger at first.
    """

    def __init__(
        self,
        rules: LinkRules,
        *,
        opened: Callable[[Link], bool],
        arrived: Callable[[Link, Frame], None],
        closed: Callable[[Link], None],
        door: Door | None = None,
        guest: bool = False,
    ) -> None:
        self.rules = rules
        self._door = door or rules.door(Turns(_never_busy))
        self._guest = self._stranger = guest
        self._address: str | None = None  # of a guest that was let in
        self.share: Share = self._door.share
        self.queued = False
        self.refused = 0  # in a row, for who owns it
        self.number = -1
        self.reason = ""
        self._opened, self._arrived, self._closed = opened, arrived, closed
        self._framer = Framer(rules.framing)
        self._plain = rules.framing.head is Head.NONE and rules.framing.tpdu is Tpdu.NONE
        self._bare = rules.framing.bare
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._half: asyncio.TimerHandle | None = None
        self._later: deque[Frame] = deque()
        self._fault = False
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = stream = cast(asyncio.Transport, transport)  # another loop's is no subclass of it
        if not self._enter(stream):
            return
        if self.rules.tls is not None:
            try:
                self.rules.tls.check(stream.get_extra_info("peercert"))
            except Refused:
                self.close("tls_name")
                return
            self.trust()
        if not self._opened(self):
            self.close("too_many")

    def _enter(self, stream: asyncio.Transport) -> bool:
        """Ask the door; a line of ours needs no leave."""
        stream.set_write_buffer_limits(high=self.rules.write_max)
        if self._guest:
            peer = stream.get_extra_info("peername")
            name = str(peer[0]) if isinstance(peer, tuple) else ""
            if why_not := self._door.enter(name):
                self.close(why_not)
                return False
            self._address, self.share = name, self._door.strangers(name)
            stream.set_write_buffer_limits(high=min(self.rules.write_max, _STRANGERS_WRITE))
        return True

    def trust(self) -> None:
        """Its peer has proven itself: from now on it has its turns."""
        self.refused = 0
        if self._stranger and self._address is not None and self._transport is not None:
            self._stranger, self.share = False, self._door.share
            self._door.praise(self._address)
            self._transport.set_write_buffer_limits(high=self.rules.write_max)

    def blame(self) -> None:
        """It is closed for what it sent: its address has to wait."""
        if self._address is not None:
            self._door.blame(self._address)

    def data_received(self, data: bytes) -> None:
        frames, fault = self._framer.feed(data)
        if frames:
            self._later += frames
            self._door.turns.ready(self)
        if fault is not None:
            self._fault = True
            self._settle()
        elif len(self._later) > _HELD and self._transport is not None:
            self._transport.pause_reading()
        self._watch(anew=bool(frames))

    def _watch(self, *, anew: bool) -> None:
        """A frame that has begun has a time to come to its end, for as long as we read."""
        transport = self._transport
        waits = bool(self._framer.held) and transport is not None and transport.is_reading()
        if self._half is not None and (anew or not waits):
            self._half.cancel()
            self._half = None
        if waits and self._half is None:
            self._half = self._loop.call_later(self.rules.frame_s, self.close, "half_frame")

    @property
    def waiting(self) -> int:
        """Messages that wait for their turn."""
        return len(self._later)

    def deliver(self, count: int) -> None:
        """Hand on so many messages; read on when few are left."""
        for _ in range(count):
            if not self._later:  # closed by one of them
                return
            self._arrived(self, self._later.popleft())
        self._settle()

    def _settle(self) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            self._later.clear()
        elif self._fault:
            transport.pause_reading()
            if not self._later:
                self.close("framing")
        elif len(self._later) <= _HELD and not transport.is_reading():
            transport.resume_reading()
            self._watch(anew=True)

    def send(self, message: bytes, head: Frame | None) -> None:
        """Send a message, in kind where it answers ``head``; lost when the line is closing."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if not self._out:
            self._loop.call_soon(self._write)
        framing = self.rules.framing
        self._out.append(
            close_bare(framing, message) if self._bare else close_frame(framing, self._frame(message, head))
        )

    def _write(self) -> None:
        """All that one turn of the loop has to say, in one call of the system."""
        out, self._out = self._out, []
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(b"".join(out))

    def _frame(self, message: bytes, head: Frame | None) -> Frame:
        if self._plain:
            return Frame(message=message)
        framing, rules = self.rules.framing, self.rules
        if head is not None:
            frame = head.answer(message)
        else:
            tpdu = b"" if framing.tpdu is Tpdu.NONE else _TPDU
            frame = Frame(message=message, tpdu=tpdu, head=_POS_HEAD if framing.head is Head.POS else b"")
        if framing.head is not Head.INTERBANK:
            return frame
        peer = read_interbank(head.head).source if head is not None else rules.peer.ljust(11)
        header = InterbankHeader(destination=peer, source=rules.own.ljust(11), message_size=len(message))
        return Frame(message=message, tpdu=frame.tpdu, head=header.encode())

    def pause_writing(self) -> None:
        """The peer has not read for a megabyte: it does not read."""
        self.close("not_reading")

    def close(self, reason: str) -> None:
        """Cut the line; nothing waits for the peer."""
        if self._transport is not None and not self._transport.is_closing():
            self.reason = self.reason or reason
            self._later.clear()
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        if self._half is not None:
            self._half.cancel()
        self._later.clear()
        if self._address is not None:
            self._door.leave(self._address)
            self._address = None
        self._closed(self)


def _never_busy() -> bool:
    return False
