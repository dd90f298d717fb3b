"""A terminal's line to its host: one TCP connection, opened when it is needed, with a time for every answer.

Framing is `jinka.codec.framing`; a UnionPay terminal's TPDU and message head are set here. It implements the port
`jinka.terminal.HostLine`. What the messages mean is not known here; a line on which something was amiss is hung up, so
that nothing late is taken for the answer to what comes next.
"""

from __future__ import annotations

import socket
import ssl
import time
from dataclasses import dataclass, field
from types import TracebackType

from jinka.codec.framing import Frame, Framer, Framing, Head, Tpdu, close_frame
from jinka.node.switch_tls import LineTls
from jinka.terminal import HostGone

_READ = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class LineTerms:
    """Where the host is and how it is spoken to. ``tls``: the terminal's certificate, and whom it believes."""

    host: str
    port: int
    framing: Framing = field(default_factory=Framing)
    tpdu: bytes = bytes.fromhex("6000030000")
    head: bytes = bytes.fromhex("603100311004")
    connect_s: float = 5.0
    answer_s: float = 20.0
    tls: LineTls | None = None


class TcpHostLine:
    """Implements `jinka.terminal.HostLine`."""

    def __init__(self, terms: LineTerms) -> None:
        self._terms = terms
        self._socket: socket.socket | None = None
        self._framer = Framer(terms.framing)
        self._frames: list[Frame] = []
        self._until = 0.0

    def __enter__(self) -> TcpHostLine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> bool:
        """Have a line; True when it is a new one. `HostGone` when there is none."""
        self._drop_if_closed()
        if self._socket is not None:
            return False
        self._open()
        return True

    def send(self, raw: bytes) -> None:
        """Send a message on the line; the time for its answer begins."""
        terms = self._terms
        frame = Frame(
            message=raw,
            tpdu=terms.tpdu if terms.framing.tpdu is not Tpdu.NONE else b"",
            head=terms.head if terms.framing.head is Head.POS else b"",
        )
        out = close_frame(terms.framing, frame)
        self._until = time.monotonic() + terms.answer_s
        if self._socket is None:
            return
        try:
            self._socket.settimeout(terms.answer_s)
            self._socket.sendall(out)
        except OSError:
            self.close()  # part of it may have left: who waits for an answer will not get one

    def receive(self) -> bytes | None:
        """The next message, or None when the time is up, the line is gone, or its bytes are no frames."""
        while not self._frames:
            left = self._until - time.monotonic()
            if self._socket is None or left <= 0:
                return None
            try:
                self._socket.settimeout(left)
                data = self._socket.recv(_READ)
            except OSError:
                data = b""
            if not data:
                self.close()
                return None
            frames, fault = self._framer.feed(data)
            self._frames += frames
            if fault is not None and not frames:
                self.close()
                return None
        return self._frames.pop(0).message

    def close(self) -> None:
        """Hang up."""
        if self._socket is not None:
            self._socket.close()
        self._socket = None
        self._framer, self._frames = Framer(self._terms.framing), []

    def _open(self) -> None:
        terms = self._terms
        try:
            line: socket.socket = socket.create_connection((terms.host, terms.port), terms.connect_s)
            if terms.tls is not None:
                line = terms.tls.client().wrap_socket(line, server_hostname=terms.tls.name)
        except OSError as error:
            raise HostGone(
                f"no line: {type(error).__name__}", where=f"{terms.host}:{terms.port}", fix="start the host"
            ) from None
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = line

    def _drop_if_closed(self) -> None:
        """A host that hung up meanwhile is noticed before anything is sent."""
        if self._socket is None:
            return
        self._socket.setblocking(False)
        try:
            late = self._socket.recv(_READ)
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError:
            late = b""
        if not late:
            self.close()
            return
        frames, fault = self._framer.feed(late)
        self._frames += frames
        if fault is not None:
            self.close()
