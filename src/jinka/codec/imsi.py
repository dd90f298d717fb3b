"""The IMSI on a USIM: length, then digits with swapped nibbles behind one of parity (3GPP TS 31.102, 4.2.2)."""

from __future__ import annotations

from jinka.kit import Usage

SIZE = 9
_DIGITS_MAX = 15


def encode_imsi(imsi: str) -> bytes:
    """Nine bytes; `Usage` when it is not 6 to 15 digits."""
    if not (imsi.isascii() and imsi.isdigit() and 6 <= len(imsi) <= _DIGITS_MAX):
        raise Usage("not 6 to 15 digits", where="IMSI")
    nibbles = ("9" if len(imsi) % 2 else "1") + imsi
    nibbles += "F" * (len(nibbles) % 2)
    body = bytes.fromhex(_swapped(nibbles))
    return (bytes((len(body),)) + body).ljust(SIZE, b"\xff")


def decode_imsi(raw: bytes) -> str:
    """The digits; `Usage` when the bytes hold none."""
    if len(raw) != SIZE or not 1 <= raw[0] < SIZE:
        raise Usage("not the nine bytes of an IMSI", where="IMSI")
    nibbles = _swapped(raw[1 : 1 + raw[0]].hex())
    digits = nibbles[1:].removesuffix("f")
    parity = "9" if len(digits) % 2 else "1"
    if nibbles[0] != parity or not digits.isdigit():
        raise Usage("not digits, or of another parity", where="IMSI")
    return digits


def _swapped(nibbles: str) -> str:
    return "".join(nibbles[at + 1] + nibbles[at] for at in range(0, len(nibbles), 2))
