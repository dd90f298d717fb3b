"""The purchase security module: MAC1 for the terminal, MAC2 checked, keys delivered (JR/T 0025 PSAM; CJ/T 166).

The same operating system as the card, with commands of its own. It holds parent keys and derives the card's key anew
for every purchase (`jinka.card.psam_keys`); the grey lock is in `jinka.card.psam_grey`. Keys of type 08 cipher and MAC
what the terminal asks for; keys of any other type never do. File 0017 is Jinka's own: the next serial 4 | most wrong
MAC2 1 | left 1.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

from jinka.card import authenticate, file_access, issuing, psam_grey
from jinka.card.access import decipher, find_key, key_algorithm, key_bytes, open_message, require_right
from jinka.card.cos import CardOs
from jinka.card.files import HEAD, CardError, File, blank_memory, key_writing
from jinka.card.image import ImageError, require_readable
from jinka.card.nvm import Nvm
from jinka.card.psam_keys import (
    CIPHER_TYPE,
    GREY_TYPE,
    PURCHASE_TYPE,
    card_key,
    counters_of,
    forgiven,
    next_serial,
    spend_mac_try,
    split_factors,
    terminal_number,
)
from jinka.codec import Algorithm, Command, StatusWord, TransactionType
from jinka.crypto import mac4, purchase_session, sm4_encrypt, tdes_encrypt
from jinka.kit import JinkaError, Randomness, Usage
from jinka.profile import ALGORITHM_LABELS, KeyUse, algorithm_of

PSAM_NAME = b"JINKA.PSAM"
PSAM_FOLDER = 0xDF01
_TRIES = 10
_KEYS_TO_COME = 6  # room for versions that are delivered later
_FIXED = 0x14
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
    type: int = PURCHASE_TYPE

    def __repr__(self) -> str:
        return f"SamKey(version={self.version}, algorithm={self.algorithm.name}, level={self.level})"


class Psam(CardOs):
    """A security module with power."""

    __slots__ = ("delivered", "session")

    def __init__(self, nvm: Nvm, randomness: Randomness) -> None:
        self.session: _Session | None = None
        self.delivered: tuple[Algorithm, bytes] | None = None
        super().__init__(nvm, randomness)

    @classmethod
    def blank(cls, randomness: Randomness) -> Psam:
        """A module as it leaves the factory."""
        return cls(Nvm(blank_memory()), randomness)

    def power_up(self) -> bytes:
        self.session = self.delivered = None
        return super().power_up()

    def enter(self, folder: File) -> None:
        self.session = self.delivered = None
        super().enter(folder)

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
        if len(raw) < end + HEAD:
            raise ImageError("the lengths do not fit", where="offset 4", fix="restore the file")
        require_readable(bytearray(raw[end:]), raw[6:end])
        return cls(Nvm(raw[end:], journal=raw[6:end]), randomness)


def init_for_purchase(card: CardOs, command: Command) -> bytes:
    """INIT SAM FOR PURCHASE: rand 4, counter 2, amount 4, type, date 4, time 3, key version, algorithm, factors."""
    assert isinstance(card, Psam)
    card.session = None
    data = command.data
    if command.p1 or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    factors = split_factors(data, _FIXED)
    if data[10] not in _TYPES:
        raise CardError(StatusWord.DATA_WRONG)
    counters = counters_of(card)
    algorithm, key = card_key(card, PURCHASE_TYPE, data[18], data[19], factors)
    serial, used = next_serial(card, counters)
    bound = data[6:11] + terminal_number(card) + data[11:18]
    session = purchase_session(algorithm, key, data[:4], int.from_bytes(data[4:6], "big"), serial)
    card.nvm.commit([used])
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
    counters = counters_of(card)
    wrong = spend_mac_try(card, counters)
    if not hmac.compare_digest(mac4(session.algorithm, session.key, session.amount4), command.data):
        raise wrong
    card.nvm.commit([forgiven(card, counters)])
    return b""


def deliver_key(card: CardOs, command: Command) -> bytes:
    """DELIVERY KEY: P1 usage (a key of type 08), P2 version, data the factors; the key then serves CIPHER DATA."""
    assert isinstance(card, Psam)
    card.delivered = None
    if command.p1 & 0x1F != CIPHER_TYPE:
        raise CardError(StatusWord.SECURITY_NOT_SATISFIED)
    factors = split_factors(command.data, 0)
    if command.p1 >> 5 != len(factors):
        raise CardError(StatusWord.DATA_WRONG)
    for label in ALGORITHM_LABELS.values():
        try:
            card.delivered = card_key(card, CIPHER_TYPE, command.p2, label, factors)
        except CardError:
            continue
        return b""
    raise CardError(StatusWord.KEY_NOT_FOUND)


def cipher_data(card: CardOs, command: Command) -> bytes:
    """CIPHER DATA with the delivered key: P1 00 enciphers whole blocks, 05 MACs them (initial value first)."""
    assert isinstance(card, Psam)
    if card.delivered is None:
        raise CardError(StatusWord.STATE_INVALID)
    if command.p1 not in (0x00, 0x05) or command.p2:
        raise CardError(StatusWord.P1P2_WRONG)
    (algorithm, key), data = card.delivered, command.data
    block = 8 if algorithm is Algorithm.TDES else 16
    if not data or len(data) % block or (command.p1 and len(data) < 2 * block):
        raise CardError(StatusWord.WRONG_LENGTH)
    if not command.p1:
        return tdes_encrypt(key, data) if algorithm is Algorithm.TDES else sm4_encrypt(key, data)
    return _chained(algorithm, key, data[:block], data[block:])[:4]


def _chained(algorithm: Algorithm, key: bytes, initial: bytes, blocks: bytes) -> bytes:
    """The last block of a CBC MAC over blocks that the caller padded; with 3DES as ISO/IEC 9797-1 algorithm 3."""
    size = len(initial)
    chain = initial
    for at in range(0, len(blocks), size):
        mixed = bytes(a ^ b for a, b in zip(chain, blocks[at : at + size], strict=True))
        if algorithm is Algorithm.SM4:
            chain = sm4_encrypt(key, mixed)
        else:
            last = at + size == len(blocks)
            chain = tdes_encrypt(key if last else key[:8], mixed)
    return chain


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
    (0x80, 0x1A): deliver_key,
    (0x80, 0xFA): cipher_data,
    (0xE0, 0x40): psam_grey.init_grey_lock,
    (0xE0, 0x42): psam_grey.certify_grey_lock,
    (0xE0, 0x44): psam_grey.make_gmac,
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
    if any(key.type == GREY_TYPE for key in keys):
        body = b"\x28" + psam_grey.LOCKS_SIZE.to_bytes(2, "big") + bytes.fromhex("EFEFFFFF")
        commands.append(Command(0x80, 0xE0, 0x00, psam_grey.LOCKS, body))
    for key in keys:
        usage = key.level << 5 | key.type
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
