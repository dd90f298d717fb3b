"""What a debit and credit application keeps: its state, its options, its RSA key, and the verification results.

EMV Book 3 (GET DATA, annex C), JR/T 0025.5 (card verification results, issuer application data, risk parameters),
JR/T 0025.12 and .13 (electronic cash). Three files that no command gives out: options 001C (BER-TLV), state 001D (fixed
places, `ELEMENTS`), private keys 001E (BER-TLV: RSA primes, SM2 scalar).
Where sources are silent the choice is an option and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, IntEnum, IntFlag
from typing import TYPE_CHECKING

from jinka.card.access import find_key, key_algorithm, key_bytes
from jinka.card.applet import Applet
from jinka.card.files import CardError, File
from jinka.card.nvm import Entry
from jinka.codec import Algorithm, StatusWord, parse
from jinka.codec.emv_tags import CRYPTOGRAM_DATA, Tag
from jinka.codec.tlv import TlvError
from jinka.crypto import emv, emv_oda, emv_oda_sm2
from jinka.crypto.sm2 import Sm2PrivateKey
from jinka.kit import Refused, Usage
from jinka.profile import KeyUse

if TYPE_CHECKING:
    from jinka.card.cos import CardOs

OPTIONS_FILE, STATE_FILE, RSA_FILE = 0x001C, 0x001D, 0x001E
PRIME_P, PRIME_Q, EXPONENT, SM2_SCALAR = 0xDF31, 0xDF32, 0xDF33, 0xDF34
COUNTER_MAX = 0xFFFF
_RSA_LEAST = 80  # bytes: room for a combined signature's data

# Places in the state file.
ATC, ONLINE_ATC, FLAGS, SCRIPTS, SPENT = 0, 2, 4, 5, 6
ECASH, ECASH_MOST, ECASH_SINGLE, RESET = 12, 18, 24, 30
LOWER, UPPER, SPENT_LOWER, SPENT_UPPER, ACTIONS, CURRENCY = 36, 37, 38, 44, 50, 52
STATE_SIZE = 54

# Tag -> place, size, whether an issuer script may change it.
ELEMENTS: dict[int, tuple[int, int, bool]] = {
    Tag.COUNTER: (ATC, 2, False),
    Tag.LAST_ONLINE: (ONLINE_ATC, 2, False),
    Tag.ECASH_BALANCE: (ECASH, 6, True),
    Tag.ECASH_LIMIT: (ECASH_MOST, 6, True),
    Tag.ECASH_SINGLE_LIMIT: (ECASH_SINGLE, 6, True),
    Tag.RESET_THRESHOLD: (RESET, 6, True),
    Tag.OFFLINE_LIMIT_LOWER: (LOWER, 1, True),
    Tag.OFFLINE_LIMIT_UPPER: (UPPER, 1, True),
    Tag.AMOUNT_LIMIT: (SPENT_LOWER, 6, True),
    Tag.AMOUNT_LIMIT_UPPER: (SPENT_UPPER, 6, True),
    Tag.DEFAULT_ACTION: (ACTIONS, 2, True),
    Tag.CURRENCY_CARD: (CURRENCY, 2, False),
}


class Option(IntEnum):
    """Tags of the options file that are Jinka's own; the others are those of EMV."""

    FCI = 0xA5
    FORM = 0xDF20  # `Form`
    ISSUER_KEY_INDEX = 0xDF21
    CRYPTOGRAM_VERSION = 0xDF22  # 01 with 3DES; sources write 17 for SM4 without saying in which base
    SESSION = 0xDF23  # 00 PBOC's session keys, 01 EMV's common ones
    AIP_SM = 0xDF25  # the profile and the locator for a terminal that says DF69 01: authentication by SM2
    AFL_SM = 0xDF26
    ECASH_PLACE = 0xDF27  # what the locator gets behind it for electronic cash over the contacts


class Form(IntFlag):
    """How answers look."""

    OPTIONS_TAGGED = 1  # GET PROCESSING OPTIONS in format 2
    CRYPTOGRAM_TAGGED = 2  # GENERATE AC in format 2
    BALANCE_IN_ISSUER_DATA = 4  # 9F10 ends with the electronic cash and a MAC (its input is Jinka's choice)
    DEBIT_WITH_OPTIONS = (
        8  # qPBOC debits and signs in its first answer, not with the last record (keys to 1024 bits)
    )


