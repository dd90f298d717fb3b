"""Enrolment of machines, as EST sees it (RFC 7030), without the HTTP: a request in, a certificate or "wait" out.

A machine sends its PKCS #10 request again until its officers have decided: 202 means wait, and the same request brings
the certificate once it is issued. The label in the path names the profile (RFC 7030, 3.2.2). Only who sent the request
first gets its answer. Who renews proves it with the certificate that is to be renewed (RFC 7030, 4.2.2), and officers
decide on that too. Left out: keys made by the server, attributes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jinka.codec import tlv
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_request import read_request
from jinka.identity.application import UNDECIDED, Application, State, same_person
from jinka.identity.authority import CertificateAuthority
from jinka.identity.profiles import ProfileName
from jinka.kit import Refused

LABELS: Mapping[str, ProfileName] = MappingProxyType(
    {name.value: name for name in (ProfileName.CENTRE, ProfileName.DEVICE, ProfileName.TERMINAL)}
)
WAITING_MAX = 64  # undecided requests of one requester
_SEQUENCE, _SET, _CERTIFICATES = 0x30, 0x31, 0xA0
_SIGNED_DATA = bytes.fromhex("06092a864886f70d010702")
_DATA = bytes.fromhex("06092a864886f70d010701")
_VERSION_1 = bytes.fromhex("020101")


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """One authority and those above it, for machines."""

    authority: CertificateAuthority
    above: tuple[Certificate, ...] = ()

    def authorities(self) -> bytes:
        """The certificates that a machine should trust or send along: certs-only CMS (DER)."""
        return certificates_only(self.authority.certificate, *self.above)

    def enrol(self, label: str, request: bytes, requester: str, at: dt.datetime) -> bytes | None:
        """certs-only CMS (DER) when the certificate is there, None while officers decide; raises `Refused`."""
        profile = LABELS.get(label)
        if profile is None:
            raise Refused(f"no enrolment for {label!r}", where="label", fix=f"one of {', '.join(LABELS)}")
        asked = read_request(request)
        known = self.authority.application_for(asked.public_der)
        if known is None:
            self._require_room(requester)
            self.authority.submit(profile, request, requester, at)
            return None
        same = (known.profile, known.subject, known.dns_names) == (profile, asked.subject, asked.dns_names)
        if not same or not same_person(known.requester, requester):
            raise Refused("this key was asked for before", where="request", fix="make a new key pair")
        return self._found(known)

    def renew(self, label: str, request: bytes, certificate: bytes, at: dt.datetime) -> bytes | None:
        """As `enrol`, for who came with the ``certificate`` (DER) that is to be renewed; raises `Refused`.

        An empty ``label`` stands for the profile of that certificate.
        """
        old = self.authority.application_with(certificate)
        if label not in ("", old.profile.value):
            raise Refused(f"the certificate is of a {old.profile.value}", where="label")
        if old.state not in (State.ISSUED, State.RENEWED):
            raise Refused(f"the certificate is {old.state.value[0]}", where="renewal")
        held = read_certificate(certificate)
        if not held.not_before <= at < held.not_after:
            raise Refused("the certificate is not valid at this time", where="renewal", fix="enrol anew")
        asked = read_request(request)
        known = self.authority.application_for(asked.public_der)
        if known is None:
            self._require_room(old.requester)
            self.authority.submit(old.profile, request, old.requester, at, renews=old.id)
            return None
        if known.renews != old.id or (known.subject, known.dns_names) != (asked.subject, asked.dns_names):
            raise Refused("this key was asked for before", where="request", fix="make a new key pair")
        return self._found(known)

    def _require_room(self, requester: str) -> None:
        if self.authority.waiting(requester) >= WAITING_MAX:
            raise Refused(
                f"{WAITING_MAX} requests wait already", where="enrolment", fix="let officers decide"
            )

    def _found(self, known: Application) -> bytes | None:
        if known.state in UNDECIDED:
            return None
        if known.state not in (State.ISSUED, State.RENEWED):
            raise Refused(f"the certificate is {known.state.value[0]}", where="request")
        return certificates_only(*self.authority.certificates_of(known))


def certificates_only(*certificates: Certificate) -> bytes:
    """A CMS SignedData without content and signers (RFC 5652, 5; RFC 7030, 4.1.3)."""
    body = tlv(
        _SEQUENCE,
        _VERSION_1,
        tlv(_SET),
        tlv(_SEQUENCE, _DATA),
        tlv(_CERTIFICATES, *sorted(found.der for found in certificates)),
        tlv(_SET),
    )
    return tlv(_SEQUENCE, _SIGNED_DATA, tlv(0xA0, body))
