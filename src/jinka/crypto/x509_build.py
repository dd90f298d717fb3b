"""X.509 certificates, written: RFC 5280, 4, and the national profile of GM/T 0015 where the key is SM2.

The organisation's code stands in the subject (organizationIdentifier, 2.5.4.97) and in the extension for it (GM/T 0015,
1.2.156.10260.4.1.4). Which fields belong into whose certificate is a question of profiles (`jinka.identity`).
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from asn1crypto import core, keys, x509

from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_fields import (
    CODE_OID,
    Constraints,
    KeyUsage,
    Purpose,
    Subject,
    address,
    algorithm_of,
    check_dns,
    key_identifier,
    sign_body,
    time_of,
)
from jinka.crypto.x509_keys import Signer, key_kind
from jinka.kit import Usage

_SERIAL_BYTES_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePlan:
    """What is to be certified; times are UTC with a zone, ``path_length`` None means no authority."""

    serial: int
    subject: Subject
    public_der: bytes
    not_before: dt.datetime
    not_after: dt.datetime
    usages: frozenset[KeyUsage]
    purposes: frozenset[Purpose] = frozenset()
    path_length: int | None = None
    dns_names: tuple[str, ...] = ()
    constraints: Constraints | None = None
    crl_url: str = ""
    ocsp_url: str = ""


def build_certificate(plan: CertificatePlan, signer: Signer, issuer: Certificate | None = None) -> bytes:
    """Sign a certificate (DER). Without an ``issuer`` it is a root: signed by its own key."""
    if not 0 < plan.serial < 1 << (8 * _SERIAL_BYTES_MAX - 1):
        raise Usage("out of range", where="serial number", fix="1 to 2^159 - 1")
    if plan.not_before >= plan.not_after:
        raise Usage("it would end before it begins", where="validity")
    key_kind(plan.public_der)
    own = signer.public_der
    if (issuer.public_der if issuer else plan.public_der) != own:
        raise Usage(
            "the signer's key is not the issuer's", where="certificate", fix="sign with the issuer's key"
        )
    name = plan.subject.to_name()
    body = x509.TbsCertificate(
        {
            "version": "v3",
            "serial_number": plan.serial,
            "signature": algorithm_of(signer),
            "issuer": x509.Name.load(issuer.subject) if issuer else name,
            "validity": {"not_before": time_of(plan.not_before), "not_after": time_of(plan.not_after)},
            "subject": name,
            "subject_public_key_info": keys.PublicKeyInfo.load(plan.public_der),
            "extensions": _extensions(plan, key_identifier(own)),
        }
    )
    return sign_body(body, signer)


def _extensions(plan: CertificatePlan, issuer_key_id: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []

    def add(name: str, value: Any, *, critical: bool = False) -> None:
        found.append({"extn_id": name, "critical": critical, "extn_value": value})

    authority = plan.path_length is not None
    basic = {"ca": True, "path_len_constraint": plan.path_length} if authority else {"ca": False}
    add("basic_constraints", x509.BasicConstraints(basic), critical=True)
    add("key_usage", x509.KeyUsage({usage.value for usage in plan.usages}), critical=True)
    add("key_identifier", core.OctetString(key_identifier(plan.public_der)))
    add("authority_key_identifier", x509.AuthorityKeyIdentifier({"key_identifier": issuer_key_id}))
    if plan.purposes:
        names = sorted(purpose.value for purpose in plan.purposes)
        add("extended_key_usage", x509.ExtKeyUsageSyntax(names), critical=Purpose.OCSP in plan.purposes)
    if Purpose.OCSP in plan.purposes:
        add("ocsp_no_check", core.Null())
    if plan.dns_names:
        names = [x509.GeneralName(name="dns_name", value=dns) for dns in map(check_dns, plan.dns_names)]
        add("subject_alt_name", x509.GeneralNames(names))
    if plan.constraints:
        add("name_constraints", _constraints(plan.constraints), critical=True)
    if plan.crl_url:
        point = {
            "distribution_point": x509.DistributionPointName(name="full_name", value=[address(plan.crl_url)])
        }
        add("crl_distribution_points", x509.CRLDistributionPoints([point]))
    if plan.ocsp_url:
        access = {"access_method": "ocsp", "access_location": address(plan.ocsp_url)}
        add("authority_information_access", x509.AuthorityInfoAccessSyntax([access]))
    if plan.subject.organisation_code:
        add(CODE_OID, core.ParsableOctetString(core.PrintableString(plan.subject.organisation_code).dump()))
    return found


def _constraints(wanted: Constraints) -> x509.NameConstraints:
    def dns(names: tuple[str, ...]) -> list[dict[str, Any]]:
        return [{"base": x509.GeneralName(name="dns_name", value=check_dns(name))} for name in names]

    trees = [
        {"base": x509.GeneralName(name="directory_name", value=x509.Name.load(tree))}
        for tree in wanted.permitted_trees
    ]
    parts: dict[str, Any] = {}
    if trees or wanted.permitted_dns:
        parts["permitted_subtrees"] = dns(wanted.permitted_dns) + trees
    if wanted.excluded_dns:
        parts["excluded_subtrees"] = dns(wanted.excluded_dns)
    return x509.NameConstraints(parts)
