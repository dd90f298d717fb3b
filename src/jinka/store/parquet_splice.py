"""Column chunks of several Parquet files side by side in one, as they are: what is only carried along is not unpacked.

Apache Parquet 2.x, "File Format": a chunk is the same bytes wherever it lies, and the footer, in the Thrift compact
protocol, says where. Files here are flat. Statistics, indexes and bloom filters of carried chunks are left out, and
nothing is decoded: who wants to know whether a page is damaged reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinka.kit import JinkaError

_MAGIC = b"PAR1"
_DEPTH_MAX = 8
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 12
# A field of a struct is its type and its value; a list is the type of its elements and they.
Struct = dict[int, tuple[int, Any]]
# Field ids of FileMetaData, SchemaElement, RowGroup, ColumnChunk and ColumnMetaData.
_SCHEMA, _ROWS, _GROUPS, _WRITER, _ORDERS = 2, 3, 4, 6, 7
_NAME, _CHILDREN = 4, 5
_COLUMNS, _PLAIN_BYTES, _GROUP_ROWS, _GROUP_BYTES, _ORDINAL = 1, 2, 3, 6, 7
_ELSEWHERE, _OFFSET, _META = 1, 2, 3
_VALUES, _PLAIN, _PACKED, _DATA_AT, _DICTIONARY_AT = 5, 6, 7, 9, 11
_CARRIED = {1, 2, 3, 4, _VALUES, _PLAIN, _PACKED, _DATA_AT, _DICTIONARY_AT, 13}  # of ColumnMetaData
_STATISTICS = 12


@dataclass(frozen=True, slots=True)
class Footer:
    """The footer of one file: the schema element of each column, and where the chunks of its row groups lie."""

    whole: Struct
    elements: Mapping[str, Struct]
    groups: Sequence[Mapping[str, Struct]]  # ColumnMetaData by column

    @property
    def writer(self) -> bytes:
        """Which program wrote the file."""
        return bytes(self.whole[_WRITER][1]) if _WRITER in self.whole else b""

    @classmethod
    def of(cls, file: bytes | memoryview, where: str) -> Footer:
        """Of a file's bytes, or of its last ones."""
        tail = bytes(file[-8:])
        size = int.from_bytes(tail[:4], "little")
        if tail[4:] != _MAGIC or size > len(file) - 8:
            raise JinkaError("no footer at its end", where=where)
        whole = _Reader(bytes(file[-8 - size : -8]), where).struct(0)
        try:
            return cls._of_struct(whole)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as problem:
            raise JinkaError("a footer unlike those of flat files", where=where) from problem

    @classmethod
    def _of_struct(cls, whole: Struct) -> Footer:
        root, *leaves = whole[_SCHEMA][1][1]
        names = [leaf[_NAME][1].decode() for leaf in leaves]
        groups = []
        for group in whole[_GROUPS][1][1]:
            chunks = group[_COLUMNS][1][1]
            if any(_CHILDREN in leaf for leaf in leaves) or any(_ELSEWHERE in chunk for chunk in chunks):
                raise ValueError("columns within columns, or in another file")
            groups.append(dict(zip(names, (chunk[_META][1] for chunk in chunks), strict=True)))
        return cls(
            whole | {_SCHEMA: (_LIST, (_STRUCT, [root]))}, dict(zip(names, leaves, strict=True)), groups
        )

    @classmethod
    def read(cls, path: Path) -> Footer:
        """Of a file on the disk."""
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(0, end - 8))
            size = int.from_bytes(file.read(4), "little") + 8
            file.seek(max(0, end - size))
            return cls.of(file.read(), str(path))


@dataclass(frozen=True, slots=True)
class Carried:
    """One row group of a file whose chunks are carried along."""

    path: Path
    footer: Footer
    number: int


def write_spliced(path: Path, own: memoryview, columns: Sequence[str], carried: Sequence[Carried]) -> None:
    """Write a file with ``columns`` in their order: those that the Parquet file ``own`` has come from there, the others
    from ``carried``, which has as many row groups as ``own``, of as many rows each.
    """
    mine = Footer.of(own, "own columns")
    if len(mine.groups) != len(carried):
        raise JinkaError(f"{len(mine.groups)} row groups, not {len(carried)}", where=str(path))
    foreign = carried[0].footer.elements
    elements = [mine.elements[name] if name in mine.elements else foreign[name] for name in columns]
    groups: list[Struct] = []
    with path.open("wb") as out:
        at = out.write(_MAGIC)
        for ordinal, (source, ours) in enumerate(zip(carried, mine.groups, strict=True)):
            theirs = source.footer.groups[source.number]
            base, data = _bytes_of(source.path, [theirs[name] for name in columns if name not in ours])
            rows = {
                meta[_VALUES][1] for meta in (*ours.values(), *(theirs[n] for n in columns if n not in ours))
            }
            if len(rows) != 1 or any(
                source.footer.elements[n] != foreign[n] for n in columns if n not in ours
            ):
                raise JinkaError("columns of different lengths or kinds", where=str(source.path))
            chunks: list[Struct] = []
            for name in columns:
                meta, start, bytes_ = (ours[name], 0, own) if name in ours else (theirs[name], base, data)
                first, size = _span(meta)
                out.write(bytes_[first - start : first - start + size])
                chunks.append(
                    _moved(meta, at - first, _CARRIED | {_STATISTICS} if name in ours else _CARRIED)
                )
                at += size
            groups.append(_group(chunks, rows.pop(), ordinal))
        footer = _footer(mine.whole, elements, groups)
        out.write(footer + len(footer).to_bytes(4, "little") + _MAGIC)


