"""The authority over HTTP, asked by other people's clients: ``openssl ocsp -url`` and curl. And by hostile ones.

Method: a server on a free port of this machine, the authority of the identity tests behind it, and the real clock, as
``openssl`` has no other.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason, read_list
from jinka.crypto.x509_fields import KeyUsage, Purpose
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.crypto.x509_ocsp import ask
from jinka.crypto.x509_request import build_request
from jinka.identity import Act, Enrolment, ProfileName, State
from jinka.kit import Refused
from jinka.node import certificate_http as http
from jinka.node.system import SystemClock
from tests.crypto.x509_rig import END, START, pem, signer
from tests.identity.rig import FIRST, SECOND, THIRD, Scheme, subject

KIND = KeyKind.ECDSA
DAY = dt.timedelta(days=1)
HOST = "localhost"
needs_clients = pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("curl") is None, reason="no openssl or no curl"
)


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        list(map(str, words)),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(microsecond=0)


@pytest.fixture
def scheme() -> Scheme:
    return Scheme(KIND)


@pytest.fixture
def status(scheme: Scheme) -> Iterator[http.CertificateServer]:
    site = http.StatusSite(scheme.issuing, SystemClock(), threading.Lock())
    site.publish("/sz.crl", scheme.issuing.complete_list(_now(), _now() + DAY))
    with http.CertificateServer(site) as server:
        yield server


def _admit(name: str, secret: bytes) -> None:
    if (name, secret) not in (("centre-1", b"right"), ("centre-2", b"also right")):
        raise Refused("unknown", where="EST")


@pytest.fixture
def est(scheme: Scheme, tmp_path: Path) -> Iterator[http.CertificateServer]:
    key = SoftSigner.generate(KIND)
    plan = CertificatePlan(
        serial=99, subject=subject("EST"), public_der=key.public_der, not_before=START, not_after=END,
        usages=frozenset({KeyUsage.SIGNATURE}), purposes=frozenset({Purpose.SERVER}), dns_names=(HOST,),
    )  # fmt: skip
    certificate = build_certificate(plan, signer(KIND, 1), scheme.root_certificate)
    private = key.key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "server.pem").write_text(private.decode() + pem(certificate))
    (tmp_path / "root.pem").write_text(pem(scheme.root_certificate.der))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    enrolment = Enrolment(authority=scheme.issuing, above=(scheme.root_certificate,))
    site = http.EnrolmentSite(enrolment, SystemClock(), threading.Lock(), _admit)
    with http.CertificateServer(site, tls=context) as server:
        yield server


def _curl(est: http.CertificateServer, folder: Path, path: str, *more: str | Path) -> tuple[str, bytes, str]:
    """(status, body, headers) of an EST request over TLS."""
    body, head = folder / "body", folder / "head"
    body.write_bytes(b"")
    url = f"https://{HOST}:{est.port}/.well-known/est/{path}"
    done = _run(
        "curl", "-s", "--noproxy", "*", "--cacert", folder / "root.pem", "-o", body, "-D", head, "-w", "%{http_code}",
        *more, url,
    )  # fmt: skip
    return done.stdout, body.read_bytes(), head.read_text() if head.exists() else ""


def _send(est: http.CertificateServer, folder: Path, request: bytes, user: str, label: str = "centre") -> str:
    file = folder / "request.b64"
    file.write_bytes(base64.encodebytes(request))
    kind = ("-H", "Content-Type: application/pkcs10", "--data-binary", f"@{file}", "-u", user)
    return _curl(est, folder, f"{label}/simpleenroll", *kind)[0]


def _certificates(folder: Path) -> str:
    (folder / "cms.der").write_bytes(base64.b64decode((folder / "body").read_bytes()))
    return _run("openssl", "pkcs7", "-inform", "DER", "-in", folder / "cms.der", "-print_certs").stdout


@needs_clients
def test_openssl_asks_and_believes(scheme: Scheme, status: http.CertificateServer, tmp_path: Path) -> None:
    name, found = scheme.certified(ProfileName.ORGANISATION, 3)
    for file, der in (("issuing", scheme.issuing_certificate.der), ("leaf", found.der)):
        (tmp_path / f"{file}.pem").write_text(pem(der))
    both = pem(scheme.root_certificate.der) + pem(scheme.issuing_certificate.der)
    (tmp_path / "both.pem").write_text(both)
    for word in ("good", "revoked"):
        done = _run(
            "openssl", "ocsp", "-issuer", tmp_path / "issuing.pem", "-cert", tmp_path / "leaf.pem",
            "-CAfile", tmp_path / "both.pem", "-url", f"http://127.0.0.1:{status.port}/",
        )  # fmt: skip
        assert "Response verify OK" in done.stderr, done.stderr
        assert "WARNING: no nonce" not in done.stderr
        assert f"leaf.pem: {word}" in done.stdout
        if word == "good":
            scheme.issuing.act(name, Act.REVOKE, FIRST, _now(), reason=Reason.KEY_COMPROMISE)


@needs_clients
def test_curl_fetches_the_list_and_asks_by_get(
    scheme: Scheme, status: http.CertificateServer, tmp_path: Path
) -> None:
    base, body = f"http://127.0.0.1:{status.port}", tmp_path / "body"
    _run("curl", "-s", "--noproxy", "*", "-o", body, f"{base}/sz.crl")
    read_list(body.read_bytes()).require_signed_by(scheme.issuing_certificate)
    asked = base64.b64encode(ask(scheme.issuing_certificate, [7], bytes(16))).decode()
    escaped = asked.replace("+", "%2B").replace("/", "%2F").replace("=", "%3D")
    done = _run("curl", "-s", "--noproxy", "*", "-o", body, "-w", "%{content_type}", f"{base}/{escaped}")
    assert done.stdout == "application/ocsp-response"
    (tmp_path / "answer.der").write_bytes(body.read_bytes())
    shown = _run("openssl", "ocsp", "-respin", tmp_path / "answer.der", "-resp_text", "-noverify").stdout
    assert "Cert Status: unknown" in shown


@needs_clients
def test_a_centre_enrols(scheme: Scheme, est: http.CertificateServer, tmp_path: Path) -> None:
    """Asked, told to wait, approved by two officers and issued, asked again: the certificate is there."""
    request = build_request(subject("centre"), signer(KIND, 3), ("centre.sz.example",))
    code, _, head = _curl(est, tmp_path, "cacerts")
    assert (code, "certs-only" in head) == ("200", True)
    assert _certificates(tmp_path).count("BEGIN CERTIFICATE") == 2
    for _ in range(2):
        assert _send(est, tmp_path, request, "centre-1:right") == "202"
    assert "Retry-After: 60" in (tmp_path / "head").read_text()
    application = scheme.issuing.application_for(signer(KIND, 3).public_der)
    assert application is not None
    assert application.requester == "centre-1"
    scheme.issuing.act(application.id, Act.APPROVE, FIRST, _now())
    assert _send(est, tmp_path, request, "centre-1:right") == "202"
    scheme.issuing.act(application.id, Act.APPROVE, SECOND, _now())
    issued = scheme.issuing.issue(application.id, THIRD, _now())
    assert _send(est, tmp_path, request, "centre-2:also right") == "400", "another's request"
    assert _send(est, tmp_path, request, "centre-1:right") == "200"
    shown = _certificates(tmp_path)
    assert shown.count("BEGIN CERTIFICATE") == 1
    inside = base64.b64decode("".join(shown.split("-----")[2].split()))
    assert inside == issued.certificate
    assert read_certificate(inside).dns_names == ("centre.sz.example",)
    scheme.issuing.act(application.id, Act.REVOKE, FIRST, _now(), reason=Reason.CESSATION)
    assert _send(est, tmp_path, request, "centre-1:right") == "400"


@needs_clients
def test_who_may_not_enrol(scheme: Scheme, est: http.CertificateServer, tmp_path: Path) -> None:
    request = build_request(subject("centre"), signer(KIND, 3), ("centre.sz.example",))
    for user in ("centre-1:wrong", "nobody:right", ":", "centre-1:"):
        assert _send(est, tmp_path, request, user) == "401"
    for label in ("organisation", "authority", "x"):
        assert _send(est, tmp_path, request, "centre-1:right", label) == "400"
    changed = request[:-1] + bytes((request[-1] ^ 1,))
    assert _send(est, tmp_path, changed, "centre-1:right") == "400"
    assert _send(est, tmp_path, b"no request", "centre-1:right") == "400"
    assert _curl(est, tmp_path, "centre/simplereenroll", "-d", "x")[0] == "403"
    assert _curl(est, tmp_path, "centre/simpleenroll")[0] == "404"
    plain = _run("curl", "-s", "--noproxy", "*", f"http://127.0.0.1:{est.port}/.well-known/est/cacerts")
    assert plain.returncode != 0, "EST is not served without TLS"
    assert scheme.issuing.application_for(signer(KIND, 3).public_der) is None


def _raw(port: int, message: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(message)
        received = b""
        with contextlib.suppress(OSError):
            while piece := peer.recv(4096):
                received += piece
        return received


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"POST / HTTP/1.1\r\nContent-Type: application/ocsp-request\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n1", 411),
        (b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi", 415),
        (b"GET /../etc/passwd HTTP/1.1\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\n\r\n", 404),
        (b"DELETE / HTTP/1.1\r\n\r\n", 501),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", 400),
    ],
)
def test_broken_http(status: http.CertificateServer, message: bytes, code: int) -> None:
    assert f" {code} ".encode() in _raw(status.port, message).split(b"\r\n")[0] + b" "


def test_a_malformed_question_gets_a_failure(status: http.CertificateServer) -> None:
    head = b"POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: 3\r\n\r\n"
    assert _raw(status.port, head + b"\x30\x01\x00").endswith(b"\x30\x03\x0a\x01\x01")
    big = (
        b"POST / HTTP/1.0\r\nContent-Type: application/ocsp-request\r\nContent-Length: 5000\r\n\r\n"
        + bytes(5000)
    )
    assert b" 413 " in _raw(status.port, big)


def test_a_slow_sender_is_cut_off(scheme: Scheme, monkeypatch: pytest.MonkeyPatch) -> None:
    """It holds one of two places until the deadline, whatever it drips; others are served or shed meanwhile."""
    monkeypatch.setattr(http, "DEADLINE_S", 0.3)
    monkeypatch.setattr(http, "CONNECTIONS_MAX", 1)
    site = http.StatusSite(scheme.issuing, SystemClock(), threading.Lock())
    with (
        http.CertificateServer(site) as server,
        socket.create_connection(("127.0.0.1", server.port), 20) as slow,
    ):
        slow.sendall(b"GET / HT")
        assert _raw(server.port, b"GET / HTTP/1.1\r\n\r\n") == b"", "shed: the only place is taken"
        assert slow.recv(1) == b"", "cut"
        for _ in range(200):
            answer = _raw(server.port, b"GET / HTTP/1.1\r\n\r\n")
            if answer:
                break
        assert b" 404 " in answer


def test_a_fault_of_ours_is_not_shown() -> None:
    def broken(asked: http.Asked) -> http.Reply:
        raise ValueError("secret detail")

    with http.CertificateServer(broken) as server:
        answer = _raw(server.port, b"GET / HTTP/1.1\r\n\r\n")
    assert b" 500 " in answer
    assert b"secret" not in answer


def test_waiting_requests_are_limited(scheme: Scheme, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jinka.identity.enrolment.WAITING_MAX", 1)
    enrolment = Enrolment(authority=scheme.issuing)
    first, second = (build_request(subject("440300000001"), signer(KIND, number)) for number in (3, 4))
    assert enrolment.enrol("terminal", first, "centre-1", _now()) is None
    with pytest.raises(Refused, match="1 requests wait"):
        enrolment.enrol("terminal", second, "centre-1", _now())
    assert enrolment.enrol("terminal", second, "centre-2", _now()) is None
    application = scheme.issuing.application_for(signer(KIND, 4).public_der)
    assert application is not None
    assert application.state is State.REQUESTED
