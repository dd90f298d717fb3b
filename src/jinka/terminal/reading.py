"""What a terminal reads of a transit purse before it does anything: 0015, 0016 and the ride record (JR/T 0025.2)."""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec import Algorithm, StatusWord
from jinka.kit import Usage
from jinka.profile import algorithm_of
from jinka.tariff import HolderClass, RideState
from jinka.terminal.link import ApduLink, ChipRefused, ask, ask_exactly
from jinka.terminal.ride import RIDE_SIZE, decode_ride

DATA_WRONG = 0x6A80
_READ_PUBLIC = bytes.fromhex("00B095001E")
_READ_RULE = bytes.fromhex("00B09C0006")
_READ_HOLDER = bytes.fromhex("00B0960001")
_DIGITS_MIN = 16
_REGION_TAIL = b"\xff\x00\x00\x00\x00\x00"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicData:
    """File 0015. Dates are BCD; the TAC key's version and algorithm stand in its last two bytes (Jinka's own use)."""

    issuer: bytes
    card_no: bytes
    start: bytes
    expiry: bytes
    key_version: int
    algorithm: Algorithm

    @property
    def card_len(self) -> int:
        """The number of digits: without leading zeros, but at least 16."""
        return max(_DIGITS_MIN, len(self.card_no.hex().lstrip("0")))

    @property
    def factor8(self) -> bytes:
        """The factor by which the card's keys are derived: its last 16 digits."""
        return self.card_no[2:]

    @property
    def region_factor(self) -> bytes:
        """The factor of the city key: the region code that begins the issuer's number, then FF and zeros."""
        return self.issuer[:2] + _REGION_TAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyingRule:
    """File 001C of a fuel card: what it buys (a bit for each grade), and for how much at a time. 0 stands for any."""

    grades: int = 0
    most_fen: int = 0

    def allows(self, grade: int) -> bool:
        """Whether the card buys this grade; a pump that names none (0) is not asked."""
        return not grade or not self.grades or bool(self.grades & grade)


def select(link: ApduLink, aid: bytes) -> None:
    """Select the application by name."""
    ask(link, "select", b"\x00\xa4\x04\x00" + bytes((len(aid),)) + aid + b"\x00")


def verify_pin(link: ApduLink, pin: bytes) -> None:
    """Present the holder's PIN, which the passbook asks for; `ChipRefused` with 63Cx or 6983."""
    ask(link, "verify PIN", b"\x00\x20\x00\x00" + bytes((len(pin),)) + pin)


def card_algorithm(label: int, step: str) -> Algorithm:
    """The algorithm that a card names in an answer; `ChipRefused` with 6A80 for a label that nothing has."""
    try:
        return algorithm_of(label)
    except Usage:
        raise ChipRefused(step, DATA_WRONG) from None


def read_public(link: ApduLink) -> PublicData:
    """Read 0015; `ChipRefused` with 6A80 when it holds an algorithm that is not known."""
    raw = ask_exactly(link, "read 0015", _READ_PUBLIC, 30)
    return PublicData(
        issuer=raw[:8],
        card_no=raw[10:20],
        start=raw[20:24],
        expiry=raw[24:28],
        key_version=raw[28],
        algorithm=card_algorithm(raw[29], "read 0015"),
    )


def read_rule(link: ApduLink) -> BuyingRule:
    """Read 001C; a card without that file has no rule."""
    try:
        raw = ask_exactly(link, "read 001C", _READ_RULE, 6)
    except ChipRefused as error:
        if error.sw != StatusWord.FILE_NOT_FOUND:
            raise
        return BuyingRule()
    return BuyingRule(grades=int.from_bytes(raw[:2], "big"), most_fen=int.from_bytes(raw[2:], "big"))


def read_holder(link: ApduLink) -> HolderClass:
    """Read the class of the holder, the first byte of 0016."""
    raw = ask_exactly(link, "read 0016", _READ_HOLDER, 1)
    try:
        return HolderClass(raw[0])
    except ValueError:
        raise ChipRefused("read 0016", DATA_WRONG) from None


def read_ride(link: ApduLink, record_id: int) -> RideState | None:
    """Read the ride record of 001A; None when the card never rode."""
    command = bytes((0x00, 0xB2, record_id, 0xD0, RIDE_SIZE + 2))
    raw = ask_exactly(link, "read 001A", command, RIDE_SIZE + 2)
    try:
        return decode_ride(raw[2:])
    except Usage:
        raise ChipRefused("read 001A", DATA_WRONG) from None
