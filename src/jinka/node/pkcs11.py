"""Keys on a PKCS#11 token (v2.40): the provider for hardware security modules, tried with SoftHSM2.

Runs in the key service's own process, because a module that fails takes its process with it (`jinka.node.key_server`
is how others reach it). Templates are checked before the module sees them; handles are fetched once; what is derived is
a session object and destroyed after use. A token without SM4 says so by `kinds`: configure a second provider.
"""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path
from threading import RLock
from typing import Any

import pkcs11
from pkcs11 import Attribute, KeyType, Mechanism, ObjectClass
from pkcs11.constants import DEFAULT

from jinka.crypto.aes import aes_key_unwrap
from jinka.keys.catalogue import KeyName
from jinka.keys.pairs import check_pair
from jinka.keys.port import Purpose
from jinka.keys.provider import PAIRS, SIZES, Key, KeyKind
from jinka.kit import NotFound, Refused
from jinka.node.pkcs11_key import LoadedKey, TokenError, TokenKey
from jinka.node.pkcs11_pair import TokenPair, pair_templates, public_of_object

_TYPES = {
    (KeyKind.DES, 8): KeyType.DES2,  # K | K: 3DES under it is DES
    (KeyKind.TDES, 16): KeyType.DES2,
    (KeyKind.TDES, 24): KeyType.DES3,
    (KeyKind.AES, 16): KeyType.AES,
    (KeyKind.AES, 24): KeyType.AES,
    (KeyKind.AES, 32): KeyType.AES,
    (KeyKind.GCM, 32): KeyType.AES,
    (KeyKind.HMAC, 32): KeyType.GENERIC_SECRET,
}
_DERIVE = {
    KeyKind.TDES: (Mechanism.DES3_ECB_ENCRYPT_DATA, KeyType.DES2),
    KeyKind.AES: (Mechanism.AES_ECB_ENCRYPT_DATA, KeyType.AES),
}
_NEEDS = {
    KeyKind.DES: (Mechanism.DES3_ECB, Mechanism.DES3_CBC),
    KeyKind.TDES: (Mechanism.DES3_ECB, Mechanism.DES3_CBC, Mechanism.DES3_ECB_ENCRYPT_DATA),
    KeyKind.AES: (Mechanism.AES_ECB, Mechanism.AES_CBC, Mechanism.AES_ECB_ENCRYPT_DATA),
    KeyKind.GCM: (Mechanism.AES_GCM,),
    KeyKind.HMAC: (Mechanism.SHA256_HMAC,),
    KeyKind.RSA: (Mechanism.SHA256_RSA_PKCS,),
    KeyKind.P256: (Mechanism.ECDSA,),
}
_SUFFIX_LEFT = "#left"
# Keys that open what others sealed; all others only encrypt and derive.
_DECRYPTING = frozenset(
    {
        Purpose.RECORD_SEAL,
        Purpose.ZONE_MASTER,
        Purpose.ZONE_PIN,
        Purpose.ZONE_MAC,  # the last step of ISO/IEC 9797-1 algorithm 3
        Purpose.ZONE_DATA,
        Purpose.TERMINAL_MASTER,
        Purpose.TERMINAL_PIN,
        Purpose.TERMINAL_MAC,
        Purpose.CARD_VERIFY,
        Purpose.SCRIPT_DATA,
        Purpose.TRANSPORT,
    }
)


