"""Translating many PIN blocks of one zone at once: the rules of `jinka.crypto.pin_block` over numpy arrays.

ISO 9564-1. All blocks of a batch come from one zone and go to one zone, as they do between two centres: each cipher
pass is then one call. A bad row is set aside and the others go on. Blocks under keys of their own (each terminal's,
or DUKPT) go one by one through `translate_pin`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from jinka.crypto.block import xor
from jinka.crypto.pin_block import PAN_DIGITS, PIN_DIGITS, PinFormat, PinZone, check_translation
from jinka.kit import Randomness, Usage

Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.bool_]

_LONG = (PinFormat.ISO_4, PinFormat.UNIONPAY_16)
_DIGITS_MAX = 12
_FEW = 64  # up to which rows one by one, with a cipher call for all, are quicker than arrays
_BLANK = bytes(8)
_PAN_MAX = 19
_BOUND_ALIKE = {PinFormat.ISO_0, PinFormat.ISO_3}
_LOWEST_FILLER = {PinFormat.ISO_0: 15, PinFormat.ISO_1: 0, PinFormat.ISO_3: 10, PinFormat.UNIONPAY_16: 15}


def translate_pins(
    blocks: Bytes, source: PinZone, target: PinZone, pans: Sequence[str], rng: Randomness
) -> tuple[Bytes, Rows]:
    """Translate ``blocks`` (N, 8 or 16) and tell for each row whether it was done; a row that was not is zeros.

    Why a row was refused is not told, as one by one. `Refused` when the zones themselves forbid it.
    """
    check_translation(source, target)
    width = 16 if source.format in _LONG else 8
    if blocks.dtype != np.uint8 or blocks.shape != (len(pans), width):
        what = f"{blocks.dtype} of shape {blocks.shape}"
        raise Usage(what, where="PIN batch", fix=f"uint8 ({len(pans)}, {width})")
    if source.format is target.format is PinFormat.ISO_0 and len(pans) <= _FEW:
        return _passed_on(blocks, source, target, pans)
    digits, lengths, good = _numbers(pans)
    given = _pan_fields(source.format, digits, lengths)
    clear = _ecb(source, blocks, decrypt=True) ^ given
    if source.format is PinFormat.ISO_4:
        clear = _ecb(source, clear, decrypt=True)
    pins, counts, valid = _read(source.format, clear)
    good &= valid
    fields = _pin_fields(target.format, pins, counts, rng)
    alike = {source.format, target.format} <= _BOUND_ALIKE
    bound = given if alike else _pan_fields(target.format, digits, lengths)
    if target.format is PinFormat.ISO_4:
        out = _ecb(target, _ecb(target, fields) ^ bound)
    else:
        out = _ecb(target, fields ^ bound)
    out[~good] = 0
    return out, good


def _passed_on(blocks: Bytes, source: PinZone, target: PinZone, pans: Sequence[str]) -> tuple[Bytes, Rows]:
    """Format 0 to format 0, for the few of a switch's turn: the clear block stays, so each is looked at as it is."""
    usable = [pan.isascii() and pan.isdigit() and len(pan) in PAN_DIGITS for pan in pans]
    bound = "".join(
        [(pan[:-1] if right else "")[-12:].rjust(16, "0") for pan, right in zip(pans, usable, strict=True)]
    )
    clear = source.key.decrypt(blocks.tobytes())
    text = xor(clear, bytes.fromhex(bound)).hex()
    good = [right and _is_format_0(text[16 * n : 16 * n + 16]) for n, right in enumerate(usable)]
    whole = b"".join([clear[8 * n : 8 * n + 8] if right else _BLANK for n, right in enumerate(good)])
    out = np.frombuffer(target.key.encrypt(whole), dtype=np.uint8).reshape(blocks.shape).copy()
    rows = np.array(good, dtype=np.bool_)
    out[~rows] = 0
    return out, rows


def _is_format_0(text: str) -> bool:
    """All rules are looked at before the one answer is given, as one by one."""
    count = int(text[1], 16)
    faults = [
        text[0] != "0",
        count not in PIN_DIGITS,
        not text[2 : 2 + count].isdigit(),
        bool(text[2 + count :].strip("f")),
    ]
    return not any(faults)


def _ecb(zone: PinZone, blocks: Bytes, *, decrypt: bool = False) -> Bytes:
    run = zone.key.decrypt if decrypt else zone.key.encrypt
    return np.frombuffer(run(blocks.tobytes()), dtype=np.uint8).reshape(blocks.shape).copy()


