"""GET CHALLENGE, PINs, EXTERNAL and INTERNAL AUTHENTICATE (ISO/IEC 7816-4; JR/T 0025.1; FMCOS 2.0 user manual).

The TAC, purchase and load keys answer none of these: a card that ciphers at will under them would sign money.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card.access import (
    find_key,
    key_algorithm,
    key_bytes,
    open_message,
    require_right,
    restore_tries,
    spend_try,
    tries_left,
)
from jinka.card.files import KEY_HEAD, KEY_TRIES, KEY_X, CardError
from jinka.codec import Algorithm, Command, StatusWord
from jinka.crypto import mac4, tac_key
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


def change_pin(card: CardOs, command: Command) -> bytes:
    """CHANGE PIN (P1 01): the old PIN, FF, the new one; RELOAD PIN (P1 00): the new PIN and a MAC. P2 the index.

    The MAC of RELOAD PIN is made with the left half of its key XOR the right one, over the new PIN alone (JR/T 0025.1).
    """
    if command.p1 == 0x00:
        return _reload_pin(card, command)
    if command.p1 != 0x01:
        raise CardError(StatusWord.P1P2_WRONG)
    at = _pin(card, command.p2)
    require_right(card, card.nvm.memory[at + 3], card.folder)
    old, separator, new = command.data.partition(b"\xff")
    if not separator or not 2 <= len(old) <= 8:
        raise CardError(StatusWord.WRONG_LENGTH)
    record = _pin_record(card, at, new)
    spend_try(card, at)
    if not hmac.compare_digest(key_bytes(card, at).rstrip(b"\xff"), old):
        _conclude(card, at, False)
    _set_pin(card, at, record)
    return b""


def _reload_pin(card: CardOs, command: Command) -> bytes:
    at, key = _pin(card, command.p2), find_key(card, KeyUse.PIN_RELOAD, command.p2)
    new, mac = command.data[:-4], command.data[-4:]
    record = _pin_record(card, at, new)
    spend_try(card, key)
    algorithm = key_algorithm(card, key)
    if not hmac.compare_digest(mac4(algorithm, tac_key(algorithm, key_bytes(card, key)), new), mac):
        raise CardError(StatusWord.SM_INCORRECT)
    restore_tries(card, key)
    _set_pin(card, at, record)
    return b""


def unblock_pin(card: CardOs, command: Command) -> bytes:
    """PIN UNBLOCK: P1 the index; a PIN in cipher and a MAC, both under the unblocking key."""
    if command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    at = _pin(card, command.p1)
    new = open_message(card, command, encrypted=True, use=KeyUse.PIN_UNBLOCK)
    _set_pin(card, at, _pin_record(card, at, new))
    return b""


def _pin(card: CardOs, kid: int) -> int:
    try:
        return find_key(card, KeyUse.PIN, kid)
    except CardError:
        raise CardError(StatusWord.REFERENCE_NOT_FOUND) from None


def _pin_record(card: CardOs, at: int, new: bytes) -> bytes:
    """The new PIN at the length of its record; 6700 when it does not fit, 6A80 for a byte FF inside."""
    new = new.rstrip(b"\xff")
    room = card.nvm.memory[at] - KEY_HEAD
    if not 2 <= len(new) <= room:
        raise CardError(StatusWord.WRONG_LENGTH)
    if b"\xff" in new:
        raise CardError(StatusWord.DATA_WRONG)
    return new.ljust(room, b"\xff")


def _set_pin(card: CardOs, at: int, record: bytes) -> None:
    most = card.nvm.memory[at + KEY_TRIES] >> 4
    card.nvm.commit([(at + KEY_TRIES, bytes((most << 4 | most,)) + record)])


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
    (0x80, 0x5E): change_pin,
    (0x84, 0x24): unblock_pin,
    (0x00, 0x82): external_authenticate,
    (0x00, 0x88): internal_authenticate,
}
