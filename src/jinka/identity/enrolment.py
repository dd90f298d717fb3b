"""Enrolment of machines, as EST sees it (RFC 7030), without the HTTP: a request in, a certificate or "wait" out.

A machine sends its PKCS #10 request again until its officers have decided: 202 means wait, and the same request brings
the certificate once it is issued. The label in the path names the profile (RFC 7030, 3.2.2). Only who sent the request
first gets its answer. Left out: re-enrolment, keys made by the server, attributes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from jinka.codec import tlv
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_request import read_request
from jinka.identity.application import UNDECIDED, State, same_person
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
            if self.authority.waiting(requester) >= WAITING_MAX:
                raise Refused(
                    f"{WAITING_MAX} requests wait already", where="enrolment", fix="let officers decide"
                )
            self.authority.submit(profile, request, requester, at)
            return None
        same = (known.profile, known.subject, known.dns_names) == (profile, asked.subject, asked.dns_names)
        if not same or not same_person(known.requester, requester):
            raise Refused("this key was asked for before", where="request", fix="make a new key pair")
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
