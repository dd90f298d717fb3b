"""Leaves of cleared records. Goal: a leaf binds every column, in bulk as one by one, and hides what it binds. Method:
the layout written out again with struct and hashlib, and openssl for the salts.
"""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from jinka.clearing import leaf
from jinka.kit import Usage
from tests.clearing.outcomes import rows, table

SECRET = bytes(range(32))


def _by_hand(row: dict[str, Any]) -> bytes:
    """docs/proof.md, written again."""
    tac = row["tac"]
    words = [
        row[name]
        for name in (
            "profile", "product", "zone", "issuer", "acquirer", "operator", "line", "stop", "payer", "outcome",
            "reason", "findings", "at_risk",
        )
    ]  # fmt: skip
    date = row["business_date"]
    return (
        row["batch"]
        + struct.pack(">IB", row["batch_seq"], row["state"])
        + row["card_no"]
        + struct.pack(">BHB", row["card_len"], row["profile_version"], row["txn_type"])
        + struct.pack(
            ">qqqHB", *(row[n] for n in ("amount", "balance", "gross_fare", "counter", "counter_kind"))
        )
        + row["terminal_id"]
        + struct.pack(">I", row["terminal_serial"])
        + row["psam_id"]
        + row["local_date"]
        + row["local_time"]
        + struct.pack(">I", date.year * 10000 + date.month * 100 + date.day)
        + struct.pack(">BB", row["key_version"], row["algorithm"])
        + bytes((255 if tac is None else min(len(tac), 255),))
        + (tac or b"")[:4].ljust(4, b"\0")
        + struct.pack(">q", row["subsidy"])
        + hashlib.sha256(json.dumps(words, separators=(",", ":")).encode()).digest()
    )


def test_bodies_in_bulk_are_the_documented_bytes() -> None:
    found = rows(500)
    made = leaf.bodies(table(found))
    for at, row in enumerate(found):
        assert made[at].tobytes() == _by_hand(row)
        assert leaf.body_of(leaf.fields_of(row)) == made[at].tobytes()


def test_bodies_of_a_slice_and_of_several_chunks_are_the_same() -> None:
    found = rows(300)
    whole = leaf.bodies(table(found))
    assert (leaf.bodies(table(found).slice(70, 100)) == whole[70:170]).all()
    assert (leaf.bodies(pa.concat_tables([table(found[:120]), table(found[120:])])) == whole).all()
    assert leaf.bodies(table([])).shape == (0, leaf.BODY_BYTES)


def test_a_salt_is_the_place_under_the_days_secret() -> None:
    place = 123_456_789_012
    command = ["openssl", "enc", "-aes-256-ecb", "-nopad", "-K", SECRET.hex()]
    wanted = subprocess.run(command, input=place.to_bytes(16, "big"), capture_output=True, check=True).stdout
    assert leaf.salts(np.array([place]), SECRET)[0].tobytes() == wanted
    body = leaf.bodies(table(rows(1)))
    made = leaf.leaves(body, np.array([place]), SECRET)[0].tobytes()
    assert made == hashlib.sha256(b"\0" + wanted + body[0].tobytes()).digest()


def test_two_equal_records_have_nothing_in_common_in_the_tree() -> None:
    body = np.repeat(leaf.bodies(table(rows(1))), 2, axis=0)
    made = leaf.leaves(body, np.array([0, 1]), SECRET)
    assert made[0].tobytes() != made[1].tobytes()


@pytest.mark.parametrize("column", [name for name in leaf.COLUMNS if name != "record_id"])
def test_every_column_is_bound(column: str) -> None:
    row = rows(1)[0]
    other: Any = row[column]
    if isinstance(other, bytes):
        other = bytes((other[0] ^ 1,)) + other[1:]
    elif isinstance(other, bool):
        other = not other
    elif isinstance(other, int):
        other += 1
    elif isinstance(other, str):
        other += "x"
    elif other is None:
        other = ""
    else:
        other = other.replace(day=6)
    changed = leaf.bodies(table([row | {column: other}]))
    assert changed.tobytes() != leaf.bodies(table([row])).tobytes()


def test_what_is_no_record_is_refused_by_name() -> None:
    fields = leaf.fields_of(rows(1)[0])
    for change, where in (
        ({"amount": 1 << 63}, "amount"),
        ({"amount": "1"}, "amount"),
        ({"amount": True}, "amount"),
        ({"counter": -1}, "counter"),
        ({"card_no": "00"}, "card_no"),
        ({"card_no": 5}, "card_no"),
        ({"card_no": "zz" * 10}, "card_no"),
        ({"words": {}}, "words"),
        ({"words": None}, "words"),
        ({"more": 1}, "more"),
    ):
        with pytest.raises(Usage) as caught:
            leaf.body_of(fields | change)
        assert where in caught.value.where
    with pytest.raises(Usage):
        leaf.bodies(table(rows(1)).drop_columns(["tac"]))
    with pytest.raises(Usage):
        leaf.salts(np.array([1]), b"short")
