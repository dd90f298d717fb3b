"""Derived unique key per transaction with 3DES: ANSI X9.24-1:2009 annex A (ISO 11568).

The host derives each transaction's key from the base key (BDK) and the key serial number that comes with it; the
terminal would hold 21 future keys, of which this module makes the same values from the initial key. Serial number:
10 bytes, the low 21 bits the counter, of which at most 10 bits are set. Working keys are variants of the transaction
key; the data key is enciphered under itself once more. No state is kept: that a counter is new is the caller's check.
"""

from __future__ import annotations

from enum import Enum

from jinka.crypto.block import tdes_encrypt, xor
from jinka.crypto.block_key import BlockCipher, BlockKey, CipherKey
from jinka.kit import Refused, Usage

SERIAL_SIZE = 10
COUNTER_MAX = (1 << 21) - 1
COUNTER_BITS_MAX = 10
_LEFT = bytes.fromhex("C0C0C0C000000000")
_INITIAL = _LEFT + _LEFT


class DukptUse(Enum):
    """What a working key is for, with its variant (annex A, variants of the current key)."""

    PIN = "00000000000000FF"
    MAC_REQUEST = "000000000000FF00"
    MAC_RESPONSE = "00000000FF000000"
    DATA_REQUEST = "0000000000FF0000"
    DATA_RESPONSE = "000000FF00000000"


def initial_key(base: CipherKey, serial10: bytes) -> BlockKey:
    """The key that is loaded into a terminal; the counter in the serial number does not matter."""
    _check_base(base)
    start = _without_counter(serial10)[:8]
    value = base.clear()  # the right half is made under a variant of the key
    left = tdes_encrypt(value, start)
    right = tdes_encrypt(xor(value, _INITIAL), start)
    return BlockKey(cipher=BlockCipher.TDES, value=left + right)


def transaction_key(initial: BlockKey, serial10: bytes) -> BlockKey:
    """The key of one transaction, from a terminal's initial key; `Refused` for a counter that none uses."""
    _check_base(initial)
    counter = serial_counter(serial10)
    register = bytearray(_without_counter(serial10)[-8:])
    key, bit = initial.value, COUNTER_MAX + 1 >> 1
    while bit:
        if counter & bit:
            for at in range(5, 8):
                register[at] |= bit >> 8 * (7 - at) & 0xFF
            key = _next_key(key, bytes(register))
        bit >>= 1
    return BlockKey(cipher=BlockCipher.TDES, value=key)


def working_key(base: CipherKey, serial10: bytes, use: DukptUse) -> BlockKey:
    """The working key of a message, from the base key and the serial number that the message carries."""
    return variant(transaction_key(initial_key(base, serial10), serial10), use)


def variant(transaction: BlockKey, use: DukptUse) -> BlockKey:
    """A working key from a transaction's key."""
    value = xor(transaction.value, bytes.fromhex(use.value) * 2)
    if use in (DukptUse.DATA_REQUEST, DukptUse.DATA_RESPONSE):
        value = tdes_encrypt(value, value)
    return BlockKey(cipher=BlockCipher.TDES, value=value)


def serial_counter(serial10: bytes) -> int:
    """The transaction counter in a serial number; `Refused` for zero and for more than 10 bits set."""
    _check_serial(serial10)
    counter = int.from_bytes(serial10[-3:], "big") & COUNTER_MAX
    if not counter or counter.bit_count() > COUNTER_BITS_MAX:
        raise Refused("a counter that no terminal uses", where="key serial number")
    return counter


def next_serial(serial10: bytes) -> bytes:
    """The serial number of the next transaction; `Refused` when the terminal has used up its keys."""
    _check_serial(serial10)
    counter = int.from_bytes(serial10[-3:], "big") & COUNTER_MAX
    counter += 1
    while counter.bit_count() > COUNTER_BITS_MAX:
        counter += counter & -counter
    if counter > COUNTER_MAX:
        raise Refused("the keys are used up", where="key serial number", fix="load a new initial key")
    tail = int.from_bytes(serial10[-3:], "big") & ~COUNTER_MAX | counter
    return serial10[:-3] + tail.to_bytes(3, "big")


def _next_key(key16: bytes, register8: bytes) -> bytes:
    """The non-reversible key generation process: both halves from one register, single DES."""
    return _half(xor(key16, _INITIAL), register8) + _half(key16, register8)


def _half(key16: bytes, register8: bytes) -> bytes:
    left, right = key16[:8], key16[8:]
    return xor(tdes_encrypt(left, xor(register8, right)), right)


def _without_counter(serial10: bytes) -> bytes:
    _check_serial(serial10)
    tail = int.from_bytes(serial10[-3:], "big") & ~COUNTER_MAX
    return serial10[:-3] + tail.to_bytes(3, "big")


def _check_serial(serial10: bytes) -> None:
    if len(serial10) != SERIAL_SIZE:
        raise Usage(
            f"{len(serial10)} bytes", where="key serial number", fix="10 bytes, FF in front if shorter"
        )


def _check_base(key: CipherKey) -> None:
    if key.cipher is not BlockCipher.TDES or key.size != 16:
        raise Usage("not a double DES key", where="DUKPT", fix="a TDES key of 16 bytes")
