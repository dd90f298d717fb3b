"""The key service between machines. Goal: TLS with certificates of Jinka's own authority, and nobody without one.

Method: keys and requests made by openssl, certificates issued by `jinka.identity` after two officers approved; `jinka
keys serve` on a port of the loopback.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jinka.codec import Algorithm
from jinka.crypto.x509_keys import KeyKind
from jinka.identity import ProfileName
from jinka.keys.port import KeyService
from jinka.kit import JinkaError, Refused
from jinka.node.key_socket import connect_tls
from tests.crypto.x509_rig import CITY, CODE, pem
from tests.identity.rig import CLERK, Scheme, approve_and_issue
from tests.keys.serving import key_folder, served

NAME = "keys.sz.example"
CONFIG = """
[tls]
listen = "127.0.0.1:0"
certificate = "service.pem"
key = "service.key"
authority = "authority.pem"

[callers.clearing]
certificate = "clearing"
verbs = ["make_load_mac2"]
keys = ["load/*"]
"""
LOAD: dict[str, Any] = {
    "algorithm": Algorithm.TDES, "version": 1, "factor8": bytes(8), "session_seed": (bytes(4), 1), "data": b"x",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A folder with keys and certificates, and the port where it is served."""

    folder: Path
    port: int

    def connect(self, who: str, *, caller: str = "clearing", authority: str = "authority.pem") -> KeyService:
        return connect_tls(
            "127.0.0.1", self.port, caller=caller, certificate=self.folder / f"{who}.pem",
            key=self.folder / f"{who}.key", authority=self.folder / authority, server_name=NAME,
        )  # fmt: skip


def certify(scheme: Scheme, folder: Path, file: str, common_name: str, profile: ProfileName) -> None:
    subject = f"/C=CN/O={CITY}/organizationIdentifier={CODE}/CN={common_name}"
    more = ["-addext", f"subjectAltName=DNS:{NAME}"] if profile is ProfileName.CENTRE else []
    made = subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-utf8", "-batch",
         "-subj", subject, "-keyout", str(folder / f"{file}.key"), "-outform", "DER", *more],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    now = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(minutes=1)
    name = scheme.issuing.submit(profile, made.stdout, CLERK, now).id
    certificate = approve_and_issue(scheme.issuing, name, now).certificate
    chain = pem(certificate) + pem(scheme.issuing_certificate.der)
    (folder / f"{file}.pem").write_text(chain)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = key_folder(tmp_path_factory.mktemp("keys"))
    ours, theirs = Scheme(KeyKind.ECDSA), Scheme(KeyKind.RSA)
    certify(ours, folder, "service", "keys", ProfileName.CENTRE)
    certify(ours, folder, "clearing", "clearing", ProfileName.DEVICE)
    certify(ours, folder, "other", "other", ProfileName.DEVICE)
    certify(theirs, folder, "foreign", "clearing", ProfileName.DEVICE)
    (folder / "authority.pem").write_text(pem(ours.root_certificate.der))
    (folder / "foreign-authority.pem").write_text(pem(theirs.root_certificate.der))
    (folder / "keys.toml").write_text(CONFIG)
    with served(folder) as (facts, _):
        yield Site(folder=folder, port=int(facts["tls"].rpartition(":")[2]))


def test_a_caller_with_its_certificate_is_served(site: Site) -> None:
    with closing(site.connect("clearing")) as keys:
        assert len(keys.make_load_mac2(**LOAD)) == 4
        with pytest.raises(Refused, match="was not given the verb"):
            keys.seal_batch(terminal_id=bytes(6), header=b"", digest32=bytes(32))


@pytest.mark.parametrize("who", ["other", "foreign"])
def test_another_certificate_is_not(site: Site, who: str) -> None:
    with pytest.raises(JinkaError):
        site.connect(who)


def test_a_name_that_is_not_the_certificates_is_refused(site: Site) -> None:
    with pytest.raises(Refused, match="no such caller"):
        site.connect("clearing", caller="day")


def test_a_service_of_another_authority_is_refused_by_the_caller(site: Site) -> None:
    with pytest.raises(Refused, match="no trust"):
        site.connect("clearing", authority="foreign-authority.pem")


def test_without_a_certificate_or_without_tls_nothing_is_said(site: Site) -> None:
    context = ssl.create_default_context(cafile=site.folder / "authority.pem")
    with (
        socket.create_connection(("127.0.0.1", site.port), timeout=20) as plain,
        context.wrap_socket(plain, server_hostname=NAME) as link,
        pytest.raises(OSError, match=r"EOF|certificate required|reset"),
    ):
        link.sendall(bytes(12))
        link.recv(100)
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with contextlib.suppress(ConnectionResetError):
            assert b"result" not in plain.recv(1000)


def test_old_versions_of_tls_are_refused(site: Site) -> None:
    context = ssl.create_default_context(cafile=site.folder / "authority.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", site.port), timeout=20) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname=NAME)