class Flag(IntFlag):
    """The FLAGS byte: what the next transaction must know."""

    ONLINE_PENDING = 0x01
    AUTHENTICATION_FAILED = 0x02
    SCRIPT_FAILED = 0x04
    STATIC_FAILED = 0x08
    DYNAMIC_FAILED = 0x10
    BLOCKED = 0x80


class Cvr(IntFlag):
    """Card verification results, the three bytes behind their length 03 (JR/T 0025.5)."""

    SECOND_NONE = 1 << 23
    SECOND_TC = 1 << 22
    FIRST_ARQC = 1 << 21
    FIRST_TC = 1 << 20
    AUTHENTICATION_FAILED = 1 << 19
    PIN_DONE = 1 << 18
    PIN_FAILED = 1 << 17
    UNABLE_ONLINE = 1 << 16
    LAST_ONLINE_OPEN = 1 << 15
    PIN_EXCEEDED = 1 << 14
    VELOCITY = 1 << 13
    NEW_CARD = 1 << 12
    LAST_AUTHENTICATION_FAILED = 1 << 11
    AUTHENTICATION_MISSING = 1 << 10
    BLOCKED_BY_PIN = 1 << 9
    LAST_STATIC_FAILED = 1 << 8
    SCRIPT_FAILED = 1 << 3
    LAST_DYNAMIC_FAILED = 1 << 2
    DYNAMIC_DONE = 1 << 1


_NO_RESULTS = Cvr(0)


class Kind(IntEnum):
    """The kind of a cryptogram: the top bits of P1 and of 9F27."""

    AAC = 0x00
    TC = 0x40
    ARQC = 0x80


class Stage(Enum):
    """Where a transaction stands; `jinka.card.emv.STAGES` says which command each allows."""

    SELECTED = "selected"
    INITIATED = "initiated"
    PAYING = "paying"
    ONLINE = "online"
    COMPLETED = "completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Debit:
    """A contactless purchase that happens when its last record is read: where that is, and what is written then.

    ``record`` is the record made for this purchase alone, with its signature; empty when the last is one of a file.
    """

    sfi: int
    number: int
    record: bytes
    writes: list[Entry] = field(repr=False)


@dataclass(slots=True)
class Running:
    """One transaction from SELECT on; lost with the power. What must last is in the state file."""

    stage: Stage = Stage.SELECTED
    counter: int = 0
    values: dict[int, bytes] = field(default_factory=dict)
    cvr: Cvr = _NO_RESULTS
    bound: bytes = b""  # counter 2 | first cryptogram 8: what scripts are bound to
    first: Kind = Kind.AAC
    authenticated: bool | None = None  # issuer authentication: none, passed or failed
    asked: bytes = b""  # answers to the card's lists so far: a combined signature covers them
    debit: Debit | None = None
    scripts: set[bytes] = field(default_factory=set)  # MACs of those carried out: none is, twice
    sm2: bool = False  # whether this terminal is shown the SM2 certificates
    cash_fen: int = 0  # what the electronic cash is to pay, once the terminal was told so


