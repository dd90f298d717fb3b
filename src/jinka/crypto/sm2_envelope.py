"""A private key of SM2 on its way to its owner: SM2EnvelopedKey (GM/T 0009, 7.4).

The key is encrypted with SM4 under a session key, and that with SM2 to a key that the owner already has (its signing
key). The public point goes along; whoever opens the envelope checks that it belongs to the private key.
"""

from __future__ import annotations

from jinka.codec import TlvError, parse, tlv
from jinka.codec.der import check_der
from jinka.crypto.block import sm4_decrypt, sm4_encrypt
from jinka.crypto.sm2 import Sm2PrivateKey, Sm2PublicKey, ciphertext_der, ciphertext_raw
from jinka.crypto.sm2_libcrypto import Sm2Provider
from jinka.kit import Randomness, Refused

_SEQUENCE, _BITS = 0x30, 0x03
_SM4_ECB = bytes.fromhex("300a06082a811ccf55016801")  # 1.2.156.10197.1.104.1
_SESSION_KEY_SIZE = 16


def envelop_key(
    key: Sm2PrivateKey, recipient: Sm2PublicKey, provider: Sm2Provider, randomness: Randomness
) -> bytes:
    """An envelope (DER) that only the recipient opens."""
    session = randomness.token_bytes(_SESSION_KEY_SIZE)
    return tlv(
        _SEQUENCE,
        _SM4_ECB,
        ciphertext_der(provider.encrypt(recipient, session)),
        tlv(_BITS, b"\x00" + key.public_key().to_point()),
        tlv(_BITS, b"\x00" + sm4_encrypt(session, key.to_bytes())),
    )


def open_envelope(der: bytes, recipient: Sm2PrivateKey, provider: Sm2Provider) -> Sm2PrivateKey:
    """The key inside; raises `Refused`, also when it is not the one whose point went along."""
    try:
        check_der(der)
        whole = [(tag, value) for tag, value, _ in parse(der)]
        parts = [(tag, value) for tag, value, _ in parse(whole[0][1])]
    except TlvError as error:
        raise Refused(error.what, where=f"SM2 envelope, {error.where}") from None
    tags = [tag for tag, _ in parts]
    if whole[0][0] != _SEQUENCE or tags != [_SEQUENCE, _SEQUENCE, _BITS, _BITS]:
        raise Refused("other fields than the standard's", where="SM2 envelope")
    sealed = parts[3][1]
    if (
        tlv(_SEQUENCE, parts[0][1]) != _SM4_ECB
        or len(sealed) != 33
        or sealed[0]
        or parts[2][1][:1] != b"\x00"
    ):
        raise Refused("not SM4 over a key of 32 bytes", where="SM2 envelope")
    session = provider.decrypt(recipient, ciphertext_raw(tlv(_SEQUENCE, parts[1][1])))
    if len(session) != _SESSION_KEY_SIZE:
        raise Refused("it does not open", where="SM2 envelope")
    key = Sm2PrivateKey.from_bytes(sm4_decrypt(session, sealed[1:]))
    if key.public_key().to_point() != parts[2][1][1:]:
        raise Refused("the point that went along is another key's", where="SM2 envelope")
    return key
