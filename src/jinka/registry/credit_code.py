"""Codes of organisations: the unified social credit code (GB 32100-2015), the organisation code in it (GB 11714-1997).

Strict: both check characters, the registering department, the alphabet without I, O, S, V and Z, and a division that
begins with a province. Whether the code was ever given to anybody is a question for the register.
"""

from __future__ import annotations

from jinka.kit import Refused
from jinka.registry.divisions import check_division

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = tuple(pow(3, place, 31) for place in range(17))
_BODY_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
_BODY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_DEPARTMENTS = frozenset("123456789ANY")


def check_credit_code(code: str) -> None:
    """Refuse what is no unified social credit code of 18 characters."""
    if len(code) != 18 or any(char not in _ALPHABET for char in code):
        raise Refused("18 characters without I, O, S, V, Z", where="unified social credit code")
    if code[0] not in _DEPARTMENTS:
        raise Refused("an unknown registering department", where="unified social credit code")
    check_division(code[2:8], "unified social credit code")
    check_organisation_code(code[8:17])
    total = sum(_ALPHABET.index(char) * weight for char, weight in zip(code, _WEIGHTS, strict=False))
    if code[17] != _ALPHABET[-total % 31]:
        raise Refused("the check character is wrong", where="unified social credit code")


def check_organisation_code(code: str) -> None:
    """Refuse what is no organisation code: 8 characters and a check character, without a hyphen."""
    if len(code) != 9 or any(char not in _BODY_ALPHABET for char in code):
        raise Refused("9 characters of digits and capital letters", where="organisation code")
    total = sum(
        _BODY_ALPHABET.index(char) * weight for char, weight in zip(code[:8], _BODY_WEIGHTS, strict=True)
    )
    if code[8] != "0123456789X"[-total % 11]:
        raise Refused("the check character is wrong", where="organisation code")
