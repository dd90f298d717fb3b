"""Block-cipher steps of the purse world: 3DES, DES MAC, diversification, SM4 (JR/T 0025.1; GM/T 0002).

Short keys are expanded to 24 bytes here, because `cryptography` is about to drop 8- and 16-byte 3DES keys.
A single DES operation is 3DES under K|K|K.
"""

from __future__ import annotations

from collections.abc import Sequence

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

from jinka.codec.record import Algorithm

_ZERO8 = bytes(8)
_ZERO16 = bytes(16)


def pad80(data: bytes, block: int) -> bytes:
    """Append 80, then 00 up to a multiple of ``block``; always appends (ISO/IEC 9797-1 method 2)."""
    return data + b"\x80" + bytes(-(len(data) + 1) % block)


def invert(data: bytes) -> bytes:
    """NOT of every bit."""
    return bytes(byte ^ 0xFF for byte in data)


def xor(left: bytes, right: bytes) -> bytes:
    """XOR of two values of one length."""
    if len(left) != len(right):
        raise ValueError("values of different lengths")
    return (int.from_bytes(left, "big") ^ int.from_bytes(right, "big")).to_bytes(len(left), "big")


def tdes_encrypt(key: bytes, blocks: bytes) -> bytes:
    """3DES in ECB; ``key`` of 8, 16 or 24 bytes, ``blocks`` a multiple of 8 bytes."""
    return Cipher(TripleDES(_expand(key)), modes.ECB()).encryptor().update(blocks)  # noqa: S305 by standard


def tdes_decrypt(key: bytes, blocks: bytes) -> bytes:
    """The inverse of `tdes_encrypt`."""
    return Cipher(TripleDES(_expand(key)), modes.ECB()).decryptor().update(blocks)  # noqa: S305 by standard


def sm4_encrypt(key: bytes, blocks: bytes) -> bytes:
    """SM4 in ECB (GM/T 0002); ``key`` of 16 bytes, ``blocks`` a multiple of 16 bytes."""
    return Cipher(algorithms.SM4(key), modes.ECB()).encryptor().update(blocks)  # noqa: S305 by standard


def sm4_decrypt(key: bytes, blocks: bytes) -> bytes:
    """The inverse of `sm4_encrypt`."""
    return Cipher(algorithms.SM4(key), modes.ECB()).decryptor().update(blocks)  # noqa: S305 by standard


def des_mac4(key8: bytes, data: bytes) -> bytes:
    """The left 4 bytes of a DES CBC-MAC with padding 80 (JR/T 0025.1: MAC1, MAC2, TAC); 8-byte key."""
    cipher = Cipher(TripleDES(key8 * 3), modes.CBC(_ZERO8)).encryptor()
    return cipher.update(pad80(data, 8))[-8:-4]


def tdes_cbc_encrypt(key: bytes, blocks: bytes, iv8: bytes = _ZERO8) -> bytes:
    """3DES in CBC; sizes as for `tdes_encrypt`."""
    return Cipher(TripleDES(_expand(key)), modes.CBC(iv8)).encryptor().update(blocks)


def tdes_last_blocks(key: bytes, messages: Sequence[bytes]) -> list[bytes]:
    """The last block of each message under 3DES in CBC from zeros; whole blocks, zeros for an empty message.

    One cipher does all: what the message before left in it is taken out of the next one's first block.
    """
    update = Cipher(TripleDES(_expand(key)), modes.CBC(_ZERO8)).encryptor().update
    last, found = _ZERO8, []
    for message in messages:
        if message:
            last = update(xor(message[:8], last) + message[8:])[-8:]
        found.append(last if message else _ZERO8)
    return found


def tdes_cbc_decrypt(key: bytes, blocks: bytes, iv8: bytes = _ZERO8) -> bytes:
    """The inverse of `tdes_cbc_encrypt`."""
    return Cipher(TripleDES(_expand(key)), modes.CBC(iv8)).decryptor().update(blocks)


def retail_mac4(key16: bytes, data: bytes, iv8: bytes = _ZERO8) -> bytes:
    """The left 4 bytes of `retail_mac8`: secure messaging of a 16-byte key."""
    return retail_mac8(key16, data, iv8)[:4]


