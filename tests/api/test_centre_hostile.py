"""Hostile children and parents. Goal: who is not whom it should be gets nothing, and whatever is sent breaks nothing.

Method: real connections with wrong papers, wrong requests and wrong parcels; and a parent that lies to its child.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import sqlalchemy as sa

from jinka.api.peer_tls import CONNECTIONS_EACH
from jinka.codec.parcel import Kind, Manifest
from jinka.node.parcel_client import Synced
from jinka.node.parcel_desk import PIECE_MAX, OutgoingFile, ParcelDesk
from jinka.node.switch_tls import LineTls
from jinka.store.parcel_findings import suspend
from jinka.store.parcel_tables import conflicts
from tests.api.centre_rig import Door, door, papers
from tests.parcels import CITY, DAY, NOW, OTHER, PARENT, ROWS, Line, desk, manifest, rows, signatory

FILE = "rows.parquet"
FILES = "/v1/files/" + "ab" * 32


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("centre")


@pytest.fixture(scope="module")
def parent(place: Path) -> Iterator[ParcelDesk]:
    with desk(place, PARENT, {CITY, OTHER}) as made:
        yield made


@pytest.fixture(scope="module")
def site(place: Path, parent: ParcelDesk) -> Iterator[Door]:
    with door(parent, papers(place, PARENT)) as made:
        yield made


@pytest.fixture(scope="module")
def tls(place: Path) -> LineTls:
    return papers(place, CITY)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[ParcelDesk]:
    with desk(tmp_path, CITY, {PARENT}) as made:
        yield made


def _sent(city: ParcelDesk, reference: str, kind: Kind = Kind.RECORDS, count: int = 5) -> Manifest:
    one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(count))
    return city.send(PARENT, kind, reference, DAY, [one]).manifest


def _put(site: Door, tls: LineTls, raw: bytes) -> None:
    path = f"/v1/files/{hashlib.sha256(raw).hexdigest()}"
    spread = f"bytes 0-{len(raw) - 1}/{len(raw)}"
    assert site.ask(tls, "PUT", path, raw, Content_Range=spread).status in (204, 409)


# Who may come in.


def test_without_a_certificate_nobody_speaks(site: Door, tls: LineTls) -> None:
    context = ssl.create_default_context(cafile=str(tls.authority))
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        socket.create_connection(("localhost", site.port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost") as link,
    ):
        link.sendall(b"GET /v1/parcels HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert link.recv(100) == b"", "a server that closes without a word is as good"
        raise ConnectionError


def test_plain_http_is_no_way_in(site: Door) -> None:
    with socket.create_connection(("localhost", site.port)) as raw:
        raw.sendall(b"GET /v1/parcels HTTP/1.1\r\nHost: localhost\r\n\r\n")
        raw.settimeout(10)
        try:
            assert b"200" not in raw.recv(100)
        except ConnectionError:
            return


def test_another_authoritys_certificate_is_none(place: Path, site: Door, tls: LineTls) -> None:
    forged = papers(place, CITY, line=Line(dt.datetime.now(dt.UTC).replace(microsecond=0)))
    mixed = replace(forged, authority=tls.authority)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        site.ask(mixed, "GET", "/v1/parcels")


def test_an_old_protocol_is_refused(site: Door, tls: LineTls) -> None:
    context = tls.client()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        socket.create_connection(("localhost", site.port)) as raw,
        context.wrap_socket(raw, server_hostname="localhost"),
    ):
        pass


def test_a_signing_certificate_opens_no_line(place: Path, site: Door) -> None:
    answer = site.ask(papers(place, CITY, profile="organisation"), "GET", "/v1/parcels")
    assert (answer.status, "not a certificate for a client" in answer.detail) == (401, True)


def test_a_centre_that_is_no_neighbour_gets_nothing(place: Path, site: Door) -> None:
    stranger = papers(place, "999999")
    for method, path, body in (
        ("GET", "/v1/parcels", None),
        ("HEAD", FILES + "?size=1", None),
        ("POST", "/v1/parcels", signatory(CITY).seal(manifest()).to_bytes()),
        ("POST", "/v1/receipts", b"{}"),
        ("GET", f"/v1/parcels/verdicts/1/files/{'ab' * 32}", None),
    ):
        assert site.ask(stranger, method, path, body).status == 409, path


def test_no_child_hands_over_anothers_parcel(place: Path, site: Door, city: ParcelDesk) -> None:
    made = _sent(city, "x")
    answer = site.ask(papers(place, OTHER), "POST", "/v1/parcels", signatory(CITY).seal(made).to_bytes())
    assert (answer.status, "hands over" in answer.detail) == (409, True)


def test_a_child_does_not_read_what_waits_for_another(
    place: Path, site: Door, tls: LineTls, parent: ParcelDesk
) -> None:
    one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(2))
    made = parent.send(OTHER, Kind.VERDICTS, "for the other", DAY, [one]).manifest
    path = f"/v1/parcels/verdicts/1/files/{made.files[0].sha256.hex()}"
    assert json.loads(site.ask(tls, "GET", "/v1/parcels").body) == {"parcels": []}
    assert site.ask(tls, "GET", path).status == 404
    other = papers(place, OTHER)
    assert site.ask(other, "GET", path).status == 206
    assert len(json.loads(site.ask(other, "GET", "/v1/parcels").body)["parcels"]) == 1
    assert site.ask(other, "GET", path, Range="bytes=999999999-").status == 416


def test_one_child_does_not_keep_its_siblings_out(place: Path, site: Door, tls: LineTls) -> None:
    other, context, links = papers(place, OTHER), tls.client(), list[ssl.SSLSocket]()
    try:
        for _ in range(CONNECTIONS_EACH + 4):
            raw = socket.create_connection(("localhost", site.port))
            links.append(context.wrap_socket(raw, server_hostname="localhost"))
            links[-1].settimeout(10)
        for link in links[-4:]:
            assert link.recv(1) == b"", "it is closed at once"
        links[0].sendall(b"GET /v1/parcels HTTP/1.1\r\nHost: x\r\n\r\n")
        assert links[0].recv(12) == b"HTTP/1.1 200"
        assert site.ask(other, "GET", "/v1/parcels").status == 200
    finally:
        for link in links:
            link.close()


# What they may send.


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status"),
    [
        ("PUT", FILES, {}, b"x", 422),
        ("PUT", FILES, {"Content_Range": "bytes 0-0/*"}, b"x", 422),
        ("PUT", FILES, {"Content_Range": "bytes 0-1/2"}, b"x", 422),
        ("PUT", FILES, {"Content_Range": "bytes 0-0/0"}, b"x", 422),
        ("PUT", FILES, {"Content_Range": "bytes 1-1/1"}, b"x", 422),
        ("PUT", FILES, {"Content_Range": "bytes 0--1/9"}, b"", 422),
        ("PUT", FILES, {"Content_Range": "bytes 5-5/10"}, b"x", 409),
        ("PUT", FILES, {"Content_Range": f"bytes 0-0/{10**11}"}, b"x", 409),
        ("PUT", FILES, {"Content_Range": "bytes 0-0/" + "9" * 5000}, b"x", 422),
        ("PUT", "/v1/files/..%2f..%2fetc%2fpasswd", {"Content_Range": "bytes 0-0/1"}, b"x", 404),
        ("PUT", "/v1/files/" + "AB" * 32, {"Content_Range": "bytes 0-0/1"}, b"x", 422),
        ("PUT", "/v1/files/" + "ab" * 31, {"Content_Range": "bytes 0-0/1"}, b"x", 422),
        (
            "PUT",
            FILES,
            {"Content_Range": f"bytes 0-{PIECE_MAX}/{PIECE_MAX + 1}"},
            b"x" * (PIECE_MAX + 1),
            413,
        ),
        ("HEAD", FILES, {}, None, 400),
        ("HEAD", FILES + "?size=x", {}, None, 400),
        ("POST", "/v1/parcels", {}, b"", 422),
        ("POST", "/v1/parcels", {}, b"{" * 100_000, 422),
        ("POST", "/v1/parcels", {}, os.urandom(1000), 422),
        ("POST", "/v1/receipts", {}, b"[]", 422),
        ("GET", "/v1/parcels/nothing/1/files/" + "ab" * 32, {}, None, 404),
        ("GET", "/v1/parcels/records/x/files/" + "ab" * 32, {}, None, 400),
        ("GET", "/v1/parcels/records/1/files/" + "ab" * 32, {"Range": "bytes=-5"}, None, 422),
        ("GET", "/v1/parcels/records/99999999999999999999/files/" + "ab" * 32, {}, None, 404),
        ("GET", "/openapi.json", {}, None, 404),
        ("DELETE", "/v1/parcels", {}, None, 405),
    ],
)
def test_a_request_that_makes_no_sense_gets_a_problem(
    site: Door, tls: LineTls, method: str, path: str, headers: dict[str, str], body: bytes | None, status: int
) -> None:
    answer = site.ask(tls, method, path, body, **headers)
    assert answer.status == status
    if method != "HEAD":
        assert json.loads(answer.body)["status"] == status
    assert site.ask(tls, "GET", "/v1/parcels").status == 200


def test_a_wrong_offset_is_answered_with_the_right_one(site: Door, tls: LineTls) -> None:
    raw = os.urandom(100)
    path = f"/v1/files/{hashlib.sha256(raw).hexdigest()}"
    assert (
        site.ask(tls, "PUT", path, raw[:40], Content_Range="bytes 0-39/100").headers["upload-offset"] == "40"
    )
    wrong = site.ask(tls, "PUT", path, raw[50:60], Content_Range="bytes 50-59/100")
    assert (wrong.status, wrong.headers["upload-offset"]) == (409, "40")
    assert site.ask(tls, "HEAD", f"{path}?size=100").headers["upload-offset"] == "40"


def test_the_same_number_with_another_content_is_refused_and_kept(
    site: Door, tls: LineTls, city: ParcelDesk, parent: ParcelDesk
) -> None:
    made = _sent(city, "first", Kind.VERDICTS)
    raw = city.piece(PARENT, Kind.VERDICTS, 1, made.files[0].sha256, 0)
    _put(site, tls, raw)
    first = site.ask(tls, "POST", "/v1/parcels", signatory(CITY).seal(made).to_bytes())
    assert first.status == 202
    again = site.ask(tls, "POST", "/v1/parcels", signatory(CITY).seal(made).to_bytes())
    assert (again.status, again.body) == (202, first.body), (
        "replayed: the same receipt, though ECDSA signs anew"
    )
    second = signatory(CITY).seal(replace(made, made_micros=NOW + 1)).to_bytes()
    answer = site.ask(tls, "POST", "/v1/parcels", second)
    assert (answer.status, "another parcel has this number" in answer.detail) == (409, True)
    with parent.inbox._engine.connect() as connection:
        kept = (
            connection.execute(sa.select(conflicts.c.envelope).where(conflicts.c.sender == CITY))
            .scalars()
            .all()
        )
    assert kept == [second]


def test_a_suspended_childs_parcel_is_receipted_and_waits(
    place: Path, site: Door, parent: ParcelDesk, tmp_path: Path
) -> None:
    with desk(tmp_path, OTHER, {PARENT}) as other:
        suspend(parent.inbox._engine, OTHER, "wang", "no cover", NOW)
        one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(2))
        other.send(PARENT, Kind.RECORDS, "x", DAY, [one])
        assert site.client(other, papers(place, OTHER)).sync_once().sent == 1
        assert [parcel for parcel in parent.ready() if parcel.manifest.sender == OTHER] == []


# A parent that is not, or that lies.


@pytest.mark.parametrize("code", [CITY, OTHER, "999999"])
def test_a_child_speaks_to_its_own_parent_alone(
    place: Path, city: ParcelDesk, tls: LineTls, code: str
) -> None:
    """Another centre of the same line listens at the parent's address."""
    _sent(city, "x")
    with _answering(papers(place, code), lambda *_: (200, {}, b"")) as port:
        found = Door(port, PARENT).client(city, tls).sync_once()
    assert f"the certificate of '{code}'" in found.problems[0]
    assert len(city.waiting_for(PARENT)) == 1


