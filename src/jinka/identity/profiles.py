"""Certificate profiles as data: who gets which kind of certificate, for what, for how long, and what its subject says.

A profile decides everything that an applicant might wish for and must not choose: usages, purposes, duration. Two
keys where the national rules ask for two (GM/T 0034): one to sign, made by its owner and held by nobody else; one to
encrypt, made and escrowed by the key service. A citizen's number never stands in a certificate.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from jinka.crypto.x509_fields import KeyUsage, Purpose, Subject
from jinka.crypto.x509_keys import key_kind
from jinka.kit import Refused
from jinka.registry.credit_code import check_credit_code

_TERMINAL_DIGITS = 12  # of a terminal's 6 bytes

SIGNS = frozenset({KeyUsage.SIGNATURE, KeyUsage.COMMITMENT})
SPEAKS = frozenset({KeyUsage.SIGNATURE})
ENCRYPTS = frozenset({KeyUsage.KEY_ENCIPHERMENT, KeyUsage.DATA_ENCIPHERMENT, KeyUsage.KEY_AGREEMENT})
AUTHORISES = frozenset({KeyUsage.CERTIFICATES, KeyUsage.CRLS})
_BOTH_WAYS = frozenset({Purpose.SERVER, Purpose.CLIENT})


class ProfileName(Enum):
    """Who a certificate is for."""

    ORGANISATION = "organisation"
    PERSON = "person"
    DEVICE = "device"
    TERMINAL = "terminal"
    CENTRE = "centre"
    AUTHORITY = "authority"
    RESPONDER = "responder"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateProfile:
    """One row of the table. ``paired``: an SM2 key to sign comes with an escrowed one to encrypt."""

    name: ProfileName
    title_en: str
    title_zh: str
    days: int
    usages: frozenset[KeyUsage]
    purposes: frozenset[Purpose] = frozenset()
    code_needed: bool = True
    dns_needed: bool = False
    paired: bool = False
    path_length: int | None = None

    def check(self, subject: Subject, public_der: bytes, dns_names: tuple[str, ...]) -> None:
        """Refuse a wish that this profile does not cover."""
        where = f"profile {self.name.value}"
        key_kind(public_der)
        subject.to_name()
        if self.code_needed and not (subject.organisation and subject.organisation_code):
            raise Refused("it names its organisation and the organisation's code", where=where)
        if subject.organisation_code:
            check_credit_code(subject.organisation_code)
        if subject.country != "CN":
            raise Refused("country CN", where=where)
        if bool(dns_names) != self.dns_needed:
            raise Refused("it needs DNS names" if self.dns_needed else "it has no DNS names", where=where)
        if self.name is ProfileName.TERMINAL and not _is_terminal(subject.common_name):
            raise Refused("its common name is the terminal's number, 12 hexadecimal digits", where=where)


def _is_terminal(text: str) -> bool:
    return len(text) == _TERMINAL_DIGITS and not text.strip("0123456789ABCDEF")


def _table(*rows: CertificateProfile) -> Mapping[ProfileName, CertificateProfile]:
    return MappingProxyType({row.name: row for row in rows})


PROFILES = _table(
    CertificateProfile(
        name=ProfileName.ORGANISATION, title_en="organisation", title_zh="机构证书", days=5 * 365,
        usages=SIGNS, paired=True,
    ),
    CertificateProfile(
        name=ProfileName.PERSON, title_en="person", title_zh="个人证书", days=5 * 365,
        usages=SIGNS, purposes=frozenset({Purpose.CLIENT}), code_needed=False, paired=True,
    ),
    CertificateProfile(
        name=ProfileName.DEVICE, title_en="device", title_zh="设备证书", days=5 * 365,
        usages=SPEAKS, purposes=frozenset({Purpose.CLIENT}), paired=True,
    ),
    CertificateProfile(
        name=ProfileName.TERMINAL, title_en="terminal", title_zh="终端证书", days=3 * 365,
        usages=SPEAKS, purposes=frozenset({Purpose.CLIENT}),
    ),
    CertificateProfile(
        name=ProfileName.CENTRE, title_en="centre", title_zh="中心证书", days=2 * 365,
        usages=SPEAKS, purposes=_BOTH_WAYS, dns_needed=True,
    ),
    CertificateProfile(
        name=ProfileName.AUTHORITY, title_en="issuing authority", title_zh="发证机构证书", days=10 * 365,
        usages=AUTHORISES, path_length=0,
    ),
    CertificateProfile(
        name=ProfileName.RESPONDER, title_en="OCSP responder", title_zh="状态查询证书", days=90,
        usages=SPEAKS, purposes=frozenset({Purpose.OCSP}),
    ),
)  # fmt: skip
