"""Check digits of GS1 keys: weights 3 and 1 in turn from the right (GS1 General Specifications, 7.9.1).

Sums are taken four digits at a time from one small table, since translating an identity costs little else. What is
given has to be decimal digits in ASCII; callers match that first. Check characters of other kinds (GMN, price checks)
are not here.
"""

from __future__ import annotations

from jinka.codec.tags.faults import WrongCheckDigit

# Weighted sum modulo 10 of a group of four digits; its last digit weighs 3, so groups are cut from the right.
_SUMS = bytes((n // 1000 + 3 * (n // 100) + n // 10 % 10 + 3 * (n % 10)) % 10 for n in range(10_000))


def check_digit(digits: str) -> str:
    """Return the digit that belongs behind ``digits`` (ASCII digits, at least one)."""
    high, low = divmod(int(digits), 100_000_000)
    total = _SUMS[low // 10_000] + _SUMS[low % 10_000]
    while high:
        total += _SUMS[high % 10_000]
        high //= 10_000
    return _DIGITS[total % 10]


def check_key(key: str, where: str) -> None:
    """Raise `WrongCheckDigit` unless the last digit of ``key`` is the check digit of those before it."""
    expected = check_digit(key[:-1])
    if key[-1] != expected:
        raise WrongCheckDigit(
            f"check digit {key[-1]} is wrong", where=where, fix=f"{expected} belongs behind {key[:-1]}"
        )


_DIGITS = tuple(str(-n % 10) for n in range(10))
