"""X.509 certificates, read: RFC 5280, 4, and the national profile of GM/T 0015.

Strict: DER only, version 3, every field that is used is parsed at once, an unknown critical extension or one that comes
twice is refused, and so is a key that is not admitted (`x509_keys`). An organisation's code must be the same in subject
and extension. A certificate that was read is not yet believed: `x509_path` decides that.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from asn1crypto import x509

from jinka.codec import TlvError
from jinka.codec.der import check_der
from jinka.crypto.x509_fields import CODE_OID, Constraints, KeyUsage, read_extensions, signature_bits
from jinka.crypto.x509_keys import check_signature, key_kind
from jinka.kit import Refused

_SERIAL_BYTES_MAX = 20
_KNOWN = frozenset(
    {
        "authority_information_access", "authority_key_identifier", "basic_constraints", "crl_distribution_points",
        "extended_key_usage", "freshest_crl", "key_identifier", "key_usage", "name_constraints", "ocsp_no_check",
        "subject_alt_name", CODE_OID,
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate as it was read. ``issuer`` and ``subject`` are names in DER; ``body`` is what was signed."""

    der: bytes = field(repr=False)
    body: bytes = field(repr=False)
    algorithm: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    serial: int
    issuer: bytes = field(repr=False)
    subject: bytes = field(repr=False)
    common_name: str
    organisation: str
    organisation_code: str
    not_before: dt.datetime
    not_after: dt.datetime
    public_der: bytes = field(repr=False)
    authority: bool
    path_length: int | None
    usages: frozenset[KeyUsage]
    purposes: frozenset[str]
    key_id: bytes
    issuer_key_id: bytes
    dns_names: tuple[str, ...]
    other_names: bool  # alternative names of a kind that name constraints here do not judge
    constraints: Constraints | None
    crl_url: str
    ocsp_url: str

    def require_signed_by(self, issuer: Certificate) -> None:
        """The issuer's name and key made this certificate; raises `Refused`. Rights and times are not asked here."""
        if self.issuer != issuer.subject:
            raise Refused("issued under another name", where=f"certificate {self.serial:x}")
        if self.issuer_key_id and issuer.key_id and self.issuer_key_id != issuer.key_id:
            raise Refused("issued under another key", where=f"certificate {self.serial:x}")
        check_signature(issuer.public_der, self.algorithm, self.body, self.signature)


def read_certificate(der: bytes) -> Certificate:
    """Read one certificate; raises `Refused`. Nothing is believed yet."""
    try:
        check_der(der)
        return _read(der)
    except TlvError as error:
        raise Refused(error.what, where=f"certificate, {error.where}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Refused("not a certificate", where="certificate") from None


def _read(der: bytes) -> Certificate:
    outer = x509.Certificate.load(der, strict=True)
    body = outer["tbs_certificate"]
    if body["version"].native != "v3":
        raise Refused("not of version 3", where="certificate")
    algorithm = outer["signature_algorithm"].dump()
    if body["signature"].dump() != algorithm:
        raise Refused("two different algorithms", where="certificate")
    serial, found = body["serial_number"].native, read_extensions(body["extensions"], _KNOWN)
    if not 0 < serial < 1 << 8 * _SERIAL_BYTES_MAX:
        raise Refused("out of range", where="certificate, serial number")
    public_der = body["subject_public_key_info"].dump()
    key_kind(public_der)
    subject = body["subject"].native
    basic, alternatives = found.get("basic_constraints"), found.get("subject_alt_name") or []
    authority_key = found.get("authority_key_identifier")
    return Certificate(
        der=der,
        body=body.dump(),
        algorithm=algorithm,
        signature=signature_bits(outer["signature_value"]),
        serial=serial,
        issuer=body["issuer"].dump(),
        subject=body["subject"].dump(),
        common_name=_last(subject, "common_name"),
        organisation=_last(subject, "organization_name"),
        organisation_code=_code(subject, found.get(CODE_OID)),
        not_before=body["validity"]["not_before"].native,
        not_after=body["validity"]["not_after"].native,
        public_der=public_der,
        authority=bool(basic and basic["ca"].native),
        path_length=basic["path_len_constraint"].native if basic else None,
        usages=frozenset(KeyUsage(name) for name in found["key_usage"].native)
        if "key_usage" in found
        else frozenset(),
        purposes=frozenset(found["extended_key_usage"].native)
        if "extended_key_usage" in found
        else frozenset(),
        key_id=found["key_identifier"].native if "key_identifier" in found else b"",
        issuer_key_id=(authority_key["key_identifier"].native or b"") if authority_key else b"",
        dns_names=tuple(name.native.lower() for name in alternatives if name.name == "dns_name"),
        other_names=any(name.name != "dns_name" for name in alternatives),
        constraints=_read_constraints(found.get("name_constraints")),
        crl_url=_first_url(found.get("crl_distribution_points")),
        ocsp_url=_ocsp_url(found.get("authority_information_access")),
    )


def _last(names: Mapping[str, Any], key: str) -> str:
    """One text of a name; of several (asn1crypto gives a list), the last."""
    value = names.get(key, "")
    return str(value[-1] if isinstance(value, list) else value)


def _code(names: Mapping[str, Any], extension: Any) -> str:
    """The organisation's code, which subject and extension must agree on."""
    in_subject = _last(names, "organization_identifier")
    in_extension = "" if extension is None else str(extension.native)
    if in_subject and in_extension and in_subject != in_extension:
        raise Refused("subject and extension name two organisations", where="certificate, organisation code")
    return in_extension or in_subject


def _read_constraints(found: Any) -> Constraints | None:
    if found is None:
        return None
    permitted, excluded = found["permitted_subtrees"], found["excluded_subtrees"]
    dns: dict[bool, list[str]] = {True: [], False: []}
    directories = []
    for allowed, trees in ((True, permitted), (False, excluded)):
        for tree in trees or ():
            base = tree["base"]
            if base.name == "dns_name":
                dns[allowed].append(base.native.lower())
            elif base.name == "directory_name" and allowed:
                directories.append(base.chosen.untag().dump())
            else:
                raise Refused(f"a tree of {base.name}", where="certificate, name constraints")
    return Constraints(
        permitted_dns=tuple(dns[True]), excluded_dns=tuple(dns[False]), permitted_trees=tuple(directories)
    )


def _first_url(points: Any) -> str:
    """The address of the first distribution point that has one."""
    for point in points or ():
        inner = point["distribution_point"]
        if inner.native is not None and inner.name == "full_name":
            for name in inner.chosen:
                if name.name == "uniform_resource_identifier":
                    return str(name.native)
    return ""


def _ocsp_url(accesses: Any) -> str:
    for access in accesses or ():
        location = access["access_location"]
        if access["access_method"].native == "ocsp" and location.name == "uniform_resource_identifier":
            return str(location.native)
    return ""
