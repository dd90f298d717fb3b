"""Key blocks: a key under a key, bound to its header (ANSI X9.143:2021 and TR-31:2018 versions A to D, ISO 20038 E).

A and C use variants of the protection key and a MAC of 4 bytes: for blocks of old systems. B, D and E derive their
keys (CMAC over derivation data) and carry a whole MAC over header and key. `open_block` checks the cryptography;
`unwrap` also asks what the caller may take and whether the parts of the header go together. Whatever is wrong with
MAC or key has one message. Keys with a vendor's own values in the header are not read.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from dataclasses import dataclass, field

from jinka.crypto.aes import aes_ctr
from jinka.crypto.block import xor
from jinka.crypto.block_key import (
    BlockCipher,
    BlockKey,
    CheckMethod,
    CipherKey,
    expect_check_value,
)
from jinka.crypto.key_block_header import (
    KeyAlgorithm,
    KeyBlockHeader,
    KeyBlockVersion,
    KeyUsage,
    parse_header,
)
from jinka.kit import Randomness, Refused, Usage

_VARIANT_VERSIONS = (KeyBlockVersion.A, KeyBlockVersion.C)
_AES_VERSIONS = (KeyBlockVersion.D, KeyBlockVersion.E)
_MAC_SIZES = {"A": 4, "B": 8, "C": 4, "D": 16, "E": 16}
_CBC_USE, _MAC_USE, _CTR_USE = 0, 1, 2
_DERIVED_KIND = {("TDES", 16): 0, ("TDES", 24): 1, ("AES", 16): 2, ("AES", 24): 3, ("AES", 32): 4}
_BITS = {("TDES", 8): 56, ("TDES", 16): 80, ("TDES", 24): 112}
# Short keys are filled up to the longest of their kind, so that a block does not tell which it holds.
_FILLED = {KeyAlgorithm.TDES: 24, KeyAlgorithm.DES: 24, KeyAlgorithm.AES: 32}
_CIPHERS = {
    KeyAlgorithm.TDES: BlockCipher.TDES,
    KeyAlgorithm.DES: BlockCipher.TDES,
    KeyAlgorithm.AES: BlockCipher.AES,
}
_CHECK_METHODS = {"00": CheckMethod.ZEROS, "01": CheckMethod.CMAC}
_HEX = re.compile(r"(?:[0-9A-F]{2})+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedKey:
    """A key that came out of a block, with all that was said about it."""

    header: KeyBlockHeader
    value: bytes = field(repr=False)

    def block_key(self) -> BlockKey:
        """As a key of a block cipher; `Refused` for other algorithms and for sizes that the cipher does not have."""
        cipher = _CIPHERS.get(self.header.algorithm)
        if cipher is None:
            raise Refused(
                f"algorithm {self.header.algorithm.value}", where="key block", fix="a symmetric key"
            )
        try:
            return BlockKey(cipher=cipher, value=self.value)
        except Usage as error:
            raise Refused(error.what, where="key block") from None


def wrap(protection: CipherKey, header: KeyBlockHeader, key: bytes, rng: Randomness) -> str:
    """The key block of ``key``; `Refused` when the header's parts do not go together or the key is the stronger one."""
    _check_protection(protection, header.version)
    header.check_mode()
    _check_key(protection, OpenedKey(header=header, value=key))
    payload = (8 * len(key)).to_bytes(2, "big") + key
    if header.version is not KeyBlockVersion.E:
        filled = max(2 + _FILLED.get(header.algorithm, 0), len(payload))
        payload += rng.token_bytes(filled - len(payload) + -filled % header.version.block)
    mac_size = _MAC_SIZES[header.version.value]
    text = header.text(len(payload) + mac_size)
    encryption, authentication = _block_keys(protection, header.version)
    if header.version in _VARIANT_VERSIONS:
        body = encryption.cbc_encrypt(payload, text[:8].encode())
        mac = authentication.cbc_encrypt(text.encode() + body)[-8:][:mac_size]
    else:
        mac = authentication.cmac(text.encode() + payload)
        body = _crypt(header.version, encryption, payload, mac, encrypt=True)
    return text + (body + mac).hex().upper()


