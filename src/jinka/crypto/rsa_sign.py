"""Key pairs of chips: generation, signatures, ISO/IEC 9796-2 scheme 1 for active authentication.

A private key is kept as a chip keeps it: the two primes of an RSA key, or the scalar of a P-256 key. Sources: PKCS #1
version 1.5 signatures over SHA-256 (RFC 8017, 8.2), ECDSA as r | s (BSI TR-03111, 5.2.1), ICAO Doc 9303-11, 6.1.
Key generation uses the random generator of `cryptography`, as a chip uses its own.
"""

from __future__ import annotations

import hashlib
import hmac
from enum import IntEnum

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)

from jinka.crypto.emv_oda import PrivateKey
from jinka.kit import Refused, Usage

EXPONENT = 65537
DIGEST = 32
_HALF = 32
_HEADER, _TRAILER_SHA1, _TRAILER_SHA256 = 0x6A, b"\xbc", b"\x34\xcc"
_CURVE = ec.SECP256R1()
_PREHASHED = Prehashed(hashes.SHA256())


class ChipKeyKind(IntEnum):
    """What a chip's key pair is; the value is the byte in which Jinka's cards name it."""

    RSA_2048 = 0x01
    P256 = 0x02
    RSA_1536 = (
        0x03  # the largest plain RSA signature that one protected short answer carries, with room to spare
    )


_RSA_BITS = {ChipKeyKind.RSA_2048: 2048, ChipKeyKind.RSA_1536: 1536}


def private_size(kind: ChipKeyKind) -> int:
    """Bytes of the private key as the chip keeps it."""
    return _HALF if kind is ChipKeyKind.P256 else _RSA_BITS[kind] // 8


def public_size(kind: ChipKeyKind) -> int:
    """Bytes of the public key: modulus, or point 04 | x | y."""
    return 1 + 2 * _HALF if kind is ChipKeyKind.P256 else _RSA_BITS[kind] // 8


def generate_pair(kind: ChipKeyKind) -> tuple[bytes, bytes]:
    """(private, public) as the chip keeps them."""
    if kind is ChipKeyKind.P256:
        scalar = ec.generate_private_key(_CURVE).private_numbers()
        return scalar.private_value.to_bytes(_HALF, "big"), _point(scalar.public_numbers)
    size = _RSA_BITS[kind]
    numbers = rsa.generate_private_key(EXPONENT, size).private_numbers()
    half = size // 16
    primes = numbers.p.to_bytes(half, "big") + numbers.q.to_bytes(half, "big")
    return primes, numbers.public_numbers.n.to_bytes(size // 8, "big")


def draw_private_key(bits: int, exponent: int = 3) -> PrivateKey:
    """A fresh RSA key for the signatures of bank cards, 1024 to 1984 bits, with 3 or 65537 as its public exponent."""
    numbers = rsa.generate_private_key(exponent, bits).private_numbers()
    return PrivateKey.from_primes(numbers.p, numbers.q, exponent)


def sign_digest(kind: ChipKeyKind, private: bytes, digest: bytes) -> bytes:
    """Sign a SHA-256 digest; `Usage` when the bytes are no key of this kind."""
    if len(digest) != DIGEST or len(private) != private_size(kind):
        raise Usage("a digest of 32 bytes and a key of its kind's size", where="signature")
    try:
        if kind is ChipKeyKind.P256:
            key = ec.derive_private_key(int.from_bytes(private, "big"), _CURVE)
            r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(_PREHASHED)))
            return r.to_bytes(_HALF, "big") + s.to_bytes(_HALF, "big")
        return _rsa_key(private).sign(digest, padding.PKCS1v15(), _PREHASHED)
    except ValueError:
        raise Usage("the bytes are no private key", where="signature", fix="generate the pair") from None


def verify_digest(public_der: bytes, digest: bytes, signature: bytes) -> None:
    """Check `sign_digest` against a SubjectPublicKeyInfo; raises `Refused`."""
    key = _public(public_der)
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            half = (key.key_size + 7) // 8
            if len(signature) != 2 * half:
                raise Refused(f"a signature has {2 * half} bytes", where="signature")
            pair = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
            key.verify(encode_dss_signature(*pair), digest, ec.ECDSA(_PREHASHED))
        else:
            key.verify(signature, digest, padding.PKCS1v15(), _PREHASHED)
    except (InvalidSignature, ValueError):
        raise Refused("the signature is wrong", where="signature") from None


def public_of(kind: ChipKeyKind, private: bytes) -> bytes:
    """The public key that belongs to a private one; `Usage` when the bytes are no key of this kind."""
    if len(private) != private_size(kind):
        raise Usage("not the size of a key of this kind", where="private key")
    if kind is ChipKeyKind.P256:
        try:
            key = ec.derive_private_key(int.from_bytes(private, "big"), _CURVE)
        except ValueError:
            raise Usage("the bytes are no private key", where="private key") from None
        return _point(key.public_key().public_numbers())
    half = len(private) // 2
    modulus = int.from_bytes(private[:half], "big") * int.from_bytes(private[half:], "big")
    return modulus.to_bytes(len(private), "big")


