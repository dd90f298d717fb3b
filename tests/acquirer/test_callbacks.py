"""Callbacks: signed so that others' libraries agree, never sent inside, tried again, none lost over a kill."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from jinka.acquirer import Callback
from jinka.acquirer.callbacks import (
    WAITS_S,
    check_signature,
    headers,
    require_outside,
    signature,
    tried,
)
from jinka.app.gateway_outbox import deliver
from jinka.kit import Refused, Usage
from jinka.node.callback_http import CallbackSender, require_receiver
from tests.acquirer.rig import CARD, MERCHANT, rig

CALLBACK = Callback(
    id=bytes(16), merchant="m", kind="order.captured", body="{}", created_micros=1, next_micros=1
)


def test_the_published_signature() -> None:
    """Standard Webhooks, the test of its libraries (libraries/python/tests, test_sign_function)."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    id_, at_s, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}'
    made = signature(secret, id_, at_s, body)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    check_signature(secret, id_, at_s, body, f"v1,AAAA {made}", at_s + 300)
    for changed in (
        (secret, id_, at_s, body + " ", made, at_s),
        (secret, id_ + "x", at_s, body, made, at_s),
        (secret[:-1], id_, at_s, body, made, at_s),
        (secret, id_, at_s, body, made, at_s + 301),
        (secret, id_, at_s, body, "", at_s),
    ):
        with pytest.raises(Refused):
            check_signature(*changed)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1%eth0",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a00:1",
        "2002:7f00:1::", "2002:a00:1::1", "2001:0:4136:e378:8000:63bf:f5ff:fffe", "2001:db8::1", "nonsense",
    ],
)  # fmt: skip
def test_no_way_leads_inside(address: str) -> None:
    with pytest.raises(Refused):
        require_outside(address)


def test_the_world_outside_is_reached() -> None:
    for address in ("8.8.8.8", "2606:4700:4700::1111"):
        require_outside(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://shop.example/", "ftp://shop.example/", "https:///x", "https://user:pass@shop.example/", "//x",
        "https://shop.example/#x", "https://shop.example:99999/", "https://shop.example/a b", "https://[::1",
        "https://shop.example\\@evil.example/", "https://shop.example/" + "x" * 500, "https://sh\nop.example/",
    ],
)  # fmt: skip
def test_what_is_no_receiver(url: str) -> None:
    with pytest.raises(Usage):
        require_receiver(url)


def test_tries_wait_longer_and_end() -> None:
    callback, waits = CALLBACK, []
    while callback.next_micros:
        callback = tried(callback, 0, delivered=False, outcome="HTTP 500")
        waits.append(callback.next_micros // 1_000_000)
    assert waits == [*WAITS_S, 0]
    done = tried(CALLBACK, 5, delivered=True, outcome="HTTP 200")
    assert (done.delivered, done.next_micros, done.attempts) == (True, 0, 1)


class _Receiver(BaseHTTPRequestHandler):
    seen: list[tuple[str, dict[str, str], bytes]]
    status = 200
    wait_s = 0.0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        time.sleep(self.wait_s)
        self.send_response(self.status)
        self.send_header("Location", "http://127.0.0.1:1/inside")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def receiver(
    status: int = 200, wait_s: float = 0.0
) -> Iterator[tuple[str, list[tuple[str, dict[str, str], bytes]]]]:
    seen: list[tuple[str, dict[str, str], bytes]] = []
    kind = type("Receiver", (_Receiver,), {"seen": seen, "status": status, "wait_s": wait_s})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/hook?a=1", seen
        finally:
            server.shutdown()
            thread.join()


def test_a_receiver_inside_is_not_spoken_to() -> None:
    with receiver() as (url, seen):
        assert CallbackSender(plain=True).send(url, {}, "{}") == (
            False, "callback_url: the receiver is inside (a public address)",
        )  # fmt: skip
        rebound = CallbackSender(plain=True, resolver=lambda host, port: ["8.8.8.8", "127.0.0.1"])
        assert not rebound.send(url.replace("127.0.0.1", "shop.example"), {}, "{}")[0]
        assert seen == []


def test_a_callback_reaches_a_receiver_signed(tmp_path: Path) -> None:
    sender = CallbackSender(plain=True, inside=True)
    with receiver() as (url, seen), rig(tmp_path / "g.db") as at:
        from dataclasses import replace

        secret = bytes(32)
        sealed = at.vault.seal(secret, f"callbacks {MERCHANT.id}")
        with at.books.desk() as desk:
            desk.put_merchant(replace(MERCHANT, callback_url=url, callback_secret=sealed))
        order = at.order(1000)
        at.gateway.pay(MERCHANT, order, CARD, at.keyed())
        assert deliver(at.books, at.vault, sender, at.clock) == 1
        assert deliver(at.books, at.vault, sender, at.clock) == 0
    path, sent, body = seen[0]
    assert path == "/hook?a=1"
    at_s = int(sent["webhook-timestamp"])
    check_signature(secret, sent["webhook-id"], at_s, body.decode(), sent["webhook-signature"], at_s)
    assert b'"state":"captured"' in body
    assert len(seen) == 1


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_receiver_that_fails_is_asked_again_later(tmp_path: Path, status: int) -> None:
    sender = CallbackSender(plain=True, inside=True)
    with receiver(status) as (url, seen), rig(tmp_path / "g.db") as at:
        from dataclasses import replace

        sealed = at.vault.seal(bytes(32), f"callbacks {MERCHANT.id}")
        with at.books.desk() as desk:
            desk.put_merchant(replace(MERCHANT, callback_url=url, callback_secret=sealed))
        at.gateway.pay(MERCHANT, at.order(), CARD, at.keyed())
        assert deliver(at.books, at.vault, sender, at.clock) == 1
        assert deliver(at.books, at.vault, sender, at.clock) == 0
        at.clock.pass_s(5)
        assert deliver(at.books, at.vault, sender, at.clock) == 1
    assert len(seen) == 2
    assert seen[0][1]["webhook-id"] == seen[1][1]["webhook-id"]


def test_a_receiver_that_does_not_answer_holds_nobody_up() -> None:
    with receiver(wait_s=0.6) as (url, _):
        sender = CallbackSender(plain=True, inside=True, deadline_s=0.2)
        assert sender.send(url, {}, "{}")[0] is False
    assert CallbackSender().send("https://no-such-name.invalid/", {}, "{}")[0] is False
    assert headers(b"k", CALLBACK, 1_000_000)["webhook-timestamp"] == "1"
