"""One column of a file at once: bytes of equal width to an Arrow array, and back.

Bytes are a matrix, a row for each record. What does not fit raises `Misfit` with the row and the first byte that is
wrong in it; no message repeats what the field holds, since it may be a card number.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jinka.codec.trade_files.layout import Coding, Field

Bytes = npt.NDArray[np.uint8]
_BLANK, _ZERO, _NINE = 0x20, 0x30, 0x39
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_SIGNS = {Coding.CREDIT_DEBIT: (ord("C"), ord("D")), Coding.SIGNED: (ord("+"), ord("-"))}
_MAX = 2**63 - 1
_DIGITS_MAX = 19  # as many always fit into 64 bits
_HEX = np.full(256, 255, np.uint8)
_HEX[np.frombuffer(b"0123456789ABCDEF", np.uint8)] = np.arange(16)
_HEX[np.frombuffer(b"abcdef", np.uint8)] = np.arange(10, 16)


class Misfit(Exception):
    """A value that is none of its field's: which row, which of its bytes, and why."""

    def __init__(self, row: int, byte: int, what: str) -> None:
        super().__init__(what)
        self.row, self.byte, self.what = int(row), int(byte), what


def decode(field: Field, raw: Bytes) -> pa.Array:
    """The column that the bytes of a field are."""
    if field.constant:
        _require(raw == _filled(field.constant.encode(), field.width), f"is not {field.constant!r}")
        return pa.nulls(len(raw))
    blank = (raw == _BLANK).all(axis=1)
    if not field.optional and field.coding is not Coding.TEXT and blank.any():
        raise Misfit(int(np.argmax(blank)), 0, "is blank")
    match field.coding:
        case Coding.TEXT:
            made = _texts(raw)
        case Coding.DIGITS:
            _require(_digits(raw) | blank[:, None], "is no digit")
            made = _texts(raw)
        case Coding.DIGITS_LEFT:
            _require(_digits(raw) | _trailing(raw), "is no digit")
            made = _texts(raw)
        case Coding.AMOUNT:
            made = pa.array(_whole(raw, 0))
        case Coding.HEX:
            made = _binary(raw)
        case Coding.DATE:
            made = _dates(raw, blank)
        case signed:
            made = pa.array(_signed(raw, *_SIGNS[signed]))
    return pc.if_else(pa.array(~blank), made, pa.scalar(None, made.type)) if field.optional else made


def encode(field: Field, column: pa.Array | pa.ChunkedArray) -> Bytes:
    """The bytes of a field for each value of the column; nothing for a null is blanks."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    if not field.optional and column.null_count:
        raise Misfit(pc.index(pc.is_null(column), True).as_py(), 0, "has no value")
    match field.coding:
        case Coding.AMOUNT:
            return _numbers(column, field.width, None)
        case Coding.CREDIT_DEBIT | Coding.SIGNED:
            return _numbers(column, field.width, _SIGNS[field.coding])
        case _:
            return _each(column, field)


def _require(right: npt.NDArray[np.bool_], what: str) -> None:
    if not right.all():
        row, byte = np.argwhere(~right)[0]
        raise Misfit(row, byte, what)


def _digits(raw: Bytes) -> npt.NDArray[np.bool_]:
    return (raw >= _ZERO) & (raw <= _NINE)


def _trailing(raw: Bytes) -> npt.NDArray[np.bool_]:
    """Blanks that only blanks follow."""
    return np.logical_and.accumulate((raw == _BLANK)[:, ::-1], axis=1)[:, ::-1]


def _whole(raw: Bytes, first: int) -> npt.NDArray[np.int64]:
    """Digits as numbers; blanks may stand before them. ``first`` is where the field's digits begin."""
    leading = np.logical_and.accumulate(raw == _BLANK, axis=1)
    right = _digits(raw) | leading
    if not right.all():
        row, byte = np.argwhere(~right)[0]
        raise Misfit(row, byte + first, "is no digit")
    made = np.zeros(len(raw), np.uint64)
    for at in range(raw.shape[1]):  # 19 digits at most, so it cannot wrap
        made = made * np.uint64(10) + np.where(leading[:, at], 0, raw[:, at] - _ZERO).astype(np.uint64)
    if (made > _MAX).any():
        raise Misfit(int(np.argmax(made > _MAX)), first, "is more than 63 bits")
    return made.astype(np.int64)


def _signed(raw: Bytes, plus: int, minus: int) -> npt.NDArray[np.int64]:
    """A field of 12 may come without a sign, as real files have it; one of 20 has 19 digits and always a sign."""
    sign = raw[:, 0]
    known = (sign == plus) | (sign == minus) | (raw == _BLANK).all(axis=1)
    if raw.shape[1] <= _DIGITS_MAX:
        known |= (sign == _BLANK) | _digits(sign)
    if not known.all():
        raise Misfit(int(np.argmin(known)), 0, f"begins with neither {chr(plus)} nor {chr(minus)}")
    marked = (sign == plus) | (sign == minus)
    plain = raw.copy()
    plain[marked, 0] = _BLANK
    if (short := marked & (raw[:, 1:] == _BLANK).all(axis=1)).any():
        raise Misfit(int(np.argmax(short)), 1, "is no digit")
    found = _whole(plain, 0)
    return np.where(sign == minus, -found, found)


