"""DVB-CISSA version 1: the payload of a transport packet under a control word (ETSI TS 103 127, clause 6 and annex B).

AES-128 in CBC from a fixed start, anew in each packet; only whole blocks are in cipher, what is left stays clear.
"""

from __future__ import annotations

from jinka.crypto.aes import BLOCK, aes_cbc_decrypt, aes_cbc_encrypt
from jinka.kit import Usage

_START = b"DVBTMCPTAESCISSA"
PAYLOAD_MAX = 184


def scramble(control_word16: bytes, payload: bytes) -> bytes:
    """The payload as it is sent; at most 184 bytes."""
    whole = _whole(control_word16, payload)
    return aes_cbc_encrypt(control_word16, payload[:whole], _START) + payload[whole:]


def descramble(control_word16: bytes, payload: bytes) -> bytes:
    """The inverse of `scramble`. Another control word gives other bytes, and nothing tells."""
    whole = _whole(control_word16, payload)
    return aes_cbc_decrypt(control_word16, payload[:whole], _START) + payload[whole:]


def _whole(control_word16: bytes, payload: bytes) -> int:
    if len(control_word16) != BLOCK or len(payload) > PAYLOAD_MAX:
        raise Usage("a control word of 16 bytes and a payload of at most 184", where="CISSA")
    return len(payload) // BLOCK * BLOCK
