"""Session and TAC keys of the purse (JR/T 0025.1; JR/T 0025.9 for the grey lock).

Jinka's SM4 purse is a profile of its own, not a standard: the 3DES session input is padded with 80 00 to
one SM4 block, MACs take the left 4 bytes of an SM4 CBC-MAC, and the TAC uses the whole 16-byte key.
"""

from __future__ import annotations

from jinka.codec.record import Algorithm
from jinka.crypto.block import pad80, sm4_encrypt, tdes_encrypt


def load_session(algorithm: Algorithm, load_key: bytes, rand4: bytes, online_counter: int) -> bytes:
    """Session key of a load: 8 bytes ``E3(DLK, rand4 | ATC2 | 8000)``, or 16 bytes with SM4."""
    return _session(algorithm, load_key, rand4 + online_counter.to_bytes(2, "big"))


def purchase_session(
    algorithm: Algorithm, purchase_key: bytes, rand4: bytes, offline_counter: int, terminal_serial: bytes
) -> bytes:
    """Session key of a purchase: 8 bytes ``E3(DPK, rand4 | ATC2 | serial[2:4])``, or 16 bytes with SM4."""
    tail = offline_counter.to_bytes(2, "big") + terminal_serial[2:4]
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(purchase_key, rand4 + tail)
    return sm4_encrypt(purchase_key, pad80(rand4 + tail, 16))


def grey_session(
    algorithm: Algorithm,
    lock_key: bytes,
    rand4: bytes,
    offline_counter: int,
    terminal_serial: bytes,
    terminal_rand4: bytes,
) -> bytes:
    """Session key of a grey lock: ``DES(E3(DGK, rand4 | ATC2 | serial[2:4]), terminal_rand4 | 80000000)``.

    It is kept until the lock is released. With SM4, Jinka's own: the same two steps over blocks of 16 bytes.
    """
    first = purchase_session(algorithm, lock_key, rand4, offline_counter, terminal_serial)
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(first, terminal_rand4 + b"\x80\x00\x00\x00")
    return sm4_encrypt(first, pad80(terminal_rand4, 16))


def tac_key(algorithm: Algorithm, dtk16: bytes) -> bytes:
    """The key that makes the TAC: left XOR right of the DTK (8 bytes), or the whole DTK with SM4."""
    if algorithm is Algorithm.SM4:
        return dtk16
    return bytes(a ^ b for a, b in zip(dtk16[:8], dtk16[8:], strict=True))


def _session(algorithm: Algorithm, key: bytes, seed6: bytes) -> bytes:
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(key, seed6 + b"\x80\x00")
    return sm4_encrypt(key, pad80(seed6, 16))
