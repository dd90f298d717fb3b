"""A chip in the virtual reader of pcscd: the card's side of vpcd's TCP protocol, version 3.3.

vpcd is the server, one port for each slot, and speaks first. Every message is a length of two bytes, big endian,
and as many bytes. One byte is an order: 00 power off, 01 power on, 02 reset (none is answered), 04 the ATR (answered,
also without power: it is how the reader sees that a card is there). Anything longer is a command APDU, and its answer
follows.

vpcd writes length and body apart, so that Nagle's algorithm and the delayed acknowledgement of the other side wait
for each other, 40 ms an APDU. Sending at once and acknowledging at once ends that. TCP_QUICKACK does not last: the
kernel clears it, so it is set again before every wait. Not here: the vpcd that connects to the card itself.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from jinka.kit import JinkaError

VPCD_HOST = "127.0.0.1"
VPCD_PORT = 0x8C7B  # the first slot; the next slot listens on the next port
_OFF, _ON, _RESET, _ATR = 0x00, 0x01, 0x02, 0x04
_MESSAGE_MAX = 0xFFFF
_RETRY_S = 0.1
_POLL_S = 0.5  # how often a waiting card looks whether it was told to stop
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)  # Linux alone has it
_POWER_LOST = b"\x6f\x00"


class Chip(Protocol):
    """What is put into the reader."""

    def power_up(self) -> bytes:
        """Give it power, or reset it; returns the ATR."""
        ...

    def transmit(self, command: bytes) -> bytes:
        """Answer one command APDU."""
        ...


@dataclass(slots=True)
class SlotCounts:
    """What happened in a slot, for the person who watches and for tests."""

    connections: int = 0
    resets: int = 0
    apdus: int = 0


class VpcdSlot:
    """One chip in one slot of the virtual reader; `serve` runs until it is told to stop."""

    def __init__(
        self,
        chip: Chip,
        *,
        host: str = VPCD_HOST,
        port: int = VPCD_PORT,
        after: Callable[[], None] | None = None,
        watch: Callable[[bytes, bytes], None] | None = None,
    ) -> None:
        """``after`` runs behind each command and before its answer is sent: there the chip's memory is made
        durable. ``watch`` is shown each command with its answer."""
        self._chip, self._host, self._port = chip, host, port
        self._after, self._watch = after, watch
        self._atr = chip.power_up()
        self._powered = False
        self.counts = SlotCounts()

    def serve(self, stop: threading.Event, *, connected: Callable[[], None] | None = None) -> None:
        """Stay in the slot, connecting anew whenever vpcd is not there or went away, until ``stop`` is set."""
        while not stop.is_set():
            try:
                link = socket.create_connection((self._host, self._port), timeout=_POLL_S)
            except OSError:
                stop.wait(_RETRY_S)
                continue
            with link:
                _answer_at_once(link)
                self.counts.connections += 1
                if connected is not None:
                    connected()
                # vpcd closes the slot by closing the connection, and so does a pcscd that ends
                with contextlib.suppress(ConnectionError, _Closed):
                    self._converse(link, stop)
            self._powered = False

    def _converse(self, link: socket.socket, stop: threading.Event) -> None:
        while not stop.is_set():
            head = _read(link, 2, stop)
            body = _read(link, int.from_bytes(head, "big"), stop)
            answer = self._answer(body)
            if answer is not None:
                link.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, body: bytes) -> bytes | None:
        """The message to send back, or None when there is none."""
        if len(body) != 1:
            return self._command(body)
        order = body[0]
        if order == _ATR:
            return self._atr
        if order in (_ON, _RESET):
            self._atr = self._chip.power_up()
            self._powered = True
            self.counts.resets += 1
        elif order == _OFF:
            self._powered = False
        return None

    def _command(self, body: bytes) -> bytes:
        if not self._powered:  # some readers send the first command without having switched the power on
            self._chip.power_up()
            self._powered = True
        answer = self._chip.transmit(body)
        self.counts.apdus += 1
        if self._after is not None:
            self._after()
        if self._watch is not None:
            self._watch(body, answer)
        return answer if len(answer) <= _MESSAGE_MAX else _POWER_LOST


class _Closed(JinkaError):
    """The connection ended between or inside two messages, or the slot was told to stop."""


def _answer_at_once(link: socket.socket) -> None:
    link.settimeout(_POLL_S)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _read(link: socket.socket, size: int, stop: threading.Event) -> bytes:
    """Exactly ``size`` bytes; raises `_Closed` when the other side or the caller has ended."""
    found = b""
    while len(found) < size:
        if _QUICKACK is not None:
            link.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        try:
            part = link.recv(size - len(found))
        except TimeoutError:
            if stop.is_set():
                raise _Closed("told to stop") from None
            continue
        if not part:
            raise _Closed("vpcd closed the connection")
        found += part
    return found