def _bytes_of(path: Path, metas: Sequence[Struct]) -> tuple[int, memoryview]:
    """From the first to the last byte of some chunks of one row group, and where that is."""
    spans = [_span(meta) for meta in metas]
    first, end = min(start for start, _ in spans), max(start + size for start, size in spans)
    with path.open("rb") as file:
        file.seek(first)
        data = file.read(end - first)
    if len(data) != end - first:
        raise JinkaError("cut off", where=str(path))
    return first, memoryview(data)


def _span(meta: Struct) -> tuple[int, int]:
    """Where a chunk begins and how long it is."""
    data = int(meta[_DATA_AT][1])
    words = int(meta[_DICTIONARY_AT][1]) if _DICTIONARY_AT in meta else 0
    return (words if 0 < words < data else data), int(meta[_PACKED][1])


def _moved(meta: Struct, by: int, fields: Set[int]) -> Struct:
    """The ColumnChunk of a chunk that lies further on, with these fields of what is said of it."""
    kept = {field: one for field, one in meta.items() if field in fields}
    for field in (_DATA_AT, _DICTIONARY_AT):
        if field in kept and kept[field][1] > 0:
            kept[field] = (_I64, kept[field][1] + by)
    return {_OFFSET: (_I64, 0), _META: (_STRUCT, kept)}


def _group(chunks: Sequence[Struct], rows: int, ordinal: int) -> Struct:
    metas = [chunk[_META][1] for chunk in chunks]
    return {
        _COLUMNS: (_LIST, (_STRUCT, chunks)),
        _PLAIN_BYTES: (_I64, sum(meta[_PLAIN][1] for meta in metas)),
        _GROUP_ROWS: (_I64, rows),
        _GROUP_BYTES: (_I64, sum(meta[_PACKED][1] for meta in metas)),
        _ORDINAL: (_I16, ordinal),
    }


def _footer(whole: Struct, elements: Sequence[Struct], groups: Sequence[Struct]) -> bytes:
    root = whole[_SCHEMA][1][1][0] | {_CHILDREN: (_I32, len(elements))}
    order = whole[_ORDERS][1][1][0]
    out = bytearray()
    made = whole | {
        _SCHEMA: (_LIST, (_STRUCT, [root, *elements])),
        _ROWS: (_I64, sum(group[_GROUP_ROWS][1] for group in groups)),
        _GROUPS: (_LIST, (_STRUCT, groups)),
        _ORDERS: (_LIST, (_STRUCT, [order] * len(elements))),
    }
    _put(out, _STRUCT, made)
    return bytes(out)


class _Reader:
    """Reads structs of the Thrift compact protocol; whatever is not there is an error that names the file."""

    def __init__(self, raw: bytes, where: str) -> None:
        self._raw, self._at, self._where = raw, 0, where

    def struct(self, depth: int) -> Struct:
        if depth > _DEPTH_MAX:
            raise JinkaError("a footer nested too deep", where=self._where)
        found: Struct = {}
        field = 0
        while first := self._take(1)[0]:
            kind, step = first & 15, first >> 4
            field = field + step if step else self._zigzag()
            found[field] = (kind, kind == _TRUE if kind <= _FALSE else self._value(kind, depth))
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind in (_I16, _I32, _I64):
            return self._zigzag()
        if kind == _BINARY:
            return self._take(self._varint())
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._take(1)[0]
        if kind == _DOUBLE:
            return self._take(8)
        if kind != _LIST:
            raise JinkaError(f"type {kind} in a footer", where=self._where)
        first = self._take(1)[0]
        count = first >> 4 if first >> 4 < 15 else self._varint()
        return first & 15, [self._value(first & 15, depth) for _ in range(count)]

    def _take(self, count: int) -> bytes:
        taken = self._raw[self._at : self._at + count]
        if len(taken) != count:
            raise JinkaError("a footer that is cut off", where=self._where)
        self._at += count
        return taken

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._take(1)[0]
            value |= (byte & 127) << shift
            if byte < 128:
                return value
            shift += 7
        raise JinkaError("a number of more than 64 bits in a footer", where=self._where)

    def _zigzag(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)


def _put(out: bytearray, kind: int, value: Any) -> None:
    if kind in (_I16, _I32, _I64):
        _put_varint(out, value << 1 if value >= 0 else (-value << 1) - 1)
    elif kind == _STRUCT:
        before = 0
        for field, (inner, one) in sorted(value.items()):
            if inner in (_TRUE, _FALSE):
                inner = _TRUE if one else _FALSE
            if field - before < 16:
                out.append((field - before) << 4 | inner)
            else:
                out.append(inner)
                _put(out, _I16, field)
            if inner > _FALSE:
                _put(out, inner, one)
            before = field
        out.append(0)
    elif kind == _LIST:
        of, ones = value
        out.append(min(len(ones), 15) << 4 | of)
        if len(ones) >= 15:
            _put_varint(out, len(ones))
        for one in ones:
            _put(out, of, one)
    elif kind == _BINARY:
        _put_varint(out, len(value))
        out += value
    elif kind == _DOUBLE:
        out += value
    else:
        out.append(value)


def _put_varint(out: bytearray, value: int) -> None:
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