def _numbers(pans: Sequence[str]) -> tuple[Bytes, npt.NDArray[np.int64], Rows]:
    """Account numbers as digits (N, 19) from the left, their lengths, and which of them are numbers at all."""
    lengths = np.fromiter(map(len, pans), dtype=np.int64, count=len(pans))
    texts = "".join([pan[:_PAN_MAX].ljust(_PAN_MAX) for pan in pans]).encode("ascii", "replace")
    digits = np.frombuffer(texts, dtype=np.uint8).reshape(len(pans), _PAN_MAX) - np.uint8(ord("0"))
    inside = np.arange(_PAN_MAX) < lengths[:, None]
    good = (lengths >= PAN_DIGITS[0]) & (lengths <= PAN_DIGITS[-1]) & np.all((digits <= 9) | ~inside, axis=1)
    digits[~inside] = 0
    return digits, np.where(good, lengths, _DIGITS_MAX), good


def _pan_fields(form: PinFormat, digits: Bytes, lengths: npt.NDArray[np.int64]) -> Bytes:
    width = 32 if form in _LONG else 16
    nibbles = np.zeros((len(digits), width), dtype=np.uint8)
    if form is PinFormat.ISO_1:
        return _packed(nibbles)
    if form is PinFormat.ISO_4:
        shift = np.maximum(_DIGITS_MAX - lengths, 0)
        nibbles[:, 0] = np.maximum(lengths - _DIGITS_MAX, 0)
        nibbles[:, 1 : 1 + _PAN_MAX] = _from(digits, np.arange(_PAN_MAX) - shift[:, None])
    else:
        nibbles[:, width - _DIGITS_MAX :] = _from(
            digits, np.arange(_DIGITS_MAX) + (lengths - 1 - _DIGITS_MAX)[:, None]
        )
    return _packed(nibbles)


def _from(digits: Bytes, at: npt.NDArray[np.int64]) -> Bytes:
    """``digits[row, at[row, column]]``, zero where that is outside."""
    if len(at) and (at == at[0]).all():  # numbers of one length
        first = int(at[0, 0])
        if 0 <= first <= digits.shape[1] - at.shape[1]:
            return digits[:, first : first + at.shape[1]]
    inside = (at >= 0) & (at < digits.shape[1])
    found: Bytes = np.take_along_axis(digits, np.where(inside, at, 0), axis=1)
    return np.where(inside, found, np.uint8(0))


def _read(form: PinFormat, clear: Bytes) -> tuple[Bytes, Bytes, Rows]:
    """PINs as digits (N, 12), their lengths, and which rows are blocks of the format."""
    nibbles = np.stack([clear >> 4, clear & 15], axis=2).reshape(len(clear), 2 * clear.shape[1])
    if form is PinFormat.ISO_4:
        nibbles = nibbles[:, :16]
    control = 0 if form is PinFormat.UNIONPAY_16 else form.value
    counts, body = nibbles[:, 1], nibbles[:, 2:]
    inside = np.arange(body.shape[1]) < counts[:, None]
    if form is PinFormat.ISO_4:
        filler = body == 10
    else:
        filler = body >= _LOWEST_FILLER[form]
    good = (nibbles[:, 0] == control) & (counts >= PIN_DIGITS[0]) & (counts <= PIN_DIGITS[-1])
    good &= np.all(np.where(inside, body <= 9, filler), axis=1)
    pins = np.where(inside, body, np.uint8(0))[:, :_DIGITS_MAX]
    return np.where(good[:, None], pins, np.uint8(0)), np.where(good, counts, np.uint8(4)), good


def _pin_fields(form: PinFormat, pins: Bytes, counts: Bytes, rng: Randomness) -> Bytes:
    rows, width = len(pins), 32 if form is PinFormat.UNIONPAY_16 else 16
    nibbles = np.empty((rows, width), dtype=np.uint8)
    nibbles[:, 0] = 0 if form is PinFormat.UNIONPAY_16 else form.value
    nibbles[:, 1] = counts
    inside = np.arange(width - 2) < counts[:, None]
    digits = np.zeros((rows, width - 2), dtype=np.uint8)
    digits[:, :_DIGITS_MAX] = pins
    nibbles[:, 2:] = np.where(inside, digits, _filler(form, rows, width - 2, rng))
    fields = _packed(nibbles)
    if form is not PinFormat.ISO_4:
        return fields
    tail = np.frombuffer(rng.token_bytes(8 * rows), dtype=np.uint8).reshape(rows, 8)
    return np.concatenate([fields, tail], axis=1)


def _filler(form: PinFormat, rows: int, width: int, rng: Randomness) -> npt.NDArray[np.uint8]:
    if form is PinFormat.ISO_4:
        return np.full((1, width), 10, dtype=np.uint8)
    lowest = _LOWEST_FILLER[form]
    if lowest == 15:
        return np.full((1, width), 15, dtype=np.uint8)
    drawn = np.frombuffer(rng.token_bytes(rows * width), dtype=np.uint8).reshape(rows, width)
    return (lowest + (drawn.astype(np.uint16) * (16 - lowest) >> 8)).astype(np.uint8)


def _packed(nibbles: Bytes) -> Bytes:
    return nibbles[:, 0::2] << np.uint8(4) | nibbles[:, 1::2]
