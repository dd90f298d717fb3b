"""Keys in this process's memory: the provider that needs nothing, and that nobody certifies.

All values of a store lie in one piece of locked memory (`jinka.crypto.locked`) that `close` overwrites. A key that is
worked with is copied to where OpenSSL and numba want it. SIV-like sealing and GCM: `jinka.crypto.seal`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from jinka.crypto import seal, sm4_encrypt, tdes_encrypt, unseal
from jinka.crypto.aes import aes_cbc_decrypt, aes_cbc_encrypt, aes_decrypt, aes_encrypt
from jinka.crypto.block import (
    sm4_cbc_decrypt,
    sm4_cbc_encrypt,
    sm4_decrypt,
    tdes_cbc_decrypt,
    tdes_cbc_encrypt,
    tdes_decrypt,
    tdes_last_blocks,
)
from jinka.crypto.bulk import sm4_diversify, sm4_tacs, tdes_diversify, tdes_tacs
from jinka.crypto.bulk_macs import des_last_blocks
from jinka.crypto.locked import LockedBytes
from jinka.keys.catalogue import KeyName
from jinka.keys.pairs import check_pair, public_of_pair, sign_with
from jinka.keys.provider import PAIRS, SIZES, Bytes, Key, KeyKind
from jinka.kit import Randomness, Refused, Usage

_Cipher = Callable[[bytes, bytes], bytes]
_ECB: dict[KeyKind, tuple[_Cipher, _Cipher]] = {
    KeyKind.DES: (tdes_encrypt, tdes_decrypt),
    KeyKind.TDES: (tdes_encrypt, tdes_decrypt),
    KeyKind.SM4: (sm4_encrypt, sm4_decrypt),
    KeyKind.AES: (aes_encrypt, aes_decrypt),
}
_Chained = Callable[[bytes, bytes, bytes], bytes]
_CBC: dict[KeyKind, tuple[_Chained, _Chained]] = {
    KeyKind.DES: (tdes_cbc_encrypt, tdes_cbc_decrypt),
    KeyKind.TDES: (tdes_cbc_encrypt, tdes_cbc_decrypt),
    KeyKind.SM4: (sm4_cbc_encrypt, sm4_cbc_decrypt),
    KeyKind.AES: (aes_cbc_encrypt, aes_cbc_decrypt),
}
_DIVERSIFY = {KeyKind.TDES: tdes_diversify, KeyKind.SM4: sm4_diversify}
_TACS = {KeyKind.TDES: tdes_tacs, KeyKind.SM4: sm4_tacs}


class SoftKey:
    """A key whose value is read from ``source`` when it is used. See `jinka.keys.provider.Key`."""

    __slots__ = ("__weakref__", "_source", "kind")

    def __init__(self, kind: KeyKind, source: Callable[[], bytes]) -> None:
        self.kind, self._source = kind, source

    def __repr__(self) -> str:
        return f"SoftKey({self.kind.value})"

    def __reduce__(self) -> str:
        raise Refused("a key is not pickled", where="keys", fix="open the store in the new process")

    @property
    def size(self) -> int:
        return len(self._source())

    def encrypt(self, blocks: bytes) -> bytes:
        return self._ecb(0)(self._source(), self._whole(blocks))

    def decrypt(self, blocks: bytes) -> bytes:
        return self._ecb(1)(self._source(), self._whole(blocks))

    def encrypt_cbc(self, blocks: bytes, iv: bytes) -> bytes:
        return self._cbc(0, blocks, iv)

    def decrypt_cbc(self, blocks: bytes, iv: bytes) -> bytes:
        return self._cbc(1, blocks, iv)

    def last_blocks(self, messages: Sequence[bytes]) -> list[bytes]:
        self._only(KeyKind.DES, KeyKind.TDES)
        for message in messages:
            self._whole(message)
        chain = des_last_blocks if self.kind is KeyKind.DES else tdes_last_blocks
        return chain(self._source(), messages)

    def derive(self, data: bytes) -> Key:
        made = self.encrypt(data)
        if len(made) == 8:
            return SoftKey(KeyKind.DES, lambda: made)
        if len(made) != 16:
            raise Usage(f"{len(made)} bytes", where="keys.derive", fix="16 bytes, or 8 for a DES key")
        return SoftKey(self.kind, lambda: made)

    def left(self) -> Key:
        self._only(KeyKind.TDES)
        return SoftKey(KeyKind.DES, lambda: self._source()[:8])

    def hmac(self, data: bytes) -> bytes:
        self._only(KeyKind.HMAC)
        return hmac.digest(self._source(), data, "sha256")

    def seal(self, plain: bytes, *, context: str, nonce12: bytes) -> bytes:
        self._only(KeyKind.GCM)
        return seal(self._source(), plain, context=context, nonce12=nonce12)

    def unseal(self, blob: bytes, *, context: str) -> bytes:
        self._only(KeyKind.GCM)
        return unseal(self._source(), blob, context=context)

    def sign(self, message: bytes, randomness: Randomness) -> bytes:
        return sign_with(self.kind, self._source(), message, randomness)

    def public_der(self) -> bytes:
        return public_of_pair(self.kind, self._source())

    def diversify(self, factors8: Bytes) -> Bytes:
        self._only(*_DIVERSIFY)
        return _DIVERSIFY[self.kind](self._source(), factors8)

    def tacs(self, factors8: Bytes, messages: Bytes, *, threads: int) -> npt.NDArray[np.uint32]:
        self._only(*_TACS)
        made = _TACS[self.kind](self._source(), factors8, messages, threads=threads)
        return np.ascontiguousarray(made).view(np.uint32).ravel()

    def reveal(self) -> bytes:
        return self._source()

    def close(self) -> None:
        """Forget where the value is."""
        self._source = _gone

    def _ecb(self, way: int) -> _Cipher:
        self._only(*_ECB)
        return _ECB[self.kind][way]

    def _cbc(self, way: int, blocks: bytes, iv: bytes) -> bytes:
        self._only(*_CBC)
        if len(iv) != self.kind.block:
            raise Usage(f"{len(iv)} bytes", where="keys.iv", fix=f"one block of {self.kind.block}")
        return _CBC[self.kind][way](self._source(), self._whole(blocks), iv)

    def _whole(self, blocks: bytes) -> bytes:
        if len(blocks) % self.kind.block:
            raise Usage(f"{len(blocks)} bytes", where="keys.blocks", fix=f"blocks of {self.kind.block}")
        return blocks

    def _only(self, *kinds: KeyKind) -> None:
        if self.kind not in kinds:
            raise Refused(f"a key of kind {self.kind.value} cannot do this", where="keys")


class SoftProvider:
    """The keys of an opened store, or none at first."""

    name = "soft"
    certified = False
    kinds = frozenset(KeyKind)

    def __init__(self, values: Mapping[KeyName, bytes] = {}) -> None:
        self._keys: dict[KeyName, SoftKey] = {}
        self._held = LockedBytes(b"".join(values.values()))
        start = 0
        for name, value in values.items():
            kind = _kind(name)
            _check_size(kind, value)
            self._keys[name] = SoftKey(kind, _reader(self._held, start, start + len(value)))
            start += len(value)

    def __repr__(self) -> str:
        return f"SoftProvider({len(self._keys)} keys)"

    @property
    def locked(self) -> bool:
        """Whether the system agreed to lock the memory of the keys."""
        return self._held.locked

    def key(self, name: KeyName) -> Key | None:
        """The key of that name, or None."""
        return self._keys.get(name)

    def load(self, kind: KeyKind, value: bytes, *, extractable: bool = False) -> Key:  # noqa: ARG002 all are here
        """A key for this session alone."""
        if kind not in self.kinds:
            raise Refused(f"the soft provider has no {kind.value} here", where="keys")
        _check_size(kind, value)
        return SoftKey(kind, lambda: value)

    def close(self) -> None:
        """Overwrite all values; what is asked of a key afterwards is an error."""
        self._held.wipe()


def _kind(name: KeyName) -> KeyKind:
    try:
        return KeyKind(name.algorithm)
    except ValueError:
        raise Refused(f"no such algorithm: {name.algorithm}", where=f"keys.{name}") from None


def _check_size(kind: KeyKind, value: bytes) -> None:
    if len(value) not in SIZES[kind]:
        raise Refused(f"{len(value)} bytes", where=f"keys.{kind.value}", fix=f"one of {SIZES[kind]}")
    if kind in PAIRS:
        check_pair(kind, value)


def _reader(held: LockedBytes, start: int, stop: int) -> Callable[[], bytes]:
    return lambda: held.slice(start, stop)


def _gone() -> bytes:
    raise Refused("the key was closed", where="keys")
