"""Application cryptograms and issuer scripts of debit and credit cards, in 3DES and SM4.

EMV Book 2: 8.1 (cryptograms), 8.2 (issuer authentication, methods 1 and 2), 9 (secure messaging), A1.3 and A1.4
(session and card keys). JR/T 0025.7 (PBOC session keys, cryptogram version 01); JR/T 0025.17 (SM4, version 17).
Deriving a card's key from the issuer's is `jinka.crypto.diversify` of `card_block`. No RSA here: see `crypto.emv_oda`.
"""

from __future__ import annotations

import hashlib

from jinka.codec.record import Algorithm
from jinka.crypto.block import (
    invert,
    pad80,
    retail_chain,
    retail_mac8,
    sm4_cbc_mac,
    sm4_decrypt,
    sm4_encrypt,
    tdes_decrypt,
    tdes_encrypt,
    xor,
)
from jinka.crypto.decimals import decimalise
from jinka.crypto.mac import Padding, pad
from jinka.crypto.pin_block import PIN_DIGITS, PinFormat, check_pin, decode_block, encode_block
from jinka.kit import Refused


def card_block(pan: str, sequence: str = "00") -> bytes:
    """The 8 bytes that make a card's key (EMV Book 2, A1.4.1 option A): the last 16 digits of number and sequence."""
    return bytes.fromhex((pan + sequence)[-16:].rjust(16, "0"))


def card_block_long(pan: str, sequence: str = "00") -> bytes:
    """A1.4.2 option B, for numbers of more than 16 digits: SHA-1 of number and sequence, made decimal."""
    if len(pan) <= 16:
        return card_block(pan, sequence)
    digits = pan + sequence
    packed = bytes.fromhex(digits.rjust(len(digits) + len(digits) % 2, "0"))
    return bytes.fromhex(decimalise(hashlib.sha1(packed).digest(), 16))  # noqa: S324 by standard


def pboc_session(algorithm: Algorithm, key16: bytes, counter: int) -> bytes:
    """The session key of PBOC, 16 bytes: ``E(K, 0.. ATC) | E(K, 0.. ~ATC)``; with SM4 one block of both halves."""
    blocks = pboc_seed(counter)
    return tdes_encrypt(key16, blocks) if algorithm is Algorithm.TDES else sm4_encrypt(key16, blocks)


def pboc_seed(counter: int) -> bytes:
    """What PBOC enciphers for a session key: ``0.. ATC | 0.. ~ATC``."""
    atc = counter.to_bytes(2, "big")
    return bytes(6) + atc + bytes(6) + invert(atc)


def common_session(key16: bytes, value8: bytes) -> bytes:
    """EMV's common session key (A1.3.1), 3DES: the third byte of the value becomes F0, then 0F."""
    return tdes_encrypt(key16, common_seed(value8))


def common_seed(value8: bytes) -> bytes:
    """What EMV enciphers for a common session key."""
    left, right = bytearray(value8), bytearray(value8)
    left[2], right[2] = 0xF0, 0x0F
    return bytes(left + right)


def cryptogram(
    algorithm: Algorithm, session16: bytes, data: bytes, padding: Padding = Padding.METHOD_2
) -> bytes:
    """TC, ARQC or AAC, 8 bytes: ISO/IEC 9797-1 algorithm 3 with 3DES, the left half of an SM4 CBC-MAC."""
    if algorithm is Algorithm.SM4:
        return sm4_cbc_mac(session16, data)[:8]
    return retail_chain(session16, pad(data, padding, 8))


def response_cryptogram(algorithm: Algorithm, session16: bytes, arqc8: bytes, code2: bytes) -> bytes:
    """ARPC by method 1, 8 bytes: the ARQC, its first two bytes XORed with the response code, enciphered."""
    block = xor(arqc8, code2 + bytes(6))
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(session16, block)
    return sm4_encrypt(session16, block + bytes(8))[:8]


def response_cryptogram_by_status(session16: bytes, arqc8: bytes, status4: bytes, own: bytes = b"") -> bytes:
    """ARPC by method 2, 4 bytes: a MAC over ARQC, card status update and proprietary data (3DES)."""
    return retail_mac8(session16, arqc8 + status4 + own)[:4]


def script_mac(algorithm: Algorithm, session16: bytes, head5: bytes, bound: bytes, body: bytes) -> bytes:
    """The MAC of an issuer script command, 8 bytes, of which a profile sends 4 to 8.

    ``head5`` is the header with Lc, ``bound`` the transaction it belongs to: counter 2 | application cryptogram 8.
    """
    message = head5 + bound + body
    if algorithm is Algorithm.TDES:
        return retail_mac8(session16, message)
    return sm4_cbc_mac(session16, message)[:8]


def script_encipher(algorithm: Algorithm, session16: bytes, plain: bytes) -> bytes:
    """The confidential data of a script command: length byte, data, 80 00.. where it is not whole blocks; ECB."""
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(session16, script_frame(plain, 8))
    return sm4_encrypt(session16, script_frame(plain, 16))


def script_frame(plain: bytes, block: int) -> bytes:
    """What `script_encipher` enciphers."""
    framed = bytes((len(plain),)) + plain
    return pad80(framed, block) if len(framed) % block else framed


def script_decipher(algorithm: Algorithm, session16: bytes, body: bytes) -> bytes:
    """The inverse of `script_encipher`; `Refused` when the length byte does not fit."""
    block = 8 if algorithm is Algorithm.TDES else 16
    if not body or len(body) % block:
        raise Refused("not whole blocks", where="script data")
    decrypt = tdes_decrypt if algorithm is Algorithm.TDES else sm4_decrypt
    plain = decrypt(session16, body)
    if plain[0] > len(plain) - 1:
        raise Refused("the length byte does not fit", where="script data")
    return plain[1 : 1 + plain[0]]


def pin_block(pin: str) -> bytes:
    """The block of an offline VERIFY (ISO 9564-1 format 2): ``2L`` digits, F to 8 bytes."""
    return encode_block(PinFormat.ISO_2, pin, "")


def read_pin_block(block8: bytes) -> str:
    """The digits of a format 2 block; `Refused` for anything else."""
    return decode_block(PinFormat.ISO_2, block8, "")


def pin_change_block(card_key16: bytes, pin: str, current: str | None = None) -> bytes:
    """The new PIN under PIN CHANGE/UNBLOCK: ``0L`` digits F.., XORed with the card key's bytes 5-8 and the old PIN."""
    check_pin(pin)
    block = bytes((len(pin),)) + bytes.fromhex(pin.ljust(14, "F"))
    block = xor(block, bytes(4) + card_key16[4:8])
    if current is None:
        return block
    check_pin(current)
    return xor(block, bytes.fromhex(current.ljust(16, "0")))


def read_pin_change_block(card_key16: bytes, block8: bytes, current: str | None = None) -> str:
    """The new PIN in a block of `pin_change_block`; `Refused` when it is none."""
    if len(block8) != 8:
        raise Refused("a PIN block has 8 bytes", where="PIN block")
    block = xor(block8, bytes(4) + card_key16[4:8])
    if current is not None:
        block = xor(block, bytes.fromhex(current.ljust(16, "0")))
    text, count = block[1:].hex(), block[0]
    if count not in PIN_DIGITS or not text[:count].isdigit() or text[count:].strip("f"):
        raise Refused("not a PIN block for a change", where="PIN block")
    return text[:count]
