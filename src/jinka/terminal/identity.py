"""Identity terminals: who holds this card, proven by certificate, PIN and a fresh signature (ISO/IEC 7816-8; RFC 5280).

`IdentityTerminal` asks at a counter. `EnrolmentTerminal` is the issuer's: it has the card make its key pair, and
writes the certificate in pieces, its beginning last, so that a card pulled half-way has none and not half a one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from jinka.codec import TlvError, find, tlv
from jinka.crypto.certificates import Holder, check_certificate
from jinka.crypto.rsa_sign import ChipKeyKind, is_elliptic, public_info, verify_digest
from jinka.crypto.sm2 import signature_der
from jinka.kit import Randomness, Refused, Usage
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly
from jinka.terminal.maintenance import MacProvider
from jinka.terminal.reading import select

_CERTIFICATE = 0x0011
_CERTIFICATE_MAX = 0x7FFF
_HEAD, _READ_PIECE, _WRITE_PIECE = 4, 240, 200
_PURPOSE = b"jinka.identity.challenge"  # keeps a terminal from passing a document's digest off as a challenge
_PUBLIC_TEMPLATE, _MODULUS, _POINT = 0x7F49, 0x81, 0x86


class IdentityStatus(Enum):
    """How an identification ended."""

    PROVEN = "proven"
    NO_CERTIFICATE = "no certificate"
    ISSUER_UNKNOWN = "issuer unknown or certificate not valid"
    REVOKED = "revoked"
    KEY_FALSE = "key false"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identification:
    """``holder`` with PROVEN alone; ``sw`` and ``step`` with REFUSED, ``reason`` with the others."""

    status: IdentityStatus
    holder: Holder | None = None
    reason: str = ""
    sw: int = 0
    step: str = ""

    def __repr__(self) -> str:
        return f"Identification({self.status.name})"


class IdentityTerminal:
    """A counter that must know who stands before it. ``revoked`` holds serial numbers of certificates."""

    def __init__(
        self,
        aid: bytes,
        terminal_id: bytes,
        anchors: Sequence[bytes],
        randomness: Randomness,
        revoked: frozenset[int] = frozenset(),
    ) -> None:
        self._aid, self._terminal_id = aid, terminal_id
        self._anchors, self._randomness, self._revoked = tuple(anchors), randomness, revoked

    def identify(self, link: ApduLink, pin: bytes, now: dt.datetime) -> Identification:
        """Certificate first, so that a PIN is asked only where it can prove something; raises `CardRemoved`."""
        try:
            select(link, self._aid)
            certificate = read_certificate(link)
            if certificate is None:
                return Identification(status=IdentityStatus.NO_CERTIFICATE)
            try:
                holder = check_certificate(certificate, self._anchors, now)
            except Refused as error:
                return Identification(status=IdentityStatus.ISSUER_UNKNOWN, reason=str(error))
            if holder.serial in self._revoked:
                return Identification(status=IdentityStatus.REVOKED, reason=f"serial {holder.serial}")
            ask(link, "verify PIN", b"\x00\x20\x00\x01" + bytes((len(pin),)) + pin)
            try:
                self._prove(link, holder)
            except ChipRefused:
                raise
            except Refused as error:
                return Identification(status=IdentityStatus.KEY_FALSE, reason=str(error))
        except ChipRefused as error:
            return Identification(status=IdentityStatus.REFUSED, sw=error.sw, step=error.step)
        return Identification(status=IdentityStatus.PROVEN, holder=holder)

    def _prove(self, link: ApduLink, holder: Holder) -> None:
        challenge = self._randomness.token_bytes(32)
        digest = hashlib.sha256(_PURPOSE + self._terminal_id + challenge).digest()
        signature = ask(link, "sign", b"\x00\x2a\x9e\x9a\x20" + digest + b"\x00")
        verify_digest(holder.public_der, digest, signature)


def read_certificate(link: ApduLink) -> bytes | None:
    """The certificate file as long as its DER says; None when none was written."""
    ask(link, "select certificate", b"\x00\xa4\x00\x00\x02" + _CERTIFICATE.to_bytes(2, "big"))
    head = ask_exactly(link, "read certificate", bytes((0x00, 0xB0, 0, 0, _HEAD)), _HEAD)
    if head[:2] != b"\x30\x82":
        return None
    size = _HEAD + int.from_bytes(head[2:], "big")
    if size > _CERTIFICATE_MAX:
        raise ChipRefused("read certificate", 0x6A80)
    raw = bytearray(head)
    while len(raw) < size:
        at, wanted = len(raw), min(_READ_PIECE, size - len(raw))
        raw += ask_exactly(link, "read certificate", bytes((0x00, 0xB0, at >> 8, at & 0xFF, wanted)), wanted)
    return bytes(raw)


class Authenticator(Protocol):
    """Holder of the issuer's authentication key."""

    def answer(self, card_no: bytes, challenge: bytes) -> bytes:
        """The 8 bytes that prove the key to a card (EXTERNAL AUTHENTICATE)."""
        ...


