"""A parent's door on a free port of this machine, its children's lines, and a wire between them that can be cut."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinka.api.centre import centre_app
from jinka.api.peer_tls import tls_server
from jinka.app.certificates import as_pem
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.crypto.x509_private import private_der
from jinka.identity import ProfileName
from jinka.node.parcel_client import ParcelClient, Parent
from jinka.node.parcel_desk import ParcelDesk
from jinka.node.switch_tls import LineTls
from tests.parcels import Line, StillClock


@cache
def live_line() -> Line:
    """An authority whose certificates are valid now: OpenSSL looks at the machine's clock."""
    import datetime as dt

    return Line(dt.datetime.now(dt.UTC).replace(microsecond=0))


def papers(
    folder: Path, code: str, *, line: Line | None = None, crl: Path | None = None, profile: str = "centre"
) -> LineTls:
    """A fresh TLS certificate for a centre, in files."""
    line, place = line or live_line(), folder / f"{code}-{profile}-{time.monotonic_ns()}"
    place.mkdir(parents=True)
    signer = SoftSigner.generate(KeyKind.ECDSA)
    named = ProfileName(profile)
    leaf = line.certificate(named, code, signer, ("localhost",) if named is ProfileName.CENTRE else ())
    (place / "tls.pem").write_bytes(as_pem(leaf) + as_pem(line.issuing.der))
    (place / "tls.key").write_bytes(as_pem(private_der(signer), "PRIVATE KEY"))
    (place / "above.pem").write_bytes(as_pem(line.root.der))
    return LineTls(
        certificate=place / "tls.pem", key=place / "tls.key", authority=place / "above.pem", name="", crl=crl
    )


@dataclass(frozen=True)
class Answered:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def detail(self) -> str:
        return str(json.loads(self.body)["detail"])


@dataclass(frozen=True)
class Door:
    """A parent that listens."""

    port: int
    code: str

    def client(self, desk: ParcelDesk, tls: LineTls, port: int = 0, **more: Any) -> ParcelClient:
        return ParcelClient(
            desk, Parent(code=self.code, host="localhost", port=port or self.port), tls.client, **more
        )

    def ask(
        self, tls: LineTls, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answered:
        link = http.client.HTTPSConnection("localhost", self.port, timeout=20, context=tls.client())
        try:
            link.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
            answer = link.getresponse()
            return Answered(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            link.close()


@contextmanager
def door(desk: ParcelDesk, tls: LineTls) -> Iterator[Door]:
    place = socket.create_server(("127.0.0.1", 0))
    runner = tls_server(centre_app(desk, StillClock()), tls.server())
    thread = threading.Thread(target=runner.run, kwargs={"sockets": [place]})
    thread.start()
    try:
        while not runner.started:
            time.sleep(0.01)
        yield Door(place.getsockname()[1], desk.line.centre)
    finally:
        runner.should_exit = True
        thread.join()
        place.close()


class Wire:
    """Carries bytes between a client and a door, and cuts both ends after so many from the client."""

    def __init__(self, port: int) -> None:
        self._target, self.left = port, 0
        self._place = socket.create_server(("127.0.0.1", 0))
        self.port = self._place.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._start(self._listen)

    def close(self) -> None:
        self._place.shutdown(socket.SHUT_RDWR)
        self._place.close()
        for thread in self._threads:
            thread.join()

    def _start(self, work: Any, *given: Any) -> None:
        self._threads.append(threading.Thread(target=work, args=given))
        self._threads[-1].start()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._place.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._target))
            self._start(self._carry, near, far, True)
            self._start(self._carry, far, near, False)

    def _carry(self, one: socket.socket, other: socket.socket, counted: bool) -> None:
        with suppress(OSError):
            while raw := one.recv(4096):
                if counted:
                    raw = raw[: max(self.left, 0)]
                    self.left -= len(raw)
                other.sendall(raw)
                if counted and self.left <= 0:
                    break
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        if not counted:
            one.close()
            other.close()
