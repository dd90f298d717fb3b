"""A key of a block cipher together with its cipher, so that a function cannot take one for the other.

TDES (FIPS 46-3; NIST SP 800-67), AES (FIPS 197), SM4 (GM/T 0002); check values by ANSI X9.24-1 annex A. A key says
its check value, never itself. Purposes and owners are the business of `jinka.keys`; randomness is the caller's.
"""

from __future__ import annotations

import hmac
import itertools
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

from jinka.crypto.aes import aes_cbc_decrypt, aes_cbc_encrypt, aes_cmac, aes_decrypt, aes_encrypt
from jinka.crypto.block import (
    retail_chain,
    sm4_cbc_encrypt,
    sm4_cmac,
    sm4_decrypt,
    sm4_encrypt,
    tdes_cbc_decrypt,
    tdes_cbc_encrypt,
    tdes_cmac,
    tdes_decrypt,
    tdes_encrypt,
    xor,
)
from jinka.kit import Refused, Usage

CHECK_SIZES = range(3, 9)  # shorter ones can be guessed, longer ones give too much of E(K, 0) away


class BlockCipher(Enum):
    """A block cipher."""

    TDES = "TDES"
    AES = "AES"
    SM4 = "SM4"

    __hash__ = object.__hash__  # members are unique; that of Enum is asked for at every step

    @property
    def block(self) -> int:
        """Bytes in a block."""
        return 8 if self is BlockCipher.TDES else 16


class CheckMethod(Enum):
    """What a check value is the left part of."""

    ZEROS = "zeros"  # E(K, 00..), the older form
    CMAC = "cmac"  # CMAC(K, 00..) of one block: ANSI X9.24-1:2017, for AES


_KEY_SIZES = {BlockCipher.TDES: (8, 16, 24), BlockCipher.AES: (16, 24, 32), BlockCipher.SM4: (16,)}
_ENCRYPT = {BlockCipher.TDES: tdes_encrypt, BlockCipher.AES: aes_encrypt, BlockCipher.SM4: sm4_encrypt}
_DECRYPT = {BlockCipher.TDES: tdes_decrypt, BlockCipher.AES: aes_decrypt, BlockCipher.SM4: sm4_decrypt}
_CBC = {
    BlockCipher.TDES: tdes_cbc_encrypt,
    BlockCipher.AES: aes_cbc_encrypt,
    BlockCipher.SM4: sm4_cbc_encrypt,
}
_CMAC = {BlockCipher.TDES: tdes_cmac, BlockCipher.AES: aes_cmac, BlockCipher.SM4: sm4_cmac}


