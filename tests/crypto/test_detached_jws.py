"""Detached signatures. Goal: only the bytes that were signed, by a key that leads to an anchor, are believed.

Method: RFC 7797's own signing input through an independent library (OpenSSL's command for SM2), every kind of key, and
one thing wrong at a time.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from jinka.crypto.detached_jws import check_detached, sign_detached
from jinka.crypto.sm2 import signature_raw
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_fields import KeyUsage, Subject
from jinka.crypto.x509_keys import KeyKind, Signer, Sm2Signer, SoftSigner
from jinka.crypto.x509_path import Trust
from jinka.crypto.x509_private import private_der
from jinka.kit import Refused
from jinka.node.system import SystemRandomness

AT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
YEAR = dt.timedelta(days=365)
BODY = '{"type":"EPCISDocument","作者":"$.02"}'.encode()


def new_signer(kind: KeyKind) -> SoftSigner | Sm2Signer:
    if kind is KeyKind.SM2:
        return Sm2Signer.generate(SystemRandomness(), choose_sm2(SystemRandomness()))
    return SoftSigner.generate(kind)


@dataclass(frozen=True)
class Papers:
    kind: KeyKind
    signer: SoftSigner | Sm2Signer
    leaf: bytes
    trust: Trust
    authority: SoftSigner | Sm2Signer

    def sign(self, body: bytes = BODY) -> str:
        return sign_detached(body, self.signer, (self.leaf,))


def make_papers(kind: KeyKind, name: str = "farm", usage: KeyUsage = KeyUsage.COMMITMENT) -> Papers:
    authority, signer = new_signer(kind), new_signer(kind)
    above = CertificatePlan(
        serial=1, subject=Subject(common_name="chain"), public_der=authority.public_der, not_before=AT - YEAR,
        not_after=AT + YEAR, usages=frozenset({KeyUsage.CERTIFICATES, KeyUsage.CRLS}), path_length=0,
    )  # fmt: skip
    anchor = read_certificate(build_certificate(above, authority))
    plan = replace(
        above, serial=2, subject=Subject(common_name=name), public_der=signer.public_der,
        usages=frozenset({usage}), path_length=None,
    )  # fmt: skip
    leaf = build_certificate(plan, authority, anchor)
    return Papers(kind, signer, leaf, Trust(anchors=(anchor,)), authority)


@pytest.fixture(scope="module", params=list(KeyKind), ids=lambda kind: kind.name)
def papers(request: pytest.FixtureRequest) -> Papers:
    return make_papers(request.param)


def changed(text: str, **fields: object) -> str:
    head, _, signature = text.split(".")
    found = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))) | fields
    made = base64.urlsafe_b64encode(json.dumps(found).encode()).rstrip(b"=").decode()
    return f"{made}..{signature}"


def test_every_kind_of_key_signs_and_is_believed(papers: Papers) -> None:
    assert check_detached(papers.sign(), BODY, papers.trust, AT).common_name == "farm"


def test_nothing_else_is_believed(papers: Papers) -> None:
    text, other = papers.sign(), make_papers(papers.kind)
    head, _, signature = text.split(".")
    for wrong in (
        "", ".", "..", head, f"{head}.{signature}", f"{head}.e30.{signature}", f"{text}.x", f"{head}..",
        f"{head}..AAAA",
        f"{head}..{signature}=", f"{head}..{signature[:-1]}é", "e30.." + signature, "W10.." + signature,
        changed(text, alg="none"), changed(text, alg="HS256"), changed(text, b64=True), changed(text, crit=[]),
        changed(text, x5c=[]), changed(text, x5c=["!"]), changed(text, x5c="a"), changed(text, x5c=[1]),
        changed(text, kid="x"), "A" * 40_000,
        changed(text, x5c=[base64.b64encode(other.leaf).decode()]),
    ):  # fmt: skip
        with pytest.raises(Refused):
            check_detached(wrong, BODY, papers.trust, AT)
    for body in (BODY + b" ", BODY[1:], b""):
        with pytest.raises(Refused):
            check_detached(text, body, papers.trust, AT)
    for trust, at in ((other.trust, AT), (papers.trust, AT + 2 * YEAR), (Trust(anchors=()), AT)):
        with pytest.raises(Refused):
            check_detached(text, BODY, trust, at)


def test_a_certificate_for_the_connection_signs_no_document() -> None:
    papers = make_papers(KeyKind.ECDSA, usage=KeyUsage.SIGNATURE)
    with pytest.raises(Refused, match="not for non_repudiation"):
        check_detached(papers.sign(), BODY, papers.trust, AT)


def test_two_names_in_a_header_are_refused() -> None:
    papers = make_papers(KeyKind.ECDSA)
    twice = base64.urlsafe_b64encode(b'{"alg":"none","alg":"ES256"}').rstrip(b"=").decode()
    with pytest.raises(Refused, match="no JSON"):
        check_detached(f"{twice}..AAAA", BODY, papers.trust, AT)


def test_another_library_checks_what_was_signed_as_es256() -> None:
    papers = make_papers(KeyKind.ECDSA)
    head, _, signature = papers.sign().split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = serialization.load_der_public_key(papers.signer.public_der)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(der, head.encode() + b"." + BODY, ec.ECDSA(hashes.SHA256()))


def test_what_openssl_signed_with_sm2_is_believed(tmp_path: Path) -> None:
    papers = make_papers(KeyKind.SM2)
    if shutil.which("openssl") is None:
        pytest.skip("no openssl")
    head = papers.sign().partition(".")[0]
    (tmp_path / "key.der").write_bytes(private_der(papers.signer))
    (tmp_path / "text").write_bytes(head.encode() + b"." + BODY)
    made = subprocess.run(
        ["openssl", "pkeyutl", "-sign", "-rawin", "-digest", "sm3", "-inkey", "key.der", "-keyform", "DER",
         "-pkeyopt", "distid:1234567812345678", "-in", "text"],
        cwd=tmp_path, capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip(f"openssl without SM2: {made.stderr.decode()[:80]}")
    signature = base64.urlsafe_b64encode(signature_raw(made.stdout)).rstrip(b"=").decode()
    assert check_detached(f"{head}..{signature}", BODY, papers.trust, AT).common_name == "farm"


def test_a_longer_curve_is_not_es256() -> None:
    signer: Signer = SoftSigner(ec.generate_private_key(ec.SECP384R1()))
    with pytest.raises(Refused, match="not on P-256"):
        sign_detached(BODY, signer, ())
