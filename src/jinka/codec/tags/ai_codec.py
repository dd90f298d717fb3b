"""Values of application identifiers to bits and back.

GS1 Tag Data Standard 2.3, 14.5.2 to 14.5.15, after the components in `jinka.codec.tags.ai_table`. Of the six
encodings of a text (14.5.6, table E) `write_value` takes the shortest.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Sequence

from jinka.codec.tags.ai_table import Coding, Component
from jinka.codec.tags.bits import BitReader, BitWriter
from jinka.codec.tags.faults import TagError, at_bits

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CODE_40 = " ABCDEFGHIJKLMNOPQRSTUVWXYZ-.:0123456789"  # index 0 fills up a group of three
_GS1_SET = re.compile(r"[!-#%-?A-Z_a-z]+").fullmatch  # table 14-9: those of 82 and those of 39
_UPPER_HEX, _LOWER_HEX = "0123456789ABCDEF", "0123456789abcdef"
# Table E: encoding indicator, and its characters.
_NUMBER, _UPPER, _LOWER, _URI, _ASCII, _CODE_40 = range(6)
_MEMBERS = (
    (_NUMBER, re.compile("[0-9]+")),
    (_UPPER, re.compile("[0-9A-F]+")),
    (_LOWER, re.compile("[0-9a-f]+")),
    (_URI, re.compile("[0-9A-Za-z_-]+")),
    (_CODE_40, re.compile("[0-9A-Z.:-]+")),
    (_ASCII, re.compile(r"[!-~]+")),
)
_DELIMITER, _TERMINATOR = 14, 15
_TIMES = ((8, 0b00), (10, 0b01), (12, 0b10), (6, 0b11))  # digits of 14.5.11 and what says so


def number_bits(digits: int) -> int:
    """Bits that hold every number of so many digits (table B)."""
    return int(10**digits - 1).bit_length()


def read_value(components: Sequence[Component], reader: BitReader, *, whole: bool = False) -> str:
    """Read the components of a value; ``whole`` wants the optional ones as well. Raises `TagError` at the bit."""
    return "".join(_read(part, reader, empty=part.optional and not whole) for part in components)


def write_value(components: Sequence[Component], value: str, writer: BitWriter) -> None:
    """Write a value that fits its grammar. An absent optional component becomes a text of no character."""
    for at, part in enumerate(components):
        last = at == len(components) - 1
        own = value if last else value[: part.length]
        value = value[len(own) :]
        _write(part, own, writer)


def take_date(reader: BitReader) -> str:
    """YYMMDD in sixteen bits; day 0 means the month's end (14.5.8)."""
    start = reader.at
    year, month, day = reader.take(7, "a year"), reader.take(4, "a month"), reader.take(5, "a day")
    text = f"{year:02}{month:02}{day:02}"
    if len(text) != 6 or not _is_date(text):
        raise at_bits(f"{year}-{month}-{day} is no date", start, reader.at)
    return text


def read_text(reader: BitReader, length_bits: int, longest: int, *, empty: bool = False) -> str:
    """A text with its encoding indicator and its length (14.5.6)."""
    start = reader.at
    kind = reader.take(3, "the encoding indicator")
    if kind > _CODE_40:
        raise at_bits(f"encoding indicator {kind} is reserved", start, start + 3)
    length = reader.take(length_bits, "the length")
    if length > longest or not (length or empty):
        raise at_bits(f"a text of {length} characters", start + 3, reader.at, fix=f"1 to {longest}")
    start = reader.at
    if kind == _NUMBER:
        return _read_number(reader, number_bits(length), length)
    if kind == _CODE_40:
        return read_code_40(reader, length)
    if kind == _ASCII:
        text = "".join(chr(reader.take(7, "a character")) for _ in range(length))
        if text and not _GS1_SET(text):
            raise at_bits("characters outside of the GS1 set", start, reader.at)
        return text
    width, letters = {_UPPER: (4, _UPPER_HEX), _LOWER: (4, _LOWER_HEX), _URI: (6, BASE64)}[kind]
    return "".join(letters[reader.take(width, "a character")] for _ in range(length))


