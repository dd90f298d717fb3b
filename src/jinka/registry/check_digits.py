"""Check digits: the Luhn formula (ISO/IEC 7812-1 annex B), ISO/IEC 7064 MOD 11-2, the modulus 10 of GS1 numbers,
postal items (UPU S10) and freight containers (ISO 6346).

A check digit tells a slip of the pen; it is no proof that a number was ever given to anybody. Those of organisations
stand in `jinka.registry.credit_code`.
"""

from __future__ import annotations

_POSTAL_WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
_LETTER_VALUES = (10, *range(12, 22), *range(23, 33), *range(34, 39))  # multiples of 11 are left out


def luhn_digit(body: str) -> str:
    """The digit that follows ``body``, digits all."""
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (2 - place % 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def mod_11_2_character(body: str) -> str:
    """The character that follows ``body``: a digit, or X for ten."""
    rest = 0
    for digit in body:
        rest = (rest + int(digit)) * 2 % 11
    return "0123456789X"[(12 - rest) % 11]


def gs1_digit(body: str) -> str:
    """The digit that follows ``body`` in a GTIN, a GLN or an SSCC."""
    total = sum(int(digit) * (3 - 2 * (place % 2)) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def postal_digit(body: str) -> str:
    """The digit that follows the 8 digits of a postal item's number (UPU S10, 4.2)."""
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(body, _POSTAL_WEIGHTS, strict=True)) % 11
    return {10: "0", 11: "5"}.get(rest, str(rest))


def container_digit(body: str) -> str:
    """The digit that follows a container's 4 letters and 6 digits (ISO 6346, annex A)."""
    values = [int(sign) if sign.isdigit() else _LETTER_VALUES[ord(sign) - ord("A")] for sign in body]
    return str(sum(value << place for place, value in enumerate(values)) % 11 % 10)