class EmvBase(Applet):
    """What the commands of every part share: files, options, keys, the running transaction."""

    __slots__ = ("options", "running", "state")

    options: dict[int, bytes]
    running: Running
    state: File | None

    def place(self, at: int) -> int:
        """The memory offset of a state element."""
        if self.state is None or self.state.size < STATE_SIZE:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return self.state.at + at

    def read(self, at: int, size: int) -> bytes:
        """A state element."""
        place = self.place(at)
        return bytes(self.card.nvm.memory[place : place + size])

    def number(self, at: int, size: int = 1) -> int:
        """A binary state element."""
        return int.from_bytes(self.read(at, size), "big")

    def money(self, at: int) -> int:
        """An n12 state element, in fen; 6985 when the issuer put something else there."""
        text = self.read(at, 6).hex()
        if not text.isdigit():
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return int(text)

    def entry(self, at: int, value: bytes) -> Entry:
        """A write of a state element, for a transaction of the memory."""
        return (self.place(at), value)

    @property
    def flags(self) -> Flag:
        return Flag(self.number(FLAGS))

    @property
    def form(self) -> Form:
        return Form(int.from_bytes(self.options.get(Option.FORM, b""), "big"))

    def key(self, use: KeyUse) -> tuple[Algorithm, bytes]:
        """A key of the application and its algorithm."""
        at = find_key(self.card, use, 0)
        return key_algorithm(self.card, at), key_bytes(self.card, at)

    def session(self, use: KeyUse, counter: int) -> tuple[Algorithm, bytes]:
        """The session key of one transaction."""
        algorithm, key = self.key(use)
        if self.options.get(Option.SESSION) == b"\x01" and algorithm is Algorithm.TDES:
            return algorithm, emv.common_session(key, counter.to_bytes(2, "big") + bytes(6))
        return algorithm, emv.pboc_session(algorithm, key, counter)

    @property
    def aip(self) -> bytes:
        """The interchange profile that this terminal is shown."""
        return self.options.get(Option.AIP_SM if self.running.sm2 else Tag.AIP, bytes(2))

    @property
    def locator(self) -> bytes:
        """The file locator that this terminal is shown."""
        return self.options.get(Option.AFL_SM if self.running.sm2 else Tag.AFL, b"")

    def rsa_key(self) -> emv_oda.PrivateKey:
        """The card's RSA key; 6985 when it has none."""
        found = self._secret_objects()
        p, q, e = (int.from_bytes(found.get(tag, b""), "big") for tag in (PRIME_P, PRIME_Q, EXPONENT))
        try:
            key = emv_oda.PrivateKey.from_primes(p, q, e)
        except Usage:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None
        if key.public.size < _RSA_LEAST:
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED)
        return key

    def sign_dynamic(self, dynamic: bytes, terminal_data: bytes, *, contactless: bool = False) -> bytes:
        """Tag 9F4B by the algorithm that the terminal was shown; 6985 when there is no key of it."""
        try:
            if not self.running.sm2:
                return emv_oda.sign_dynamic(self.rsa_key(), dynamic, terminal_data)
            key = Sm2PrivateKey.from_bytes(self._secret_objects().get(SM2_SCALAR, b""))
            randomness = self.card.randomness
            return emv_oda_sm2.sign_dynamic(key, dynamic, terminal_data, randomness, contactless=contactless)
        except (Usage, Refused):
            raise CardError(StatusWord.CONDITIONS_NOT_SATISFIED) from None

    def combined(self, number: bytes, cid: int, ac8: bytes, transaction: bytes) -> bytes:
        """The dynamic data of a combined signature, with the hash of the algorithm that the terminal was shown."""
        make = emv_oda_sm2.combined_data if self.running.sm2 else emv_oda.combined_data
        return make(number, cid, ac8, transaction)

    def _secret_objects(self) -> dict[int, bytes]:
        file = self.folder.children.get(RSA_FILE)
        return read_objects(bytes(self.card.nvm.memory[file.at : file.at + file.size])) if file else {}

    def cryptogram(self, values: dict[int, bytes]) -> bytes:
        """The application cryptogram over the data of version 01; the CVR in it binds the kind."""
        running = self.running
        algorithm, session = self.session(KeyUse.CRYPTOGRAM, running.counter)
        data = b"".join(values.get(tag, b"")[:size].rjust(size, b"\x00") for tag, size in CRYPTOGRAM_DATA)
        tail = self.aip + running.counter.to_bytes(2, "big") + b"\x03" + int(running.cvr).to_bytes(3, "big")
        return emv.cryptogram(algorithm, session, data + tail)

    def issuer_data(self, balance: bytes | None = None) -> bytes:
        """9F10: length 07, key index, version, CVR, algorithm; then, by option, the electronic cash with a MAC."""
        algorithm, session = self.session(KeyUse.CRYPTOGRAM, self.running.counter)
        index = self.options.get(Option.ISSUER_KEY_INDEX, b"\x01")
        version = self.options.get(Option.CRYPTOGRAM_VERSION, b"\x01")
        cvr = b"\x03" + int(self.running.cvr).to_bytes(3, "big")
        body = b"\x07" + index + version + cvr + ALGORITHM_BYTES[algorithm]
        if not self.form & Form.BALANCE_IN_ISSUER_DATA:
            return body
        held = (balance if balance is not None else self.read(ECASH, 6))[1:]
        mac = emv.cryptogram(algorithm, session, self.running.counter.to_bytes(2, "big") + held)[:4]
        return body + b"\x0a\x01" + held + mac


def applet_of(card: CardOs) -> EmvBase:
    """The selected application."""
    applet = card.applet
    assert isinstance(applet, EmvBase), "the tables are reached through the applet alone"
    return applet


ALGORITHM_BYTES = {Algorithm.TDES: b"\x01", Algorithm.SM4: b"\x04"}


def read_objects(raw: bytes) -> dict[int, bytes]:
    """The objects of a file; a file that the issuer filled with something else has none."""
    try:
        return {tag: value for tag, value, _ in parse(raw)}
    except TlvError:
        return {}


def fen(value: int) -> bytes:
    """An amount as n12."""
    return bytes.fromhex(f"{value:012d}")
