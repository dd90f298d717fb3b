"""Signed notes: a short text with signature lines that name their keys. C2SP signed-note v1.

The form in which transparency logs publish their checkpoints, so that another party's tools read ours. A key is
written as ``name+hash+key``. Signatures by keys that the reader does not know are passed over, as the format asks;
none of a known key is a refusal. Three kinds: Ed25519 (RFC 8032, type 1), ECDSA on P-256 over SHA-256 (type 2, whose
hash is of the SubjectPublicKeyInfo alone), and SM2 over SM3 under a type of Jinka's own, as the format provides (255).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from jinka.crypto.x509_keys import KeyKind, Signer, check_signature, key_kind
from jinka.kit import Refused, Usage

ED25519 = b"\x01"
ECDSA = b"\x02"
SM2 = b"\xffjinka/sm2\n"
NOTE_MAX = 64 * 1024
_SIGNATURES_MAX = 16
_NAME = re.compile(r"[^\s+\x00-\x1f\x7f]{1,128}")
_MARK = "— "


class NoteSigner(Protocol):
    """Whatever signs notes: a key in this process, or a verb of a key service."""

    @property
    def name(self) -> str:
        """Who signs, without blanks and plus signs."""
        ...

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that tell this key from others of the name."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature over the note's text."""
        ...


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under a name; written and read as ``name+hash+key``.

    ``public`` is 32 bytes for Ed25519, the SubjectPublicKeyInfo (DER) for the others.
    """

    name: str
    public: bytes
    kind: bytes = ED25519

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise Usage("not a key name", where="note key", fix="no blanks, no plus signs, at most 128")
        if self.kind == ED25519 and len(self.public) != 32:
            raise Usage("not an Ed25519 key of notes", where="note key", fix="name+hash+key")
        if self.kind != ED25519 and _KINDS.get(key_kind(self.public)) != self.kind:
            raise Usage("not a key of its type", where="note key", fix="name+hash+key")

    @classmethod
    def of(cls, name: str, public_der: bytes) -> NoteKey:
        """The key of a SubjectPublicKeyInfo: P-256 or SM2; raises `Refused` for others."""
        kind = _KINDS.get(key_kind(public_der))
        if kind is None:
            raise Refused("notes are signed with P-256, SM2 or Ed25519", where="note key")
        return cls(name, public_der, kind)

    @property
    def key_id(self) -> bytes:
        """SHA-256 of name, line feed, type and key, for ECDSA of the key alone; cut to 4 bytes."""
        named = b"" if self.kind == ECDSA else self.name.encode() + b"\n" + self.kind
        return hashlib.sha256(named + self.public).digest()[:4]

    @classmethod
    def parse(cls, text: str) -> NoteKey:
        """Read ``name+hash+key``; raises `Usage`."""
        name, _, rest = text.strip().partition("+")
        claimed, _, body = rest.partition("+")
        raw = _decode(body)
        kind = next((one for one in (ED25519, ECDSA, SM2) if raw.startswith(one)), b"")
        if not kind:
            raise Usage("not a key of notes", where="note key", fix="name+hash+key")
        try:
            key = cls(name, raw[len(kind) :], kind)
        except Refused as error:
            raise Usage(error.what, where="note key", fix="name+hash+key") from None
        if key.key_id.hex() != claimed:
            raise Usage("its hash is not that of the key", where="note key", fix="copy it again, whole")
        return key

    def __str__(self) -> str:
        body = base64.b64encode(self.kind + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{body}"

    def check(self, message: bytes, signature: bytes) -> None:
        """Raises `Refused` unless this key made the signature."""
        wrong = Refused("the signature is wrong", where=f"note of {self.name}")
        if self.kind != ED25519:
            try:
                check_signature(self.public, key_kind(self.public).value, message, signature)
            except Refused:
                raise wrong from None
            return
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            raise wrong from None


_KINDS = {KeyKind.ECDSA: ECDSA, KeyKind.SM2: SM2}


class KeyNoteSigner:
    """Implements `NoteSigner` with whatever holds a P-256 or SM2 key: a key service, a token, a key in memory."""

    __slots__ = ("_signer", "public")

    def __init__(self, name: str, signer: Signer) -> None:
        self._signer, self.public = signer, NoteKey.of(name, signer.public_der)

    @property
    def name(self) -> str:
        """Who signs."""
        return self.public.name

    @property
    def key_id(self) -> bytes:
        """Tells this key from others of the name."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """A signature in DER."""
        return self._signer.sign(message)


class Ed25519Signer:
    """Implements `NoteSigner` with a private key of 32 bytes (RFC 8032) in this process."""

    __slots__ = ("_key", "public")

    def __init__(self, name: str, secret32: bytes) -> None:
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(secret32)
        raw = serialization.Encoding.Raw, serialization.PublicFormat.Raw
        self.public = NoteKey(name, self._key.public_key().public_bytes(*raw))

    @classmethod
    def from_pem(cls, name: str, pem: bytes, passphrase: bytes | None = None) -> Ed25519Signer:
        """Read a PKCS #8 file, as ``openssl genpkey -algorithm ed25519`` writes it; raises `Refused`."""
        try:
            key = serialization.load_pem_private_key(pem, passphrase)
        except (ValueError, TypeError):
            raise Refused(
                "no private key that this passphrase opens", where="signing key", fix="PEM, PKCS #8"
            ) from None
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise Refused("not an Ed25519 key", where="signing key", fix="openssl genpkey -algorithm ed25519")
        return cls(name, key.private_bytes_raw())

    @property
    def name(self) -> str:
        """Who signs."""
        return self.public.name

    @property
    def key_id(self) -> bytes:
        """Tells this key from others of the name."""
        return self.public.key_id

    def sign(self, message: bytes) -> bytes:
        """64 bytes."""
        return self._key.sign(message)

    def __repr__(self) -> str:
        return f"Ed25519Signer({self.public})"


def sign_note(text: str, signer: NoteSigner) -> str:
    """The text, an empty line, and the signature line."""
    if not text.endswith("\n") or any(ord(letter) < 32 and letter != "\n" for letter in text):
        raise Usage("a note ends its last line and has no control characters", where="note")
    signature = base64.b64encode(signer.key_id + signer.sign(text.encode())).decode()
    return f"{text}\n{_MARK}{signer.name} {signature}\n"


def open_note(note: str, key: NoteKey) -> str:
    """The text that the key signed; raises `Refused` when there is no signature of it, or a wrong one."""
    where = f"note of {key.name}"
    text, gap, tail = note.rpartition("\n\n")
    lines = tail.splitlines()
    if len(note) > NOTE_MAX or not gap or not tail.endswith("\n") or not 0 < len(lines) <= _SIGNATURES_MAX:
        raise Refused("not a signed note", where=where)
    text, found = text + "\n", False
    for line in lines:
        name, _, body = line.removeprefix(_MARK).partition(" ")
        raw = _decode(body)
        if not line.startswith(_MARK) or not _NAME.fullmatch(name) or len(raw) < 5:
            raise Refused("not a signature line", where=where)
        if name == key.name and raw[:4] == key.key_id:
            key.check(text.encode(), raw[4:])
            found = True
    if not found:
        raise Refused("this key did not sign it", where=where, fix="use the key of whoever keeps the log")
    return text


def _decode(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
