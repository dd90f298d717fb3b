"""Offline data authentication with RSA: certificates, static and dynamic signatures (EMV Book 2, 5 and 6).

Both sides: recovering with a public key (terminal), and signing with message recovery (CA, issuer, card). SHA-1 and RSA
as the standard fixes them. The private half is `jinka.crypto.modular`: for simulated cards and test issuers only. The
SM2 profile of JR/T 0025.17 is `jinka.crypto.emv_oda_sm2`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass, field

from jinka.crypto.modular import secret_power
from jinka.kit import Refused, Usage

SHA1 = 0x01
RSA = 0x01
HASH = 20
STATIC, ISSUER, ICC, DYNAMIC = 0x03, 0x02, 0x04, 0x05
_HEAD, _TRAILER = 0x6A, 0xBC
_ISSUER_OVERHEAD, _ICC_OVERHEAD = 36, 42
_MODULUS_MAX = 512  # bytes; the standard ends at 248


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA public key; ``size`` is its modulus in bytes."""

    modulus: int
    exponent: int

    @property
    def size(self) -> int:
        return (self.modulus.bit_length() + 7) // 8

    @property
    def modulus_bytes(self) -> bytes:
        return self.modulus.to_bytes(self.size, "big")

    @property
    def exponent_bytes(self) -> bytes:
        return self.exponent.to_bytes((self.exponent.bit_length() + 7) // 8, "big")

    def open(self, block: bytes) -> bytes:
        """The block under the public key; `Refused` when it has not the modulus' length."""
        if len(block) != self.size or int.from_bytes(block, "big") >= self.modulus:
            raise Refused(f"{len(block)} bytes under a key of {self.size}", where="RSA block")
        return pow(int.from_bytes(block, "big"), self.exponent, self.modulus).to_bytes(self.size, "big")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """The card's, issuer's or CA's half, by its primes (Chinese remainders). Its repr shows nothing secret.

    `Usage` for numbers that cannot be a key; whether they are prime shows at the first signature.
    """

    public: PublicKey
    p: int = field(repr=False)
    q: int = field(repr=False)
    _by_p: int = field(init=False, repr=False)
    _by_q: int = field(init=False, repr=False)
    _q_inverse: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        p, q, e = self.p, self.q, self.public.exponent
        if min(p, q) < 3 or not p & q & 1 or e < 3:
            raise Usage("numbers that are no primes", where="RSA key", fix="write the key again")
        try:
            found = pow(e, -1, p - 1), pow(e, -1, q - 1), pow(q, -1, p)
        except ValueError:
            raise Usage("numbers that are no key", where="RSA key", fix="write the key again") from None
        for name, value in zip(("_by_p", "_by_q", "_q_inverse"), found, strict=True):
            object.__setattr__(self, name, value)

    def sign(self, block: bytes) -> bytes:
        """The block under the private key; a result that is wrong is kept back, for it tells the primes."""
        size, number = self.public.size, int.from_bytes(block, "big")
        if len(block) != size or number >= self.public.modulus:
            raise Usage(f"{len(block)} bytes under a key of {size}", where="RSA block")
        p, q = self.p, self.q
        a, b = secret_power(number, self._by_p, p), secret_power(number, self._by_q, q)
        found = b + q * ((a - b) * self._q_inverse % p)
        if pow(found, self.public.exponent, self.public.modulus) != number:
            raise Usage("the result does not verify", where="RSA key", fix="write the key again")
        return found.to_bytes(size, "big")

    @classmethod
    def from_primes(cls, p: int, q: int, exponent: int = 3) -> PrivateKey:
        """The key of two primes."""
        return cls(PublicKey(p * q, exponent), p, q)


@dataclass(frozen=True, slots=True)
class CaKey:
    """A certification authority's public key as a terminal stores it: scheme (RID 5), index, key, last day.

    ``revoked`` are the serial numbers, 3 bytes each, of issuer certificates that are no longer good (Book 2, 5.1.2).
    """

    rid: bytes
    index: int
    key: PublicKey
    expiry: dt.date | None = None
    revoked: frozenset[bytes] = frozenset()

    def check_value(self) -> bytes:
        """SHA-1 of RID, index, modulus and exponent: what a terminal checks before it trusts a key."""
        return _sha1(self.rid, bytes((self.index,)), self.key.modulus_bytes, self.key.exponent_bytes)


def month_end(text2: bytes) -> dt.date:
    """The last day of a certificate's month, from ``MMYY`` in BCD; `Refused` for no such month."""
    digits = text2.hex()
    if not digits.isdigit() or not 1 <= int(digits[:2]) <= 12:
        raise Refused(f"expiry {digits}", where="certificate")
    year, month = 2000 + int(digits[2:]), int(digits[:2])
    following = dt.date(year + month // 12, month % 12 + 1, 1)
    return following - dt.timedelta(days=1)


def recover_issuer(
    ca: CaKey, certificate: bytes, remainder: bytes, exponent: bytes, pan: str, today: dt.date
) -> PublicKey:
    """Tag 90 with 92 and 9F32 to the issuer's key (6.3); `Refused` says what is wrong with it."""
    plain = _opened(ca.key, certificate, ISSUER, "issuer certificate")
    identifier = plain[2:6].hex().rstrip("f")
    _check_hash(plain, remainder + exponent, "issuer certificate")
    if not 3 <= len(identifier) <= 8 or not pan.startswith(identifier):
        raise Refused(f"made for {identifier}", where="issuer certificate", fix="another issuer's card")
    key = _certified(plain, 13, _ISSUER_OVERHEAD, remainder, exponent, "issuer certificate")
    _check_date(plain[6:8], today, "issuer certificate")
    if plain[8:11] in ca.revoked:
        raise Refused("revoked", where="issuer certificate", fix="another card")
    if ca.expiry is not None and today > ca.expiry:
        raise Refused("the CA's key is out of date", where="CA key", fix="install a newer one")
    return key


def recover_icc(
    issuer: PublicKey,
    certificate: bytes,
    remainder: bytes,
    exponent: bytes,
    pan: str,
    static_data: bytes,
    today: dt.date,
) -> PublicKey:
    """Tag 9F46 (or 9F2D) with 9F48 and 9F47 to the card's key (6.4)."""
    plain = _opened(issuer, certificate, ICC, "card certificate")
    _check_hash(plain, remainder + exponent + static_data, "card certificate")
    if plain[2:12].hex().rstrip("f") != pan:
        raise Refused("made for another card", where="card certificate")
    key = _certified(plain, 19, _ICC_OVERHEAD, remainder, exponent, "card certificate")
    _check_date(plain[12:14], today, "card certificate")
    return key


def recover_static(issuer: PublicKey, signed: bytes, static_data: bytes) -> bytes:
    """Tag 93 to the data authentication code, 2 bytes (5.4)."""
    plain = _opened(issuer, signed, STATIC, "static signature")
    _check_hash(plain, static_data, "static signature")
    return plain[3:5]


def recover_dynamic(icc: PublicKey, signed: bytes, terminal_data: bytes) -> bytes:
    """Tag 9F4B to the card's dynamic data (6.5.2; 6.6.2 for CDA; qPBOC's fDDA): its first byte is a length."""
    plain = _opened(icc, signed, DYNAMIC, "dynamic signature")
    _check_hash(plain, terminal_data, "dynamic signature")
    length = plain[3]
    if length > len(plain) - HASH - 5:
        raise Refused("dynamic data longer than its block", where="dynamic signature")
    return plain[4 : 4 + length]


def check_combined(dynamic_data: bytes, transaction: bytes) -> tuple[int, bytes]:
    """(CID, cryptogram) from the dynamic data of a CDA signature, after comparing the hash of the transaction."""
    size = dynamic_data[0] if dynamic_data else 0
    tail = dynamic_data[1 + size :]
    if len(tail) != 1 + 8 + HASH:
        raise Refused("dynamic data of another form", where="combined signature")
    if not hmac.compare_digest(tail[9:], _sha1(transaction)):
        raise Refused("the transaction was altered", where="combined signature")
    return tail[0], tail[1:9]


def combined_data(number: bytes, cid: int, ac8: bytes, transaction: bytes) -> bytes:
    """The dynamic data of a CDA signature: card's number, CID, cryptogram, hash of the transaction (6.6.1)."""
    return bytes((len(number),)) + number + bytes((cid,)) + ac8 + _sha1(transaction)


def sign_issuer(
    ca: PrivateKey, issuer: PublicKey, *, identifier: str, expiry: bytes, serial: bytes
) -> tuple[bytes, bytes]:
    """(certificate 90, remainder 92) of an issuer's key; ``identifier`` 3-8 digits, ``expiry`` MMYY, ``serial`` 3."""
    head = bytes((ISSUER,)) + bytes.fromhex(identifier.ljust(8, "F")) + expiry + serial
    return _certificate(ca, head, issuer, b"", _ISSUER_OVERHEAD)


def sign_icc(
    issuer: PrivateKey, icc: PublicKey, *, pan: str, expiry: bytes, serial: bytes, static_data: bytes
) -> tuple[bytes, bytes]:
    """(certificate 9F46, remainder 9F48) of a card's key, bound to its static data."""
    head = bytes((ICC,)) + bytes.fromhex(pan.ljust(20, "F")) + expiry + serial
    return _certificate(issuer, head, icc, static_data, _ICC_OVERHEAD)


def sign_static(issuer: PrivateKey, code2: bytes, static_data: bytes) -> bytes:
    """Tag 93: the issuer's signature over the static data (5.1)."""
    return _signed(issuer, bytes((STATIC, SHA1)) + code2, 0xBB, static_data)


def sign_dynamic(icc: PrivateKey, dynamic_data: bytes, terminal_data: bytes) -> bytes:
    """Tag 9F4B: the card's signature over its dynamic data and what the terminal sent (6.5.1)."""
    return _signed(icc, bytes((DYNAMIC, SHA1, len(dynamic_data))) + dynamic_data, 0xBB, terminal_data)


def _certificate(
    signer: PrivateKey, head: bytes, key: PublicKey, static_data: bytes, overhead: int
) -> tuple[bytes, bytes]:
    modulus, exponent = key.modulus_bytes, key.exponent_bytes
    room = signer.public.size - overhead
    body = head + bytes((SHA1, RSA, len(modulus), len(exponent))) + modulus[:room].ljust(room, b"\xbb")
    return _signed(signer, body, 0xBB, modulus[room:] + exponent + static_data), modulus[room:]


def _signed(signer: PrivateKey, body: bytes, fill: int, more: bytes) -> bytes:
    room = signer.public.size - HASH - 2
    if len(body) > room:
        raise Usage(f"{len(body)} bytes in a signature of {room}", where="RSA block", fix="a longer key")
    body = body.ljust(room, bytes((fill,)))
    return signer.sign(bytes((_HEAD,)) + body + _sha1(body, more) + bytes((_TRAILER,)))


def _opened(key: PublicKey, block: bytes, form: int, where: str) -> bytes:
    if not HASH + 26 <= key.size <= _MODULUS_MAX:
        raise Refused(f"a key of {key.size} bytes", where=where)
    plain = key.open(block)
    if plain[0] != _HEAD or plain[-1] != _TRAILER or plain[1] != form:
        raise Refused("not signed with this key", where=where)
    return plain


def _check_hash(plain: bytes, more: bytes, where: str) -> None:
    if not hmac.compare_digest(_sha1(plain[1 : -HASH - 1], more), plain[-HASH - 1 : -1]):
        raise Refused("the hash differs", where=where, fix="the card's data were altered")


def _certified(
    plain: bytes, at: int, overhead: int, remainder: bytes, exponent: bytes, where: str
) -> PublicKey:
    """The key inside a certificate: algorithm and lengths stand at ``at - 2``."""
    if plain[at - 2 : at] != bytes((SHA1, RSA)):
        raise Refused("an unknown algorithm", where=where)
    size, room = plain[at], len(plain) - overhead
    inside = plain[at + 2 : at + 2 + min(size, room)]
    if len(inside) + len(remainder) != size or plain[at + 1] != len(exponent):
        raise Refused("lengths do not fit", where=where)
    number = int.from_bytes(exponent, "big")
    if number not in (3, 65537):
        raise Refused("an exponent other than 3 or 65537", where=where)
    return PublicKey(int.from_bytes(inside + remainder, "big"), number)


def _check_date(text2: bytes, today: dt.date, where: str) -> None:
    if today > month_end(text2):
        raise Refused("out of date", where=where)


def _sha1(*parts: bytes) -> bytes:
    return hashlib.sha1(b"".join(parts)).digest()  # noqa: S324 by standard
