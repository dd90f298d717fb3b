"""Requests for certificates: PKCS #10 (RFC 2986), with the wished DNS names as an extension request (RFC 2985, 5.4.2).

A request is signed by the key that it names, which proves that whoever asks holds the key. `read_request` checks that
before anything else is looked at. What it asks for is a wish: the authority decides from the application.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from asn1crypto import csr, keys, x509

from jinka.codec import TlvError
from jinka.codec.der import check_der
from jinka.crypto.x509_fields import Subject, check_dns, sign_body, signature_bits, subject_of
from jinka.crypto.x509_keys import Signer, check_signature, key_kind
from jinka.kit import Refused

REQUEST_SIZE_MAX = 16 * 1024
_DNS_NAMES_MAX = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateRequest:
    """A request whose signature is right."""

    der: bytes = field(repr=False)
    subject: Subject
    public_der: bytes = field(repr=False)
    dns_names: tuple[str, ...]


def build_request(subject: Subject, signer: Signer, dns_names: tuple[str, ...] = ()) -> bytes:
    """A request (DER) signed by the key that is to be certified."""
    attributes = []
    if dns_names:
        names = [x509.GeneralName(name="dns_name", value=check_dns(name)) for name in dns_names]
        wish = {"extn_id": "subject_alt_name", "critical": False, "extn_value": x509.GeneralNames(names)}
        attributes.append({"type": "extension_request", "values": [[wish]]})
    body = csr.CertificationRequestInfo(
        {
            "version": "v1",
            "subject": subject.to_name(),
            "subject_pk_info": keys.PublicKeyInfo.load(signer.public_der),
            "attributes": attributes,
        }
    )
    return sign_body(body, signer)


def read_request(der: bytes) -> CertificateRequest:
    """Read a request and check its proof of possession; raises `Refused`."""
    try:
        check_der(der, size_max=REQUEST_SIZE_MAX)
        outer = csr.CertificationRequest.load(der, strict=True)
        body = outer["certification_request_info"]
        public_der = body["subject_pk_info"].dump()
        key_kind(public_der)
        algorithm, signature = outer["signature_algorithm"].dump(), signature_bits(outer["signature"])
        check_signature(public_der, algorithm, body.dump(), signature)
        if body["version"].native != "v1":
            raise Refused("not of version 1", where="request")
        return CertificateRequest(
            der=der,
            subject=subject_of(body["subject"]),
            public_der=public_der,
            dns_names=_wished_names(body["attributes"]),
        )
    except TlvError as error:
        raise Refused(error.what, where=f"request, {error.where}") from None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        raise Refused("not a request", where="request") from None


def _wished_names(attributes: csr.CRIAttributes) -> tuple[str, ...]:
    """The DNS names of the extension request; other wishes are for the application form, and are not read."""
    found: list[str] = []
    for attribute in attributes or ():
        if attribute["type"].native != "extension_request":
            continue
        for extensions in attribute["values"]:
            for extension in extensions:
                if extension["extn_id"].native == "subject_alt_name":
                    found += [
                        check_dns(name.native) for name in extension["extn_value"].parsed if _is_dns(name)
                    ]
    if len(found) > _DNS_NAMES_MAX:
        raise Refused(f"{len(found)} DNS names", where="request", fix=f"at most {_DNS_NAMES_MAX}")
    return tuple(found)


def _is_dns(name: x509.GeneralName) -> bool:
    if name.name != "dns_name":
        raise Refused(f"an alternative name of kind {name.name}", where="request", fix="DNS names only")
    return True
