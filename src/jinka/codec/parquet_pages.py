"""What the pages of a Parquet file claim, before anything is decompressed: the guard against files that blow up.

Apache Parquet 2.x, "Data Pages" and the Thrift compact protocol of its page headers. A reader believes the size that a
page header claims and allocates it, so each header is read here first: a page may become at most so many bytes for each
of its values, its values must be those of its row group, and it must lie in the file beside all others. Encodings in
which a value repeats what stood before it (DELTA_BYTE_ARRAY) are refused, for they grow without any header saying so.

The footer is not read here: who calls has it from the Parquet reader. Nested columns, indexes and bloom filters are not
judged; a flat schema is the caller's to demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO

from jinka.kit import Refused

PAGE_BYTES_MAX = 16 << 20
PAGES_MAX = 200_000
VALUE_BYTES_MAX = 4096
_PAGE_EXTRA = 4096  # levels and headers of a page
_HEADER_MAX = 16 * 1024  # min and max of the column's values stand in it
_DATA, _DICTIONARY, _DATA_V2 = 0, 2, 3
# PLAIN, PLAIN_DICTIONARY, RLE, BIT_PACKED, DELTA_BINARY_PACKED, RLE_DICTIONARY, BYTE_STREAM_SPLIT. Not 7,
# DELTA_BYTE_ARRAY; and not 6, DELTA_LENGTH_BYTE_ARRAY, whose texts Arrow does not read as dictionaries.
_ENCODINGS = frozenset({0, 2, 3, 4, 5, 8, 9})
_DEPTH_MAX = 4
# Field ids: of the page header the one with the type's own header, and in that the counts and the encoding.
_INNER = {_DATA: (5, 1, 2), _DICTIONARY: (7, 1, 2), _DATA_V2: (8, 1, 4)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkPlace:
    """Where a column chunk lies and how many values it is to have."""

    column: str
    offset: int
    length: int
    values: int


def check_pages(file: BinaryIO, size: int, chunks: Sequence[ChunkPlace]) -> None:
    """Raise `Refused` that names the place unless every page of all chunks is of a sane size."""
    pages, end = 0, 4  # behind the magic number
    for chunk in sorted(chunks, key=lambda one: one.offset):
        if chunk.offset < end or chunk.length < 0 or chunk.offset + chunk.length > size:
            raise Refused("outside of the file, or over another", where=f"column {chunk.column}")
        end = chunk.offset + chunk.length
        pages += _check_chunk(file, chunk, PAGES_MAX - pages)


def _check_chunk(file: BinaryIO, chunk: ChunkPlace, pages_left: int) -> int:
    at, end, values, pages = chunk.offset, chunk.offset + chunk.length, 0, 0
    while at < end:
        where = f"column {chunk.column}, page at byte {at}"
        file.seek(at)
        page, used = _read_header(file.read(min(_HEADER_MAX, end - at)), where)
        pages += 1
        if pages > pages_left:
            raise Refused(f"more than {PAGES_MAX} pages", where=where)
        if page.compressed < 0 or at + used + page.compressed > end:
            raise Refused("it does not end within its column", where=where)
        if page.kind == _DICTIONARY:
            if pages > 1:
                raise Refused("a second dictionary", where=where)
        else:
            values += page.values
        _check_page(page, chunk, where)
        at += used + page.compressed
    if values != chunk.values:
        raise Refused(f"{values} values, and {chunk.values} rows", where=f"column {chunk.column}")
    return pages


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    kind: int
    compressed: int
    plain: int  # bytes, once decompressed
    values: int
    encoding: int


def _check_page(page: _Page, chunk: ChunkPlace, where: str) -> None:
    if page.encoding not in _ENCODINGS:
        raise Refused(
            f"encoding {page.encoding} is not taken", where=where, fix="write it plain or by dictionary"
        )
    if not 0 <= page.values <= chunk.values or (page.kind != _DICTIONARY and not page.values):
        raise Refused(f"claims {page.values} values", where=where)
    most = min(PAGE_BYTES_MAX, page.values * VALUE_BYTES_MAX + _PAGE_EXTRA)
    if not 0 <= page.plain <= most:
        raise Refused(f"claims {page.plain} bytes", where=where, fix=f"at most {most} for its values")


def _read_header(raw: bytes, where: str) -> tuple[_Page, int]:
    """The header and its length; raises `Refused`."""
    reader = _Compact(raw, where)
    outer = reader.struct(0)
    kind = outer.get(1)
    if kind not in _INNER:
        raise Refused(f"a page of kind {kind}", where=where)
    own, count, encoding = _INNER[kind]
    inner = outer.get(own)
    if not isinstance(inner, dict):
        raise Refused("no header of its kind", where=where)
    numbers = [outer.get(3), outer.get(2), inner.get(count), inner.get(encoding)]
    if not all(isinstance(one, int) for one in numbers):
        raise Refused("a header without its counts", where=where)
    compressed, plain, values, coding = (int(str(one)) for one in numbers)
    return _Page(kind=kind, compressed=compressed, plain=plain, values=values, encoding=coding), reader.at


_Struct = dict[int, object]


class _Compact:
    """Reads structs of the Thrift compact protocol: integers and structs are kept, all else is passed over."""

    def __init__(self, raw: bytes, where: str) -> None:
        self._raw, self._where, self.at = raw, where, 0

    def struct(self, depth: int) -> _Struct:
        if depth > _DEPTH_MAX:
            raise Refused("nested too deep", where=self._where)
        found: _Struct = {}
        field = 0
        while (first := self._byte()) != 0:
            kind, step = first & 15, first >> 4
            field = field + step if step else self._zigzag()
            found[field] = self._value(kind, depth)
        return found

    def _value(self, kind: int, depth: int) -> object:
        if kind in (1, 2):  # a boolean is its kind
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._zigzag()
        if kind == 7:
            self._skip(8)
        elif kind == 8:
            self._skip(self._varint())
        elif kind in (9, 10):
            first = self._byte()
            count = first >> 4 if first >> 4 < 15 else self._varint()
            for _ in range(count):
                if first & 15 in (1, 2):
                    self._skip(1)
                else:
                    self._value(first & 15, depth + 1)
        elif kind == 12:
            return self.struct(depth + 1)
        else:
            raise Refused(f"unknown type {kind} in its header", where=self._where)
        return None

    def _byte(self) -> int:
        if self.at >= len(self._raw):
            raise Refused("its header is cut off", where=self._where)
        self.at += 1
        return self._raw[self.at - 1]

    def _skip(self, count: int) -> None:
        if count > len(self._raw) - self.at:
            raise Refused("its header is cut off", where=self._where)
        self.at += count

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise Refused("a number of more than 64 bits", where=self._where)

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
