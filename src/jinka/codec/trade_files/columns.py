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
_FIGURES = np.frombuffer(b"0123456789ABCDEF", np.uint8)
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
            made = pa.array(_whole(raw, np.uint64(_MAX)).astype(np.int64))
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
    if field.coding in (Coding.DIGITS_LEFT, Coding.HEX) and not field.optional:
        empty = pc.equal(pc.binary_length(column), 0)
        if pc.any(empty).as_py():
            raise Misfit(pc.index(empty, True).as_py(), 0, "has no value")
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


def _whole(raw: Bytes, limit: Any) -> npt.NDArray[np.uint64]:
    """Digits as numbers up to a limit, of all or of each; blanks may stand before them."""
    leading = np.logical_and.accumulate(raw == _BLANK, axis=1)
    _require(_digits(raw) | leading, "is no digit")
    made = np.zeros(len(raw), np.uint64)
    for at in range(raw.shape[1]):  # 19 digits at most, so it cannot wrap
        made = made * np.uint64(10) + np.where(leading[:, at], 0, raw[:, at] - _ZERO).astype(np.uint64)
    if (made > limit).any():
        raise Misfit(int(np.argmax(made > limit)), 0, "is more than 63 bits")
    return made


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
    below = (sign == minus).astype(np.uint64)
    found = _whole(plain, np.uint64(_MAX) + below).astype(np.int64)
    return np.where(below == 1, -found, found)


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
    rest = np.abs(values.astype(np.int64)).view(np.uint64)  # right for -2^63 too, which has no positive twin
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
    """Texts and bytes: all at once where they are plain, else each distinct value once."""
    if isinstance(column, pa.DictionaryArray):
        try:
            words = _each(column.dictionary, field)
        except Misfit as problem:
            raise Misfit(_row(column, problem.row), problem.byte, problem.what) from None
        return _taken(words, column.indices)
    if field.coding is not Coding.DATE and (made := _plain(column, field)) is not None:
        return made
    coded = column.dictionary_encode()
    words = np.empty((len(coded.dictionary), field.width), np.uint8)
    for number, value in enumerate(coded.dictionary.to_pylist()):
        try:
            words[number] = _filled(_one(field.coding, value), field.width)
        except ValueError as problem:
            raise Misfit(_row(coded, number), 0, str(problem)) from None
        if field.coding is Coding.DIGITS and words[number, -1] == _BLANK:
            raise Misfit(_row(coded, number), 0, f"is not of {field.width} digits")
    return _taken(words, coded.indices)


def _taken(words: Bytes, indices: pa.Array) -> Bytes:
    """The word of each index, blanks for a null."""
    blank = np.full((1, words.shape[1]), _BLANK, np.uint8)
    places = pc.fill_null(indices, len(words)).to_numpy(zero_copy_only=False)
    made: Bytes = np.concatenate([words, blank])[places]
    return made


def _plain(column: pa.Array, field: Field) -> Bytes | None:
    """Values that are bytes of one character each and right for the field, or None: then they are looked at singly."""
    null = column.is_null().to_numpy(zero_copy_only=False)
    column = pc.fill_null(column, b"" if pa.types.is_binary(column.type) else "")
    lengths = pc.binary_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    first = np.frombuffer(column.buffers()[1], np.int32)[column.offset : column.offset + len(column) + 1]
    data = column.buffers()[2]
    flat = np.frombuffer(data or b"", np.uint8)[first[0] : first[-1]] if len(first) else np.empty(0, np.uint8)
    if field.coding is Coding.HEX:
        flat = np.take(_FIGURES, np.stack([flat >> 4, flat & 15], axis=1)).reshape(-1)
        lengths = 2 * lengths
    elif field.coding is Coding.TEXT:
        if not ((flat >= _BLANK) & (flat < 0x7F)).all():
            return None
    elif not _digits(flat).all():
        return None
    if field.coding is Coding.DIGITS and ((lengths != field.width) & ~null).any():
        return None
    if len(lengths) and lengths.max() > field.width:
        return None
    made = np.full((len(lengths), field.width), _BLANK, np.uint8)
    made[np.arange(field.width) < lengths[:, None]] = flat  # row by row, as the values lie one behind another
    if field.coding is Coding.TEXT:
        last = made[np.arange(len(lengths)), np.maximum(lengths - 1, 0)]
        if ((last == _BLANK) & (lengths > 0)).any():
            return None
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
