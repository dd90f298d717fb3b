"""Revocation lists: complete and delta (RFC 5280, 5), for RSA, ECDSA and SM2.

A certificate on hold is suspended; a delta list takes it off again with removeFromCRL. Every list has a number, a next
update and one issuer, the authority itself: no indirect lists, no partitions; a list with such extensions is refused.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import MappingProxyType
from typing import Any

from asn1crypto import core, crl, x509

from jinka.codec import TlvError
from jinka.codec.der import check_der
from jinka.crypto.x509_certificate import Certificate
from jinka.crypto.x509_fields import (
    KeyUsage,
    algorithm_of,
    key_identifier,
    read_extensions,
    sign_body,
    signature_bits,
    time_of,
)
from jinka.crypto.x509_keys import Signer, check_signature
from jinka.kit import Refused, Usage

LIST_SIZE_MAX = 16 * 1024 * 1024
_NUMBER_MAX = 1 << 159
_KNOWN = frozenset({"authority_key_identifier", "crl_number", "delta_crl_indicator"})
_ENTRY_KNOWN = frozenset({"crl_reason", "invalidity_date"})


class Reason(Enum):
    """Why a certificate may not be used (RFC 5280, 5.3.1); the value is asn1crypto's name."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "key_compromise"
    AUTHORITY_COMPROMISE = "ca_compromise"
    AFFILIATION_CHANGED = "affiliation_changed"
    SUPERSEDED = "superseded"
    CESSATION = "cessation_of_operation"
    ON_HOLD = "certificate_hold"  # suspended
    REMOVED = "remove_from_crl"  # in delta lists alone: no longer on hold, or expired
    PRIVILEGE_WITHDRAWN = "privilege_withdrawn"
    ATTRIBUTES_COMPROMISE = "aa_compromise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """One entry: since when and why."""

    since: dt.datetime
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A list as it was read; ``base_number`` is set in a delta list. ``issuer`` is a name in DER."""

    body: bytes = field(repr=False)
    algorithm: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    issuer: bytes = field(repr=False)
    number: int
    base_number: int | None
    this_update: dt.datetime
    next_update: dt.datetime
    entries: Mapping[int, Revocation] = field(repr=False)

    def require_signed_by(self, issuer: Certificate) -> None:
        """The authority made this list and has the right to; raises `Refused`."""
        if self.issuer != issuer.subject:
            raise Refused("issued under another name", where="revocation list")
        if not issuer.authority or KeyUsage.CRLS not in issuer.usages:
            raise Refused("its issuer may not sign lists", where="revocation list")
        check_signature(issuer.public_der, self.algorithm, self.body, self.signature)

    def require_current(self, at: dt.datetime) -> None:
        """The list may be relied on ``at`` this time; raises `Refused`."""
        if not self.this_update <= at < self.next_update:
            raise Refused("not valid at this time", where="revocation list", fix="fetch the newest")

    def require_absent(self, serial: int) -> None:
        """A certificate is not on the list; raises `Refused`."""
        entry = self.entries.get(serial)
        if entry is not None:
            word = "suspended" if entry.reason is Reason.ON_HOLD else "revoked"
            raise Refused(
                f"{word} since {entry.since:%Y-%m-%d} ({entry.reason.value})", where=f"certificate {serial:x}"
            )

    def updated_by(self, delta: RevocationList, issuer: Certificate) -> RevocationList:
        """This complete list with a delta applied, after the check that the issuer signed both; raises `Refused`.

        The result carries the delta's signature, so an unsigned base must not get this far.
        """
        self.require_signed_by(issuer)
        delta.require_signed_by(issuer)
        if self.base_number is not None or delta.base_number is None:
            raise Usage("a complete list is updated by a delta list", where="revocation list")
        if delta.issuer != self.issuer or not delta.base_number <= self.number < delta.number:
            raise Refused(f"delta {delta.number} does not follow list {self.number}", where="revocation list")
        entries = dict(self.entries)
        for serial, entry in delta.entries.items():
            if entry.reason is Reason.REMOVED:
                entries.pop(serial, None)
            else:
                entries[serial] = entry
        return replace(delta, base_number=None, entries=MappingProxyType(entries))


