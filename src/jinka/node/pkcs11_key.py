"""One key on a PKCS#11 token: each step of `jinka.keys.provider.Key` as a call of the module (v2.40, 5.8 to 5.16)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from pkcs11 import KeyType, Mechanism
from pkcs11.mechanisms import GCMParams

from jinka.crypto.bulk import tdes_tacs_of_keys
from jinka.keys.provider import Bytes, Key, KeyKind
from jinka.kit import JinkaError, Randomness, Refused, Usage

_MAGIC = b"JKS1"  # of `jinka.crypto.seal`: both providers make the same blobs
_CHUNK = 1 << 20  # bytes in one call of a token
_ECB = {
    KeyKind.DES: Mechanism.DES3_ECB,
    KeyKind.TDES: Mechanism.DES3_ECB,
    KeyKind.AES: Mechanism.AES_ECB,
}
_CBC = {
    KeyKind.DES: Mechanism.DES3_CBC,
    KeyKind.TDES: Mechanism.DES3_CBC,
    KeyKind.AES: Mechanism.AES_CBC,
}


class TokenError(JinkaError):
    """The module answered with an error."""


class Token(Protocol):
    """What a key asks of the session that it lives in (`jinka.node.pkcs11.Pkcs11Provider`)."""

    name: str

    def call(self, function: Any, data: bytes, **mechanism: Any) -> bytes: ...

    def derive(self, handle: Any, kind: KeyKind, data16: bytes) -> Any: ...

    def export(self, handle: Any) -> bytes: ...

    def destroy(self, handle: Any) -> None: ...


class TokenKey:
    """A key on the token. See `jinka.keys.provider.Key`."""

    __slots__ = ("__weakref__", "_left", "_object", "_parent", "_token", "kind")

    def __init__(
        self,
        token: Token,
        kind: KeyKind,
        handle: Any,
        *,
        left: Any = None,
        parent: tuple[TokenKey, bytes] | None = None,
    ) -> None:
        self._token, self.kind, self._object, self._left, self._parent = token, kind, handle, left, parent

    def __repr__(self) -> str:
        return f"TokenKey({self.kind.value})"

    def __reduce__(self) -> str:
        raise Refused("a key is not pickled", where="keys", fix="ask the key service")

    @property
    def size(self) -> int:
        fixed = {KeyKind.DES: 8, KeyKind.HMAC: 32, KeyKind.GCM: 32}.get(self.kind)
        if fixed is None and self.kind is KeyKind.TDES:
            return 24 if self._handle().key_type is KeyType.DES3 else 16
        return fixed or self._handle().key_length // 8

    def encrypt(self, blocks: bytes) -> bytes:
        mechanism = self._mechanism(_ECB, blocks)
        parts = [blocks[at : at + _CHUNK] for at in range(0, len(blocks), _CHUNK)]
        return b"".join(self._do("encrypt", part, mechanism=mechanism) for part in parts)

    def decrypt(self, blocks: bytes) -> bytes:
        return self._do("decrypt", blocks, mechanism=self._mechanism(_ECB, blocks)) if blocks else b""

    def encrypt_cbc(self, blocks: bytes, iv: bytes) -> bytes:
        return self._cbc("encrypt", blocks, iv)

    def decrypt_cbc(self, blocks: bytes, iv: bytes) -> bytes:
        return self._cbc("decrypt", blocks, iv)

    def last_blocks(self, messages: Sequence[bytes]) -> list[bytes]:
        self._only(KeyKind.DES, KeyKind.TDES)
        return [self.encrypt_cbc(message, bytes(8))[-8:] or bytes(8) for message in messages]

    def derive(self, data: bytes) -> Key:
        if self.kind not in (KeyKind.TDES, KeyKind.AES):
            raise Refused(f"a key of kind {self.kind.value} derives no key", where="keys")
        if len(data) not in ((8, 16) if self.kind is KeyKind.TDES else (16,)):
            raise Usage(f"{len(data)} bytes", where="keys.derive", fix="16 bytes, or 8 for a DES key")
        single = len(data) == 8
        handle = self._token.derive(self._handle(), self.kind, data * 2 if single else data)
        return TokenKey(self._token, KeyKind.DES if single else self.kind, handle, parent=(self, data))

    def left(self) -> Key:
        if self.kind is not KeyKind.TDES:
            raise Refused(f"a key of kind {self.kind.value} has no left half", where="keys")
        if self._left is not None:
            return TokenKey(self._token, KeyKind.DES, self._left)
        if self._parent is None:
            raise Refused(
                "the token holds no left half of this key",
                where="keys",
                fix="bring the key by components, or use CMAC",
            )
        above, data = self._parent
        return above.derive(data[:8])

    def hmac(self, data: bytes) -> bytes:
        self._only(KeyKind.HMAC)
        return self._do("sign", data, mechanism=Mechanism.SHA256_HMAC)

    def seal(self, plain: bytes, *, context: str, nonce12: bytes) -> bytes:
        self._only(KeyKind.GCM)
        sealed = self._do(
            "encrypt",
            plain,
            mechanism=Mechanism.AES_GCM,
            mechanism_param=GCMParams(nonce=nonce12, aad=_MAGIC + context.encode(), tag_bits=128),
        )
        return _MAGIC + nonce12 + sealed

    def unseal(self, blob: bytes, *, context: str) -> bytes:
        self._only(KeyKind.GCM)
        if blob[:4] != _MAGIC or len(blob) < 32:
            raise Refused("not a sealed blob of format JKS1", where=context, fix="restore the file")
        try:
            return self._do(
                "decrypt",
                blob[16:],
                mechanism=Mechanism.AES_GCM,
                mechanism_param=GCMParams(nonce=blob[4:16], aad=_MAGIC + context.encode(), tag_bits=128),
            )
        except TokenError:
            raise Refused(
                "the seal does not open", where=context, fix="check the shares, restore the file"
            ) from None

    def sign(self, message: bytes, randomness: Randomness) -> bytes:  # noqa: ARG002 the token has its own
        raise Refused(f"a key of kind {self.kind.value} signs nothing", where="keys")

    def public_der(self) -> bytes:
        raise Refused(f"a key of kind {self.kind.value} has no public half", where="keys")

    def diversify(self, factors8: Bytes) -> Bytes:
        self._only(KeyKind.TDES)
        if factors8.dtype != np.uint8 or factors8.ndim != 2 or factors8.shape[1] != 8:
            raise Usage(
                f"{factors8.dtype} of shape {factors8.shape}", where="keys.factors", fix="uint8 (N, 8)"
            )
        both = np.concatenate([factors8, ~factors8], axis=1)
        return np.frombuffer(self.encrypt(both.tobytes()), np.uint8).reshape(-1, 16)

    def tacs(self, factors8: Bytes, messages: Bytes, *, threads: int) -> npt.NDArray[np.uint32]:
        made = tdes_tacs_of_keys(self.diversify(factors8), messages, threads=threads)
        return np.ascontiguousarray(made).view(np.uint32).ravel()

    def reveal(self) -> bytes:
        return self._token.export(self._handle())

    def close(self) -> None:
        """Destroy what was derived or loaded; a token's own key stays."""
        if self._parent is not None and self._object is not None:
            self._token.destroy(self._object)
            self._object = None

    def _cbc(self, way: str, blocks: bytes, iv: bytes) -> bytes:
        mechanism = self._mechanism(_CBC, blocks)
        if len(iv) != self.kind.block:
            raise Usage(f"{len(iv)} bytes", where="keys.iv", fix=f"one block of {self.kind.block}")
        return self._do(way, blocks, mechanism=mechanism, mechanism_param=iv) if blocks else b""

    def _mechanism(self, table: Mapping[KeyKind, Mechanism], blocks: bytes) -> Mechanism:
        self._only(*table)
        if len(blocks) % self.kind.block:
            raise Usage(f"{len(blocks)} bytes", where="keys.blocks", fix=f"blocks of {self.kind.block}")
        return table[self.kind]

    def _only(self, *kinds: KeyKind) -> None:
        if self.kind not in kinds:
            raise Refused(f"a key of kind {self.kind.value} cannot do this", where="keys")

    def _handle(self) -> Any:
        if self._object is None:
            raise Refused("the key was closed", where="keys")
        return self._object

    def _do(self, what: str, data: bytes, **mechanism: Any) -> bytes:
        operation = getattr(self._handle(), what, None)
        if operation is None:  # the key's attributes do not have the right
            raise Refused(f"this key may not {what}", where=self._token.name)
        return self._token.call(operation, data, **mechanism)


class LoadedKey(TokenKey):
    """A session object that `close` destroys, with its left half."""

    __slots__ = ()

    def close(self) -> None:
        """Destroy it."""
        for handle in (self._object, self._left):
            if handle is not None:
                self._token.destroy(handle)
        self._object = self._left = None
