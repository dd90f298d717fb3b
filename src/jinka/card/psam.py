"""The purchase security module: MAC1 for the terminal, MAC2 checked (JR/T 0025 PSAM; CJ/T 166).

The same operating system as the card, with two commands of its own. It holds parent keys and derives the card's key
anew for every purchase. A key's usage byte: level in the upper three bits, type in the lower five (42: purchase, level
2). File 0017 is Jinka's own: the next serial 4 | most wrong MAC2 1 | left 1.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from jinka.card import authenticate, file_access, issuing
from jinka.card.access import decipher, find_key, key_algorithm, key_bytes, open_message, require_right
from jinka.card.cos import CardOs
from jinka.card.files import CardError, File, blank_memory, key_writing
from jinka.card.nvm import Nvm
from jinka.card.template import ImageError
from jinka.codec import Algorithm, Command, StatusWord, TransactionType
from jinka.crypto import diversify, mac4, purchase_session
from jinka.kit import JinkaError, Randomness, Usage
from jinka.profile import ALGORITHM_LABELS, KeyUse, algorithm_of

PSAM_NAME = b"JINKA.PSAM"
PSAM_FOLDER = 0xDF01
PURCHASE_TYPE = 0x02
_TERMINAL, _SERIAL_NO, _COUNTERS = 0x0016, 0x0015, 0x0017
_TRIES = 10
_KEYS_TO_COME = 6  # room for versions that are delivered later
_SERIAL_MAX = 0xFFFFFFFF
_FIXED = 0x14
_FACTORS_MAX = 3
_TYPES = frozenset(
    {
        TransactionType.ED_CASH,
        TransactionType.ED_PURCHASE,
        TransactionType.EP_PURCHASE,
        TransactionType.CAPP_PURCHASE,
    }
)
_MAGIC = b"JSI"
IMAGE_VERSION = 1


@dataclass(frozen=True, slots=True)
class _Session:
    algorithm: Algorithm
    key: bytes
    amount4: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SamKey:
    """A parent key for a PSAM: ``level`` diversifications lie between it and the card's key."""

    version: int
    algorithm: Algorithm
    level: int
    key: bytes

    def __repr__(self) -> str:
        return f"SamKey(version={self.version}, algorithm={self.algorithm.name}, level={self.level})"


class Psam(CardOs):
    """A security module with power."""

    __slots__ = ("session",)

    def __init__(self, nvm: Nvm, randomness: Randomness) -> None:
        self.session: _Session | None = None
        super().__init__(nvm, randomness)

    @classmethod
    def blank(cls, randomness: Randomness) -> Psam:
        """A module as it leaves the factory."""
        return cls(Nvm(blank_memory()), randomness)

    def power_up(self) -> bytes:
        self.session = None
        return super().power_up()

    def to_bytes(self) -> bytes:
        """The module without power: magic 3 | version 1 | journal length 2 | journal | memory."""
        journal = bytes(self.nvm.journal)
        return _MAGIC + bytes((IMAGE_VERSION,)) + len(journal).to_bytes(2, "big") + journal + self.nvm.memory

    @classmethod
    def from_bytes(cls, raw: bytes, randomness: Randomness) -> Psam:
        """Give an image power; `ImageError` when it is none, or of an unknown version."""
        if raw[:3] != _MAGIC or len(raw) < 6:
            raise ImageError("not a PSAM image", where="offset 0", fix="restore the file")
        if raw[3] != IMAGE_VERSION:
            raise ImageError(
                f"image version {raw[3]}; version 1 is known", where="offset 3", fix="use a newer jinka"
            )
        end = 6 + int.from_bytes(raw[4:6], "big")
        return cls(Nvm(raw[end:], journal=raw[6:end]), randomness)


def _counters(card: CardOs) -> File:
    file = card.folder.children.get(_COUNTERS)
    if file is None or file.size != 6:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    if not card.nvm.memory[file.at + 5]:
        raise CardError(StatusWord.APPLICATION_LOCKED)
    return file


