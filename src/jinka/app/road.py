"""The road from the terminals to the centre: as it is, or with faults put in; and the sealed labels of the faults.

The labels are sealed under a random key of the simulator's own. No part of the clearing reads them or it: take the
folder away and the day is cleared to the same bytes. Only the comparison after the day opens them.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from jinka.app.workspace import Workspace
from jinka.codec import Algorithm, TransactionType
from jinka.crypto import mac4, seal, tac_key, unseal
from jinka.keys import KeyService, Purpose, card_factor
from jinka.node import write_durable
from jinka.sim.changes import Row
from jinka.sim.faults import Expectation, Fault
from jinka.sim.spoil import Delivery, Label, SpoiledDay, spoil_day
from jinka.store.parquet_bytes import parquet_bytes

_LABELS_CONTEXT = "jinka.labels/1"
_LISTINGS, _ACKNOWLEDGEMENTS = "listings.parquet", "acknowledgements.parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """One delivery as it arrives: two Parquet files."""

    name: str
    records: Path
    batches: Path


class CardThief:
    """Implements `jinka.sim.changes.Forger` with the simulated chips' own keys."""

    def __init__(self, keys: KeyService) -> None:
        self._keys = keys

    def tac(self, row: Row) -> bytes:
        """The TAC that the card itself would make for this purchase."""
        assert row["txn_type"] == TransactionType.CAPP_PURCHASE
        algorithm = Algorithm(row["algorithm"])
        factor = np.frombuffer(card_factor(row["card_no"]), np.uint8).reshape(1, 8)
        [key] = self._keys.chip_keys(
            Purpose.TAC, algorithm=algorithm, version=row["key_version"], factors8=factor
        )
        message = (
            row["amount"].to_bytes(4, "big")
            + bytes((row["txn_type"],))
            + row["terminal_id"]
            + row["terminal_serial"].to_bytes(4, "big")
            + row["local_date"]
            + row["local_time"]
        )
        return mac4(algorithm, tac_key(algorithm, key.tobytes()), message)

    def seal_batch(self, *, terminal_id: bytes, header: bytes, digest32: bytes) -> bytes:
        """The terminal's own seal."""
        return self._keys.seal_batch(terminal_id=terminal_id, header=header, digest32=digest32)


def outbox(workspace: Workspace) -> list[Upload]:
    """All deliveries of the terminals, slice by slice, lane by lane."""
    found = [
        Upload(
            name=path.name.removesuffix(".records.parquet"),
            records=path,
            batches=path.with_name(path.name.replace(".records.", ".batches.")),
        )
        for path in workspace.field.glob("lane*/outbox/*.records.parquet")
    ]
    return sorted(found, key=lambda upload: (upload.name.split("-")[1], upload.name))


def spoiled_road(
    workspace: Workspace, keys: KeyService, *, share: float, seed: int, purse_limit: int
) -> list[Upload]:
    """Put the faults in, unless that was done, and return the deliveries as they arrive."""
    done = workspace.road / "order.json"
    if not done.exists():
        deliveries = [
            Delivery(name=up.name, records=pq.read_table(up.records), batches=pq.read_table(up.batches))
            for up in outbox(workspace)
        ]
        terminals = sorted({t for d in deliveries for t in d.batches["terminal_id"].to_pylist()})
        day = spoil_day(
            deliveries,
            share=share,
            seed=seed,
            purse_limit=purse_limit,
            terminals=terminals,
            forger=CardThief(keys),
        )
        _write_road(workspace, day)
    names: list[str] = json.loads(done.read_text())
    return [
        Upload(
            name=name,
            records=workspace.road / f"{name}.records.parquet",
            batches=workspace.road / f"{name}.batches.parquet",
        )
        for name in names
    ]


def spread_lists(workspace: Workspace) -> tuple[pa.Table, pa.Table] | None:
    """The listings and acknowledgements that came up during a spoiled day; None for a day as it is."""
    if not (workspace.road / "order.json").exists():
        return None
    return pq.read_table(workspace.road / _LISTINGS), pq.read_table(workspace.road / _ACKNOWLEDGEMENTS)


def read_labels(workspace: Workspace) -> list[Label]:
    """Open the labels; for the comparison alone."""
    plain = unseal(workspace.labels_key.read_bytes(), workspace.labels.read_bytes(), context=_LABELS_CONTEXT)
    return [
        Label(
            fault=Fault[row["fault"]],
            delivery=row["delivery"],
            batch=bytes.fromhex(row["batch"]),
            batch_seq=row["batch_seq"],
            expect=Expectation(**row["expect"]),
        )
        for row in json.loads(plain)
    ]


def _write_road(workspace: Workspace, day: SpoiledDay) -> None:
    for delivery in day.deliveries:
        write_durable(workspace.road / f"{delivery.name}.records.parquet", parquet_bytes(delivery.records))
        write_durable(workspace.road / f"{delivery.name}.batches.parquet", parquet_bytes(delivery.batches))
    write_durable(workspace.road / _LISTINGS, parquet_bytes(day.listings))
    write_durable(workspace.road / _ACKNOWLEDGEMENTS, parquet_bytes(day.acknowledgements))
    rows = [
        {
            "fault": label.fault.name,
            "delivery": label.delivery,
            "batch": label.batch.hex(),
            "batch_seq": label.batch_seq,
            "expect": {
                "outcome": label.expect.outcome,
                "reason": label.expect.reason,
                "finding": label.expect.finding,
            },
        }
        for label in day.labels
    ]
    key, nonce = secrets.token_bytes(32), secrets.token_bytes(12)
    blob = seal(key, json.dumps(rows).encode(), context=_LABELS_CONTEXT, nonce12=nonce)
    write_durable(workspace.labels_key, key, private=True)
    write_durable(workspace.labels, blob, private=True)
    names = [delivery.name for delivery in day.deliveries]
    write_durable(workspace.road / "order.json", json.dumps(names).encode())
