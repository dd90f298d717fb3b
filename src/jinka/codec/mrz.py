"""The machine readable zone of travel documents: TD1, TD2 and TD3 (ICAO Doc 9303-3, -4, -5, -6), read and written.

A value holds the fields without fillers; writing puts fillers and check digits in. Dates stay six digits, because the
zone does not say the century. Transliteration of names is not done here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from jinka.kit import Usage

FILLER = "<"
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_WEIGHTS = (7, 3, 1)
_NUMBER = 9


class MrzFormat(Enum):
    """(lines, characters in a line)."""

    TD1 = (3, 30)
    TD2 = (2, 36)
    TD3 = (2, 44)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mrz:
    """``given_names`` are separated by spaces; ``optional`` holds the optional data, of TD1 on both lines."""

    format: MrzFormat
    document_type: str
    issuer: str
    number: str
    nationality: str
    surname: str
    given_names: str
    birth: str
    sex: str
    expiry: str
    optional: str = ""
    optional_2: str = ""

    def __repr__(self) -> str:
        return f"Mrz({self.format.name}, {self.issuer}, ..{self.number[-2:]})"

    @property
    def information(self) -> bytes:
        """Number, birth and expiry with their check digits: the seed of the access keys (Doc 9303-11, 9.7.2)."""
        number = self.number.ljust(_NUMBER, FILLER)
        return "".join(text + check_digit(text) for text in (number, self.birth, self.expiry)).encode()

    def lines(self) -> tuple[str, ...]:
        """The zone, line by line; `Usage` when a field does not fit."""
        if self.format is MrzFormat.TD1:
            return self._td1()
        return self._two_lines()

    def _td1(self) -> tuple[str, ...]:
        first = _field(self.document_type, 2) + _field(self.issuer, 3) + self._number(15)
        second = self._birth_to_expiry("") + _field(self.nationality, 3) + _field(self.optional_2, 11)
        check = check_digit(first[5:] + second[:7] + second[8:15] + second[18:])
        return first, second + check, _field(_names(self), 30)

    def _two_lines(self) -> tuple[str, ...]:
        _, width = self.format.value
        first = _field(self.document_type, 2) + _field(self.issuer, 3) + _field(_names(self), width - 5)
        if self.format is MrzFormat.TD3:
            optional = _field(self.optional, 14)
            number = _field(self.number, _NUMBER) + check_digit(_field(self.number, _NUMBER))
            tail = optional + (FILLER if not self.optional else check_digit(optional))
        else:
            whole = self._number(7)
            number, tail = whole[:10], whole[10:]
        second = number + self._birth_to_expiry(_field(self.nationality, 3)) + tail
        check = check_digit(second[:10] + second[13:20] + second[21:])
        return first, second + check

    def _birth_to_expiry(self, nationality: str) -> str:
        birth, expiry = _digits(self.birth), _digits(self.expiry)
        sex = self.sex or FILLER
        return nationality + birth + check_digit(birth) + sex + expiry + check_digit(expiry)

    def _number(self, room: int) -> str:
        """Number, check digit and optional data; a number of more than nine characters runs into the latter."""
        if len(self.number) <= _NUMBER:
            number = _field(self.number, _NUMBER)
            return number + check_digit(number) + _field(self.optional, room)
        rest = self.number[_NUMBER:] + check_digit(self.number) + FILLER + self.optional
        return self.number[:_NUMBER] + FILLER + _field(rest.rstrip(FILLER), room)


def check_digit(text: str) -> str:
    """Weights 7 3 1 modulo 10; A is 10, Z is 35, a filler 0 (Doc 9303-3, 4.9). `Usage` for another character."""
    total = 0
    for at, character in enumerate(text):
        value = 0 if character == FILLER else _ALPHABET.find(character)
        if value < 0:
            raise Usage(f"character {at + 1} is not allowed in the zone", where="MRZ", fix="A-Z, 0-9 and <")
        total += value * _WEIGHTS[at % 3]
    return str(total % 10)


def parse_mrz(text: str) -> Mrz:
    """Read a zone of known size (lines with or without breaks) and check every digit; `Usage` names the first error."""
    plain = "".join(text.split())
    for known in MrzFormat:
        lines, width = known.value
        if len(plain) == lines * width:
            rows = tuple(plain[at : at + width] for at in range(0, len(plain), width))
            return _td1(rows) if known is MrzFormat.TD1 else _two_lines(known, rows)
    raise Usage(f"{len(plain)} characters", where="MRZ", fix="90 for TD1, 72 for TD2, 88 for TD3")


def _td1(rows: tuple[str, ...]) -> Mrz:
    first, second, third = rows
    number, optional = _read_number(first[5:14], first[14], first[15:30])
    _check("composite", first[5:] + second[:7] + second[8:15] + second[18:29], second[29])
    _check("birth", second[:6], second[6])
    _check("expiry", second[8:14], second[14])
    surname, given = _read_names(third)
    return Mrz(
        format=MrzFormat.TD1,
        document_type=first[:2].rstrip(FILLER),
        issuer=first[2:5].rstrip(FILLER),
        number=number,
        nationality=second[15:18].rstrip(FILLER),
        surname=surname,
        given_names=given,
        birth=second[:6],
        sex=second[7].rstrip(FILLER),
        expiry=second[8:14],
        optional=optional,
        optional_2=second[18:29].rstrip(FILLER),
    )


def _two_lines(known: MrzFormat, rows: tuple[str, ...]) -> Mrz:
    first, second = rows
    if known is MrzFormat.TD3:
        number, optional = second[:9].rstrip(FILLER), second[28:42].rstrip(FILLER)
        _check("document number", second[:9], second[9])
        if second[42] != FILLER or optional:
            _check("optional data", second[28:42], second[42])
    else:
        number, optional = _read_number(second[:9], second[9], second[28:35])
    _check("birth", second[13:19], second[19])
    _check("expiry", second[21:27], second[27])
    _check("composite", second[:10] + second[13:20] + second[21:-1], second[-1])
    surname, given = _read_names(first[5:])
    return Mrz(
        format=known,
        document_type=first[:2].rstrip(FILLER),
        issuer=first[2:5].rstrip(FILLER),
        number=number,
        nationality=second[10:13].rstrip(FILLER),
        surname=surname,
        given_names=given,
        birth=second[13:19],
        sex=second[20].rstrip(FILLER),
        expiry=second[21:27],
        optional=optional,
    )


def _read_number(nine: str, check: str, optional: str) -> tuple[str, str]:
    """(number, optional data), the long form included (Doc 9303-5, 4.2.2.1 note j)."""
    if check != FILLER:
        _check("document number", nine, check)
        return nine.rstrip(FILLER), optional.rstrip(FILLER)
    rest, _, after = optional.partition(FILLER)
    if len(rest) < 2:
        raise Usage("the long document number has no check digit", where="MRZ, document number")
    _check("document number", nine + rest[:-1], rest[-1])
    return nine + rest[:-1], after.rstrip(FILLER)


def _check(name: str, text: str, digit: str) -> None:
    if check_digit(text) != digit:
        raise Usage("the check digit is wrong", where=f"MRZ, {name}", fix="read the zone again")


def _read_names(text: str) -> tuple[str, str]:
    check_digit(text)  # for its alphabet
    surname, _, given = text.rstrip(FILLER).partition(FILLER * 2)
    return surname.replace(FILLER, " "), given.replace(FILLER, " ")


def _names(value: Mrz) -> str:
    names = value.surname + FILLER * 2 + value.given_names if value.given_names else value.surname
    return names.replace(" ", FILLER)


def _field(text: str, width: int) -> str:
    if len(text) > width:
        raise Usage(f"{len(text)} characters in a field of {width}", where="MRZ", fix="shorten it")
    check_digit(text)
    return text.ljust(width, FILLER)


def _digits(text: str) -> str:
    if len(text) != 6 or not (text.isascii() and text.replace(FILLER, "0").isdigit()):
        raise Usage("a date has six digits", where="MRZ", fix="YYMMDD")
    return text