def _parent_key(card: CardOs, version: int, label: int, factors: int) -> tuple[Algorithm, bytes]:
    """The purchase key of this version and algorithm; its level must be the number of factors."""
    key_file = card.folder.key_file
    try:
        algorithm = algorithm_of(label)
    except Usage:
        raise CardError(StatusWord.KEY_NOT_FOUND) from None
    for (usage, kid), at in key_file.keys.items() if key_file is not None else ():
        if usage & 0x1F == PURCHASE_TYPE and kid & 0x7F == version and key_algorithm(card, at) is algorithm:
            if usage >> 5 != factors:
                raise CardError(StatusWord.DATA_WRONG)
            return algorithm, key_bytes(card, at)
    raise CardError(StatusWord.KEY_NOT_FOUND)


def init_for_purchase(card: CardOs, command: Command) -> bytes:
    """INIT SAM FOR PURCHASE: rand 4, counter 2, amount 4, type, date 4, time 3, key version, algorithm, factors."""
    assert isinstance(card, Psam)
    card.session = None
    data = command.data
    factors, rest = divmod(len(data) - _FIXED, 8)
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    if rest or not 1 <= factors <= _FACTORS_MAX:
        raise CardError(StatusWord.WRONG_LENGTH)
    if data[10] not in _TYPES:
        raise CardError(StatusWord.DATA_WRONG)
    counters = _counters(card)
    algorithm, key = _parent_key(card, data[18], data[19], factors)
    memory = card.nvm.memory
    serial = bytes(memory[counters.at : counters.at + 4])
    number = int.from_bytes(serial, "big")
    if number == _SERIAL_MAX:
        raise CardError(StatusWord.COUNTER_EXHAUSTED)
    terminal = card.directory.root.children.get(_TERMINAL)
    if terminal is None or terminal.size != 6:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    for level in reversed(
        range(factors)
    ):  # the card's own factor comes first in the data and last in the tree
        key = diversify(algorithm, key, data[_FIXED + 8 * level : _FIXED + 8 * level + 8])
    session = purchase_session(algorithm, key, data[:4], int.from_bytes(data[4:6], "big"), serial)
    bound = data[6:11] + bytes(memory[terminal.at : terminal.at + 6]) + data[11:18]
    card.nvm.commit([(counters.at, (number + 1).to_bytes(4, "big"))])  # a serial is never given twice
    card.session = _Session(algorithm, session, data[6:10])
    return serial + mac4(algorithm, session, bound)


def credit_for_purchase(card: CardOs, command: Command) -> bytes:
    """CREDIT SAM FOR PURCHASE: check the card's MAC2; 9302 and one try less when it is wrong."""
    assert isinstance(card, Psam)
    session, card.session = card.session, None
    if session is None:
        raise CardError(StatusWord.STATE_INVALID)
    if len(command.data) != 4:
        raise CardError(StatusWord.WRONG_LENGTH)
    counters = _counters(card)
    memory = card.nvm.memory
    most, left = memory[counters.at + 4], memory[counters.at + 5]
    if hmac.compare_digest(mac4(session.algorithm, session.key, session.amount4), command.data):
        if left != most:
            card.nvm.commit([(counters.at + 5, bytes((most,)))])
        return b""
    card.nvm.commit([(counters.at + 5, bytes((left - 1,)))])
    raise CardError(StatusWord.MAC_INVALID if left > 1 else StatusWord.APPLICATION_LOCKED)


