"""`jinka trace serve` killed while it captures and delivers. Goal: no event is lost, a repeat is the same message.

Method: the server as a process of its own, killed with SIGKILL at moments of chance, among them between a receiver's
answer and the server's own writing; the receiver counts events and compares messages with one id.
"""

from __future__ import annotations

import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from jinka.app.trace_access import put_participant
from jinka.app.trace_recall import Plan, recall_desk
from jinka.trace.recall import RecallEvent

JINKA = str(Path(sys.executable).with_name("jinka"))
EVENTS, EACH, KILLS = 80, 4, 2


class _Heard(BaseHTTPRequestHandler):
    server: _Receiver  # type: ignore[assignment]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.take(self.headers["webhook-id"], body)
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


class _Receiver(ThreadingHTTPServer):
    """Kills the server, if it is told to, when a message has come and before the answer leaves."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Heard)
        self.messages: dict[str, tuple[str, ...]] = {}
        self.contents: dict[str, set[bytes]] = {}
        self.repeats = 0
        self.victim: subprocess.Popen[str] | None = None

    def take(self, id_: str, body: bytes) -> None:
        found = json.loads(body)
        events = (
            found["epcisBody"]["queryResults"]["resultsBody"]["eventList"] if "epcisBody" in found else []
        )
        self.repeats += id_ in self.messages
        self.messages.setdefault(id_, tuple(event["eventID"] for event in events))
        self.contents.setdefault(id_, set()).add(body)
        victim, self.victim = self.victim, None
        if victim is not None:
            victim.kill()
            victim.wait()


@contextmanager
def _receiving() -> Iterator[_Receiver]:
    with _Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


class _Server:
    """One process after another on the same folder."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [JINKA, "trace", "serve", str(self.file)], stdout=subprocess.PIPE, text=True, env=dict(os.environ)
        )
        assert self.process.stdout is not None
        told = ""
        for line in self.process.stdout:
            told += line
            if line.rstrip() == "}":
                break
        self.port = int(json.loads(told)["port"])

    def ask(self, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            own = {"authorization": f"Bearer {token}"} if token else {}
            raw = None if body is None else json.dumps(body).encode()
            link.request(method, path, raw, {"content-type": "application/json"} | own)
            answer = link.getresponse()
            said = answer.read()
            return answer.status, json.loads(said) if said else None
        finally:
            link.close()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()


def _document(first: int) -> dict[str, Any]:
    events = [
        {
            "type": "ObjectEvent", "eventTime": "2026-03-01T10:00:00.000Z", "eventTimeZoneOffset": "+08:00",
            "epcList": [f"urn:epc:id:sgtin:6901234.012345.{number}"], "action": "OBSERVE", "bizStep": "inspecting",
        }
        for number in range(first, first + EACH)
    ]  # fmt: skip
    return {
        "@context": ["https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"], "type": "EPCISDocument",
        "schemaVersion": "2.0", "creationDate": "2026-03-01T10:00:00.000Z", "epcisBody": {"eventList": events},
    }  # fmt: skip


def _capture(server: _Server, first: int) -> None:
    """Until it is answered; a server that is killed is started again."""
    while True:
        try:
            status, _ = server.ask("POST", "/capture", _document(first))
        except (OSError, http.client.HTTPException):
            server.end()
            server.start()
            continue
        assert status == 202
        return


def test_a_killed_server_loses_no_event_and_repeats_messages_as_they_were(tmp_path: Path) -> None:
    file = tmp_path / "trace.toml"
    file.write_text(
        '[trace]\nlisten = "127.0.0.1:0"\n[subscriptions]\nhosts = ["127.0.0.1"]\n', encoding="utf-8"
    )
    chance = random.Random(7)
    with _receiving() as receiver:
        server = _Server(file)
        try:
            assert server.ask("POST", "/queries", {"name": "q", "query": {}})[0] == 201
            wanted = {"dest": f"http://127.0.0.1:{receiver.server_address[1]}/", "stream": True}
            assert server.ask("POST", "/queries/q/subscriptions", wanted)[0] == 201
            killed_at = set(chance.sample(range(EVENTS // EACH), KILLS))
            for number in range(EVENTS // EACH):
                if number in killed_at:
                    receiver.victim = server.process
                _capture(server, number * EACH)
            deadline = time.monotonic() + 20
            while len(_told(receiver)) < EVENTS and time.monotonic() < deadline:
                if server.process.poll() is not None:  # killed by the last message
                    server.end()
                    server.start()
                time.sleep(0.05)
            receiver.victim = None
            _, kept = server.ask("GET", "/events?perPage=1000")
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.end()
    told = _told(receiver)
    stored = [event["eventID"] for event in kept["epcisBody"]["queryResults"]["resultsBody"]["eventList"]]
    assert len(stored) == EVENTS
    assert sorted(told) == sorted(stored)  # each in one message exactly, whatever was repeated
    assert 1 <= receiver.repeats <= KILLS
    assert all(len(bodies) == 1 for bodies in receiver.contents.values())


def test_a_notice_outlives_the_server_that_was_killed_while_it_was_told(tmp_path: Path) -> None:
    file, place = tmp_path / "trace.toml", "urn:epc:id:sgln:6901234.00001.0"
    file.write_text(
        '[trace]\nlisten = "127.0.0.1:0"\n[access]\nrequired = true\n[subscriptions]\nhosts = ["127.0.0.1"]\n',
        encoding="utf-8",
    )
    token = put_participant(file, "mill", owns=["6901234"])["token"]
    document = _document(0)
    for event in document["epcisBody"]["eventList"]:
        event |= {"action": "ADD", "bizStep": "commissioning", "bizLocation": {"id": place}}
    with _receiving() as receiver:
        server = _Server(file)
        try:
            wanted = {"dest": f"http://127.0.0.1:{receiver.server_address[1]}/", "signatureToken": "secret"}
            assert server.ask("PUT", "/trace/receiver", wanted, token)[0] == 200
            assert server.ask("POST", "/capture", document, token)[0] == 202
            receiver.victim = server.process
            with recall_desk(str(file)) as desk:
                plan = Plan(
                    title="glass", grade="1", kind="item", names=["urn:epc:id:sgtin:6901234.012345.1"]
                )
                desk.draft(plan, by="li")
                desk.act(1, RecallEvent.APPROVE, by="wang")
            deadline = time.monotonic() + 20
            while server.process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.02)
            server.end()
            server.start()
            while time.monotonic() < deadline:
                standing = server.ask("GET", "/trace/receiver", None, token)[1]
                if (standing["taken"], standing["waiting"]) == (1, 0):
                    break
                time.sleep(0.05)
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.end()
    ((_, bodies),) = receiver.contents.items()
    (body,) = bodies
    assert (receiver.repeats, standing["taken"]) == (1, 1)
    told = json.loads(body)
    assert (told["recall"], told["state"], told["holder"]) == (
        1,
        "active",
        "https://id.gs1.org/414/6901234000016",
    )


def _told(receiver: _Receiver) -> list[str]:
    return [event for events in list(receiver.messages.values()) for event in events]
