"""A certification authority: applications in, certificates, revocation lists and OCSP answers out. No I/O.

An offline root and an issuing authority are the same core with other profiles: the root certifies authorities alone,
the issuing one everybody else. Keys are behind `Signer` and `Escrow`. Times and randomness are passed in. The books are
in memory; who keeps them durably replays the acts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from jinka.crypto import x509_ocsp as ocsp
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import Reason, Revocation, build_list
from jinka.crypto.x509_fields import Constraints, Subject
from jinka.crypto.x509_keys import KeyKind, Signer, key_kind
from jinka.crypto.x509_request import read_request
from jinka.identity.application import (
    UNDECIDED,
    Act,
    Application,
    State,
    check_person,
    new_application,
    same_person,
)
from jinka.identity.escrow import Escrow, EscrowedKey
from jinka.identity.profiles import AUTHORISES, ENCRYPTS, PROFILES, CertificateProfile, ProfileName
from jinka.kit import NotFound, Randomness, Refused

ROOT_PROFILES = frozenset({ProfileName.AUTHORITY, ProfileName.RESPONDER})
ISSUING_PROFILES = frozenset(ProfileName) - {ProfileName.AUTHORITY}
_SERIAL_BYTES = 16
_DRAWS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """What an applicant gets: the certificate, and with SM2 pairs the encryption certificate and its key's envelope."""

    certificate: bytes
    encryption: bytes = b""
    envelope: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where an authority's lists and its responder are found; written into certificates."""

    crl_url: str = ""
    ocsp_url: str = ""


def make_root(
    subject: Subject, signer: Signer, serial: int, start: dt.datetime, end: dt.datetime
) -> Certificate:
    """The self-signed certificate of a root, which may certify one level of issuing authorities."""
    plan = CertificatePlan(
        serial=serial, subject=subject, public_der=signer.public_der, not_before=start, not_after=end,
        usages=AUTHORISES, path_length=1,
    )  # fmt: skip
    return read_certificate(build_certificate(plan, signer))


