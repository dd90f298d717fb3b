"""An acquirer's line to its switch: what is answered, what is not, and lines that are lost, silent or forged.

Method: a switch of a few lines on a socket, which signs on, answers, or does what no switch should.
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from jinka.acquirer import NoAnswer, NotSent
from jinka.codec.framing import Frame, Framer, Framing, close_frame
from jinka.codec.iso8583 import Message
from jinka.node.switch_client import SwitchClient
from jinka.node.switch_keys import KeyDesk
from jinka.node.switch_links import LinkRules
from jinka.node.switch_runner import Address
from jinka.node.system import SystemClock
from jinka.switch import SignOn
from jinka.switch.messages import answer_to
from tests.keys.payments import rig
from tests.switch.ground import CODEC, MAC, config, peer, request
from tests.switch.tcp import town
from tests.switch.test_tls import Office

FRAMING = Framing()


@dataclass
class Stub:
    """A switch on a socket. ``answer`` makes of a payment what is sent back; None is silence."""

    answer: Callable[[Message], bytes | None]
    sign_on: str = "00"
    echoes: bool = True
    heard: list[Message] = field(default_factory=list)
    lines: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.place = socket.create_server(("127.0.0.1", 0))
        self.port = self.place.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()
        self.readers: list[threading.Thread] = []

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                line, _ = self.place.accept()
                self.lines.append(line)
                self.readers.append(threading.Thread(target=self.read, args=(line,), daemon=True))
                self.readers[-1].start()

    def read(self, line: socket.socket) -> None:
        framer = Framer(FRAMING)
        with suppress(OSError), line:
            while data := line.recv(65536):
                for frame in framer.feed(data)[0]:
                    message = CODEC.decode(frame.message)
                    self.heard.append(message)
                    made = self.reply(message)
                    if made is not None:
                        self.send(line, made)

    def reply(self, message: Message) -> bytes | None:
        if message.mti == "0800" and message.text(70) == "001":
            return sealed(answer_to(message, {39: self.sign_on}, peer("till"))) if self.sign_on else None
        if message.mti == "0800":
            return sealed(answer_to(message, {39: "00"}, peer("till"))) if self.echoes else None
        return self.answer(message) if message.mti[2] in "02" else None

    def send(self, line: socket.socket, raw: bytes) -> None:
        line.sendall(close_frame(FRAMING, Frame(message=raw)))

    def stop(self) -> None:
        with suppress(OSError):
            self.place.shutdown(socket.SHUT_RDWR)
        self.place.close()
        for line in self.lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
        for thread in (self.thread, *self.readers):
            thread.join()


def sealed(message: Message) -> bytes:
    raw = CODEC.encode(message.changed({128: bytes(8)}))[:-8]
    return raw + rig().service.generate_mac(raw, key=MAC.key, algorithm=MAC.algorithm)


def approved(message: Message) -> bytes:
    return sealed(answer_to(message, {38: "B12345", 39: "00"}, peer("till")))


@contextmanager
def client(stub: Stub, **rules: Any) -> Iterator[SwitchClient]:
    agreed = replace(
        peer("switch"), mac=MAC, **({"sign_on": SignOn.WE, "timeout_ms": 400, "echo_ms": 3_000} | rules)
    )
    address = Address(
        peer="switch", host="127.0.0.1", port=stub.port, listen=False, rules=LinkRules(framing=FRAMING),
        again_s=0.02,
    )  # fmt: skip
    made = SwitchClient(agreed, address, KeyDesk(rig().service, remote=False), SystemClock(), own="101")
    try:
        yield made
    finally:
        made.stop()
        stub.stop()


def wait_for(what: Callable[[], bool], seconds: float = 10) -> bool:
    pause = threading.Event()
    for _ in range(int(seconds * 100)):
        if what():
            return True
        pause.wait(0.01)
    return False


def test_it_signs_on_and_many_ask_at_once() -> None:
    stub = Stub(approved)
    with client(stub, timeout_ms=20_000) as line:
        with pytest.raises(NotSent):
            line.ask(request(1))
        assert line.start()
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda n: line.ask(request(n)), range(1, 41)))
        assert [answer.text(11) for answer in answers] == [f"{n:06d}" for n in range(1, 41)]
        assert {answer.text(39) for answer in answers} == {"00"}
        assert stub.heard[0].text(70) == "001"
        assert all(128 in message.fields for message in stub.heard)


def test_one_that_was_never_started_can_be_stopped() -> None:
    with client(Stub(approved)) as line:
        assert not line.ready


@pytest.mark.parametrize(
    "answer",
    [
        lambda message: CODEC.encode(answer_to(message, {39: "00"}, peer("till"))),  # no MAC
        lambda message: approved(message)[:-1] + b"\0",
        lambda message: approved(message.changed({11: "999999"})),
        lambda _: None,
    ],
)
def test_what_is_no_proven_answer_is_none(answer: Callable[[Message], bytes | None]) -> None:
    with client(Stub(answer)) as line:
        assert line.start()
        with pytest.raises(NoAnswer) as raised:
            line.ask(request(1))
        assert not isinstance(raised.value, NotSent)
        assert line.lost == 1


def test_a_late_answer_is_kept() -> None:
    stub = Stub(lambda _: None)
    with client(stub) as line:
        assert line.start()
        with pytest.raises(NoAnswer):
            line.ask(request(7))
        assert line.late(request(7)) is None
        stub.send(stub.lines[-1], approved(request(7)))
        assert wait_for(lambda: line.late(request(7)) is not None)
        late = line.late(request(7))
        assert late is not None
        assert late.text(39) == "00"


def test_a_line_that_is_cut_leaves_no_caller_waiting_and_comes_back() -> None:
    stub = Stub(lambda _: None)
    with client(stub, timeout_ms=60_000) as line, ThreadPoolExecutor(1) as pool:
        assert line.start()
        asked = pool.submit(line.ask, request(1))
        assert wait_for(lambda: line.asked == 1)
        stub.lines[-1].shutdown(socket.SHUT_RDWR)
        with pytest.raises(NoAnswer):
            asked.result(10)
        stub.answer = approved
        assert wait_for(lambda: line.lines == 2 and line.ready)
        assert line.ask(request(2)).text(39) == "00"


@pytest.mark.parametrize(("stub", "rules"), [({"sign_on": "77"}, {}), ({"sign_on": ""}, {"echo_ms": 20})])
def test_without_a_sign_on_nothing_is_sent(stub: dict[str, Any], rules: dict[str, Any]) -> None:
    made = Stub(approved, **stub)
    with client(made, **rules) as line:
        assert not line.start(0.3)
        with pytest.raises(NotSent):
            line.ask(request(1))
        assert {message.mti for message in made.heard} == {"0800"}


def test_a_silent_line_is_given_up_and_made_again() -> None:
    stub = Stub(approved, echoes=False)
    with client(stub, echo_ms=20, echo_misses=2) as line:
        assert line.start()
        assert wait_for(lambda: line.lines >= 2)


def test_the_switch_may_sign_on_and_off_and_ask_for_an_echo() -> None:
    stub = Stub(approved)
    with client(stub, sign_on=SignOn.PEER, timeout_ms=20_000) as line:
        assert not line.start(0.05)
        assert wait_for(lambda: bool(stub.lines))
        told = {code: Message(mti="0800", fields={7: "1114221320", 11: f"000{code}", 70: code})
                for code in ("001", "301", "101", "002")}  # fmt: skip
        stub.send(stub.lines[-1], sealed(told["001"]))
        assert wait_for(lambda: line.ready)
        assert line.ask(request(1)).text(39) == "00"
        for code, answer in (("301", "00"), ("101", "12"), ("002", "00")):
            stub.send(stub.lines[-1], sealed(told[code]))
            assert wait_for(lambda code=code: stub.heard[-1].text(11) == f"000{code}")
            assert stub.heard[-1].text(39) == answer
        assert wait_for(lambda: not line.ready)


def test_the_same_question_twice_at_once_and_one_that_cannot_be_written() -> None:
    stub = Stub(lambda _: None)
    with client(stub, timeout_ms=1_000) as line, ThreadPoolExecutor(1) as pool:
        assert line.start()
        first = pool.submit(line.ask, request(1))
        assert wait_for(lambda: line.asked == 1)
        with pytest.raises(NoAnswer, match="under way"):
            line.ask(request(1))
        with pytest.raises(NotSent, match="not written"):
            line.ask(request(2, f41="too long for field 41"))
        with pytest.raises(NoAnswer):
            first.result(10)


def test_garbage_ends_the_line() -> None:
    stub = Stub(lambda _: b"garbage")
    with client(stub, timeout_ms=60_000) as line:
        assert line.start()
        with pytest.raises(NoAnswer):
            line.ask(request(1))
        assert wait_for(lambda: line.lines >= 2)


@pytest.mark.parametrize("name", ["switch.sz.example", "bank.sz.example"])
def test_under_tls_it_speaks_to_the_switch_that_was_meant_alone(tmp_path: Path, name: str) -> None:
    office = Office(tmp_path)
    theirs, ours = office.give("switch"), office.give("till")
    inside = {"tls": replace(theirs, name="till.sz.example")}

    async def run() -> None:
        async with town(tmp_path, config(), till_link=inside) as there:
            rules = LinkRules(framing=FRAMING, tls=replace(ours, name=name))
            address = Address(peer="switch", host="127.0.0.1", port=there.port, listen=False, rules=rules)
            agreed = peer("switch", timeout_ms=20_000)
            line = SwitchClient(
                agreed, address, KeyDesk(rig().service, remote=False), SystemClock(), own="101"
            )
            try:
                if name == "switch.sz.example":
                    assert await asyncio.to_thread(line.start, 20)
                    answer = await asyncio.to_thread(line.ask, request(1))
                    assert answer.text(39) == "00"
                else:
                    assert not await asyncio.to_thread(line.start, 0.5)
            finally:
                await asyncio.to_thread(line.stop)

    asyncio.run(run())
