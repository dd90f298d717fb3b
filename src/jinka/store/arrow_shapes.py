"""Batches in the types that a function or a stream expects: engines forget widths and signs. Pure Arrow, no engine."""

from __future__ import annotations

import pyarrow as pa


def retyped(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """The batch as the stream promised it."""
    if batch.schema.equals(schema):
        return batch
    columns = [column.cast(field.type) for field, column in zip(schema, batch.columns, strict=True)]
    return pa.record_batch(columns, schema=schema)


def shaped(batch: pa.RecordBatch, like: pa.Schema) -> pa.RecordBatch:
    """The same columns with the types of ``like``: DuckDB forgets the width of fixed binaries."""
    columns, fields = [], []
    for field, column in zip(batch.schema, batch.columns, strict=True):
        wanted = like.field(field.name).type if field.name in like.names else field.type
        if column.type != wanted:
            column = _fixed(column, wanted) if pa.types.is_fixed_size_binary(wanted) else column.cast(wanted)
        columns.append(column)
        fields.append(pa.field(field.name, wanted))
    return pa.record_batch(columns, schema=pa.schema(fields))


def _fixed(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """A variable binary array of equal widths as a fixed one; the values are not copied where none is null."""
    if column.null_count:
        return column.cast(wanted)
    first, last = column.buffers()[1], len(column)
    offsets = memoryview(first).cast("i")[column.offset : column.offset + last + 1]
    width = wanted.byte_width
    if offsets[last] - offsets[0] != width * last:
        raise ValueError(f"a value is not {width} bytes long")
    data = column.buffers()[2] or pa.py_buffer(b"")
    values = data.slice(offsets[0], width * last)
    return pa.FixedSizeBinaryArray.from_buffers(wanted, last, [None, values])
