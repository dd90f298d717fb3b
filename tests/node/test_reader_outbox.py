"""Events on their way to the server.

Goal: each document is told until the server has it, none is lost, none holds up the others. Method: an outbox on the
disk, and a server of the tests that answers as it is told to.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from jinka.app.readers import Sender
from jinka.codec.epcis import Action, Event, EventType, Place, read_json
from jinka.kit import Usage
from jinka.node.capture_client import Answer, CaptureClient, CaptureServer, Outcome, require_server
from jinka.node.reader_outbox import Outbox
from jinka.node.system import SystemClock

DONE = (200, {"running": False, "success": True})


def _event(number: int) -> Event:
    return Event(
        event_type=EventType.OBJECT, event_time_us=number * 1_000_000, zone_offset="+08:00", action=Action.OBSERVE,
        epcs=(f"urn:epc:id:sgtin:0614141.812345.{number}",), read_point=Place(id="urn:epc:id:sgln:0614141.07346.1"),
    )  # fmt: skip


@contextmanager
def _server(
    posts: list[tuple[int, str]], jobs: list[tuple[int, Any]]
) -> Iterator[tuple[CaptureServer, list[Any]]]:
    """Answers in turn: (status, Location) to documents, (status, object) to questions after the job."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            asked.append((self.path, dict(self.headers), body))
            status, place = posts.pop(0) if len(posts) > 1 else posts[0]
            self._answer(status, b"no" if status >= 400 else b"", place)

        def do_GET(self) -> None:
            asked.append((self.path, dict(self.headers), b""))
            status, told = jobs.pop(0) if len(jobs) > 1 else jobs[0]
            self._answer(status, json.dumps(told).encode(), "")

        def _answer(self, status: int, body: bytes, place: str) -> None:
            self.send_response(status)
            if place:
                self.send_header("Location", place)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_address[1]}/epcis"
        yield CaptureServer(url=url, headers={"Authorization": "Bearer t"}, deadline_s=2.0), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("posts", "jobs", "outcome", "words"),
    [
        ([(202, "/epcis/capture/1")], [(200, {"running": True}), DONE], Outcome.TAKEN, "success"),
        ([(202, "capture/1")], [(200, {"running": False, "success": False})], Outcome.REFUSED, "false"),
        ([(400, "")], [DONE], Outcome.REFUSED, "HTTP 400: no"),
        ([(413, "")], [DONE], Outcome.TOO_LARGE, "no"),
        ([(503, "")], [DONE], Outcome.LATER, "HTTP 503"),
        ([(401, "")], [DONE], Outcome.LATER, "HTTP 401"),
        ([(200, "")], [DONE], Outcome.LATER, "HTTP 200"),
        ([(302, "http://127.0.0.1:1/")], [DONE], Outcome.LATER, "HTTP 302"),
        ([(202, "http://inside.example/capture/1")], [DONE], Outcome.LATER, "another server"),
        ([(202, "/epcis/capture/1")], [(404, {})], Outcome.LATER, "job: HTTP 404"),
        ([(202, "/epcis/capture/1")], [(200, [])], Outcome.LATER, "not an object"),
    ],
)
def test_what_the_server_says_is_what_becomes_of_a_document(
    posts: list[Any], jobs: list[Any], outcome: Outcome, words: str
) -> None:
    with _server(posts, jobs) as (server, asked):
        answer = CaptureClient(server).send(b"{}")
        assert answer.outcome is outcome
        assert words in answer.words
        path, headers, body = asked[0]
        assert (path, body) == ("/epcis/capture", b"{}")
        assert headers["GS1-Capture-Error-Behaviour"] == "proceed"
        assert headers["Authorization"] == "Bearer t"


def test_a_job_that_never_ends_and_a_server_that_is_not_there_are_for_later() -> None:
    with _server([(202, "/epcis/capture/1")], [(200, {"running": True})]) as (server, _):
        quick = CaptureServer(url=server.url, deadline_s=0.1)
        assert CaptureClient(quick).send(b"{}") == Answer(
            outcome=Outcome.LATER, words="its job has not ended in 0.1 s"
        )
    answer = CaptureClient(CaptureServer(url=server.url)).send(b"{}")
    assert (answer.outcome, answer.words.partition(":")[0]) == (Outcome.LATER, "ConnectionRefusedError")


@pytest.mark.parametrize(
    "url", ["", "ftp://x/", "http://", "http://a:b@x/", "http://x/?q=1", "http://x:99999/", "capture"]
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(Usage, match=r"capture\.url"):
        require_server(url)


def test_documents_stay_on_the_disk_in_their_order_until_they_are_taken(tmp_path: Path) -> None:
    first = Outbox(tmp_path, SystemClock())
    first.put([])
    first.put([_event(1)])
    first.put([_event(2), _event(3), _event(4)])
    again = Outbox(tmp_path, SystemClock())
    one, three = again.waiting()
    assert read_json(one.read_bytes()).events == (_event(1),)
    assert not again.split(one)
    assert again.split(three)
    again.taken(one)
    rest = [read_json(path.read_bytes()).events for path in again.waiting()]
    assert rest == [(_event(2),), (_event(3), _event(4))]
    again.refuse(again.waiting()[0], "bad")
    assert (len(again.waiting()), again.set_aside) == (1, 1)
    (answer,) = (tmp_path / "refused").glob("*.answer")
    assert json.loads(answer.read_text())["answer"] == "bad"
    last = Outbox(tmp_path, SystemClock())
    last.put([_event(5)])
    assert len({path.name for path in [*last.waiting(), *(tmp_path / "refused").glob("*.json")]}) == 3


def test_the_sender_splits_sets_aside_and_goes_on(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path, SystemClock())
    outbox.put([_event(1), _event(2)])
    outbox.put([_event(3)])
    posts = [(413, ""), (400, ""), (503, ""), (202, "/epcis/capture/1")]

    async def send(client: CaptureClient) -> Sender:
        sender, stop = Sender(outbox, client), asyncio.Event()
        task = asyncio.create_task(sender.run(stop))
        async with asyncio.timeout(10):
            while outbox.waiting():
                await asyncio.sleep(0.02)
        stop.set()
        await task
        return sender

    with _server(posts, [DONE]) as (server, asked):
        sender = asyncio.run(send(CaptureClient(server)))
    sent = [len(read_json(body).events) for path, _, body in asked if body]
    assert sent == [2, 1, 1, 1, 1]  # too large; refused for good; not now; again; the other half
    assert (sender.sent, outbox.set_aside) == (2, 1)
