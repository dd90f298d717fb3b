"""Message authentication codes of a block cipher: ISO/IEC 9797-1:2011 (GB/T 15852.1), ANSI X9.9 and X9.19.

Algorithms 1 (CBC-MAC), 2 (EMAC), 3 (retail MAC) and 5 (CMAC, NIST SP 800-38B), paddings 1 to 3. X9.9 and X9.19 are
algorithms 1 and 3 over zeros. Algorithms 4 and 6 are not built: no network of cards uses them. UnionPay's own forms
are in `jinka.crypto.unionpay_mac`.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from enum import Enum

from jinka.crypto.block import pad80, xor
from jinka.crypto.block_key import BlockCipher, BlockKey, CipherKey
from jinka.kit import Refused, Usage

MAC_MIN = 4  # bytes: below, a forgery by guessing is cheap


class MacAlgorithm(Enum):
    """The algorithms of ISO/IEC 9797-1, by their numbers."""

    CBC_MAC = 1
    EMAC = 2
    RETAIL = 3
    CMAC = 5


class Padding(Enum):
    """The padding methods of ISO/IEC 9797-1, 6.3. Algorithm 5 pads by itself."""

    METHOD_1 = 1  # zeros, none when the data are whole blocks
    METHOD_2 = 2  # 80, then zeros
    METHOD_3 = 3  # a block with the length in bits in front, zeros behind


@dataclass(frozen=True, slots=True, kw_only=True)
class MacScheme:
    """What two parties agree on: algorithm, padding, and how many left bytes they send."""

    algorithm: MacAlgorithm
    padding: Padding = Padding.METHOD_1
    size: int = 8

    def __post_init__(self) -> None:
        if not MAC_MIN <= self.size <= 16:
            raise Usage(f"a MAC of {self.size} bytes", where="MAC scheme", fix="4 to 16 bytes")


X9_9 = MacScheme(algorithm=MacAlgorithm.CBC_MAC)
X9_19 = MacScheme(algorithm=MacAlgorithm.RETAIL)
CMAC = MacScheme(algorithm=MacAlgorithm.CMAC)


def pad(data: bytes, padding: Padding, block: int) -> bytes:
    """Whole blocks by one of the methods; at least one block."""
    if padding is Padding.METHOD_2:
        return pad80(data, block)
    filled = data + bytes(-len(data) % block)
    if padding is Padding.METHOD_3:
        return (8 * len(data)).to_bytes(block, "big") + filled
    return filled or bytes(block)


def make_mac(scheme: MacScheme, key: CipherKey, data: bytes) -> bytes:
    """The MAC of ``data``, ``scheme.size`` bytes."""
    if scheme.size > key.cipher.block:
        what = f"{scheme.size} bytes of a block of {key.cipher.block}"
        raise Usage(what, where="MAC scheme", fix="a shorter MAC or a wider cipher")
    return _full(scheme, key, data)[: scheme.size]


def check_mac(scheme: MacScheme, key: CipherKey, data: bytes, mac: bytes) -> None:
    """Check a MAC that came with ``data``; `Refused` when it is wrong, or not as long as agreed."""
    expect_mac(make_mac(scheme, key, data), mac)


def expect_mac(right: bytes, given: bytes) -> None:
    """Compare in constant time; `Refused` when they differ. A prefix is refused: a MAC is not shortened on the way."""
    if len(given) < MAC_MIN or not hmac.compare_digest(right, given):
        raise Refused("the MAC is wrong", where="message", fix="check the key and what it covers")


def _full(scheme: MacScheme, key: CipherKey, data: bytes) -> bytes:
    if scheme.algorithm is MacAlgorithm.CMAC:
        return key.cmac(data)
    padded = pad(data, scheme.padding, key.cipher.block)
    if scheme.algorithm is MacAlgorithm.CBC_MAC:
        return key.cbc_encrypt(padded)[-key.cipher.block :]
    if scheme.algorithm is MacAlgorithm.EMAC:
        chain, last = _emac_keys(key)
        return last.encrypt(chain.cbc_encrypt(padded)[-key.cipher.block :])
    return key.chain(padded)


def _emac_keys(key: CipherKey) -> tuple[BlockKey, BlockKey]:
    """K and K': the halves of a double DES key; else K' is K with every other four bits inverted (6.2, method 2)."""
    value = key.clear()
    if key.cipher is BlockCipher.TDES and len(value) == 16:
        left, right = value[:8], value[8:]
    else:
        left, right = value, xor(value, b"\xf0" * len(value))
    return BlockKey(cipher=key.cipher, value=left), BlockKey(cipher=key.cipher, value=right)