def retail_mac8(key16: bytes, data: bytes, iv8: bytes = _ZERO8) -> bytes:
    """ISO/IEC 9797-1 algorithm 3 with padding 80, 8 bytes (also ICAO Doc 9303-11, 9.8.6.3)."""
    return retail_chain(key16, pad80(data, 8), iv8)


def retail_chain(key16: bytes, padded: bytes, iv8: bytes = _ZERO8) -> bytes:
    """ISO/IEC 9797-1 algorithm 3 over data that is padded already: DES in CBC, the last block under 3DES."""
    left = key16[:8]
    chain = Cipher(TripleDES(left * 3), modes.CBC(iv8)).encryptor().update(padded)[-16:-8] or iv8
    return tdes_encrypt(key16, xor(chain, padded[-8:]))


def tdes_cmac(key: bytes, data: bytes) -> bytes:
    """CMAC over 3DES, 8 bytes (NIST SP 800-38B)."""
    mac = CMAC(TripleDES(_expand(key)))
    mac.update(data)
    return mac.finalize()


def sm4_cmac(key16: bytes, data: bytes) -> bytes:
    """CMAC over SM4, 16 bytes (GB/T 15852.1, algorithm 5)."""
    mac = CMAC(algorithms.SM4(key16))
    mac.update(data)
    return mac.finalize()


def sm4_mac4(key16: bytes, data: bytes, iv16: bytes = _ZERO16) -> bytes:
    """The left 4 bytes of an SM4 CBC-MAC with padding 80 to 16 bytes (no public standard for the purse)."""
    return sm4_cbc_mac(key16, data, iv16)[:4]


def sm4_cbc_mac(key16: bytes, data: bytes, iv16: bytes = _ZERO16) -> bytes:
    """The last block of SM4 in CBC over data padded with 80: 16 bytes, of which users take the left 4 or 8."""
    return sm4_cbc_encrypt(key16, pad80(data, 16), iv16)[-16:]


def sm4_cbc_encrypt(key16: bytes, blocks: bytes, iv16: bytes = _ZERO16) -> bytes:
    """SM4 in CBC without padding."""
    return Cipher(algorithms.SM4(key16), modes.CBC(iv16)).encryptor().update(blocks)


def sm4_cbc_decrypt(key16: bytes, blocks: bytes, iv16: bytes = _ZERO16) -> bytes:
    """The inverse of `sm4_cbc_encrypt`."""
    return Cipher(algorithms.SM4(key16), modes.CBC(iv16)).decryptor().update(blocks)


def mac4(algorithm: Algorithm, key: bytes, data: bytes) -> bytes:
    """The purse MAC of 4 bytes: DES with an 8-byte key, SM4 with a 16-byte key."""
    return des_mac4(key, data) if algorithm is Algorithm.TDES else sm4_mac4(key, data)


def message_mac4(algorithm: Algorithm, key16: bytes, rand4: bytes, message: bytes) -> bytes:
    """The MAC of secure messaging: initial value ``rand4 | 00..``; 3DES as ISO/IEC 9797-1 algorithm 3, or SM4."""
    if algorithm is Algorithm.TDES:
        return retail_mac4(key16, message, rand4 + bytes(4))
    return sm4_mac4(key16, message, rand4 + bytes(12))


def diversify(algorithm: Algorithm, key16: bytes, factor8: bytes) -> bytes:
    """Derive the key one level down, 16 bytes.

    3DES: ``E(K,f) | E(K,~f)`` (JR/T 0025.1); SM4: ``SM4(K, f | ~f)`` (PBOC 3.0 part 17).
    """
    block = factor8 + invert(factor8)
    return tdes_encrypt(key16, block) if algorithm is Algorithm.TDES else sm4_encrypt(key16, block)


def check_value(algorithm: Algorithm, key16: bytes) -> bytes:
    """The key check value of 3 bytes: the left of the encryption of zeros."""
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(key16, _ZERO8)[:3]
    return sm4_encrypt(key16, _ZERO16)[:3]


def _expand(key: bytes) -> bytes:
    if len(key) == 16:
        return key + key[:8]
    return key * 3 if len(key) == 8 else key
