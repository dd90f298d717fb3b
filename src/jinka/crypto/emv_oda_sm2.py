"""Offline data authentication with SM2 and SM3: certificates, static and dynamic signatures (JR/T 0025.17).

Nothing is recovered from a signature here: certificates and signed data are plain, and 64 bytes ``r | s`` follow them.
Heads, places and what each signature covers are those of terminals in the field. Three things no public source
confirms, so they are parameters of `Sm2Form`: the two bytes between algorithm and length in a certificate, the
distinguishing id, and how a contactless dynamic signature begins. The combined signature keeps the form of the RSA
one with SM3 for its hash, which is Jinka's choice.
"""

from __future__ import annotations

import datetime as dt
import hmac
from dataclasses import dataclass, field

from jinka.crypto.emv_oda import month_end
from jinka.crypto.sm2 import DEFAULT_ID, SIGNATURE_SIZE, Sm2PrivateKey, Sm2PublicKey
from jinka.crypto.sm2_curve import sm3
from jinka.crypto.sm2_libcrypto import Libcrypto, find_libcrypto
from jinka.kit import Randomness, Refused, Usage

SM2 = 0x04
ISSUER, STATIC, ICC, DYNAMIC, CONTACTLESS = 0x12, 0x13, 0x14, 0x15, 0xA5
_KEY_SIZE = 64
_ISSUER_HEAD, _ICC_HEAD = 14, 20  # bytes before the key
_AC = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2Form:
    """What issuers and terminals of one scheme agree on beyond the confirmed layout."""

    encryption: int = 0x00  # the byte behind the signature algorithm
    curve: int = 0x11  # the byte after that one
    user_id: bytes = DEFAULT_ID
    contactless: int = CONTACTLESS


STANDARD_FORM = Sm2Form()


@dataclass(frozen=True, slots=True)
class Sm2CaKey:
    """A certification authority's SM2 key as a terminal stores it: scheme (RID 5), index, key, last day."""

    rid: bytes
    index: int
    key: Sm2PublicKey
    expiry: dt.date | None = None
    form: Sm2Form = field(default=STANDARD_FORM)
    revoked: frozenset[bytes] = frozenset()  # serial numbers of issuer certificates


def certify_issuer(
    ca: Sm2PrivateKey,
    issuer: Sm2PublicKey,
    randomness: Randomness,
    *,
    identifier: str,
    expiry: bytes,
    serial: bytes,
    form: Sm2Form = STANDARD_FORM,
) -> bytes:
    """Tag 90 for an issuer's key; ``identifier`` 3-8 digits, ``expiry`` MMYY, ``serial`` 3 bytes."""
    head = bytes((ISSUER,)) + bytes.fromhex(identifier.ljust(8, "F")) + expiry + serial
    return _certificate(ca, head, issuer, b"", randomness, form)


def certify_icc(
    issuer: Sm2PrivateKey,
    icc: Sm2PublicKey,
    randomness: Randomness,
    *,
    pan: str,
    expiry: bytes,
    serial: bytes,
    static_data: bytes,
    form: Sm2Form = STANDARD_FORM,
) -> bytes:
    """Tag 9F46 for a card's key; the signature covers its static data as well."""
    head = bytes((ICC,)) + bytes.fromhex(pan.ljust(20, "F")) + expiry + serial
    return _certificate(issuer, head, icc, static_data, randomness, form)


def sign_static(
    issuer: Sm2PrivateKey,
    code2: bytes,
    static_data: bytes,
    randomness: Randomness,
    form: Sm2Form = STANDARD_FORM,
) -> bytes:
    """Tag 93: 13 | data authentication code 2 | signature over both and the static data."""
    head = bytes((STATIC,)) + code2
    return head + issuer.sign(head + static_data, randomness, user_id=form.user_id)


def sign_dynamic(
    icc: Sm2PrivateKey,
    dynamic_data: bytes,
    terminal_data: bytes,
    randomness: Randomness,
    *,
    contactless: bool = False,
    form: Sm2Form = STANDARD_FORM,
) -> bytes:
    """Tag 9F4B: 15 | length | dynamic data | signature over these and what the terminal sent."""
    if len(dynamic_data) > 255:
        raise Usage(f"{len(dynamic_data)} bytes of dynamic data", where="SM2 signature", fix="at most 255")
    head = bytes((form.contactless if contactless else DYNAMIC, len(dynamic_data))) + dynamic_data
    return head + icc.sign(head + terminal_data, randomness, user_id=form.user_id)


