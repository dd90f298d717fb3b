"""What a stranger sends is answered with one of the standard's errors, and nothing of it is kept.

Method: raw requests to the real server: bodies too large, too deep, cut off, of the wrong kind; paths and headers that
are none; floods.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jinka.api import epcis, epcis_bodies
from jinka.api.epcis_bodies import Bodies
from jinka.api.epcis_exchange import Caller
from jinka.api.problems import Unauthorised
from tests.api.test_epcis_schemathesis import served
from tests.epcis_rig import Desk, desk_at, document, facts

_XML = b'<?xml version="1.0"?><epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:2" schemaVersion="2.0">%s'


_MANY = document(*[facts(eventID=f"urn:x:{n}") for n in range(51)])


@pytest.fixture
def desk(fresh_sqlite: Callable[[], Path]) -> Iterator[Desk]:
    with desk_at(fresh_sqlite(), capture_bytes_max=200_000, capture_events_max=50) as made:
        yield made


@pytest.fixture
def port(desk: Desk) -> Iterator[int]:
    with served(desk) as at:
        yield at


def _ask(
    port: int, method: str, url: str, body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        with contextlib.suppress(ConnectionError):  # an answer may come, and the end, before all is sent
            link.request(method, url, body, {name.replace("_", "-"): said for name, said in headers.items()})
        answer = link.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        link.close()


def _type(body: bytes) -> str:
    return str(json.loads(body)["type"]).removeprefix("epcisException:")


def _answer(link: socket.socket) -> tuple[int, bytes]:
    """The status and the body of the next answer; it may come in more pieces than one."""
    answer = http.client.HTTPResponse(link)
    answer.begin()
    return answer.status, answer.read()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Waits until the server has so many bytes of bodies: what is sent has not come; who is slow has time."""
    taken, came, take = threading.Condition(), 0, Bodies._take

    def counted(bodies: Bodies, body: Any, part: bytes, most: int) -> None:
        nonlocal came
        try:
            take(bodies, body, part, most)
        finally:
            with taken:
                came += len(part)
                taken.notify_all()

    def wait(count: int) -> None:
        with taken:
            assert taken.wait_for(lambda: came >= count, timeout=30), f"only {came} bytes came"

    monkeypatch.setattr(Bodies, "_take", counted)
    monkeypatch.setattr(epcis_bodies, "WINDOW_S", 60.0)
    return wait