class CipherKey(Protocol):
    """A key that works, wherever it lives: a `BlockKey`, or a key of a key service that shows no value."""

    @property
    def cipher(self) -> BlockCipher: ...

    @property
    def size(self) -> int:
        """Bytes of the key."""
        ...

    def encrypt(self, blocks: bytes) -> bytes:
        """ECB; whole blocks."""
        ...

    def decrypt(self, blocks: bytes) -> bytes:
        """The inverse of `encrypt`."""
        ...

    def cbc_encrypt(self, blocks: bytes, iv: bytes | None = None) -> bytes:
        """CBC without padding; whole blocks, an initial value of one block (zeros)."""
        ...

    def cbc_decrypt(self, blocks: bytes, iv: bytes | None = None) -> bytes:
        """The inverse of `cbc_encrypt`."""
        ...

    def cmac(self, data: bytes) -> bytes:
        """CMAC of one block (NIST SP 800-38B)."""
        ...

    def chain(self, padded: bytes) -> bytes:
        """ISO/IEC 9797-1 algorithm 3 over whole blocks: single DES under the left half, the last block under all."""
        ...

    def strong(self) -> object:
        """`Refused` for a key that is weaker than it looks."""
        ...

    def clear(self) -> bytes:
        """The value, for steps that need it; `Refused` by a place that does not give it away."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockKey:
    """A clear key, inside the border of a key service."""

    cipher: BlockCipher
    value: bytes = field(repr=False)

    def __post_init__(self) -> None:
        sizes = _KEY_SIZES[self.cipher]
        if len(self.value) not in sizes:
            what = f"a key of {len(self.value)} bytes"
            raise Usage(what, where=f"{self.cipher.value} key", fix=f"one of {sizes} bytes")

    def __repr__(self) -> str:
        return f"BlockKey({self.cipher.value}, {len(self.value)} bytes, check value {self.check_value().hex().upper()})"

    @property
    def size(self) -> int:
        """Bytes of the key."""
        return len(self.value)

    def clear(self) -> bytes:
        """The value."""
        return self.value

    def encrypt(self, blocks: bytes) -> bytes:
        """ECB; whole blocks."""
        return _ENCRYPT[self.cipher](self.value, blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        """The inverse of `encrypt`."""
        return _DECRYPT[self.cipher](self.value, blocks)

    def cbc_encrypt(self, blocks: bytes, iv: bytes | None = None) -> bytes:
        """CBC without padding; whole blocks, an initial value of one block (zeros)."""
        return _CBC[self.cipher](self.value, blocks, iv or bytes(self.cipher.block))

    def cbc_decrypt(self, blocks: bytes, iv: bytes | None = None) -> bytes:
        """The inverse of `cbc_encrypt`."""
        start = iv or bytes(self.cipher.block)
        if self.cipher is BlockCipher.TDES:
            return tdes_cbc_decrypt(self.value, blocks, start)
        if self.cipher is BlockCipher.AES:
            return aes_cbc_decrypt(self.value, blocks, start)
        return xor(self.decrypt(blocks), (start + blocks)[: len(blocks)])

    def cmac(self, data: bytes) -> bytes:
        """CMAC of one block (NIST SP 800-38B)."""
        return _CMAC[self.cipher](self.value, data)

    def chain(self, padded: bytes) -> bytes:
        """ISO/IEC 9797-1 algorithm 3 over whole blocks; `Usage` unless it is a double DES key."""
        if self.cipher is not BlockCipher.TDES or self.size != 16:
            raise Usage("algorithm 3 without a double DES key", where="MAC", fix="a TDES key of 16 bytes")
        return retail_chain(self.value, padded)

    def check_value(self, method: CheckMethod = CheckMethod.ZEROS, size: int = 3) -> bytes:
        """See `check_value`."""
        return check_value(self, method, size)

    def expect(self, given: bytes, method: CheckMethod = CheckMethod.ZEROS) -> BlockKey:
        """Return the key itself; `Refused` as `expect_check_value`."""
        expect_check_value(self, given, method)
        return self

    def strong(self) -> BlockKey:
        """Return the key itself; `Refused` for single DES and for 3DES whose parts are equal and so fall back to it.

        Parity bits do not count: they are no part of a DES key.
        """
        if self.cipher is not BlockCipher.TDES:
            return self
        odd = bytes(byte & 0xFE for byte in self.value)
        parts = [odd[at : at + 8] for at in range(0, len(odd), 8)]
        if len(parts) == 1 or any(left == right for left, right in itertools.pairwise(parts)):
            raise Refused("a 3DES key no stronger than DES", where="key", fix="use independent key parts")
        return self


def check_value(key: CipherKey, method: CheckMethod = CheckMethod.ZEROS, size: int = 3) -> bytes:
    """The left ``size`` bytes of what the method names."""
    zeros = bytes(key.cipher.block)
    return (key.encrypt(zeros) if method is CheckMethod.ZEROS else key.cmac(zeros))[:size]


def expect_check_value(key: CipherKey, given: bytes, method: CheckMethod = CheckMethod.ZEROS) -> None:
    """`Refused` when the check value that came with a key is wrong or too short."""
    if len(given) not in CHECK_SIZES:
        raise Refused(f"a check value of {len(given)} bytes", where="key", fix="3 to 8 bytes of check value")
    if not hmac.compare_digest(check_value(key, method, len(given)), given):
        raise Refused("the check value is wrong", where="key", fix="enter or fetch the key again")
