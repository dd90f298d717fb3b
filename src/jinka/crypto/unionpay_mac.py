"""The MACs of UnionPay messages, for terminals (field 64) and between members (field 128).

No text of the specification is public; the forms are those of published terminals and members: the terminal's
"ECB" MAC over XORed blocks, with 3DES (or DES) and SM4, and the member's MAC over cleansed text by ANSI X9.9 or
X9.19. Which bytes of an SM4 result are sent differs from host to host: `PosMacForm`. Field lists are the message's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import Enum

from jinka.crypto.block import xor
from jinka.crypto.block_key import BlockCipher, CipherKey
from jinka.crypto.mac import X9_9, X9_19, expect_mac, make_mac

FIELD_SIZE = 8  # bytes of field 64 and of field 128
_NOT_ALLOWED = re.compile(r"[^A-Z0-9 ,.]")
_SPACES = re.compile(r" +")


class PosMacForm(Enum):
    """What of the last block goes into field 64: its first 8 hex digits as text, or its first 8 bytes."""

    HEX = "hex"
    BINARY = "binary"


def pos_mac(key: CipherKey, message: bytes, form: PosMacForm = PosMacForm.HEX) -> bytes:
    """Field 64 of a terminal's message, 8 bytes; ``message`` is all from the type up to the last field before it.

    The blocks are XORed, the result is written as hex text of two blocks, and those are enciphered in CBC.
    """
    block = key.cipher.block
    folded = bytes(block)
    padded = message + bytes(-len(message) % block)
    for at in range(0, len(padded), block):
        folded = xor(folded, padded[at : at + block])
    last = key.cbc_encrypt(folded.hex().upper().encode())[-block:]
    return last.hex().upper().encode()[:FIELD_SIZE] if form is PosMacForm.HEX else last[:FIELD_SIZE]


def check_pos_mac(key: CipherKey, message: bytes, field64: bytes, form: PosMacForm = PosMacForm.HEX) -> None:
    """Check field 64; `Refused`."""
    expect_mac(pos_mac(key, message, form), field64)


def interbank_text(fields: Sequence[str]) -> bytes:
    """What a member's MAC covers: upper case, letters, digits, space, comma and full stop only, single spaces."""
    cleansed = (_NOT_ALLOWED.sub("", field.upper()) for field in fields)
    trimmed = (_SPACES.sub(" ", field).strip() for field in cleansed)
    return " ".join(trimmed).encode()


def interbank_mac(key: CipherKey, fields: Sequence[str]) -> bytes:
    """Field 128, 8 bytes of hex text: X9.9 under a DES key, X9.19 under a double one, a CBC-MAC under SM4."""
    double = key.cipher is BlockCipher.TDES and key.size == 16
    mac = make_mac(X9_19 if double else X9_9, key, interbank_text(fields))
    return mac.hex().upper().encode()[:FIELD_SIZE]


def check_interbank_mac(key: CipherKey, fields: Sequence[str], field128: bytes) -> None:
    """Check field 128; `Refused`."""
    expect_mac(interbank_mac(key, fields), field128)
