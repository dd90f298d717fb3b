"""Fields of fixed length in card records: digits as BCD, dates, text, plain bytes (LD/T 33, annex of data elements).

Text is GB 18030, which contains GBK and GB 2312, filled with 00. Reading accepts the fillings of real cards: 00, FF
and blanks.
"""

from __future__ import annotations

from enum import Enum

from jinka.kit import Usage


class Coding(Enum):
    """How a field's bytes are to be read."""

    BYTES = "bytes"  # shown in hexadecimal
    DIGITS = "digits"  # BCD, two digits in a byte
    DATE = "date"  # BCD YYYYMMDD
    TEXT = "text"  # GB 18030
    NUMBER = "number"  # unsigned, the high byte first; shown in decimal


def encode_field(coding: Coding, value: str, length: int) -> bytes:
    """The value in ``length`` bytes; `Usage` when it does not fit or is not of its kind."""
    if coding is Coding.TEXT:
        raw = value.encode("gb18030")
        if len(raw) > length:
            raise Usage(f"{len(raw)} bytes in a field of {length}", where="text", fix="shorten it")
        return raw.ljust(length, b"\x00")
    if coding is Coding.NUMBER:
        if not (value.isascii() and value.isdigit() and int(value) < 256**length - 1):
            raise Usage(f"not a number of {length} bytes", where="number", fix=f"0 to {256**length - 2}")
        return int(value).to_bytes(length, "big")
    try:
        raw = bytes.fromhex(value)
    except ValueError:
        raise Usage("not hexadecimal", where=coding.value) from None
    if len(raw) != length or (coding is not Coding.BYTES and not value.isdigit()):
        raise Usage(
            f"not {2 * length} {'digits' if coding is not Coding.BYTES else 'figures'}", where=coding.value
        )
    if coding is Coding.DATE:
        _require_date(value)
    return raw


def decode_field(coding: Coding, raw: bytes) -> str:
    """The value; an empty field (all FF, or all 00 but for bytes and numbers) is the empty string. `Usage` for bytes
    that are not of the kind.
    """
    if not raw.strip(b"\xff"):
        return ""
    if coding is Coding.NUMBER:
        return str(int.from_bytes(raw, "big"))
    if not raw.strip(b"\x00") and coding is not Coding.BYTES:
        return ""
    if coding is Coding.TEXT:
        try:
            text = raw.rstrip(b"\x00\xff").decode("gb18030").strip()
        except UnicodeDecodeError:
            raise Usage("not GB 18030", where="text") from None
        if not text.isprintable():
            raise Usage("control characters", where="text")
        return text
    value = raw.hex().upper()
    if coding is not Coding.BYTES and not value.isdigit():
        raise Usage("not BCD", where=coding.value)
    if coding is Coding.DATE:
        _require_date(value)
    return value


def _require_date(value: str) -> None:
    if len(value) != 8 or not ("01" <= value[4:6] <= "12" and "01" <= value[6:] <= "31"):
        raise Usage("no date", where="date", fix="YYYYMMDD")