def test_a_certificate_for_another_host_is_refused(place: Path, city: ParcelDesk, tls: LineTls) -> None:
    with _answering(papers(place, PARENT), lambda *_: (200, {}, b"")) as port:
        client = Door(port, PARENT).client(city, tls)
        client._parent = replace(client._parent, host="127.0.0.1")
        assert "certificate" in client.sync_once().problems[0].lower()


LIES: dict[str, Callable[[str, str], tuple[int, dict[str, str], bytes]]] = {
    "no offset": lambda method, path: (200, {}, b""),
    "an offset beyond the file": lambda method, path: (200, {"Upload-Offset": "99999999"}, b""),
    "an offset that is none": lambda method, path: (200, {"Upload-Offset": "\u0661"}, b""),
    "an offset that stands": lambda method, path: (200, {"Upload-Offset": "0"}, b""),
    "a receipt of nobody": lambda method, path: (202, {"Upload-Offset": "9"}, b"{}"),
    "an error without words": lambda method, path: (500, {}, b"\xff" * 100),
    "an error with too many": lambda method, path: (409, {}, json.dumps({"detail": "x\n" * 10**5}).encode()),
    "another place": lambda method, path: (302, {"Location": "https://localhost:1/"}, b""),
    "lists that are none": lambda method, path: (200, {"Upload-Offset": "0"}, b"[1]"),
    "an endless answer": lambda method, path: (200, {}, b"x" * (3 << 20)),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_parent_that_lies_ends_no_wait(place: Path, city: ParcelDesk, tls: LineTls, lie: str) -> None:
    _sent(city, "x")
    with _answering(papers(place, PARENT), LIES[lie]) as port:
        found = Door(port, PARENT).client(city, tls).sync_once()
    assert (found.sent, found.taken) == (0, 0)
    assert found.problems
    assert all(len(words) < 500 and words.isprintable() for words in found.problems)
    assert len(city.waiting_for(PARENT)) == 1


@pytest.mark.parametrize("kind", ["forged", "cut", "other bytes", "too long"])
def test_what_comes_down_is_judged_as_what_goes_up(
    place: Path, tmp_path: Path, city: ParcelDesk, tls: LineTls, kind: str
) -> None:
    with desk(tmp_path, PARENT, {CITY}) as parent:
        one = OutgoingFile(name=FILE, schema=ROWS.name, rows=rows(50))
        sent = parent.send(CITY, Kind.VERDICTS, "x", DAY, [one])
        raw = parent.piece(CITY, Kind.VERDICTS, 1, sent.manifest.files[0].sha256, 0)
        envelope = sent.envelope
        if kind == "forged":
            envelope = signatory(OTHER).seal(sent.manifest).to_bytes()
        piece = {"cut": b"", "other bytes": b"\0" * len(raw), "too long": raw + b"x"}.get(kind, raw)

        def answer(method: str, path: str) -> tuple[int, dict[str, str], bytes]:
            if path == "/v1/parcels":
                return 200, {}, json.dumps({"parcels": [envelope.decode()]}).encode()
            return 206, {}, piece

        with _answering(papers(place, PARENT), answer) as port:
            found = Door(port, PARENT).client(city, tls, round_s=5).sync_once()
    assert found.problems
    assert city.ready() == []


def test_an_honest_parent_after_a_liar(place: Path, site: Door, city: ParcelDesk, tls: LineTls) -> None:
    _sent(city, "x", Kind.RECORDS)
    with _answering(papers(place, PARENT), LIES["no offset"]) as port:
        assert Door(port, PARENT).client(city, tls).sync_once().problems
    assert site.client(city, tls).sync_once() == Synced(sent=1)


@contextmanager
def _answering(
    tls: LineTls, answer: Callable[[str, str], tuple[int, dict[str, str], bytes]]
) -> Iterator[int]:
    """An HTTPS server with a certificate of the line that answers whatever it likes."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, body = answer(self.command, self.path)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value.encode().decode("latin-1"))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_PUT = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            pass

    made = Quiet(("127.0.0.1", 0), Handler)
    made.socket = tls.server().wrap_socket(made.socket, server_side=True)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield made.server_address[1]
    finally:
        made.shutdown()
        thread.join()
        made.server_close()
