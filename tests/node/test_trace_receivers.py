"""Receivers of subscriptions. Goal: the server cannot be aimed at what is inside, by name, number or second answer.

Method: hostile addresses, a resolver that changes its mind, and a small HTTP server on the loopback that must hear
nothing unless the operator named it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from jinka.kit import JinkaError
from jinka.node.trace_receivers import Answer, Receivers


class _Hearer(BaseHTTPRequestHandler):
    heard: list[bytes]
    status = 200

    def do_POST(self) -> None:
        self.heard.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/inside")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def hearer(status: int = 200) -> Iterator[tuple[int, list[bytes]]]:
    heard: list[bytes] = []
    kind = type("Hearer", (_Hearer,), {"heard": heard, "status": status})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1], heard
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd", "gopher://x.example/", "javascript:alert(1)", "", "https://", "https://a:b@x.example/",
        "https://user@x.example/", "http://x.example/", "https://x.example/#top", "https://x.example/\r\nX: y",
        "https://127.0.0.1/", "https://[::1]/", "https://10.1.2.3/", "https://192.168.0.1/", "https://169.254.169.254/",
        "https://[fe80::1]/", "https://[fd00:ec2::254]/", "https://224.0.0.1/", "https://0.0.0.0/", "https://[::]/",
        "https://[::ffff:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[2002:7f00:1::]/", "https://100.64.0.1/",
        "HTTP://x.example/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/",
        "https://127.1/", "https://0/", "https://127.0.0.1./", "https://[fec0::1]/", "https://192.88.99.1/",
        "https://x.example.7/",
    ],
)  # fmt: skip
def test_an_address_that_is_refused_when_somebody_subscribes(url: str) -> None:
    with pytest.raises(JinkaError):
        Receivers().require(url)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:7f00:1]"]
)
def test_nothing_inside_hears_anything_however_it_is_written(host: str) -> None:
    with hearer() as (port, heard):
        answer = Receivers(plain=True).post(f"http://{host}:{port}/", {}, b"secret")
    assert not answer.taken
    assert answer.status == 0
    assert heard == []


def test_a_name_that_resolves_otherwise_the_second_time_changes_nothing() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return next(answers)

    with hearer() as (port, heard):
        # the first answer is outside: the connection goes there (and fails, unheard), never to a second answer
        receivers = Receivers(plain=True, resolver=rebinding, deadline_s=0.2)
        assert not receivers.post(f"http://rebind.example:{port}/", {}, b"x").taken
        assert asked == ["rebind.example"]
        assert receivers.post(f"http://rebind.example:{port}/", {}, b"x").words == "the receiver is inside"
        both = Receivers(plain=True, resolver=lambda host, port: ["93.184.216.34", "169.254.169.254"])
        assert both.post(f"http://x.example:{port}/", {}, b"x").words == "the receiver is inside"
    assert heard == []


def test_only_the_named_host_may_be_inside() -> None:
    with hearer() as (port, heard):
        receivers = Receivers(hosts=frozenset({"127.0.0.1"}))
        receivers.require(f"http://127.0.0.1:{port}/")
        assert receivers.post(f"http://127.0.0.1:{port}/", {"a": "b"}, b"one") == Answer(
            status=200, words="HTTP 200"
        )
        other = receivers.post(f"http://localhost:{port}/", {}, b"two")
        assert (other.status, other.taken) == (0, False)
    assert heard == [b"one"]


def test_what_went_wrong_is_told_in_words_that_a_subscriber_can_use() -> None:
    def nameless(_host: str, _port: int) -> list[str]:
        raise socket.gaierror(-2, "what the resolver said")

    assert Receivers(resolver=nameless).post("https://x.example/", {}, b"").words == "its name has no address"
    with hearer(307) as (port, _):
        told = Receivers(hosts=frozenset({"127.0.0.1"})).post(f"http://127.0.0.1:{port}/", {}, b"{}")
        assert told.words == "HTTP 307: redirects are not followed"
        dumb = Receivers(hosts=frozenset({"127.0.0.1"}), deadline_s=2)
        assert dumb.post(f"https://127.0.0.1:{port}/", {}, b"{}").words == "it does not speak TLS"
    closed = Receivers(hosts=frozenset({"127.0.0.1"}))
    assert closed.post(f"http://127.0.0.1:{port}/", {}, b"{}").words == "it refuses connections"


@pytest.mark.parametrize(("status", "taken"), [(204, True), (302, False), (413, False), (500, False)])
def test_only_a_success_is_an_acknowledgement_and_no_redirect_is_followed(status: int, taken: bool) -> None:
    with hearer(status) as (port, heard):
        answer = Receivers(hosts=frozenset({"127.0.0.1"})).post(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert (answer.taken, answer.too_large, len(heard)) == (taken, status == 413, 1)
