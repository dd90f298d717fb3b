"""X.509 certificates for chips and signers: a small authority, and the check of one certificate against its anchors.

RFC 5280 as far as a chain of two needs it: anchor, and what it issued (country signer and document signer of ICAO Doc
9303-12; identity card and its issuer). No path building, no revocation: a list of revoked serials is the caller's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID

from jinka.kit import Refused, Usage

SigningKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Authority:
    """A key and the certificate that names it. ``certificate`` is DER."""

    certificate: bytes
    key: SigningKey

    def __repr__(self) -> str:
        return f"Authority({x509.load_der_x509_certificate(self.certificate).subject.rfc4514_string()})"

    @property
    def elliptic(self) -> bool:
        """Whether it signs with ECDSA; RSA otherwise."""
        return isinstance(self.key, ec.EllipticCurvePrivateKey)

    @classmethod
    def root(cls, country: str, name: str, start: dt.datetime, end: dt.datetime) -> Authority:
        """A self-signed authority with a fresh P-256 key."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(country, name)
        builder = _builder(subject, subject, key.public_key(), 1, start, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        return cls(_der(builder.sign(key, hashes.SHA256())), key)

    def issue(
        self, country: str, name: str, public_der: bytes, serial: int, start: dt.datetime, end: dt.datetime
    ) -> bytes:
        """A certificate (DER) over a SubjectPublicKeyInfo, for signatures only."""
        public = serialization.load_der_public_key(public_der)
        if not isinstance(public, ec.EllipticCurvePublicKey | rsa.RSAPublicKey):
            raise Usage("neither RSA nor elliptic", where="public key")
        issuer = x509.load_der_x509_certificate(self.certificate).subject
        builder = _builder(_name(country, name), issuer, public, serial, start, end)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        return _der(builder.sign(self.key, hashes.SHA256()))

    def signer(self, country: str, name: str, serial: int, start: dt.datetime, end: dt.datetime) -> Authority:
        """A fresh P-256 key under this authority: a document signer."""
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return Authority(self.issue(country, name, public, serial, start, end), key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """What a checked certificate says."""

    name: str
    country: str
    serial: int
    public_der: bytes


def check_certificate(der: bytes, anchors: Sequence[bytes], at: dt.datetime) -> Holder:
    """Check that an anchor issued the certificate and that both are valid ``at`` (UTC); raises `Refused`."""
    certificate = _load(der)
    for anchor_der in anchors:
        anchor = _load(anchor_der)
        try:
            certificate.verify_directly_issued_by(anchor)
        except (InvalidSignature, ValueError, TypeError):
            continue
        _require_authority(anchor)
        _require_time(anchor, at)
        _require_time(certificate, at)
        return Holder(
            name=_text(certificate, NameOID.COMMON_NAME),
            country=_text(certificate, NameOID.COUNTRY_NAME),
            serial=certificate.serial_number,
            public_der=_public_info(certificate),
        )
    raise Refused("no known authority issued it", where="certificate", fix="import its issuer's certificate")


def sign_message(key: SigningKey, message: bytes) -> bytes:
    """SHA-256 with ECDSA (DER) or PKCS #1 version 1.5."""
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, ec.ECDSA(hashes.SHA256()))


def verify_message(public_der: bytes, message: bytes, signature: bytes) -> None:
    """Check `sign_message`; raises `Refused`."""
    try:
        key = serialization.load_der_public_key(public_der)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            raise Refused("neither RSA nor elliptic", where="public key")
    except (InvalidSignature, ValueError, UnsupportedAlgorithm):
        raise Refused("the signature is wrong", where="signature") from None


def certificate_identity(der: bytes) -> tuple[bytes, int]:
    """(issuer's name in DER, serial number), as CMS names a signer; `Refused` when the bytes are no certificate."""
    certificate = _load(der)
    return certificate.issuer.public_bytes(), certificate.serial_number


def public_key_of(der: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate whose issuer nobody has checked yet."""
    return _public_info(_load(der))


def _public_info(certificate: x509.Certificate) -> bytes:
    return certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _load(der: bytes) -> x509.Certificate:
    """Parse a certificate and every part of it that is used here: the parser is lazy, and fails late otherwise."""
    try:
        found = x509.load_der_x509_certificate(der)
        found.public_key()
        parts = found.issuer, found.subject, found.extensions, found.serial_number, found.not_valid_after_utc
        assert parts, "read only for the errors that they raise"
        found.issuer.public_bytes()
    except Exception:  # the parser raises several kinds for bytes from outside
        raise Refused("not a certificate", where="certificate") from None
    return found


def _require_authority(anchor: x509.Certificate) -> None:
    try:
        basic = anchor.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (x509.ExtensionNotFound, ValueError):
        raise Refused("the anchor is no authority", where="certificate") from None
    if not basic.ca:
        raise Refused("the anchor is no authority", where="certificate")


def _require_time(certificate: x509.Certificate, at: dt.datetime) -> None:
    if not certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc:
        raise Refused("not valid at this time", where="certificate", fix="renew it")


def _text(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else ""


def _name(country: str, name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, country), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey,
    serial: int,
    start: dt.datetime,
    end: dt.datetime,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(serial)
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.DER)
