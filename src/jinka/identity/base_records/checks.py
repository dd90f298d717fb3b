"""Values of fields, checked and brought into their one written form. What is wrong is `Refused` without the value.

Citizens GB 11643, organisations GB 32100, divisions GB/T 2260, applications ISO/IEC 7816-5 (by `jinka.registry`);
plates GA 36; vehicles ISO 3779 with the check digit that GB 16735 demands in place 9 (ISO 3779 itself leaves that place
free, so a vehicle of a market without the digit is refused here). Plates of embassies, consulates and the armed forces
follow other rules and are not known. A card number has no check digit here: transit cards have none.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from jinka.identity.base_records.fields import FieldSpec, FieldType, Ref
from jinka.kit import Refused
from jinka.registry.divisions import check_division
from jinka.registry.numbers import aid, citizen_number, organisation_code

TEXT_MAX = 200
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"
_SERIAL = "0-9A-HJ-NP-Z"  # letters without I and O
_PLATE = re.compile(
    rf"[{_PROVINCES}][A-HJ-NP-Z](?:"
    rf"[{_SERIAL}]{{5}}"  # cars
    rf"|[{_SERIAL}]{{4}}[挂学警港澳]"  # trailers, learners, police, Hong Kong and Macau
    rf"|[A-HJK][{_SERIAL}][0-9]{{4}}"  # new energy, small
    rf"|[0-9]{{5}}[A-HJK])"  # new energy, large
)
_MOBILE = re.compile(r"1[3-9][0-9]{9}")
_CARD = re.compile(r"[0-9]{12,20}")  # transit cards write up to 20, and have no check digit
_COUNT = re.compile(r"0|[1-9][0-9]{0,17}")
_VIN = re.compile(r"[0-9A-HJ-NPR-Z]{17}")
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_VIN_VALUES = {
    **{str(digit): digit for digit in range(10)},
    **dict(zip("ABCDEFGHJKLMNPRSTUVWXYZ", (*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)), strict=True)),
}


def checked(spec: FieldSpec, text: str, *, today: dt.date) -> str:
    """The value in its one written form; raises `Refused`, which never repeats it."""
    if len(text) > TEXT_MAX:
        raise Refused(f"longer than {TEXT_MAX} characters", where=spec.name)
    found = text.strip()
    if not found or not found.isprintable():
        raise Refused("empty, or not printable", where=spec.name)
    if spec.type is FieldType.WORD:
        if found not in spec.words:
            raise Refused("not a word of this field", where=spec.name, fix=f"one of {', '.join(spec.words)}")
        return found
    if spec.type is FieldType.REFERENCE:
        target = Ref.parse(found, where=spec.name)
        if target.kind != spec.target:
            raise Refused(f"not a {spec.target}", where=spec.name, fix=f"{spec.target}:number")
        return str(target)
    if spec.type is FieldType.CITIZEN:
        return citizen_number(found, today=today)
    return _CHECKS[spec.type](found, spec.name)


def plate(text: str, where: str = "plate") -> str:
    """A vehicle's plate, without the dot behind its second character."""
    found = text.upper().replace("·", "").replace(" ", "")
    if not _PLATE.fullmatch(found):
        raise Refused(
            "not a plate",
            where=where,
            fix="see GA 36: province, letter, 5 characters (6 of new energy), no I and O",
        )
    return found


def vin(text: str, where: str = "vin") -> str:
    """A vehicle identification number: 17 characters without I, O and Q, the ninth a check digit."""
    found = text.upper()
    if not _VIN.fullmatch(found):
        raise Refused("17 characters without I, O and Q", where=where, fix="see ISO 3779")
    total = sum(_VIN_VALUES[char] * weight for char, weight in zip(found, _VIN_WEIGHTS, strict=True))
    if found[8] != "0123456789X"[total % 11]:
        raise Refused("its check digit (place 9) is wrong", where=where, fix="see GB 16735")
    return found


def _text(text: str, where: str) -> str:  # noqa: ARG001 the shape of a check
    return text


def _date(text: str, where: str) -> str:
    try:
        found = dt.date.fromisoformat(text) if len(text) == 10 else None
    except ValueError:
        found = None
    if found is None or found.year < 1850:
        raise Refused("not a day", where=where, fix="YYYY-MM-DD")
    return found.isoformat()


def _matching(pattern: re.Pattern[str], what: str) -> Callable[[str, str], str]:
    def check(text: str, where: str) -> str:
        if not (text.isascii() and pattern.fullmatch(text)):
            raise Refused(f"not {what}", where=where)
        return text

    return check


def _division(text: str, where: str) -> str:
    check_division(text, where)
    return text


_CHECKS: Mapping[FieldType, Callable[[str, str], str]] = MappingProxyType(
    {
        FieldType.TEXT: _text,
        FieldType.DATE: _date,
        FieldType.COUNT: _matching(_COUNT, "a whole number"),
        FieldType.ORGANISATION: lambda text, where: organisation_code(text),  # noqa: ARG005
        FieldType.DIVISION: _division,
        FieldType.PLATE: plate,
        FieldType.VIN: vin,
        FieldType.MOBILE: _matching(_MOBILE, "a mobile number of 11 digits"),
        FieldType.CARD: _matching(_CARD, "a card number of 12 to 20 digits"),
        FieldType.AID: lambda text, where: aid(text),  # noqa: ARG005
    }
)
