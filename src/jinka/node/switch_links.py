"""TCP lines of the switch: framing, rates, and time limits, so that no peer can hurt another.

A line that sends more than its rate is not read from until it may send again; half a frame has a time to come to its
end; false lengths end the line; a peer that does not take what it is sent is cut off once its buffer is full. Nothing
here knows what a message means. RFC 9293 for what a closed line is.
"""

from __future__ import annotations

import asyncio
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
from jinka.node.switch_tls import LineTls

_TPDU = bytes.fromhex("6000000000")
_POS_HEAD = bytes(6)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRules:
    """How lines to one peer behave. ``own`` and ``peer`` are institutions, for the headers of UnionPay's members."""

    framing: Framing = field(default_factory=Framing)
    rate: float = 10_000.0  # messages a second, for each line
    burst: int = 2_000
    frame_s: float = 10.0  # for a frame to come to its end
    write_max: int = 1 << 20  # bytes that may wait for a peer that reads slowly
    lines_max: int = 256
    own: str = ""
    peer: str = ""
    tls: LineTls | None = None


class Link(asyncio.Protocol):
    """One line. ``arrived`` gets each message with its frame; ``closed`` is called once."""

    def __init__(
        self,
        rules: LinkRules,
        *,
        opened: Callable[[Link], bool],
        arrived: Callable[[Link, Frame], None],
        closed: Callable[[Link], None],
    ) -> None:
        self.rules = rules
        self.number = -1
        self.reason = ""
        self._opened, self._arrived, self._closed = opened, arrived, closed
        self._framer = Framer(rules.framing)
        self._plain = rules.framing.head is Head.NONE and rules.framing.tpdu is Tpdu.NONE
        self._bare = rules.framing.bare
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._tokens, self._at = float(rules.burst), self._loop.time()
        self._half: asyncio.TimerHandle | None = None
        self._later: list[Frame] = []
        self._out: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = stream = cast(asyncio.Transport, transport)  # another loop's is no subclass of it
        stream.set_write_buffer_limits(high=self.rules.write_max)
        if self.rules.tls is not None:
            try:
                self.rules.tls.check(stream.get_extra_info("peercert"))
            except Refused:
                self.close("tls_name")
                return
        if not self._opened(self):
            self.close("too_many")

    def data_received(self, data: bytes) -> None:
        frames, fault = self._framer.feed(data)
        self._later += frames
        self._deliver()
        if fault is not None:
            self.close("framing")
            return
        self._watch(anew=bool(frames))

    def _watch(self, *, anew: bool) -> None:
        """A frame that has begun has a time to come to its end, for as long as we read."""
        waits = bool(self._framer.held) and not self._later
        if self._half is not None and (anew or not waits):
            self._half.cancel()
            self._half = None
        if waits and self._half is None:
            self._half = self._loop.call_later(self.rules.frame_s, self.close, "half_frame")

    def _deliver(self) -> None:
        """Hand on as many messages as the rate allows; read nothing more until the rest may go too."""
        now = self._loop.time()
        self._tokens = min(float(self.rules.burst), self._tokens + (now - self._at) * self.rules.rate)
        self._at = now
        count = min(len(self._later), int(self._tokens))
        self._tokens -= count
        ready, self._later = self._later[:count], self._later[count:]
        for frame in ready:
            self._arrived(self, frame)
        transport = self._transport
        if transport is None or transport.is_closing():
            self._later.clear()
        elif self._later:
            transport.pause_reading()
            self._loop.call_later(max(0.001, 1 / self.rules.rate), self._deliver)
        elif not transport.is_reading():
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
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        if self._half is not None:
            self._half.cancel()
        self._later.clear()
        self._closed(self)