def public_info(kind: ChipKeyKind, public: bytes) -> bytes:
    """The SubjectPublicKeyInfo (DER) of a chip's public key; `Usage` when the bytes are none."""
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey
    try:
        if kind is ChipKeyKind.P256:
            key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, public)
        else:
            key = rsa.RSAPublicNumbers(EXPONENT, int.from_bytes(public, "big")).public_key()
    except ValueError:
        raise Usage("the bytes are no public key", where="public key") from None
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def is_elliptic(public_der: bytes) -> bool:
    """Whether the key is on a curve; `Refused` for a key that is neither RSA nor elliptic."""
    return isinstance(_public(public_der), ec.EllipticCurvePublicKey)


def representative(modulus_bits: int, m1: bytes, m2: bytes, *, sha256: bool = True) -> bytes:
    """The message representative F = 6A | M1 | H(M1 | M2) | trailer (ISO/IEC 9796-2, scheme 1, partial recovery)."""
    digest, trailer = (hashlib.sha256, _TRAILER_SHA256) if sha256 else (hashlib.sha1, _TRAILER_SHA1)
    f = bytes((_HEADER,)) + m1 + digest(m1 + m2).digest() + trailer
    if len(f) * 8 != modulus_bits:
        raise Usage(f"M1 of {len(m1)} bytes does not fill {modulus_bits} bits", where="ISO/IEC 9796-2")
    return f


def recoverable_size(modulus_size: int, *, sha256: bool = True) -> int:
    """Bytes of M1 in a signature of ``modulus_size`` bytes."""
    return modulus_size - 1 - (34 if sha256 else 21)


def sign_recoverable(primes: bytes, m1: bytes, m2: bytes) -> bytes:
    """Sign with SHA-256; only ``m1`` is inside the signature. `Usage` when the bytes are no primes."""
    half = len(primes) // 2
    p, q = int.from_bytes(primes[:half], "big"), int.from_bytes(primes[half:], "big")
    return PrivateKey.from_primes(p, q, EXPONENT).sign(representative(8 * len(primes), m1, m2))


def verify_recoverable(public_der: bytes, signature: bytes, m2: bytes) -> bytes:
    """Recover M1 and check the hash over M1 | M2; raises `Refused`. SHA-1 and SHA-256 trailers are known."""
    key = _public(public_der)
    if not isinstance(key, rsa.RSAPublicKey):
        raise Refused("not an RSA key", where="ISO/IEC 9796-2")
    numbers, size = key.public_numbers(), (key.key_size + 7) // 8
    if len(signature) != size or int.from_bytes(signature, "big") >= numbers.n:
        raise Refused(f"a signature has {size} bytes", where="ISO/IEC 9796-2")
    opened = pow(int.from_bytes(signature, "big"), numbers.e, numbers.n)
    if opened & 0x0F != 0x0C:  # the shorter of the two forms was sent
        opened = numbers.n - opened
    return recover_message(opened.to_bytes(size, "big"), m2)


def recover_message(f: bytes, m2: bytes) -> bytes:
    """M1 of an opened signature; `Refused` unless header, trailer and hash are right."""
    for trailer, digest in ((_TRAILER_SHA1, hashlib.sha1), (_TRAILER_SHA256, hashlib.sha256)):
        hash_at = len(f) - len(trailer) - digest().digest_size
        if f[0] == _HEADER and hash_at > 1 and f.endswith(trailer):
            m1, found = f[1:hash_at], f[hash_at : len(f) - len(trailer)]
            if hmac.compare_digest(digest(m1 + m2).digest(), found):
                return m1
    raise Refused("the signature is wrong", where="ISO/IEC 9796-2")


def _rsa_key(primes: bytes) -> rsa.RSAPrivateKey:
    half = len(primes) // 2
    p, q = int.from_bytes(primes[:half], "big"), int.from_bytes(primes[half:], "big")
    d = pow(EXPONENT, -1, (p - 1) * (q - 1))
    numbers = rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q),
        rsa.RSAPublicNumbers(EXPONENT, p * q),
    )  # fmt: skip
    return numbers.private_key(unsafe_skip_rsa_key_validation=True)


def _public(der: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    try:
        key = serialization.load_der_public_key(der)
    except Exception:  # the parser raises several kinds for bytes from outside
        raise Refused("not a public key", where="public key") from None
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        raise Refused("neither RSA nor elliptic", where="public key")
    return key


def _point(numbers: ec.EllipticCurvePublicNumbers) -> bytes:
    return b"\x04" + numbers.x.to_bytes(_HALF, "big") + numbers.y.to_bytes(_HALF, "big")
