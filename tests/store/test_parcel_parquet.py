"""Parquet files from outside. Goal: no file makes the reader take more memory than its limits, or lies unnoticed.

Method: bombs of each kind that the format allows, made by another writer's options or by hand; each is refused before
it is decompressed. And a file with every byte changed.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jinka.codec.parcel_contents import Contents, FileSchema, ParquetLimits
from jinka.codec.parquet_pages import ChunkPlace, check_pages
from jinka.kit import Refused
from jinka.store.parcel_parquet import look_here, read_parcel_file, write_parcel_file
from tests.parcels import ROWS, rows

LIMITS = ParquetLimits(rows_max=100_000, decoded_max=8 << 20)
TEXT = FileSchema(name="test.text/1", columns=pa.schema([pa.field("text", pa.string(), nullable=False)]))
ONE = FileSchema(
    name="test.one/1", columns=pa.schema([pa.field("amount", pa.int64(), nullable=False)]), amount="amount"
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "file.parquet"


def _look(path: Path, schema: FileSchema = ROWS, **more: Any) -> Contents:
    """Examine a file; Arrow never holds more than 64 MB for it."""
    pool = pa.default_memory_pool()
    most = max(pool.max_memory(), pool.bytes_allocated() + (64 << 20))
    try:
        return look_here(path, schema, LIMITS, where="file", **more)
    finally:
        assert pool.max_memory() <= most


def _texts(values: list[str]) -> pa.Table:
    return pa.table({"text": pa.array(values)}, schema=TEXT.columns)


@pytest.mark.parametrize("count", [0, 1, 65_536, 65_537])
def test_what_is_written_here_is_read_here(path: Path, count: int) -> None:
    write_parcel_file(path, rows(count), ROWS)
    assert _look(path, claimed=count) == Contents(rows=count, amount_fen=count * (count - 1) // 2)
    assert read_parcel_file(path, ROWS).equals(rows(count))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"use_dictionary": False},
        {"data_page_version": "2.0", "compression": "snappy"},
        {"compression": "none", "data_page_size": 1000},
        {
            "use_dictionary": False,
            "column_encoding": {"id": "BYTE_STREAM_SPLIT", "amount": "DELTA_BINARY_PACKED"},
        },
        {"row_group_size": 100, "write_page_index": True},
    ],
    ids=str,
)
def test_other_writers_options_are_taken(path: Path, options: dict[str, Any]) -> None:
    pq.write_table(rows(1000), path, **options)
    assert _look(path, claimed=1000).rows == 1000


def test_amounts_add_up_beyond_63_bits_without_wrapping(path: Path) -> None:
    big = pa.table({"amount": pa.array([2**62, 2**62, 2**62], pa.int64())}, schema=ONE.columns)
    write_parcel_file(path, big, ONE)
    with pytest.raises(Refused, match="63 bits"):
        _look(path, ONE)
    both = pa.table({"amount": pa.array([2**62, -(2**62), 5], pa.int64())}, schema=ONE.columns)
    write_parcel_file(path, both, ONE)
    assert _look(path, ONE).amount_fen == 5


def test_a_text_that_is_repeated_a_million_times_is_counted_as_it_would_become(path: Path) -> None:
    """Three thousand bytes in a dictionary, and one index repeated: a few thousand bytes become 150 MB."""
    pq.write_table(_texts(["x" * 3000] * 50_000), path, compression="zstd")
    assert path.stat().st_size < 50_000
    with pytest.raises(Refused, match="becomes more than"):
        _look(path, TEXT)


def test_one_long_text_is_refused(path: Path) -> None:
    for options in ({}, {"use_dictionary": False}):
        pq.write_table(_texts(["x" * 4097]), path, **options)
        with pytest.raises(Refused, match=r"a value of more than|claims"):
            _look(path, TEXT)
    pq.write_table(_texts(["x" * 4096]), path)
    assert _look(path, TEXT).rows == 1


def test_a_page_of_zeros_that_blows_up_is_refused_unread(path: Path) -> None:
    pq.write_table(_texts(["\0" * 40_000_000]), path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 10_000
    with pytest.raises(Refused, match="claims 400"):
        _look(path, TEXT)


def test_texts_that_repeat_what_stood_before_are_refused(path: Path) -> None:
    """DELTA_BYTE_ARRAY: each value may be the one before and a byte, so a page grows with the square of its size."""
    table = _texts(["x" * 100] * 1000)
    for number, encoding in ((6, "DELTA_LENGTH_BYTE_ARRAY"), (7, "DELTA_BYTE_ARRAY")):
        pq.write_table(table, path, use_dictionary=False, column_encoding={"text": encoding})
        with pytest.raises(Refused, match=f"encoding {number}"):
            _look(path, TEXT)


def test_many_rows_in_few_bytes_are_refused(path: Path) -> None:
    ones = pa.table({"amount": pa.array([1] * 100_001, pa.int64())}, schema=ONE.columns)
    pq.write_table(ones, path)
    with pytest.raises(Refused, match="at most 100000"):
        _look(path, ONE)


@pytest.mark.parametrize(
    ("claimed", "words"), [(9, "10 rows, not 9"), (11, "10 rows, not 11"), (0, "10 rows, not 0")]
)
def test_rows_are_those_that_are_claimed(path: Path, claimed: int, words: str) -> None:
    write_parcel_file(path, rows(10), ROWS)
    with pytest.raises(Refused, match=words):
        _look(path, claimed=claimed)


SCHEMAS: dict[str, pa.Schema] = {
    "one more": ROWS.columns.append(pa.field("more", pa.int64())),
    "one less": ROWS.columns.remove(3),
    "one twice": ROWS.columns.append(ROWS.columns.field(3)),
    "another order": pa.schema([ROWS.columns.field(i) for i in (1, 0, 2, 3)], metadata=ROWS.columns.metadata),
    "another type": ROWS.columns.set(2, pa.field("amount", pa.int32(), nullable=False)),
    "wider bytes": ROWS.columns.set(0, pa.field("id", pa.binary(8), nullable=False)),
    "nulls": ROWS.columns.set(2, pa.field("amount", pa.int64())),
    "nested": ROWS.columns.set(3, pa.field("note", pa.list_(pa.string()))),
    "another version": ROWS.columns.with_metadata({b"test.rows": b"2"}),
    "no version": ROWS.columns.remove_metadata(),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_any_other_schema_is_refused(path: Path, name: str) -> None:
    with pq.ParquetWriter(path, SCHEMAS[name]):
        pass
    with pytest.raises(Refused, match=r"is not as|another version|the order"):
        _look(path)


def _cut(raw: bytes) -> Iterator[bytes]:
    for at in (0, 3, 4, 11, 12, len(raw) // 2, len(raw) - 9, len(raw) - 1):
        yield raw[:at]
    yield raw[4:]
    yield raw + b"x"
    yield raw[:-8] + struct.pack("<I", 0) + b"PAR1"
    yield raw[:-8] + struct.pack("<I", 0xFFFFFFFF) + b"PAR1"
    yield raw[:-8] + struct.pack("<I", len(raw)) + b"PAR1"
    yield raw[:-4] + b"PARE"
    yield b"PAR1" + bytes(2 << 20) + struct.pack("<I", (2 << 20) - 1) + b"PAR1"
    yield b"PK\3\4" + raw[4:]
    yield zlib.compress(raw)


def test_what_is_no_whole_file_is_refused(path: Path) -> None:
    write_parcel_file(path, rows(1000), ROWS)
    for damaged in list(_cut(path.read_bytes())):
        path.write_bytes(damaged)
        with pytest.raises(Refused):
            _look(path)


def _page(kind: int, plain: int, packed: int, values: int, encoding: int, body: bytes = b"") -> bytes:
    """A page header in the Thrift compact protocol, by hand."""

    def zigzag(value: int) -> bytes:
        number, out = (value << 1) ^ (value >> 63), bytearray()
        while number > 127:
            out.append(number & 127 | 128)
            number >>= 7
        return bytes([*out, number])

    inner = {0: 5, 2: 7, 3: 8}.get(kind, 5)
    head = b"\x15" + zigzag(kind) + b"\x15" + zigzag(plain) + b"\x15" + zigzag(packed)
    own = b"\x15" + zigzag(values)
    own += (b"\x35" if kind == 3 else b"\x15") + zigzag(encoding) + b"\0"
    return head + bytes([(inner - 3) << 4 | 12]) + own + b"\0" + body


def _check(raw: bytes, values: int = 10, **more: int) -> None:
    file = b"PAR1" + raw
    place = {"offset": 4, "length": len(raw)} | more
    check_pages(io.BytesIO(file), len(file), [ChunkPlace(column="c", values=values, **place)])


def test_pages_are_read_as_they_are_laid_out() -> None:
    _check(_page(2, 100, 5, 3, 0, b"12345") + _page(0, 40, 4, 6, 8, b"1234") + _page(3, 40, 4, 4, 8, b"1234"))


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (_page(0, 2**31 - 1, 1, 10, 0, b"1"), "claims 2147483647 bytes"),
        (_page(0, 50_000, 1, 10, 0, b"1"), "claims 50000 bytes"),
        (_page(0, -1, 1, 10, 0, b"1"), "claims -1 bytes"),
        (_page(2, 2**31 - 1, 1, 2, 0, b"1") + _page(0, 9, 1, 10, 8, b"1"), "claims 2147483647 bytes"),
        (_page(0, 9, 1, 2**31 - 1, 0, b"1"), "claims 2147483647 values"),
        (_page(0, 9, 1, -3, 0, b"1"), "claims -3 values"),
        (_page(0, 9, 1, 0, 0, b"1"), "claims 0 values"),
        (_page(0, 9, 1, 9, 0, b"1"), "9 values, and 10 rows"),
        (_page(0, 9, 1, 9, 0, b"1") * 2, "18 values, and 10 rows"),
        (_page(2, 9, 1, 2, 0, b"1") * 2, "a second dictionary"),
        (_page(0, 9, 2, 10, 0, b"1"), "does not end within"),
        (_page(0, 9, -1, 10, 0, b"1"), "does not end within"),
        (_page(0, 9, 1, 10, 7, b"1"), "encoding 7"),
        (_page(0, 9, 1, 10, 99, b"1"), "encoding 99"),
        (_page(1, 9, 1, 10, 0, b"1"), "a page of kind 1"),
        (_page(0, 9, 1, 10, 0)[:-3], "cut off"),
        (b"\x15\x00\x15\x12\x15\x02\x00", "no header of its kind"),
        (b"\x1c" * 50, "nested too deep"),
        (b"\x18\xff\xff\xff\xff\x0f", "cut off"),
        (b"\x15" + b"\xff" * 11, "more than 64 bits"),
        (b"\x19\xfc\xff\xff\xff\xff\x0f" + b"\x00" * 40, "cut off"),
        (b"\x1e\x00", "unknown type 14"),
        (b"", "0 values"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_page_that_lies_is_named(raw: bytes, words: str) -> None:
    with pytest.raises(Refused, match=words):
        _check(raw)


def test_chunks_lie_in_the_file_and_beside_each_other() -> None:
    good = _page(0, 9, 1, 10, 0, b"1")
    for place in ({"offset": 0}, {"offset": 5}, {"length": len(good) + 1}, {"length": -1}, {"offset": 2**40}):
        with pytest.raises(Refused):
            _check(good, **place)
    file = b"PAR1" + good
    twice = [ChunkPlace(column=name, offset=4, length=len(good), values=10) for name in "ab"]
    with pytest.raises(Refused, match="over another"):
        check_pages(io.BytesIO(file), len(file), twice)


def test_too_many_pages_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jinka.codec.parquet_pages.PAGES_MAX", 1000)
    _check(_page(0, 9, 0, 1, 0) * 1000, values=1000)
    with pytest.raises(Refused, match="more than 1000 pages"):
        _check(_page(0, 9, 0, 1, 0) * 1001, values=1001)
