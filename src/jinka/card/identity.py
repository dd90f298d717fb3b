"""Identity with a certificate: a key pair made on the card, and signatures under a PIN (ISO/IEC 7816-8).

GENERATE ASYMMETRIC KEY PAIR draws the pair inside the card; the private half is written to a secret file and never
leaves it. PERFORM SECURITY OPERATION: COMPUTE DIGITAL SIGNATURE takes a SHA-256 digest. One PIN entry is good for one
signature. The certificate is an ordinary file that the issuer writes under a MAC. No decipherment, no key import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinka.card.access import require_right
from jinka.card.applet import Applet
from jinka.card.files import CardError, File
from jinka.codec import Command, StatusWord, TlvError, find, tlv
from jinka.crypto.rsa_sign import (
    DIGEST,
    EXPONENT,
    ChipKeyKind,
    generate_pair,
    private_size,
    public_size,
    sign_digest,
)
from jinka.kit import Usage
from jinka.profile import FileKind

if TYPE_CHECKING:
    from jinka.card.applet import Handler
    from jinka.card.cos import CardOs

CERTIFICATE_FID = 0x0011
PUBLIC_FID = 0x0012  # kind of the key 1, then modulus or point
PRIVATE_FID = 0x0013  # kind of the key 1, then primes or scalar; its write right is the right to generate
_GENERATE, _READ = 0x80, 0x81
_SIGNATURE_TEMPLATE, _ALGORITHM = 0xB6, 0x80
_PUBLIC_TEMPLATE, _MODULUS, _EXPONENT, _POINT = 0x7F49, 0x81, 0x82, 0x86


class Identity(Applet):
    """Keeps nothing: key and certificate lie in files, the PIN's state in the security register."""

    __slots__ = ()


def generate_key_pair(card: CardOs, command: Command) -> bytes:
    """P1 80 makes a pair and answers the public key, 81 answers it again; data of the former: ``B6 {80 kind}``.

    A new pair takes the place of the old one and of its certificate in one transaction.
    """
    if command.p2 or command.p1 not in (_GENERATE, _READ):
        raise CardError(StatusWord.P1P2_WRONG)
    secret, public = _file(card, PRIVATE_FID, FileKind.SECRET), _file(card, PUBLIC_FID, FileKind.BINARY)
    if command.p1 == _READ:
        return _public_template(card, public)
    require_right(card, secret.write, card.folder)
    kind = _asked_kind(command.data)
    if secret.size <= private_size(kind) or public.size <= public_size(kind):
        raise CardError(StatusWord.NO_SPACE)
    private, point = generate_pair(kind)
    head = bytes((kind,))
    writes = [(secret.at, head + private), (public.at, head + point)]
    certificate = card.folder.children.get(CERTIFICATE_FID)
    if certificate is not None:
        writes.append((certificate.at, bytes(min(4, certificate.size))))
    card.nvm.commit(writes)
    return _public_template(card, public)


def security_operation(card: CardOs, command: Command) -> bytes:
    """COMPUTE DIGITAL SIGNATURE (P1 9E, P2 9A) over a digest of 32 bytes."""
    if (command.p1, command.p2) != (0x9E, 0x9A):
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != DIGEST:
        raise CardError(StatusWord.WRONG_LENGTH)
    secret = _file(card, PRIVATE_FID, FileKind.SECRET)
    require_right(card, secret.read, card.folder)
    kind = _kept_kind(card, secret)
    raw = bytes(card.nvm.memory[secret.at + 1 : secret.at + 1 + private_size(kind)])
    card.security = 0
    try:
        return sign_digest(kind, raw, command.data)
    except Usage:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None


def _public_template(card: CardOs, public: File) -> bytes:
    """``7F49 {81 modulus, 82 exponent}`` or ``7F49 {86 point}`` (ISO/IEC 7816-8, 9)."""
    kind = _kept_kind(card, public)
    key = bytes(card.nvm.memory[public.at + 1 : public.at + 1 + public_size(kind)])
    if kind is ChipKeyKind.P256:
        return tlv(_PUBLIC_TEMPLATE, tlv(_POINT, key))
    return tlv(_PUBLIC_TEMPLATE, tlv(_MODULUS, key), tlv(_EXPONENT, EXPONENT.to_bytes(3, "big")))


def _asked_kind(data: bytes) -> ChipKeyKind:
    try:
        found = find(data, _SIGNATURE_TEMPLATE, _ALGORITHM)
        return ChipKeyKind(found[0]) if found is not None and len(found) == 1 else _unknown()
    except (TlvError, ValueError):
        return _unknown()


def _unknown() -> ChipKeyKind:
    raise CardError(StatusWord.DATA_WRONG)


def _kept_kind(card: CardOs, file: File) -> ChipKeyKind:
    """The kind of the key in a file; 6985 before one was made."""
    try:
        return ChipKeyKind(card.nvm.memory[file.at])
    except ValueError:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None


def _file(card: CardOs, fid: int, kind: FileKind) -> File:
    file = card.folder.children.get(fid)
    if file is None or file.kind is not kind:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND)
    return file


TABLE: dict[tuple[int, int], Handler] = {
    (0x00, 0x46): generate_key_pair,
    (0x00, 0x2A): security_operation,
}
Identity.table = TABLE
