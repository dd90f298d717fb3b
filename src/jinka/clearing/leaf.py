"""What of a cleared record is committed to: its leaf in the day's Merkle tree. Jinka's own layout, version 1.

A leaf is SHA-256 over ``00 | salt 16 | body 140``. The body is the whole clearing record with its outcome: numbers and
bytes by `LAYOUT`, and ``words``, the SHA-256 of the texts of `WORDS` as a JSON list in ASCII without blanks. Card
numbers can be guessed, so each leaf has a salt of its own: AES-256 of the leaf's place under the day's secret. A proof
reveals the salt of its own leaf and nothing of any other.

Not here: the tree (`jinka.crypto.merkle_rows`), days and their log (`jinka.clearing.day_log`).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from jinka.crypto.aes import aes_encrypt
from jinka.crypto.merkle_rows import leaf_hashes
from jinka.kit import Usage

Bytes = npt.NDArray[np.uint8]

SALT_BYTES = 16
SECRET_BYTES = 32
ABSENT = 255  # the length of a TAC that is not there

# Bytes are as they are, numbers big-endian (amounts, balances and subsidies signed). The date is the number YYYYMMDD.
LAYOUT: Mapping[str, int] = {
    "batch": 16,
    "batch_seq": 4,
    "state": 1,
    "card_no": 10,
    "card_len": 1,
    "profile_version": 2,
    "txn_type": 1,
    "amount": 8,
    "balance": 8,
    "gross_fare": 8,
    "counter": 2,
    "counter_kind": 1,
    "terminal_id": 6,
    "terminal_serial": 4,
    "psam_id": 10,
    "local_date": 4,
    "local_time": 3,
    "business_date": 4,
    "key_version": 1,
    "algorithm": 1,
    "tac_len": 1,
    "tac": 4,
    "subsidy": 8,
    "words": 32,
}
WORDS = (
    "profile", "product", "zone", "issuer", "acquirer", "operator", "line", "stop", "payer", "outcome", "reason",
    "findings", "at_risk",
)  # fmt: skip
HEX = ("batch", "card_no", "terminal_id", "psam_id", "local_date", "local_time", "tac")  # bytes, not numbers
SIGNED = ("amount", "balance", "gross_fare", "subsidy")
BODY_BYTES = sum(LAYOUT.values())
COLUMNS = ("record_id", *(name for name in LAYOUT if name not in ("tac_len", "words")), *WORDS)
_EPOCH = dt.date(1970, 1, 1)


def bodies(outcomes: pa.Table) -> Bytes:
    """(N, 140): the bodies of cleared records; ``outcomes`` has at least `COLUMNS`."""
    missing = sorted(set(COLUMNS) - set(outcomes.column_names))
    if missing:
        raise Usage(f"no columns {missing}", where="outcomes", fix="give the outcomes of a cleared day")
    out = np.zeros((len(outcomes), BODY_BYTES), dtype=np.uint8)
    if not len(outcomes):
        return out
    at = 0
    for name, width in LAYOUT.items():
        out[:, at : at + width] = _PACKERS.get(name, _fixed if name in HEX else _number)(
            outcomes, name, width
        )
        at += width
    return out


def leaves(rows: Bytes, places: npt.NDArray[np.int64], secret: bytes, *, threads: int = 1) -> Bytes:
    """(N, 32): the leaves of bodies, each at its place in the day's tree."""
    return leaf_hashes(np.hstack([salts(places, secret), rows]), threads=threads)


