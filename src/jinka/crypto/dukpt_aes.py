"""Derived unique key per transaction with AES: ANSI X9.24-3:2017 (ISO 11568).

The host's side: initial key, transaction key and working key from the base key and the serial number, 12 bytes of
which the last 4 are the counter with at most 16 bits set. A working key says its use and type in the derivation, so
it cannot be taken for another; it is never stronger than what it comes from. No state is kept: that a counter is new
is the caller's check.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jinka.crypto.aes import BLOCK
from jinka.crypto.block_key import BlockCipher, BlockKey, CipherKey
from jinka.kit import Refused, Usage

SERIAL_SIZE = 12
COUNTER_BITS_MAX = 16
COUNTER_MAX = 0xFFFF0000  # the last with 16 bits set
_UPDATE_COUNTER = 0xFFFFFFFF  # for the key that renews an initial key
_DERIVE, _DERIVE_INITIAL = 0x8000, 0x8001


class AesDukptUse(Enum):
    """What a working key is for (table of key usages)."""

    KEY_ENCRYPTION = 0x0002
    PIN = 0x1000
    MAC_GENERATE = 0x2000
    MAC_VERIFY = 0x2001
    MAC_BOTH = 0x2002
    DATA_ENCRYPT = 0x3000
    DATA_DECRYPT = 0x3001
    DATA_BOTH = 0x3002


class AesDukptType(Enum):
    """The kind of a working key, with its number, bytes and bits of strength (table of algorithms)."""

    TDES_2 = (0, 16, 80)
    TDES_3 = (1, 24, 112)
    AES_128 = (2, 16, 128)
    AES_192 = (3, 24, 192)
    AES_256 = (4, 32, 256)

    @property
    def size(self) -> int:
        """Bytes of a key."""
        return self.value[1]

    @property
    def cipher(self) -> BlockCipher:
        """The cipher of a key."""
        return BlockCipher.TDES if self in (AesDukptType.TDES_2, AesDukptType.TDES_3) else BlockCipher.AES


_BY_SIZE = {16: AesDukptType.AES_128, 24: AesDukptType.AES_192, 32: AesDukptType.AES_256}


@dataclass(frozen=True, slots=True, kw_only=True)
class AesSerial:
    """A key serial number: the initial key's name (8 bytes) and the transaction counter."""

    initial_id: bytes
    counter: int

    def __post_init__(self) -> None:
        if len(self.initial_id) != 8:
            raise Usage(f"{len(self.initial_id)} bytes", where="initial key id", fix="8 bytes")
        if not 0 < self.counter <= COUNTER_MAX or self.counter.bit_count() > COUNTER_BITS_MAX:
            raise Refused("a counter that no terminal uses", where="key serial number")

    @classmethod
    def parse(cls, serial12: bytes) -> AesSerial:
        """From the 12 bytes of a message."""
        if len(serial12) != SERIAL_SIZE:
            raise Usage(f"{len(serial12)} bytes", where="key serial number", fix="12 bytes")
        return cls(initial_id=serial12[:8], counter=int.from_bytes(serial12[8:], "big"))

    def __bytes__(self) -> bytes:
        return self.initial_id + self.counter.to_bytes(4, "big")

    def next(self) -> AesSerial:
        """The serial number of the next transaction; `Refused` when the terminal has used up its keys."""
        counter = self.counter + 1
        while counter.bit_count() > COUNTER_BITS_MAX:
            counter += counter & -counter
        if counter > COUNTER_MAX:
            raise Refused("the keys are used up", where="key serial number", fix="load a new initial key")
        return AesSerial(initial_id=self.initial_id, counter=counter)


def initial_key(base: CipherKey, initial_id8: bytes) -> BlockKey:
    """The key that is loaded into a terminal."""
    _check(base)
    if len(initial_id8) != 8:
        raise Usage(f"{len(initial_id8)} bytes", where="initial key id", fix="8 bytes")
    return _derive(base, _BY_SIZE[base.size], _DERIVE_INITIAL, initial_id8)


def transaction_key(initial: BlockKey, serial: AesSerial) -> BlockKey:
    """The key that the working keys of one transaction come from: one step for each bit of the counter."""
    return _walk(initial, serial.initial_id, serial.counter)


def working_key(initial: BlockKey, serial: AesSerial, use: AesDukptUse, kind: AesDukptType) -> BlockKey:
    """One working key of a transaction, from the terminal's initial key."""
    return _working(initial, serial.initial_id, serial.counter, use, kind)


def update_key(initial: BlockKey, initial_id8: bytes, kind: AesDukptType) -> BlockKey:
    """The key under which a terminal receives its next initial key."""
    return _working(initial, initial_id8, _UPDATE_COUNTER, AesDukptUse.KEY_ENCRYPTION, kind)


def _working(
    initial: BlockKey, initial_id8: bytes, counter: int, use: AesDukptUse, kind: AesDukptType
) -> BlockKey:
    if kind.value[2] > 8 * len(initial.value):
        what = f"{kind.name} from {8 * len(initial.value)} bits"
        raise Refused(what, where="AES DUKPT", fix="a working key is no stronger than its initial key")
    parent = _walk(initial, initial_id8, counter)
    return _derive(parent, kind, use.value, initial_id8[4:] + counter.to_bytes(4, "big"))


def _walk(initial: BlockKey, initial_id8: bytes, counter: int) -> BlockKey:
    _check(initial)
    key, done, bit = initial, 0, 1 << 31
    while bit:
        if counter & bit:
            done |= bit
            key = _derive(key, _BY_SIZE[len(key.value)], _DERIVE, initial_id8[4:] + done.to_bytes(4, "big"))
        bit >>= 1
    return key


def _derive(parent: CipherKey, kind: AesDukptType, use: int, context8: bytes) -> BlockKey:
    """Blocks of derivation data under the parent, version 1 with a block counter in front."""
    tail = use.to_bytes(2, "big") + kind.value[0].to_bytes(2, "big") + (8 * kind.size).to_bytes(2, "big")
    blocks = range(1, -(-kind.size // BLOCK) + 1)
    data = b"".join(bytes((1, block)) + tail + context8 for block in blocks)
    return BlockKey(cipher=kind.cipher, value=parent.encrypt(data)[: kind.size])


def _check(key: CipherKey) -> None:
    if key.cipher is not BlockCipher.AES:
        raise Usage(f"a key of {key.cipher.value}", where="AES DUKPT", fix="an AES key")