def build_list(
    issuer: Certificate,
    signer: Signer,
    *,
    number: int,
    this_update: dt.datetime,
    next_update: dt.datetime,
    entries: Mapping[int, Revocation],
    base_number: int | None = None,
) -> bytes:
    """Sign a list (DER), complete or, with ``base_number``, a delta to that complete list."""
    if signer.public_der != issuer.public_der:
        raise Usage("the signer's key is not the issuer's", where="revocation list")
    if not 0 <= (base_number or 0) <= number < _NUMBER_MAX or this_update >= next_update:
        raise Usage("numbers and times in order", where="revocation list")
    if base_number is None and any(entry.reason is Reason.REMOVED for entry in entries.values()):
        raise Usage("only a delta list takes entries off", where="revocation list")
    extensions: list[dict[str, Any]] = [
        {
            "extn_id": "authority_key_identifier",
            "critical": False,
            "extn_value": x509.AuthorityKeyIdentifier({"key_identifier": key_identifier(issuer.public_der)}),
        },
        {"extn_id": "crl_number", "critical": False, "extn_value": core.Integer(number)},
    ]
    if base_number is not None:
        value = core.Integer(base_number)
        extensions.append({"extn_id": "delta_crl_indicator", "critical": True, "extn_value": value})
    fields: dict[str, Any] = {
        "version": "v2",
        "signature": algorithm_of(signer),
        "issuer": x509.Name.load(issuer.subject),
        "this_update": time_of(this_update),
        "next_update": time_of(next_update),
        "crl_extensions": extensions,
    }
    if entries:  # RFC 5280, 5.1.2.6: absent when empty
        fields["revoked_certificates"] = [_entry(serial, entries[serial]) for serial in sorted(entries)]
    return sign_body(crl.TbsCertList(fields), signer)


def read_list(der: bytes) -> RevocationList:
    """Read one list; raises `Refused`. Nothing is believed yet."""
    try:
        check_der(der, size_max=LIST_SIZE_MAX)
        outer = crl.CertificateList.load(der, strict=True)
        body = outer["tbs_cert_list"]
        algorithm = outer["signature_algorithm"].dump()
        found = read_extensions(body["crl_extensions"], _KNOWN)
        if (
            body["version"].native != "v2"
            or body["signature"].dump() != algorithm
            or "crl_number" not in found
        ):
            raise Refused("not of version 2, or without a number", where="revocation list")
        if body["next_update"].native is None:
            raise Refused("without a next update", where="revocation list")
        delta = found.get("delta_crl_indicator")
        return RevocationList(
            body=body.dump(),
            algorithm=algorithm,
            signature=signature_bits(outer["signature"]),
            issuer=body["issuer"].dump(),
            number=found["crl_number"].native,
            base_number=None if delta is None else delta.native,
            this_update=body["this_update"].native,
            next_update=body["next_update"].native,
            entries=MappingProxyType(_entries(body["revoked_certificates"])),
        )
    except TlvError as error:
        raise Refused(error.what, where=f"revocation list, {error.where}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Refused("not a revocation list", where="revocation list") from None


def _entry(serial: int, entry: Revocation) -> dict[str, Any]:
    fields: dict[str, Any] = {"user_certificate": serial, "revocation_date": time_of(entry.since)}
    if entry.reason is not Reason.UNSPECIFIED:  # RFC 5280, 5.3.1: left out rather than said
        value = crl.CRLReason(entry.reason.value)
        fields["crl_entry_extensions"] = [{"extn_id": "crl_reason", "critical": False, "extn_value": value}]
    return fields


def _entries(revoked: Any) -> dict[int, Revocation]:
    found: dict[int, Revocation] = {}
    for entry in revoked or ():
        serial = entry["user_certificate"].native
        extensions = read_extensions(entry["crl_entry_extensions"], _ENTRY_KNOWN)
        reason = extensions.get("crl_reason")
        if serial in found:
            raise Refused("it comes twice", where=f"revocation list, certificate {serial:x}")
        found[serial] = Revocation(
            since=entry["revocation_date"].native,
            reason=Reason.UNSPECIFIED if reason is None else Reason(reason.native),
        )
    return found
