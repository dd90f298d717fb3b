"""Who may do what: the access right byte, keys with their try counters, and secure messaging.

Access right XY: allowed when Y <= security register <= X (FMCOS 2.0 user manual). Secure messaging with MAC: the
last four data bytes are a MAC over header and data, with the maintenance key and the last challenge as initial
value; with encryption as well: length byte, data, 80 00.. to whole blocks, each block enciphered.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from jinka.card.files import KEY_HEAD, KEY_TRIES, KEY_Y, OPEN, STATE, CardError, File
from jinka.codec import Algorithm, Command, StatusWord
from jinka.crypto.block import (
    message_mac4,
    pad80,
    sm4_decrypt,
    sm4_encrypt,
    tdes_decrypt,
    tdes_encrypt,
)
from jinka.profile import KeyUse, algorithm_of

if TYPE_CHECKING:
    from jinka.card.cos import CardOs

_DATA_MAX = 255


def require_right(card: CardOs, right: int, folder: File) -> None:
    """Raise 6982 unless the security register satisfies ``right``; a folder that is still open asks for nothing."""
    if (right & 0x0F) <= card.security <= (right >> 4):
        return
    if card.nvm.memory[folder.header + STATE] != OPEN:
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)


def find_key(card: CardOs, use: int, kid: int) -> int:
    """The offset of a key's record in the current folder; 9403 when there is none."""
    key_file = card.folder.key_file
    at = key_file.keys.get((use, kid)) if key_file is not None else None
    if at is None:
        raise CardError(StatusWord.KEY_NOT_FOUND)
    return at


def key_bytes(card: CardOs, at: int) -> bytes:
    """The key itself."""
    memory = card.nvm.memory
    return bytes(memory[at + KEY_HEAD : at + memory[at]])


def key_algorithm(card: CardOs, at: int) -> Algorithm:
    """The algorithm that the key's label byte names."""
    return algorithm_of(card.nvm.memory[at + KEY_Y])


def tries_left(card: CardOs, at: int) -> int:
    """How often the key may still be presented wrongly."""
    return card.nvm.memory[at + KEY_TRIES] & 0x0F


def spend_try(card: CardOs, at: int) -> None:
    """Count one presentation before it is compared, so that pulling the card does not save the try."""
    left = tries_left(card, at)
    if left == 0:
        raise CardError(StatusWord.AUTHENTICATION_BLOCKED)
    most = card.nvm.memory[at + KEY_TRIES] >> 4
    card.nvm.commit([(at + KEY_TRIES, bytes((most << 4 | left - 1,)))])


def restore_tries(card: CardOs, at: int) -> None:
    """Give all tries back after a right presentation."""
    most = card.nvm.memory[at + KEY_TRIES] >> 4
    card.nvm.commit([(at + KEY_TRIES, bytes((most << 4 | most,)))])


def open_message(
    card: CardOs, command: Command, *, encrypted: bool = False, use: int = KeyUse.MAINTENANCE
) -> bytes:
    """Check the MAC of a secure command and return its plain data; 6987, 6988, 6983 or 6985 otherwise."""
    challenge = card.challenge
    if challenge is None:
        raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
    if len(command.data) < 4:
        raise CardError(StatusWord.SM_MISSING)
    at = find_key(card, use, 0)
    body, mac = command.data[:-4], command.data[-4:]
    head = bytes((command.cla, command.ins, command.p1, command.p2, len(command.data)))
    key, algorithm = key_bytes(card, at), key_algorithm(card, at)
    spend_try(card, at)
    if not hmac.compare_digest(message_mac4(algorithm, key, challenge[:4], head + body), mac):
        raise CardError(StatusWord.SM_INCORRECT)
    restore_tries(card, at)
    return decipher(algorithm, key, body) if encrypted else body


def seal_answer(card: CardOs, rand4: bytes, data: bytes, *, encrypted: bool) -> bytes:
    """The data of a secure answer: in cipher if asked for, then the MAC over it under the command's challenge."""
    at = find_key(card, KeyUse.MAINTENANCE, 0)
    key, algorithm = key_bytes(card, at), key_algorithm(card, at)
    body = encipher(algorithm, key, data) if encrypted else data
    return body + message_mac4(algorithm, key, rand4, body)


def encipher(algorithm: Algorithm, key16: bytes, data: bytes) -> bytes:
    """Length byte, data, 80 00.. to whole blocks unless they are whole already, each block enciphered."""
    block = 8 if algorithm is Algorithm.TDES else 16
    plain = bytes((len(data),)) + data
    if len(plain) % block:
        plain = pad80(plain, block)
    return tdes_encrypt(key16, plain) if algorithm is Algorithm.TDES else sm4_encrypt(key16, plain)


def decipher(algorithm: Algorithm, key16: bytes, body: bytes) -> bytes:
    """Undo the encryption of secure messaging; 6988 when the length byte does not fit."""
    block = 8 if algorithm is Algorithm.TDES else 16
    if not body or len(body) % block:
        raise CardError(StatusWord.SM_INCORRECT)
    plain = tdes_decrypt(key16, body) if algorithm is Algorithm.TDES else sm4_decrypt(key16, body)
    if plain[0] > len(plain) - 1:
        raise CardError(StatusWord.SM_INCORRECT)
    return plain[1 : 1 + plain[0]]
