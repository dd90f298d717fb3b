"""A record of a variable file that a terminal reads and an issuer writes, as an inert declaration (LD/T 33)."""

from __future__ import annotations

from dataclasses import dataclass

from jinka.codec.fields import Coding
from jinka.kit import Unit
from jinka.profile.spec import PersonalDatum


@dataclass(frozen=True, slots=True)
class DigitGroup:
    """One of several numbers that stand in one record of digits, because they are written at once."""

    digits: int
    title_en: str
    title_zh: str
    unit: Unit = Unit.NUMBER


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSpec:
    """One record: where it lies, its number (equal to its id on these cards), its length and its meaning.

    ``example`` is the whole record: id, length, value. ``personal`` says what it tells about a person;
    ``groups``, which numbers follow one another in its digits.
    """

    name: str
    fid: int
    number: int
    length: int
    coding: Coding
    title_en: str
    title_zh: str
    folder: int = 0
    example: bytes = b""
    spends: bool = False  # what is written here is what one payment paid for, and uses that payment up
    personal: PersonalDatum | None = None
    groups: tuple[DigitGroup, ...] = ()
