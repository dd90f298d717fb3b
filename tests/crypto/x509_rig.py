"""A small authority for tests of certificates: root, issuing authority, end certificate, by kind of key."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import dataclass, replace
from functools import cache

from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_fields import Constraints, KeyUsage, Purpose, Subject, organisation_tree
from jinka.crypto.x509_keys import KeyKind, Signer, Sm2Signer, SoftSigner
from tests.crypto.sm2_rig import Seeded

START = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2060, 1, 1, tzinfo=dt.UTC)
NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
CODE = "91350100M000100Y43"
CITY = "深圳通"
AUTHORITY = frozenset({KeyUsage.CERTIFICATES, KeyUsage.CRLS})


@cache
def signer(kind: KeyKind, number: int) -> Signer:
    """The same key for the same number, within one run."""
    if kind is KeyKind.SM2:
        return Sm2Signer.generate(Seeded(number), choose_sm2(Seeded(number + 100)))
    return SoftSigner.generate(kind)


def plan(number: int, kind: KeyKind, name: str) -> CertificatePlan:
    """An end certificate of the city's; tests replace what they try."""
    return CertificatePlan(
        serial=number,
        subject=Subject(common_name=name, organisation=CITY, organisation_code=CODE),
        public_der=signer(kind, number).public_der,
        not_before=START,
        not_after=END,
        usages=frozenset({KeyUsage.SIGNATURE}),
        purposes=frozenset({Purpose.CLIENT, Purpose.SERVER}),
        dns_names=("t1.sz.example",),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Root (key 1), issuing authority (2) and leaf (3) of one kind."""

    kind: KeyKind
    root: Certificate
    issuing: Certificate
    leaf: Certificate

    def issue(self, wanted: CertificatePlan) -> Certificate:
        return read_certificate(build_certificate(wanted, signer(self.kind, 2), self.issuing))


def root_plan(kind: KeyKind) -> CertificatePlan:
    return replace(
        plan(1, kind, "国家根"),
        subject=Subject(common_name="国家根", organisation="金卡"),
        usages=AUTHORITY, purposes=frozenset(), dns_names=(), path_length=1,
    )  # fmt: skip


def issuing_plan(kind: KeyKind) -> CertificatePlan:
    return replace(
        plan(2, kind, "深圳发证"),
        usages=AUTHORITY, purposes=frozenset(), dns_names=(), path_length=0,
        constraints=Constraints(
            permitted_dns=("sz.example",), excluded_dns=("bad.sz.example",), permitted_trees=(organisation_tree(CITY),)
        ),
    )  # fmt: skip


@cache
def tree(kind: KeyKind) -> Tree:
    root = read_certificate(build_certificate(root_plan(kind), signer(kind, 1)))
    issuing = read_certificate(build_certificate(issuing_plan(kind), signer(kind, 1), root))
    leaf = build_certificate(plan(3, kind, "终端一"), signer(kind, 2), issuing)
    return Tree(kind=kind, root=root, issuing=issuing, leaf=read_certificate(leaf))


def pem(der: bytes, label: str = "CERTIFICATE") -> str:
    text = base64.encodebytes(der).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"