def write_sam_key(card: CardOs, command: Command) -> bytes:
    """WRITE KEY, P1 P2 0000: usage, version, algorithm, key 16; class 84 under the transport key. Else as a card."""
    if command.p1 or command.p2:
        return issuing.write_key(card, command)
    key_file = card.folder.key_file
    if key_file is None:
        raise CardError(StatusWord.FILE_NOT_FOUND)
    data = command.data
    if command.cla == 0x84:  # the MAC under the transport key is the right
        data = open_message(card, command)
        at = find_key(card, KeyUse.MAINTENANCE, 0)
        data = decipher(key_algorithm(card, at), key_bytes(card, at), data)
    else:
        require_right(card, key_file.write, card.folder)
    if len(data) != 19:
        raise CardError(StatusWord.WRONG_LENGTH)
    usage, version, label, key = *data[:3], data[3:]
    try:
        algorithm = algorithm_of(label)
    except Usage:
        raise CardError(StatusWord.DATA_WRONG) from None
    if usage >> 5 == 0 or version > 0x7F:
        raise CardError(StatusWord.DATA_WRONG)
    # One version may exist in both algorithms: the upper bit of the stored index tells them apart.
    kid = version | (0x80 if algorithm is Algorithm.SM4 else 0)
    record = bytes((0xF0, 0xEF, version, label, 0xAA)) + key
    card.nvm.commit(key_writing(card.nvm.memory, key_file, kid, usage, record))
    card.forget_directory()
    return b""


Psam.table = {
    **file_access.TABLE,
    **authenticate.TABLE,
    **issuing.TABLE,
    (0x80, 0xD4): write_sam_key,
    (0x84, 0xD4): write_sam_key,
    (0x80, 0x70): init_for_purchase,
    (0x80, 0x72): credit_for_purchase,
}


def psam_script(terminal_id: bytes, psam_id: bytes, keys: list[SamKey], transport_key: bytes) -> list[bytes]:
    """The commands that turn a blank module into a terminal's PSAM."""
    size = 24 * (len(keys) + 1 + _KEYS_TO_COME)
    commands = [
        Command(0x80, 0xE0, 0x00, 0x16, bytes.fromhex("280006F0EFFFFF")),
        Command(0x80, 0xE0, 0x00, 0x15, bytes.fromhex("28000AF0EFFFFF")),
        Command(0x00, 0xD6, 0x96, 0x00, terminal_id),
        Command(0x00, 0xD6, 0x95, 0x00, psam_id),
        Command(0x80, 0xE0, 0xDF, 0x01, bytes.fromhex("380000EFEF95FFFF") + PSAM_NAME),
        Command(0x00, 0xA4, 0x00, 0x00, PSAM_FOLDER.to_bytes(2, "big")),
        Command(0x80, 0xE0, 0x00, 0x00, b"\x3f" + size.to_bytes(2, "big") + bytes.fromhex("95EFFFFF")),
        Command(0x80, 0xE0, 0x00, 0x17, bytes.fromhex("280006F0EFFFFF")),
        Command(0x00, 0xD6, 0x97, 0x00, b"\x00\x00\x00\x01" + bytes((_TRIES, _TRIES))),
        Command(0x80, 0xD4, 0x01, 0x00, bytes.fromhex("36F0EFFFAA") + transport_key),
    ]
    for key in keys:
        usage = key.level << 5 | PURCHASE_TYPE
        head = bytes((usage, key.version, ALGORITHM_LABELS[key.algorithm]))
        commands.append(Command(0x80, 0xD4, 0x00, 0x00, head + key.key))
    commands.append(Command(0x00, 0xA4, 0x00, 0x00, b"\x3f\x00"))
    return [command.build() for command in commands]


def make_psam(
    *, terminal_id: bytes, psam_id: bytes, keys: list[SamKey], transport_key: bytes, randomness: Randomness
) -> Psam:
    """A PSAM, personalised through its own commands; `JinkaError` names the first that it refused."""
    psam = Psam.blank(randomness)
    for number, command in enumerate(psam_script(terminal_id, psam_id, keys, transport_key)):
        answer = psam.transmit(command)
        if answer[-2:] != b"\x90\x00":
            raise JinkaError(f"SW {answer[-2:].hex().upper()}", where=f"PSAM script, command {number}")
    return psam
