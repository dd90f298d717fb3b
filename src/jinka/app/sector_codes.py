"""Check characters that public standards publish examples of, by name, for the worked cases of sectors.

Each function takes a number without its last character and gives that character. GB 11643 (citizens), GB 32100 and
GB 11714 (organisations), ICAO Doc 9303-3 (zones of travel documents), GS1 keys, ISO/IEC 7812-1 (cards),
ISO 6346 (containers), UPU S10 (postal items).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from jinka.codec.mrz import check_digit as zone_digit
from jinka.kit import NotFound, Refused, Usage
from jinka.registry.check_digits import (
    container_digit,
    gs1_digit,
    luhn_digit,
    mod_11_2_character,
    postal_digit,
)
from jinka.registry.credit_code import check_credit_code, check_organisation_code

_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _accepted(check: Callable[[str], None]) -> Callable[[str], str]:
    """The one character with which a check passes."""

    def find(body: str) -> str:
        for character in _CHARACTERS:
            try:
                check(body + character)
            except Refused:
                continue
            return character
        raise Refused("no character makes it right", where="check character")

    return find


CODES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "gb11643": mod_11_2_character,
        "gb11714": _accepted(check_organisation_code),
        "gb32100": _accepted(check_credit_code),
        "icao9303": zone_digit,
        "gs1": gs1_digit,
        "iso7812": luhn_digit,
        "iso6346": container_digit,
        "upu-s10": postal_digit,
    }
)


def check_character(code: str, body: str) -> str:
    """The check character of ``body`` by the standard ``code``; `NotFound` for a standard that is not here,
    `Usage` for what is no number of it.
    """
    if code not in CODES:
        raise NotFound(f"no check {code!r}", where="worked case", fix="one of " + ", ".join(CODES))
    try:
        return CODES[code](body)
    except (ValueError, IndexError):
        raise Usage(f"no number of {code}", where="worked case", fix="see the standard") from None
