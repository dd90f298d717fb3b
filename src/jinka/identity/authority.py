"""A certification authority: applications in, certificates, revocation lists and OCSP answers out. No I/O.

An offline root and an issuing authority are the same core with other profiles: the root certifies authorities alone,
the issuing one everybody else. Keys are behind `Signer` and `Escrow`, what was done is in `Books`. Times and randomness
are passed in. All but issuing and signing lists works with a `LockedSigner`: then no key is near.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from jinka.crypto import x509_ocsp as ocsp
from jinka.crypto.x509_build import CertificatePlan, build_certificate
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_crl import Reason, Revocation, RevocationList, build_list, read_list
from jinka.crypto.x509_fields import Constraints, Subject
from jinka.crypto.x509_keys import KeyKind, Signer, key_kind
from jinka.crypto.x509_request import read_request
from jinka.identity.application import (
    Act,
    Application,
    State,
    check_person,
    new_application,
    same_person,
)
from jinka.identity.books import Books, Issued, MemoryBooks, PublishedList
from jinka.identity.escrow import Escrow, EscrowedKey
from jinka.identity.profiles import AUTHORISES, ENCRYPTS, PROFILES, CertificateProfile, ProfileName
from jinka.kit import NotFound, Randomness, Refused

ROOT_PROFILES = frozenset({ProfileName.AUTHORITY, ProfileName.RESPONDER})
ISSUING_PROFILES = frozenset(ProfileName) - {ProfileName.AUTHORITY}
_SERIAL_BYTES = 16
_DRAWS_MAX = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where an authority's lists and its responder are found; written into certificates."""

    crl_url: str = ""
    ocsp_url: str = ""


