"""What a Parquet file from outside holds, found out without believing it.

It is judged from the cheap to the dear: the footer's size, its schema (exactly one that is known and flat), its rows,
the size that every page claims (`jinka.codec.parquet_pages`), and only then its values, in small batches and with texts
kept as dictionaries, so that no file becomes more memory than its limits. What is counted and added up here is what
the manifest must say.

Parsers of formats this large have faults, and one in native code ends its process. `answer_all` is this module as a
process of its own, which whoever takes files from others lets look first (`jinka.node.parcel_examiner`).
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jinka.codec.parcel import Kind
from jinka.codec.parquet_pages import VALUE_BYTES_MAX, ChunkPlace, check_pages
from jinka.kit import MAX_MINOR, Refused

_MAGIC = b"PAR1"
_FOOTER_MAX = 1 << 20
_GROUPS_MAX = 1_000
_BATCH_ROWS = 8_192
_SUM = pa.decimal128(38)  # 20 million amounts of 63 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSchema:
    """What a file of this name is: its columns, which of them is the amount (in fen), which streams may carry it."""

    name: str
    columns: pa.Schema
    amount: str = ""
    kinds: frozenset[Kind] = frozenset(Kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class ParquetLimits:
    """How much one file may hold. ``decoded_max`` is in bytes, as Arrow holds it."""

    rows_max: int = 2_000_000
    decoded_max: int = 1 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a file was found to hold."""

    rows: int
    amount_fen: int


def examine(
    file: BinaryIO, schema: FileSchema, limits: ParquetLimits, *, where: str, claimed: int | None = None
) -> Contents:
    """Look a file through; raises `Refused`. ``claimed`` is how many rows it is said to have."""
    try:
        return _examine(file, schema, limits, where, claimed)
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise Refused(f"not a Parquet file that can be read: {type(error).__name__}", where=where) from None


def question(path: str, schema: FileSchema, limits: ParquetLimits, *, where: str, claimed: int) -> bytes:
    """One line that asks `answer_all` to examine the file at ``path``."""
    asked = {
        "path": path, "name": schema.name, "amount": schema.amount, "rows_max": limits.rows_max,
        "columns": base64.b64encode(schema.columns.serialize().to_pybytes()).decode(),
        "decoded_max": limits.decoded_max, "where": where, "claimed": claimed,
    }  # fmt: skip
    return json.dumps(asked).encode() + b"\n"


def read_answer(line: bytes) -> Contents:
    """What an answer says; raises the `Refused` that it holds."""
    found = json.loads(line)
    if "refused" in found:
        what, where, fix = found["refused"]
        raise Refused(what, where=where, fix=fix)
    return Contents(rows=found["rows"], amount_fen=found["amount_fen"])


def answer_all(questions: BinaryIO, answers: BinaryIO, opened: Callable[[str, str], BinaryIO]) -> None:
    """Answer question after question until there are no more; ``opened`` opens a file."""
    pa.set_cpu_count(1)
    for line in questions:
        asked = json.loads(line)
        columns = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(asked["columns"])))
        schema = FileSchema(name=asked["name"], columns=columns, amount=asked["amount"])
        limits = ParquetLimits(rows_max=asked["rows_max"], decoded_max=asked["decoded_max"])
        try:
            with opened(asked["path"], "rb") as file:
                found = examine(file, schema, limits, where=asked["where"], claimed=asked["claimed"])
            answer: dict[str, Any] = {"rows": found.rows, "amount_fen": found.amount_fen}
        except Refused as error:
            answer = {"refused": [error.what, error.where, error.fix]}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


def _examine(
    file: BinaryIO, schema: FileSchema, limits: ParquetLimits, where: str, claimed: int | None
) -> Contents:
    size = _check_ends(file, where)
    facts, found = _footer(file)
    if facts.num_row_groups > _GROUPS_MAX:
        raise Refused(f"{facts.num_row_groups} row groups", where=where, fix=f"at most {_GROUPS_MAX}")
    require_columns(found, schema, where=where)
    if facts.num_rows != (facts.num_rows if claimed is None else claimed):
        raise Refused(f"{facts.num_rows} rows, not {claimed}", where=f"{where}.rows")
    if facts.num_rows > limits.rows_max:
        raise Refused(f"{facts.num_rows} rows", where=where, fix=f"at most {limits.rows_max} in one file")
    check_pages(file, size, list(_places(facts, where)))
    texts = [field.name for field in schema.columns if _is_text(field.type)]
    opened = pq.ParquetFile(
        file, metadata=facts, read_dictionary=texts, pre_buffer=False, page_checksum_verification=True
    )
    rows, amount, decoded = 0, 0, 0
    for batch in opened.iter_batches(_BATCH_ROWS):
        rows += batch.num_rows
        decoded += sum(_checked_size(batch, at, schema, where) for at in range(batch.num_columns))
        if decoded > limits.decoded_max:
            raise Refused(
                f"becomes more than {limits.decoded_max} bytes", where=where, fix="send it in parts"
            )
        if schema.amount:
            amount += int(pc.sum(batch.column(schema.amount).cast(_SUM)).as_py() or 0)
    if rows != facts.num_rows:
        raise Refused(f"{rows} rows, not {facts.num_rows}", where=f"{where}.rows")
    if abs(amount) > MAX_MINOR:
        raise Refused("the amounts add up to more than 63 bits", where=where)
    return Contents(rows=rows, amount_fen=amount)


