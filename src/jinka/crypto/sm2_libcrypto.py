"""SM2 over the system's libcrypto (OpenSSL 3 and later) by ctypes, and the choice between it and the reference.

Both providers have the same verbs and pass the same tests. Which one is constant-time: the reference is not. OpenSSL
multiplies secret scalars by a Montgomery ladder and means it to be constant-time; its 64-bit ARM builds of 3.2 to 3.5
leaked until CVE-2025-9231 was mended. Neither is certified, and both keep the key in this process's memory.
libcrypto draws its nonces itself. It offers no key agreement here: that is `jinka.crypto.sm2_exchange` alone.

Why it cannot crash on bad input: every function has its types declared, every handle is checked for NULL, and keys
and ciphertexts are parsed here first, so that libcrypto sees one encoding of fixed form only.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

from jinka.crypto.sm2 import (
    DEFAULT_ID,
    PLAIN_MAX,
    Sm2PrivateKey,
    Sm2PublicKey,
    ciphertext_der,
    ciphertext_raw,
    signature_der,
    signature_raw,
)
from jinka.crypto.sm2_curve import G
from jinka.crypto.sm2_keys import private_info, public_info
from jinka.kit import JinkaError, Randomness, Refused, Usage

_NAMES = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.3.dylib", "libcrypto.4.dylib", "libcrypto-3-x64.dll")
_OLDEST = 0x30000000
_SIGNATURE_MAX = 80
_CIPHER_HEAD = 65 + 32
_DRAWS_MAX = 64
_SIZE = POINTER(c_size_t)

# name -> (result, arguments), after the manual pages of OpenSSL 3.0
_FUNCTIONS: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "OpenSSL_version_num": (c_ulong, ()),
    "ERR_clear_error": (None, ()),
    "EVP_sm3": (c_void_p, ()),
    "d2i_AutoPrivateKey": (c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    "d2i_PUBKEY": (c_void_p, (c_void_p, POINTER(c_char_p), c_long)),
    "EVP_PKEY_is_a": (c_int, (c_void_p, c_char_p)),
    "EVP_PKEY_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_new": (c_void_p, (c_void_p, c_void_p)),
    "EVP_PKEY_CTX_free": (None, (c_void_p,)),
    "EVP_PKEY_CTX_set1_id": (c_int, (c_void_p, c_char_p, c_int)),
    "EVP_MD_CTX_new": (c_void_p, ()),
    "EVP_MD_CTX_free": (None, (c_void_p,)),
    "EVP_MD_CTX_set_pkey_ctx": (None, (c_void_p, c_void_p)),
    "EVP_DigestSignInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestSign": (c_int, (c_void_p, c_char_p, _SIZE, c_char_p, c_size_t)),
    "EVP_DigestVerifyInit": (c_int, (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p)),
    "EVP_DigestVerify": (c_int, (c_void_p, c_char_p, c_size_t, c_char_p, c_size_t)),
    "EVP_PKEY_encrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_encrypt": (c_int, (c_void_p, c_char_p, _SIZE, c_char_p, c_size_t)),
    "EVP_PKEY_decrypt_init": (c_int, (c_void_p,)),
    "EVP_PKEY_decrypt": (c_int, (c_void_p, c_char_p, _SIZE, c_char_p, c_size_t)),
}


class Sm2Provider(Protocol):
    """The verbs of SM2 over keys that this process holds. Signatures are ``r | s``, ciphertexts C1 | C3 | C2."""

    @property
    def name(self) -> str:
        """What to call it in a report."""
        ...

    def sign(self, key: Sm2PrivateKey, message: bytes, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """Sign a message."""
        ...

    def verify(
        self, key: Sm2PublicKey, message: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID
    ) -> None:
        """Check a signature; raises `Refused`."""
        ...

    def encrypt(self, key: Sm2PublicKey, plain: bytes) -> bytes:
        """Encrypt up to 65536 bytes."""
        ...

    def decrypt(self, key: Sm2PrivateKey, cipher: bytes) -> bytes:
        """Open a ciphertext; raises `Refused`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """`jinka.crypto.sm2`, with the randomness that it is given. Not constant-time."""

    randomness: Randomness
    name: str = "reference (not constant-time)"

    def sign(self, key: Sm2PrivateKey, message: bytes, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """Sign a message."""
        return key.sign(message, self.randomness, user_id=user_id)

    def verify(
        self, key: Sm2PublicKey, message: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID
    ) -> None:
        """Check a signature; raises `Refused`."""
        key.verify(message, signature, user_id=user_id)

    def encrypt(self, key: Sm2PublicKey, plain: bytes) -> bytes:
        """Encrypt up to 65536 bytes."""
        return key.encrypt(plain, self.randomness)

    def decrypt(self, key: Sm2PrivateKey, cipher: bytes) -> bytes:
        """Open a ciphertext; raises `Refused`."""
        return key.decrypt(cipher)


class Libcrypto:
    """The system's OpenSSL. `Usage` where there is none that knows SM2: `find_libcrypto` asks first."""

    def __init__(self) -> None:
        found = find_libcrypto()
        if found is None:
            raise Usage("no libcrypto with SM2", where="SM2", fix="install OpenSSL 3, or use the reference")
        self._lib = found
        self.name = f"libcrypto (OpenSSL {found.OpenSSL_version_num() >> 20:x})"

    def sign(self, key: Sm2PrivateKey, message: bytes, *, user_id: bytes = DEFAULT_ID) -> bytes:
        """Sign a message; the nonce is OpenSSL's."""
        with self._private(key) as handle, self._digest(handle, user_id) as context:
            self._require(self._lib.EVP_DigestSignInit(context, None, self._lib.EVP_sm3(), None, handle))
            out, size = ctypes.create_string_buffer(_SIGNATURE_MAX), c_size_t(_SIGNATURE_MAX)
            self._require(self._lib.EVP_DigestSign(context, out, byref(size), message, len(message)))
        return signature_raw(out.raw[: size.value])

    def verify(
        self, key: Sm2PublicKey, message: bytes, signature: bytes, *, user_id: bytes = DEFAULT_ID
    ) -> None:
        """Check a signature; raises `Refused`."""
        if len(signature) != 64:
            raise Refused("a signature has 64 bytes", where="SM2 signature")
        der = signature_der(signature)
        with self._public(key) as handle, self._digest(handle, user_id) as context:
            self._require(self._lib.EVP_DigestVerifyInit(context, None, self._lib.EVP_sm3(), None, handle))
            right = self._lib.EVP_DigestVerify(context, der, len(der), message, len(message)) == 1
        if not right:
            self._lib.ERR_clear_error()
            raise Refused("the signature is wrong", where="SM2 signature")

    def encrypt(self, key: Sm2PublicKey, plain: bytes) -> bytes:
        """Encrypt up to 65536 bytes."""
        if not 0 < len(plain) <= PLAIN_MAX:
            raise Usage(f"{len(plain)} bytes to encrypt", where="SM2", fix=f"1 to {PLAIN_MAX}")
        for _ in range(_DRAWS_MAX):
            cipher = self._encrypt(key, plain)
            if (
                cipher[_CIPHER_HEAD:] != plain
            ):  # a key stream of zeros, which OpenSSL does not always draw again
                return cipher
        raise JinkaError("libcrypto gives no usable key stream", where="SM2")

    def decrypt(self, key: Sm2PrivateKey, cipher: bytes) -> bytes:
        """Open a ciphertext; raises `Refused`."""
        if not _CIPHER_HEAD < len(cipher) <= _CIPHER_HEAD + PLAIN_MAX:
            raise Refused(f"{len(cipher)} bytes", where="SM2 ciphertext")
        Sm2PublicKey.from_point(cipher[:65])
        der = ciphertext_der(cipher)
        with self._private(key) as handle, self._context(handle) as context:
            self._require(self._lib.EVP_PKEY_decrypt_init(context))
            out, size = ctypes.create_string_buffer(len(der)), c_size_t(len(der))
            done = self._lib.EVP_PKEY_decrypt(context, out, byref(size), der, len(der)) == 1
        if (
            not done
            or size.value != len(cipher) - _CIPHER_HEAD
            or out.raw[: size.value] == cipher[_CIPHER_HEAD:]
        ):
            self._lib.ERR_clear_error()
            raise Refused("it does not open", where="SM2 ciphertext")
        return out.raw[: size.value]

    def _encrypt(self, key: Sm2PublicKey, plain: bytes) -> bytes:
        with self._public(key) as handle, self._context(handle) as context:
            self._require(self._lib.EVP_PKEY_encrypt_init(context))
            size = c_size_t(0)
            self._require(self._lib.EVP_PKEY_encrypt(context, None, byref(size), plain, len(plain)))
            out = ctypes.create_string_buffer(size.value)
            self._require(self._lib.EVP_PKEY_encrypt(context, out, byref(size), plain, len(plain)))
        return ciphertext_raw(out.raw[: size.value])

    def _private(self, key: Sm2PrivateKey) -> Any:
        return self._handle(self._lib.d2i_AutoPrivateKey, private_info(key))

    def _public(self, key: Sm2PublicKey) -> Any:
        return self._handle(self._lib.d2i_PUBKEY, public_info(key))

    @contextmanager
    def _handle(self, read: Any, der: bytes) -> Iterator[int]:
        """An EVP_PKEY for as long as the block runs."""
        at = c_char_p(der)
        handle = self._pointer(read(None, byref(at), len(der)))
        try:
            self._require(self._lib.EVP_PKEY_is_a(handle, b"SM2"))
            yield handle
        finally:
            self._lib.EVP_PKEY_free(handle)

    @contextmanager
    def _context(self, key: int) -> Iterator[int]:
        """An EVP_PKEY_CTX for as long as the block runs."""
        context = self._pointer(self._lib.EVP_PKEY_CTX_new(key, None))
        try:
            yield context
        finally:
            self._lib.EVP_PKEY_CTX_free(context)

    @contextmanager
    def _digest(self, key: int, user_id: bytes) -> Iterator[int]:
        """An EVP_MD_CTX that knows the distinguishing id."""
        with self._context(key) as inner:
            self._require(self._lib.EVP_PKEY_CTX_set1_id(inner, user_id, len(user_id)))
            context = self._pointer(self._lib.EVP_MD_CTX_new())
            try:
                self._lib.EVP_MD_CTX_set_pkey_ctx(context, inner)
                yield context
            finally:
                self._lib.EVP_MD_CTX_free(context)

    def _pointer(self, value: int | None) -> int:
        if not value:
            self._fail()
        return value or 0

    def _require(self, result: int) -> None:
        if result != 1:
            self._fail()

    def _fail(self) -> None:
        """The texts of OpenSSL's queue are dropped: they may quote what was given."""
        self._lib.ERR_clear_error()
        raise JinkaError("libcrypto refused a step of SM2", where=self.name, fix="use the reference")


@cache
def find_libcrypto() -> Any | None:
    """The system's libcrypto with all its functions declared; None where it is absent, old or built without SM2."""
    for name in _NAMES:
        try:
            library = ctypes.CDLL(name)
            for function, (result, arguments) in _FUNCTIONS.items():
                entry = getattr(library, function)
                entry.restype, entry.argtypes = result, arguments
        except (OSError, AttributeError):
            continue
        if library.OpenSSL_version_num() >= _OLDEST and _knows_sm2(library):
            return library
    return None


def choose_sm2(randomness: Randomness) -> Sm2Provider:
    """libcrypto where it is present; else the reference over ``randomness``."""
    return Libcrypto() if find_libcrypto() else Reference(randomness=randomness)


def verify_sm2(key: Sm2PublicKey, message: bytes, signature: bytes) -> None:
    """Check ``r | s`` under the default id by whichever provider there is; raises `Refused`. It needs no randomness."""
    if find_libcrypto():
        Libcrypto().verify(key, message, signature)
    else:
        key.verify(message, signature)


def _knows_sm2(library: Any) -> bool:
    """A known public key is read as SM2 (some distributions leave the algorithm out)."""
    der = public_info(Sm2PublicKey(x=G[0], y=G[1]))
    at = c_char_p(der)
    handle = library.d2i_PUBKEY(None, byref(at), len(der))
    known = bool(handle) and bool(library.EVP_sm3()) and library.EVP_PKEY_is_a(handle, b"SM2") == 1
    library.EVP_PKEY_free(handle)
    library.ERR_clear_error()
    return known
