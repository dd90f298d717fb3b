"""Many tags of 96 bits at once: an array of EPCs to columns of numbers, with no Python for a row.

After the tables in `jinka.codec.tags.schemes`. A row that is no EPC of 96 bits, or breaks a rule of its scheme, keeps
its place with a status; `jinka.codec.tags.decode` then says why. Numbers are as the tag has them: company prefix and
reference without their leading zeros, whose count is in ``prefix_digits``. The characters of USDOD-96 are not checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from jinka.codec.tags.keys import KEY_BY_SCHEME, PREFIX_MAX, Lead
from jinka.codec.tags.schemes import PREFIX_BITS, SCHEMES, SPLITS, Field, Scheme
from jinka.codec.tags.tag import Tag
from jinka.kit import Usage

EPC_BYTES = 12
_BLOCK = 1 << 13  # rows at once: their intermediate values stay in the processor's cache
_U64 = npt.NDArray[np.uint64]
_U8 = npt.NDArray[np.uint8]


class Status(IntEnum):
    """Why a row was not decoded."""

    OK = 0
    UNKNOWN_HEADER = 1  # no scheme, or none of 96 bits
    BAD_PARTITION = 2
    OUT_OF_RANGE = 3  # more digits than the partition allows
    NOT_ZERO = 4  # in the reserved part


@dataclass(frozen=True, slots=True, kw_only=True)
class TagColumns:
    """Decoded rows. Of GID-96 ``prefix`` is the manager and ``reference`` the class; of USDOD-96 ``prefix`` is the six
    characters as one number. Where the status is not OK the numbers mean nothing."""

    status: _U8
    header: _U8
    filter: _U8
    prefix_digits: _U8
    prefix: _U64
    reference: _U64
    serial: _U64

    def tag(self, row: int) -> Tag | None:
        """The tag of one row, or None where it is not OK; equal to what `jinka.codec.tags.decode` gives."""
        if self.status[row] != Status.OK:
            return None
        scheme = _SCHEMES_96[int(self.header[row])]
        numbers: list[int | str] = [int(self.prefix[row]), int(self.reference[row]), int(self.serial[row])]
        fields = [segment.field for segment in scheme.segments]
        if fields[0] is Field.CAGE_EIGHT:
            raw = int(self.prefix[row]).to_bytes(6)
            numbers = [raw.decode("latin-1").removeprefix(" "), numbers[2]]
        elif fields[0] in SPLITS and (len(fields) == 1 or fields[1] is Field.ZEROS):
            numbers.pop()
        elif fields[-1] is Field.NUMERIC:
            numbers[2] = str(numbers[2])[1:]
        return Tag(
            scheme=scheme, filter=int(self.filter[row]), values=tuple(numbers),
            prefix_digits=int(self.prefix_digits[row]),
        )  # fmt: skip

    def keys(self) -> _U64:
        """The GS1 key of each row as a number with its check digit (GTIN, SSCC, GLN, GRAI ...), without the serial.

        0 for rows that are not OK and for schemes whose key is no number (GIAI, CPI, GID, USDOD).
        """
        digits = self.prefix_digits.astype(np.int64)
        total = _TOTALS[self.header].astype(np.int64)
        rest = np.maximum(total - digits, 0)
        first = _LEADS[self.header]
        tens = _TENS[np.maximum(rest - first, 0)]
        lead, reference = np.divmod(self.reference, tens)
        lead *= first.astype(np.uint64)
        body = np.where(first, lead * _TENS[np.maximum(total - 1, 0)], np.uint64(0)) + self.prefix * tens
        body += np.where(first, reference, self.reference)
        keys: _U64 = body * np.uint64(10) + _check_digits(body)
        return np.where((self.status == Status.OK) & (total > 0), keys, np.uint64(0))


def decode_batch(epcs: npt.NDArray[np.uint8]) -> TagColumns:
    """Decode an array of shape (rows, 12) of bytes. Raises `Usage` for another shape or kind."""
    if epcs.dtype != np.uint8 or epcs.ndim != 2 or epcs.shape[1] != EPC_BYTES:
        raise Usage(
            f"an array of {epcs.dtype} and shape {epcs.shape}", where="tags", fix="bytes of shape (rows, 12)"
        )
    rows = len(epcs)
    small = [np.empty(rows, np.uint8) for _ in range(4)]
    wide = [np.empty(rows, np.uint64) for _ in range(3)]
    epcs = np.ascontiguousarray(epcs)
    for start in range(0, rows, _BLOCK):
        end = min(start + _BLOCK, rows)
        _decode_block(epcs[start:end], [a[start:end] for a in small], [a[start:end] for a in wide])
    status, header, filters, digits = small
    prefix, reference, serial = wide
    return TagColumns(
        status=status, header=header, filter=filters, prefix_digits=digits,
        prefix=prefix, reference=reference, serial=serial,
    )  # fmt: skip


def _decode_block(epcs: _U8, small: list[_U8], wide: list[_U64]) -> None:
    """Every field of a scheme of 96 bits lies in its first 64 bits or in its last 64."""
    words = epcs.view(">u4").astype(np.uint64)
    middle = words[:, 1]
    high, low = words[:, 0] << np.uint64(32) | middle, middle << np.uint64(32) | words[:, 2]
    row = (high >> np.uint64(53)).astype(np.int64) & ~7 | (high >> np.uint64(50)).astype(np.int64) & 7
    status, header, filters, digits = small
    prefix, reference, serial = wide
    header[:] = epcs[:, 0]
    np.take(_STATUS, row, out=status)
    np.take(_DIGITS, row, out=digits)
    filters[:] = (
        (high >> np.uint64(53) & np.uint64(7)) if _THREE_BITS[header].all() else _filters(high, header)
    )
    np.bitwise_and(high >> _PREFIX_SHIFT[row], _PREFIX_MASK[row], out=prefix)
    np.bitwise_and(low >> _REFERENCE_SHIFT[row], _REFERENCE_MASK[row], out=reference)
    np.bitwise_and(low, _SERIAL_MASK[row], out=serial)
    beyond = (prefix >= _PREFIX_LIMIT[row]) | (reference >= _REFERENCE_LIMIT[row])
    numeric = _NUMERIC[header]
    if numeric.any():
        beyond |= numeric & ~_behind_one(serial)
    status[beyond & (status == 0)] = Status.OUT_OF_RANGE
    status[(low & _ZERO_MASK[row] != 0) & (status == 0)] = Status.NOT_ZERO


def _filters(high: _U64, header: _U8) -> _U8:
    found: _U8 = (high >> _FILTER_SHIFT[header] & _FILTER_MASK[header]).astype(np.uint8)
    return found


def _behind_one(numbers: _U64) -> npt.NDArray[np.bool_]:
    """Whether the first digit is a 1 with a digit behind it (14.4.6)."""
    place = np.searchsorted(_TENS, numbers, "right") - 1
    found: npt.NDArray[np.bool_] = (place >= 1) & (numbers // _TENS[np.maximum(place, 0)] == 1)
    return found


def _check_digits(bodies: _U64) -> _U64:
    """Check digits of numbers of up to 17 digits: weights 3 and 1 in turn from the right, four digits at a time."""
    total = np.zeros(len(bodies), np.uint64)
    left = bodies
    for _ in range(5):
        left, group = np.divmod(left, np.uint64(10_000))
        total += _SUMS[group]
    found: _U64 = (np.uint64(10) - total % np.uint64(10)) % np.uint64(10)
    return found


def _sums() -> _U64:
    n = np.arange(10_000, dtype=np.uint64)
    digits = [n // np.uint64(10**at) % np.uint64(10) for at in range(4)]
    made: _U64 = np.uint64(3) * (digits[0] + digits[2]) + digits[1] + digits[3]
    return made


_SUMS = _sums()
_TENS = np.array([10**n for n in range(19)], np.uint64)
_SCHEMES_96: dict[int, Scheme] = {scheme.header: scheme for scheme in SCHEMES if scheme.bits == 8 * EPC_BYTES}
# Tables of 2048 rows: header and partition; every header has eight rows, whether its scheme has partitions or not.
_STATUS = np.full(2048, Status.UNKNOWN_HEADER, np.uint8)
_DIGITS = np.zeros(2048, np.uint8)


def _table(fill: int = 0) -> _U64:
    made: _U64 = np.full(2048, fill, np.uint64)
    return made


_PREFIX_SHIFT, _PREFIX_MASK, _PREFIX_LIMIT = _table(), _table(), _table(1)
_REFERENCE_SHIFT, _REFERENCE_MASK, _REFERENCE_LIMIT = _table(), _table(), _table(1)
_SERIAL_MASK, _ZERO_MASK = _table(), _table()
_FILTER_SHIFT, _FILTER_MASK = np.full(256, 53, np.uint64), np.full(256, 7, np.uint64)
_THREE_BITS, _NUMERIC = np.ones(256, bool), np.zeros(256, bool)
_TOTALS, _LEADS = np.zeros(256, np.uint8), np.zeros(256, bool)


def _fill(scheme: Scheme) -> None:
    """Enter one scheme into the tables."""
    first, *rest = scheme.segments
    rows = range(8 * scheme.header, 8 * scheme.header + 8)
    _FILTER_SHIFT[scheme.header] = 56 - scheme.filter_bits
    _FILTER_MASK[scheme.header] = (1 << scheme.filter_bits) - 1
    _THREE_BITS[scheme.header] = scheme.filter_bits == 3
    key = KEY_BY_SCHEME.get(scheme.epc)
    if key is not None and first.field is Field.SPLIT_DIGITS:
        _TOTALS[scheme.header], _LEADS[scheme.header] = key.digits, key.lead is Lead.FIRST
    _NUMERIC[scheme.header] = any(segment.field is Field.NUMERIC for segment in rest)
    tail = rest[-1].bits if rest else 0
    for row in rows:
        partition = row & 7
        if first.field not in SPLITS:  # GID-96 and USDOD-96: fields of one place
            middle = rest[0].bits if len(rest) > 1 else 0
            _set(row, first.bits, 8 + scheme.filter_bits, middle, tail)
            continue
        if partition >= len(PREFIX_BITS):
            _STATUS[row] = Status.BAD_PARTITION
            continue
        wide = PREFIX_BITS[partition]
        _set(row, wide, 14, first.bits - wide, tail)
        _DIGITS[row] = PREFIX_MAX - partition
        _PREFIX_LIMIT[row] = 10 ** (PREFIX_MAX - partition)
        if first.field is Field.SPLIT_DIGITS and key is not None:
            _REFERENCE_LIMIT[row] = 10 ** (key.digits - PREFIX_MAX + partition)
        if rest and rest[0].field is Field.ZEROS:
            _SERIAL_MASK[row], _ZERO_MASK[row] = 0, (1 << tail) - 1


def _set(row: int, prefix: int, start: int, reference: int, tail: int) -> None:
    _STATUS[row] = Status.OK
    _PREFIX_SHIFT[row], _PREFIX_MASK[row], _PREFIX_LIMIT[row] = (
        64 - start - prefix,
        (1 << prefix) - 1,
        1 << prefix,
    )
    _REFERENCE_SHIFT[row], _REFERENCE_MASK[row] = tail, (1 << reference) - 1
    _REFERENCE_LIMIT[row] = 1 << reference
    _SERIAL_MASK[row] = (1 << tail) - 1


for _scheme in _SCHEMES_96.values():
    _fill(_scheme)
