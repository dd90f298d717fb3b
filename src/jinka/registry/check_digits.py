"""Check digits: the Luhn formula (ISO/IEC 7812-1 annex B), ISO/IEC 7064 MOD 11-2, and the modulus 10 of GS1 numbers.

A check digit tells a slip of the pen; it is no proof that a number was ever given to anybody. Those of organisations
stand in `jinka.registry.credit_code`.
"""

from __future__ import annotations


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