class Pkcs11Provider:
    """A logged-in session on one token. One call at a time, as PKCS#11 sessions are."""

    certified = False  # nothing here can tell: the officer who configures a certified module says so

    def __init__(self, module: Path, *, token: str, pin: str) -> None:
        if not module.exists():
            raise NotFound("no such PKCS#11 module", where=str(module), fix="jinka doctor lists those found")
        self._lock = RLock()
        try:
            library = pkcs11.lib(str(module))
            self._slot = library.get_token(token_label=token)
            self._session = self._slot.open(rw=True, user_pin=pin)
        except pkcs11.PKCS11Error as error:
            raise Refused(
                f"the token does not open: {type(error).__name__}",
                where=f"{module.name}:{token}",
                fix="check label and PIN",
            ) from None
        self.name = f"pkcs11:{token}"
        offered = self._slot.slot.get_mechanisms()
        self.kinds = frozenset(
            kind for kind, needed in _NEEDS.items() if all(mechanism in offered for mechanism in needed)
        )
        self._objects = self._read_objects(ObjectClass.SECRET_KEY)
        self._private = self._read_objects(ObjectClass.PRIVATE_KEY)
        self._public = self._read_objects(ObjectClass.PUBLIC_KEY)

    def _read_objects(self, kind: ObjectClass) -> dict[str, Any]:
        found: Any = self._session.get_objects({Attribute.CLASS: kind, Attribute.TOKEN: True})
        return {str(item.label): item for item in found}

    def key(self, name: KeyName) -> Key | None:
        """The key of that name, or None."""
        label = str(name)
        if label in self._private and label in self._public:
            kind = KeyKind(name.algorithm)
            return TokenPair(
                self, kind, self._private[label], public=public_of_object(kind, self._public[label])
            )
        handle = self._objects.get(str(name))
        if handle is None:
            return None
        left = self._objects.get(str(name) + _SUFFIX_LEFT)
        return TokenKey(self, KeyKind(name.algorithm), handle, left=left)

    def load(self, kind: KeyKind, value: bytes, *, extractable: bool = False) -> Key:
        """A session object; its left half stays with it when it is a 3DES key."""
        if kind in PAIRS:
            handle, _, public = self._create_pair(kind, value, label="", store=False)
            return TokenPair(self, kind, handle, public=public, session_only=True)
        handle = self._create(kind, value, label="", store=False, extractable=extractable)
        left = None
        if kind is KeyKind.TDES:
            left = self._create(KeyKind.DES, value[:8], label="", store=False, extractable=False)
        return LoadedKey(self, kind, handle, left=left)

    def store(self, name: KeyName, value: bytes, *, extractable: bool = False) -> None:
        """Put a key of a ceremony onto the token for good; raises `Refused` when the name is taken.

        ``extractable`` is for the keys that go on into security modules, wrapped.
        """
        if str(name) in self._objects or str(name) in self._private:
            raise Refused("the token has a key of that name", where=f"keys.{name}", fix="use a new version")
        kind = KeyKind(name.algorithm)
        if kind not in self.kinds:
            raise Refused(
                f"{self.name} has no {kind.value}", where=f"keys.{name}", fix="configure a second provider"
            )
        if kind in PAIRS:
            pair = self._create_pair(kind, value, label=str(name), store=True)
            self._private[str(name)], self._public[str(name)] = pair[:2]
            return
        if kind is KeyKind.TDES:
            label = str(name) + _SUFFIX_LEFT
            self._objects[label] = self._create(
                KeyKind.DES, value[:8], label=label, store=True, extractable=False
            )
        self._objects[str(name)] = self._create(
            kind,
            value,
            label=str(name),
            store=True,
            extractable=extractable,
            decrypt=name.purpose in _DECRYPTING,
        )

    def close(self) -> None:
        """Log out; session objects go with the session."""
        with self._lock:
            self._session.close()

    def call(self, function: Any, data: bytes, **mechanism: Any) -> bytes:
        """One operation of the module under the lock; its errors become ours and name no data."""
        with self._lock:
            try:
                return bytes(function(data, **mechanism))
            except pkcs11.PKCS11Error as error:
                raise TokenError(
                    f"the token answers {type(error).__name__}", where=self.name, fix="see its log"
                ) from None

    def derive(self, handle: Any, kind: KeyKind, data16: bytes) -> Any:
        """The session object whose value is the encryption of ``data16`` under the key."""
        mechanism, made = _DERIVE[kind]
        # CK_KEY_DERIVATION_STRING_DATA, which python-pkcs11 builds for AES alone
        buffer = (ctypes.c_ubyte * len(data16)).from_buffer_copy(data16)
        parameter = struct.pack("@PL", ctypes.addressof(buffer), len(data16))
        template = _template(extractable=False) | {Attribute.VALUE_LEN: DEFAULT}
        with self._lock:
            try:
                return handle.derive_key(
                    made,
                    128,
                    mechanism=mechanism,
                    mechanism_param=parameter if kind is KeyKind.TDES else data16,
                    template=template if kind is KeyKind.TDES else _template(extractable=False),
                )
            except pkcs11.PKCS11Error as error:
                raise TokenError(f"the token answers {type(error).__name__}", where=self.name) from None

    def export(self, handle: Any) -> bytes:
        """The value of an extractable key, by way of a wrapping key of this session; raises `Refused`."""
        secret = os.urandom(32)
        with self._lock:
            wrapping: Any = self._session.create_object(
                {
                    Attribute.CLASS: ObjectClass.SECRET_KEY,
                    Attribute.KEY_TYPE: KeyType.AES,
                    Attribute.VALUE: secret,
                    Attribute.TOKEN: False,
                    Attribute.SENSITIVE: True,
                    Attribute.EXTRACTABLE: False,
                    Attribute.WRAP: True,
                }
            )
            try:
                wrapped = wrapping.wrap_key(handle, mechanism=Mechanism.AES_KEY_WRAP)
            except pkcs11.PKCS11Error:
                raise Refused("the token does not give this key away", where=self.name) from None
            finally:
                wrapping.destroy()
        return aes_key_unwrap(secret, wrapped)

    def destroy(self, handle: Any) -> None:
        """Destroy a session object."""
        with self._lock:
            handle.destroy()

    def _create_pair(self, kind: KeyKind, value: bytes, *, label: str, store: bool) -> tuple[Any, Any, bytes]:
        if kind not in self.kinds or len(value) not in SIZES[kind]:
            raise Refused(f"{self.name} has no {kind.value}", where="keys", fix="configure a second provider")
        check_pair(kind, value)
        private, shown, public = pair_templates(kind, value, label=label, store=store)
        with self._lock:
            try:
                made = self._session.create_object(private)
                return made, self._session.create_object(shown) if store else None, public
            except pkcs11.PKCS11Error as error:
                raise TokenError(f"the token answers {type(error).__name__}", where=self.name) from None

    def _create(
        self,
        kind: KeyKind,
        value: bytes,
        *,
        label: str,
        store: bool,
        extractable: bool,
        decrypt: bool = True,
    ) -> Any:
        if len(value) not in SIZES.get(kind, ()) or (kind, len(value)) not in _TYPES:
            raise Refused(f"{len(value)} bytes", where=f"keys.{kind.value}", fix="bring the whole key")
        template = _template(extractable=extractable) | {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: _TYPES[kind, len(value)],
            Attribute.VALUE: value * 2 if kind is KeyKind.DES else value,
            Attribute.TOKEN: store,
            Attribute.LABEL: label,
            Attribute.DECRYPT: decrypt,
        }
        if kind is KeyKind.HMAC:
            template = {k: v for k, v in template.items() if k not in _CIPHER_RIGHTS} | {Attribute.SIGN: True}
        with self._lock:
            try:
                return self._session.create_object(template)
            except pkcs11.PKCS11Error as error:
                raise TokenError(f"the token answers {type(error).__name__}", where=self.name) from None


_CIPHER_RIGHTS = frozenset({Attribute.ENCRYPT, Attribute.DECRYPT, Attribute.DERIVE})


def _template(*, extractable: bool) -> dict[Attribute, Any]:
    """The attributes of every key: none is None or of the wrong type, which modules have crashed on."""
    return {
        Attribute.PRIVATE: True,
        Attribute.SENSITIVE: True,
        Attribute.EXTRACTABLE: extractable,
        Attribute.ENCRYPT: True,
        Attribute.DECRYPT: True,
        Attribute.DERIVE: True,
    }
