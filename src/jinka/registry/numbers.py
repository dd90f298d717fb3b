"""Numbers that the register gives out or takes in, checked: each function returns the number in its one written form.

ISO/IEC 7812-1 (issuers, cards), ISO/IEC 7816-5 (RID, AID), JR/T 0025 (terminals, security modules), GS1 company
prefixes, GB 32100 and GB 11714 (organisations, in `credit_code`), GB 11643 (citizens). Whatever is wrong is `Refused`
with the rule that it breaks; a number of a person or a card is not repeated in an error.
"""

from __future__ import annotations

import datetime as dt
import re
from enum import Enum

from jinka.kit import Refused
from jinka.registry.check_digits import gs1_digit, luhn_digit, mod_11_2_character
from jinka.registry.credit_code import check_credit_code, check_organisation_code
from jinka.registry.divisions import RESIDENCE_PERMITS, check_division

CARD_DIGITS = (12, 19)
RANGE_DIGITS = (12, 20)  # transit cards write up to 20 digits into 10 bytes
_FIRST_BIRTHDAY = dt.date(1850, 1, 1)
_GRANT = re.compile(r"[A-Z0-9][A-Z0-9./-]{2,39}")
_HEX = re.compile(r"[0-9A-F]*")
_RID_BYTES, _AID_BYTES_MAX = 5, 16


class AidCategory(Enum):
    """Who vouches for an AID, by its first four bits. ISO/IEC 7816-5 clause 6."""

    INTERNATIONAL = "A"
    NATIONAL = "D"
    PROPRIETARY = "F"  # nobody: it may collide with another


def issuer_number(text: str) -> str:
    """An issuer identification number of 8 digits, or of 6 as it was before 2017."""
    _digits(text, "issuer number", 6, 8)
    if len(text) == 7:
        raise Refused("7 digits", where="issuer number", fix="8 digits, or 6 from before 2017")
    if text[0] == "9" and text[1:4] == "000":
        raise Refused("no such country", where="issuer number", fix="9, then the country's three digits")
    return text


def card_number(text: str) -> str:
    """A card number whose last digit is the Luhn digit of the others."""
    _digits(text, "card number", *CARD_DIGITS)
    if luhn_digit(text[:-1]) != text[-1]:
        raise Refused("its check digit is wrong", where="card number", fix="see ISO/IEC 7812-1, annex B")
    return text


def card_range(text: str) -> tuple[str, str]:
    """``FIRST-LAST``, both of one length and both included."""
    first, dash, last = text.partition("-")
    for part in (first, last):
        _digits(part, "card range", *RANGE_DIGITS)
    if not dash or len(first) != len(last) or first > last:
        raise Refused("not a range", where="card range", fix="FIRST-LAST, of one length, both included")
    return first, last


def rid(text: str) -> str:
    """A registered application provider identifier: 10 hex digits of the international or the national category."""
    found = _hex(text, "RID")
    if len(found) != 2 * _RID_BYTES:
        raise Refused(f"{len(found)} hex digits", where="RID", fix="10 of them")
    category = _category(found, "RID")
    if category is AidCategory.PROPRIETARY:
        raise Refused(
            "no RID begins with F: what does is not registered", where="RID", fix="use it as an AID"
        )
    if not found[1:].isdigit():
        raise Refused("a letter behind the category", where="RID", fix="nine decimal digits follow it")
    if category is AidCategory.NATIONAL and found[1:4] == "000":
        raise Refused("no such country", where="RID", fix="D, then the country's three digits")
    return found


def aid(text: str) -> str:
    """An application identifier of 5 to 16 bytes: a RID and up to 11 bytes of its owner's choice, or proprietary."""
    found = _hex(text, "AID")
    if len(found) % 2 or not _RID_BYTES <= len(found) // 2 <= _AID_BYTES_MAX:
        raise Refused(f"{len(found)} hex digits", where="AID", fix="5 to 16 bytes")
    if _category(found, "AID") is not AidCategory.PROPRIETARY:
        rid(found[: 2 * _RID_BYTES])
    return found


def rid_of(checked_aid: str) -> str | None:
    """The RID of an AID; None for a proprietary one."""
    return None if checked_aid[0] == AidCategory.PROPRIETARY.value else checked_aid[: 2 * _RID_BYTES]


