"""`jinka switch serve` as a process for tests that write to its sockets by hand, with a bank and keys in this process.

The bank and the key service live on threads of their own, so that a test can block on a socket like any bad peer.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.switch_serving import switch_status
from jinka.codec.framing import Frame, Framer, close_frame
from jinka.codec.iso8583 import Message
from tests.keys import payments
from tests.switch.bank import Bank
from tests.switch.ground import CODEC, MAC, PANS, peer
from tests.switch.tcp import FRAMING, BankServing

WAIT_S = 30


class Peer:
    """One line of a peer that writes what it likes."""

    def __init__(self, port: int, **options: int) -> None:
        self.socket = socket.socket()
        for name, value in options.items():
            self.socket.setsockopt(socket.SOL_SOCKET, getattr(socket, name.upper()), value)
        self.socket.settimeout(WAIT_S)
        self.socket.connect(("127.0.0.1", port))
        self._framer, self._frames = Framer(FRAMING), list[Message]()

    def write(self, data: bytes) -> None:
        self.socket.sendall(data)

    def send(self, *messages: Message | bytes) -> None:
        self.write(b"".join(framed(message) for message in messages))

    def read(self) -> Message | None:
        """The next message; None when the line was closed."""
        while not self._frames:
            try:
                data = self.socket.recv(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self._frames += [CODEC.decode(frame.message) for frame in self._framer.feed(data)[0]]
        return self._frames.pop(0)

    def ask(self, message: Message | bytes) -> Message:
        self.send(message)
        answer = self.read()
        assert answer is not None, "the line was closed"
        return answer

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def framed(message: Message | bytes) -> bytes:
    raw = CODEC.encode(message) if isinstance(message, Message) else message
    return close_frame(FRAMING, Frame(message=raw))


@dataclass
class Server:
    """``ports`` by peer. ``keys`` makes and checks MACs as the peers do."""

    ports: dict[str, int]
    process: subprocess.Popen[str]
    address: str
    bank: BankServing
    keys: Any

    def line(self, name: str = "till", **options: int) -> Peer:
        return Peer(self.ports[name], **options)

    def rss_mib(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None
        return int(found[1]) / 1024

    def status(self) -> dict[str, Any]:
        return switch_status(self.address)

    def closed(self, name: str, reason: str) -> int:
        """How many lines of a peer were closed for a reason."""
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=WAIT_S) as page:
            text = page.read().decode()
        found = re.search(rf'lines_closed_total{{reason="{reason}",peer="{name}"}} (\d+)', text)
        return int(found[1]) if found else 0

    def count(self, what: str, name: str) -> int:
        """A count of the core."""
        return int(self.status()["counts"].get(f"{what}{{{name}}}", 0))

    def sealed(self, message: Message) -> bytes:
        raw = CODEC.encode(message.changed({MAC.field: bytes(8)}))[:-8]
        mac: bytes = self.keys.generate_mac(raw, key=MAC.key, algorithm=MAC.algorithm)
        return raw + mac


@contextmanager
def serving(folder: Path, file: str) -> Iterator[Server]:
    """The process on ``file``, a TOML text with ``{port}`` for the bank's. Ended in order at the end."""
    rig = payments.sealing(payments.rig())
    with _bank() as bank, payments.over_socket(rig, folder):
        (folder / "switch.toml").write_text(file.format(port=bank.port))
        jinka = (sys.executable, "-c", "from jinka.cli import main; main()")
        process = subprocess.Popen(
            [*jinka, "switch", "serve", str(folder / "switch.toml")],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"NO_COLOR": "1"},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            text = ""
            while not text.endswith("}\n"):
                line = process.stdout.readline()
                assert line, process.communicate()[1]
                text += line
            facts = json.loads(text)
            there = Server(facts["ports"], process, f"127.0.0.1:{facts['metrics']}", bank, rig.service)
            while not there.status()["peers"]["bank"]["ready"]:
                time.sleep(0.02)
            yield there
        finally:
            process.send_signal(signal.SIGTERM)
            _, errors = process.communicate(timeout=WAIT_S)
        assert process.returncode == 0, errors
        assert "Traceback" not in errors


@contextmanager
def _bank() -> Iterator[BankServing]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    bank = BankServing(Bank(peer("bank"), PANS, 10_000_000))
    asyncio.run_coroutine_threadsafe(bank.start(), loop).result(WAIT_S)
    try:
        yield bank
    finally:
        loop.call_soon_threadsafe(bank.stop)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


@contextmanager
def unharmed(there: Server, name: str = "good", first: int = 500_000, most_mib: float = 24) -> Iterator[None]:
    """Another peer is answered all along, and the process does not grow."""
    from tests.switch.ground import request

    stop, answers = threading.Event(), list[str]()

    def pay() -> None:
        with there.line(name) as till:
            while not stop.wait(0.005) or not answers:
                answers.append(till.ask(request(first + len(answers), fen=1)).text(39))

    before = there.rss_mib()
    thread = threading.Thread(target=pay)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    assert set(answers) == {"00"}, "other peers unharmed"
    assert there.rss_mib() - before < most_mib, "bounded memory"
