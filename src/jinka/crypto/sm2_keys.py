"""SM2 keys in DER: SubjectPublicKeyInfo (RFC 5480; GM/T 0009, 7.1) and PrivateKeyInfo (RFC 5208, RFC 5915).

Both have one allowed encoding here: named curve sm2p256v1 (1.2.156.10197.1.301), uncompressed point. A key on another
curve, with parameters spelled out or in another form is refused. No encryption of private keys.
"""

from __future__ import annotations

from jinka.codec import tlv
from jinka.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from jinka.kit import Refused

_SEQUENCE, _INTEGER, _BITS, _OCTETS, _PARAMETERS, _PUBLIC = 0x30, 0x02, 0x03, 0x04, 0xA0, 0xA1
_CURVE = bytes.fromhex("06082a811ccf5501822d")
_ALGORITHM = tlv(_SEQUENCE, bytes.fromhex("06072a8648ce3d0201"), _CURVE)
_POINT_SIZE = 65
_PUBLIC_HEAD = tlv(_SEQUENCE, _ALGORITHM, tlv(_BITS, bytes(1 + _POINT_SIZE)))[:-_POINT_SIZE]
_SCALAR_SIZE = 32


def public_info(key: Sm2PublicKey) -> bytes:
    """The key as SubjectPublicKeyInfo."""
    return _PUBLIC_HEAD + key.to_point()


def read_public_info(der: bytes) -> Sm2PublicKey:
    """The inverse of `public_info`; raises `Refused`."""
    if not is_sm2(der):
        raise Refused("not a key on sm2p256v1 in its one encoding", where="public key")
    return Sm2PublicKey.from_point(der[len(_PUBLIC_HEAD) :])


def is_sm2(der: bytes) -> bool:
    """Whether a SubjectPublicKeyInfo names the curve of SM2; the point is still to be checked."""
    return len(der) == len(_PUBLIC_HEAD) + _POINT_SIZE and der.startswith(_PUBLIC_HEAD)


def private_info(key: Sm2PrivateKey) -> bytes:
    """The key in clear as PrivateKeyInfo, with its public point. For the border to libcrypto and for sealed files."""
    head, tail = _private_frame(key.public_key())
    return head + key.to_bytes() + tail


def read_private_info(der: bytes) -> Sm2PrivateKey:
    """The inverse of `private_info`; raises `Refused`, also when the point is another key's."""
    head, tail = _private_frame(None)
    start, end = len(head), len(der) - len(tail)
    if end - start != _SCALAR_SIZE or not der.startswith(head):
        raise Refused("not a private key on sm2p256v1 in its one encoding", where="private key")
    key = Sm2PrivateKey.from_bytes(der[start:end])
    if private_info(key) != der:
        raise Refused("the public point is another key's", where="private key")
    return key


def _private_frame(public: Sm2PublicKey | None) -> tuple[bytes, bytes]:
    """What stands before and behind the scalar."""
    point = public.to_point() if public else bytes(_POINT_SIZE)
    tail = tlv(_PARAMETERS, _CURVE) + tlv(_PUBLIC, tlv(_BITS, b"\x00" + point))
    inner = tlv(_SEQUENCE, b"\x02\x01\x01", tlv(_OCTETS, bytes(_SCALAR_SIZE)), tail)
    whole = tlv(_SEQUENCE, b"\x02\x01\x00", _ALGORITHM, tlv(_OCTETS, inner))
    return whole[: -len(tail) - _SCALAR_SIZE], tail
