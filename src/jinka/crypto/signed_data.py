"""CMS SignedData with one signer and its certificate (RFC 5652, 5), as a document security object needs it.

Written here because the PKCS #7 builder of `cryptography` knows plain data only, not a content type of one's own.
SHA-256 with ECDSA or PKCS #1 version 1.5; other algorithms are refused.
"""

from __future__ import annotations

import hashlib
import hmac

from jinka.codec import TlvError, parse, tlv
from jinka.crypto.certificates import (
    Authority,
    certificate_identity,
    public_key_of,
    sign_message,
    verify_message,
)
from jinka.kit import Refused

SEQUENCE, SET, INTEGER, OCTETS, OID = 0x30, 0x31, 0x02, 0x04, 0x06
_CONTEXT0 = 0xA0
SIGNED_DATA = bytes.fromhex("2A864886F70D010702")
_CONTENT_TYPE = bytes.fromhex("2A864886F70D010903")
_MESSAGE_DIGEST = bytes.fromhex("2A864886F70D010904")
_SHA256_OID = bytes.fromhex("608648016503040201")
SHA256 = tlv(SEQUENCE, tlv(OID, _SHA256_OID))
_ECDSA_OID, _RSA_OID = bytes.fromhex("2A8648CE3D040302"), bytes.fromhex("2A864886F70D01010B")
_ECDSA_SHA256 = tlv(SEQUENCE, tlv(OID, _ECDSA_OID))
_RSA_SHA256 = tlv(SEQUENCE, tlv(OID, _RSA_OID), b"\x05\x00")
_VERSION_1, _VERSION_3 = tlv(INTEGER, b"\x01"), tlv(INTEGER, b"\x03")


def sign_content(content_type: bytes, content: bytes, signer: Authority) -> bytes:
    """ContentInfo (DER) with the content, the signer's certificate and its signature over signed attributes."""
    attributes = _attributes(content_type, content)
    issuer, serial = certificate_identity(signer.certificate)
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    signature = sign_message(signer.key, tlv(SET, attributes))
    algorithm = _ECDSA_SHA256 if signer.elliptic else _RSA_SHA256
    info = tlv(
        SEQUENCE,
        _VERSION_1,
        tlv(SEQUENCE, issuer, tlv(INTEGER, number)),
        SHA256,
        tlv(_CONTEXT0, attributes),
        algorithm,
        tlv(OCTETS, signature),
    )
    body = tlv(
        SEQUENCE,
        _VERSION_3,
        tlv(SET, SHA256),
        tlv(SEQUENCE, tlv(OID, content_type), tlv(_CONTEXT0, tlv(OCTETS, content))),
        tlv(_CONTEXT0, signer.certificate),
        tlv(SET, info),
    )
    return tlv(SEQUENCE, tlv(OID, SIGNED_DATA), tlv(_CONTEXT0, body))


def open_signed(raw: bytes, content_type: bytes) -> tuple[bytes, bytes]:
    """(content, signer's certificate) after the check of type, digest and signature; raises `Refused`.

    Who the signer is remains to be asked: `jinka.crypto.certificates.check_certificate`.
    """
    try:
        content, certificate, info = _taken_apart(raw, content_type)
        _check_signer(content_type, content, certificate, info)
    except TlvError as error:
        raise Refused(error.what, where=f"CMS, {error.where}") from None
    return content, certificate


def _check_signer(content_type: bytes, content: bytes, certificate: bytes, info: bytes) -> None:
    parts = children(info, 6)
    named = children(parts[1][1], 2)
    identity = (tlv(named[0][0], named[0][1]), int.from_bytes(named[1][1], "big"))
    if identity != certificate_identity(certificate):
        raise Refused("the certificate is not the signer's", where="CMS")
    if children(parts[2][1], 1)[0] != (OID, _SHA256_OID):
        raise Refused("a digest other than SHA-256", where="CMS")
    attributes = parts[3]
    if attributes[0] != _CONTEXT0:
        raise Refused("no signed attributes", where="CMS")
    found = _read_attributes(attributes[1])
    if found.get(_CONTENT_TYPE) != tlv(OID, content_type):
        raise Refused("the signed content type differs", where="CMS")
    digest = tlv(OCTETS, hashlib.sha256(content).digest())
    if not hmac.compare_digest(found.get(_MESSAGE_DIGEST, b""), digest):
        raise Refused("the signed digest is not the content's", where="CMS")
    if children(parts[4][1], 1)[0] not in ((OID, _ECDSA_OID), (OID, _RSA_OID)):
        raise Refused("an unknown signature algorithm", where="CMS")
    verify_message(public_key_of(certificate), tlv(SET, attributes[1]), parts[5][1])


def _taken_apart(raw: bytes, content_type: bytes) -> tuple[bytes, bytes, bytes]:
    """(content, certificate DER, body of the one signer info)."""
    outer = children(one(raw, SEQUENCE), 2)
    if outer[0] != (OID, SIGNED_DATA) or outer[1][0] != _CONTEXT0:
        raise Refused("not SignedData", where="CMS")
    body = children(one(outer[1][1], SEQUENCE), 5)
    inner = children(body[2][1], 2)
    if inner[0] != (OID, content_type) or inner[1][0] != _CONTEXT0:
        raise Refused("another content type", where="CMS")
    content = one(inner[1][1], OCTETS)
    if body[3][0] != _CONTEXT0 or body[4][0] != SET:
        raise Refused("no certificate or no signer", where="CMS")
    certificate = one(body[3][1], SEQUENCE)
    return content, tlv(SEQUENCE, certificate), one(body[4][1], SEQUENCE)


def children(raw: bytes, least: int) -> list[tuple[int, bytes]]:
    """The (tag, value) pairs inside a constructed value; `Refused` when there are fewer than ``least``."""
    found = [(tag, value) for tag, value, _ in parse(raw)]
    if len(found) < least:
        raise Refused(f"{len(found)} elements where {least} belong", where="DER")
    return found


def one(raw: bytes, tag: int) -> bytes:
    """The value of the only element, which must have this tag."""
    found = [(found, value) for found, value, _ in parse(raw)]
    if len(found) != 1 or found[0][0] != tag:
        raise Refused(f"not one element {tag:02X}", where="DER")
    return found[0][1]


def _attributes(content_type: bytes, content: bytes) -> bytes:
    """The two attributes that must be signed; DER orders a SET by its encodings."""
    digest = hashlib.sha256(content).digest()
    both = (
        tlv(SEQUENCE, tlv(OID, _CONTENT_TYPE), tlv(SET, tlv(OID, content_type))),
        tlv(SEQUENCE, tlv(OID, _MESSAGE_DIGEST), tlv(SET, tlv(OCTETS, digest))),
    )
    return b"".join(sorted(both))


def _read_attributes(raw: bytes) -> dict[bytes, bytes]:
    """Attribute type -> the encoding of its one value; a type that comes twice is refused."""
    found: dict[bytes, bytes] = {}
    for tag, value, _ in parse(raw):
        parts = children(value, 2)
        if tag != SEQUENCE or parts[0][0] != OID or parts[1][0] != SET or parts[0][1] in found:
            raise Refused("malformed signed attributes", where="CMS")
        found[parts[0][1]] = parts[1][1]
    return found
