"""How a call of the key service is written: a JSON header that names the verb, and parts of raw bytes behind it.

A message is ``u32 header length | u64 length of all parts`` (big endian), the header in UTF-8, then the parts.
Bytes, arrays and Arrow batches (IPC stream format) travel as parts, so nothing is coded twice. Jinka's own format,
version 1. What comes in is believed in nothing: sizes, types and names are checked, Arrow data is validated in full.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from enum import Enum
from typing import Any

import numpy as np
import pyarrow as pa

from jinka.codec import Algorithm
from jinka.keys.port import Purpose
from jinka.kit import JinkaError, NotFound, Refused, Usage

PREFIX = struct.Struct(">IQ")
HEADER_MAX = 1 << 20
PARTS_MAX = 256 << 20
DEPTH_MAX = 8
VERSION = 1
_DTYPES = frozenset({"|u1", "|b1", "<u2", "<u4", "<i8"})
_ENUMS: dict[str, type[Enum]] = {"Algorithm": Algorithm, "Purpose": Purpose}
_ERRORS: dict[str, type[JinkaError]] = {
    error.__name__: error for error in (JinkaError, Usage, NotFound, Refused)
}

_NOT_A_MESSAGE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,  # Arrow metadata may announce any length
    NotImplementedError,
    OSError,  # pyarrow's for metadata that is none
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
    pa.ArrowException,
)

Part = bytes | memoryview


def add_enums(*kinds: type[Enum]) -> None:
    """Let values of further enumerations travel by name."""
    for kind in kinds:
        _ENUMS[kind.__name__] = kind


def write_message(content: dict[str, Any]) -> list[Part]:
    """The pieces of a message, to be sent one after the other."""
    parts: list[Part] = []
    body = {name: _write(value, parts) for name, value in content.items()}
    header = json.dumps(
        {"version": VERSION, "parts": [len(part) for part in parts], "body": body}, separators=(",", ":")
    ).encode()
    return [PREFIX.pack(len(header), sum(len(part) for part in parts)) + header, *parts]


def sizes_of(prefix: bytes, *, parts_max: int = PARTS_MAX) -> tuple[int, int]:
    """The lengths that a prefix announces; raises `Usage` for what nobody would send."""
    header, parts = PREFIX.unpack(prefix)
    if header > HEADER_MAX or parts > parts_max:
        raise Usage(
            f"a message of {header} and {parts} bytes", where="key socket", fix="send the batch in slices"
        )
    return header, parts


def read_message(header: bytes, parts: memoryview) -> dict[str, Any]:
    """The content of a message; raises `Usage` for anything that `write_message` does not make."""
    try:
        raw = json.loads(header)
        if raw["version"] != VERSION or not isinstance(raw["body"], dict):
            raise Usage("another version or form", where="key socket", fix=f"speak version {VERSION}")
        pieces = _split(parts, raw["parts"])
        return {str(name): _read(value, pieces, 0) for name, value in raw["body"].items()}
    except _NOT_A_MESSAGE:
        raise Usage("not a message of the key service", where="key socket") from None


def error_of(raw: Sequence[str]) -> JinkaError:
    """The error that an answer carries."""
    kind, what, where, fix = raw
    return _ERRORS.get(kind, JinkaError)(what, where=where, fix=fix)


def error_text(error: JinkaError) -> list[str]:
    """An error as an answer carries it."""
    kind = next((name for name, known in _ERRORS.items() if type(error) is known), "JinkaError")
    return [kind, error.what, error.where, error.fix]


def _write(value: Any, parts: list[Part]) -> Any:
    if isinstance(value, Enum):  # before int: some are both
        return {"e": [type(value).__name__, value.name]}
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return {"b": _add(parts, bytes(value) if isinstance(value, bytearray) else value)}
    if isinstance(value, np.ndarray):
        flat = np.ascontiguousarray(value)
        return {"a": [flat.dtype.str, list(flat.shape), _add(parts, memoryview(flat.tobytes()))]}
    if isinstance(value, pa.RecordBatch):
        return {"r": _add(parts, _ipc(value))}
    if isinstance(value, pa.Array):
        return {"c": _add(parts, _ipc(pa.record_batch([value], names=["column"])))}
    if isinstance(value, list | tuple):
        return {"l" if isinstance(value, list) else "t": [_write(item, parts) for item in value]}
    if isinstance(value, dict):
        return {"d": {str(key): _write(item, parts) for key, item in value.items()}}
    raise Usage(f"a {type(value).__name__} does not travel", where="key socket")


def _read(raw: Any, parts: list[memoryview], depth: int) -> Any:
    if raw is None or isinstance(raw, bool | int | str):
        return raw
    if depth > DEPTH_MAX or not isinstance(raw, dict) or len(raw) != 1:
        raise ValueError
    [(tag, value)] = raw.items()
    if tag in ("l", "t"):
        items = [_read(item, parts, depth + 1) for item in value]
        return items if tag == "l" else tuple(items)
    if tag == "d":
        return {str(key): _read(item, parts, depth + 1) for key, item in value.items()}
    if tag == "e":
        return _ENUMS[value[0]][value[1]]
    if tag == "b":
        return bytes(parts[_index(value)])
    if tag == "a":
        return _array(value, parts)
    if tag in ("r", "c"):
        batch = _batch(parts[_index(value)])
        return batch if tag == "r" else batch.column(0)
    raise ValueError


def _add(parts: list[Part], part: Part) -> int:
    parts.append(part)
    return len(parts) - 1


def _index(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError
    return value


def _split(parts: memoryview, sizes: list[int]) -> list[memoryview]:
    pieces, start = [], 0
    for size in sizes:
        pieces.append(parts[start : start + _index(size)])
        start += size
    if start != len(parts):
        raise ValueError
    return pieces


def _array(value: Any, parts: list[memoryview]) -> np.ndarray[Any, Any]:
    dtype, shape, index = value
    if dtype not in _DTYPES or len(shape) > 2:
        raise ValueError
    part, wanted = parts[_index(index)], math.prod(_index(side) for side in shape)
    if len(part) != wanted * np.dtype(dtype).itemsize:
        raise ValueError
    return np.frombuffer(part, dtype=dtype).reshape(shape)


def _ipc(batch: pa.RecordBatch) -> memoryview:
    """The batch as an IPC stream, written once into memory of the right size."""
    counted = pa.MockOutputStream()
    _write_batch(counted, batch)
    buffer = pa.allocate_buffer(counted.size())
    _write_batch(pa.FixedSizeBufferWriter(buffer), batch)
    return memoryview(buffer)


def _write_batch(sink: pa.NativeFile, batch: pa.RecordBatch) -> None:
    with pa.ipc.new_stream(sink, batch.schema) as stream:
        stream.write_batch(batch)


def _batch(part: memoryview) -> pa.RecordBatch:
    with pa.ipc.open_stream(pa.py_buffer(part)) as stream:
        batch = stream.read_next_batch()
    batch.validate(full=True)
    return batch
