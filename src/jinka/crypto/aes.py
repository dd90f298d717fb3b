"""AES steps of secure channels and key blocks: ECB, CBC, CTR, CMAC (FIPS 197; NIST SP 800-38A and 800-38B)."""

from __future__ import annotations

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap as _unwrap
from cryptography.hazmat.primitives.keywrap import aes_key_wrap as _wrap

from jinka.kit import Refused

BLOCK = 16
KEY_SIZES = (16, 24, 32)


def aes_encrypt(key: bytes, blocks: bytes) -> bytes:
    """AES in ECB; ``blocks`` a multiple of 16 bytes."""
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(blocks)  # noqa: S305 by standard


def aes_decrypt(key: bytes, blocks: bytes) -> bytes:
    """The inverse of `aes_encrypt`."""
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor().update(blocks)  # noqa: S305 by standard


def aes_ctr(key: bytes, data: bytes, counter16: bytes) -> bytes:
    """AES in counter mode: its own inverse. The counter block goes up as one 128-bit number."""
    return Cipher(algorithms.AES(key), modes.CTR(counter16)).encryptor().update(data)


def aes_cbc_encrypt(key: bytes, blocks: bytes, iv16: bytes = bytes(BLOCK)) -> bytes:
    """AES in CBC without padding."""
    return Cipher(algorithms.AES(key), modes.CBC(iv16)).encryptor().update(blocks)


def aes_cbc_decrypt(key: bytes, blocks: bytes, iv16: bytes = bytes(BLOCK)) -> bytes:
    """The inverse of `aes_cbc_encrypt`."""
    return Cipher(algorithms.AES(key), modes.CBC(iv16)).decryptor().update(blocks)


def aes_cmac(key: bytes, data: bytes) -> bytes:
    """CMAC, 16 bytes."""
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def aes_key_wrap(key: bytes, secret: bytes) -> bytes:
    """AES Key Wrap (RFC 3394; NIST SP 800-38F): ``secret`` of 16 bytes or more, in steps of 8; 8 bytes longer."""
    return _wrap(key, secret)


def aes_key_unwrap(key: bytes, wrapped: bytes) -> bytes:
    """The inverse of `aes_key_wrap`; raises `Refused` for a wrong key or a changed blob."""
    try:
        return _unwrap(key, wrapped)
    except (InvalidUnwrap, ValueError):
        raise Refused(
            "the wrapped key does not open", where="key wrap", fix="check the wrapping key"
        ) from None
