"""From an authority's first day to a call of the key service over TLS, typed as an operator types it.

The story: a root and an issuing authority, each with custodians and officers of its own; a key service, an OCSP
responder, the enrolment server and a clearing centre get certificates; the centre enrols over EST, calls, renews with
its old certificate, calls with the new one; it is suspended, resumed and revoked, and refused when it is on the list.
What serves is a process of its own; curl and openssl are the machines' side.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jinka.app.certificates import read_certificates
from jinka.cli.main import app
from jinka.codec import Algorithm
from jinka.crypto.x509_crl import read_list
from jinka.kit import JinkaError
from jinka.node.key_socket import connect_tls
from tests.keys.serving import key_folder, served

CODE, CITY = "91350100M000100Y43", "深圳通"
OFFICERS = ("chen", "wang", "liu", "zhao")
pytestmark = pytest.mark.skipif(
    shutil.which("openssl") is None or shutil.which("curl") is None, reason="no openssl or no curl"
)
LOAD: dict[str, Any] = {
    "algorithm": Algorithm.TDES, "version": 1, "factor8": bytes(8), "session_seed": (bytes(4), 1), "data": b"x",
}  # fmt: skip


class Operator:
    """Types commands in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, code: int = 0) -> str:
        """`jinka certificate ...`; its standard output, or what it said when it was refused."""
        with contextlib.chdir(self.folder):
            done = CliRunner().invoke(app, ["certificate", *words])
        assert done.exit_code == code, done.output
        return done.stderr if code else done.stdout

    def apply(self, authority: str, request: str, profile: str, *more: str) -> str:
        """The id of an application."""
        words = ("apply", authority, request, "--profile", profile, "--officer", "chen", *more, "--json")
        return str(json.loads(self.run(*words))["id"])[:10]

    def approve(self, authority: str, name: str, out: str) -> None:
        for officer in ("wang", "liu"):
            self.run("approve", authority, name, "--officer", officer)
        self.run("issue", authority, name, "--officer", "zhao", "--out", out)

    def request(self, file: str, name: str, *dns: str) -> None:
        names = [word for one in dns for word in ("--dns", one)]
        self.run("request", file, "--name", name, "--organisation", CITY, "--code", CODE, *names)

    def certify(self, file: str, name: str, profile: str, *dns: str) -> None:
        """A key, a request, two approvals, a certificate."""
        self.request(f"{file}.csr", name, *dns)
        self.approve("issuing", self.apply("issuing", f"{file}.csr", profile), f"{file}.pem")

    def state(self, name: str) -> str:
        return str(json.loads(self.run("list", "issuing", name, "--json"))[0]["state"])

    def publish(self) -> None:
        self.run("crl", "issuing", "--officer", "zhao", "--out", "keys/issuing.crl.pem")


