"""Detached signatures over documents: JSON Web Signatures whose payload travels beside them, byte for byte.

RFC 7515 (JWS, appendix F: detached), RFC 7797 (``b64`` false: the payload is signed as it is), RFC 7518 (ES256, RS256),
``x5c`` for the certificates. SM2 over SM3 has no registered name: it is ``SM2SM3`` here, its signature ``r | s`` as of
ES256. The key decides the algorithm; a header that says another is refused, so nothing can be negotiated down.

Not here: any other serialisation, keys without certificates, encryption. A time is not signed: whoever takes the same
document twice must know it.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import json
from collections.abc import Sequence

from jinka.crypto.sm2 import SIGNATURE_SIZE, signature_der, signature_raw
from jinka.crypto.x509_certificate import Certificate, read_certificate
from jinka.crypto.x509_fields import KeyUsage
from jinka.crypto.x509_keys import KeyKind, Signer, check_signature, key_kind
from jinka.crypto.x509_path import Trust, check_path
from jinka.kit import Refused

TEXT_MAX = 32 * 1024
_CERTIFICATES_MAX = 8
_P256_INFO_BYTES = 91  # SubjectPublicKeyInfo of an uncompressed point: ES256 is P-256 alone (RFC 7518, 3.4)
_ALGORITHMS = {KeyKind.ECDSA: "ES256", KeyKind.RSA: "RS256", KeyKind.SM2: "SM2SM3"}
_WHERE = "signature"


def sign_detached(payload: bytes, signer: Signer, certificates: Sequence[bytes]) -> str:
    """``HEADER..SIGNATURE``; ``certificates`` are the signer's own (DER) and those above it, without the anchor."""
    kind = _kind(signer.public_der)
    header = {
        "alg": _ALGORITHMS[kind],
        "b64": False,
        "crit": ["b64"],
        "x5c": [base64.b64encode(der).decode() for der in certificates],
    }
    head = _encode(json.dumps(header, separators=(",", ":")).encode())
    made = signer.sign(head + b"." + payload)
    return (head + b".." + _encode(made if kind is KeyKind.RSA else signature_raw(made))).decode()


def certificates_of(text: str) -> list[bytes]:
    """The certificates that a signature came with, the signer's first; nothing is believed yet. Raises `Refused`."""
    return _read(text)[2]


def check_signer(certificates: Sequence[bytes], trust: Trust, at: dt.datetime) -> Certificate:
    """The signer's certificate, which leads to an anchor and is meant for commitment; raises `Refused`."""
    leaf, *above = (read_certificate(der) for der in certificates)
    check_path(leaf, above, trust, at, usage=KeyUsage.COMMITMENT)
    return leaf


def check_detached(text: str, payload: bytes, trust: Trust, at: dt.datetime) -> Certificate:
    """The certificate of who signed the payload, as of `check_signer`; raises `Refused`."""
    head, raw, certificates, algorithm = _read(text)
    leaf = check_signer(certificates, trust, at)
    kind = _kind(leaf.public_der)
    if algorithm != _ALGORITHMS[kind]:
        raise Refused("another algorithm than the key's", where=_WHERE, fix=_ALGORITHMS[kind])
    if kind is not KeyKind.RSA:
        if len(raw) != SIGNATURE_SIZE:
            raise Refused(f"{len(raw)} bytes", where=_WHERE, fix="r | s, 64 bytes")
        raw = signature_der(raw)
    check_signature(leaf.public_der, kind.value, head + b"." + payload, raw)
    return leaf


def _kind(public_der: bytes) -> KeyKind:
    kind = key_kind(public_der)
    if kind is KeyKind.ECDSA and len(public_der) != _P256_INFO_BYTES:
        raise Refused("not on P-256", where="key", fix="ES256 is P-256 alone")
    return kind


def _read(text: str) -> tuple[bytes, bytes, list[bytes], str]:
    """(header as it was signed, signature, certificates, algorithm)."""
    if len(text) > TEXT_MAX or not text.isascii():
        raise Refused("too long, or not ASCII", where=_WHERE, fix=f"at most {TEXT_MAX} characters")
    head, payload, signature, *more = [*text.split("."), "", "", ""]
    if text.count(".") != 2 or payload or any(more):
        raise Refused("not HEADER..SIGNATURE", where=_WHERE, fix="a detached JWS (RFC 7515, appendix F)")
    try:
        fields = json.loads(_decode(head), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refused("the header is no JSON", where=_WHERE) from None
    if not isinstance(fields, dict):
        raise Refused("the header is no JSON object", where=_WHERE)
    if fields.get("b64") is not False or fields.get("crit") != ["b64"]:
        raise Refused("the payload would be encoded", where=_WHERE, fix='"b64": false, "crit": ["b64"]')
    chain, algorithm = fields.get("x5c"), fields.get("alg")
    if (
        not isinstance(chain, list)
        or not 0 < len(chain) <= _CERTIFICATES_MAX
        or not all(isinstance(each, str) for each in chain)
    ):
        raise Refused("no certificates", where=_WHERE, fix=f"x5c with 1 to {_CERTIFICATES_MAX}")
    try:
        certificates = [base64.b64decode(each, validate=True) for each in chain]
    except (ValueError, binascii.Error):
        raise Refused("a certificate is no Base64", where=_WHERE) from None
    return head.encode(), _decode(signature), certificates, str(algorithm)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """RFC 7515, 4: names are unique."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _encode(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _decode(text: str) -> bytes:
    """Base64url without padding, in its one form."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise Refused("no Base64url", where=_WHERE) from None
    if _encode(raw).decode() != text:
        raise Refused("not the one form of Base64url", where=_WHERE)
    return raw
