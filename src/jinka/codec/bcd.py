"""Binary-coded decimal: card numbers as 10 bytes, right-justified (JR/T 0025.2, application serial number)."""

from __future__ import annotations

from jinka.kit import Usage


def digits_to_bcd(digits: str, length: int) -> bytes:
    """Return ``digits`` right-justified in ``length`` bytes, zeros on the left.

    Raises `Usage` when they are no digits or do not fit.
    """
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 2 * length:
        raise Usage(f"not 1 to {2 * length} digits", where="bcd", fix="decimal digits only")
    return bytes.fromhex(digits.rjust(2 * length, "0"))


def bcd_to_digits(raw: bytes, count: int) -> str:
    """Return the last ``count`` digits of ``raw``; `Usage` when a nibble is not a digit or they are too few."""
    text = raw.hex()
    if not text.isdigit() or count > len(text):
        raise Usage("not BCD, or fewer digits than asked for", where="bcd")
    return text[len(text) - count :]