def open_block(protection: CipherKey, block: str) -> OpenedKey:
    """The key and header of a block whose MAC is right; `Refused`."""
    header, at = parse_header(block)
    _check_protection(protection, header.version)
    mac_size, unit = _MAC_SIZES[header.version.value], header.version.block
    if not _HEX.fullmatch(block[at:]):
        raise _refused()
    data = bytes.fromhex(block[at:])
    body, mac = data[:-mac_size], data[-mac_size:]
    if len(body) < 3 or (header.version is not KeyBlockVersion.E and len(body) % unit):
        raise _refused()
    encryption, authentication = _block_keys(protection, header.version)
    head = block[:at].encode()
    if header.version in _VARIANT_VERSIONS:
        right = authentication.cbc_encrypt(head + body)[-8:][:mac_size]
        payload = encryption.cbc_decrypt(body, head[:8])
    else:
        payload = _crypt(header.version, encryption, body, mac, encrypt=False)
        right = authentication.cmac(head + payload)
    bits = int.from_bytes(payload[:2], "big")
    if not hmac.compare_digest(right, mac) or bits % 8 or not 0 < bits <= 8 * (len(payload) - 2):
        raise _refused()
    return OpenedKey(header=header, value=payload[2 : 2 + bits // 8])


def unwrap(protection: CipherKey, block: str, usages: Collection[KeyUsage]) -> OpenedKey:
    """The key of a block that the caller may take: of one of ``usages``, in a mode of it, not weak; `Refused`."""
    opened = open_block(protection, block)
    if opened.header.usage not in usages:
        raise Refused(f"usage {opened.header.usage.value}", where="key block", fix="a key for this purpose")
    opened.header.check_mode()
    _check_key(protection, opened)
    for name, text in opened.header.optional:
        if name in ("KC", "KP"):
            _check_value(protection if name == "KP" else opened.block_key(), text)
    return opened


def _check_protection(protection: CipherKey, version: KeyBlockVersion) -> None:
    cipher = BlockCipher.AES if version in _AES_VERSIONS else BlockCipher.TDES
    if protection.cipher is not cipher:
        what = f"version {version.value} under {protection.cipher.value}"
        raise Refused(what, where="key block", fix=f"a protection key of {cipher.value}")
    protection.strong()


def _check_key(protection: CipherKey, opened: OpenedKey) -> None:
    """A key for a block cipher has its size, is no weaker than it looks, and not stronger than what protects it."""
    if opened.header.algorithm not in _CIPHERS:
        if not opened.value:
            raise Usage("no key", where="key block")
        return
    key = opened.block_key().strong()
    if _strength(key) > _strength(protection):
        raise Refused(
            "a key stronger than its protection key", where="key block", fix="a longer protection key"
        )


def _strength(key: CipherKey) -> int:
    return _BITS.get((key.cipher.value, key.size), 8 * key.size)


def _check_value(key: CipherKey, text: str) -> None:
    """Blocks KC and KP: two digits for the method, then the check value in hex."""
    method = _CHECK_METHODS.get(text[:2])
    if method is None or not _HEX.fullmatch(text[2:]):
        raise Refused("not a method and a check value", where="key block, check value")
    expect_check_value(key, bytes.fromhex(text[2:]), method)


def _block_keys(protection: CipherKey, version: KeyBlockVersion) -> tuple[BlockKey, BlockKey]:
    """The keys for encryption and authentication."""
    if version in _VARIANT_VERSIONS:
        whole = protection.clear()
        values = (xor(whole, bytes((variant,)) * len(whole)) for variant in (0x45, 0x4D))
        encryption, authentication = (BlockKey(cipher=protection.cipher, value=value) for value in values)
        return encryption, authentication
    use = _CTR_USE if version is KeyBlockVersion.E else _CBC_USE
    return _derived(protection, use), _derived(protection, _MAC_USE)


def _derived(protection: CipherKey, use: int) -> BlockKey:
    """TR-31:2018, 5.3.2: CMAC over counter, use, kind and length, as often as the length needs."""
    size = protection.size
    kind = _DERIVED_KIND[protection.cipher.value, size]
    tail = use.to_bytes(2, "big") + b"\x00" + kind.to_bytes(2, "big") + (8 * size).to_bytes(2, "big")
    rounds = range(1, -(-size // protection.cipher.block) + 1)
    value = b"".join(protection.cmac(bytes((counter,)) + tail) for counter in rounds)
    return BlockKey(cipher=protection.cipher, value=value[:size])


def _crypt(version: KeyBlockVersion, key: BlockKey, data: bytes, mac: bytes, *, encrypt: bool) -> bytes:
    """Versions B, D and E: the MAC is the initial value."""
    if version is KeyBlockVersion.E:
        return aes_ctr(key.value, data, mac)
    return key.cbc_encrypt(data, mac) if encrypt else key.cbc_decrypt(data, mac)


def _refused() -> Refused:
    return Refused(
        "the key block is refused", where="key block", fix="check the protection key, send it again"
    )
