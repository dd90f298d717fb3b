"""GS1 application identifiers: what their values look like in a barcode and in a tag.

GS1 Tag Data Standard 2.3, tables F and K; GS1 General Specifications 24, 3.2 and figure 7.8.5-2 (which of them have a
predefined length and therefore need no FNC1 behind them). A value has one component or two. What a value means, and
whether two of them may stand together, is not here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from functools import cache


class Coding(Enum):
    """How a component is written in bits (TDS 14.5); in a barcode it is its characters."""

    DIGITS = "14.5.4"  # four bits for each digit
    NUMBER = "14.5.2"  # all digits as one number of a fixed number of bits
    TEXT = "14.5.6"  # encoding indicator, length, characters
    NUMERIC = "14.5.13"  # length, then all digits as one number
    DELIMITED = "14.5.5"  # leading digits, then what TEXT does
    BIT = "14.5.7"
    DATE = "14.5.8"
    MINUTE = "14.5.9"
    DATES = "14.5.10"
    TIME = "14.5.11"
    COUNTRY = "14.5.12"
    MINUS = "14.5.14"
    SEQUENCE = "14.5.15"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """``length`` is exact for DIGITS and NUMBER and the greatest for TEXT, NUMERIC and DELIMITED."""

    coding: Coding
    length: int = 0
    optional: bool = False
    narrow: bool = False  # of the 39 characters of component and part identifiers alone

    @property
    def grammar(self) -> str:
        """A regular expression of its characters."""
        return _GRAMMARS[self.coding].format(self.length, letters=_SET_39 if self.narrow else _SET_82)

    @property
    def words(self) -> str:
        """The same for a person."""
        letters = "capital letters, digits, #, - and /" if self.narrow else "characters of the GS1 set"
        return _WORDS[self.coding].format(self.length, letters=letters)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplicationIdentifier:
    """One application identifier. ``check`` is the position behind its check digit, 0 where it has none."""

    ai: str
    components: tuple[Component, ...]
    check: int = 0
    ends_itself: bool = False  # predefined length: no FNC1

    @property
    def grammar(self) -> str:
        """A regular expression of a value, a group for each component."""
        return "".join(f"({part.grammar})" + "?" * part.optional for part in self.components)

    @property
    def words(self) -> str:
        """The same for a person."""
        return ", then ".join(part.words + " or nothing" * part.optional for part in self.components)


_SET_82, _SET_39 = r"[!\"%-?A-Z_a-z]", r"[#\-/0-9A-Z]"
_DATE = "[0-9]{{2}}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01])"
_HOUR = "(?:[01][0-9]|2[0-4])"
_MINUTE = "[0-5][0-9]"
_GRAMMARS = {
    Coding.DIGITS: "[0-9]{{{}}}",
    Coding.NUMBER: "[0-9]{{{}}}",
    Coding.TEXT: "{letters}{{1,{}}}",
    Coding.NUMERIC: "[0-9]{{1,{}}}",
    Coding.DELIMITED: "(?=[0-9]){letters}{{1,{}}}",
    Coding.BIT: "[01]",
    Coding.DATE: _DATE,
    Coding.MINUTE: _DATE + _HOUR + _MINUTE,
    Coding.DATES: f"{_DATE}(?:{_DATE})?",
    Coding.TIME: f"{_DATE}(?:{_HOUR}(?:{_MINUTE}(?:{_MINUTE})?)?)?",
    Coding.COUNTRY: "[A-Z]{{2}}",
    Coding.MINUS: "-?",
    Coding.SEQUENCE: "[1-9]/[1-9]",
}
_WORDS = {
    Coding.DIGITS: "{} digits",
    Coding.NUMBER: "{} digits",
    Coding.TEXT: "1 to {} {letters}",
    Coding.NUMERIC: "1 to {} digits",
    Coding.DELIMITED: "1 to {} {letters}, of which the first is a digit",
    Coding.BIT: "0 or 1",
    Coding.DATE: "a date YYMMDD",
    Coding.MINUTE: "a date and time YYMMDDhhmm",
    Coding.DATES: "a date YYMMDD or two of them",
    Coding.TIME: "a date YYMMDD with hh, hhmm or hhmmss or without",
    Coding.COUNTRY: "the two capital letters of a country",
    Coding.MINUS: "a minus or nothing",
    Coding.SEQUENCE: "a sequence such as 1/2",
}

_MEASURES = " ".join(
    f"{first}0-{first}5" for first in (*range(310, 317), *range(320, 338), *range(340, 358), *range(360, 370))
)
# Components, and the application identifiers that have them; a range stands for all numbers in it.
_TABLE: tuple[tuple[tuple[tuple[Coding, int], ...], str], ...] = (
    (((Coding.DIGITS, 2),), "7241"),
    (((Coding.DIGITS, 13),), "410-417"),
    (((Coding.DIGITS, 14),), "01-02"),
    (((Coding.DIGITS, 18),), "00 8006 8017-8018 8026"),
    (((Coding.DIGITS, 13), (Coding.TEXT, 17)), "253"),
    (((Coding.DIGITS, 13), (Coding.NUMERIC, 12)), "255"),
    (((Coding.DIGITS, 14), (Coding.TEXT, 16)), "8003"),
    (((Coding.NUMBER, 1),), "7252"),
    (((Coding.NUMBER, 2),), "20"),
    (((Coding.NUMBER, 3),), "422 424 426"),
    (((Coding.NUMBER, 4),), "3940-3943 8111"),
    (((Coding.NUMBER, 6),), f"{_MEASURES} 3950-3953 8005"),
    (((Coding.NUMBER, 8),), "7250"),
    (((Coding.NUMBER, 12),), "7251"),
    (((Coding.NUMBER, 13),), "7001"),
    (((Coding.NUMBER, 14),), "8001"),
    (((Coding.NUMBER, 17),), "402"),
    (((Coding.NUMBER, 20),), "4309"),
    (((Coding.NUMBER, 3), (Coding.NUMERIC, 15)), "3910-3919 3930-3939"),
    (((Coding.NUMBER, 3), (Coding.TEXT, 9)), "421"),
    (((Coding.NUMBER, 3), (Coding.TEXT, 27)), "7030-7039"),
    (((Coding.NUMBER, 6), (Coding.MINUS, 1)), "4330-4333"),
    (((Coding.TEXT, 2),), "7010"),
    (((Coding.TEXT, 3),), "427 7008"),
    (((Coding.TEXT, 4),), "7040-7041"),
    (((Coding.TEXT, 10),), "7009 7255"),
    (((Coding.TEXT, 12),), "7005"),
    (((Coding.TEXT, 20),), "10 21-22 243 254 420 710-716 4318 7020-7022 7240 8002 8012"),
    (((Coding.TEXT, 24),), "8007"),
    (((Coding.TEXT, 25),), "7242 8013 8020"),
    (((Coding.TEXT, 28),), "235"),
    (((Coding.TEXT, 30),), "90 240-241 250-251 400-401 403 4308 4319 7002 7230-7239"),
    (((Coding.TEXT, 35),), "4300-4301 4310-4311 4320"),
    (((Coding.TEXT, 40),), "7253-7254 7259"),
    (((Coding.TEXT, 50),), "8009"),
    (((Coding.TEXT, 70),), "4302-4306 4312-4316 7257 8110 8112 8200"),
    (((Coding.TEXT, 90),), "91-99 7256 8030"),
    (((Coding.NUMERIC, 4),), "7004"),
    (((Coding.NUMERIC, 6),), "242"),
    (((Coding.NUMERIC, 8),), "30 37"),
    (((Coding.NUMERIC, 10),), "8019"),
    (((Coding.NUMERIC, 12),), "8011"),
    (((Coding.NUMERIC, 15),), "423 425 3900-3909 3920-3929"),
    (((Coding.DELIMITED, 30),), "7023 8004 8010"),
    (((Coding.BIT, 1),), "4321-4323"),
    (((Coding.DATE, 6),), "11-13 15-17 4326 7006"),
    (((Coding.MINUTE, 10),), "4324-4325 7003"),
    (((Coding.DATES, 12),), "7007"),
    (((Coding.TIME, 12),), "7011 8008"),
    (((Coding.COUNTRY, 2),), "4307 4317"),
    (((Coding.SEQUENCE, 3),), "7258"),
)

# General Specifications, figure 7.8.5-2: a value whose identifier begins so has a predefined length.
_PREDEFINED = (
    "00",
    "01",
    "02",
    "11",
    "12",
    "13",
    "15",
    "16",
    "17",
    "20",
    "31",
    "32",
    "33",
    "34",
    "35",
    "36",
    "41",
)
# Where a check digit by weights 3 and 1 is the last digit of a key.
_CHECKED = {
    "00": 18, "01": 14, "02": 14, "253": 13, "255": 13, "402": 17, "8003": 14, "8006": 14, "8017": 18, "8018": 18,
    "8026": 14, **{str(ai): 13 for ai in range(410, 418)},
}  # fmt: skip
_OPTIONAL = frozenset({"253", "255", "8003"})  # their serial may be absent


def _spread(words: str) -> list[str]:
    found: list[str] = []
    for word in words.split():
        first, _, last = word.partition("-")
        found += [str(n).zfill(len(first)) for n in range(int(first), int(last or first) + 1)]
    return found


def _identifiers() -> dict[str, ApplicationIdentifier]:
    made: dict[str, ApplicationIdentifier] = {}
    for components, words in _TABLE:
        for ai in _spread(words):
            parts = tuple(
                Component(
                    coding=coding, length=length, optional=bool(at) and ai in _OPTIONAL, narrow=ai == "8010"
                )
                for at, (coding, length) in enumerate(components)
            )
            made[ai] = ApplicationIdentifier(
                ai=ai, components=parts, check=_CHECKED.get(ai, 0), ends_itself=ai.startswith(_PREDEFINED)
            )
    return made


IDENTIFIERS = _identifiers()


@cache
def fits(ai: str) -> Callable[[str], object]:
    """A function that says whether a value may stand behind ``(ai)``, its check digit aside."""
    return re.compile(IDENTIFIERS[ai].grammar).fullmatch


# Table K: how many digits an application identifier has follows from its first two.
AI_LENGTHS = {ai[:2]: len(ai) for ai in IDENTIFIERS}
