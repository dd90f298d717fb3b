"""`jinka certificate` with SM2, with a key service, and between provinces. Goal: what is typed does what it says.

Method: commands in one folder; OpenSSL and the reader of envelopes judge what comes out.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from jinka.app.certificates import read_certificates, read_ders
from jinka.cli.main import app
from jinka.crypto.sm2_envelope import open_envelope
from jinka.crypto.sm2_keys import public_info, read_private_info
from jinka.crypto.sm2_libcrypto import choose_sm2
from tests.crypto.sm2_rig import Seeded
from tests.keys.serving import served

CODE, CITY = "91350100M000100Y43", "深圳通"
ORGANISATION = ("--organisation", CITY, "--code", CODE)


class Typed:
    """Types in one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *words: str, code: int = 0) -> str:
        with contextlib.chdir(self.folder):
            done = CliRunner().invoke(app, ["certificate", *words])
        assert done.exit_code == code, done.output
        return done.stderr if code else done.stdout

    def init(self, folder: str, name: str, algorithm: str, *more: str) -> None:
        people = [word for one in ("chen", "wang", "liu", "zhao") for word in ("--officer", one)]
        custody = [word for one in ("Li", "Wu", "He") for word in ("--custodian", one)]
        self.run(
            "init", folder, "--name", name, "--algorithm", algorithm, *ORGANISATION, *people, *custody, *more
        )

    def issued(self, folder: str, request: str, profile: str, out: str, *more: str, keys: str = "") -> str:
        words = ("apply", folder, request, "--profile", profile, "--officer", "chen", "--json", *more)
        name = str(json.loads(self.run(*words))["id"])
        for officer in ("wang", "liu"):
            self.run("approve", folder, name, "--officer", officer)
        service = ("--keys", keys) if keys else ()
        self.run("issue", folder, name, "--officer", "zhao", "--out", out, *service)
        return name

    def authority(self, root: str, folder: str, algorithm: str, *, name: str) -> None:
        self.init(root, f"{name} root", algorithm, "--root")
        self.init(folder, name, algorithm)
        self.issued(
            root, f"{folder}/request.pem", "authority", f"{folder}.pem", "--permit-organisation", CITY
        )
        above = f"{root}/authority.pem"
        self.run("install", folder, f"{folder}.pem", "--above", above, "--officer", "chen")


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    return Typed(tmp_path)


def test_an_sm2_pair_and_its_recovery(typed: Typed) -> None:
    typed.authority("root", "ca", "sm2", name="city")
    for file in ("lost", "new"):
        typed.run("request", f"{file}.csr", "--name", "org", *ORGANISATION, "--algorithm", "sm2")
    lost = typed.issued("ca", "lost.csr", "organisation", "lost.pem")
    new = typed.issued("ca", "new.csr", "organisation", "new.pem")
    encryption = read_certificates(typed.folder / "lost.encryption.pem")[0]

    def opened(envelope: str, key: str) -> bytes:
        owner = read_private_info(read_ders(typed.folder / key)[0])
        found = open_envelope((typed.folder / envelope).read_bytes(), owner, choose_sm2(Seeded(1)))
        return public_info(found.public_key())

    assert opened("lost.envelope", "lost.key") == encryption.public_der
    order = ("recover", "ca", lost, "--to", new, "--out", "again.envelope")
    typed.run(*order, "--by", "wang", code=2)
    typed.run(*order, "--by", "wang", "--by", "wang", code=4)
    typed.run(*order, "--by", "wang", "--by", "chen", code=4)
    assert not (typed.folder / "again.envelope").exists()
    typed.run(*order, "--by", "wang", "--by", "liu")
    assert opened("again.envelope", "new.key") == encryption.public_der
    typed.run("crl", "ca", "--officer", "liu", "--out", "ca.crl")
    typed.run("crl", "root", "--officer", "liu", "--out", "root.crl")
    shown = typed.run(
        "check", "new.pem", "--anchor", "root/authority.pem", "--crl", "ca.crl", "--crl", "root.crl"
    )
    assert shown.strip() == "org < city < city root"
    typed.run("revoke", "ca", new, "--officer", "wang", "--reason", "superseded")
    typed.run("crl", "ca", "--officer", "liu", "--out", "ca.crl")
    lists = ("--crl", "ca.crl", "--crl", "root.crl")
    assert "revoked" in typed.run("check", "new.pem", "--anchor", "root/authority.pem", *lists, code=4)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
