"""The card's side of vpcd's protocol. Goal: every order and every broken connection is lived through, and what the card
wrote is durable before its answer goes out. Method: a listening socket of the test plays vpcd, byte by byte.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from jinka.node.vpcd import VpcdSlot

ATR = bytes.fromhex("3B00")
WAIT_S = 10.0


class Echo:
    """A chip that answers a command with itself; the first byte says how often it was powered up."""

    def __init__(self) -> None:
        self.power_ups = 0

    def power_up(self) -> bytes:
        self.power_ups += 1
        return ATR

    def transmit(self, command: bytes) -> bytes:
        return bytes((self.power_ups,)) + command + b"\x90\x00"


class Peer:
    """vpcd as the card meets it: one connection at a time."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self.link = self._accepted()

    def _accepted(self) -> socket.socket:
        link, _ = self._listener.accept()
        link.settimeout(WAIT_S)
        return link

    def again(self) -> None:
        self.link.close()
        self.link = self._accepted()

    def say(self, body: bytes) -> None:
        """Length and body apart, as vpcd writes them."""
        self.link.sendall(len(body).to_bytes(2, "big"))
        self.link.sendall(body)

    def hear(self) -> bytes:
        size = int.from_bytes(self._exactly(2), "big")
        return self._exactly(size)

    def ask(self, body: bytes) -> bytes:
        self.say(body)
        return self.hear()

    def _exactly(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            part = self.link.recv(size - len(found))
            assert part, "the card closed the connection"
            found += part
        return found


@contextmanager
def _in_slot(chip: Echo, **options: object) -> Iterator[tuple[Peer, VpcdSlot]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)
        slot = VpcdSlot(chip, port=listener.getsockname()[1], **options)
        stop = threading.Event()
        thread = threading.Thread(target=slot.serve, args=(stop,))
        thread.start()
        try:
            peer = Peer(listener)
            yield peer, slot
        finally:
            stop.set()
            with suppress(UnboundLocalError):
                peer.link.close()
            thread.join(WAIT_S)
            assert not thread.is_alive()


def test_orders_and_commands() -> None:
    chip = Echo()
    with _in_slot(chip) as (peer, slot):
        assert peer.ask(b"\x04") == ATR, "also without power: it shows that a card is there"
        peer.say(b"\x01")
        assert peer.ask(b"\x00\x84\x00\x00") == bytes.fromhex("02 00840000 9000")
        peer.say(b"\x02")
        assert peer.ask(b"\x00\x84\x00\x00") == bytes.fromhex("03 00840000 9000")
        peer.say(b"\x00")
        assert peer.ask(b"\x04") == ATR
        assert peer.ask(b"\x00\x84\x00\x00")[0] == 4, (
            "a command after power off finds a card that starts anew"
        )
        assert (slot.counts.connections, slot.counts.apdus) == (1, 3)


@pytest.mark.parametrize("body", [b"", b"\x00\x01", bytes(300), bytes(0xFFFF - 3)])
def test_any_length_is_a_command(body: bytes) -> None:
    with _in_slot(Echo()) as (peer, _):
        peer.say(b"\x01")
        assert peer.ask(body) == b"\x02" + body + b"\x90\x00"


def test_an_answer_that_no_message_holds_is_an_error_of_the_card() -> None:
    with _in_slot(Echo()) as (peer, _):
        assert peer.ask(bytes(0xFFFF)) == b"\x6f\x00"


def test_an_order_that_nobody_knows_is_passed_over() -> None:
    with _in_slot(Echo()) as (peer, _):
        peer.say(b"\x7f")
        assert peer.ask(b"\x04") == ATR


def test_the_slot_is_taken_again_after_vpcd_went_away() -> None:
    chip = Echo()
    with _in_slot(chip) as (peer, slot):
        peer.say(b"\x01")
        peer.ask(b"\x00\x84\x00\x00")
        peer.link.sendall(b"\x00\x05\x00\x84")  # torn off inside a command
        peer.again()
        assert peer.ask(b"\x04") == ATR
        assert peer.ask(b"\x00\x84\x00\x00")[0] == 3, "without power in between"
        assert slot.counts.connections == 2


def test_what_was_written_is_durable_before_the_answer() -> None:
    steps: list[str] = []
    with _in_slot(
        Echo(), after=lambda: steps.append("saved"), watch=lambda sent, answer: steps.append(sent.hex())
    ) as (peer, _):
        peer.ask(b"\x00\x84\x00\x00")
        assert steps == ["saved", "00840000"]


def test_small_packets_do_not_wait_for_each_other() -> None:
    """TCP_NODELAY stands on the card's socket; QUICKACK is seen in tests/peers, where it takes effect."""
    made: list[socket.socket] = []
    real = socket.create_connection

    def connect(*arguments: object, **more: object) -> socket.socket:
        made.append(real(*arguments, **more))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "create_connection", connect)
        with _in_slot(Echo()) as (peer, _):
            peer.ask(b"\x04")
            assert made[-1].getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0


def test_it_waits_for_vpcd_and_stops_when_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    slot, stop = VpcdSlot(Echo(), port=port), threading.Event()
    thread = threading.Thread(target=slot.serve, args=(stop,))
    thread.start()
    stop.set()
    thread.join(WAIT_S)
    assert not thread.is_alive()
    assert slot.counts.connections == 0
