"""The URNs or the GS1 Digital Links of many tags at once: columns of numbers to texts, with no Python for a row.

What `jinka.codec.tags.batch` decoded, written as `Tag.epc_urn` and `jinka.codec.tags.digital_link` write it. Rows of
one encoding and one length of company prefix have texts of one form; their digits are put into a matrix of bytes, where
what a shorter number leaves empty is a zero byte, and the zero bytes are taken out. A row that is not OK has an empty
text, and so has the link of a tag without a GS1 key. USDOD-96 is written row by row, and its characters are checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields

import numpy as np
import numpy.typing as npt

from jinka.codec.tags.batch import Status, TagColumns
from jinka.codec.tags.identity import CANONICAL_STEM
from jinka.codec.tags.keys import KEY_BY_SCHEME, PLAIN, Lead
from jinka.codec.tags.schemes import SCHEME_BY_HEADER, Field, Scheme

_BLOCK = 1 << 13  # rows at once: the matrix stays in the processor's cache
_U64 = npt.NDArray[np.uint64]
_U8 = npt.NDArray[np.uint8]
_END = b"\n"
_TENS = np.array([10**n for n in range(20)], np.uint64)
_FOUR = np.frombuffer(
    "".join(f"{n:04d}" for n in range(10_000)).encode("ascii"), np.uint32
)  # four digits each
_CAGE = re.compile(PLAIN["usdod"][0][1]).fullmatch


def batch_urns(columns: TagColumns) -> list[str]:
    """The pure identity of each row, ``urn:epc:id:``."""
    return _texts(columns, links=False)


def batch_links(columns: TagColumns) -> list[str]:
    """The canonical Digital Link of each row, ``https://id.gs1.org/``."""
    return _texts(columns, links=True)


def _texts(columns: TagColumns, *, links: bool) -> list[str]:
    found = np.full(len(columns.status), "", object)
    for header, digits, places in _alike(columns):
        scheme = SCHEME_BY_HEADER[header]
        if scheme.epc == "usdod":
            for row in () if links else places.tolist():
                found[row] = _supplier(columns, row)
            continue
        if links and scheme.epc not in KEY_BY_SCHEME:
            continue
        for start in range(0, len(places), _BLOCK):
            block = places[start : start + _BLOCK]
            rows = TagColumns(
                **{field.name: getattr(columns, field.name)[block] for field in fields(columns)}
            )
            found[block] = _lines(
                _link_parts(scheme, digits, rows) if links else _urn_parts(scheme, digits, rows)
            )
    texts: list[str] = found.tolist()
    return texts


def _alike(columns: TagColumns) -> Iterator[tuple[int, int, npt.NDArray[np.intp]]]:
    """Header, digits of the company prefix, and the rows that have them."""
    good = np.flatnonzero(columns.status == Status.OK)
    kinds = columns.header[good].astype(np.uint16) << np.uint16(8) | columns.prefix_digits[good]
    order = np.argsort(kinds, kind="stable")
    kinds, good = kinds[order], good[order]
    edges = np.flatnonzero(np.diff(kinds)) + 1
    for places in np.split(good, edges) if len(good) else ():
        yield int(columns.header[places[0]]), int(columns.prefix_digits[places[0]]), places


def _urn_parts(scheme: Scheme, digits: int, rows: TagColumns) -> list[bytes | _U8]:
    first, last = scheme.segments[0].field, scheme.segments[-1].field
    stem = f"urn:epc:id:{scheme.epc}:".encode("ascii")
    key = KEY_BY_SCHEME.get(scheme.epc)
    if key is None:
        return [stem, _open(rows.prefix), b".", _open(rows.reference), b".", _open(rows.serial)]
    exact = first is Field.SPLIT_DIGITS
    reference = _fixed(rows.reference, key.digits - digits) if exact else _open(rows.reference)
    parts: list[bytes | _U8] = [stem, _fixed(rows.prefix, digits), b".", reference]
    if len(scheme.segments) > 1 and last is not Field.ZEROS:
        parts += [b".", _serial(last, rows)]
    return parts


def _link_parts(scheme: Scheme, digits: int, rows: TagColumns) -> list[bytes | _U8]:
    key, last = KEY_BY_SCHEME[scheme.epc], scheme.segments[-1].field
    stem = f"{CANONICAL_STEM}{key.ai}/".encode("ascii")
    if not key.digits:
        parts: list[bytes | _U8] = [stem, _fixed(rows.prefix, digits), _open(rows.reference)]
    else:
        parts = [stem, _fixed(rows.keys(), key.digits + key.check + (key.lead is Lead.ZERO))]
    if len(scheme.segments) == 1 or last is Field.ZEROS or key.serial is None:
        return parts
    between = f"/{key.serial.ai}/".encode("ascii") if key.serial.ai else b""
    serial = _serial(last, rows)
    if key.serial.absent is None:
        return [*parts, between, serial]
    with_extension = np.tile(np.frombuffer(between, np.uint8), (len(serial), 1))
    behind = np.hstack([with_extension, serial])
    behind[rows.serial == int(key.serial.absent)] = 0
    return [*parts, behind]


def _serial(field: Field, rows: TagColumns) -> _U8:
    if field is not Field.NUMERIC:
        return _open(rows.serial)
    digits = _open(rows.serial)
    digits[np.arange(len(digits)), (digits != 0).argmax(axis=1)] = 0  # the 1 in front of the digits
    return digits


def _fixed(numbers: _U64, width: int) -> _U8:
    """Decimal digits of numbers that have no more than ``width``."""
    groups = -(-width // 4)
    shown = np.empty((len(numbers), groups), np.uint32)
    left = numbers
    for at in range(groups - 1, 0, -1):
        left, low = np.divmod(left, np.uint64(10_000))
        shown[:, at] = _FOUR[low]
    if groups:
        shown[:, 0] = _FOUR[left]
    digits: _U8 = shown.view(np.uint8).reshape(len(numbers), 4 * groups)[:, 4 * groups - width :]
    return digits


def _open(numbers: _U64) -> _U8:
    """Decimal digits without leading zeros; zero bytes in their place."""
    counts = np.maximum(np.searchsorted(_TENS, numbers, "right"), 1)
    width = int(counts.max(initial=1))
    digits = _fixed(numbers, width)
    return np.where(np.arange(width) >= (width - counts)[:, None], digits, np.uint8(0))


def _lines(parts: list[bytes | _U8]) -> list[str]:
    rows = next(len(part) for part in parts if not isinstance(part, bytes))
    widths = [len(part) if isinstance(part, bytes) else part.shape[1] for part in parts]
    matrix = np.empty((rows, sum(widths) + 1), np.uint8)
    at = 0
    for part, width in zip(parts, widths, strict=True):
        matrix[:, at : at + width] = np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
        at += width
    matrix[:, at] = _END[0]
    return matrix.tobytes().translate(None, b"\0").decode("ascii").split("\n")[:-1]


def _supplier(columns: TagColumns, row: int) -> str:
    tag = columns.tag(row)
    return tag.epc_urn if tag is not None and _CAGE(str(tag.values[0])) else ""
