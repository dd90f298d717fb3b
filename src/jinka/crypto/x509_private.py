"""Private keys of certificates as bytes: PrivateKeyInfo (RFC 5208, 5), for sealed files and for a machine's own key.

What is read is a `Signer` again. A PEM of this is a key in clear: it belongs into a file that its owner alone can read.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from jinka.crypto.sm2_keys import private_info, read_private_info
from jinka.crypto.sm2_libcrypto import Sm2Provider, choose_sm2
from jinka.crypto.x509_keys import KeyKind, Signer, Sm2Signer, SoftSigner, key_kind
from jinka.kit import Randomness, Refused


def new_signer(kind: KeyKind, randomness: Randomness) -> SoftSigner | Sm2Signer:
    """A fresh key: RSA of 3072 bits, P-256 or SM2."""
    if kind is KeyKind.SM2:
        return Sm2Signer.generate(randomness, choose_sm2(randomness))
    return SoftSigner.generate(kind, bits=3072)


def private_der(signer: SoftSigner | Sm2Signer) -> bytes:
    """The key in clear."""
    if isinstance(signer, Sm2Signer):
        return private_info(signer.key)
    return signer.key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_private(der: bytes, provider: Sm2Provider) -> Signer:
    """The signer of a key in clear; raises `Refused`, also for kinds that certificates do not have."""
    try:
        return Sm2Signer(key=read_private_info(der), provider=provider)
    except Refused:
        pass
    try:
        key = serialization.load_der_private_key(der, None)
    except Exception:  # the parser raises several kinds for bytes from outside
        raise Refused("not a private key without a password", where="private key") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise Refused("neither RSA nor elliptic", where="private key")
    signer = SoftSigner(key)
    key_kind(signer.public_der)
    return signer