def _texts(raw: Bytes) -> pa.Array:
    """Text without the blanks that fill it; each distinct one is decoded once."""
    count, width = raw.shape
    values = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(width), count, [None, pa.py_buffer(np.ascontiguousarray(raw))]
    )
    if ((raw >= _BLANK) & (raw < 0x7F)).all():
        return pc.utf8_rtrim(values.cast(pa.binary()).cast(pa.string()), " ")
    coded = values.dictionary_encode()
    words = []
    for number, word in enumerate(coded.dictionary.to_pylist()):
        try:
            text = word.decode("gb18030").rstrip(" \u3000")
        except UnicodeDecodeError as problem:
            raise Misfit(_row(coded, number), problem.start, "is not GB 18030") from None
        if found := _CONTROL.search(text):
            raise Misfit(_row(coded, number), found.start(), "holds a control character")
        words.append(text)
    return pa.array(words, pa.string()).take(coded.indices)


def _row(coded: pa.DictionaryArray, number: int) -> int:
    return int(pc.index(coded.indices, number).as_py())


def _binary(raw: Bytes) -> pa.Array:
    nibbles = _HEX[raw]
    _require((nibbles != 255) | _trailing(raw), "is no hexadecimal digit")
    lengths = (nibbles != 255).sum(axis=1)
    if (lengths % 2).any():
        raise Misfit(int(np.argmax(lengths % 2)), 0, "has half a byte")
    packed = (nibbles[:, ::2] << 4) | (nibbles[:, 1::2] & 15)
    used = np.arange(packed.shape[1]) < (lengths // 2)[:, None]
    offsets = np.concatenate([[0], np.cumsum(lengths // 2)]).astype(np.int32)
    flat = pa.py_buffer(np.ascontiguousarray(packed[used]))
    return pa.Array.from_buffers(pa.binary(), len(raw), [None, pa.py_buffer(offsets), flat])


def _dates(raw: Bytes, blank: npt.NDArray[np.bool_]) -> pa.Array:
    coded = _texts(raw).dictionary_encode()
    days: list[dt.date | None] = []
    for number, text in enumerate(coded.dictionary.to_pylist()):
        try:
            days.append(dt.datetime.strptime(text, "%Y%m%d").date() if text else None)
        except ValueError:
            raise Misfit(_row(coded, number), 0, "is no date YYYYMMDD") from None
    if blank.all():
        return pa.nulls(len(raw), pa.date32())
    return pa.array(days, pa.date32()).take(coded.indices)


def _numbers(column: pa.Array, width: int, signs: tuple[int, int] | None) -> Bytes:
    values = pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    if signs is None and (values < 0).any():
        raise Misfit(int(np.argmax(values < 0)), 0, "is negative, which the field cannot show")
    rest = np.abs(values.astype(np.int64)).view(
        np.uint64
    )  # the one value without a positive twin stays right
    made = np.empty((len(values), width), np.uint8)
    for at in range(width - 1, 0 if signs else -1, -1):
        made[:, at] = rest % np.uint64(10) + _ZERO
        rest = rest // np.uint64(10)
    if rest.any():
        raise Misfit(int(np.argmax(rest != 0)), 0, f"does not fit into {width} bytes")
    if signs:
        made[:, 0] = np.where(values < 0, signs[1], signs[0])
    made[column.is_null().to_numpy(zero_copy_only=False)] = _BLANK
    return made


def _each(column: pa.Array, field: Field) -> Bytes:
    """Each distinct value is encoded once."""
    coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
    words = np.full((len(coded.dictionary) + 1, field.width), _BLANK, np.uint8)  # the last for nulls
    for number, value in enumerate(coded.dictionary.to_pylist()):
        try:
            words[number] = _filled(_one(field.coding, value), field.width)
        except ValueError as problem:
            raise Misfit(_row(coded, number), 0, str(problem)) from None
        if field.coding is Coding.DIGITS and words[number, -1] == _BLANK:
            raise Misfit(_row(coded, number), 0, f"is not of {field.width} digits")
    indices = pc.fill_null(coded.indices, len(words) - 1).to_numpy(zero_copy_only=False)
    made: Bytes = words[indices]
    return made


def _one(coding: Coding, value: Any) -> bytes:
    if coding is Coding.HEX:
        return bytes(value).hex().upper().encode()
    if coding is Coding.DATE:
        return f"{value:%Y%m%d}".encode() if value.year >= 1000 else b"?" * 400
    if coding is Coding.TEXT:
        if _CONTROL.search(value) or value != value.rstrip(" \u3000"):
            raise ValueError("holds a control character, or blanks at its end")
        return bytes(value.encode("gb18030"))
    if not (value.isascii() and (value.isdigit() or not value)):
        raise ValueError("is no digits")
    return bytes(value.encode())


def _filled(word: bytes, width: int) -> Bytes:
    if len(word) > width:
        raise ValueError(f"does not fit into {width} bytes")
    return np.frombuffer(word.ljust(width), np.uint8)


__all__ = ["Misfit", "decode", "encode"]