def terminal_number(text: str) -> str:
    """6 bytes as 12 hex digits, not all zeros."""
    return _identifier(text, "terminal number", 6)


def psam_number(text: str) -> str:
    """10 bytes as 20 hex digits, not all zeros."""
    return _identifier(text, "PSAM number", 10)


def centre_code(text: str) -> str:
    """A centre: the division that it serves and two digits that tell its centres apart (44030001)."""
    _digits(text, "centre", 8, 8)
    check_division(text[:6], "centre")
    return text


def company_prefix(text: str) -> str:
    """A GS1 company prefix of 4 to 12 digits."""
    _digits(text, "company prefix", 4, 12)
    if text[0] == "2" or text[:3] in ("000", "977", "978", "979"):
        raise Refused("this block is given to no company", where="company prefix", fix="690 to 699 in China")
    return text


def gs1_number(text: str) -> str:
    """A GTIN (8, 12, 13, 14 digits), a GLN (13) or an SSCC (18) with its check digit."""
    if len(text) not in (8, 12, 13, 14, 18):
        raise Refused(f"{len(text)} digits", where="GS1 number", fix="8, 12, 13, 14 or 18")
    _digits(text, "GS1 number", 8, 18)
    if gs1_digit(text[:-1]) != text[-1]:
        raise Refused("its check digit is wrong", where="GS1 number", fix="copy it again")
    return text


def organisation_code(text: str) -> str:
    """A unified social credit code of 18 characters, or the organisation code of 9 from before 2015."""
    found = text.strip().upper()
    if len(found) == 18:
        check_credit_code(found)
        return found
    found = found.replace("-", "", 1) if found[8:9] == "-" else found
    check_organisation_code(found)
    return found


def citizen_number(text: str, *, today: dt.date) -> str:
    """A citizen's number of 18 characters: division, birthday, order, check character.

    The birthday may not lie after ``today``. Numbers of 15 digits are invalid since 2013.
    """
    where = "citizen number"
    found = text.strip().upper()
    if len(found) == 15:
        raise Refused("15 digits: invalid since 2013", where=where, fix="use the number of 18 characters")
    if len(found) != 18 or not (found[:17].isascii() and found[:17].isdigit()):
        raise Refused("17 digits and a check character", where=where)
    if mod_11_2_character(found[:17]) != found[17]:
        raise Refused("its check character is wrong", where=where, fix="see GB 11643")
    if found[:6] not in RESIDENCE_PERMITS:
        check_division(found[:6], where, county=True)
    try:
        birthday = dt.date(int(found[6:10]), int(found[10:12]), int(found[12:14]))
    except ValueError:
        raise Refused("its birthday is no day", where=where) from None
    if not _FIRST_BIRTHDAY <= birthday <= today:
        raise Refused("its birthday lies ahead, or too far back", where=where)
    if found[14:17] == "000":
        raise Refused("its order number is 000", where=where)
    return found


def _identifier(text: str, where: str, size: int) -> str:
    found = _hex(text, where)
    if len(found) != 2 * size or not found.strip("0"):
        raise Refused("not the number of a device", where=where, fix=f"{2 * size} hex digits, not all 0")
    return found


def _category(found: str, where: str) -> AidCategory:
    try:
        return AidCategory(found[:1])
    except ValueError:
        raise Refused(
            "the first four bits name no category in use", where=where, fix="A (international), D or F"
        ) from None


def _hex(text: str, where: str) -> str:
    found = text.strip().upper()
    if not _HEX.fullmatch(found):
        raise Refused("not hex digits", where=where)
    return found


def _digits(text: str, where: str, low: int, high: int) -> None:
    if not (text.isascii() and text.isdigit()):
        raise Refused("not digits", where=where, fix="digits alone, without blanks")
    if not low <= len(text) <= high:
        raise Refused(f"{len(text)} digits", where=where, fix=f"{low} to {high} of them")


def grant_number(text: str) -> str:
    """The number on a licence, certificate or approval, as whoever gave it wrote it; in capitals."""
    found = text.strip().upper()
    if not _GRANT.fullmatch(found):
        raise Refused("not the number of a document", where="number", fix="A-Z, 0-9, . / and -, 3 to 40")
    return found
