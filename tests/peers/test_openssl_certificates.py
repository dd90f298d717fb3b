"""What is made here, OpenSSL accepts, and the other way round: certificates, requests, lists, OCSP.

Goal: nobody needs Jinka to check what Jinka signed. Method: the ``openssl`` program of the system is the oracle; what
it must accept it accepts, and the same with one thing broken it refuses.

SM2 there: ``openssl verify -vfyopt distid:`` sets the id for the end certificate alone, so a path is verified link by
link; ``openssl crl`` and ``openssl ocsp`` know no id at all, so body and signature of lists and answers are cut out by
``openssl asn1parse`` and verified by ``openssl dgst -sigopt distid:``.
"""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from asn1crypto import ocsp as core_ocsp

from jinka.crypto import x509_ocsp as ocsp
from jinka.crypto.x509_build import build_certificate
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason, Revocation, build_list
from jinka.crypto.x509_fields import Purpose, Subject
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_request import build_request, read_request
from jinka.kit import Refused, Usage
from tests.crypto.x509_rig import CITY, CODE, START, pem, plan, signer, tree

DISTID = "distid:1234567812345678"
DAY = dt.timedelta(days=1)
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)  # openssl's clock cannot be set everywhere

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl")
kinds = pytest.mark.parametrize("kind", list(KeyKind), ids=lambda kind: kind.name)


def _openssl(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


def _files(folder: Path, kind: KeyKind) -> dict[str, Path]:
    found = tree(kind)
    files = {}
    for name, der in (("root", found.root.der), ("issuing", found.issuing.der), ("leaf", found.leaf.der)):
        files[name] = folder / f"{name}.pem"
        files[name].write_text(pem(der))
    files["both"] = folder / "both.pem"
    files["both"].write_text(pem(found.root.der) + pem(found.issuing.der))
    return files


def _verify(kind: KeyKind, files: dict[str, Path], *more: str | Path) -> subprocess.CompletedProcess[str]:
    if kind is not KeyKind.SM2:
        words = ("-CAfile", files["root"], "-untrusted", files["issuing"], files["leaf"])
        return _openssl("verify", "-x509_strict", *more, *words)
    first = _openssl("verify", "-x509_strict", "-vfyopt", DISTID, "-CAfile", files["root"], files["issuing"])
    assert first.returncode == 0, first.stderr
    words = ("-partial_chain", "-trusted", files["issuing"], files["leaf"])
    return _openssl("verify", "-x509_strict", "-vfyopt", DISTID, *more, *words)


def _require_sm2_signature(folder: Path, raw: bytes, public_der: bytes) -> None:
    """OpenSSL cuts SEQUENCE { body, algorithm, signature } apart and verifies the signature over the body."""
    whole, key = folder / "whole.der", folder / "key.pem"
    whole.write_bytes(raw)
    key.write_text(pem(public_der, "PUBLIC KEY"))
    listed = _openssl("asn1parse", "-inform", "DER", "-in", whole).stdout.splitlines()
    at = [int(line.split(":")[0]) for line in listed if ":d=1 " in line]
    body, signature = folder / "body.der", folder / "signature.der"
    for start, file in ((at[0], body), (at[2], signature)):
        _openssl("asn1parse", "-inform", "DER", "-in", whole, "-strparse", str(start), "-noout", "-out", file)
    words = ("dgst", "-sm3", "-sigopt", DISTID, "-verify", key, "-signature", signature)
    assert "Verified OK" in _openssl(*words, body).stdout
    wrong = body.read_bytes()
    body.write_bytes(wrong[:-1] + bytes((wrong[-1] ^ 1,)))
    assert "Verified OK" not in _openssl(*words, body).stdout


def _crl(kind: KeyKind, number: int, entries: dict[int, Revocation], base: int | None = None) -> bytes:
    issuer = tree(kind).root if number >= 100 else tree(kind).issuing
    return build_list(
        issuer, signer(kind, 1 if number >= 100 else 2), number=number, base_number=base,
        this_update=NOW - DAY, next_update=NOW + DAY, entries=entries,
    )  # fmt: skip


@kinds
def test_a_path_is_accepted(tmp_path: Path, kind: KeyKind) -> None:
    files = _files(tmp_path, kind)
    done = _verify(kind, files)
    assert done.returncode == 0, done.stderr
    assert _verify(kind, files, "-purpose", "sslserver").returncode == 0
    assert _verify(kind, files, "-purpose", "smimeencrypt").returncode != 0


def test_an_sm2_path_is_refused_under_another_distinguishing_id(tmp_path: Path) -> None:
    files = _files(tmp_path, KeyKind.SM2)
    words = ("verify", "-CAfile", files["root"], "-untrusted", files["issuing"], files["leaf"])
    assert _openssl(*words[:1], "-vfyopt", "distid:8765432187654321", *words[1:]).returncode != 0


@kinds
def test_names_outside_the_constraints_are_refused(tmp_path: Path, kind: KeyKind) -> None:
    files = _files(tmp_path, kind)
    other_dns = replace(plan(4, kind, "x"), dns_names=("gz.example",))
    other_org = replace(plan(4, kind, "x"), subject=Subject(common_name="x", organisation="广州"))
    for wanted in (other_dns, other_org):
        files["leaf"].write_text(pem(tree(kind).issue(wanted).der))
        done = _verify(kind, files)
        assert done.returncode != 0
        assert "permitted subtree violation" in done.stderr


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.ECDSA], ids=lambda kind: kind.name)
def test_lists_are_accepted_and_obeyed(tmp_path: Path, kind: KeyKind) -> None:
    files, lists = _files(tmp_path, kind), tmp_path / "lists.pem"
    revoked = {3: Revocation(since=NOW - DAY, reason=Reason.KEY_COMPROMISE)}
    top = pem(_crl(kind, 100, {}), "X509 CRL")
    for entries, code in (({}, 0), (revoked, 2)):
        lists.write_text(top + pem(_crl(kind, 1, entries), "X509 CRL"))
        done = _verify(kind, files, "-crl_check_all", "-CRLfile", lists)
        assert done.returncode == code, done.stderr
        assert ("certificate revoked" in done.stderr) == bool(code)


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.ECDSA], ids=lambda kind: kind.name)
def test_a_list_is_verified_by_itself(tmp_path: Path, kind: KeyKind) -> None:
    files, one = _files(tmp_path, kind), tmp_path / "one.der"
    raw = _crl(kind, 1, {9: Revocation(since=NOW, reason=Reason.ON_HOLD)})
    for body, word in ((raw, "verify OK"), (raw[:-1] + bytes((raw[-1] ^ 1,)), "verify failure")):
        one.write_bytes(body)
        done = _openssl("crl", "-inform", "DER", "-in", one, "-CAfile", files["both"], "-noout", "-text")
        assert word in done.stderr
        assert "Certificate Hold" in done.stdout


