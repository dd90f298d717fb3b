"""Outcomes for the tests of proofs: random records in the shape of a cleared day, awkward values included."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.codec import RECORD_SCHEMA

DATE = dt.date(2026, 3, 5)
VERDICT = pa.schema(
    [("outcome", pa.string()), ("reason", pa.string()), ("findings", pa.string()), ("at_risk", pa.bool_()),
     ("subsidy", pa.int64()), ("payer", pa.string())]
)  # fmt: skip
SCHEMA = pa.schema([pa.field("record_id", pa.int64()), *RECORD_SCHEMA, *VERDICT])
_TACS = (b"\1\2\3\4", None, b"", b"\1\2", b"\1\2\3\4\5\6", bytes(300))


def rows(count: int, *, seed: int = 1, first: int = 1 << 32) -> list[dict[str, Any]]:
    """``count`` rows with rising ids."""
    draw = np.random.default_rng(seed)

    def raw(width: int) -> bytes:
        return draw.bytes(width)

    return [
        {
            "record_id": first + at,
            "batch": (((first >> 32) - 1) * 1000 + at // 10).to_bytes(16, "big"),
            "batch_seq": at % 10,
            "state": int(draw.integers(2)),
            "card_no": raw(10),
            "card_len": 19,
            "profile": "cn.test",
            "profile_version": 1,
            "txn_type": 6,
            "amount": int(draw.integers(-(1 << 40), 1 << 62)) if at % 7 == 0 else int(draw.integers(1000)),
            "balance": -1 if at % 11 == 0 else int(draw.integers(1 << 30)),
            "gross_fare": 100,
            "product": ("bus", "地铁", 'quote"\\')[at % 3],
            "counter": int(draw.integers(1 << 16)),
            "counter_kind": 0,
            "terminal_id": raw(6),
            "terminal_serial": int(draw.integers(1 << 32)),
            "psam_id": raw(10),
            "local_date": raw(4),
            "local_time": raw(3),
            "zone": "Asia/Shanghai",
            "business_date": DATE,
            "issuer": "issuer",
            "acquirer": "acq",
            "operator": ("op.a", "op.b")[at % 2],
            "line": (None, "", "M1")[at % 3],
            "stop": None,
            "key_version": 1,
            "algorithm": at % 2,
            "tac": _TACS[at % len(_TACS)],
            "outcome": "PAID",
            "reason": "ACCEPTED",
            "findings": "",
            "at_risk": at % 5 == 0,
            "subsidy": int(draw.integers(50)),
            "payer": "",
        }
        for at in range(count)
    ]


def table(found: list[dict[str, Any]]) -> pa.Table:
    """Rows as the engine writes them."""
    return pa.Table.from_pylist(found, schema=SCHEMA)


def write(folder: Path, found: list[dict[str, Any]], *, part: int = 400) -> Path:
    """A folder of outcomes, in several files."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.parquet"):
        old.unlink()
    for number, at in enumerate(range(0, max(len(found), 1), part)):
        pq.write_table(table(found[at : at + part]), folder / f"part-{number:05}.parquet")
    return folder