@pytest.mark.parametrize("algorithm", ["ecdsa", "rsa"])
def test_the_key_may_live_in_a_service_of_its_own(typed: Typed, algorithm: str) -> None:
    """`jinka keys serve` holds it; the officers' process has neither key nor shares, and nothing else in reach."""
    typed.authority("root", "ca", algorithm, name="city")
    kind = {"ecdsa": "P-256", "rsa": "RSA"}[algorithm]
    (typed.folder / "ca" / "keys.toml").write_text(
        f'[callers.authority]\nuid = {os.getuid()}\nverbs = ["sign", "public_key", "seal_image", "open_image"]\n'
        f'keys = ["sign/{kind}/*", "record_seal/*"]\n'
    )
    typed.run("request", "t.csr", "--name", "440300000001", *ORGANISATION, "--algorithm", algorithm)
    with served(typed.folder / "ca"):
        (typed.folder / "ca" / "custodians").rename(typed.folder / "away")
        typed.issued("ca", "t.csr", "terminal", "t.pem", keys="ca/keys.sock")
        typed.run("crl", "ca", "--officer", "zhao", "--out", "ca.crl.pem", "--keys", "ca/keys.sock")
        typed.run("crl", "root", "--officer", "zhao", "--out", "x.crl", "--keys", "ca/keys.sock", code=4)
    typed.run("crl", "ca", "--officer", "zhao", "--out", "ca.crl.pem", code=4)
    chain = [
        typed.folder / name for name in ("root/authority.pem", "ca/authority.pem", "t.pem", "ca.crl.pem")
    ]
    believed = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-crl_check", "-CAfile", chain[0], "-untrusted", chain[1],
         "-CRLfile", chain[3], chain[2]],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert believed.returncode == 0, believed.stderr


def test_a_province_certifies_anothers_authority(typed: Typed) -> None:
    """An authority's certificate from a foreign root is a cross-certificate: who trusts that root believes both."""
    typed.authority("gd-root", "gd", "ecdsa", name="Guangdong")
    typed.authority("fj-root", "fj", "sm2", name="Fujian")
    typed.run("request", "t.csr", "--name", "350100000001", *ORGANISATION)
    typed.issued("fj", "t.csr", "terminal", "t.pem")
    trust = ("--anchor", "gd-root/authority.pem")
    typed.run("check", "t.pem", *trust, code=4)
    limits = ("--permit-organisation", CITY)
    name = typed.issued("gd-root", "fj/request.pem", "authority", "cross.pem", *limits)
    assert typed.run("check", "t.pem", "--authority", "cross.pem", *trust).strip() == (
        "350100000001 < Fujian < Guangdong root"
    )
    typed.run("crl", "fj", "--officer", "wang", "--out", "fj.crl")
    typed.run("revoke", "gd-root", name, "--officer", "wang", "--reason", "cessation")
    typed.run("crl", "gd-root", "--officer", "wang", "--out", "gd.crl")
    lists = ("--crl", "gd.crl", "--crl", "fj.crl")
    assert "revoked" in typed.run("check", "t.pem", "--authority", "cross.pem", *trust, *lists, code=4)


def test_officers_and_words(typed: Typed) -> None:
    typed.init("root", "r", "ecdsa", "--root")
    assert "sun" in typed.run("officer", "root", "sun", "--by", "wang", "--by", "liu").split()
    assert (
        "chen" not in typed.run("officer", "root", "chen", "--dismiss", "--by", "wang", "--by", "liu").split()
    )
    typed.run("request", "o.csr", "--name", "ocsp", *ORGANISATION)
    request = ("apply", "root", "o.csr", "--profile", "responder", "--officer")
    assert "not an officer" in typed.run(*request, "chen", code=4)
    assert "状态查询证书" in typed.run(*request, "sun", "--lang", "zh")
    typed.run(
        "apply", "root", "o.csr", "--profile", "responder", "--officer", "sun", "--permit-dns", "x", code=2
    )
    typed.run("init", "few", "--name", "x", "--officer", "a", "--custodian", "A", "--custodian", "B", code=2)
    typed.run("serve", "root", code=2)
    typed.run("serve", "root", "--status", "127.0.0.1:0", code=2)
    typed.run(
        "serve", "root", "--status", "nowhere", "--responder", "o.csr", "--responder-key", "o.key", code=2
    )
