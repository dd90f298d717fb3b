"""A provider's key as payment cryptography takes it (`jinka.crypto.block_key.CipherKey`): one code for every provider.

CMAC (NIST SP 800-38B) and ISO/IEC 9797-1 algorithm 3 are put together from ECB and CBC, which is all that a token
has to offer. Steps that need the value itself (variants of a key, EMAC) get it from memory and are refused by a token.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary, WeakSet

from jinka.crypto.block import xor
from jinka.crypto.block_key import BlockCipher, BlockKey, check_value
from jinka.keys.provider import Key, KeyKind
from jinka.kit import Refused, Usage

CIPHERS = {
    KeyKind.DES: BlockCipher.TDES,
    KeyKind.TDES: BlockCipher.TDES,
    KeyKind.SM4: BlockCipher.SM4,
    KeyKind.AES: BlockCipher.AES,
}
KINDS = {BlockCipher.TDES: KeyKind.TDES, BlockCipher.SM4: KeyKind.SM4, BlockCipher.AES: KeyKind.AES}
_REDUCTIONS = {8: 0x1B, 16: 0x87}  # of the field in which CMAC doubles
# What was found out about keys that are still open: a key never changes its value, and is asked for at every step.
_strong: WeakSet[Key] = WeakSet()
_marks: WeakKeyDictionary[Key, bytes] = WeakKeyDictionary()


class StepKey:
    """A key that works where it lives."""

    __slots__ = ("_key", "cipher", "size")

    def __init__(self, key: Key) -> None:
        if key.kind not in CIPHERS:
            raise Refused(f"a key of kind {key.kind.value} is no block cipher's", where="keys")
        self._key, self.cipher, self.size = key, CIPHERS[key.kind], key.size

    def __repr__(self) -> str:
        return f"StepKey({self._key.kind.value})"

    def encrypt(self, blocks: bytes) -> bytes:
        return self._key.encrypt(blocks)

    def decrypt(self, blocks: bytes) -> bytes:
        return self._key.decrypt(blocks)

    def cbc_encrypt(self, blocks: bytes, iv: bytes | None = None) -> bytes:
        return self._key.encrypt_cbc(blocks, iv or bytes(self.cipher.block))

    def cbc_decrypt(self, blocks: bytes, iv: bytes | None = None) -> bytes:
        return self._key.decrypt_cbc(blocks, iv or bytes(self.cipher.block))

    def cmac(self, data: bytes) -> bytes:
        block = self.cipher.block
        whole = bool(data) and len(data) % block == 0
        mask = _doubled(self.encrypt(bytes(block)))
        if not whole:
            mask, data = _doubled(mask), data + b"\x80" + bytes(-(len(data) + 1) % block)
        return self.cbc_encrypt(data[:-block] + xor(data[-block:], mask))[-block:]

    def chain(self, padded: bytes) -> bytes:
        if self.cipher is not BlockCipher.TDES or self.size != 16:
            raise Usage("algorithm 3 without a double DES key", where="MAC", fix="a TDES key of 16 bytes")
        with self._left() as left:
            before = left.encrypt_cbc(padded[:-8], bytes(8))[-8:] if len(padded) > 8 else bytes(8)
        return self.encrypt(xor(before, padded[-8:]))

    def chains(self, padded: list[bytes]) -> list[bytes]:
        """`chain` for many messages: the left half once, and the last step of all in one call."""
        if self.cipher is not BlockCipher.TDES or self.size != 16:
            raise Usage("algorithm 3 without a double DES key", where="MAC", fix="a TDES key of 16 bytes")
        with self._left() as left:
            before = left.last_blocks([message[:-8] for message in padded])
        made = self.encrypt(xor(b"".join(before), b"".join([message[-8:] for message in padded])))
        return [made[at : at + 8] for at in range(0, len(made), 8)]

    def strong(self) -> StepKey:
        """The key itself; `Refused` for single DES and for 3DES that does what DES under its left half does.

        Without the value a triple key whose first two parts are equal cannot be told: ceremonies and key blocks do.
        """
        if self.cipher is BlockCipher.TDES and self._key not in _strong:
            with self._left() as left:
                if hmac.compare_digest(left.encrypt(bytes(8)), self.encrypt(bytes(8))):
                    raise Refused("a 3DES key no stronger than DES", where="key", fix="use independent parts")
            _strong.add(self._key)
        return self

    @property
    def mark(self) -> bytes:
        """Its check value of 8 bytes, by which guards know a key."""
        found = _marks.get(self._key)
        if found is None:
            found = _marks[self._key] = check_value(self, size=8)
        return found

    def derive(self, data: bytes) -> Key:
        """The key whose value is ``encrypt(data)``; it is the caller's to close."""
        return self._key.derive(data)

    def clear(self) -> bytes:
        return self._key.reveal()

    def in_memory(self) -> BlockKey:
        """The value as a key in this process; `Refused` by a token."""
        return BlockKey(cipher=self.cipher, value=self.clear())

    @contextmanager
    def _left(self) -> Iterator[Key]:
        if self._key.kind is KeyKind.DES:
            yield self._key
            return
        left = self._key.left()
        try:
            yield left
        finally:
            left.close()


def _doubled(block: bytes) -> bytes:
    number = int.from_bytes(block, "big") << 1
    if number >> 8 * len(block):
        number ^= 1 << 8 * len(block) | _REDUCTIONS[len(block)]
    return number.to_bytes(len(block), "big")
