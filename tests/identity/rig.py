"""A root and an issuing authority with four officers, for tests; by kind of key."""

from __future__ import annotations

import datetime as dt

from jinka.crypto.sm2_libcrypto import choose_sm2
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_fields import Constraints, Subject, organisation_tree
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_path import Trust
from jinka.crypto.x509_request import build_request
from jinka.identity import (
    ROOT_PROFILES,
    Act,
    Addresses,
    Application,
    CertificateAuthority,
    Issued,
    MemoryArchive,
    ProfileName,
    SealedEscrow,
    SoftSeal,
    make_root,
)
from tests.crypto.sm2_rig import Seeded
from tests.crypto.x509_rig import CITY, CODE, END, START, signer

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CLERK, FIRST, SECOND, THIRD = "chen.clerk", "wang.first", "liu.second", "zhao.third"
OFFICERS = frozenset({CLERK, FIRST, SECOND, THIRD})
ADDRESSES = Addresses(crl_url="http://crl.sz.example/sz.crl", ocsp_url="http://ocsp.sz.example/")


def subject(name: str = "深圳市某公司") -> Subject:
    return Subject(common_name=name, organisation=CITY, organisation_code=CODE)


class Scheme:
    """Root (key 1) and issuing authority (key 2), both run by their officers, and what the city trusts."""

    def __init__(self, kind: KeyKind) -> None:
        self.kind = kind
        top = Subject(common_name="国家根", organisation="金卡")
        self.root_certificate = make_root(top, signer(kind, 1), 1, START, END)
        self.root = CertificateAuthority(
            self.root_certificate, signer(kind, 1), Seeded(31), OFFICERS, ROOT_PROFILES, addresses=ADDRESSES
        )
        limits = Constraints(permitted_dns=("sz.example",), permitted_trees=(organisation_tree(CITY),))
        name = self.root.submit(
            ProfileName.AUTHORITY,
            build_request(subject("深圳发证"), signer(kind, 2)),
            CLERK,
            NOW,
            constraints=limits,
        ).id
        self.issuing_certificate = read_certificate(approve_and_issue(self.root, name).certificate)
        self.archive = MemoryArchive()
        sealing = SoftSeal(bytes(range(32)), Seeded(35))
        self.escrow = SealedEscrow(sealing, choose_sm2(Seeded(32)), Seeded(33), self.archive)
        self.issuing = CertificateAuthority(
            self.issuing_certificate,
            signer(kind, 2),
            Seeded(34),
            OFFICERS,
            addresses=ADDRESSES,
            escrow=self.escrow,
        )
        self.trust = Trust(anchors=(self.root_certificate,))

    def submit(
        self, profile: ProfileName, key: int, who: Subject | None = None, dns: tuple[str, ...] = ()
    ) -> Application:
        request = build_request(who or subject(), signer(self.kind, key), dns)
        return self.issuing.submit(profile, request, CLERK, NOW)

    def issued(
        self, profile: ProfileName, key: int, who: Subject | None = None, dns: tuple[str, ...] = ()
    ) -> Issued:
        return approve_and_issue(self.issuing, self.submit(profile, key, who, dns).id)

    def certified(
        self, profile: ProfileName, key: int, who: Subject | None = None
    ) -> tuple[bytes, Certificate]:
        """(application's id, certificate)."""
        name = self.submit(profile, key, who).id
        return name, read_certificate(approve_and_issue(self.issuing, name).certificate)


def approve_and_issue(authority: CertificateAuthority, name: bytes, at: dt.datetime = NOW) -> Issued:
    authority.act(name, Act.APPROVE, FIRST, at)
    authority.act(name, Act.APPROVE, SECOND, at)
    return authority.issue(name, THIRD, at)
