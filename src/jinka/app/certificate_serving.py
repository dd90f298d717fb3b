"""`jinka certificate serve`: OCSP and lists over HTTP, EST over TLS, from an authority's folder, until it is stopped.

The authority's key is not here: answers are signed by a responder's own certificate (RFC 6960, 2.6), lists were signed
by officers, and what a machine asks for waits for officers at their desk. So whoever takes this process over issues
nothing. Each request is a transaction of its own on the books; what a machine asked for, and what it was refused, is in
``audit-serve.jsonl`` before the answer leaves.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import ssl
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.app.authority_folder import utc_now
from jinka.app.authority_office import Office
from jinka.app.certificates import read_certificates, read_ders
from jinka.crypto import choose_sm2
from jinka.crypto.x509_fields import KeyUsage, Purpose
from jinka.crypto.x509_ocsp import Responder
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_private import read_private
from jinka.identity import Enrolment
from jinka.kit import Refused, Usage
from jinka.node.certificate_http import CertificateServer, EnrolmentSite, Site, StatusSite
from jinka.node.system import SystemClock, SystemRandomness

LISTS = {"/authority.crl": True, "/delta.crl": False}  # path -> complete
_EST = "est"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A certificate with its chain, and its key, as files."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a server listens."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Place:
        """Read HOST:PORT; raises `Usage`."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdigit() or int(port) > 65535:
            raise Usage(f"not HOST:PORT: {text!r}", where="listen", fix="such as 127.0.0.1:8080")
        return cls(host=host, port=int(port))


class Serving:
    """Both servers over one folder, from ``with`` to its end."""

    def __init__(
        self,
        folder: Path,
        *,
        status: tuple[Place, Pair] | None = None,
        est: tuple[Place, Pair] | None = None,
    ) -> None:
        """``status`` with the responder's certificate and key, ``est`` with the server's for TLS."""
        if status is None and est is None:
            raise Usage("nothing to serve", where="serve", fix="give --status or --est")
        self._status, self._est = status, est
        self._office = Office(folder, log="audit-serve")
        self._lock, self._clock = threading.Lock(), SystemClock()
        self._stack = ExitStack()
        self.ports: dict[str, int] = {}

    def __enter__(self) -> Serving:
        with ExitStack() as stack:
            stack.callback(self._office.close)
            if self._status:
                place, pair = self._status
                responder = _responder(self._office, pair)
                site = StatusSite(_Books(self._office), self._clock, self._lock, responder, find=self._list)
                self._serve(stack, "status", place, site, None)
            if self._est:
                place, pair = self._est
                asks = _Enrols(self._office)
                desk = EnrolmentSite(asks, self._clock, self._lock, self._admit)
                self._serve(stack, _EST, place, desk, _tls(self._office, pair))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def facts(self) -> dict[str, Any]:
        """What the person who started it should know."""
        places = {"status": self._status, _EST: self._est}
        return {
            name: f"{found[0].host}:{self.ports[name]}" if found else None for name, found in places.items()
        }

    def _serve(
        self, stack: ExitStack, name: str, place: Place, site: Site, tls: ssl.SSLContext | None
    ) -> None:
        server = CertificateServer(site, host=place.host, port=place.port, tls=tls)
        self.ports[name] = stack.enter_context(server).port

    def _list(self, path: str) -> bytes | None:
        if path not in LISTS:
            return None
        with self._office.looking() as desk:
            found = desk.books.last_list(complete=LISTS[path])
        return found.der if found and (found.base_number is None) == LISTS[path] else None

    def _admit(self, name: str, secret: bytes) -> None:
        """Raise `Refused` unless the machine was admitted under this name with this secret."""
        kept = self._office.machines().get(name, "")
        if not hmac.compare_digest(kept, hashlib.sha256(secret).hexdigest()):
            raise Refused("unknown", where=f"machine {name}")


class _Books:
    """Answers OCSP from the books as they are now."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def answer(
        self, request: bytes, at: dt.datetime, next_update: dt.datetime, responder: Responder | None = None
    ) -> bytes:
        with self._office.looking() as desk:
            return desk.authority.answer(request, at, next_update, responder)


class _Enrols:
    """Takes requests in, each as one act in the log."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def authorities(self) -> bytes:
        folder = self._office.folder
        with self._office.looking() as desk:
            return Enrolment(authority=desk.authority, above=folder.above()).authorities()

    def enrol(self, label: str, request: bytes, requester: str, at: dt.datetime) -> bytes | None:
        return self._ask(
            requester,
            "enrol",
            f"label:{label[:32]}",
            lambda found: found.enrol(label, request, requester, at),
        )

    def renew(self, label: str, request: bytes, certificate: bytes, at: dt.datetime) -> bytes | None:
        digest = hashlib.sha256(certificate).hexdigest()[:12]
        return self._ask(
            f"certificate {digest}",
            "reenrol",
            f"label:{label[:32]}",
            lambda found: found.renew(label, request, certificate, at),
        )

    def _ask(
        self, actor: str, act: str, subject: str, ask: Callable[[Enrolment], bytes | None]
    ) -> bytes | None:
        with self._office.acting(actor, act, subject) as desk:
            return ask(Enrolment(authority=desk.authority))


def _responder(office: Office, pair: Pair) -> Responder:
    """The responder's certificate, if this authority gave it for that; raises `Refused`."""
    certificate = read_certificates(pair.certificate)[0]
    own = office.folder.certificate()
    check_path(
        certificate,
        (),
        Trust(anchors=(own,)),
        utc_now(SystemClock()),
        usage=KeyUsage.SIGNATURE,
        purpose=Purpose.OCSP,
    )
    signer = read_private(read_ders(pair.key)[0], choose_sm2(SystemRandomness()))
    if signer.public_der != certificate.public_der:
        raise Refused("not the key of the certificate", where=str(pair.key))
    return Responder(certificate=certificate, signer=signer)


def _tls(office: Office, pair: Pair) -> ssl.SSLContext:
    """TLS that asks for a client certificate of this authority and takes machines without one too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 7030 is older than 1.3; terminals are as well
    try:
        context.load_cert_chain(pair.certificate, pair.key)
    except (ssl.SSLError, OSError) as error:
        raise Refused(
            f"not a certificate and its key for TLS: {error.strerror}", where=str(pair.certificate)
        ) from None
    context.load_verify_locations(office.folder.own)
    if office.folder.above_file.exists():
        context.load_verify_locations(office.folder.above_file)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
