"""Arrow to a file of the trade: the bytes of its lines, piece by piece, with the trailer that proves them.

Raises `Usage` with the number of the record from 1 and the field that its layout cannot hold; nothing is cut short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from jinka.codec.trade_files.columns import Misfit, encode
from jinka.codec.trade_files.layout import Field, Layout
from jinka.kit import Usage


def written(
    batches: Iterable[pa.RecordBatch], layout: Layout, header: Mapping[str, Any] | None = None
) -> Iterator[bytes]:
    """The file in pieces, in order. ``header`` has the values of the layout's header."""
    digest, count, total = hashlib.sha256(), 0, 0
    if layout.header:
        first = _line(layout.header, header or {}, layout, "header")
        digest.update(first)
        yield first
    for batch in batches:
        made = _lines(batch, layout, count)
        count += batch.num_rows
        if layout.trailer:
            digest.update(made)
            total += sum(batch.column(layout.amount).to_pylist())
        yield made
    if layout.trailer:
        values = {"count": count, "total": total, "check": digest.digest()}
        yield _line(layout.trailer, values, layout, "trailer")


def _lines(batch: pa.RecordBatch, layout: Layout, before: int) -> bytes:
    pieces: list[Any] = []
    gap = np.frombuffer(layout.separator, np.uint8)
    for number, field in enumerate(layout.fields):
        if number and len(gap):
            pieces.append(np.broadcast_to(gap, (batch.num_rows, len(gap))))
        if field.constant:
            pieces.append(_constant(field, batch.num_rows))
            continue
        try:
            pieces.append(encode(field, batch.column(field.name)))
        except Misfit as problem:
            raise Usage(problem.what, where=f"record {before + problem.row + 1}, {field.name}") from None
    end = np.frombuffer(layout.line_ends[0], np.uint8)
    pieces.append(np.broadcast_to(end, (batch.num_rows, len(end))))
    return bytes(np.concatenate(pieces, axis=1).tobytes())


def _line(fields: tuple[Field, ...], values: Mapping[str, Any], layout: Layout, name: str) -> bytes:
    pieces = []
    for field in fields:
        if field.constant:
            pieces.append(_constant(field, 1).tobytes())
            continue
        if field.name not in values:
            raise Usage("has no value", where=f"{name}, {field.name}")
        try:
            column = pa.array([values[field.name]], field.coding.arrow)
            pieces.append(encode(field, column).tobytes())
        except (Misfit, pa.ArrowException, OverflowError) as problem:
            raise Usage(str(problem), where=f"{name}, {field.name}") from None
    return layout.separator.join(pieces) + layout.line_ends[0]


def _constant(field: Field, rows: int) -> Any:
    word = np.frombuffer(field.constant.ljust(field.width).encode(), np.uint8)
    return np.broadcast_to(word, (rows, field.width))


__all__ = ["written"]