def salts(places: npt.NDArray[np.int64], secret: bytes) -> Bytes:
    """(N, 16): AES-256 of each place, a number of 16 bytes, under the day's secret."""
    if len(secret) != SECRET_BYTES:
        raise Usage(f"{len(secret)} bytes", where="proof.secret", fix=f"{SECRET_BYTES}")
    blocks = np.zeros((len(places), SALT_BYTES), dtype=np.uint8)
    blocks[:, 8:] = _big_endian(places, 8)
    return np.frombuffer(aes_encrypt(secret, blocks.tobytes()), dtype=np.uint8).reshape(-1, SALT_BYTES)


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record of the outcomes as a proof states it: numbers, bytes in hexadecimal, and the texts in ``words``."""
    body = bodies(pa.Table.from_pylist([dict(row)], schema=_schema(row)))[0].tobytes()
    found: dict[str, Any] = {}
    at = 0
    for name, width in LAYOUT.items():
        part = body[at : at + width]
        found[name] = part.hex() if name in HEX else int.from_bytes(part, "big", signed=name in SIGNED)
        at += width
    return found | {"words": {name: row[name] for name in WORDS}}


def body_of(fields: Mapping[str, Any]) -> bytes:
    """The 140 bytes of what a proof states; raises `Usage` that names the field."""
    if set(fields) != set(LAYOUT):
        odd = sorted(set(fields) ^ set(LAYOUT))
        raise Usage("missing, or unknown", where=f"proof.fields.{odd[0][:40]}")
    return b"".join(_stated(name, width, fields[name]) for name, width in LAYOUT.items())


def digest_of_words(words: Mapping[str, Any]) -> bytes:
    """SHA-256 of the texts in the order of `WORDS`: ``line`` and ``stop`` may be null, ``at_risk`` is a bool."""
    text = json.dumps([words[name] for name in WORDS], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).digest()


def _stated(name: str, width: int, value: object) -> bytes:
    where = f"proof.fields.{name}"
    if name == "words":
        if not isinstance(value, Mapping) or set(value) != set(WORDS):
            raise Usage("not the texts of a record", where=where)
        return digest_of_words(value)
    if name in HEX:
        try:
            raw = bytes.fromhex(value) if isinstance(value, str) and len(value) == 2 * width else b""
        except ValueError:
            raw = b""
        if len(raw) != width:
            raise Usage(f"not {width} bytes in hexadecimal", where=where)
        return raw
    if type(value) is not int:
        raise Usage("not a whole number", where=where)
    try:
        return value.to_bytes(width, "big", signed=name in SIGNED)
    except OverflowError:
        raise Usage("out of range", where=where) from None


def _schema(row: Mapping[str, Any]) -> pa.Schema:
    kinds = {
        "batch": pa.binary(16),
        "card_no": pa.binary(10),
        "terminal_id": pa.binary(6),
        "psam_id": pa.binary(10),
    }
    kinds |= {
        "local_date": pa.binary(4),
        "local_time": pa.binary(3),
        "business_date": pa.date32(),
        "tac": pa.binary(),
    }
    kinds |= dict.fromkeys(WORDS[:-1], pa.string()) | {"at_risk": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.int64())) for name in row])


def _column(table: pa.Table, name: str) -> pa.Array:
    found = table[name]
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _big_endian(values: npt.NDArray[Any], width: int) -> Bytes:
    """The last ``width`` bytes of whole numbers, two's complement."""
    wide = np.ascontiguousarray(values, dtype=">i8")
    return wide.view(np.uint8).reshape(-1, 8)[:, 8 - width :]


def _number(table: pa.Table, name: str, width: int) -> Bytes:
    return _big_endian(pc.fill_null(_column(table, name), 0).to_numpy(zero_copy_only=False), width)


def _fixed(table: pa.Table, name: str, width: int) -> Bytes:
    column = _column(table, name)
    raw: Bytes = np.frombuffer(column.buffers()[1], dtype=np.uint8)
    start = column.offset * width
    return raw[start : start + len(column) * width].reshape(-1, width)


def _date(table: pa.Table, name: str, width: int) -> Bytes:
    column = _column(table, name)
    return _big_endian(
        pc.add(
            pc.add(pc.multiply(pc.year(column), 10_000), pc.multiply(pc.month(column), 100)), pc.day(column)
        ).to_numpy(),
        width,
    )


def _tac_length(table: pa.Table, name: str, width: int) -> Bytes:  # noqa: ARG001 one signature for all
    lengths = pc.min_element_wise(pc.fill_null(pc.binary_length(_column(table, "tac")), ABSENT), ABSENT)
    return _big_endian(lengths.to_numpy(zero_copy_only=False), width)


def _tac(table: pa.Table, name: str, width: int) -> Bytes:
    """The first four bytes; a TAC of another length is refused, and its length says which it was."""
    column = pc.fill_null(_column(table, name), b"")
    padded = pc.binary_slice(pc.binary_join_element_wise(column, bytes(width), b""), 0, width)
    return _fixed(pa.table({name: padded.cast(pa.binary(width))}), name, width)


def _words(table: pa.Table, name: str, width: int) -> Bytes:  # noqa: ARG001 one signature for all
    """Few combinations of texts occur in a day: each is hashed once."""
    code: Any = np.zeros(len(table), dtype=np.int64)
    found: list[tuple[Any, ...]] = [()]
    for word in WORDS:  # packed again after each, so that the product of many lists cannot pass 63 bits
        encoded = _column(table, word).dictionary_encode()
        texts = [*encoded.dictionary.to_pylist(), None]
        place = pc.fill_null(encoded.indices, len(texts) - 1).to_numpy(zero_copy_only=False)
        packed = pa.array(code * len(texts) + place).dictionary_encode()
        found = [
            (*found[pair // len(texts)], texts[pair % len(texts)]) for pair in packed.dictionary.to_pylist()
        ]
        code = packed.indices.to_numpy().astype(np.int64)
    digests = [digest_of_words(dict(zip(WORDS, texts, strict=True))) for texts in found]
    rows: Bytes = np.frombuffer(b"".join(digests), dtype=np.uint8).reshape(-1, width)[code]
    return rows


_PACKERS: dict[str, Callable[[pa.Table, str, int], Bytes]] = {
    "business_date": _date,
    "tac_len": _tac_length,
    "tac": _tac,
    "words": _words,
}
