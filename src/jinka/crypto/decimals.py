"""Making digits of a cryptogram, as PIN and card values need them.

The scan of Visa and Mastercard (EMV Book 2, A1.4.2 uses it too): first the digits in order, then the letters A to F
as 0 to 5. The result is biased towards 0 to 5 by design of the standards. Not here: the table of IBM 3624.
"""

from __future__ import annotations

_LETTERS = str.maketrans("", "", "abcdef")
_AS_DIGITS = str.maketrans("abcdef", "012345", "0123456789")


def decimalise(data: bytes, count: int) -> str:
    """The first ``count`` digits of ``data``; at most two for each byte."""
    text = data.hex()
    return (text.translate(_LETTERS) + text.translate(_AS_DIGITS))[:count]