def test_sm2_lists_are_verified(tmp_path: Path) -> None:
    held = {3: Revocation(since=NOW - DAY, reason=Reason.ON_HOLD)}
    for raw in (_crl(KeyKind.SM2, 1, held), _crl(KeyKind.SM2, 2, {}, base=1)):
        _require_sm2_signature(tmp_path, raw, tree(KeyKind.SM2).issuing.public_der)


@kinds
def test_delta_lists_are_read(tmp_path: Path, kind: KeyKind) -> None:
    held, file = {3: Revocation(since=NOW - DAY, reason=Reason.ON_HOLD)}, tmp_path / "delta.der"
    file.write_bytes(_crl(kind, 2, held, base=1))
    done = _openssl("crl", "-inform", "DER", "-in", file, "-noout", "-text")
    assert "X509v3 Delta CRL Indicator: critical" in done.stdout


@kinds
def test_requests_are_accepted(tmp_path: Path, kind: KeyKind) -> None:
    file = tmp_path / "request.der"
    wanted = Subject(common_name="终端一", organisation=CITY, organisation_code=CODE)
    file.write_bytes(build_request(wanted, signer(kind, 3), ("t1.sz.example",)))
    distid = ("-vfyopt", DISTID) if kind is KeyKind.SM2 else ()
    done = _openssl("req", "-inform", "DER", "-in", file, "-noout", "-verify", "-text", *distid)
    assert "verify OK" in done.stderr + done.stdout
    assert "DNS:t1.sz.example" in done.stdout


@pytest.mark.parametrize("curve", ["SM2", "prime256v1", "secp384r1"])
def test_requests_of_openssl_are_read(tmp_path: Path, curve: str) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "request.der"
    assert (
        _openssl(
            "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", key
        ).returncode
        == 0
    )
    subject = ("-utf8", "-subj", f"/C=CN/O={CITY}/CN=t2", "-addext", "subjectAltName=DNS:t2.sz.example")
    distid = ("-sm3", "-sigopt", DISTID) if curve == "SM2" else ("-sha256",)
    done = _openssl("req", "-new", "-key", key, *distid, *subject, "-outform", "DER", "-out", file)
    assert done.returncode == 0, done.stderr
    request = read_request(file.read_bytes())
    assert request.subject == Subject(common_name="t2", organisation=CITY)
    assert request.dns_names == ("t2.sz.example",)


