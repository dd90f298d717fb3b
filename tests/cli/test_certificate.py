"""`jinka certificate`: a rehearsal's certificates are shown, believed and refused, here and by OpenSSL."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jinka.cli.certificate import app

kinds = pytest.mark.parametrize("algorithm", ["sm2", "ecdsa", "rsa"])


def _run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, list(map(str, words)))


def _check(folder: Path, *more: str | Path) -> Result:
    trust = ("--anchor", folder / "root.pem", "--authority", folder / "issuing.pem")
    return _run("check", folder / "centre.pem", *trust, *more)


@kinds
def test_a_rehearsal_is_believed(tmp_path: Path, algorithm: str) -> None:
    assert _run("rehearse", tmp_path, "--algorithm", algorithm).exit_code == 0
    lists = ("--crl", tmp_path / "root.crl", "--crl", tmp_path / "issuing.crl")
    done = _check(tmp_path, *lists, "--for", "server", "--dns", "centre.example", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["path"] == ["centre.rehearsal", "rehearsal authority", "rehearsal root"]
    shown = json.loads(_run("show", tmp_path / "centre.pem", "--json").stdout)[0]
    assert (shown["key"], shown["organisation_code"]) == (algorithm.upper(), "91350100M000100Y43")
    assert "key: " + algorithm.upper() in _run("show", tmp_path / "root.pem").stdout
    everything = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"PRIVATE" not in everything


def test_what_is_refused(tmp_path: Path) -> None:
    _run("rehearse", tmp_path, "--algorithm", "ecdsa")
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(days=9999)).date().isoformat()
    for more in (
        ("--for", "encrypt"),
        ("--dns", "other.example"),
        ("--date", "2000-01-01"),
        ("--date", later),
        ("--crl", tmp_path / "root.crl"),
    ):
        done = _check(tmp_path, *more)
        assert done.exit_code == 4, done.output
    assert _run("check", tmp_path / "centre.pem", "--anchor", tmp_path / "issuing.pem").exit_code == 0
    assert _run("check", tmp_path / "centre.pem", "--anchor", tmp_path / "root.pem").exit_code == 4
    assert _run("show", tmp_path / "absent.pem").exit_code == 3
    (tmp_path / "junk.pem").write_text("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n")
    assert _run("show", tmp_path / "junk.pem").exit_code == 4


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
def test_a_request_of_openssl_is_certified(tmp_path: Path) -> None:
    """The key stays with its owner; what comes back is the certificate for it, and OpenSSL believes it."""
    key, request = tmp_path / "key.pem", tmp_path / "request.pem"
    subject = "/C=CN/O=Shenzhen/2.5.4.97=91350100M000100Y43/CN=centre 7"
    subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
         "-keyout", key, "-subj", subject, "-addext", "subjectAltName=DNS:seven.example", "-out", request],
        check=True, capture_output=True,
    )  # fmt: skip
    done = _run("rehearse", tmp_path / "ca", "--algorithm", "ecdsa", "--request", request)
    assert done.exit_code == 0, done.stderr
    assert _check(tmp_path / "ca", "--for", "client", "--dns", "seven.example").exit_code == 0
    believed = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", tmp_path / "ca/root.pem",
         "-untrusted", tmp_path / "ca/issuing.pem", tmp_path / "ca/centre.pem"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert believed.returncode == 0, believed.stderr