class CertificateAuthority:
    """One authority: its certificate, its key behind ``signer``, its officers and its books."""

    def __init__(
        self,
        certificate: Certificate,
        signer: Signer,
        randomness: Randomness,
        officers: frozenset[str],
        profiles: frozenset[ProfileName] = ISSUING_PROFILES,
        *,
        addresses: Addresses | None = None,
        escrow: Escrow | None = None,
    ) -> None:
        if not certificate.authority or signer.public_der != certificate.public_der:
            raise Refused("the certificate is no authority's, or not the signer's", where="authority")
        for officer in officers:
            check_person(officer)
        self.certificate, self.profiles = certificate, profiles
        self._signer, self._randomness, self._officers = signer, randomness, officers
        self._addresses, self._escrow = addresses or Addresses(), escrow
        self._applications: dict[bytes, Application] = {}
        self._by_key: dict[bytes, bytes] = {
            certificate.public_der: b""
        }  # the application for each key; none for its own
        self._issued: dict[int, Certificate] = {}
        self._revoked: dict[int, Revocation] = {}
        self._number = 0
        self._base: tuple[int, dt.datetime, Mapping[int, Revocation]] | None = None

    def application(self, name: bytes) -> Application:
        """One application; `NotFound` when there is none."""
        found = self._applications.get(name)
        if found is None:
            raise NotFound("no such application", where=f"application {name.hex()[:8]}")
        return found

    def application_for(self, public_der: bytes) -> Application | None:
        """The application in which a key stands, unless it was rejected."""
        name = self._by_key.get(public_der)
        return self._applications[name] if name else None

    def waiting(self, requester: str) -> int:
        """How many applications of one requester are undecided."""
        return sum(
            found.state in UNDECIDED and same_person(found.requester, requester)
            for found in self._applications.values()
        )

    def certificates_of(self, application: Application) -> tuple[Certificate, ...]:
        """What was issued for it: nothing yet, one certificate, or a pair."""
        return tuple(self._issued[serial] for serial in application.serials)

    def submit(
        self,
        profile: ProfileName,
        request: bytes,
        requester: str,
        at: dt.datetime,
        *,
        constraints: Constraints | None = None,
        renews: bytes | None = None,
    ) -> Application:
        """Take in a PKCS #10 request whose proof of possession is right; raises `Refused`."""
        if profile not in self.profiles:
            raise Refused(f"this authority does not issue {profile.value} certificates", where="application")
        asked = read_request(request)
        self._require_new_key(asked.public_der)
        application = new_application(
            profile, asked.subject, asked.public_der, requester, at,
            dns_names=asked.dns_names, constraints=constraints, renews=renews,
        )  # fmt: skip
        if renews is not None:
            self._require_renewable(self.application(renews), application)
        self._applications[application.id] = application
        self._by_key[application.public_der] = application.id
        return application

    def act(
        self,
        name: bytes,
        act: Act,
        officer: str,
        at: dt.datetime,
        *,
        reason: Reason | None = None,
        note: str = "",
    ) -> Application:
        """An officer approves, rejects, suspends, resumes or revokes; raises `Refused`. Issuing has its own verb."""
        self._require_officer(officer)
        if act in (Act.ISSUE, Act.RENEW, Act.EXPIRE):
            raise Refused(
                f"{act.value} is not an officer's act", where="application", fix="use issue or expire"
            )
        found = self.application(name).act(act, officer, at, reason=reason, note=note)
        self._applications[name] = found
        if act is Act.REJECT:
            del self._by_key[found.public_der]
        for serial in found.serials:
            if act is Act.SUSPEND:
                self._revoked[serial] = Revocation(since=at, reason=Reason.ON_HOLD)
            elif act is Act.RESUME:
                del self._revoked[serial]
            elif act is Act.REVOKE and reason is not None:
                self._revoked[serial] = Revocation(since=at, reason=reason)
        return found

    def issue(self, name: bytes, officer: str, at: dt.datetime) -> Issued:
        """Make the certificates of an approved application, once; raises `Refused`."""
        self._require_officer(officer)
        application = self.application(name)
        serials = tuple(self._new_serial() for _ in range(2))
        paired = PROFILES[application.profile].paired and key_kind(application.public_der) is KeyKind.SM2
        after = application.act(Act.ISSUE, officer, at, serials=serials if paired else serials[:1])
        replaced = None
        if application.renews is not None:
            replaced = self.application(application.renews).act(Act.RENEW, officer, at)
        certificate = self._make(application, serials[0], application.public_der, at)
        issued = Issued(certificate=certificate.der)
        made = [certificate]
        if paired:
            escrowed = self._escrowed(application)
            second = self._make(application, serials[1], escrowed.public_der, at, encrypts=True)
            issued = Issued(certificate=certificate.der, encryption=second.der, envelope=escrowed.envelope)
            made.append(second)
        # Nothing was written down until here, so a refusal above changes nothing.
        self._issued.update({found.serial: found for found in made})
        self._applications[name] = after
        if replaced is not None:
            self._applications[replaced.id] = replaced
        return issued

    def expire(self, at: dt.datetime) -> tuple[Application, ...]:
        """Move every application whose certificates have ended; returns those that moved."""
        moved = []
        for application in self._applications.values():
            ends = [self._issued[serial].not_after for serial in application.serials]
            if ends and application.state not in (State.REVOKED, State.EXPIRED) and max(ends) < at:
                moved.append(application.act(Act.EXPIRE, "the calendar", at))
        self._applications.update({found.id: found for found in moved})
        return tuple(moved)

    def complete_list(self, at: dt.datetime, next_update: dt.datetime) -> bytes:
        """The next complete revocation list (DER). What had ended before the last one is left out."""
        entries = self._standing()
        self._number += 1
        raw = build_list(
            self.certificate, self._signer, number=self._number, this_update=at, next_update=next_update,
            entries=entries,
        )  # fmt: skip
        self._base = (self._number, at, MappingProxyType(entries))
        return raw

    def delta_list(self, at: dt.datetime, next_update: dt.datetime) -> bytes:
        """What changed since the last complete list (DER); a resumed certificate is taken off with removeFromCRL."""
        if self._base is None:
            raise Refused("no complete list yet", where="delta list", fix="make one first")
        number, _, before = self._base
        now = self._standing()
        changed = {serial: entry for serial, entry in now.items() if before.get(serial) != entry}
        for serial, entry in before.items():
            if serial not in now:
                changed[serial] = Revocation(since=entry.since, reason=Reason.REMOVED)
        self._number += 1
        return build_list(
            self.certificate, self._signer, number=self._number, base_number=number, this_update=at,
            next_update=next_update, entries=changed,
        )  # fmt: skip

    def answer(
        self,
        request: bytes,
        at: dt.datetime,
        next_update: dt.datetime,
        responder: ocsp.Responder | None = None,
    ) -> bytes:
        """Answer an OCSP request (DER), whatever it is; without a ``responder`` with the authority's own key."""
        try:
            asked = ocsp.read_request(request)
        except Refused:
            return ocsp.build_failure(ocsp.OcspFailure.MALFORMED)
        if not all(question.is_of(self.certificate) for question in asked.questions):
            return ocsp.build_failure(ocsp.OcspFailure.UNAUTHORISED)
        speaker = responder or ocsp.Responder(certificate=self.certificate, signer=self._signer)
        answers = [self._status(question) for question in asked.questions]
        return ocsp.build_answer(answers, speaker, at=at, next_update=next_update, nonce=asked.nonce)

    def _standing(self) -> dict[int, Revocation]:
        """What a list names: all that is revoked or on hold and had not ended before the last complete list."""
        since = self._base[1] if self._base else self.certificate.not_before
        return {
            serial: entry
            for serial, entry in self._revoked.items()
            if self._issued[serial].not_after >= since
        }

    def _status(self, question: ocsp.Question) -> ocsp.Answer:
        entry = self._revoked.get(question.serial)
        return ocsp.Answer(
            question=question,
            known=question.serial in self._issued,
            revoked=(entry.since, entry.reason) if entry else None,
        )

    def _make(
        self,
        application: Application,
        serial: int,
        public_der: bytes,
        at: dt.datetime,
        *,
        encrypts: bool = False,
    ) -> Certificate:
        profile = PROFILES[application.profile]
        plan = CertificatePlan(
            serial=serial,
            subject=application.subject,
            public_der=public_der,
            not_before=at,
            not_after=self._end(profile, at),
            usages=ENCRYPTS if encrypts else profile.usages,
            purposes=frozenset() if encrypts else profile.purposes,
            path_length=profile.path_length,
            dns_names=application.dns_names,
            constraints=application.constraints,
            crl_url=self._addresses.crl_url,
            ocsp_url=self._addresses.ocsp_url,
        )
        return read_certificate(build_certificate(plan, self._signer, self.certificate))

    def _end(self, profile: CertificateProfile, at: dt.datetime) -> dt.datetime:
        """A certificate does not outlive its issuer's."""
        if not self.certificate.not_before <= at < self.certificate.not_after:
            raise Refused("the authority's own certificate is not valid at this time", where="authority")
        return min(at + dt.timedelta(days=profile.days), self.certificate.not_after)

    def _escrowed(self, application: Application) -> EscrowedKey:
        if self._escrow is None:
            raise Refused(
                "a pair needs an escrow for its encryption key", where="authority", fix="configure one"
            )
        return self._escrow.make_pair(application.requester, application.public_der)

    def _new_serial(self) -> int:
        """Drawn, not counted, so that nobody foresees what will be signed (128 bits)."""
        for _ in range(_DRAWS_MAX):
            serial = int.from_bytes(self._randomness.token_bytes(_SERIAL_BYTES), "big")
            if serial and serial not in self._issued:
                return serial
        raise Refused("the randomness repeats itself", where="serial number", fix="check its source")

    def _require_officer(self, officer: str) -> None:
        if officer not in self._officers:
            raise Refused("not an officer of this authority", where="officer")

    def _require_new_key(self, public_der: bytes) -> None:
        """A key is certified once: not under a second name, and not again after it was revoked."""
        if public_der in self._by_key:
            raise Refused("this key was asked for before", where="application", fix="make a new key pair")

    def _require_renewable(self, old: Application, new: Application) -> None:
        if old.state is not State.ISSUED:
            raise Refused(f"what is {old.state.value[0]} is not renewed", where="application")
        if (old.profile, old.subject) != (new.profile, new.subject):
            raise Refused("a renewal has the subject and profile of what it renews", where="application")