def write_text(text: str, length_bits: int, writer: BitWriter) -> None:
    """Write a text in its shortest encoding."""
    kinds = [kind for kind, members in _MEMBERS if members.fullmatch(text)] or [_NUMBER]
    kind = min(kinds, key=lambda kind: _size(kind, len(text)))
    writer.put(kind, 3)
    writer.put(len(text), length_bits)
    if kind == _NUMBER:
        writer.put(int(text or "0"), number_bits(len(text)))
    elif kind == _CODE_40:
        write_code_40(text, writer)
    else:
        for letter in text:
            if kind == _ASCII:
                writer.put(ord(letter), 7)
            elif kind == _URI:
                writer.put(BASE64.index(letter), 6)
            else:
                writer.put(int(letter, 16), 4)


def read_code_40(reader: BitReader, length: int) -> str:
    """Three characters in sixteen bits (14.5.6.5)."""
    text = ""
    start = reader.at
    for _ in range(-(-length // 3)):
        group = reader.take(16, "three characters") - 1
        if not 0 <= group < 40**3:
            raise at_bits("no three characters of URN Code 40", reader.at - 16, reader.at)
        text += CODE_40[group // 1600] + CODE_40[group // 40 % 40] + CODE_40[group % 40]
    if " " in text[:length] or text[length:].strip(" "):
        raise at_bits(f"not {length} characters of URN Code 40", start, reader.at)
    return text[:length]


def write_code_40(text: str, writer: BitWriter) -> None:
    """As `read_code_40`."""
    for at in range(0, len(text), 3):
        first, second, third = map(CODE_40.index, text[at : at + 3].ljust(3))
        writer.put(1600 * first + 40 * second + third + 1, 16)


def _size(kind: int, length: int) -> int:
    if kind == _NUMBER:
        return number_bits(length)
    if kind == _CODE_40:
        return 16 * -(-length // 3)
    return length * {_UPPER: 4, _LOWER: 4, _URI: 6, _ASCII: 7}[kind]


def _read_number(reader: BitReader, bits: int, length: int) -> str:
    start = reader.at
    number = reader.take(bits, "a number")
    if number >= 10**length:
        raise at_bits(f"{number} has more than {length} digits", start, reader.at)
    return str(number).zfill(length) if length else ""


def _read(part: Component, reader: BitReader, *, empty: bool) -> str:
    coding, start = part.coding, reader.at
    length_bits = part.length.bit_length()
    if coding is Coding.TEXT:
        return read_text(reader, length_bits, part.length, empty=empty)
    if coding is Coding.DIGITS:
        return "".join(_digit(reader) for _ in range(part.length))
    if coding is Coding.NUMBER:
        return _read_number(reader, number_bits(part.length), part.length)
    if coding is Coding.NUMERIC:
        length = reader.take(length_bits, "the length")
        if length > part.length or not (length or empty):
            raise at_bits(f"a number of {length} digits", start, reader.at, fix=f"1 to {part.length}")
        return _read_number(reader, number_bits(length), length)
    if coding is Coding.DELIMITED:
        return _read_delimited(part, reader)
    if coding is Coding.COUNTRY:
        text = "".join(BASE64[reader.take(6, "a letter")] for _ in range(2))
        if not re.fullmatch("[A-Z]{2}", text):
            raise at_bits(f"{text} is no country", start, reader.at)
        return text
    if coding is Coding.SEQUENCE:
        first, last = reader.take(4, "a digit"), reader.take(4, "a digit")
        if not (1 <= first <= 9 and 1 <= last <= 9):
            raise at_bits("no sequence of digits from 1 to 9", start, reader.at)
        return f"{first}/{last}"
    if coding is Coding.BIT:
        return str(reader.take(1, "a bit"))
    if coding is Coding.MINUS:
        return "-" * reader.take(1, "the minus sign")
    return _read_time(coding, reader)


def _digit(reader: BitReader) -> str:
    digit = reader.take(4, "a digit")
    if digit > 9:
        raise at_bits(f"{digit:X} is no digit", reader.at - 4, reader.at)
    return str(digit)


def _read_delimited(part: Component, reader: BitReader) -> str:
    text = ""
    while (code := reader.take(4, "a digit or an end")) <= 9:
        text += str(code)
        if len(text) > part.length:
            break
    if code == _DELIMITER:
        text += read_text(reader, part.length.bit_length(), part.length)
    if code not in (_DELIMITER, _TERMINATOR) or not text[:1].isdigit() or len(text) > part.length:
        raise at_bits(
            "no value of digits with an end", reader.at - 4, reader.at, fix=f"at most {part.length}"
        )
    return text


def _read_time(coding: Coding, reader: BitReader) -> str:
    if coding is Coding.DATE:
        return take_date(reader)
    if coding is Coding.DATES:
        return "".join(take_date(reader) for _ in range(1 + reader.take(1, "one date or two")))
    digits = 10
    if coding is Coding.TIME:
        mark = reader.take(2, "the precision")
        digits = next(digits for digits, bits in _TIMES if bits == mark)
    text = take_date(reader)
    start = reader.at
    for width in (5, 6, 6)[: (digits - 6) // 2]:
        text += f"{reader.take(width, 'a time'):02}"
    if not _is_time(text[6:]):
        raise at_bits(f"{text[6:]} is no time", start, reader.at)
    return text


def _is_date(text: str) -> bool:
    month, day = int(text[2:4]), int(text[4:])
    # GenSpecs 7.12 would place the century; of the two years that may be meant a leap year decides.
    return 1 <= month <= 12 and day <= calendar.monthrange(2000 + int(text[:2]), month)[1]


def _is_time(text: str) -> bool:
    pairs = [int(text[at : at + 2]) for at in range(0, len(text), 2)]
    return not pairs or (pairs[0] < 24 and max(pairs) < 60) or (pairs[0] == 24 and not any(pairs[1:]))


def _write(part: Component, text: str, writer: BitWriter) -> None:
    coding = part.coding
    length_bits = part.length.bit_length()
    if coding is Coding.TEXT:
        write_text(text, length_bits, writer)
    elif coding is Coding.DIGITS:
        for digit in text:
            writer.put(int(digit), 4)
    elif coding is Coding.NUMBER:
        writer.put(int(text), number_bits(part.length))
    elif coding is Coding.NUMERIC:
        writer.put(len(text), length_bits)
        writer.put(int(text or "0"), number_bits(len(text)))
    elif coding is Coding.DELIMITED:
        digits = re.match("[0-9]*", text)
        head = digits[0] if digits else ""
        for digit in head:
            writer.put(int(digit), 4)
        writer.put(_TERMINATOR if head == text else _DELIMITER, 4)
        if head != text:
            write_text(text[len(head) :], length_bits, writer)
    elif coding is Coding.COUNTRY:
        for letter in text:
            writer.put(BASE64.index(letter), 6)
    elif coding is Coding.SEQUENCE:
        writer.put(int(text[0]), 4)
        writer.put(int(text[2]), 4)
    elif coding in (Coding.BIT, Coding.MINUS):
        writer.put(int(text in ("1", "-")), 1)
    else:
        _write_time(coding, text, writer)


def _write_time(coding: Coding, text: str, writer: BitWriter) -> None:
    if coding is Coding.DATES:
        writer.put(len(text) == 12, 1)
    elif coding is Coding.TIME:
        writer.put(dict(_TIMES)[len(text)], 2)
    dates = [text[:6], text[6:]] if coding is Coding.DATES and len(text) == 12 else [text[:6]]
    for date in dates:
        if not _is_date(date):
            raise TagError(f"{date} is no date", where="date")
        for at, width in ((0, 7), (2, 4), (4, 5)):
            writer.put(int(date[at : at + 2]), width)
    if coding is not Coding.DATES:
        if not _is_time(text[6:]):
            raise TagError(f"{text[6:]} is no time", where="time")
        for at, width in zip(range(6, len(text), 2), (5, 6, 6), strict=False):
            writer.put(int(text[at : at + 2]), width)
