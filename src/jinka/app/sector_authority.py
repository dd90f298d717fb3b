"""The certification authority of a journey: a root, an issuing authority under it, officers, lists and OCSP.

It is the real authority (`jinka.identity.authority`) with P-256 keys of its own, made for the journey. The cards of
Jinka sign with P-256 or RSA; an SM2 key cannot be made on them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

from jinka.app.sector_cards import VirtualCard
from jinka.app.sector_world import ZONE, World
from jinka.crypto import x509_ocsp
from jinka.crypto.rsa_sign import ChipKeyKind
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import Reason, RevocationList, read_list
from jinka.crypto.x509_fields import Constraints, KeyUsage, Subject
from jinka.crypto.x509_keys import KeyKind
from jinka.crypto.x509_path import Trust, check_path
from jinka.crypto.x509_private import new_signer
from jinka.crypto.x509_request import build_request
from jinka.identity import (
    ROOT_PROFILES,
    Act,
    CertificateAuthority,
    ProfileName,
    make_root,
)
from jinka.kit import NotFound, Usage, utc_micros
from jinka.profile import ApplicationKind, ApplicationProfile, KeySpec, KeyUse
from jinka.terminal.identity import CardSigner, EnrolmentTerminal

APPROVERS = ("first officer", "second officer")
ISSUER = "issuing officer"
_OFFICERS = frozenset({"clerk", *APPROVERS, ISSUER})
_LASTING = dt.timedelta(days=20 * 365)
_DAY = dt.timedelta(days=1)
_ISSUER_KID = 2
_CONSTRAINTS = Constraints(permitted_dns=("jinka.example",))  # none of its certificates names a server
_AUTHORITY_CODE = "91350100M000100Y43"  # the example of GB 32100-2015: nobody's


def utc(world: World) -> dt.datetime:
    """The world's time as certificates write it."""
    return dt.datetime.fromtimestamp(utc_micros(world.now, ZONE) // 1_000_000, dt.UTC)


def identity_application(card: VirtualCard) -> ApplicationProfile:
    """The application on a card that signs; `NotFound` when it has none."""
    for made in card.applications.values():
        if made.profile.application is ApplicationKind.IDENTITY:
            return made.profile
    raise NotFound(f"{card.name} has no application that signs", where="card", fix="compose one")


def _issuers_key(profile: ApplicationProfile) -> KeySpec:
    """The key by whose proof a card lets its key pair be made."""
    [found] = [
        key for key in profile.keys if (key.use, key.kid) == (KeyUse.EXTERNAL_AUTHENTICATE, _ISSUER_KID)
    ]
    return found


@dataclass(slots=True)
class Offices:
    """The authorities of a journey and who was certified: the application's id by the card's name."""

    root: Certificate
    issuing: CertificateAuthority
    applications: dict[str, bytes] = field(default_factory=dict)

    def newest_list(self, at: dt.datetime) -> RevocationList:
        """What the authority publishes today, checked as anybody checks it."""
        found = read_list(self.issuing.complete_list(at, at + _DAY))
        found.require_signed_by(self.issuing.certificate)
        found.require_current(at)
        return found

    def believe(self, certificate: bytes, at: dt.datetime) -> Certificate:
        """A certificate with a chain to the root that signs bindingly ``at`` that time; lists are asked apart."""
        leaf = read_certificate(certificate)
        trust = Trust(anchors=(self.root,))
        check_path(leaf, (self.issuing.certificate,), trust, at, usage=KeyUsage.COMMITMENT)
        return leaf

    def ask_state(self, serial: int, nonce: bytes, at: dt.datetime) -> None:
        """Ask by OCSP; raises `Refused` unless the certificate is good."""
        request = x509_ocsp.ask(self.issuing.certificate, [serial], nonce)
        answer = self.issuing.answer(request, at, at + _DAY)
        x509_ocsp.check_answer(answer, self.issuing.certificate, serial, nonce=nonce, at=at)

    def certify(
        self,
        card: VirtualCard,
        subject: Subject,
        *,
        clerk: str,
        pin: bytes,
        world: World,
    ) -> bytes:
        """From the key pair on the chip to the certificate on it."""
        profile, at = identity_application(card), utc(world)
        access = world.access(profile.name, _issuers_key(profile))
        desk = EnrolmentTerminal(profile.aid, access, world.maintenance(profile.name))
        public_der = desk.make_key(card.link, card.number, ChipKeyKind.P256)
        request = build_request(subject, CardSigner(card.link, profile.aid, pin, public_der))
        wanted = ProfileName.ORGANISATION if subject.organisation_code else ProfileName.PERSON
        name = self.issuing.submit(wanted, request, clerk, at).id
        certificate = _issued(self.issuing, name, at)
        desk.write_certificate(card.link, card.number, certificate)
        self.applications[card.name] = name
        return certificate

    def act(self, card: str, act: str, at: dt.datetime) -> None:
        """Revoke, suspend or resume what was issued for a card."""
        if card not in self.applications:
            raise NotFound(f"{card} has no certificate", where="authority", fix="certify it first")
        wanted = Act(act)
        if wanted not in (Act.REVOKE, Act.SUSPEND, Act.RESUME):
            raise Usage(f"{act} is no act of this step", where="Revoke", fix="revoke, suspend, resume")
        officer = APPROVERS[1] if wanted is Act.RESUME else APPROVERS[0]
        reason = Reason.KEY_COMPROMISE if wanted is Act.REVOKE else None
        self.issuing.act(self.applications[card], wanted, officer, at, reason=reason)


def offices(world: World) -> Offices:
    """The authorities of this journey, made when first asked for."""
    return world.service("authority", lambda: _make(world))


def _make(world: World) -> Offices:
    start = utc(world) - _DAY
    keys = [new_signer(KeyKind.ECDSA, world.randomness) for _ in range(2)]
    top = Subject(common_name="Root authority (simulated) 根机构（模拟）", organisation="Jinka")
    root = make_root(top, keys[0], 1, start, start + _LASTING)
    upper = CertificateAuthority(root, keys[0], world.randomness, _OFFICERS, ROOT_PROFILES)
    below = Subject(
        common_name="Issuing authority (simulated) 发证机构（模拟）", organisation="Jinka",
        organisation_code=_AUTHORITY_CODE,
    )  # fmt: skip
    request = build_request(below, keys[1])
    name = upper.submit(ProfileName.AUTHORITY, request, "clerk", start, constraints=_CONSTRAINTS).id
    certificate = read_certificate(_issued(upper, name, start))
    return Offices(root, CertificateAuthority(certificate, keys[1], world.randomness, _OFFICERS))


def _issued(authority: CertificateAuthority, name: bytes, at: dt.datetime) -> bytes:
    for officer in APPROVERS:
        authority.act(name, Act.APPROVE, officer, at)
    return authority.issue(name, ISSUER, at).certificate