@contextmanager
def serving(
    operator: Operator, *words: str, end: signal.Signals = signal.SIGTERM
) -> Iterator[dict[str, str]]:
    command = [sys.executable, "-c", "from jinka.cli import main; main()", "certificate", "serve", *words]
    process = subprocess.Popen(
        command,
        cwd=operator.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    try:
        assert process.stdout is not None
        text = ""
        for line in process.stdout:
            text += line
            if line.startswith("}"):
                break
        assert text, process.stderr.read() if process.stderr else ""
        yield json.loads(text)
    finally:
        process.send_signal(end)
        process.communicate(timeout=60)


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Operator:
    """Two authorities, and certificates for the machines that serve."""
    typed = Operator(tmp_path_factory.mktemp("machines"))
    people = [word for name in OFFICERS for word in ("--officer", name)]
    custody = [word for name in ("Li", "Wu", "He") for word in ("--custodian", name)]
    named = ("--organisation", CITY, "--code", CODE, "--algorithm", "ecdsa")
    typed.run("init", "root", "--root", "--name", "national root", *named, *people, *custody)
    typed.run("init", "issuing", "--name", "city authority", *named, *people, *custody)
    limits = ("--permit-organisation", CITY, "--permit-dns", "sz.example")
    typed.approve(
        "root", typed.apply("root", "issuing/request.pem", "authority", *limits), "issuing-issued.pem"
    )
    typed.run(
        "install", "issuing", "issuing-issued.pem", "--above", "root/authority.pem", "--officer", "chen"
    )
    typed.certify("est", "est", "centre", "est.sz.example")
    typed.certify("ocsp", "ocsp", "responder")
    key_folder(typed.folder / "keys")
    typed.certify("keys/service", "keys", "centre", "keys.sz.example")
    typed.publish()
    (typed.folder / "keys" / "keys.toml").write_text(
        '[tls]\nlisten = "127.0.0.1:0"\ncertificate = "service.pem"\nkey = "service.key"\n'
        'authority = "../root/authority.pem"\ncrl = "issuing.crl.pem"\n\n'
        '[callers.clearing]\ncertificate = "clearing"\nverbs = ["make_load_mac2"]\nkeys = ["load/*"]\n'
    )
    return typed


def _call(operator: Operator, port: int, who: str) -> bytes:
    folder = operator.folder
    remote = connect_tls(
        "127.0.0.1", port, caller="clearing", certificate=folder / f"{who}.pem", key=folder / f"{who}.key",
        authority=folder / "root" / "authority.pem", server_name="keys.sz.example",
    )  # fmt: skip
    with closing(remote) as keys:
        return keys.make_load_mac2(**LOAD)


def _est(operator: Operator, port: str, path: str, request: str, *more: str) -> str:
    """The HTTP status; a certificate that came is written as FILE.pem, with its authority behind it."""
    folder = operator.folder
    der = subprocess.run(
        ["openssl", "req", "-in", folder / f"{request}.csr", "-outform", "DER"],
        check=True,
        capture_output=True,
    ).stdout
    (folder / "request.b64").write_bytes(base64.encodebytes(der))
    done = subprocess.run(
        ["curl", "-s", "--noproxy", "*", "--cacert", folder / "root" / "authority.pem",
         "--resolve", f"est.sz.example:{port}:127.0.0.1", "-o", folder / "answer", "-w", "%{http_code}",
         "-H", "Content-Type: application/pkcs10", "--data-binary", f"@{folder / 'request.b64'}", *more,
         f"https://est.sz.example:{port}/.well-known/est/{path}"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if done.stdout == "200":
        (folder / "answer.der").write_bytes(base64.b64decode((folder / "answer").read_bytes()))
        shown = subprocess.run(
            ["openssl", "pkcs7", "-inform", "DER", "-in", folder / "answer.der", "-print_certs"],
            check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip
        (folder / f"{request}.pem").write_text(shown + (folder / "issuing" / "authority.pem").read_text())
    return done.stdout


def _ocsp(operator: Operator, address: str, who: str) -> str:
    folder = operator.folder
    both = (folder / "root" / "authority.pem").read_text() + (
        folder / "issuing" / "authority.pem"
    ).read_text()
    (folder / "both.pem").write_text(both)
    done = subprocess.run(
        ["openssl", "ocsp", "-issuer", folder / "issuing" / "authority.pem", "-cert", folder / f"{who}.pem",
         "-CAfile", folder / "both.pem", "-url", f"http://{address}/"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert "Response verify OK" in done.stderr, done.stderr
    return done.stdout.split(f"{who}.pem: ")[1].split()[0]


def _get(address: str, path: str) -> tuple[int, bytes]:
    link = http.client.HTTPConnection(address, timeout=20)
    try:
        link.request("GET", path)
        answer = link.getresponse()
        return answer.status, answer.read()
    finally:
        link.close()


def _pending(operator: Operator) -> str:
    found = json.loads(operator.run("list", "issuing", "--json"))
    return str(next(one["id"] for one in found if one["state"] == "requested"))


def test_from_init_to_a_call_to_renewal_to_refusal(operator: Operator) -> None:
    secret = operator.run("machine", "issuing", "clearing-machine", "--officer", "chen").strip()
    words = (
        "issuing", "--status", "127.0.0.1:0", "--responder", "ocsp.pem", "--responder-key", "ocsp.key",
        "--est", "127.0.0.1:0", "--certificate", "est.pem", "--key", "est.key",
    )  # fmt: skip
    with serving(operator, *words) as places, served(operator.folder / "keys") as (facts, _):
        est, calls = places["est"].rpartition(":")[2], int(facts["tls"].rpartition(":")[2])

        operator.request("clearing.csr", "clearing")
        user = ("-u", f"clearing-machine:{secret}")
        assert _est(operator, est, "device/simpleenroll", "clearing", "-u", "clearing-machine:guess") == "401"
        assert _est(operator, est, "device/simpleenroll", "clearing", *user) == "202"
        first = _pending(operator)
        assert "who asked" not in operator.run("approve", "issuing", first, "--officer", "wang")
        assert _est(operator, est, "device/simpleenroll", "clearing", *user) == "202"
        operator.run("approve", "issuing", first, "--officer", "liu")
        operator.run("issue", "issuing", first, "--officer", "zhao", "--out", "desk.pem")
        assert _est(operator, est, "device/simpleenroll", "clearing", *user) == "200"
        assert len(_call(operator, calls, "clearing")) == 4

        old = (
            "--cert",
            str(operator.folder / "clearing.pem"),
            "--key",
            str(operator.folder / "clearing.key"),
        )
        operator.request("next.csr", "clearing")
        operator.request("stranger.csr", "somebody-else")
        assert _est(operator, est, "simplereenroll", "next") == "403", "without the old certificate"
        assert _est(operator, est, "simplereenroll", "stranger", *old) == "400", "another name"
        assert _est(operator, est, "simplereenroll", "clearing", *old) == "400", "the old key again"
        assert _est(operator, est, "device/simplereenroll", "next", *old) == "202"
        second = _pending(operator)
        operator.approve("issuing", second, "desk.pem")
        assert _est(operator, est, "device/simplereenroll", "next", *old) == "200"
        assert operator.state(first) == "renewed"
        assert len(_call(operator, calls, "next")) == 4

        assert _ocsp(operator, places["status"], "next") == "good"
        operator.run("suspend", "issuing", second, "--officer", "wang")
        operator.publish()
        with pytest.raises(JinkaError):
            _call(operator, calls, "next")
        operator.run("resume", "issuing", second, "--officer", "liu")
        operator.publish()
        assert len(_call(operator, calls, "next")) == 4
        operator.run("revoke", "issuing", second, "--officer", "wang", "--reason", "key-compromise")
        assert _ocsp(operator, places["status"], "next") == "revoked", "at once, before any list"
        operator.publish()
        with pytest.raises(JinkaError):
            _call(operator, calls, "next")
        lists = [_get(places["status"], path) for path in ("/authority.crl", "/delta.crl", "/other.crl")]
        assert [status for status, _ in lists] == [200, 404, 404], (
            "no delta list follows the last complete one"
        )
        newest = read_list(lists[0][1])
        assert read_certificates(operator.folder / "next.pem")[0].serial in newest.entries
        new = ("--cert", str(operator.folder / "next.pem"), "--key", str(operator.folder / "next.key"))
        operator.request("third.csr", "clearing")
        assert _est(operator, est, "simplereenroll", "third", *new) == "400", "who is revoked renews nothing"
        assert len(_call(operator, calls, "clearing")) == 4, "the one before is renewed, not revoked"

    for log in ("root/audit.jsonl", "issuing/audit.jsonl", "issuing/audit-serve.jsonl"):
        assert CliRunner().invoke(app, ["audit", "verify", str(operator.folder / log)]).exit_code == 0
    kept = b"".join(path.read_bytes() for path in (operator.folder / "issuing").rglob("*") if path.is_file())
    assert secret.encode() not in kept


def test_a_killed_server_forgets_no_request(operator: Operator) -> None:
    secret = operator.run("machine", "issuing", "killed-machine", "--officer", "chen").strip()
    operator.request("killed.csr", "killed")
    words = ("issuing", "--est", "127.0.0.1:0", "--certificate", "est.pem", "--key", "est.key")
    user, before = (
        ("-u", f"killed-machine:{secret}"),
        len(json.loads(operator.run("list", "issuing", "--json"))),
    )
    for end in (signal.SIGKILL, signal.SIGTERM):
        with serving(operator, *words, end=end) as places:
            port = places["est"].rpartition(":")[2]
            assert _est(operator, port, "device/simpleenroll", "killed", *user) == "202"
    found = json.loads(operator.run("list", "issuing", "--json"))
    assert len(found) == before + 1
    assert [one["requester"] for one in found if one["name"] == "killed"] == ["killed-machine"]
    log = operator.folder / "issuing" / "audit-serve.jsonl"
    assert CliRunner().invoke(app, ["audit", "verify", str(log)]).exit_code == 0


def test_a_list_that_is_out_of_date_lets_nobody_in(operator: Operator, tmp_path: Path) -> None:
    """The service starts with the list that it has; when that is another authority's, every caller is refused."""
    folder = operator.folder / "keys"
    kept = (folder / "issuing.crl.pem").read_bytes()
    operator.certify("late", "clearing", "device")
    with served(folder) as (facts, _):
        port = int(facts["tls"].rpartition(":")[2])
        assert len(_call(operator, port, "late")) == 4
        operator.run("crl", "root", "--officer", "zhao", "--out", "keys/issuing.crl.pem")
        with pytest.raises(JinkaError):
            _call(operator, port, "late")
        (folder / "issuing.crl.pem").write_bytes(b"nothing")
        with pytest.raises(JinkaError):
            _call(operator, port, "late")
        (folder / "issuing.crl.pem").write_bytes(kept)
        assert len(_call(operator, port, "late")) == 4


def test_what_is_typed_wrong(operator: Operator) -> None:
    operator.request("own.csr", "440300000001")
    name = operator.apply("issuing", "own.csr", "terminal")
    assert "who asked" in operator.run("approve", "issuing", name, "--officer", "chen", code=4)
    assert "not an officer" in operator.run("approve", "issuing", name, "--officer", "nobody", code=4)
    assert "asked for before" in operator.run(
        "apply", "issuing", "own.csr", "--profile", "terminal", "--officer", "chen", code=4
    )
    assert "not possible" in operator.run(
        "issue", "issuing", name, "--officer", "zhao", "--out", "x.pem", code=4
    )
    assert "already" in operator.run("request", "own.csr", "--name", "x", code=4)
    operator.run("revoke", "issuing", name, "--officer", "wang", "--reason", "superseded", code=4)
    operator.run("fetch", "issuing", name, "--out", "x.pem", code=3)
    operator.run("list", "nowhere", code=3)
    shares = sorted((operator.folder / "root" / "custodians").glob("*/share-*.json"))
    for officer in ("wang", "liu"):
        operator.run("approve", "issuing", name, "--officer", officer)
    foreign = [word for share in shares[:2] for word in ("--share", str(share))]
    operator.run("issue", "issuing", name, "--officer", "zhao", "--out", "x.pem", *foreign, code=4)
    assert "已批准" not in operator.run("list", "issuing", name, "--lang", "zh")
    assert "复审通过" in operator.run("list", "issuing", name, "--lang", "zh")