class EnrolmentTerminal:
    """The issuer's desk: makes the key pair on the card, and writes what the authority signed."""

    def __init__(self, aid: bytes, authenticator: Authenticator, mac_provider: MacProvider) -> None:
        self._aid, self._authenticator, self._mac_provider = aid, authenticator, mac_provider

    def make_key(self, link: ApduLink, card_no: bytes, kind: ChipKeyKind, issuer_kid: int = 2) -> bytes:
        """Have the card make a pair; returns the SubjectPublicKeyInfo to be certified."""
        select(link, self._aid)
        challenge = ask_exactly(link, "get challenge", bytes.fromhex("0084000008"), 8)
        proof = self._authenticator.answer(card_no, challenge)
        ask(link, "external authenticate", bytes((0x00, 0x82, 0, issuer_kid, len(proof))) + proof)
        order = tlv(0xB6, tlv(0x80, bytes((kind,))))
        answer = ask_long(link, "generate", b"\x00\x46\x80\x00" + bytes((len(order),)) + order + b"\x00")
        return _public_info(answer, kind)

    def write_certificate(self, link: ApduLink, card_no: bytes, der: bytes) -> None:
        """UPDATE BINARY under a MAC: first the beginning is wiped, then the pieces from the end to the beginning."""
        select(link, self._aid)
        self._write(link, card_no, 0, bytes(_HEAD))
        for at in reversed(range(0, len(der), _WRITE_PIECE)):
            self._write(link, card_no, at, der[at : at + _WRITE_PIECE])

    def _write(self, link: ApduLink, card_no: bytes, at: int, piece: bytes) -> None:
        ask(link, "select certificate", b"\x00\xa4\x00\x00\x02" + _CERTIFICATE.to_bytes(2, "big"))
        rand4 = ask_exactly(link, "get challenge", bytes.fromhex("0084000004"), 4)
        message = bytes((0x04, 0xD6, at >> 8, at & 0xFF, len(piece) + 4)) + piece
        mac = self._mac_provider.message_mac(card_no, rand4, message)
        ask(link, "write certificate", message + mac)


def read_public_key(link: ApduLink, aid: bytes) -> bytes:
    """The SubjectPublicKeyInfo of the key that a card made (ISO/IEC 7816-8, GENERATE with P1 81); needs no key."""
    select(link, aid)
    answer = ask_long(link, "read public key", b"\x00\x46\x81\x00\x00")
    try:
        modulus = find(answer, _PUBLIC_TEMPLATE, _MODULUS)
    except TlvError:
        raise ChipRefused("read public key", 0x6A80) from None
    sizes = {256: ChipKeyKind.RSA_2048, 192: ChipKeyKind.RSA_1536}
    kind = ChipKeyKind.P256 if modulus is None else sizes.get(len(modulus))
    if kind is None:
        raise ChipRefused("read public key", 0x6A80)
    return _public_info(answer, kind)


def _public_info(answer: bytes, kind: ChipKeyKind) -> bytes:
    try:
        public = find(answer, _PUBLIC_TEMPLATE, _POINT if kind is ChipKeyKind.P256 else _MODULUS)
        if public is None:
            raise Usage("no public key", where="public key")
        return public_info(kind, public)
    except (TlvError, Usage):
        raise ChipRefused("public key", 0x6A80) from None


class CardSigner:
    """A card's key as the `jinka.crypto.x509_keys.Signer` of its own request for a certificate (PKCS #10).

    The holder's PIN is asked for each signature. SHA-256 is computed out here, as the card takes digests.
    """

    def __init__(self, link: ApduLink, aid: bytes, pin: bytes, public_der: bytes) -> None:
        self._link, self._aid, self._pin, self._public_der = link, aid, pin, public_der

    @property
    def public_der(self) -> bytes:
        """The SubjectPublicKeyInfo that `EnrolmentTerminal.make_key` gave."""
        return self._public_der

    def sign(self, message: bytes) -> bytes:
        """PKCS #1 version 1.5, or ECDSA in DER; raises `ChipRefused`."""
        select(self._link, self._aid)
        ask(self._link, "verify PIN", b"\x00\x20\x00\x01" + bytes((len(self._pin),)) + self._pin)
        digest = hashlib.sha256(message).digest()
        signature = ask(self._link, "sign", b"\x00\x2a\x9e\x9a\x20" + digest + b"\x00")
        if not is_elliptic(self._public_der):
            return signature
        try:
            return signature_der(signature)  # r | s to DER, the same for every curve of 256 bits
        except Usage:
            raise ChipRefused("sign", 0x6A80) from None


def ask_long(link: ApduLink, step: str, command: bytes) -> bytes:
    """As `ask`, and fetches with GET RESPONSE what did not fit; at most 64 times."""
    answer = link.transmit(command)
    data = b""
    for _ in range(64):
        if len(answer) < 2 or answer[-2] != 0x61:
            break
        data += answer[:-2]
        answer = link.transmit(bytes((0x00, 0xC0, 0x00, 0x00, answer[-1])))
    if answer[-2:] != b"\x90\x00":
        raise ChipRefused(step, int.from_bytes(answer[-2:], "big"))
    return data + answer[:-2]
