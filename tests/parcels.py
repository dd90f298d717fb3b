"""What tests of the exchange between centres share: manifests, and a played authority with centres' signing keys."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from jinka.codec.parcel import FIRST, Envelope, FileEntry, Kind, Manifest, Receipt
from jinka.crypto.parcel_seal import seal_parcel
from jinka.crypto.x509_certificate import read_certificate
from jinka.crypto.x509_fields import Constraints, Subject
from jinka.crypto.x509_keys import KeyKind, SoftSigner
from jinka.crypto.x509_path import Trust
from jinka.crypto.x509_request import build_request
from jinka.identity import ROOT_PROFILES, Act, CertificateAuthority, ProfileName, make_root
from jinka.node.system import SystemRandomness

CITY, OTHER, PARENT = "440300", "440100", "440000"
DAY = dt.date(2026, 6, 1)
NOW = 1_780_300_000_000_000
AT = dt.datetime.fromtimestamp(NOW // 1_000_000, dt.UTC)
CODE = "91350100M000100Y43"
_CLERK, _OFFICERS = "clerk", ("first", "second", "third")


def entry(**more: Any) -> FileEntry:
    """An entry of a file that needs not be there."""
    known: dict[str, Any] = {
        "name": "records.parquet", "size": 1000, "rows": 3, "sha256": bytes(range(32)), "schema": "jinka.record/1",
    }  # fmt: skip
    return FileEntry(**known | more)


def manifest(number: int = 1, **more: Any) -> Manifest:
    """A manifest of the city to its parent."""
    known: dict[str, Any] = {
        "sender": CITY, "receiver": PARENT, "kind": Kind.RECORDS, "number": number, "business_date": DAY,
        "files": (entry(),), "count": 3, "amount_fen": 750, "made_micros": NOW,
        "previous": FIRST if number == 1 else bytes([number % 256] * 32),
    }  # fmt: skip
    return Manifest(**known | more)


@dataclass(frozen=True)
class Signatory:
    """A centre's signing key and its certificates."""

    code: str
    signer: SoftSigner
    certificates: tuple[bytes, ...]

    def seal(self, body: Manifest | Receipt) -> Envelope:
        return seal_parcel(body, self.signer, self.certificates)


class Line:
    """A played authority for the centres of one line."""

    def __init__(self, at: dt.datetime = AT) -> None:
        self.at, randomness = at, SystemRandomness()
        top, middle = (SoftSigner.generate(KeyKind.ECDSA) for _ in range(2))
        name = Subject(common_name="line root", organisation="Jinka test")
        self.root = make_root(name, top, 1, at - dt.timedelta(1), at + dt.timedelta(3650))
        officers = frozenset((_CLERK, *_OFFICERS))
        above = CertificateAuthority(self.root, top, randomness, officers, ROOT_PROFILES)
        wish = build_request(
            Subject(common_name="line authority", organisation="Jinka", organisation_code=CODE), middle
        )
        self.issuing = read_certificate(
            self._certify(above, ProfileName.AUTHORITY, wish, Constraints(permitted_dns=("localhost",)))
        )
        self.authority = CertificateAuthority(self.issuing, middle, randomness, officers)
        self.trust = Trust(anchors=(self.root, self.issuing))

    def signatory(self, code: str) -> Signatory:
        signer = SoftSigner.generate(KeyKind.ECDSA)
        leaf = self.certificate(ProfileName.ORGANISATION, code, signer)
        return Signatory(code, signer, (leaf,))

    def certificate(
        self, profile: ProfileName, code: str, signer: SoftSigner, dns: tuple[str, ...] = ()
    ) -> bytes:
        subject = Subject(common_name=code, organisation=f"Centre {code}", organisation_code=CODE)
        return self._certify(self.authority, profile, build_request(subject, signer, dns))

    def _certify(
        self, authority: CertificateAuthority, profile: ProfileName, wish: bytes, constraints: Any = None
    ) -> bytes:
        name = authority.submit(profile, wish, _CLERK, self.at, constraints=constraints).id
        for officer in _OFFICERS[:2]:
            authority.act(name, Act.APPROVE, officer, self.at)
        return authority.issue(name, _OFFICERS[2], self.at).certificate


@cache
def line() -> Line:
    """One for the whole run: keys cost time."""
    return Line()


@cache
def signatory(code: str) -> Signatory:
    return line().signatory(code)


def chain(count: int, **more: Any) -> list[Manifest]:
    """A stream from its beginning."""
    made: list[Manifest] = []
    for number in range(1, count + 1):
        previous = made[-1].digest if made else FIRST
        made.append(replace(manifest(1, **more), number=number, previous=previous, made_micros=NOW + number))
    return made
