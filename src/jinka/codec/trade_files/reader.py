"""A file of the trade to Arrow, batch by batch, whatever its size; and its trailer, which is checked at the end.

Lines are of one length, so the place of a record is known and nothing is searched for: a file whose size does not fit
is cut off or not of this layout. Raises `Refused` with the file, the number of the record from 1, the field and the
byte of the file; never with the value.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa

from jinka.codec.trade_files.columns import Bytes, Misfit, decode
from jinka.codec.trade_files.layout import Coding, Field, Layout, line_width, places
from jinka.kit import Refused

BATCH_ROWS = 1 << 15
_LINE_MAX = 4096
_BATCH_BYTES = 1 << 24
_REST = Field(name="rest", width=1, coding=Coding.TEXT, zh="", origin=None)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shape:
    """Where the lines of a file are: ``head`` and ``tail`` in bytes, ``line`` with its end."""

    size: int
    head: int
    tail: int
    line: int
    end: bytes

    @property
    def records(self) -> int:
        return (self.size - self.head - self.tail) // self.line


class TradeFile:
    """One file, opened. ``header`` is there at once; what `batches` gives is right when it has ended."""

    def __init__(self, file: BinaryIO, layout: Layout, *, where: str) -> None:
        self.layout, self.where = layout, where
        self._file = file
        self._shape = self._measure()
        self.header: dict[str, Any] = {}
        if layout.header:
            self.header = self._special(self._read(0, self._shape.head), layout.header, 0, "header")

    @property
    def records(self) -> int:
        """How many there are."""
        return self._shape.records

    def batches(self, rows: int = BATCH_ROWS) -> Iterator[pa.RecordBatch]:
        """All records in order; raises `Refused` for the first that is wrong, and for a trailer that does not fit."""
        digest, total, shape = hashlib.sha256(self._read(0, self._shape.head)), 0, self._shape
        rows = max(1, min(rows, _BATCH_BYTES // shape.line))
        for first in range(0, shape.records, rows):
            count = min(rows, shape.records - first)
            raw = self._read(shape.head + first * shape.line, count * shape.line)
            batch = self._decoded(np.frombuffer(raw, np.uint8).reshape(count, shape.line), first)
            if self.layout.trailer:
                digest.update(raw)
                total += sum(batch.column(self.layout.amount).to_pylist())
            yield batch
        if self.layout.trailer:
            self._close(digest.hexdigest(), total)

    def _measure(self) -> _Shape:
        layout, size = self.layout, self._file.seek(0, 2)
        first = self._read(0, min(size, _LINE_MAX))
        where = f"{self.where}, byte 0"
        if not size and not layout.header:
            return _Shape(size=0, head=0, tail=0, line=1, end=b"")
        place = first.find(b"\n") + 1
        if not place:
            raise Refused(
                f"no line ends within {_LINE_MAX} bytes", where=where, fix=f"is it a {layout.name}?"
            )
        end = next(end for end in (b"\r\n", b"\n") if first[:place].endswith(end))
        if end not in layout.line_ends:
            raise Refused("its lines end in another way", where=where, fix=f"{layout.line_ends[0]!r}")
        if layout.header:
            head = line_width(layout.header, layout.separator) + len(end)
            tail = line_width(layout.trailer, layout.separator) + len(end)
            line, found = layout.width + len(end), place
            if found != head:
                raise Refused(f"a first line of {found} bytes, not {head}", where=where)
        else:
            head, tail, line = 0, 0, place
            more = line - len(end) - layout.width
            if more < 0 or (more and not layout.rest) or (more and more <= len(layout.separator)):
                raise Refused(
                    f"a line of {line - len(end)} bytes, not {layout.width}", where=where,
                    fix=f"is it a {layout.name}?",
                )  # fmt: skip
        over = (size - head - tail) % line
        if size < head + tail or over:
            number = max(0, size - head - tail) // line + 1
            raise Refused(
                f"the file ends {over} bytes into a line", where=f"{self.where}, record {number}, byte {size}",
                fix="it was cut off, or its lines are not of one length: fetch it again",
            )  # fmt: skip
        return _Shape(size=size, head=head, tail=tail, line=line, end=end)

    def _decoded(self, lines: Bytes, first: int) -> pa.RecordBatch:
        """Columns of a block of lines, or the first thing that is wrong in it, by record and then by byte."""
        layout, wrong = self.layout, list[tuple[int, int, str, str]]()
        columns = []
        self._check_lines(lines, wrong)
        for field, at in places(layout.fields, layout.separator):
            try:
                column = decode(field, lines[:, at : at + field.width])
            except Misfit as found:
                wrong.append((found.row, at + found.byte, field.name, found.what))
                continue
            if not field.constant:
                columns.append(column)
        if layout.rest:
            at = layout.width + len(layout.separator)
            try:
                columns.append(self._rest_of(lines[:, at : lines.shape[1] - len(self._shape.end)]))
            except Misfit as found:
                wrong.append((found.row, at + found.byte, layout.rest, found.what))
        if wrong:
            row, byte, name, what = min(wrong)
            place = self._shape.head + (first + row) * self._shape.line + byte
            raise Refused(what, where=f"{self.where}, record {first + row + 1}, {name}, byte {place}")
        return pa.RecordBatch.from_arrays(columns, schema=layout.schema)

    def _check_lines(self, lines: Bytes, wrong: list[tuple[int, int, str, str]]) -> None:
        """Separators where they belong, the line's end at its end and nowhere before."""
        layout, end = self.layout, self._shape.end
        gap = np.frombuffer(layout.separator, np.uint8)
        starts = [at for _, at in places(layout.fields, layout.separator)][1:] if len(gap) else []
        known = lines.shape[1] - len(end)
        if layout.rest and len(gap) and known > layout.width:
            starts.append(layout.width + len(gap))
        for at in starts:
            bad = (lines[:, at - len(gap) : at] != gap).any(axis=1)
            if bad.any():
                wrong.append(
                    (int(np.argmax(bad)), at - len(gap), "separator", f"is not {layout.separator!r}")
                )
        bad = (lines[:, known:] != np.frombuffer(end, np.uint8)).any(axis=1)
        if bad.any():
            wrong.append((int(np.argmax(bad)), known, "end of line", "the line does not end here"))

    def _rest_of(self, raw: Bytes) -> pa.Array:
        if not raw.shape[1]:
            return pa.nulls(len(raw), pa.string())
        return decode(_REST, raw)

    def _special(self, raw: bytes, fields: tuple[Field, ...], start: int, name: str) -> dict[str, Any]:
        """The values of a header or a trailer."""
        line, found = np.frombuffer(raw, np.uint8)[None, :], {}
        width = line_width(fields, self.layout.separator)
        if raw[width:] != self._shape.end:
            raise Refused("the line does not end here", where=f"{self.where}, {name}, byte {start + width}")
        for field, at in places(fields, self.layout.separator):
            try:
                found[field.name] = decode(field, line[:, at : at + field.width])[0].as_py()
            except Misfit as problem:
                where = f"{self.where}, {name}, {field.name}, byte {start + at + problem.byte}"
                raise Refused(problem.what, where=where) from None
        return found

    def _close(self, digest: str, total: int) -> None:
        start = self._shape.size - self._shape.tail
        found = self._special(self._read(start, self._shape.tail), self.layout.trailer, start, "trailer")
        is_ = {"count": self.records, "total": total, "check": bytes.fromhex(digest)}
        for name, value in is_.items():
            if found[name] != value:
                said = "" if name == "check" else f": says {found[name]}, is {value}"
                raise Refused(
                    f"{name} is not that of the records{said}", where=f"{self.where}, trailer, {name}"
                )

    def _read(self, at: int, size: int) -> bytes:
        self._file.seek(at)
        raw = self._file.read(size)
        if len(raw) != size:
            raise Refused("became shorter while it was read", where=f"{self.where}, byte {at + len(raw)}")
        return raw


__all__ = ["BATCH_ROWS", "TradeFile"]
