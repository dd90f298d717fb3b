"""What every command of a PSAM needs: its parent keys, the card's key derived from them, serial and error counter.

JR/T 0025 PSAM, CJ/T 166. A key's usage byte: level in the upper three bits, type in the lower five. Types 02 (purchase)
and 08 (deliver and cipher) follow published scripts; 0D for the grey lock follows one fuel system and is unconfirmed.
"""

from __future__ import annotations

from jinka.card.access import key_algorithm, key_bytes
from jinka.card.cos import CardOs
from jinka.card.files import CardError, File
from jinka.card.nvm import Entry
from jinka.codec import Algorithm, StatusWord
from jinka.crypto import diversify
from jinka.kit import Usage
from jinka.profile import algorithm_of

PURCHASE_TYPE, CIPHER_TYPE, GREY_TYPE = 0x02, 0x08, 0x0D
LEVEL_MAX = 3
TERMINAL, COUNTERS = 0x0016, 0x0017
_SERIAL_MAX = 0xFFFFFFFF


def counters_of(card: CardOs) -> File:
    """The file of serial and error counter; 9303 when no try is left."""
    file = card.folder.children.get(COUNTERS)
    if file is None or file.size != 6:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    if not card.nvm.memory[file.at + 5]:
        raise CardError(StatusWord.APPLICATION_LOCKED)
    return file


def split_factors(data: bytes, fixed: int) -> list[bytes]:
    """The factors behind the first ``fixed`` bytes, the card's own first; 6700 unless there are one to three."""
    count, rest = divmod(len(data) - fixed, 8)
    if rest or not 1 <= count <= LEVEL_MAX:
        raise CardError(StatusWord.WRONG_LENGTH)
    return [data[at : at + 8] for at in range(fixed, len(data), 8)]


def card_key(
    card: CardOs, type_: int, version: int, label: int, factors: list[bytes]
) -> tuple[Algorithm, bytes]:
    """The card's key: the parent of this type, version and algorithm, brought down by all factors.

    9403 when there is no such key, 6A80 when its level is not the number of factors.
    """
    key_file = card.folder.key_file
    try:
        algorithm = algorithm_of(label)
    except Usage:
        raise CardError(StatusWord.KEY_NOT_FOUND) from None
    for (usage, kid), at in key_file.keys.items() if key_file is not None else ():
        if usage & 0x1F == type_ and kid & 0x7F == version and key_algorithm(card, at) is algorithm:
            if usage >> 5 != len(factors):
                raise CardError(StatusWord.DATA_WRONG)
            key = key_bytes(card, at)
            for factor in reversed(factors):  # the card's own comes first in the data and last in the tree
                key = diversify(algorithm, key, factor)
            return algorithm, key
    raise CardError(StatusWord.KEY_NOT_FOUND)


def terminal_number(card: CardOs) -> bytes:
    """The 6 bytes of file 0016 under the root."""
    terminal = card.directory.root.children.get(TERMINAL)
    if terminal is None or terminal.size != 6:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    return bytes(card.nvm.memory[terminal.at : terminal.at + 6])


def next_serial(card: CardOs, counters: File) -> tuple[bytes, Entry]:
    """(serial to use, the write that makes sure that it is never used again); 9402 at the end of all serials."""
    serial = bytes(card.nvm.memory[counters.at : counters.at + 4])
    number = int.from_bytes(serial, "big")
    if number == _SERIAL_MAX:
        raise CardError(StatusWord.COUNTER_EXHAUSTED)
    return serial, (counters.at, (number + 1).to_bytes(4, "big"))


def spend_mac_try(card: CardOs, counters: File) -> CardError:
    """Spend a try before a MAC is compared; the error to raise should it be wrong: 9302, or 9303 with the last one."""
    left = card.nvm.memory[counters.at + 5] - 1
    card.nvm.commit([(counters.at + 5, bytes((left,)))])
    return CardError(StatusWord.MAC_INVALID if left else StatusWord.APPLICATION_LOCKED)


def forgiven(card: CardOs, counters: File) -> Entry:
    """The write that gives all tries back."""
    most = card.nvm.memory[counters.at + 4]
    return counters.at + 5, bytes((most,))
