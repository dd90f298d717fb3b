"""What certificates, requests, revocation lists and OCSP answers have in common: names, usages, times, extensions.

RFC 5280, 4.1 and 4.2. Everything is put together by asn1crypto and signed by a `Signer`, so RSA, ECDSA and SM2 take one
road, and the key may lie in a token. Texts are UTF-8; DNS names are plain and in lower case; addresses are http.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Set
from dataclasses import dataclass
from enum import Enum
from typing import Any

from asn1crypto import algos, core, keys, x509

from jinka.codec.der import check_der
from jinka.crypto.sm2_curve import sm3
from jinka.crypto.x509_keys import Signer, key_kind
from jinka.kit import Refused, Usage

CODE_OID = "1.2.156.10260.4.1.4"  # an organisation's code (GM/T 0015)
_EPOCH_OF_LONG_YEARS = 2050  # RFC 5280, 4.1.2.5
_TEXT_MAX = 64  # RFC 5280, A.1: upper bounds of names


class KeyUsage(Enum):
    """What a key may do (RFC 5280, 4.2.1.3); the value is asn1crypto's name."""

    SIGNATURE = "digital_signature"
    COMMITMENT = "non_repudiation"
    KEY_ENCIPHERMENT = "key_encipherment"
    DATA_ENCIPHERMENT = "data_encipherment"
    KEY_AGREEMENT = "key_agreement"
    CERTIFICATES = "key_cert_sign"
    CRLS = "crl_sign"
    ENCIPHER_ONLY = "encipher_only"
    DECIPHER_ONLY = "decipher_only"


class Purpose(Enum):
    """Extended key usage (RFC 5280, 4.2.1.12)."""

    SERVER = "server_auth"
    CLIENT = "client_auth"
    OCSP = "ocsp_signing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Who a certificate is for. Empty texts are left out."""

    common_name: str
    organisation: str = ""
    unit: str = ""
    organisation_code: str = ""
    country: str = "CN"

    def to_name(self) -> x509.Name:
        """The name, in the order country, organisation, unit, code, common name."""
        parts = (
            ("country_name", self.country),
            ("organization_name", self.organisation),
            ("organizational_unit_name", self.unit),
            ("organization_identifier", self.organisation_code),
            ("common_name", self.common_name),
        )
        for name, text in parts:
            if len(text) > _TEXT_MAX or not text.isprintable() or (name == "common_name" and not text):
                raise Usage(f"1 to {_TEXT_MAX} printable characters", where=f"subject, {name}")
        if len(self.country) != 2 or not self.country.isascii() or not self.country.isupper():
            raise Usage("two capital letters", where="subject, country")
        built = [
            x509.RelativeDistinguishedName(
                [x509.NameTypeAndValue({"type": name, "value": _text(name, text)})]
            )
            for name, text in parts
            if text
        ]
        return x509.Name(name="", value=x509.RDNSequence(built))


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraints:
    """Name constraints of an authority: DNS trees that it may or may not serve, and directory trees that it may.

    A directory tree is a name in DER (`organisation_tree`); a subject is in it when it starts with it, byte by byte.
    """

    permitted_dns: tuple[str, ...] = ()
    excluded_dns: tuple[str, ...] = ()
    permitted_trees: tuple[bytes, ...] = ()


def subject_of(name: x509.Name) -> Subject:
    """Read a name as a `Subject`; `Refused` when it has other parts, or one of them twice."""
    fields = {
        "country_name": "country",
        "organization_name": "organisation",
        "organizational_unit_name": "unit",
        "organization_identifier": "organisation_code",
        "common_name": "common_name",
    }
    found: dict[str, str] = {}
    for rdn in name.chosen:
        for part in rdn:
            kind = fields.get(part["type"].native, "")
            if not kind or kind in found:
                raise Refused(
                    "parts other than C, O, OU, organizationIdentifier and CN, each once", where="subject"
                )
            found[kind] = str(part["value"].native)
    if "common_name" not in found:
        raise Refused("no common name", where="subject")
    return Subject(**{"country": "", **found})


def organisation_tree(organisation: str, country: str = "CN") -> bytes:
    """The directory tree of one organisation: country, then its name."""
    name = Subject(common_name="-", organisation=organisation, country=country).to_name()
    return bytes(x509.Name(name="", value=x509.RDNSequence(list(name.chosen)[:2])).dump())


def sign_body(body: core.Sequence, signer: Signer) -> bytes:
    """SEQUENCE { body, algorithm, signature }: the frame of certificates, requests, lists and OCSP answers."""
    raw = body.dump()
    parts = raw + algorithm_of(signer).dump() + core.OctetBitString(signer.sign(raw)).dump()
    return bytes(core.Sequence(contents=parts).dump())


def key_identifier(public_der: bytes) -> bytes:
    """The identifier of a key: the left 20 bytes of SM3 over its bits (RFC 7093, 2, with SM3 for SHA-256)."""
    return sm3(bytes(keys.PublicKeyInfo.load(public_der)["public_key"]))[:20]


def time_of(moment: dt.datetime) -> x509.Time:
    """UTCTime until 2049, GeneralizedTime from 2050 on; whole seconds."""
    if moment.tzinfo is None or moment.microsecond:
        raise Usage("a time with a zone and in whole seconds", where="validity")
    utc = moment.astimezone(dt.UTC)
    return x509.Time({"utc_time" if utc.year < _EPOCH_OF_LONG_YEARS else "general_time": utc})


def signature_bits(value: core.OctetBitString) -> bytes:
    """A signature as whole bytes: the one part outside the signed body must not have two encodings either."""
    if value.contents[:1] != b"\x00":
        raise Refused("not a whole number of bytes", where="signature")
    return bytes(value.native)


def algorithm_of(signer: Signer) -> algos.SignedDigestAlgorithm:
    """The AlgorithmIdentifier of what a signer makes."""
    return algos.SignedDigestAlgorithm.load(key_kind(signer.public_der).value)


def read_extensions(extensions: Any, known: Set[str]) -> dict[str, Any]:
    """Name or OID -> parsed value; `Refused` when one comes twice, or is critical and not ``known``.

    `TlvError` when a value is not DER: the outer walk does not look into octet strings.
    """
    found: dict[str, Any] = {}
    for extension in extensions or ():
        name = extension["extn_id"].native
        if name in found:
            raise Refused("it comes twice", where=f"extension {name}")
        if extension["critical"].native and name not in known:
            raise Refused("critical and unknown", where=f"extension {name}")
        check_der(bytes(extension["extn_value"]))
        found[name] = extension["extn_value"].parsed
        found[name].native  # noqa: B018 the parser is lazy, and fails late otherwise
    return found


def address(url: str) -> x509.GeneralName:
    """An http address as a GeneralName; `Usage` otherwise."""
    if not url.startswith(("http://", "https://")) or not url.isascii() or not url.isprintable():
        raise Usage(f"not an http address: {url!r}", where="certificate")
    return x509.GeneralName(name="uniform_resource_identifier", value=url)


def check_dns(name: str) -> str:
    """A DNS name in lower case without wildcards; `Usage` otherwise."""
    labels = name.split(".")
    right = all(
        0 < len(label) < 64 and label.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == "" and label[0] != "-"
        for label in labels
    )
    if not right or len(name) > 253:
        raise Usage(f"not a DNS name in lower case: {name!r}", where="certificate")
    return name


def _text(name: str, text: str) -> core.Asn1Value:
    if name == "country_name":
        return x509.DirectoryString(name="printable_string", value=core.PrintableString(text))
    return x509.DirectoryString(name="utf8_string", value=core.UTF8String(text))
