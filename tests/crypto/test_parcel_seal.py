"""Signatures between centres. Goal: with every kind of key only the centre's own word is believed.

Method: an authority of each kind certifies a centre; then one thing at a time is wrong.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

import pytest

from jinka.codec.parcel import Envelope
from jinka.crypto.parcel_seal import check_seal, seal_parcel
from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_crl import Reason, Revocation, build_list, read_list
from jinka.crypto.x509_fields import KeyUsage, Subject
from jinka.crypto.x509_keys import KeyKind, Signer, Sm2Signer, SoftSigner
from jinka.crypto.x509_path import Trust
from jinka.kit import Refused
from jinka.node.system import SystemRandomness
from tests.parcels import AT, CITY, OTHER, manifest

YEAR = dt.timedelta(days=365)
SIGNS = frozenset({KeyUsage.SIGNATURE, KeyUsage.COMMITMENT})


def _signer(kind: KeyKind) -> Signer:
    if kind is KeyKind.SM2:
        return Sm2Signer.generate(SystemRandomness(), choose_sm2(SystemRandomness()))
    return SoftSigner.generate(kind)


@dataclass(frozen=True)
class Papers:
    signer: Signer
    leaf: bytes
    trust: Trust
    revoked: Trust

    def seal(self) -> Envelope:
        return seal_parcel(manifest(), self.signer, (self.leaf,))


@pytest.fixture(scope="module", params=list(KeyKind), ids=lambda kind: kind.name)
def papers(request: pytest.FixtureRequest) -> Papers:
    authority, signer = _signer(request.param), _signer(request.param)
    above = CertificatePlan(
        serial=1, subject=Subject(common_name="line"), public_der=authority.public_der, not_before=AT - YEAR,
        not_after=AT + YEAR, usages=frozenset({KeyUsage.CERTIFICATES, KeyUsage.CRLS}), path_length=0,
    )  # fmt: skip
    anchor = read_certificate(build_certificate(above, authority))
    plan = replace(
        above,
        serial=2,
        subject=Subject(common_name=CITY),
        public_der=signer.public_der,
        usages=SIGNS,
        path_length=None,
    )
    leaf = build_certificate(plan, authority, anchor)
    lists = [
        read_list(
            build_list(
                anchor, authority, number=number, this_update=AT - YEAR, next_update=AT + YEAR, entries=gone
            )
        )
        for number, gone in ((1, {}), (2, {2: Revocation(since=AT, reason=Reason.KEY_COMPROMISE)}))
    ]
    return Papers(signer, leaf, *(Trust(anchors=(anchor,), lists=(found,)) for found in lists))


def test_the_centres_own_word_is_believed(papers: Papers) -> None:
    check_seal(papers.seal(), CITY, papers.trust, AT)


def test_nothing_else_is(papers: Papers) -> None:
    good = papers.seal()
    other = manifest(amount_fen=751).to_bytes()
    unprefixed = replace(good, signature=papers.signer.sign(good.body))
    for wrong in (
        replace(good, body=other),
        replace(good, body=good.body + b" "),
        replace(good, signature=good.signature[:-1] + bytes([good.signature[-1] ^ 1])),
        replace(good, signature=b"x"),
        replace(good, certificates=(b"x",)),
        unprefixed,
    ):
        with pytest.raises(Refused):
            check_seal(wrong, CITY, papers.trust, AT)


def test_nor_at_another_time_from_another_centre_or_after_a_revocation(papers: Papers) -> None:
    good = papers.seal()
    for centre, trust, at, words in (
        (OTHER, papers.trust, AT, "signed by"),
        (CITY, papers.revoked, AT + dt.timedelta(1), "revoked"),
        (CITY, papers.trust, AT + 2 * YEAR, "not valid"),
        (CITY, replace(papers.trust, lists=()), AT, "no revocation list"),
        (CITY, Trust(anchors=()), AT, "no known authority"),
    ):
        with pytest.raises(Refused, match=words):
            check_seal(good, centre, trust, at)