def _raw(port: int, request: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(request)
        link.shutdown(socket.SHUT_WR)
        parts = []
        while part := link.recv(65536):
            parts.append(part)
        return b"".join(parts)


@pytest.mark.parametrize(
    ("body", "kind", "status", "exception"),
    [
        (b"", "application/json", 400, "ValidationException"),
        (b"{", "application/json", 400, "ValidationException"),
        (b"\xff\xfe", "application/json", 400, "ValidationException"),
        (b"[" * 100_000, "application/json", 400, "ValidationException"),
        (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, "application/json", 400, "ValidationException"),
        (b"null", "application/json", 400, "ValidationException"),
        (b'{"type":"EPCISDocument","type":"EPCISDocument"}', "application/json", 400, "ValidationException"),
        (document(facts(**{"ex:a": "1"})), "application/json", 400, "ValidationException"),
        (document(facts(eventTime="2026-02-30T00:00:00Z")), "application/json", 400, "ValidationException"),
        (document(facts(), context="https://example.com/remote.jsonld"), "application/json", 202, ""),
        (_MANY, "application/json", 413, "CaptureLimitExceededException"),
        (b" " * 200_001, "application/json", 413, "CaptureLimitExceededException"),
        (b"<a", "application/xml", 400, "ValidationException"),
        (b"<a>" * 20_000, "application/xml", 400, "ValidationException"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "application/xml", 400, "ValidationException"),
        (_XML % b"", "text/xml", 400, "ValidationException"),
        (document(facts()), "application/xml", 400, "ValidationException"),
        (document(facts()), "multipart/form-data", 415, "UnsupportedMediaTypeException"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_body_that_is_none_is_refused_and_nothing_is_kept(
    port: int, desk: Desk, body: bytes, kind: str, status: int, exception: str
) -> None:
    got, headers, answer = _ask(port, "POST", "/capture", body, Content_Type=kind)
    assert got == status, answer
    if exception:
        assert headers["content-type"] == "application/problem+json"
        assert _type(answer) == exception
        assert desk.get("/events").events == []
        assert desk.get("/capture").json == []
    if status == 413:
        assert (headers["gs1-epcis-capture-limit"], headers["gs1-epcis-capture-file-size-limit"]) == (
            "50",
            "200000",
        )


@pytest.mark.parametrize(
    ("url", "status", "exception"),
    [
        ("/events?" + "EQ_action=ADD&" * 2_000, 414, "URITooLongException"),
        ("/events?%ff", 400, "QueryValidationException"), ("/epcs/%ff", 400, "QueryValidationException"),
        ("/events?a=%00", 400, "QueryValidationException"), ("/epcs/a%00b/events", 400, "QueryValidationException"),
        ("//", 404, "NoSuchResourceException"), ("/../events", 404, "NoSuchResourceException"),
        ("/events/" + "a" * 5_000, 404, "NoSuchResourceException"),
        ("/events?" + "&".join(f"a{n}" for n in range(1_500)), 400, "QueryValidationException"),
        ("/events?" + "&".join(f"EQ_x{n}=1" for n in range(300)), 400, "QueryParameterException"),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
def test_a_url_that_is_none_is_refused(port: int, url: str, status: int, exception: str) -> None:
    got, _, answer = _ask(port, "GET", url)
    assert (got, _type(answer)) == (status, exception), answer


def test_a_length_that_is_announced_too_large_is_refused_before_it_comes(port: int) -> None:
    head = b"POST /capture HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"
    assert _raw(port, head).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_is_cut_off_is_not_captured(port: int, desk: Desk) -> None:
    whole = document(facts())
    head = (
        b"POST /capture HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    )
    _raw(port, head % len(whole) + whole[:-5])
    _raw(port, b"nonsense\r\n\r\n")
    assert desk.get("/capture").json == []


def test_a_body_that_does_not_come_is_not_waited_for(
    port: int, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epcis_bodies, "BODY_S", 0.05)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(
            b"POST /capture HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{"
        )
        assert link.recv(65536).startswith(b"HTTP/1.1 408 ")


def test_who_is_not_admitted_sends_no_body(port: int, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    assert _raw(port, head % b"/nothing").startswith(b"HTTP/1.1 404 ")  # the body is not waited for
    monkeypatch.setattr(epcis, "WAITING_MAX", 0)  # nor by who cannot be asked for a name
    assert _raw(port, head % b"/capture").startswith(b"HTTP/1.1 503 ")
    monkeypatch.undo()

    def nobody(_: Any) -> Any:
        raise Unauthorised("nobody known")

    object.__setattr__(desk.services, "admit", nobody)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link:
        link.sendall(head % b"/capture")
        answer = link.recv(65536)
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close" in answer.lower()


def test_bodies_under_way_are_bounded_together(
    port: int, monkeypatch: pytest.MonkeyPatch, held: Callable[[int], None]
) -> None:
    monkeypatch.setattr(epcis_bodies, "BODIES_MAX", 0)  # one of the largest fits: 200,000 bytes
    head = b"POST /capture HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 190000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=30) as first:
        first.sendall(head + b" " * 189_999)
        held(189_999)
        with socket.create_connection(("127.0.0.1", port), timeout=30) as second:
            second.sendall(head + b" " * 10_001)
            held(200_000)
            assert select.select([first, second], [], [], 0)[0] == []  # so many fit
            second.sendall(b" ")  # and no more
            status, refused = _answer(second)
            assert status == 503
            assert b"too many bodies are under way" in refused
            first.sendall(b" ")
            assert _answer(first)[0] == 400
    body = document(facts()) + b" " * 150_000
    for _ in range(2):  # all were let go
        assert _ask(port, "POST", "/capture", body, Content_Type="application/json")[0] == 202


_UPLOAD = (
    b"POST /capture HTTP/1.1\r\nHost: x\r\nX-Who: %s\r\nContent-Type: application/json\r\nContent-Length: 190000"
    b"\r\n\r\n"
)


@pytest.fixture
def named(desk: Desk) -> None:
    """Whoever says who he is, is."""
    object.__setattr__(desk.services, "admit", lambda headers: Caller(name=headers.get("x-who", "")))


@pytest.mark.usefixtures("named")
def test_who_sends_slowly_has_his_share_and_holds_up_nobody(
    port: int, monkeypatch: pytest.MonkeyPatch, held: Callable[[int], None]
) -> None:
    monkeypatch.setattr(epcis_bodies, "BODIES_EACH", 0)  # one of the largest fits
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as first,
        socket.create_connection(("127.0.0.1", port), timeout=30) as second,
    ):
        first.sendall(_UPLOAD % b"slow" + b" " * 150_000)
        held(150_000)
        second.sendall(_UPLOAD % b"slow" + b" " * 50_000)
        held(200_000)
        assert select.select([first, second], [], [], 0)[0] == []  # so many are his share
        second.sendall(b" ")  # and no more
        status, refused = _answer(second)
        assert status == 503
        assert b"too much of yours" in refused
        body = document(facts()) + b" " * 150_000
        assert _ask(port, "POST", "/capture", body, Content_Type="application/json", X_Who="other")[0] == 202
        assert select.select([first], [], [], 0)[0] == []  # the other of his goes on coming


def test_a_body_that_comes_too_slowly_is_cut_off(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epcis_bodies, "WINDOW_S", 0.05)
    monkeypatch.setattr(epcis_bodies, "WINDOW_BYTES", 1_000)
    with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        slow.sendall(_UPLOAD % b"slow" + b" " * 1_500)
        status, answer = _answer(slow)
        assert status == 408
        assert b"1000 bytes in 0.05 s" in answer


@pytest.mark.usefixtures("named")
def test_who_holds_most_makes_room_for_others(
    port: int, monkeypatch: pytest.MonkeyPatch, held: Callable[[int], None]
) -> None:
    monkeypatch.setattr(epcis_bodies, "BODIES_MAX", 0)  # one of the largest fits: 200,000 bytes
    with socket.create_connection(("127.0.0.1", port), timeout=30) as slow:
        slow.sendall(_UPLOAD % b"slow" + b" " * 180_000)
        held(180_000)
        body = document(facts()) + b" " * 50_000
        assert _ask(port, "POST", "/capture", body, Content_Type="application/json", X_Who="other")[0] == 202
        status, answer = _answer(slow)
        assert status == 503
        assert b"others need the room" in answer
    whole = document(facts()) + b" " * 150_000
    for _ in range(2):  # all was let go
        assert _ask(port, "POST", "/capture", whole, Content_Type="application/json", X_Who="slow")[0] == 202


@pytest.mark.usefixtures("named")
def test_one_peer_has_so_many_bodies_coming(
    port: int, monkeypatch: pytest.MonkeyPatch, held: Callable[[int], None]
) -> None:
    monkeypatch.setattr(epcis_bodies, "READS_EACH", 1)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=30) as first,
        socket.create_connection(("127.0.0.1", port), timeout=30) as second,
    ):
        first.sendall(_UPLOAD % b"slow" + b" ")
        held(1)
        second.sendall(_UPLOAD % b"slow" + b" ")
        assert b"too many bodies of yours" in _answer(second)[1]
        body = document(facts())
        assert _ask(port, "POST", "/capture", body, Content_Type="application/json", X_Who="other")[0] == 202


def test_more_than_can_wait_is_told_to_come_again(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(epcis, "WAITING_MAX", 0)
    got, headers, answer = _ask(port, "GET", "/events")
    assert (got, headers["retry-after"], _type(answer)) == (503, "1", "ImplementationException")


def test_our_own_fault_says_no_more_than_that(port: int, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(type(desk.services.store), "page", broken)
    got, _, answer = _ask(port, "GET", "/events")
    assert (got, _type(answer)) == (500, "ImplementationException")
    assert b"secret" not in answer
    assert _ask(port, "GET", "/health")[0] == 200


def test_a_problem_is_told_in_xml_where_that_is_wanted(port: int) -> None:
    got, headers, answer = _ask(port, "GET", "/nothing", Accept="application/xml")
    assert (got, headers["content-type"]) == (404, "application/problem+xml")
    assert b"<type>epcisException:NoSuchResourceException</type>" in answer


def test_head_is_get_without_its_body(port: int, desk: Desk) -> None:
    desk.capture(facts())
    got, headers, answer = _ask(port, "HEAD", "/events")
    assert (got, answer) == (200, b"")
    assert int(headers["content-length"]) > 100
    assert headers["gs1-epcis-version"] == "2.0.0"


def test_everything_may_lie_under_a_path(desk: Desk) -> None:
    application = epcis.EpcisApplication(desk.services, mount="/trade/epcis")
    for raw, status in (
        (b"/trade/epcis/events", 200),
        (b"/events", 404),
        (b"/trade/epcis", 200),
        (b"/trade", 404),
    ):
        found: list[Any] = []

        async def send(message: Any, found: list[Any] = found) -> None:
            found.append(message)

        async def receive() -> Any:
            return {"type": "http.request", "body": b"", "more_body": False}

        scope = {
            "type": "http",
            "method": "GET",
            "path": raw.decode(),
            "raw_path": raw,
            "query_string": b"",
            "headers": [],
        }
        _run(application(scope, receive, send))
        assert found[0]["status"] == status, raw


def _run(coroutine: Any) -> None:
    asyncio.run(coroutine)
