"""SM2 keys: signature, encryption and their encodings (GM/T 0003.2 and 0003.4; GM/T 0009 for the ASN.1 forms).

The reference: short, readable, passes the standard's own examples, and NOT constant-time (`jinka.crypto.sm2_curve`).
`jinka.crypto.sm2_libcrypto` offers the same verbs over the system's OpenSSL and chooses between the two.
A signature is ``r | s`` of 64 bytes here and DER in certificates (`signature_der`). Key agreement: `sm2_exchange`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from jinka.codec import TlvError, parse, tlv
from jinka.crypto import sm2_curve as curve
from jinka.crypto.sm2_curve import SIZE, derive_bytes, sm3
from jinka.kit import JinkaError, Randomness, Refused, Usage

DEFAULT_ID = b"1234567812345678"  # GM/T 0009, 10: where no other distinguishing id was agreed
SIGNATURE_SIZE = 2 * SIZE
PLAIN_MAX = 64 * 1024
_POINT_SIZE = 1 + 2 * SIZE
_ID_MAX = 0x1FFF  # its length in bits is written in 16 bits
_DRAWS_MAX = 64  # a source that gives no number in range so often is broken
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2PublicKey:
    """A point of the curve; making one checks that it is."""

    x: int
    y: int

    def __post_init__(self) -> None:
        curve.check_point(self.x, self.y)

    @classmethod
    def from_point(cls, point: bytes) -> Sm2PublicKey:
        """Read ``04 | x | y`` (65 bytes); compressed points are refused."""
        if len(point) != _POINT_SIZE or point[0] != 0x04:
            raise Refused("not an uncompressed point of 65 bytes", where="SM2 public key")
        return cls(x=int.from_bytes(point[1 : 1 + SIZE], "big"), y=int.from_bytes(point[1 + SIZE :], "big"))

    def to_point(self) -> bytes:
        """``04 | x | y``."""
        return b"\x04" + self.coordinates()

    def coordinates(self) -> bytes:
        """``x | y``, 64 bytes."""
        return _scalar_bytes(self.x) + _scalar_bytes(self.y)

    def identity_digest(self, user_id: bytes = DEFAULT_ID) -> bytes:
        """ZA = SM3(length of the id in bits | id | a | b | G | public key) (GM/T 0003.2, 5.5)."""
        if len(user_id) > _ID_MAX:
            raise Usage(f"a distinguishing id of {len(user_id)} bytes", where="SM2", fix=f"at most {_ID_MAX}")
        bits = (8 * len(user_id)).to_bytes(2, "big")
        constants = b"".join(map(_scalar_bytes, (curve.A, curve.B, *curve.G)))
        return sm3(bits, user_id, constants, self.coordinates())

    def message_digest(self, message: bytes, user_id: bytes = DEFAULT_ID) -> bytes:
        """e = SM3(ZA | message): what a signature is over."""
        return sm3(self.identity_digest(user_id), message)

    def verify(self, message: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID) -> None:
        """Check ``r | s`` over a message; raises `Refused`."""
        self.verify_digest(self.message_digest(message, user_id), signature)

    def verify_digest(self, digest: bytes, signature: bytes) -> None:
        """Check ``r | s`` over e, a digest that already contains ZA (GM/T 0003.2, 7.1)."""
        if len(signature) != SIGNATURE_SIZE or len(digest) != SIZE:
            raise Refused("a signature has 64 bytes, a digest 32", where="SM2 signature")
        r, s = int.from_bytes(signature[:SIZE], "big"), int.from_bytes(signature[SIZE:], "big")
        t = (r + s) % curve.N
        if not (0 < r < curve.N and 0 < s < curve.N and t):
            raise Refused("the signature is wrong", where="SM2 signature")
        point = curve.multiply_sum(s, t, (self.x, self.y))
        if point is None or (int.from_bytes(digest, "big") + point[0]) % curve.N != r:
            raise Refused("the signature is wrong", where="SM2 signature")

    def encrypt(self, plain: bytes, randomness: Randomness) -> bytes:
        """C1 | C3 | C2 (GM/T 0003.4, 6.1): point of 65 bytes, digest of 32, ciphertext as long as the plain text."""
        if not 0 < len(plain) <= PLAIN_MAX:
            raise Usage(f"{len(plain)} bytes to encrypt", where="SM2", fix=f"1 to {PLAIN_MAX}")
        for _ in range(_DRAWS_MAX):
            ephemeral = Sm2PrivateKey.generate(randomness)
            shared = _product(ephemeral.secret, self)
            stream = derive_bytes(shared, len(plain))
            if any(stream):
                digest = sm3(shared[:SIZE], plain, shared[SIZE:])
                return ephemeral.public_key().to_point() + digest + _xor(plain, stream)
        raise JinkaError("the randomness gives no usable key stream", where="SM2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sm2PrivateKey:
    """A number from 1 to n-2. It is masked in every repr."""

    secret: int

    def __post_init__(self) -> None:
        if not 0 < self.secret < curve.N - 1:
            raise Refused("out of range", where="SM2 private key")

    def __repr__(self) -> str:
        return "Sm2PrivateKey(***)"

    @classmethod
    def generate(cls, randomness: Randomness) -> Sm2PrivateKey:
        """Draw a key, by rejection, so that every number is as likely."""
        return cls(secret=_draw(randomness, curve.N - 1))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Sm2PrivateKey:
        """Read the 32 bytes of `to_bytes`."""
        if len(raw) != SIZE:
            raise Refused(f"a private key has {SIZE} bytes", where="SM2 private key")
        return cls(secret=int.from_bytes(raw, "big"))

    def to_bytes(self) -> bytes:
        """32 bytes, most significant first."""
        return _scalar_bytes(self.secret)

    def public_key(self) -> Sm2PublicKey:
        """The point that belongs to it."""
        x, y = _finite(curve.multiply_base(self.secret))
        return Sm2PublicKey(x=x, y=y)

    def sign(self, message: bytes, randomness: Randomness, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """``r | s`` over a message."""
        return self.sign_digest(self.public_key().message_digest(message, user_id), randomness)

    def sign_digest(self, digest: bytes, randomness: Randomness) -> bytes:
        """``r | s`` over e, a digest that already contains ZA (GM/T 0003.2, 6.1)."""
        if len(digest) != SIZE:
            raise Usage(f"a digest of {len(digest)} bytes", where="SM2", fix="32 bytes")
        e, inverse = int.from_bytes(digest, "big"), pow(1 + self.secret, -1, curve.N)
        for _ in range(_DRAWS_MAX):
            k = _draw(randomness, curve.N)
            r = (e + _finite(curve.multiply_base(k))[0]) % curve.N
            s = inverse * (k - r * self.secret) % curve.N
            if r and s and (r + k) % curve.N:
                return _scalar_bytes(r) + _scalar_bytes(s)
        raise JinkaError("the randomness gives no usable nonce", where="SM2")

    def decrypt(self, cipher: bytes) -> bytes:
        """Open C1 | C3 | C2; raises `Refused`, with the same words for every fault behind the point."""
        if not _POINT_SIZE + SIZE < len(cipher) <= _POINT_SIZE + SIZE + PLAIN_MAX:
            raise Refused(f"{len(cipher)} bytes", where="SM2 ciphertext")
        ephemeral = Sm2PublicKey.from_point(cipher[:_POINT_SIZE])
        shared = _product(self.secret, ephemeral)
        stream = derive_bytes(shared, len(cipher) - _POINT_SIZE - SIZE)
        plain = _xor(cipher[_POINT_SIZE + SIZE :], stream)
        digest = sm3(shared[:SIZE], plain, shared[SIZE:])
        right = hmac.compare_digest(digest, cipher[_POINT_SIZE : _POINT_SIZE + SIZE])
        if not (right and any(stream)):
            raise Refused("it does not open", where="SM2 ciphertext")
        return plain


def signature_der(signature: bytes) -> bytes:
    """``r | s`` as SEQUENCE { r, s } (GM/T 0009, 7.3)."""
    if len(signature) != SIGNATURE_SIZE:
        raise Usage(f"a signature has {SIGNATURE_SIZE} bytes", where="SM2 signature")
    return tlv(_SEQUENCE, _integer(signature[:SIZE]), _integer(signature[SIZE:]))


def signature_raw(der: bytes) -> bytes:
    """The inverse of `signature_der`; `Refused` unless the encoding is the one DER allows."""
    fields = _sequence(der, (_INTEGER, _INTEGER), "SM2 signature")
    raw = b"".join(map(_fixed, fields))
    if signature_der(raw) != der:
        raise Refused("not DER", where="SM2 signature")
    return raw


def ciphertext_der(cipher: bytes) -> bytes:
    """C1 | C3 | C2 as SEQUENCE { x, y, C3, C2 } (GM/T 0009, 7.2)."""
    if len(cipher) <= _POINT_SIZE + SIZE or cipher[0] != 0x04:
        raise Usage("not C1 | C3 | C2", where="SM2 ciphertext")
    x, y = cipher[1 : 1 + SIZE], cipher[1 + SIZE : _POINT_SIZE]
    digest, body = cipher[_POINT_SIZE : _POINT_SIZE + SIZE], cipher[_POINT_SIZE + SIZE :]
    return tlv(_SEQUENCE, _integer(x), _integer(y), tlv(_OCTETS, digest), tlv(_OCTETS, body))


def ciphertext_raw(der: bytes) -> bytes:
    """The inverse of `ciphertext_der`; `Refused` unless the encoding is the one DER allows."""
    x, y, digest, body = _sequence(der, (_INTEGER, _INTEGER, _OCTETS, _OCTETS), "SM2 ciphertext")
    raw = b"\x04" + _fixed(x) + _fixed(y) + digest + body
    if len(digest) != SIZE or not body or ciphertext_der(raw) != der:
        raise Refused("not DER", where="SM2 ciphertext")
    return raw


def _draw(randomness: Randomness, below: int) -> int:
    """A number from 1 to below-1."""
    for _ in range(_DRAWS_MAX):
        number = int.from_bytes(randomness.token_bytes(SIZE), "big")
        if 0 < number < below:
            return number
    raise JinkaError("the randomness gives no number in range", where="SM2", fix="check its source")


def _product(secret: int, public: Sm2PublicKey) -> bytes:
    """``x | y`` of a secret multiple of a public point."""
    return b"".join(map(_scalar_bytes, _finite(curve.multiply(secret, (public.x, public.y)))))


def _finite(point: curve.Point | None) -> curve.Point:
    if point is None:  # the order is prime and the scalar is in range: only a fault of this code gets here
        raise JinkaError("a product at infinity", where="SM2")
    return point


def _scalar_bytes(number: int) -> bytes:
    return number.to_bytes(SIZE, "big")


def _xor(data: bytes, stream: bytes) -> bytes:
    mixed = int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")
    return mixed.to_bytes(len(data), "big")


def _integer(raw: bytes) -> bytes:
    number = int.from_bytes(raw, "big")
    return tlv(_INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def _fixed(value: bytes) -> bytes:
    """The value of a DER INTEGER as 32 bytes."""
    number = int.from_bytes(value, "big", signed=True)
    if not 0 <= number < 1 << 8 * SIZE:
        raise Refused("an integer out of range", where="SM2, DER")
    return _scalar_bytes(number)


def _sequence(der: bytes, tags: tuple[int, ...], where: str) -> list[bytes]:
    """The values inside one SEQUENCE with just these tags."""
    try:
        outer = [(tag, value) for tag, value, _ in parse(der)]
        if len(outer) != 1 or outer[0][0] != _SEQUENCE:
            raise Refused("not one SEQUENCE", where=where)
        inner = [(tag, value) for tag, value, _ in parse(outer[0][1])]
    except TlvError as error:
        raise Refused(error.what, where=f"{where}, {error.where}") from None
    if tuple(tag for tag, _ in inner) != tags:
        raise Refused("other fields than the standard's", where=where)
    return [value for _, value in inner]
