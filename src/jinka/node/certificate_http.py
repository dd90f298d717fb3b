"""An authority over HTTP: OCSP (RFC 6960, appendix A), enrolment by EST (RFC 7030, 4.1 and 4.2) and revocation lists.

A thread for each of a limited number of connections, one request on each, with limits on size and on time as a whole,
so that a slow sender holds a place for seconds only. OCSP and lists need no secret. EST is served on a port of its own
over TLS, which RFC 7030, 3.3 demands; machines prove who they are by a name and a secret (3.2.3), and when they renew
by the certificate that is to be renewed (4.2.2). The default TLS of Python knows RSA and ECDSA; an authority with SM2
keys serves EST under a TLS certificate of one of these.

What EST has besides is not here: keys made by the server, attributes. Rules are the authority's (`jinka.identity`);
this file reads, asks and writes.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import unquote

from jinka.crypto.x509_ocsp import REQUEST_SIZE_MAX as OCSP_SIZE_MAX
from jinka.crypto.x509_ocsp import Responder
from jinka.crypto.x509_request import REQUEST_SIZE_MAX as PKCS10_SIZE_MAX
from jinka.kit import Clock, JinkaError, Refused

BODY_MAX = 2 * PKCS10_SIZE_MAX  # base64 with line ends
CONNECTIONS_MAX = 64
DEADLINE_S = 10.0
RETRY_AFTER_S = 60
_EST = "/.well-known/est/"
_OCSP_HOURS = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One HTTP answer."""

    status: HTTPStatus
    kind: str = "text/plain; charset=utf-8"
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One HTTP request, read completely."""

    method: str
    path: str
    kind: str
    body: bytes
    authorization: str = ""
    certificate: bytes = b""  # of a TLS client (DER), whose path TLS has checked


class Answers(Protocol):
    """Who answers OCSP requests (`jinka.identity.CertificateAuthority`)."""

    def answer(
        self, request: bytes, at: dt.datetime, next_update: dt.datetime, responder: Responder | None = None
    ) -> bytes: ...


class Enrols(Protocol):
    """Who takes in requests of machines (`jinka.identity.Enrolment`)."""

    def authorities(self) -> bytes: ...

    def enrol(self, label: str, request: bytes, requester: str, at: dt.datetime) -> bytes | None: ...

    def renew(self, label: str, request: bytes, certificate: bytes, at: dt.datetime) -> bytes | None: ...


Site = Callable[[Asked], Reply]


class StatusSite:
    """OCSP at ``/`` by POST and GET, and the lists that were published, under their paths.

    ``find`` gives the list for a path where the lists are kept elsewhere.
    """

    def __init__(
        self,
        authority: Answers,
        clock: Clock,
        lock: threading.Lock,
        responder: Responder | None = None,
        *,
        find: Callable[[str], bytes | None] | None = None,
    ) -> None:
        self._authority, self._clock, self._lock, self._responder = authority, clock, lock, responder
        self._find = find
        self._lists: dict[str, bytes] = {}

    def publish(self, path: str, revocation_list: bytes) -> None:
        """Serve a list (DER) at a path from now on."""
        self._lists[path] = revocation_list

    def __call__(self, asked: Asked) -> Reply:
        """Answer one request."""
        found = self._list(asked.path) if asked.method == "GET" else None
        if found is not None:
            return Reply(status=HTTPStatus.OK, kind="application/pkix-crl", body=found)
        if asked.method == "POST" and asked.path == "/":
            if asked.kind != "application/ocsp-request":
                return Reply(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
            return self._answer(asked.body)
        if asked.method == "GET" and len(asked.path) > 1:
            try:
                return self._answer(base64.b64decode(unquote(asked.path[1:]), validate=True))
            except (binascii.Error, ValueError):
                return Reply(status=HTTPStatus.NOT_FOUND)
        return Reply(status=HTTPStatus.NOT_FOUND)

    def _list(self, path: str) -> bytes | None:
        if self._find is None:
            return self._lists.get(path)
        with self._lock:
            return self._find(path)

    def _answer(self, request: bytes) -> Reply:
        if len(request) > OCSP_SIZE_MAX:
            return Reply(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        at = _now(self._clock)
        with self._lock:
            body = self._authority.answer(request, at, at + dt.timedelta(hours=_OCSP_HOURS), self._responder)
        return Reply(status=HTTPStatus.OK, kind="application/ocsp-response", body=body)


class EnrolmentSite:
    """EST: ``cacerts``, ``LABEL/simpleenroll`` for those whom ``admit`` knows (it raises `Refused` otherwise), and
    ``simplereenroll`` for who comes with the certificate that is to be renewed.
    """

    def __init__(
        self, enrolment: Enrols, clock: Clock, lock: threading.Lock, admit: Callable[[str, bytes], None]
    ) -> None:
        self._enrolment, self._clock, self._lock, self._admit = enrolment, clock, lock, admit

    def __call__(self, asked: Asked) -> Reply:
        """Answer one request."""
        if not asked.path.startswith(_EST):
            return Reply(status=HTTPStatus.NOT_FOUND)
        *label, what = asked.path.removeprefix(_EST).split("/")
        if asked.method == "GET" and what == "cacerts" and len(label) <= 1:
            return _certificates(self._enrolment.authorities())
        if asked.method == "POST" and what == "simpleenroll" and len(label) == 1:
            try:
                requester = self._requester(asked.authorization)
            except Refused:
                return Reply(
                    status=HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": 'Basic realm="EST"'}
                )
            return self._asked(asked, lambda raw, at: self._enrolment.enrol(label[0], raw, requester, at))
        if asked.method == "POST" and what == "simplereenroll" and len(label) <= 1:
            held, name = asked.certificate, "".join(label)
            if not held:
                return Reply(status=HTTPStatus.FORBIDDEN, body=b"come with the certificate to be renewed\n")
            return self._asked(asked, lambda raw, at: self._enrolment.renew(name, raw, held, at))
        return Reply(status=HTTPStatus.NOT_FOUND)

    def _asked(self, asked: Asked, ask: Callable[[bytes, dt.datetime], bytes | None]) -> Reply:
        if asked.kind != "application/pkcs10":
            return Reply(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        try:
            request = base64.b64decode(b"".join(asked.body.split()), validate=True)
            with self._lock:
                found = ask(request, _now(self._clock))
        except (binascii.Error, JinkaError) as error:
            return Reply(status=HTTPStatus.BAD_REQUEST, body=f"{error}\n".encode())
        if found is None:
            return Reply(status=HTTPStatus.ACCEPTED, headers={"Retry-After": str(RETRY_AFTER_S)})
        return _certificates(found)

    def _requester(self, header: str) -> str:
        """The name in an HTTP Basic header (RFC 7617) whose secret ``admit`` accepts; raises `Refused`."""
        scheme, _, encoded = header.partition(" ")
        try:
            name, colon, secret = base64.b64decode(encoded, validate=True).partition(b":")
            requester = name.decode("utf-8")
        except (binascii.Error, ValueError):
            raise Refused("not a Basic header", where="Authorization") from None
        if scheme.lower() != "basic" or not colon or not requester:
            raise Refused("not a Basic header", where="Authorization")
        self._admit(requester, secret)
        return requester


class CertificateServer:
    """A site on a TCP port, from ``with`` to its end; ``tls`` wraps every connection."""

    def __init__(
        self, site: Site, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        self._server = _Server((host, port), site, tls)
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def __enter__(self) -> CertificateServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a connection ends by its own deadline

    def __init__(self, address: tuple[str, int], site: Site, tls: ssl.SSLContext | None) -> None:
        self.site, self._tls = site, tls
        self._places = threading.BoundedSemaphore(CONNECTIONS_MAX)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Shed a connection rather than queue it when all places are taken."""
        if not self._places.acquire(blocking=False):
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, TLS handshake included, under one deadline."""
        held = [request]  # the handshake puts another socket in place of this one
        timer = threading.Timer(DEADLINE_S, _cut, (held,))
        timer.start()
        try:
            with contextlib.suppress(OSError, ValueError):
                request.settimeout(DEADLINE_S)
                if self._tls:
                    held[0] = self._tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
                    held[0].do_handshake()
                super().process_request_thread(held[0], client_address)
        finally:
            timer.cancel()
            self.shutdown_request(held[0])
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A peer that goes away is no news; the answer to a fault of ours was sent already (500)."""


