"""What peers should not do to a running switch: a clear answer or a closed line, and nobody else is hurt.

Method: one `jinka switch serve`; in each test a bad peer by hand on a socket, while another peer pays all along and the
process's memory is watched (`tests.switch.server.unharmed`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import pytest

from jinka.codec.iso8583 import DecodeError
from tests.switch.ground import CODEC, MAC, PANS, request
from tests.switch.server import Peer, Server, framed, serving, unharmed

RATE, BURST, FRAME_S, WRITE_MAX, LINES = 300, 60, 0.4, 32_768, 40
FILE = f"""
[switch]
institution = "88001"
business_date = "2023-11-14"
metrics = "127.0.0.1:0"
closed_kept = 500
[keys]
socket = "keys.sock"
caller = "day"
[peers.good]
listen = "127.0.0.1:0"
institution = "101"
[peers.till]
listen = "127.0.0.1:0"
institution = "101"
rate = {RATE}.0
burst = {BURST}
frame_s = {FRAME_S}
lines_max = {LINES}
[peers.fast]
listen = "127.0.0.1:0"
institution = "101"
rate = 100000.0
burst = 100000
write_max = {WRITE_MAX}
[peers.sealed]
listen = "127.0.0.1:0"
institution = "101"
mac = {{{{ kind = "iso", key = "{MAC.key}", field = {MAC.field}, algorithm = "{MAC.algorithm.name.lower()}" }}}}
[peers.other]
listen = "127.0.0.1:0"
institution = "88002"
trail_field = 47
[peers.bank]
connect = "127.0.0.1:{{port}}"
institution = "202"
timeout_ms = 5000
[routes]
622848 = "bank"
"""


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("bad"), FILE) as server:
        yield server


@pytest.fixture(autouse=True)
def others(there: Server, request: pytest.FixtureRequest) -> Iterator[None]:
    """Around each test another peer pays."""
    number = [item.name for item in request.session.items].index(request.node.name)
    with unharmed(there, first=300_000 + number % 60 * 10_000):
        yield


def is_closed(peer: Peer) -> bool:
    return peer.read() is None


def test_half_a_frame(there: Server) -> None:
    before = there.closed("till", "half_frame")
    for half in (b"\x00", b"\x00\x40half", framed(request(1))[:-1]):
        with there.line() as peer:
            peer.write(half)
            assert is_closed(peer)
    assert there.closed("till", "half_frame") == before + 3


def test_a_slow_sender_has_until_the_frame_must_be_there(there: Server) -> None:
    whole = framed(request(10, fen=1))
    with there.line() as peer:
        for at in range(0, len(whole), 20):
            peer.write(whole[at : at + 20])
            time.sleep(0.02)
        answer = peer.read()
        assert answer is not None
        assert answer.text(39) == "00"
        begun, late = time.monotonic(), framed(request(11))
        with pytest.raises(ConnectionError):
            for at in range(len(late) - 1):
                peer.write(late[at : at + 1])
                time.sleep(FRAME_S / 20)
        assert time.monotonic() - begun >= FRAME_S
    assert there.count("requests", "till") >= 1


@pytest.mark.parametrize("length", [b"\x00\x00", b"\xff\xff", b"\x40\x01"], ids=["none", "most", "too many"])
def test_a_false_length(there: Server, length: bytes) -> None:
    before = there.closed("till", "framing")
    with there.line() as peer:
        peer.write(length + framed(request(12)))
        assert is_closed(peer)
    assert there.closed("till", "framing") == before + 1


def unreadable(there: Server, *raws: bytes) -> None:
    """A line on which nothing else comes is closed at the third, and good messages forgive.

    Where the trace number can be read who sent it is answered at once.
    """
    before = there.closed("till", "garbage")
    for raw in raws:
        with pytest.raises(DecodeError) as fault:
            CODEC.decode(raw)
        told = fault.value.begun is not None and 11 in fault.value.begun.fields
        with there.line() as peer:
            peer.send(raw, raw)
            answers = [peer.read() for _ in range(2 * told)]
            assert [answer and answer.text(39) for answer in answers] == ["30"] * (2 * told)
            assert peer.ask(request(20, fen=1)).text(39) == "00"
            peer.send(raw, raw, raw)
            while told and peer.read() is not None:
                pass
            assert is_closed(peer)
    assert there.closed("till", "garbage") == before + len(raws)


def test_garbage_in_the_bitmap(there: Server) -> None:
    good, dice = CODEC.encode(request(21)), random.Random(1)
    for bitmap in (b"\xff" * 8, bytes(8), dice.randbytes(8)):
        unreadable(there, good[:4] + bitmap + good[12:])
    unreadable(there, dice.randbytes(60), b"\x02", good[:7])


def test_a_field_that_is_too_long(there: Server) -> None:
    raw = CODEC.encode(request(22))
    assert raw[12:14] == b"16"  # the length of the card number
    unreadable(there, raw[:12] + b"20" + raw[14:], raw[:12] + b"99" + raw[14:], raw + b"more", raw[:-1])


def test_a_field_that_nobody_knows(there: Server) -> None:
    raw = CODEC.encode(request(23))
    bitmap = int.from_bytes(raw[4:12], "big") | 1 << 63
    for field in (65, 115):  # in a second bitmap
        both = (bitmap << 64 | 1 << 128 - field).to_bytes(16, "big")
        unreadable(there, raw[:4] + both + raw[12:] + b"x")


def test_a_message_that_is_none_of_ours_is_told_so(there: Server) -> None:
    with there.line() as peer:
        assert peer.ask(request(24, code="990000")).text(39) == "12"
        assert peer.ask(request(25, f41=None)).text(39) == "30"
        assert peer.ask(request(26, pan="4000000000000002")).text(39) == "15"


def test_a_wrong_mac(there: Server) -> None:
    before = there.bank.bank.balance(PANS[1])
    with there.line("sealed") as peer:
        message = request(30, pan=PANS[1], fen=7)
        good = there.sealed(message)
        for wrong in (CODEC.encode(message), good[:-1] + bytes([good[-1] ^ 1]), good[:30] + b"9" + good[31:]):
            assert peer.ask(wrong).text(39) in ("A0", "30")
        assert there.bank.bank.balance(PANS[1]) == before
        assert peer.ask(good).text(39) == "00"
    assert there.bank.bank.balance(PANS[1]) == before - 7
    assert there.count("mac_wrong", "sealed") >= 2


def test_a_replayed_message_gets_the_first_answer_and_moves_nothing(there: Server) -> None:
    before = there.bank.bank.balance(PANS[2])
    message = request(40, pan=PANS[2], fen=9)
    with there.line("sealed") as peer:
        first = peer.ask(there.sealed(message))
        for _ in range(20):
            assert peer.ask(there.sealed(message)).fields == first.fields
        assert peer.ask(there.sealed(request(40, pan=PANS[2], fen=90))).text(39) == "94"
    with there.line("sealed") as another:
        assert another.ask(there.sealed(message)).text(38) == first.text(38)
    assert there.bank.bank.balance(PANS[2]) == before - 9


def test_a_routing_loop(there: Server) -> None:
    with there.line("other") as peer:
        ours = peer.ask(request(50, f47="JKT" + "88001".zfill(11)))
        far = peer.ask(request(51, f47="JKT" + "".join(f"{n:011}" for n in range(1, 6))))
        near = peer.ask(request(52, fen=1, f47="JKT" + "88002".zfill(11)))
    assert [m.text(39) for m in (ours, far, near)] == ["92", "92", "00"]


def test_a_flood_beyond_the_rate_waits_its_turn(there: Server) -> None:
    before, begun = there.count("requests", "till"), time.monotonic()
    flood = b"".join(framed(request(100_000 + n, pan="4000000000000002")) for n in range(10_000))
    with there.line() as peer:
        peer.socket.setblocking(False)
        sent = 0
        while time.monotonic() < begun + 1:
            try:
                at = sent % len(flood)
                sent += peer.socket.send(flood[at : at + 65536])
            except BlockingIOError:
                time.sleep(0.01)
        taken = there.count("requests", "till") - before
    spent = time.monotonic() - begun
    assert BURST < taken <= BURST + RATE * spent
    assert sent < 16 << 20, "what it may not send yet is not read: it fills what the system keeps for a line"


def test_more_lines_than_a_peer_may_have(there: Server) -> None:
    before = there.closed("till", "too_many")
    lines = [there.line() for _ in range(LINES + 20)]
    try:
        answered = 0
        for number, peer in enumerate(lines):
            try:
                peer.send(request(200 + number, fen=1))
            except ConnectionError:
                continue
            answered += peer.read() is not None
    finally:
        for peer in lines:
            peer.socket.close()
    assert 0 < answered <= LINES
    assert there.closed("till", "too_many") >= before + 20


def test_a_peer_that_stops_reading_is_cut_off(there: Server) -> None:
    before = there.closed("fast", "not_reading")
    with there.line("fast", so_rcvbuf=4_096) as peer:
        assert peer.ask(request(60, fen=1)).text(39) == "00"
        again = framed(request(60, fen=1)) * 200
        with pytest.raises(OSError):
            for _ in range(2_000):
                peer.write(again)
    assert there.closed("fast", "not_reading") == before + 1


def test_lines_that_come_and_go_leave_nothing(there: Server) -> None:
    for number in range(300):
        with there.line() as peer:
            if number % 3:
                peer.write(b"\x00")
    deadline = time.monotonic() + 30
    while (left := len(there.status()["peers"]["till"]["lines"])) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert left == 0
