"""GET CHALLENGE, VERIFY, EXTERNAL and INTERNAL AUTHENTICATE (ISO/IEC 7816-4; key types of the FMCOS 2.0 user manual).

The TAC, purchase and load keys answer none of these: a card that ciphers at will under them would sign money.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card.access import (
    find_key,
    key_algorithm,
    key_bytes,
    require_right,
    restore_tries,
    spend_try,
    tries_left,
)
from jinka.card.files import KEY_X, CardError
from jinka.codec import Algorithm, Command, StatusWord
from jinka.crypto.block import (
    des_mac4,
    retail_mac4,
    sm4_decrypt,
    sm4_encrypt,
    sm4_mac4,
    tdes_decrypt,
    tdes_encrypt,
)
from jinka.profile import KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs, Handler

_OPERATIONS = {0x00: KeyUse.ENCRYPT, 0x01: KeyUse.DECRYPT, 0x02: KeyUse.MAC}


def get_challenge(card: CardOs, command: Command) -> bytes:
    """Random bytes that are good for the very next command."""
    if command.data or command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if command.le not in (4, 8, 16):
        raise CardError(StatusWord.WRONG_LENGTH)
    card.challenge = card.randomness.token_bytes(command.le)
    return card.challenge


def verify(card: CardOs, command: Command) -> bytes:
    """VERIFY a PIN; trailing FF of the data is ignored. 63Cx tells the tries left, 6983 that none is."""
    if command.p1:
        raise CardError(StatusWord.P1P2_WRONG)
    at = find_key(card, KeyUse.PIN, command.p2)
    require_right(card, card.nvm.memory[at + 3], card.folder)
    pin = command.data.rstrip(b"\xff")
    if not 2 <= len(pin) <= 8:
        raise CardError(StatusWord.WRONG_LENGTH)
    spend_try(card, at)
    _conclude(card, at, hmac.compare_digest(key_bytes(card, at).rstrip(b"\xff"), pin))
    return b""


def external_authenticate(card: CardOs, command: Command) -> bytes:
    """The outside proves a key by enciphering the challenge: ``E(K, rand8)`` or ``E(K, rand4 | 00000000)``."""
    if command.p1:
        raise CardError(StatusWord.P1P2_WRONG)
    if len(command.data) != 8:
        raise CardError(StatusWord.WRONG_LENGTH)
    challenge = card.challenge
    if challenge is None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    at = find_key(card, KeyUse.EXTERNAL_AUTHENTICATE, command.p2)
    require_right(card, card.nvm.memory[at + 3], card.folder)
    spend_try(card, at)
    wanted = authentication_answer(key_algorithm(card, at), key_bytes(card, at), challenge)
    _conclude(card, at, hmac.compare_digest(wanted, command.data))
    return b""


def authentication_answer(algorithm: Algorithm, key: bytes, challenge: bytes) -> bytes:
    """The 8 bytes that prove a key; with SM4 the halves of the block are joined by XOR, as toll cards do."""
    if algorithm is Algorithm.TDES:
        return tdes_encrypt(key, challenge[:8].ljust(8, b"\x00"))
    block = sm4_encrypt(key, challenge.ljust(16, b"\x00"))
    return bytes(a ^ b for a, b in zip(block[:8], block[8:], strict=True))


def internal_authenticate(card: CardOs, command: Command) -> bytes:
    """The card proves a key: P1 00 encipher, 01 decipher, 02 MAC; each with a key of that type alone."""
    use = _OPERATIONS.get(command.p1)
    if use is None:
        raise CardError(StatusWord.P1P2_WRONG)
    at = find_key(card, use, command.p2)
    require_right(card, card.nvm.memory[at + 3], card.folder)
    key, algorithm, data = key_bytes(card, at), key_algorithm(card, at), command.data
    block = 8 if algorithm is Algorithm.TDES else 16
    if not data or (len(data) % block and use is not KeyUse.MAC):
        raise CardError(StatusWord.WRONG_LENGTH)
    if use is KeyUse.MAC:
        if algorithm is Algorithm.SM4:
            return sm4_mac4(key, data)
        return des_mac4(key, data) if len(key) == 8 else retail_mac4(key, data)
    if algorithm is Algorithm.SM4:
        return (sm4_encrypt if use is KeyUse.ENCRYPT else sm4_decrypt)(key, data)
    return (tdes_encrypt if use is KeyUse.ENCRYPT else tdes_decrypt)(key, data)


def _conclude(card: CardOs, at: int, right: bool) -> None:
    """The try is already spent: give it back and raise the security register, or say how many are left."""
    if not right:
        left = tries_left(card, at)
        raise CardError(StatusWord.PIN_WRONG | left if left else StatusWord.AUTHENTICATION_BLOCKED)
    restore_tries(card, at)
    card.security = card.nvm.memory[at + KEY_X] & 0x0F


TABLE: dict[tuple[int, int], Handler] = {
    (0x00, 0x84): get_challenge,
    (0x00, 0x20): verify,
    (0x00, 0x82): external_authenticate,
    (0x00, 0x88): internal_authenticate,
}