def _cut(held: list[socket.socket]) -> None:
    with contextlib.suppress(OSError):
        held[0].shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version, sys_version = "Jinka", ""

    def do_GET(self) -> None:
        self._speak(b"")

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._write(Reply(status=HTTPStatus.LENGTH_REQUIRED))
        elif len(length) > 9 or int(length) > BODY_MAX:
            self._write(Reply(status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        else:
            body = self.rfile.read(int(length))
            if len(body) == int(length):
                self._speak(body)

    def _speak(self, body: bytes) -> None:
        link = self.connection
        asked = Asked(
            method=self.command,
            path=self.path,
            kind=self.headers.get("Content-Type", "").partition(";")[0].strip().lower(),
            body=body,
            authorization=self.headers.get("Authorization", ""),
            certificate=link.getpeercert(binary_form=True) or b"" if isinstance(link, ssl.SSLSocket) else b"",
        )
        try:
            reply = self.server.site(asked)
        except Exception:  # whatever went wrong here is not the peer's to read
            reply = Reply(status=HTTPStatus.INTERNAL_SERVER_ERROR)
        self._write(reply)

    def _write(self, reply: Reply) -> None:
        self.close_connection = True
        self.send_response(reply.status)
        headers = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body)), "Connection": "close"}
        for name, value in (headers | dict(reply.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing is logged here: who asks for whose certificate is personal; acts are in the audit log."""


def _certificates(der: bytes) -> Reply:
    headers = {"Content-Transfer-Encoding": "base64"}
    kind = "application/pkcs7-mime; smime-type=certs-only"
    return Reply(status=HTTPStatus.OK, kind=kind, body=base64.encodebytes(der), headers=headers)


def _now(clock: Clock) -> dt.datetime:
    """Whole seconds, as certificates have them."""
    return dt.datetime.fromtimestamp(clock.now_micros() // 1_000_000, dt.UTC)