def check_issuer(ca: Sm2CaKey, certificate: bytes, pan: str, today: dt.date) -> Sm2PublicKey:
    """Tag 90 to the issuer's key; `Refused` says what is wrong with it."""
    where = "issuer certificate"
    body = _checked(ca.key, certificate, _ISSUER_HEAD, ISSUER, b"", ca.form, where)
    identifier = body[1:5].hex().rstrip("f")
    if not 3 <= len(identifier) <= 8 or not identifier.isdigit() or not pan.startswith(identifier):
        raise Refused(f"made for {identifier}", where=where, fix="another issuer's card")
    _check_date(body[5:7], today, where)
    if body[7:10] in ca.revoked:
        raise Refused("revoked", where=where, fix="another card")
    if ca.expiry is not None and today > ca.expiry:
        raise Refused("the CA's key is out of date", where="CA key", fix="install a newer one")
    return _key(body, _ISSUER_HEAD)


def check_icc(
    issuer: Sm2PublicKey,
    certificate: bytes,
    pan: str,
    static_data: bytes,
    today: dt.date,
    form: Sm2Form = STANDARD_FORM,
) -> Sm2PublicKey:
    """Tag 9F46 to the card's key."""
    where = "card certificate"
    body = _checked(issuer, certificate, _ICC_HEAD, ICC, static_data, form, where)
    if body[1:11].hex().rstrip("f") != pan:
        raise Refused("made for another card", where=where)
    _check_date(body[11:13], today, where)
    return _key(body, _ICC_HEAD)


def check_static(
    issuer: Sm2PublicKey, signed: bytes, static_data: bytes, form: Sm2Form = STANDARD_FORM
) -> bytes:
    """Tag 93 to the data authentication code, 2 bytes."""
    if len(signed) != 3 + SIGNATURE_SIZE or signed[0] != STATIC:
        raise Refused("of another form", where="static signature")
    _verify(issuer, signed[:3] + static_data, signed[3:], form, "static signature")
    return signed[1:3]


def check_dynamic(
    icc: Sm2PublicKey,
    signed: bytes,
    terminal_data: bytes,
    *,
    contactless: bool = False,
    form: Sm2Form = STANDARD_FORM,
) -> bytes:
    """Tag 9F4B to the card's dynamic data: its first byte is a length."""
    where, head = "dynamic signature", form.contactless if contactless else DYNAMIC
    if len(signed) < 2 + SIGNATURE_SIZE or signed[0] != head or len(signed) != 2 + signed[1] + SIGNATURE_SIZE:
        raise Refused("of another form", where=where)
    body, signature = signed[:-SIGNATURE_SIZE], signed[-SIGNATURE_SIZE:]
    _verify(icc, body + terminal_data, signature, form, where)
    return body[2:]


def combined_data(number: bytes, cid: int, ac8: bytes, transaction: bytes) -> bytes:
    """The dynamic data of a combined signature: card's number, CID, cryptogram, SM3 of the transaction."""
    return bytes((len(number),)) + number + bytes((cid,)) + ac8 + sm3(transaction)


def check_combined(dynamic_data: bytes, transaction: bytes) -> tuple[int, bytes]:
    """(CID, cryptogram) from the dynamic data of a combined signature, after comparing the transaction's hash."""
    size = dynamic_data[0] if dynamic_data else 0
    tail = dynamic_data[1 + size :]
    if len(tail) != 1 + _AC + 32:
        raise Refused("dynamic data of another form", where="combined signature")
    if not hmac.compare_digest(tail[1 + _AC :], sm3(transaction)):
        raise Refused("the transaction was altered", where="combined signature")
    return tail[0], tail[1 : 1 + _AC]


def _certificate(
    signer: Sm2PrivateKey,
    head: bytes,
    key: Sm2PublicKey,
    more: bytes,
    randomness: Randomness,
    form: Sm2Form,
) -> bytes:
    body = head + bytes((SM2, form.encryption, form.curve, _KEY_SIZE)) + key.coordinates()
    return body + signer.sign(body + more, randomness, user_id=form.user_id)


def _checked(
    key: Sm2PublicKey, raw: bytes, head: int, kind: int, more: bytes, form: Sm2Form, where: str
) -> bytes:
    """A certificate's plain part, after its form and its signature."""
    if len(raw) != head + _KEY_SIZE + SIGNATURE_SIZE or raw[0] != kind:
        raise Refused("of another form", where=where)
    if raw[head - 4 : head] != bytes((SM2, form.encryption, form.curve, _KEY_SIZE)):
        raise Refused("an unknown algorithm", where=where)
    body = raw[: head + _KEY_SIZE]
    _verify(key, body + more, raw[head + _KEY_SIZE :], form, where)
    return body


def _key(body: bytes, head: int) -> Sm2PublicKey:
    return Sm2PublicKey.from_point(b"\x04" + body[head : head + _KEY_SIZE])


def _verify(key: Sm2PublicKey, message: bytes, signature: bytes, form: Sm2Form, where: str) -> None:
    try:
        if find_libcrypto() is not None:
            Libcrypto().verify(key, message, signature, user_id=form.user_id)
        else:
            key.verify(message, signature, user_id=form.user_id)
    except Refused:
        raise Refused("not signed with this key", where=where) from None


def _check_date(text2: bytes, today: dt.date, where: str) -> None:
    if today > month_end(text2):
        raise Refused("out of date", where=where)