@dataclass(frozen=True, slots=True)
class LockedSigner:
    """In the place of an authority's key that is not opened: it names the key and signs nothing."""

    public_der: bytes

    def sign(self, message: bytes) -> bytes:  # noqa: ARG002 nothing is signed
        """Refuse."""
        raise Refused(
            "the authority's key is not opened", where="authority", fix="bring the custodians' shares"
        )


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
        books: Books | None = None,
    ) -> None:
        if not certificate.authority or signer.public_der != certificate.public_der:
            raise Refused("the certificate is no authority's, or not the signer's", where="authority")
        for officer in officers:
            check_person(officer)
        self.certificate, self.profiles = certificate, profiles
        self._signer, self._randomness, self._officers = signer, randomness, officers
        self._addresses, self._escrow = addresses or Addresses(), escrow
        self._books = books or MemoryBooks()

    def application(self, name: bytes) -> Application:
        """One application; `NotFound` when there is none."""
        found = self._books.application(name)
        if found is None:
            raise NotFound("no such application", where=f"application {name.hex()[:8]}")
        return found

    def application_for(self, public_der: bytes) -> Application | None:
        """The application in which a key stands, unless it was rejected."""
        return self._books.application_for(public_der)

    def application_with(self, certificate: bytes) -> Application:
        """The application for which this very certificate (DER) was issued; raises `Refused`."""
        found = self._books.application_of(read_certificate(certificate).serial)
        issued = self._books.issued(found.id) if found else None
        if found is None or issued is None or issued.certificate != certificate:
            raise Refused("this authority did not issue it", where="certificate")
        return found

    def waiting(self, requester: str) -> int:
        """How many applications of one requester are undecided."""
        return sum(same_person(found.requester, requester) for found in self._books.undecided())

    def issued(self, name: bytes) -> Issued:
        """What was issued for an application; `NotFound` when nothing was yet."""
        found = self._books.issued(self.application(name).id)
        if found is None:
            raise NotFound("nothing was issued for it", where=f"application {name.hex()[:8]}")
        return found

    def certificates_of(self, application: Application) -> tuple[Certificate, ...]:
        """What was issued for it: nothing yet, one certificate, or a pair."""
        found = self._books.issued(application.id)
        return found.certificates() if found else ()

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
        self._books.put(application)
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
        self._books.put(found)
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
        if paired:
            escrowed = self._escrowed(application)
            second = self._make(application, serials[1], escrowed.public_der, at, encrypts=True)
            issued = Issued(certificate=certificate.der, encryption=second.der, envelope=escrowed.envelope)
        # No application was changed until here, so a refusal above changes none.
        self._books.put_issued(name, issued)
        self._books.put(after)
        if replaced is not None:
            self._books.put(replaced)
        return issued

    def recover(
        self, name: bytes, recipient: bytes, officers: tuple[str, str], at: dt.datetime
    ) -> EscrowedKey:
        """The encryption key of an application once more, for the signing key of another of the same owner.

        Two officers order it. Raises `Refused`: also when the other certificate is not in force.
        """
        for officer in officers:
            self._require_officer(officer)
        old, new = self.application(name), self.application(recipient)
        issued = self.issued(name)
        if not issued.encryption or self._escrow is None:
            raise Refused("it has no key in escrow here", where=f"application {name.hex()[:8]}")
        if (old.profile, old.subject, old.requester) != (new.profile, new.subject, new.requester):
            raise Refused("the two have different owners", where="escrow")
        if new.state is not State.ISSUED:
            raise Refused(
                f"the new certificate is {new.state.value[0]}", where="escrow", fix="issue it first"
            )
        public_der = read_certificate(issued.encryption).public_der
        return self._escrow.recover(public_der, new.public_der, officers, at)

    def expire(self, at: dt.datetime) -> tuple[Application, ...]:
        """Move every application whose certificates have ended; returns those that moved."""
        moved = tuple(found.act(Act.EXPIRE, "the calendar", at) for found in self._books.ended(at))
        for found in moved:
            self._books.put(found)
        return moved

    def complete_list(self, at: dt.datetime, next_update: dt.datetime) -> bytes:
        """The next complete revocation list (DER). What had ended before the last one is left out."""
        return self._publish(self._standing(), at, next_update)

    def delta_list(self, at: dt.datetime, next_update: dt.datetime) -> bytes:
        """What changed since the last complete list (DER); a resumed certificate is taken off with removeFromCRL."""
        base = self._base()
        if base is None:
            raise Refused("no complete list yet", where="delta list", fix="make one first")
        now = self._standing()
        changed = {serial: entry for serial, entry in now.items() if base.entries.get(serial) != entry}
        for serial, entry in base.entries.items():
            if serial not in now:
                changed[serial] = Revocation(since=entry.since, reason=Reason.REMOVED)
        return self._publish(changed, at, next_update, base.number)

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

    def _publish(
        self,
        entries: Mapping[int, Revocation],
        at: dt.datetime,
        next_update: dt.datetime,
        base_number: int | None = None,
    ) -> bytes:
        last = self._books.last_list(complete=False)
        number = last.number + 1 if last else 1
        raw = build_list(
            self.certificate, self._signer, number=number, base_number=base_number, this_update=at,
            next_update=next_update, entries=entries,
        )  # fmt: skip
        self._books.put_list(PublishedList(number=number, base_number=base_number, der=raw))
        return raw

    def _base(self) -> RevocationList | None:
        last = self._books.last_list(complete=True)
        return read_list(last.der) if last else None

    def _standing(self) -> Mapping[int, Revocation]:
        """What a list names: all that is revoked or on hold and had not ended before the last complete list."""
        base = self._base()
        return self._books.standing(base.this_update if base else self.certificate.not_before)

    def _status(self, question: ocsp.Question) -> ocsp.Answer:
        found = self._books.application_of(question.serial)
        entry = found.revocation if found else None
        return ocsp.Answer(
            question=question,
            known=found is not None,
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
            if serial and self._books.application_of(serial) is None:
                return serial
        raise Refused("the randomness repeats itself", where="serial number", fix="check its source")

    def _require_officer(self, officer: str) -> None:
        if officer not in self._officers:
            raise Refused("not an officer of this authority", where="officer")

    def _require_new_key(self, public_der: bytes) -> None:
        """A key is certified once: not under a second name, and not again after it was revoked."""
        if public_der == self.certificate.public_der or self._books.application_for(public_der) is not None:
            raise Refused("this key was asked for before", where="application", fix="make a new key pair")

    def _require_renewable(self, old: Application, new: Application) -> None:
        if old.state is not State.ISSUED:
            raise Refused(f"what is {old.state.value[0]} is not renewed", where="application")
        if (old.profile, old.subject, old.dns_names) != (new.profile, new.subject, new.dns_names):
            raise Refused(
                "a renewal has the subject, profile and DNS names of what it renews", where="application"
            )