def _footer(file: BinaryIO) -> tuple[Any, pa.Schema]:
    """What the footer says, within limits of its own."""
    opened = pq.ParquetFile(
        file, pre_buffer=False, thrift_string_size_limit=_FOOTER_MAX, thrift_container_size_limit=100_000
    )
    return opened.metadata, opened.schema_arrow


def _check_ends(file: BinaryIO, where: str) -> int:
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(4)
    file.seek(max(size - 8, 0))
    tail = file.read(8)
    if size < 12 or head != _MAGIC or tail[4:] != _MAGIC:
        raise Refused("not a Parquet file, or cut off", where=where)
    (footer,) = struct.unpack("<I", tail[:4])
    if not 0 < footer <= min(_FOOTER_MAX, size - 12):
        raise Refused(f"a footer of {footer} bytes", where=where, fix=f"at most {_FOOTER_MAX}")
    file.seek(0)
    return size


def _places(facts: Any, where: str) -> Iterator[ChunkPlace]:
    rows = 0
    for number in range(facts.num_row_groups):
        group = facts.row_group(number)
        rows += group.num_rows
        if group.num_rows <= 0:
            raise Refused(f"row group {number} has {group.num_rows} rows", where=where)
        for at in range(group.num_columns):
            column = group.column(at)
            if column.num_values != group.num_rows:
                raise Refused(f"{column.num_values} values in {group.num_rows} rows", where=where)
            start = column.data_page_offset  # and from here on as Arrow finds a column's first page
            if column.has_dictionary_page and 0 < (column.dictionary_page_offset or 0) < start:
                start = column.dictionary_page_offset
            yield ChunkPlace(
                column=f"{where}, {column.path_in_schema}", offset=start,
                length=column.total_compressed_size, values=group.num_rows,
            )  # fmt: skip
    if rows != facts.num_rows:
        raise Refused(f"its groups have {rows} rows, and it {facts.num_rows}", where=where)


def _checked_size(batch: pa.RecordBatch, at: int, schema: FileSchema, where: str) -> int:
    """The bytes of a column once it is plain; raises `Refused` for a null or a value that may not be."""
    field, column = schema.columns.field(at), batch.column(at)
    if column.null_count and not field.nullable:
        raise Refused("a null where none may be", where=f"{where}, {field.name}")
    if not _is_text(field.type):
        return int(column.nbytes)
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    lengths = pc.binary_length(column.dictionary)
    if (pc.max(lengths).as_py() or 0) > VALUE_BYTES_MAX:
        raise Refused(f"a value of more than {VALUE_BYTES_MAX} bytes", where=f"{where}, {field.name}")
    if pa.types.is_string(field.type):
        column.dictionary.validate(full=True)  # UTF-8
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0) + 4 * len(column)


def require_columns(found: pa.Schema, schema: FileSchema, *, where: str) -> None:
    """The very columns in their order, and the version that the schema's own metadata names."""
    wanted = schema.columns
    if not found.equals(wanted, check_metadata=False):
        names = [f.name for f in found]
        odd = [name for name in names if name not in wanted.names] or [
            f.name
            for f in wanted
            if f.name not in names or names.count(f.name) != 1 or found.field(f.name) != f
        ]
        what = f"column {odd[0][:40]!r}" if odd else "the order of the columns"
        raise Refused(f"{what} is not as {schema.name} has it", where=f"{where}.schema")
    for key, value in (wanted.metadata or {}).items():
        if (found.metadata or {}).get(key) != value:
            raise Refused(f"another version than {schema.name}", where=f"{where}.schema")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_binary(kind))