def test_an_sm2_request_under_another_id_is_refused(tmp_path: Path) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "request.der"
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:SM2", "-out", key)
    _openssl(
        "req", "-new", "-key", key, "-sm3", "-sigopt", "distid:ALICE123@YAHOO.COM", "-subj", "/C=CN/CN=t2",
        "-outform", "DER", "-out", file,
    )  # fmt: skip
    with pytest.raises(Refused, match="signature is wrong"):
        read_request(file.read_bytes())


def _responder(kind: KeyKind) -> ocsp.Responder:
    wanted = replace(plan(5, kind, "OCSP"), purposes=frozenset({Purpose.OCSP}), dns_names=())
    return ocsp.Responder(certificate=tree(kind).issue(wanted), signer=signer(kind, 5))


def _answered(request: ocsp.OcspRequest, responder: ocsp.Responder, revoked: bool, nonce: bytes) -> bytes:
    status = (NOW - DAY, Reason.KEY_COMPROMISE) if revoked else None
    answers = [ocsp.Answer(question=question, known=True, revoked=status) for question in request.questions]
    return ocsp.build_answer(
        answers, responder, at=NOW - dt.timedelta(minutes=1), next_update=NOW + DAY, nonce=nonce
    )


@kinds
@pytest.mark.parametrize("delegated", [False, True], ids=["issuer", "responder"])
@pytest.mark.parametrize("revoked", [False, True], ids=["good", "revoked"])
def test_answers_are_accepted(tmp_path: Path, kind: KeyKind, delegated: bool, revoked: bool) -> None:
    files, asked, answer = _files(tmp_path, kind), tmp_path / "asked.der", tmp_path / "answer.der"
    base = ("ocsp", "-issuer", files["issuing"], "-cert", files["leaf"])
    assert _openssl(*base, "-reqout", asked).returncode == 0
    request = ocsp.read_request(asked.read_bytes())
    assert len(request.nonce) == 16
    whole = ocsp.Responder(certificate=tree(kind).issuing, signer=signer(kind, 2))
    responder = _responder(kind) if delegated else whole
    trust = ("-CAfile", files["both"]) if kind is not KeyKind.SM2 else ("-noverify",)
    answer.write_bytes(_answered(request, responder, revoked, request.nonce))
    done = _openssl(*base, "-no_nonce", "-reqin", asked, "-respin", answer, *trust)
    if kind is not KeyKind.SM2:
        assert "Response verify OK" in done.stderr, done.stderr
    assert f"{files['leaf']}: {'revoked' if revoked else 'good'}" in done.stdout
    if revoked:
        assert "keyCompromise" in done.stdout
    if kind is KeyKind.SM2:
        inner = core_ocsp.OCSPResponse.load(answer.read_bytes())["response_bytes"]["response"]
        _require_sm2_signature(tmp_path, bytes(inner), responder.certificate.public_der)


def test_a_broken_answer_is_refused(tmp_path: Path) -> None:
    kind = KeyKind.ECDSA
    files, asked, answer = _files(tmp_path, kind), tmp_path / "asked.der", tmp_path / "answer.der"
    base = ("ocsp", "-issuer", files["issuing"], "-cert", files["leaf"], "-CAfile", files["both"])
    _openssl(*base, "-reqout", asked)
    request = ocsp.read_request(asked.read_bytes())
    foreign = replace(plan(5, kind, "OCSP"), dns_names=())  # a good certificate, without the purpose
    wrong = ocsp.Responder(certificate=tree(kind).issue(foreign), signer=signer(kind, 5))
    answer.write_bytes(_answered(request, wrong, False, request.nonce))
    assert "Response verify OK" not in _openssl(*base, "-no_nonce", "-reqin", asked, "-respin", answer).stderr
    with pytest.raises(Refused, match="may not answer"):
        ocsp.check_answer(answer.read_bytes(), tree(kind).issuing, 3, nonce=request.nonce, at=NOW)


@pytest.mark.parametrize("kind", [KeyKind.RSA, KeyKind.ECDSA], ids=lambda kind: kind.name)
def test_certificates_of_openssl_are_read(tmp_path: Path, kind: KeyKind) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "root.der"
    algorithm = ("rsa:2048",) if kind is KeyKind.RSA else ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
    _openssl(
        "req", "-x509", "-new", "-newkey", *algorithm, "-nodes", "-keyout", key, "-subj", "/C=CN/CN=root", "-sha256",
        "-outform", "DER", "-out", file,
    )  # fmt: skip
    found = read_certificate(file.read_bytes())
    assert found.authority
    found.require_signed_by(found)


def test_a_signer_for_another_key_is_refused() -> None:
    with pytest.raises(Usage, match="not the issuer's"):
        build_certificate(plan(4, KeyKind.ECDSA, "x"), signer(KeyKind.ECDSA, 3), tree(KeyKind.ECDSA).issuing)
    assert START < NOW
